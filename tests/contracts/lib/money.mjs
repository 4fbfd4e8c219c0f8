// Money in tests: who may move it, and what must be true of it after every call.
import assert from "node:assert/strict";
import { Cl } from "@stacks/transactions";
import { directId, person, sha256 } from "./action.mjs";
import { code, STX } from "./mesh.mjs";
import { maybe } from "./values.mjs";
import { register } from "./village.mjs";

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

export const SPONSOR = person("sponsor");

/** A pool of one sponsor, opened by `open`; what is not named are harmless terms of 30 days from now. */
export class Pool {
  constructor(mesh, { sponsor = SPONSOR, salt = idOf("pool's salt"), ...terms } = {}) {
    const from = mesh.now;
    Object.assign(this, {
      mesh, sponsor, salt, asset: STX, amount: 1000n, learnerCap: 100n, tutorCap: 300n, from, until: from + 30n * DAY,
      ...terms,
    });
    this.id = directId(sponsor.address, "pool-open", salt);
  }

  /** Call sponsor-pool as the sponsor, or as `by`. */
  call(method, args, by = this.sponsor) {
    return this.mesh.call("sponsor-pool", method, args, by.address ?? by);
  }

  open(by = this.sponsor) {
    const { salt, amount, learnerCap, tutorCap, from, until } = this;
    return this.call("pool-open", [salt, maybe(this.asset), amount, learnerCap, tutorCap, from, until], by);
  }

  change({ learnerCap = this.learnerCap, tutorCap = this.tutorCap, until = this.until } = {}, by = this.sponsor) {
    return this.call("pool-change", [this.id, learnerCap, tutorCap, until], by);
  }

  admit(tutor, on = true, by = this.sponsor) {
    return this.call("pool-tutor-set", [this.id, tutor.address ?? tutor, on], by);
  }

  fund(by, amount, { sponsor = this.sponsor, asset = this.asset } = {}) {
    return this.call("pool-fund", [this.id, sponsor.address, maybe(asset), amount], by);
  }

  close(by = this.sponsor) {
    return this.call("pool-close", [this.id], by);
  }

  /** Pay as a contract with the role "pool-payer" does. */
  pay(id, learner, tutor, amount, { start = this.from, asset = this.asset, by = PROTOCOL } = {}) {
    return this.call("pay", [this.id, id, learner.address, tutor.address, maybe(asset), amount, start], by);
  }
}

/** An open pool whose registered sponsor has 10,000 uSTX and as many hours in the vault; `tutors` are admitted. */
export function openPool(mesh, { tutors = [], ...terms } = {}) {
  const pool = new Pool(mesh, terms);
  mesh.submit([register(mesh, pool.sponsor)]);
  mesh.call("payment-escrow", "deposit-for", [pool.sponsor.address, 10_000n]);
  mesh.call("hour-credit", "mint", [10_000n, mesh.deployer]);
  mesh.call("payment-escrow", "deposit-for-ft", [mesh.hours, pool.sponsor.address, 10_000n]);
  for (const outcome of [pool.open(), ...tutors.map((tutor) => pool.admit(tutor))]) {
    assert.deepEqual(outcome, { ok: true });
  }
  return pool;
}

/** The signed actions of money and classes. */
export const earmark = (mesh, by, { tutor, amount, asset = STX, until = mesh.now + 30n * DAY }) =>
  mesh.action(by, { action: "escrow-lock", who: tutor.address, amount, asset, moment: until, bits: 2n });

export const giveBack = (mesh, by, id) => mesh.action(by, { action: "escrow-return", subject: id });

export const fundPool = (mesh, by, { id, sponsor, asset }, amount) =>
  mesh.action(by, { action: "escrow-lock", subject: id, who: sponsor.address, amount, asset, bits: 1n });

export const openClass = (mesh, by, { pool, amount = 20n, minutes = 90n }) =>
  mesh.action(by, {
    action: "class-open", subject: pool.id, amount, asset: pool.asset, moment: pool.from, bits: minutes,
  });

/** One side says that somebody was there: a learner naming the tutor, or the tutor naming that learner. */
export const attendClass = (mesh, by, { id, fields }, who = fields.author) =>
  mesh.action(by, { action: "class-attend", subject: id, who, moment: fields.moment });
