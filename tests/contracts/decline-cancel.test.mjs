// Lessons that don't take place: who may say so when, and where the money goes. Mutants that this is known to kill: a
// cancellation that asks nobody's side; notice that is added to the start rather than to the time now.
import assert from "node:assert/strict";
import { test } from "node:test";
import { STX } from "./lib/mesh.mjs";
import { checkMoney, errorsOf, lockOf } from "./lib/money.mjs";
import {
  bootLessons, CANCELLED, DECLINED, FORMS, OK, setNotice, STRANGER,
} from "./lib/lessons.mjs";
import { AMINA, TOMAS } from "./lib/village.mjs";

const refused = errorsOf("session-manager");
const DAY = 86_400n;
/** The VM's blocks come every ten seconds, and empty ones more slowly: an hour is far from a border. */
const HOUR = 3600n;
const REFUNDED = 2n;
const check = ({ mesh, ids }) =>
  checkMoney(mesh, { persons: [AMINA, TOMAS, STRANGER], assets: [STX, mesh.hours], locks: ids });

for (const form of FORMS) {
  test(`the tutor declines a lesson that is booked or confirmed, and the price returns, ${form}`, async () => {
    const lessons = await bootLessons(form);
    for (const words of [[], ["confirmed"], ["confirmed", "tutor"], ["confirmed", "student"]]) {
      const lesson = lessons.booked({}, ...words);
      assert.deepEqual(lessons.decline(lesson), OK);
      assert.deepEqual([lessons.state(lesson), lockOf(lessons.mesh, lesson.id).state], [DECLINED, REFUNDED]);
      assert.deepEqual(lessons.mesh.balance(AMINA.address), { free: 1000n, locked: 0n });
      assert.deepEqual(lessons.decline(lesson), refused("OVER"));
    }
    assert.equal(lessons.counts().cancelled, 4n);
    check(lessons);
  });

  test(`nobody declines for the tutor, or what both attended, ${form}`, async () => {
    const lessons = await bootLessons(form);
    const lesson = lessons.booked({}, "confirmed");
    for (const by of [AMINA, STRANGER]) assert.deepEqual(lessons.decline(lesson, by), refused("NOT-PARTY"));
    assert.deepEqual(lessons.decline(lesson, TOMAS, STRANGER.address), refused("TERMS"));
    const held = lessons.booked({}, "confirmed", "tutor", "student");
    assert.deepEqual(lessons.decline(held, TOMAS, AMINA.address), refused("ATTENDED"));
    assert.deepEqual(lessons.decline(lesson, TOMAS, AMINA.address), OK);
    assert.deepEqual(lessons.decline({ id: "ab".repeat(32), tutor: TOMAS }), refused("LESSON-UNKNOWN"));
    check(lessons);
  });

  test(`either side cancels with notice, and all of the price returns, ${form}`, async () => {
    const lessons = await bootLessons(form);
    setNotice(lessons, DAY, 5000n);
    for (const [by, ...words] of [[AMINA], [TOMAS], [AMINA, "confirmed"], [TOMAS, "confirmed"],
      [AMINA, "confirmed", "tutor"], [TOMAS, "confirmed", "student"]]) {
      const lesson = lessons.booked({}, ...words);
      assert.deepEqual(lessons.cancel(lesson, by), OK, `${by.name} ${words}`);
      assert.equal(lessons.state(lesson), CANCELLED);
      assert.deepEqual(lessons.free(AMINA, TOMAS), [1000n, 0n]);
    }
    assert.equal(lessons.counts().cancelled, 6n);
    check(lessons);
  });

  test(`a stranger cancels nothing, and a side only the lesson with the other side, ${form}`, async () => {
    const lessons = await bootLessons(form);
    const lesson = lessons.booked({}, "confirmed");
    assert.deepEqual(lessons.cancel(lesson, STRANGER), refused("NOT-PARTY"));
    assert.deepEqual(lessons.cancel(lesson, AMINA, AMINA.address), refused("TERMS"));
    assert.deepEqual(lessons.cancel(lesson, TOMAS, STRANGER.address), refused("TERMS"));
    assert.deepEqual(lessons.cancel({ id: "ab".repeat(32) }, AMINA), refused("LESSON-UNKNOWN"));
    assert.deepEqual(lessons.cancel(lesson, AMINA, TOMAS.address), OK);
    assert.deepEqual(lessons.cancel(lesson, TOMAS), refused("OVER"));
  });

  test(`a student's late cancellation costs what the mesh says, and a tutor's never anything, ${form}`, async () => {
    const lessons = await bootLessons(form);
    const soon = () => lessons.mesh.now + DAY - HOUR;
    const late = (amount, by) => {
      const lesson = lessons.booked({ amount, start: soon() }, "confirmed");
      assert.deepEqual(lessons.cancel(lesson, by), OK);
      assert.equal(lessons.state(lesson), CANCELLED);
      check(lessons);
      return lessons.free(AMINA, TOMAS);
    };
    assert.deepEqual(late(300n, AMINA), [1000n, 0n], "nothing at first: a village's word comes late");
    setNotice(lessons, DAY, 2500n);
    assert.deepEqual(late(300n, TOMAS), [1000n, 0n]);
    assert.deepEqual(late(300n, AMINA), [925n, 75n]);
    assert.deepEqual(late(3n, AMINA), [925n, 75n], "a part is rounded down");
    setNotice(lessons, DAY, 5000n);
    assert.deepEqual(late(50n, AMINA), [900n, 100n]);
  });

  test(`a cancellation is late from the second on at which less than the notice is left, ${form}`, async () => {
    const lessons = await bootLessons(form);
    setNotice(lessons, DAY, 5000n);
    const left = (seconds) => {
      const lesson = lessons.booked({ amount: 20n, start: lessons.mesh.now + 20n + DAY + seconds }, "confirmed");
      assert.deepEqual(lessons.cancel(lesson, AMINA), OK);
      return lessons.free(TOMAS)[0];
    };
    assert.equal(left(0n), 0n);
    assert.equal(left(-1n), 10n);
  });

  test(`what a late cancellation costs is what it cost when the lesson was booked, ${form}`, async () => {
    const lessons = await bootLessons(form);
    const book = () => lessons.booked({ amount: 100n, start: lessons.mesh.now + 2n * DAY }, "confirmed");
    const before = book();
    setNotice(lessons, 30n * DAY, 5000n);
    const after = book();
    setNotice(lessons, 0n, 0n);
    assert.deepEqual([before, after].map((lesson) => lessons.get(lesson).notice),
      [{ seconds: DAY, "late-bps": 0n }, { seconds: 30n * DAY, "late-bps": 5000n }]);
    for (const [lesson, earned] of [[before, 0n], [after, 50n]]) {
      assert.deepEqual(lessons.cancel(lesson, AMINA), OK);
      assert.deepEqual(lessons.free(TOMAS), [earned]);
    }
    check(lessons);
  });

  test(`nobody pays for cancelling a lesson that the tutor hadn't confirmed, ${form}`, async () => {
    const lessons = await bootLessons(form);
    setNotice(lessons, DAY, 5000n);
    for (const start of [0n, lessons.mesh.now]) {
      assert.deepEqual(lessons.cancel(lessons.booked({ start }), AMINA), OK);
      assert.deepEqual(lessons.free(AMINA, TOMAS), [1000n, 0n]);
    }
  });

  test(`a student can't take back what was said to have taken place, while the tutor can, ${form}`, async () => {
    const lessons = await bootLessons(form);
    const soon = lessons.mesh.now + HOUR;
    const said = [
      lessons.booked({ amount: 100n }, "confirmed", "student"),
      lessons.booked({ amount: 100n, start: soon }, "confirmed", "student"),
      lessons.booked({ amount: 100n, start: soon }, "confirmed", "tutor"),
      lessons.booked({ amount: 100n }, "confirmed", "tutor", "student"),
    ];
    for (const lesson of said) assert.deepEqual(lessons.cancel(lesson, AMINA), refused("ATTENDED"));
    assert.deepEqual(lessons.mesh.balance(AMINA.address), { free: 600n, locked: 400n });
    for (const lesson of said) assert.deepEqual(lessons.cancel(lesson, TOMAS), OK);
    assert.deepEqual(lessons.mesh.balance(AMINA.address), { free: 1000n, locked: 0n });
    check(lessons);
  });

  test(`of a cancellation and a completion the first counts, whichever it is, ${form}`, async () => {
    const lessons = await bootLessons(form);
    const given = lessons.booked({}, "confirmed", "tutor", "student");
    assert.deepEqual([lessons.cancel(given, TOMAS), lessons.complete(given)], [OK, refused("OVER")]);
    assert.deepEqual(lessons.free(AMINA, TOMAS), [1000n, 0n]);
    const paid = lessons.booked({}, "confirmed", "tutor", "student");
    assert.deepEqual([lessons.complete(paid), lessons.cancel(paid, TOMAS), lessons.decline(paid)],
      [OK, refused("OVER"), refused("OVER")]);
    assert.deepEqual(lessons.free(AMINA, TOMAS), [700n, 300n]);
    check(lessons);
  });

  test(`after a lesson was called off nobody confirms, attends, moves, funds or completes it, ${form}`, async () => {
    const lessons = await bootLessons(form);
    for (const end of [(lesson) => lessons.decline(lesson), (lesson) => lessons.cancel(lesson, AMINA)]) {
      for (const bits of [60n, 4096n + 60n]) {
        const lesson = lessons.booked({ bits }, "confirmed");
        const { changed, ...before } = lessons.get(lesson);
        assert.deepEqual(end(lesson), OK);
        assert.deepEqual(lessons.confirm(lesson), refused("NOT-BOOKED"));
        for (const outcome of [lessons.attend(lesson, AMINA).outcome, lessons.attend(lesson, TOMAS).outcome,
          lessons.move(lesson, AMINA, lesson.id, lesson.start).outcome, lessons.fund(lesson, STRANGER),
          lessons.complete(lesson), lessons.dispute(lesson)]) assert.deepEqual(outcome, refused("OVER"));
        assert.equal(lessons.get(lesson).attended, before.attended);
      }
    }
    assert.deepEqual(lessons.free(AMINA, TOMAS), [1000n, 0n]);
  });
}
