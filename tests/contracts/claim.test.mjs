// Everybody may disappear: time ends every lesson, and its money is somewhere. Mutants that this is known to kill: a
// claim that asks the start alone, or the last change alone; a claim that pays when one side attended; a dispute when a
// claim is due.
import assert from "node:assert/strict";
import { test } from "node:test";
import { STX } from "./lib/mesh.mjs";
import { checkMoney, errorsOf, idOf, lockOf, openPool, SPONSOR } from "./lib/money.mjs";
import {
  bootLessons, COMPLETED, CONFIRMED, DISPUTED, EARMARK_BIT, FORMS, GRACE, LAPSED, OK, POOL_BIT, SETTLED,
  setNotice, STRANGER,
} from "./lib/lessons.mjs";
import { directId } from "./lib/action.mjs";
import { AMINA, TOMAS } from "./lib/village.mjs";

const refused = errorsOf("session-manager");
const DAY = 86_400n;
const HOUR = 3600n;
const PRICE = 30n;
const HELD = ["confirmed", "tutor", "student"];
const check = ({ mesh, ids }, more = []) => checkMoney(mesh,
  { persons: [AMINA, TOMAS, STRANGER, SPONSOR], assets: [STX, mesh.hours], locks: [...ids, ...more] });

for (const form of FORMS) {
  test(`a claim waits for the grace period after the start and after the last change, ${form}`, async () => {
    const lessons = await bootLessons(form);
    const { mesh } = lessons;
    const ahead = lessons.booked({ start: mesh.now + 10n * DAY, amount: PRICE }, ...HELD);
    const behind = lessons.booked({ start: 0n, amount: PRICE }, ...HELD);
    const changed = lessons.get(behind)["changed-at"];
    const early = (lesson) => assert.deepEqual(lessons.claim(lesson), refused("TOO-EARLY"));
    early(ahead);
    early(behind);
    mesh.waitUntil(changed + GRACE);
    early(behind);
    assert.deepEqual(lessons.claim(behind), OK);
    mesh.waitUntil(ahead.start + GRACE);
    early(ahead);
    assert.deepEqual(lessons.claim(ahead), OK);
    assert.deepEqual(lessons.free(TOMAS), [2n * PRICE]);
    check(lessons);
  });

  test(`the tutor is paid once for what both attended, whoever claims, ${form}`, async () => {
    const lessons = await bootLessons(form);
    const { mesh } = lessons;
    for (const by of [STRANGER, TOMAS, AMINA]) {
      const lesson = lessons.booked({ amount: PRICE, start: 0n }, ...HELD);
      mesh.advance(GRACE + HOUR);
      assert.deepEqual(lessons.claim(lesson, by), OK);
      assert.equal(lessons.state(lesson), COMPLETED);
      for (const outcome of [lessons.claim(lesson, by), lessons.complete(lesson), lessons.cancel(lesson, TOMAS)]) {
        assert.deepEqual(outcome, refused("OVER"));
      }
    }
    assert.deepEqual(lessons.counts(), { booked: 3n, lessons: 3n, minutes: 180n, cancelled: 0n, lapsed: 0n });
    assert.deepEqual(lessons.free(AMINA, TOMAS), [910n, 90n]);
    check(lessons);
  });

  test(`without both attendances all of the price returns, whatever one side says, ${form}`, async () => {
    const lessons = await bootLessons(form);
    setNotice(lessons, DAY, 5000n);
    const cases = [[], ["confirmed"], ["confirmed", "student"], ["confirmed", "tutor"]];
    const booked = cases.map((words) => lessons.booked({ amount: PRICE }, ...words));
    lessons.mesh.advance(10n * DAY + GRACE + HOUR);
    for (const [i, words] of cases.entries()) {
      assert.deepEqual(lessons.claim(booked[i]), OK);
      assert.equal(lessons.state(booked[i]), LAPSED);
      assert.deepEqual(lessons.free(TOMAS), [0n], `${words}`);
    }
    assert.equal(lessons.counts().lapsed, 4n);
    assert.deepEqual(lessons.mesh.balance(AMINA.address), { free: 1000n, locked: 0n });
    for (const lesson of booked) {
      assert.deepEqual(lessons.attend(lesson, AMINA).outcome, refused("OVER"));
      assert.deepEqual(lessons.confirm(lesson), refused("NOT-BOOKED"));
    }
    check(lessons);
  });

  test(`a claim spends nobody's free money, and waits for the price to be locked, ${form}`, async () => {
    const lessons = await bootLessons(form);
    const lesson = lessons.booked({ bits: 60n }, ...HELD);
    const free = lessons.booked({ bits: 60n, amount: 0n }, ...HELD);
    lessons.mesh.advance(10n * DAY + GRACE + HOUR);
    assert.deepEqual(lessons.claim(lesson, TOMAS), refused("NOT-FUNDED"));
    assert.equal(lessons.state(lesson), CONFIRMED);
    assert.deepEqual(lessons.claim(free), OK);
    assert.equal(lessons.state(free), COMPLETED);
    assert.deepEqual(lessons.complete(lesson), OK);
    assert.deepEqual(lessons.free(AMINA, TOMAS), [700n, 300n]);
    check(lessons);
  });

  test(`nobody claims what was never booked, or what is in dispute, ${form}`, async () => {
    const lessons = await bootLessons(form);
    assert.deepEqual(lessons.claim({ id: idOf("never") }), refused("LESSON-UNKNOWN"));
    const lesson = lessons.booked({ start: 0n }, ...HELD);
    assert.deepEqual(lessons.dispute(lesson), OK);
    lessons.mesh.advance(GRACE + HOUR);
    assert.deepEqual(lessons.claim(lesson), refused("DISPUTED"));
    check(lessons);
  });
}

test("a dispute takes hold of a confirmed lesson with a locked price, and of nothing else", async () => {
  const lessons = await bootLessons();
  assert.deepEqual(lessons.dispute({ id: idOf("never") }), refused("LESSON-UNKNOWN"));
  assert.deepEqual(lessons.dispute(lessons.booked({ amount: PRICE })), refused("NOT-CONFIRMED"));
  assert.deepEqual(lessons.dispute(lessons.booked({ bits: 60n }, "confirmed")), refused("NOT-FUNDED"));
  assert.deepEqual(lessons.dispute(lessons.booked({ bits: 60n, amount: 0n }, "confirmed")), refused("NOT-FUNDED"));
  for (const words of [["confirmed"], HELD]) {
    const lesson = lessons.booked({ amount: PRICE }, ...words);
    assert.deepEqual(lessons.dispute(lesson, "dispute-end"), refused("OVER"));
    assert.deepEqual(lessons.dispute(lesson), OK);
    assert.equal(lessons.state(lesson), DISPUTED);
    const blocked = [lessons.dispute(lesson), lessons.complete(lesson), lessons.cancel(lesson, AMINA),
      lessons.cancel(lesson, TOMAS), lessons.decline(lesson), lessons.fund(lesson, STRANGER)];
    assert.deepEqual(blocked, Array(6).fill(refused("DISPUTED")));
    assert.deepEqual(lessons.confirm(lesson), refused("NOT-BOOKED"));
    assert.equal(lockOf(lessons.mesh, lesson.id).state, 0n);
    assert.deepEqual(lessons.dispute(lesson, "dispute-end"), OK);
    assert.equal(lessons.state(lesson), SETTLED);
    for (const outcome of [lessons.dispute(lesson), lessons.dispute(lesson, "dispute-end"), lessons.complete(lesson),
      lessons.cancel(lesson, TOMAS), lessons.claim(lesson)]) assert.deepEqual(outcome, refused("OVER"));
  }
  assert.equal(lessons.counts().lessons, 0n);
});

test("a dispute comes before its lesson may be claimed, and not after", async () => {
  const lessons = await bootLessons();
  const { mesh } = lessons;
  const ahead = lessons.booked({ start: mesh.now + 10n * DAY, amount: PRICE }, ...HELD);
  const [behind, late, news] = [["tutor", "student"], ["student"], ["student"]].map((words) =>
    lessons.booked({ start: 0n, amount: PRICE }, "confirmed", ...words));
  mesh.waitUntil(lessons.get(behind)["changed-at"] + GRACE);
  assert.deepEqual(lessons.dispute(behind), OK);
  mesh.waitUntil(ahead.start + GRACE);
  assert.deepEqual(lessons.dispute(late), refused("TOO-LATE"));
  assert.deepEqual(lessons.attend(news, TOMAS).outcome, OK);
  assert.deepEqual(lessons.dispute(news), OK, "after something new the two have their time again");
  assert.deepEqual(lessons.dispute(ahead), refused("TOO-LATE"));
  for (const lesson of [ahead, late]) assert.deepEqual(lessons.claim(lesson), OK);
  assert.deepEqual(lessons.dispute(ahead), refused("OVER"));
  check(lessons);
});

test("attendance still counts during a dispute, so that opening one keeps nobody's word out", async () => {
  const lessons = await bootLessons();
  const lesson = lessons.booked({}, "confirmed", "student");
  lessons.dispute(lesson);
  assert.deepEqual(lessons.attend(lesson, AMINA).outcome, refused("ATTENDED"));
  assert.deepEqual(lessons.attend(lesson, TOMAS).outcome, OK);
  const { attended, state } = lessons.get(lesson);
  assert.deepEqual([attended, state], [3n, DISPUTED]);
  lessons.dispute(lesson, "dispute-end");
  assert.deepEqual(lessons.attend(lesson, AMINA).outcome, refused("OVER"));
});

/** Every way to pay: terms of the booking, what follows it, and whether the money was ever the lesson's. */
function waysToPay(lessons) {
  const { mesh } = lessons;
  const until = mesh.now + 300n * DAY;
  const pool = openPool(mesh, { tutors: [TOMAS], until, learnerCap: 1000n, tutorCap: 1000n });
  const earmark = [idOf("earmark"), TOMAS.address, null, 200n, until];
  assert.deepEqual(mesh.call("payment-escrow", "earmark", earmark, AMINA.address), OK);
  mesh.call("payment-escrow", "deposit-for", [STRANGER.address, 1000n]);
  const ways = {
    "for nothing": { bits: 60n, amount: 0n },
    unpaid: { bits: 60n },
    locked: {},
    earmarked: { bits: EARMARK_BIT + 60n, offer: directId(AMINA.address, "escrow-lock", earmark[0]) },
    pooled: { bits: POOL_BIT + 60n, offer: pool.id },
    given: { bits: 60n },
  };
  return { ways, locks: [pool.id, ways.earmarked.offer], pool };
}

test("whatever state a lesson was left in, time ends it, and nothing stays locked under its id", async () => {
  const lessons = await bootLessons();
  setNotice(lessons, DAY, 1000n);
  const { ways, locks, pool } = waysToPay(lessons);
  const left = [];
  for (const [way, terms] of Object.entries(ways)) {
    for (let steps = 0; steps <= HELD.length; steps++) {
      for (const words of steps === 2 ? [["confirmed", "tutor"], ["confirmed", "student"]] : [HELD.slice(0, steps)]) {
        const lesson = lessons.booked({ amount: PRICE, ...terms }, ...words);
        if (way === "given") assert.deepEqual(lessons.fund(lesson, STRANGER), OK);
        left.push({ way, words, lesson });
      }
    }
  }
  check(lessons, locks);
  lessons.mesh.advance(10n * DAY + GRACE + HOUR);
  for (const { way, words, lesson } of left) {
    const [held, what] = [words.length === 3, `${way}: ${words}`];
    assert.deepEqual(lessons.claim(lesson), way === "unpaid" && held ? refused("NOT-FUNDED") : OK, what);
    assert.equal(lessons.state(lesson), way === "unpaid" && held ? CONFIRMED : held ? COMPLETED : LAPSED, what);
    assert.notEqual(lockOf(lessons.mesh, lesson.id)?.state, 0n, what);
    check(lessons, locks);
  }
  assert.deepEqual(lessons.free(TOMAS), [4n * PRICE]);
  assert.deepEqual(lessons.free(STRANGER), [1000n - PRICE]);
  assert.equal(lockOf(lessons.mesh, pool.id).amount, 1000n - PRICE);
  assert.equal(lockOf(lessons.mesh, ways.earmarked.offer).amount, 200n - PRICE);
  assert.equal(lessons.counts().lapsed + lessons.counts().lessons, BigInt(left.length) - 1n);
  lessons.mesh.advance(300n * DAY + 2n * GRACE + 14n * DAY);
  for (const [contract, method, id] of [["sponsor-pool", "pool-close", pool.id],
    ["payment-escrow", "earmark-return", ways.earmarked.offer]]) {
    assert.deepEqual(lessons.mesh.call(contract, method, [id], STRANGER.address), OK);
  }
  for (const who of [AMINA, TOMAS, STRANGER, SPONSOR]) assert.equal(lessons.mesh.balance(who.address).locked, 0n);
  check(lessons, locks);
});
