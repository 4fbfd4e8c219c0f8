// Where the price of a lesson comes from: its student's lock, an earmark, a pool, or anybody's gift. Mutants that this
// is known to kill: funding that doesn't ask whether a lock is there; an earmark drawn without the scope for money.
import assert from "node:assert/strict";
import { test } from "node:test";
import { directId, person } from "./lib/action.mjs";
import { STX } from "./lib/mesh.mjs";
import { checkMoney, errorsOf, idOf, INT_MAX, lockOf, NO_AMOUNTS, openPool, SPONSOR } from "./lib/money.mjs";
import {
  bootLessons, COMPLETED, CONFIRMED, EARMARK_BIT, FORMS, OK, POOL_BIT, setNotice, STRANGER,
} from "./lib/lessons.mjs";
import { maybe, ZEROS } from "./lib/values.mjs";
import { AMINA, LOCKS, register, TOMAS } from "./lib/village.mjs";

const refused = errorsOf("session-manager");
const DAY = 86_400n;
const HELD = ["confirmed", "tutor", "student"];
const PROMISED = { bits: 60n };
const [SECOND, LEARNER] = ["second tutor", "second learner"].map(person);
const escrow = errorsOf("payment-escrow");
const pools = errorsOf("sponsor-pool");

/** A village where the stranger and Amina have 1,000 in the vault, and Amina set 500 aside for Tomas. */
async function boot(form) {
  const lessons = await bootLessons(form);
  const { mesh } = lessons;
  mesh.submit([register(mesh, SECOND), register(mesh, LEARNER)]);
  mesh.call("payment-escrow", "deposit-for", [STRANGER.address, 1000n]);
  const terms = [idOf("earmark"), TOMAS.address, null, 500n, mesh.now + 300n * DAY];
  assert.deepEqual(mesh.call("payment-escrow", "earmark", terms, AMINA.address), OK);
  lessons.earmark = directId(AMINA.address, "escrow-lock", terms[0]);
  lessons.drawn = (more) => ({ bits: EARMARK_BIT + 60n, offer: lessons.earmark, ...more });
  return lessons;
}

const left = ({ mesh }, id) => lockOf(mesh, id).amount;
const check = ({ mesh, ids, earmark }, more = []) => checkMoney(mesh,
  { persons: [AMINA, TOMAS, STRANGER, SPONSOR, SECOND, LEARNER], assets: [STX, mesh.hours],
    locks: [...ids, earmark, ...more] });

for (const form of FORMS) {
  test(`anybody funds a promised lesson once, exactly, and has it back when it isn't earned, ${form}`, async () => {
    const lessons = await boot(form);
    for (const [words, who] of [[[], null], [["confirmed"], TOMAS.address], [HELD, null]]) {
      const lesson = lessons.booked(PROMISED, ...words);
      const before = lessons.get(lesson)["changed-at"];
      assert.deepEqual(lessons.fund(lesson, STRANGER, { who }), OK);
      assert.ok(lessons.get(lesson)["changed-at"] > before, "who pays has the grace period, too");
      assert.deepEqual([lessons.get(lesson).funding, lockOf(lessons.mesh, lesson.id).payer], [1n, STRANGER.address]);
      for (const by of [STRANGER, AMINA]) assert.deepEqual(lessons.fund(lesson, by), refused("FUNDED"));
      assert.deepEqual(words === HELD ? lessons.complete(lesson) : lessons.cancel(lesson, TOMAS), OK);
      assert.deepEqual(lessons.fund(lesson, STRANGER), refused("OVER"));
    }
    assert.deepEqual(lessons.free(STRANGER, AMINA, TOMAS), [700n, 500n, 300n]);
    check(lessons);
  });

  test(`neither the tutor funds a lesson, nor anybody with another sum, asset or tutor, ${form}`, async () => {
    const lessons = await boot(form);
    const lesson = lessons.booked(PROMISED, "confirmed");
    assert.deepEqual(lessons.fund(lesson, TOMAS), refused("NOT-PARTY"));
    for (const amount of [...NO_AMOUNTS, 299n, 301n, INT_MAX]) {
      assert.deepEqual(lessons.fund(lesson, STRANGER, { amount }), refused("TERMS"));
    }
    assert.deepEqual(lessons.fund(lesson, STRANGER, { asset: lessons.mesh.hours }), refused("TERMS"));
    if (lessons.signed) assert.deepEqual(lessons.fund(lesson, STRANGER, { who: SECOND.address }), refused("TERMS"));
    assert.deepEqual(lessons.fund({ ...lesson, id: idOf("never") }, STRANGER), refused("LESSON-UNKNOWN"));
    assert.deepEqual(lessons.fund(lessons.booked({ ...PROMISED, amount: 0n }), STRANGER), escrow("AMOUNT"));
    assert.deepEqual(lessons.fund(lessons.booked({ ...PROMISED, amount: 1001n }), STRANGER), escrow("FUNDS"));
    assert.deepEqual(lessons.fund(lessons.booked({ amount: 100n }), STRANGER), refused("FUNDED"));
    assert.deepEqual(lessons.fund(lesson, person("nobody")), errorsOf("user-registry")("KEY-UNKNOWN"));
    assert.equal(lessons.get(lesson).funding, 0n);
    check(lessons);
  });

  test(`a late cancellation of a funded lesson costs whoever funded it, ${form}`, async () => {
    const lessons = await boot(form);
    setNotice(lessons, DAY, 5000n);
    const lesson = lessons.booked({ ...PROMISED, start: 0n }, "confirmed");
    assert.deepEqual([lessons.fund(lesson, STRANGER), lessons.cancel(lesson, AMINA)], [OK, OK]);
    assert.deepEqual(lessons.free(STRANGER, AMINA, TOMAS), [850n, 500n, 150n]);
    check(lessons);
  });

  test(`an earmark pays its tutor's lesson, and takes back what isn't earned, ${form}`, async () => {
    const lessons = await boot(form);
    const [held, off] = [lessons.booked(lessons.drawn(), ...HELD), lessons.booked(lessons.drawn({ amount: 200n }))];
    assert.deepEqual(lessons.mesh.balance(AMINA.address), { free: 500n, locked: 500n });
    assert.equal(left(lessons, lessons.earmark), 0n);
    assert.deepEqual([lessons.complete(held), lessons.decline(off)], [OK, OK]);
    assert.deepEqual(lessons.free(TOMAS), [300n]);
    assert.equal(left(lessons, lessons.earmark), 200n);
    assert.deepEqual(lessons.mesh.balance(AMINA.address), { free: 500n, locked: 200n });
    check(lessons);
  });

  test(`nobody draws on another's earmark, for another tutor, in another asset or beyond it, ${form}`, async () => {
    const lessons = await boot(form);
    const draw = (terms) => lessons.book(lessons.drawn(terms)).outcome;
    assert.deepEqual(draw({ student: STRANGER }), escrow("EARMARK"));
    assert.deepEqual(draw({ tutor: SECOND }), escrow("EARMARK"));
    assert.deepEqual(draw({ asset: lessons.mesh.hours }), escrow("EARMARK"));
    assert.deepEqual(draw({ offer: idOf("never") }), escrow("EARMARK-UNKNOWN"));
    assert.deepEqual(draw({ amount: 501n }), escrow("FUNDS"));
    assert.deepEqual(draw({ amount: 0n }), escrow("AMOUNT"));
    for (const amount of [INT_MAX + 1n, 2n ** 128n - 1n]) assert.deepEqual(draw({ amount }), refused("RANGE"));
    assert.deepEqual(draw({ offer: lessons.booked({ amount: 100n }).id }), escrow("EARMARK-UNKNOWN"));
    assert.equal(left(lessons, lessons.earmark), 500n);
    assert.deepEqual(draw({ amount: 500n }), OK);
    check(lessons);
  });

  test(`a pool pays a completed lesson within its rules, and a booking locks nothing, ${form}`, async () => {
    const lessons = await boot(form);
    const { mesh } = lessons;
    const pool = openPool(mesh, { tutors: [TOMAS], learnerCap: 300n, tutorCap: 500n });
    const pooled = (more) => ({ bits: POOL_BIT + 60n, offer: pool.id, start: mesh.now, ...more });
    const first = lessons.booked(pooled(), ...HELD);
    assert.deepEqual(mesh.balance(SPONSOR.address), { free: 9000n, locked: 1000n });
    const others = [pooled(), pooled({ student: LEARNER }), pooled({ tutor: SECOND, student: LEARNER, amount: 1n }),
      pooled({ student: SPONSOR, amount: 1n })].map((terms) => lessons.booked(terms, ...HELD));
    assert.deepEqual([first, ...others].map((lesson) => lessons.complete(lesson)),
      [OK, ...["LEARNER-CAP", "TUTOR-CAP", "NOT-ADMITTED", "SAME-PERSON"].map(pools)]);
    assert.deepEqual([first, ...others].map((lesson) => lessons.state(lesson)),
      [COMPLETED, ...Array(4).fill(CONFIRMED)]);
    assert.deepEqual(lessons.free(AMINA, TOMAS), [500n, 300n]);
    assert.equal(left(lessons, pool.id), 700n);
    check(lessons, [pool.id]);
    assert.deepEqual(lessons.fund(others[0], STRANGER), OK, "what the pool refuses, somebody else may pay");
    assert.deepEqual(lessons.complete(others[0]), OK);
    assert.deepEqual([lessons.free(TOMAS, STRANGER), left(lessons, pool.id)], [[600n, 700n], 700n]);
    check(lessons, [pool.id]);
  });

  test(`a booking names a pool that exists and holds its asset, and a price, ${form}`, async () => {
    const lessons = await boot(form);
    const pool = openPool(lessons.mesh, { tutors: [TOMAS] });
    const book = (terms) => lessons.book({ bits: POOL_BIT + 60n, offer: pool.id, ...terms }).outcome;
    for (const offer of [ZEROS, idOf("never"), lessons.earmark]) assert.deepEqual(book({ offer }), refused("POOL"));
    assert.deepEqual(book({ asset: lessons.mesh.hours }), refused("POOL"));
    assert.deepEqual(book({ amount: 0n }), refused("BITS"));
    assert.deepEqual(book({}), OK);
  });

  test(`two ways to pay at once are refused, whatever is offered, ${form}`, async () => {
    const lessons = await boot(form);
    const pool = openPool(lessons.mesh, { tutors: [TOMAS] });
    for (const offer of [lessons.earmark, pool.id]) {
      for (const bits of [LOCKS + EARMARK_BIT, LOCKS + POOL_BIT, EARMARK_BIT + POOL_BIT,
        LOCKS + EARMARK_BIT + POOL_BIT]) {
        assert.deepEqual(lessons.book({ bits: bits + 60n, offer, amount: 100n }).outcome, refused("BITS"));
      }
    }
    check(lessons, [pool.id]);
  });

  test(`a called off lesson of a pool costs the pool nothing, ${form}`, async () => {
    const lessons = await boot(form);
    setNotice(lessons, DAY, 5000n);
    const pool = openPool(lessons.mesh, { tutors: [TOMAS] });
    const book = () => lessons.booked({ bits: POOL_BIT + 60n, offer: pool.id, start: 0n }, "confirmed");
    assert.deepEqual([lessons.cancel(book(), AMINA), lessons.decline(book())], [OK, OK]);
    assert.equal(left(lessons, pool.id), 1000n);
    assert.deepEqual(lessons.free(TOMAS), [0n]);
    assert.deepEqual(lessons.dispute(book()), refused("NOT-FUNDED"));
  });
}
