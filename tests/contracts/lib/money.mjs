// Money in tests: who may move it, and what must be true of it after every call.
import assert from "node:assert/strict";
import { Cl } from "@stacks/transactions";
import { person, sha256 } from "./action.mjs";
import { code, STX } from "./mesh.mjs";
import { maybe } from "./values.mjs";

export const INT_MAX = 2n ** 63n - 1n;
/** Sums that no operation takes: nothing, the first beyond the protocol's integers, and the largest of the VM. */
export const NO_AMOUNTS = [0n, INT_MAX + 1n, 2n ** 128n - 1n];
export const DAY = 86_400n;
export const WEEK = 7n * DAY;
/** Plays the gateway and the contracts that move locks, where a test needs no real one. */
export const PROTOCOL = person("plays a contract of the protocol").address;

/** Let `who` play a role. */
export function grant(mesh, role, who = PROTOCOL) {
  const outcome = mesh.call("access", "set-role", [Cl.stringAscii(role), who, true]);
  assert.deepEqual(outcome, { ok: true });
}

/** The errors of a contract: errorsOf("payment-escrow")("FUNDS") is what a call that lacks money answers. */
export const errorsOf = (contract) => (name) => ({ err: code(`${contract}/ERR-${name}`) });

/** An id that is the same in every run. */
export const idOf = (name) => sha256(`hubd test id ${name}`);

export const lockOf = (mesh, id) => mesh.read("payment-escrow", "get-lock", [id]);

/** The names of the events that a call printed, in order. */
export const eventsOf = ({ events }) => events.filter(({ event }) => event === "print_event")
  .map(({ data }) => data.value.value.event.value);

const HELD = 0n;

/**
 * What the vault owes is what it holds, and what is locked of a person is what that person's HELD locks hold.
 * `persons` must name everybody who has money in the vault, `locks` every id that may have locked some.
 */
export function checkMoney(mesh, { persons, assets = [STX], locks = [] }) {
  const entries = [...new Set(locks)].map((id) => lockOf(mesh, id)).filter((lock) => lock?.state === HELD);
  const who = [...new Set(persons.map((one) => one.address ?? one))];
  for (const asset of assets) {
    let owed = 0n;
    for (const address of who) {
      const { free, locked } = mesh.balance(address, asset);
      const inLocks = entries.filter((lock) => lock.payer === address && lock.asset === asset)
        .reduce((sum, { amount }) => sum + amount, 0n);
      assert.equal(locked, inLocks, `what is locked of ${address} is what its locks hold`);
      owed += free + locked;
    }
    const held = mesh.read("payment-escrow", "get-held", [asset === STX ? null : maybe(asset)]);
    assert.equal(held, owed, "the vault's total is the sum of the balances");
    assert.equal(mesh.wallet(`${mesh.deployer}.payment-escrow`, asset), held, "the vault holds what it owes");
  }
}
