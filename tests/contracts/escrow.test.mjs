// The vault: what comes in, what is locked, what goes out, and who may not.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { beforeEach, test } from "node:test";
import { Cl } from "@stacks/transactions";
import { person, sha256 } from "./lib/action.mjs";
import { code, STX } from "./lib/mesh.mjs";
import { maybe } from "./lib/values.mjs";
import { AMINA, bootVillage, Lesson, TOMAS, withdraw } from "./lib/village.mjs";

const COIN = readFileSync(new URL("lib/tokens.clar", import.meta.url), "utf8");
const INT_MAX = 2n ** 63n - 1n;
const STRANGER = person("stranger").address;
const MAINNET = "SP2J6ZY48GV1EZ5V2V5RB9MP66SW86PYKKNRV9EJ7";
const err = (name) => ({ err: code(name) });
const [AMOUNT, FUNDS, TRANSFER, RECIPIENT] = ["AMOUNT", "FUNDS", "TRANSFER", "RECIPIENT"].map(
  (name) => err(`payment-escrow/ERR-${name}`));
let mesh;
let vault;
const escrow = (method, args, sender) => mesh.call("payment-escrow", method, args, sender);
const held = (asset = STX) => mesh.read("payment-escrow", "get-held", [asset === STX ? null : maybe(asset)]);

/** A token of its own beside hour-credit, admitted to the vault, with 1,000 coins in Amina's wallet. */
function coin(name = "coin") {
  mesh.deploy("coin", COIN);
  const token = `${mesh.deployer}.coin`;
  mesh.call("access", "set-asset", [maybe(token), Cl.stringAscii(name), true]);
  mesh.call("coin", "mint", [1000n, AMINA.address]);
  return { token, mode: (to) => mesh.call("coin", "set-mode", [Cl.stringAscii(to)]) };
}

beforeEach(async () => {
  mesh = await bootVillage();
  vault = `${mesh.deployer}.payment-escrow`;
});

test("a wallet pays in for itself and for others, before they register", () => {
  mesh.fund(STRANGER);
  assert.deepEqual(escrow("deposit", [70n], STRANGER), { ok: true });
  assert.deepEqual(escrow("deposit-for", [STRANGER, 30n]), { ok: true });
  assert.deepEqual(mesh.balance(STRANGER), { free: 100n, locked: 0n });
  assert.deepEqual(escrow("deposit-ft", [mesh.hours, 50n]), { ok: true });
  assert.deepEqual(mesh.balance(mesh.deployer, mesh.hours), { free: 50n, locked: 0n });
  assert.equal(held(), mesh.wallet(vault));
  assert.equal(held(mesh.hours), mesh.wallet(vault, mesh.hours));
});

test("balances are answered in the order asked, zeros for whom nothing was paid", () => {
  const of = (who, asset) => Cl.tuple({ person: Cl.principal(who), asset: maybe(asset) });
  const list = Cl.list([of(STRANGER, STX), of(AMINA.address, STX), of(AMINA.address, mesh.hours)]);
  assert.deepEqual(mesh.read("payment-escrow", "get-balances", [list]),
    [0n, 1000n, 1000n].map((free) => ({ free, locked: 0n })));
});

test("nothing, and more than the protocol's largest number, can neither be paid in nor taken out", () => {
  for (const amount of [0n, INT_MAX + 1n, 2n ** 128n - 1n]) {
    assert.deepEqual(escrow("deposit-for", [AMINA.address, amount]), AMOUNT);
    assert.deepEqual(escrow("deposit-for-ft", [mesh.hours, AMINA.address, amount]), AMOUNT);
    assert.deepEqual(escrow("withdraw", [amount, null], AMINA.address), AMOUNT);
    assert.deepEqual(escrow("withdraw-ft", [mesh.hours, amount, null], AMINA.address), AMOUNT);
  }
  assert.deepEqual(mesh.submit([withdraw(mesh, AMINA, 0n)]), [code("action-gateway/CODE-COLUMNS")]);
});

test("a wallet without the money pays nothing in", () => {
  const poor = person("poor").address;
  assert.deepEqual(escrow("deposit", [1n], poor), TRANSFER);
  assert.deepEqual(escrow("deposit-ft", [mesh.hours, 1n], poor), TRANSFER);
  assert.deepEqual(mesh.balance(poor), { free: 0n, locked: 0n });
});

test("money for the vault itself or for an address of another network is refused both ways", () => {
  for (const nowhere of [vault, MAINNET]) {
    assert.deepEqual(escrow("withdraw", [1n, maybe(nowhere)], AMINA.address), RECIPIENT);
    assert.deepEqual(escrow("withdraw-ft", [mesh.hours, 1n, maybe(nowhere)], AMINA.address), RECIPIENT);
  }
});

test("the vault keeps money for persons only: no contract and no address of another network could use it", () => {
  for (const nobody of [vault, mesh.hours, `${AMINA.address}.not-even-deployed`, MAINNET, `${MAINNET}.contract`]) {
    assert.deepEqual(escrow("deposit-for", [nobody, 1n]), RECIPIENT, nobody);
    assert.deepEqual(escrow("deposit-for-ft", [mesh.hours, nobody, 1n]), RECIPIENT, nobody);
  }
  assert.deepEqual(escrow("withdraw", [1n, maybe(mesh.hours)], AMINA.address), { ok: true }, "but it pays contracts");
});

test("a withdrawal goes to whom the person names, else to the key that signed", () => {
  const before = [STRANGER, AMINA.address].map((who) => mesh.wallet(who));
  assert.deepEqual(mesh.submit([withdraw(mesh, AMINA, 10n, { who: STRANGER }), withdraw(mesh, AMINA, 20n)]), [0n, 0n]);
  assert.deepEqual(escrow("withdraw", [30n, maybe(STRANGER)], AMINA.address), { ok: true });
  assert.deepEqual([STRANGER, AMINA.address].map((who, i) => mesh.wallet(who) - before[i]), [40n, 20n]);
  assert.deepEqual(mesh.balance(AMINA.address), { free: 940n, locked: 0n });
});

test("nobody takes out more than is free, and locked money is not free", () => {
  mesh.submit([new Lesson(mesh, { amount: 600n }).booking]);
  assert.deepEqual(mesh.balance(AMINA.address), { free: 400n, locked: 600n });
  assert.deepEqual(escrow("withdraw", [401n, null], AMINA.address), FUNDS);
  assert.deepEqual(mesh.submit([withdraw(mesh, AMINA, 401n), withdraw(mesh, AMINA, 400n)]), [FUNDS.err, 0n]);
  const hours = withdraw(mesh, AMINA, 1001n, { asset: mesh.hours });
  assert.deepEqual(mesh.submit([hours], { token: mesh.hours }), [FUNDS.err]);
});

test("a pause stops every deposit and no withdrawal", () => {
  mesh.call("access", "pause-deposits");
  const paused = err("access/ERR-DEPOSITS-PAUSED");
  assert.deepEqual(escrow("deposit", [1n]), paused);
  assert.deepEqual(escrow("deposit-for-ft", [mesh.hours, AMINA.address, 1n]), paused);
  assert.deepEqual(escrow("withdraw", [1n, null], AMINA.address), { ok: true });
  assert.deepEqual(escrow("withdraw-ft", [mesh.hours, 1n, null], AMINA.address), { ok: true });
});

test("a token that nobody admitted can neither enter nor leave", () => {
  mesh.deploy("coin", COIN);
  const token = `${mesh.deployer}.coin`;
  mesh.call("coin", "mint", [1000n, AMINA.address]);
  assert.deepEqual(escrow("deposit-ft", [token, 1n], AMINA.address), err("access/ERR-ASSET-CLOSED"));
  assert.deepEqual(escrow("withdraw-ft", [token, 1n, null], AMINA.address), err("access/ERR-ASSET-UNKNOWN"));
});

test("a token closed after deposits still pays out", () => {
  mesh.call("access", "set-asset", [maybe(mesh.hours), Cl.stringAscii("hour-credit"), false]);
  assert.deepEqual(escrow("deposit-ft", [mesh.hours, 1n]), err("access/ERR-ASSET-CLOSED"));
  assert.deepEqual(escrow("withdraw-ft", [mesh.hours, 1n, null], AMINA.address), { ok: true });
});

test("under a wrong asset name a token cannot even enter", () => {
  const { token } = coin("another-name");
  assert.deepEqual(escrow("deposit-ft", [token, 100n], AMINA.address), TRANSFER);
  assert.equal(mesh.wallet(AMINA.address, token), 1000n);
});

test("what a token keeps for itself is not credited", () => {
  const { token, mode } = coin();
  mode("charges");
  assert.deepEqual(escrow("deposit-ft", [token, 100n], AMINA.address), { ok: true });
  assert.deepEqual(mesh.balance(AMINA.address, token), { free: 99n, locked: 0n });
  assert.equal(held(token), mesh.wallet(vault, token));
});

test("a token that fails, pretends, lies or takes more cannot be paid in", () => {
  const { token, mode } = coin();
  for (const way of ["fails-with-zero", "fails-as-other", "pretends", "takes-more", "lies"]) {
    mode(way);
    assert.deepEqual(escrow("deposit-ft", [token, 100n], AMINA.address), TRANSFER, way);
  }
  mode("swells");
  assert.deepEqual(escrow("deposit-ft", [token, 100n], AMINA.address), AMOUNT);
  assert.equal(held(token), 0n);
});

test("the protocol's largest amount passes in and out", () => {
  const { token } = coin();
  mesh.call("coin", "mint", [INT_MAX, TOMAS.address]);
  assert.deepEqual(escrow("deposit-ft", [token, INT_MAX], TOMAS.address), { ok: true });
  assert.deepEqual(escrow("withdraw-ft", [token, INT_MAX, null], TOMAS.address), { ok: true });
});

test("a token that fails, takes more or reaches for STX takes nothing out of the vault", () => {
  const { token, mode } = coin();
  escrow("deposit-ft", [token, 500n], AMINA.address);
  const ustx = mesh.wallet(vault);
  for (const way of ["fails-with-zero", "fails-as-other", "takes-more", "drains-stx"]) {
    mode(way);
    assert.deepEqual(escrow("withdraw-ft", [token, 100n, null], AMINA.address), TRANSFER, way);
    assert.deepEqual(mesh.submit([withdraw(mesh, AMINA, 100n, { asset: token })], { token }), [TRANSFER.err], way);
  }
  assert.deepEqual(mesh.balance(AMINA.address, token), { free: 500n, locked: 0n });
  assert.equal(mesh.wallet(vault), ustx);
  mode("honest");
  assert.deepEqual(escrow("withdraw-ft", [token, 500n, null], AMINA.address), { ok: true });
});

test("a relay keeps its fee inside the vault, rounded down, and a wallet pays none", () => {
  const relay = person("relay").address;
  mesh.call("access", "set-relay-fee", [250n, relay]);
  const before = mesh.wallet(AMINA.address);
  assert.deepEqual(mesh.submit([withdraw(mesh, AMINA, 79n), withdraw(mesh, AMINA, 39n)]), [0n, 0n]);
  assert.equal(mesh.wallet(AMINA.address) - before, 117n);
  assert.deepEqual(mesh.balance(relay), { free: 1n, locked: 0n });
  assert.deepEqual(escrow("withdraw", [400n, null], AMINA.address), { ok: true });
  assert.equal(mesh.wallet(AMINA.address) - before, 517n);
  assert.equal(held(), mesh.wallet(vault));
  const hours = withdraw(mesh, AMINA, 100n, { asset: mesh.hours });
  assert.deepEqual(mesh.submit([hours], { token: mesh.hours }), [0n]);
  assert.equal(mesh.wallet(AMINA.address, mesh.hours), 98n);
  assert.deepEqual(mesh.balance(relay, mesh.hours), { free: 2n, locked: 0n });
});

test("only the protocol's contracts lock, release and withdraw for somebody", () => {
  const role = err("access/ERR-NOT-ROLE");
  const id = sha256("lock");
  assert.deepEqual(escrow("lock", [id, AMINA.address, null, 1n]), role);
  mesh.submit([new Lesson(mesh).booking]);
  const lesson = new Lesson(mesh);
  mesh.submit([lesson.booking]);
  assert.deepEqual(escrow("release", [lesson.id, STRANGER]), role);
  assert.deepEqual(escrow("withdraw-for", [AMINA.address, 1n, null]), role);
  assert.deepEqual(escrow("withdraw-ft-for", [mesh.hours, AMINA.address, 1n, null]), role);
});

test("an id locks once, releases once, and releases nothing before it locked", () => {
  const session = mesh.deployer;
  mesh.call("access", "set-role", [Cl.stringAscii("locker"), session, true]);
  const id = sha256("lock");
  assert.deepEqual(escrow("release", [id, TOMAS.address]), err("payment-escrow/ERR-LOCK-UNKNOWN"));
  assert.deepEqual(escrow("lock", [id, AMINA.address, null, 0n]), AMOUNT);
  assert.deepEqual(escrow("lock", [id, AMINA.address, null, 1001n]), FUNDS);
  assert.deepEqual(escrow("lock", [id, AMINA.address, null, 1000n]), { ok: true });
  assert.deepEqual(escrow("lock", [id, AMINA.address, null, 1n]), err("payment-escrow/ERR-LOCK-EXISTS"));
  assert.deepEqual(escrow("release", [id, TOMAS.address]), { ok: true });
  assert.deepEqual(escrow("release", [id, TOMAS.address]), err("payment-escrow/ERR-LOCK-SETTLED"));
  assert.deepEqual(escrow("lock", [id, TOMAS.address, null, 1n]), err("payment-escrow/ERR-LOCK-EXISTS"));
  assert.deepEqual(mesh.balance(TOMAS.address), { free: 1000n, locked: 0n });
  assert.equal(mesh.read("payment-escrow", "get-lock", [id]).state, 1n);
  assert.equal(mesh.read("payment-escrow", "get-volume", [null]), 1000n);
});

test("a contract that a person calls can neither deposit nor withdraw in the person's name", () => {
  mesh.fund(AMINA.address);
  mesh.deploy("lure", `
    (define-public (pay) (contract-call? .payment-escrow deposit u5))
    (define-public (gift) (contract-call? .payment-escrow deposit-for tx-sender u5))
    (define-public (take) (contract-call? .payment-escrow withdraw u5 (some tx-sender)))
    (define-public (hours) (contract-call? .payment-escrow deposit-ft .hour-credit u5))`);
  assert.deepEqual(mesh.call("lure", "pay", [], AMINA.address), RECIPIENT);
  assert.deepEqual(mesh.call("lure", "gift", [], AMINA.address), TRANSFER);
  assert.deepEqual(mesh.call("lure", "take", [], AMINA.address), err("user-registry/ERR-KEY-UNKNOWN"));
  assert.deepEqual(mesh.call("lure", "hours", [], AMINA.address), RECIPIENT);
  assert.deepEqual(mesh.balance(AMINA.address), { free: 1000n, locked: 0n });
});
