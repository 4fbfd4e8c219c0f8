// Sponsors' pools: whom they pay, how much a week, and who gets the rest.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Cl } from "@stacks/transactions";
import { person } from "./lib/action.mjs";
import { STX } from "./lib/mesh.mjs";
import {
  checkMoney, DAY, errorsOf, eventsOf, grant, idOf, INT_MAX, lockOf, NO_AMOUNTS, openPool, Pool, PROTOCOL, SPONSOR,
  WEEK,
} from "./lib/money.mjs";
import { maybe } from "./lib/values.mjs";
import { AMINA, bootVillage, GRACE_SECONDS, Lesson, register, TOMAS } from "./lib/village.mjs";

const err = errorsOf("sponsor-pool");
const OK = { ok: true };
const [STRANGER, BEN] = ["stranger", "ben, learner"].map(person);
const IDS = Array.from({ length: 20 }, (_, i) => idOf(`lesson ${i}`));
let mesh;
let pool;
const check = (more = []) => checkMoney(mesh, {
  persons: [AMINA, TOMAS, SPONSOR, STRANGER, BEN], assets: [STX, mesh.hours], locks: [pool.id, ...IDS, ...more],
});
const left = (id = pool.id) => lockOf(mesh, id).amount;
const earned = () => mesh.balance(TOMAS.address).free;
/** The first second of a week that lies whole between `from` and now. */
const weekAfter = (from) => (from / WEEK + 1n) * WEEK;

beforeEach(async () => {
  mesh = await bootVillage();
  for (const role of ["pool-payer", "gateway"]) grant(mesh, role);
  mesh.submit([register(mesh, STRANGER), register(mesh, BEN)]);
  pool = openPool(mesh, { tutors: [TOMAS] });
});

test("a pool locks its sponsor's money and says its rules", () => {
  const { asset, from, until } = pool;
  assert.deepEqual(mesh.read("sponsor-pool", "get-pool", [pool.id]),
    { sponsor: SPONSOR.address, asset, "learner-cap": 100n, "tutor-cap": 300n, from, until, open: true });
  assert.deepEqual(mesh.balance(SPONSOR.address), { free: 9000n, locked: 1000n });
  assert.equal(mesh.read("sponsor-pool", "get-pool", [IDS[0]]), null);
  assert.deepEqual(pool.open(), err("POOL-EXISTS"));
  assert.deepEqual(new Pool(mesh, { sponsor: person("unknown") }).open(), errorsOf("user-registry")("KEY-UNKNOWN"));
  check();
});

test("a pool's term may lie behind, and ends at most two years ahead", () => {
  const { now } = mesh;
  const at = (from, until) => new Pool(mesh, { salt: idOf(`${from} ${until}`), from, until }).open();
  for (const [from, until] of [[now + 9n, now + 8n], [1n, 0n], [INT_MAX, INT_MAX], [now, 2n ** 128n - 1n],
    [now, now + 730n * DAY + 900n]]) {
    assert.deepEqual(at(from, until), err("TERM"), `${from} to ${until}`);
  }
  for (const [from, until] of [[0n, 0n], [now, now], [now, now + 730n * DAY]]) assert.deepEqual(at(from, until), OK);
});

test("a pool without money, without caps or beyond the sponsor's money is refused", () => {
  const open = (terms) => new Pool(mesh, { salt: idOf("other"), ...terms }).open();
  for (const cap of NO_AMOUNTS) {
    assert.deepEqual(open({ learnerCap: cap }), err("CAP"));
    assert.deepEqual(open({ tutorCap: cap }), err("CAP"));
    assert.deepEqual(open({ amount: cap }), errorsOf("payment-escrow")("AMOUNT"));
    assert.deepEqual(pool.change({ learnerCap: cap }), err("CAP"));
    assert.deepEqual(pool.change({ tutorCap: cap }), err("CAP"));
  }
  assert.deepEqual(open({ amount: 9001n }), errorsOf("payment-escrow")("FUNDS"));
  check();
});

test("only the sponsor changes a pool and admits tutors", () => {
  for (const by of [STRANGER, TOMAS]) {
    assert.deepEqual(pool.change({}, by), err("NOT-SPONSOR"));
    assert.deepEqual(pool.admit(STRANGER, true, by), err("NOT-SPONSOR"));
  }
  assert.deepEqual(pool.admit(STRANGER, true, mesh.deployer), errorsOf("user-registry")("KEY-UNKNOWN"));
  assert.equal(mesh.read("sponsor-pool", "is-tutor", [pool.id, STRANGER.address]), false);
  const missing = Object.assign(new Pool(mesh), { id: IDS[0] });
  for (const outcome of [missing.change(), missing.admit(TOMAS), missing.fund(AMINA, 1n), missing.close(),
    missing.pay(IDS[1], AMINA, TOMAS, 1n)]) assert.deepEqual(outcome, err("POOL-UNKNOWN"));
});

test("a pool may run longer, never shorter", () => {
  const { until } = pool;
  assert.deepEqual(pool.change({ until: until - 1n }), err("TERM"));
  for (const far of [mesh.now + 730n * DAY + 900n, INT_MAX, 2n ** 128n - 1n]) {
    assert.deepEqual(pool.change({ until: far }), err("TERM"));
  }
  assert.deepEqual(pool.change({ learnerCap: 7n, tutorCap: 8n, until: until + DAY }), OK);
  const now = mesh.read("sponsor-pool", "get-pool", [pool.id]);
  assert.deepEqual([now["learner-cap"], now["tutor-cap"], now.until, now.from], [7n, 8n, until + DAY, pool.from]);
});

test("anybody's free money may go into an open pool, and is the sponsor's from then on", () => {
  assert.deepEqual(pool.fund(AMINA, 300n), OK);
  const signed = (amount, sponsor = SPONSOR, asset = STX) => mesh.call("sponsor-pool", "pool-fund-for",
    [AMINA.address, pool.id, sponsor.address, maybe(asset), amount], PROTOCOL);
  assert.deepEqual(signed(200n), OK);
  assert.deepEqual([left(), mesh.balance(AMINA.address), mesh.balance(SPONSOR.address).locked],
    [1500n, { free: 500n, locked: 0n }, 1500n]);
  for (const form of [(amount, ...terms) => pool.fund(AMINA, amount, { sponsor: terms[0], asset: terms[1] }), signed]) {
    assert.deepEqual(form(1n, STRANGER), err("OTHER-POOL"));
    assert.deepEqual(form(1n, SPONSOR, mesh.hours), err("OTHER-POOL"));
    assert.deepEqual(form(501n), errorsOf("payment-escrow")("FUNDS"));
    for (const amount of NO_AMOUNTS) assert.deepEqual(form(amount), errorsOf("payment-escrow")("AMOUNT"));
  }
  assert.deepEqual(mesh.call("sponsor-pool", "pool-fund-for", [AMINA.address, pool.id, SPONSOR.address, STX, 1n],
    AMINA.address), errorsOf("access")("NOT-ROLE"));
  check();
});

test("an attended lesson of an admitted tutor is paid once", () => {
  assert.deepEqual(pool.pay(IDS[0], AMINA, TOMAS, 60n), OK);
  assert.deepEqual([left(), earned(), mesh.balance(SPONSOR.address)], [940n, 60n, { free: 9000n, locked: 940n }]);
  assert.equal(mesh.read("payment-escrow", "get-volume", [null]), 60n);
  assert.deepEqual(pool.pay(IDS[0], AMINA, TOMAS, 1n), errorsOf("payment-escrow")("LOCK-EXISTS"));
  const week = pool.from / WEEK;
  const paid = (who, asTutor) => mesh.read("sponsor-pool", "get-paid", [pool.id, who.address, week, asTutor]);
  assert.deepEqual([paid(AMINA, false), paid(AMINA, true), paid(TOMAS, true), paid(TOMAS, false)], [60n, 0n, 60n, 0n]);
  check();
});

test("nobody but the contracts that know who attended makes a pool pay", () => {
  for (const by of [SPONSOR, TOMAS, AMINA, mesh.deployer]) {
    assert.deepEqual(pool.pay(IDS[0], AMINA, TOMAS, 0n, { by }), errorsOf("access")("NOT-ROLE"));
  }
});

test("two strangers, a sponsor who teaches or learns, and a self-taught tutor get nothing", () => {
  assert.deepEqual(pool.pay(IDS[0], AMINA, STRANGER, 60n), err("NOT-ADMITTED"));
  assert.deepEqual(pool.pay(IDS[0], SPONSOR, TOMAS, 60n), err("SAME-PERSON"));
  assert.deepEqual(pool.pay(IDS[0], TOMAS, TOMAS, 60n), err("SAME-PERSON"));
  pool.admit(SPONSOR);
  assert.deepEqual(pool.pay(IDS[0], AMINA, SPONSOR, 60n), err("SAME-PERSON"));
  pool.admit(TOMAS, false);
  assert.deepEqual(pool.pay(IDS[0], AMINA, TOMAS, 60n), err("NOT-ADMITTED"), "dismissed");
  assert.equal(left(), 1000n);
});

test("a tutor of one pool is none of another", () => {
  const other = openPool(mesh, { salt: idOf("other pool") });
  assert.deepEqual(other.pay(IDS[0], AMINA, TOMAS, 60n), err("NOT-ADMITTED"));
});

test("a lesson before the term, after it, or still ahead is not paid", () => {
  const far = new Pool(mesh, { salt: idOf("past"), from: mesh.now - 100n * DAY, until: mesh.now - 50n * DAY });
  far.open();
  far.admit(TOMAS);
  for (const start of [far.from - 1n, far.until + 1n, mesh.now, INT_MAX, 2n ** 128n - 1n, 0n]) {
    assert.deepEqual(far.pay(IDS[0], AMINA, TOMAS, 1n, { start }), err("OUTSIDE-TERM"), `${start}`);
  }
  for (const [i, start] of [far.from, far.until].entries()) {
    assert.deepEqual(far.pay(IDS[i], AMINA, TOMAS, 1n, { start }), OK);
  }
  assert.deepEqual(pool.pay(IDS[2], AMINA, TOMAS, 1n, { start: mesh.now + 1n }), err("AHEAD"));
  assert.deepEqual(pool.pay(IDS[2], AMINA, TOMAS, 1n, { start: mesh.now }), OK);
  check([far.id]);
});

test("a lesson that began more than 180 days ago is not paid, so that nobody fills up past weeks", () => {
  const long = new Pool(mesh, { salt: idOf("long"), from: 0n, until: mesh.now });
  assert.deepEqual([long.open(), long.admit(TOMAS)], [OK, OK]);
  const start = mesh.now - 180n * DAY + 600n;
  mesh.waitUntil(start + 180n * DAY);
  for (const early of [0n, start - WEEK, start - 1n]) {
    assert.deepEqual(long.pay(IDS[0], AMINA, TOMAS, 1n, { start: early }), err("TOO-LATE"), `${early}`);
  }
  assert.deepEqual(long.pay(IDS[0], AMINA, TOMAS, 1n, { start: start + 60n }), OK);
  check([long.id]);
});

test("a lesson held in a pool's last days is paid by a claim, before anybody can close the pool", () => {
  const lesson = new Lesson(mesh, { amount: 40n, bits: 32_768n + 60n, offer: pool.id, start: pool.until });
  mesh.submit([lesson.booking, lesson.confirm()]);
  mesh.waitUntil(pool.until + BigInt(GRACE_SECONDS));
  const words = [lesson.attend(AMINA), lesson.attend(TOMAS)];
  assert.deepEqual(mesh.submit(words), [0n, 0n]);
  mesh.advance(GRACE_SECONDS + 3600);
  assert.deepEqual(pool.close(STRANGER), err("RUNNING"));
  assert.deepEqual(mesh.call("session-manager", "claim", [lesson.id], STRANGER.address), OK);
  assert.deepEqual(earned(), 40n);
});

test("what a learner costs and a tutor earns in a week ends at the caps, whatever the sums", () => {
  assert.deepEqual(pool.pay(IDS[0], AMINA, TOMAS, 101n), err("LEARNER-CAP"));
  assert.deepEqual(pool.pay(IDS[1], AMINA, TOMAS, 100n), OK);
  for (const amount of [1n, INT_MAX, 2n ** 128n - 1n]) {
    assert.deepEqual(pool.pay(IDS[2], AMINA, TOMAS, amount), err("LEARNER-CAP"));
  }
  assert.deepEqual([pool.pay(IDS[3], BEN, TOMAS, 100n), pool.pay(IDS[4], STRANGER, TOMAS, 99n)], [OK, OK]);
  assert.deepEqual(pool.pay(IDS[5], person("fourth"), TOMAS, 2n), err("TUTOR-CAP"));
  assert.deepEqual(pool.pay(IDS[5], person("fourth"), TOMAS, 1n), OK);
  assert.deepEqual(pool.pay(IDS[6], person("fifth"), TOMAS, 0n), errorsOf("payment-escrow")("AMOUNT"));
  assert.deepEqual([earned(), left()], [300n, 700n]);
  assert.deepEqual(pool.change({ learnerCap: 50n, tutorCap: 50n }), OK);
  for (const [who, name] of [[AMINA, "LEARNER-CAP"], [person("sixth"), "TUTOR-CAP"]]) {
    assert.deepEqual(pool.pay(IDS[7], who, TOMAS, 1n), err(name), "a cap below what was paid");
  }
  assert.deepEqual(pool.change({ learnerCap: INT_MAX, tutorCap: INT_MAX }), OK);
  assert.deepEqual(pool.pay(IDS[8], AMINA, TOMAS, INT_MAX - 100n), err("TUTOR-CAP"));
  check();
});

test("six weeks offline settle at once, each within the caps of its own week", () => {
  const first = weekAfter(mesh.now);
  const long = openPool(mesh, { salt: idOf("long"), tutors: [TOMAS], until: first + 7n * WEEK });
  mesh.advance(first + 7n * WEEK - mesh.now);
  for (let week = 0n; week < 6n; week++) {
    const [start, end] = [first + week * WEEK, first + (week + 1n) * WEEK - 1n];
    assert.deepEqual(long.pay(IDS[2n * week], AMINA, TOMAS, 100n, { start }), OK, `week ${week}`);
    assert.deepEqual(long.pay(IDS[2n * week + 1n], AMINA, TOMAS, 1n, { start: end }), err("LEARNER-CAP"));
  }
  assert.deepEqual([earned(), left(long.id)], [600n, 400n]);
  check([long.id]);
});

test("a pool pays in its own asset, and no more than it has", () => {
  const hours = openPool(mesh, { salt: idOf("hours"), asset: mesh.hours, amount: 50n, tutors: [TOMAS] });
  assert.deepEqual(hours.pay(IDS[0], AMINA, TOMAS, 10n, { asset: STX }), err("OTHER-POOL"));
  assert.deepEqual(hours.pay(IDS[0], AMINA, TOMAS, 51n), errorsOf("payment-escrow")("FUNDS"));
  assert.deepEqual(hours.pay(IDS[0], AMINA, TOMAS, 50n), OK);
  assert.equal(mesh.balance(TOMAS.address, mesh.hours).free, 50n);
  assert.deepEqual(hours.fund(AMINA, 5n), OK, "an empty pool can be filled");
  check([hours.id]);
});

test("a pool pays while deposits are paused and its asset is closed", () => {
  mesh.call("access", "pause-deposits");
  mesh.call("access", "set-asset", [null, Cl.stringAscii(""), false]);
  assert.deepEqual(pool.pay(IDS[0], AMINA, TOMAS, 60n), OK);
  assert.deepEqual(mesh.call("payment-escrow", "withdraw", [60n, null], TOMAS.address), OK);
});

test("a pool ends when its last lessons could be claimed, by anybody, and the rest is the sponsor's", () => {
  const due = pool.until + 2n * BigInt(GRACE_SECONDS) + 14n * DAY;
  pool.pay(IDS[0], AMINA, TOMAS, 60n);
  assert.deepEqual(pool.close(), err("RUNNING"));
  mesh.waitUntil(due - 600n);
  assert.deepEqual(pool.close(), err("RUNNING"));
  assert.deepEqual(pool.pay(IDS[1], AMINA, TOMAS, 40n), OK, "what was held within the term is paid until the end");
  mesh.waitUntil(due);
  assert.deepEqual(pool.close(STRANGER), err("RUNNING"));
  assert.deepEqual(pool.close(person("unregistered")), OK);
  assert.deepEqual(mesh.balance(SPONSOR.address), { free: 9900n, locked: 0n });
  for (const late of [pool.close(), pool.change(), pool.admit(BEN), pool.fund(AMINA, 1n),
    pool.pay(IDS[2], BEN, TOMAS, 1n)]) assert.deepEqual(late, err("POOL-CLOSED"));
  assert.deepEqual(mesh.read("sponsor-pool", "get-counts"), { opened: 1n, closed: 1n, payments: 2n });
  check();
});

test("each change of a pool is told", () => {
  const told = (method, args, by = SPONSOR.address) => eventsOf(mesh.run("sponsor-pool", method, args, by));
  const { id, from, until } = pool;
  assert.deepEqual(told("pool-open", [IDS[0], STX, 1n, 1n, 1n, 0n, 0n]), ["locked", "pool-opened"]);
  assert.deepEqual(told("pool-change", [id, 5n, 5n, until]), ["pool-changed"]);
  assert.deepEqual(told("pool-tutor-set", [id, BEN.address, true]), ["pool-tutor-set"]);
  for (const by of [SPONSOR.address, AMINA.address]) {
    assert.deepEqual(told("pool-fund", [id, SPONSOR.address, STX, 1n], by), ["added", "pool-funded"]);
  }
  assert.deepEqual(told("pay", [id, IDS[1], AMINA.address, TOMAS.address, STX, 5n, from], PROTOCOL),
    ["drawn", "released", "pool-paid"]);
  mesh.advance(until - mesh.now + 2n * BigInt(GRACE_SECONDS) + 14n * DAY + 600n);
  assert.deepEqual(told("pool-close", [id]), ["refunded", "pool-closed"]);
});
