// Locks of the vault: each ends once, and every way it ends leaves the money somewhere.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Cl } from "@stacks/transactions";
import { person } from "./lib/action.mjs";
import { STX } from "./lib/mesh.mjs";
import { checkMoney, errorsOf, eventsOf, grant, idOf, INT_MAX, lockOf, NO_AMOUNTS, PROTOCOL } from "./lib/money.mjs";
import { maybe } from "./lib/values.mjs";
import { AMINA, bootVillage, TOMAS } from "./lib/village.mjs";

const err = errorsOf("payment-escrow");
const OK = { ok: true };
const NGO = person("ngo").address;
const [POOL, LESSON, OTHER, DEEP] = ["pool", "lesson", "other", "deep"].map(idOf);
const [HELD, RELEASED, REFUNDED, SPLIT] = [0n, 1n, 2n, 3n];
let mesh;
const vault = (method, ...args) => {
  const outcome = mesh.call("payment-escrow", method, args, PROTOCOL);
  checkMoney(mesh, {
    persons: [AMINA, TOMAS, NGO], assets: [STX, mesh.hours], locks: [POOL, LESSON, OTHER, DEEP],
  });
  return outcome;
};
const state = (id) => [lockOf(mesh, id).state, lockOf(mesh, id).amount];
const money = (who) => Object.values(mesh.balance(who.address ?? who));
/** A lock of 100 that was drawn from another of 1,000. */
const drawn = () => {
  assert.deepEqual(vault("lock", POOL, AMINA.address, STX, 1000n), OK);
  assert.deepEqual(vault("draw", POOL, LESSON, 100n), OK);
};

beforeEach(async () => {
  mesh = await bootVillage();
  grant(mesh, "locker");
});

test("only a contract with the role moves locked money, whatever else is wrong with the call", () => {
  const calls = [
    ["lock", LESSON, AMINA.address, null, 0n], ["release", LESSON, TOMAS.address], ["refund", LESSON],
    ["split", LESSON, TOMAS.address, 10_001n], ["draw", LESSON, OTHER, 0n], ["add", LESSON, AMINA.address, 0n],
    ["draw-earmark", LESSON, OTHER, AMINA.address, TOMAS.address, null, 0n],
  ];
  for (const [method, ...args] of calls) {
    for (const sender of [AMINA.address, mesh.deployer]) {
      assert.deepEqual(mesh.call("payment-escrow", method, args, sender), errorsOf("access")("NOT-ROLE"), method);
    }
  }
});

test("a refund frees the payer's money, and pays nobody", () => {
  vault("lock", LESSON, AMINA.address, STX, 300n);
  assert.deepEqual(vault("refund", LESSON), OK);
  assert.deepEqual([money(AMINA), state(LESSON)], [[1000n, 0n], [REFUNDED, 300n]]);
  assert.equal(mesh.read("payment-escrow", "get-volume", [null]), 0n);
});

test("a lock ends once, in whichever way it ended", () => {
  const ways = [["release", TOMAS.address], ["refund"], ["split", TOMAS.address, 5000n]];
  vault("lock", LESSON, AMINA.address, STX, 300n);
  for (const [method, ...args] of ways) {
    const id = idOf(`ends by ${method}`);
    mesh.call("payment-escrow", "lock", [id, AMINA.address, STX, 100n], PROTOCOL);
    mesh.call("payment-escrow", method, [id, ...args], PROTOCOL);
    const before = [money(AMINA), money(TOMAS)];
    for (const [again, ...more] of ways) assert.deepEqual(vault(again, id, ...more), err("LOCK-SETTLED"), again);
    assert.deepEqual(vault("draw", id, OTHER, 1n), err("LOCK-SETTLED"));
    assert.deepEqual(vault("add", id, AMINA.address, 1n), err("LOCK-SETTLED"));
    assert.deepEqual(vault("lock", id, AMINA.address, STX, 1n), err("LOCK-EXISTS"));
    assert.deepEqual([money(AMINA), money(TOMAS)], before);
  }
});

test("a lock that nobody made can be neither ended nor drawn on nor filled", () => {
  const calls = [["release", LESSON, TOMAS.address], ["refund", LESSON], ["split", LESSON, TOMAS.address, 1n],
    ["draw", LESSON, OTHER, 1n], ["add", LESSON, AMINA.address, 1n]];
  for (const call of calls) assert.deepEqual(vault(...call), err("LOCK-UNKNOWN"), call[0]);
});

test("a split pays its share rounded down and returns the rest, dust included", () => {
  let paid = 0n;
  for (const [amount, bps] of [[1n, 9999n], [3n, 3333n], [7n, 5000n], [99n, 1n], [10n, 10_000n], [10n, 0n]]) {
    const id = idOf(`split ${amount} ${bps}`);
    mesh.call("payment-escrow", "lock", [id, AMINA.address, STX, amount], PROTOCOL);
    assert.deepEqual(vault("split", id, TOMAS.address, bps), OK);
    paid += (amount * bps) / 10_000n;
    assert.deepEqual([money(AMINA), money(TOMAS)], [[1000n - paid, 0n], [paid, 0n]]);
    assert.equal(lockOf(mesh, id).state, SPLIT);
  }
  assert.equal(mesh.read("payment-escrow", "get-volume", [null]), paid);
});

test("no split, at any basis point, makes or loses a unit", () => {
  const step = process.env.HUBD_CAMPAIGN ? 1 : 97;
  let [free, paid] = [1000n, 0n];
  for (let bps = 0; bps <= 10_000; bps += step) {
    const id = idOf(`dust ${bps}`);
    mesh.call("payment-escrow", "lock", [id, AMINA.address, STX, 7n], PROTOCOL);
    assert.deepEqual(mesh.call("payment-escrow", "split", [id, TOMAS.address, BigInt(bps)], PROTOCOL), OK);
    const part = (7n * BigInt(bps)) / 10_000n;
    [free, paid] = [free - part, paid + part];
    assert.deepEqual([money(AMINA), money(TOMAS)], [[free, 0n], [paid, 0n]]);
    mesh.call("payment-escrow", "lock", [idOf(`back ${bps}`), TOMAS.address, STX, part], PROTOCOL);
    mesh.call("payment-escrow", "release", [idOf(`back ${bps}`), AMINA.address], PROTOCOL);
    [free, paid] = [free + part, paid - part];
  }
});

test("more than the whole cannot be split off", () => {
  vault("lock", LESSON, AMINA.address, STX, 100n);
  for (const bps of [10_001n, INT_MAX, 2n ** 128n - 1n]) {
    assert.deepEqual(vault("split", LESSON, TOMAS.address, bps), err("BPS"));
  }
  assert.deepEqual(state(LESSON), [HELD, 100n]);
});

test("a payer can be paid by the own lock", () => {
  vault("lock", LESSON, AMINA.address, STX, 100n);
  vault("lock", OTHER, AMINA.address, STX, 101n);
  assert.deepEqual([vault("release", LESSON, AMINA.address), vault("split", OTHER, AMINA.address, 5000n)], [OK, OK]);
  assert.deepEqual(money(AMINA), [1000n, 0n]);
});

test("a draw moves money between locks of one payer, and no further than there is", () => {
  drawn();
  assert.deepEqual([money(AMINA), state(POOL), state(LESSON)], [[0n, 1000n], [HELD, 900n], [HELD, 100n]]);
  assert.deepEqual(lockOf(mesh, LESSON),
    { payer: AMINA.address, asset: null, amount: 100n, state: HELD, origin: POOL });
  assert.deepEqual(vault("draw", POOL, OTHER, 901n), err("FUNDS"));
  assert.deepEqual(vault("draw", POOL, LESSON, 1n), err("LOCK-EXISTS"));
  assert.deepEqual(vault("draw", POOL, POOL, 1n), err("LOCK-EXISTS"));
  for (const amount of NO_AMOUNTS) assert.deepEqual(vault("draw", POOL, OTHER, amount), err("AMOUNT"));
  assert.deepEqual(vault("draw", POOL, OTHER, 900n), OK);
  assert.deepEqual(vault("draw", POOL, DEEP, 1n), err("FUNDS"));
  assert.deepEqual(vault("refund", POOL), OK, "an empty lock ends, too");
  assert.deepEqual(money(AMINA), [0n, 1000n]);
});

test("what was drawn and not earned goes back where it came from", () => {
  drawn();
  assert.deepEqual(vault("refund", LESSON), OK);
  assert.deepEqual([money(AMINA), state(POOL), state(LESSON)], [[0n, 1000n], [HELD, 1000n], [REFUNDED, 100n]]);
  vault("draw", POOL, OTHER, 101n);
  assert.deepEqual(vault("split", OTHER, TOMAS.address, 2500n), OK);
  assert.deepEqual([money(AMINA), money(TOMAS), state(POOL)], [[0n, 975n], [25n, 0n], [HELD, 975n]]);
});

test("what was drawn from a lock that has ended goes back to the payer", () => {
  drawn();
  vault("draw", POOL, OTHER, 200n);
  vault("refund", POOL);
  assert.deepEqual(money(AMINA), [700n, 300n]);
  assert.deepEqual([vault("refund", LESSON), vault("split", OTHER, TOMAS.address, 5000n)], [OK, OK]);
  assert.deepEqual([money(AMINA), money(TOMAS), state(POOL)], [[900n, 0n], [100n, 0n], [REFUNDED, 700n]]);
});

test("a lock drawn from a drawn lock returns one step, not two", () => {
  drawn();
  vault("draw", LESSON, DEEP, 40n);
  vault("release", LESSON, TOMAS.address);
  vault("refund", DEEP);
  assert.deepEqual([money(AMINA), money(TOMAS), state(POOL)], [[40n, 900n], [60n, 0n], [HELD, 900n]]);
});

test("anybody's money put into a lock is the payer's from then on", () => {
  mesh.call("payment-escrow", "deposit-for", [NGO, 500n]);
  vault("lock", POOL, AMINA.address, STX, 100n);
  assert.deepEqual(vault("add", POOL, NGO, 200n), OK);
  assert.deepEqual(vault("add", POOL, AMINA.address, 50n), OK);
  assert.deepEqual([money(AMINA), money(NGO), state(POOL)], [[850n, 350n], [300n, 0n], [HELD, 350n]]);
  assert.deepEqual(vault("add", POOL, NGO, 301n), err("FUNDS"));
  for (const amount of NO_AMOUNTS) assert.deepEqual(vault("add", POOL, NGO, amount), err("AMOUNT"));
  vault("refund", POOL);
  assert.deepEqual(money(AMINA), [1200n, 0n]);
});

test("a lock takes only the asset it holds", () => {
  vault("lock", POOL, AMINA.address, Cl.some(Cl.principal(mesh.hours)), 100n);
  mesh.call("payment-escrow", "deposit-for", [NGO, 500n]);
  assert.deepEqual(vault("add", POOL, NGO, 1n), err("FUNDS"));
  assert.deepEqual(vault("draw", POOL, LESSON, 10n), OK);
  assert.equal(lockOf(mesh, LESSON).asset, mesh.hours);
  vault("release", LESSON, TOMAS.address);
  assert.deepEqual([money(TOMAS), mesh.balance(TOMAS.address, mesh.hours)], [[0n, 0n], { free: 10n, locked: 0n }]);
});

test("locks move while deposits are paused and their asset is closed", () => {
  mesh.call("access", "pause-deposits");
  mesh.call("access", "set-asset", [null, Cl.stringAscii(""), false]);
  drawn();
  assert.deepEqual(vault("split", LESSON, TOMAS.address, 5000n), OK);
  assert.deepEqual(mesh.call("payment-escrow", "withdraw", [50n, null], TOMAS.address), OK);
});

test("the protocol's largest sums lock, split and return without overflow", () => {
  mesh.deploy("coin", `(define-map held principal uint)
    (define-public (transfer (a uint) (f principal) (t principal) (m (optional (buff 34)))) (begin
      (asserts! (is-eq m m) (err u1))
      (map-set held t (+ a (default-to u0 (map-get? held t)))) (ok (is-eq f t))))
    (define-read-only (get-name) (ok "C")) (define-read-only (get-symbol) (ok "C"))
    (define-read-only (get-decimals) (ok u0)) (define-read-only (get-total-supply) (ok u0))
    (define-read-only (get-balance (w principal)) (ok (default-to u0 (map-get? held w))))
    (define-read-only (get-token-uri) (ok none))`);
  const token = `${mesh.deployer}.coin`;
  mesh.call("access", "set-asset", [maybe(token), Cl.stringAscii("coin"), true]);
  for (let i = 0; i < 4; i++) mesh.call("payment-escrow", "deposit-for-ft", [token, AMINA.address, INT_MAX]);
  const call = (method, ...args) => mesh.call("payment-escrow", method, args, PROTOCOL);
  assert.deepEqual(call("lock", POOL, AMINA.address, maybe(token), INT_MAX), OK);
  for (let i = 0; i < 3; i++) assert.deepEqual(call("add", POOL, AMINA.address, INT_MAX), OK);
  assert.deepEqual(call("draw", POOL, LESSON, INT_MAX), OK);
  assert.deepEqual(call("split", LESSON, TOMAS.address, 9999n), OK);
  assert.deepEqual(call("split", POOL, TOMAS.address, 10_000n), OK);
  assert.deepEqual(mesh.balance(AMINA.address, token), { free: 0n, locked: 0n });
  assert.deepEqual(mesh.balance(TOMAS.address, token), { free: 4n * INT_MAX, locked: 0n });
});

test("every change of a lock is told once", () => {
  const told = (method, ...args) => eventsOf(mesh.run("payment-escrow", method, args, PROTOCOL));
  assert.deepEqual(told("lock", POOL, AMINA.address, STX, 900n), ["locked"]);
  assert.deepEqual(told("add", POOL, AMINA.address, 100n), ["added"]);
  assert.deepEqual(told("draw", POOL, LESSON, 10n), ["drawn"]);
  assert.deepEqual(told("draw", POOL, OTHER, 10n), ["drawn"]);
  assert.deepEqual(told("release", LESSON, TOMAS.address), ["released"]);
  assert.deepEqual(told("split", OTHER, TOMAS.address, 1n), ["split"]);
  assert.deepEqual(told("refund", POOL), ["refunded"]);
  assert.equal(lockOf(mesh, LESSON).state, RELEASED);
});
