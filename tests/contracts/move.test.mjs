// Another time for a lesson: one side proposes, the other agrees, and nothing said about the old time counts any more.
// Mutants that this is known to kill: an agreement that doesn't ask which version is current; one's own agreement;
// a replaced proposal that is still agreed to.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bootLessons, BOOKED, CONFIRMED, FORMS, OK, STRANGER } from "./lib/lessons.mjs";
import { errorsOf, idOf } from "./lib/money.mjs";
import { AMINA, TOMAS } from "./lib/village.mjs";

const refused = errorsOf("session-manager");
const DAY = 86_400n;
const INT_MAX = 2n ** 63n - 1n;
const at = (lessons, lesson) => {
  const { start, minutes, version, state } = lessons.get(lesson);
  return { start, minutes, version, state };
};

for (const form of FORMS) {
  test(`a lesson moves when the other side agrees, and a proposal alone changes nothing, ${form}`, async () => {
    const lessons = await bootLessons(form);
    for (const [by, other, ...words] of [[AMINA, TOMAS], [TOMAS, AMINA, "confirmed"]]) {
      const lesson = lessons.booked({}, ...words);
      const before = lessons.get(lesson);
      const later = lesson.start + DAY;
      const proposal = lessons.move(lesson, by, lesson.id, later, { minutes: 90n });
      assert.deepEqual(proposal.outcome, OK);
      assert.deepEqual(lessons.get(lesson), before);
      assert.deepEqual(lessons.mesh.read("session-manager", "get-move", [proposal.id]),
        { lesson: lesson.id, by: by.address, start: later, minutes: 90n, version: lesson.id });
      assert.deepEqual(lessons.move(lesson, other, proposal.id, later, { minutes: 90n, who: by.address }).outcome, OK);
      assert.deepEqual(at(lessons, lesson),
        { start: later, minutes: 90n, version: proposal.id, state: words.length ? CONFIRMED : BOOKED });
    }
  });

  test(`a move that names no minutes leaves them, ${form}`, async () => {
    const lessons = await bootLessons(form);
    const lesson = lessons.booked();
    const { id } = lessons.move(lesson, TOMAS, lesson.id, 0n);
    assert.deepEqual(lessons.move(lesson, AMINA, id, 0n, { minutes: 60n }).outcome, refused("VERSION"));
    assert.deepEqual(lessons.move(lesson, AMINA, id, 0n).outcome, OK);
    assert.deepEqual(at(lessons, lesson), { start: 0n, minutes: 60n, version: id, state: BOOKED });
  });

  test(`nobody agrees for the two of a lesson, ${form}`, async () => {
    const lessons = await bootLessons(form);
    const lesson = lessons.booked({}, "confirmed");
    const later = lesson.start + DAY;
    const move = (by, subject, fields) => lessons.move(lesson, by, subject, later, fields).outcome;
    assert.deepEqual(move(STRANGER, lesson.id), refused("NOT-PARTY"));
    const { id } = lessons.move(lesson, AMINA, lesson.id, later);
    assert.deepEqual(move(STRANGER, id), refused("NOT-PARTY"));
    assert.deepEqual(move(TOMAS, id, { who: STRANGER.address }), refused("TERMS"));
    assert.deepEqual(move(TOMAS, idOf("never")), refused("LESSON-UNKNOWN"));
    assert.equal(lessons.get(lesson).start, lesson.start);
    assert.deepEqual(move(TOMAS, id), OK);
  });

  test(`one's own proposal is replaced, not agreed to, and the old one never is, ${form}`, async () => {
    const lessons = await bootLessons(form);
    const lesson = lessons.booked({}, "confirmed");
    const move = (by, subject, days) => ({ start: lesson.start + days * DAY,
      ...lessons.move(lesson, by, subject, lesson.start + days * DAY) });
    const agree = ({ id, start }) => lessons.move(lesson, TOMAS, id, start).outcome;
    const first = move(AMINA, lesson.id, 1n);
    const same = move(AMINA, first.id, 1n);
    const last = move(AMINA, same.id, 3n);
    assert.deepEqual([first, same, last].map(({ outcome }) => outcome), [OK, OK, OK]);
    assert.equal(lessons.get(lesson).version, lesson.id);
    assert.deepEqual(move(AMINA, first.id, 4n).outcome, refused("VERSION"), "once replaced, it is replaced");
    assert.deepEqual([agree(first), agree(same), agree(last)], [refused("VERSION"), refused("VERSION"), OK]);
    assert.deepEqual(at(lessons, lesson), { start: last.start, minutes: 60n, version: last.id, state: CONFIRMED });
    const [onTop, theirs] = [move(AMINA, last.id, 5n), move(TOMAS, last.id, 6n)];
    assert.deepEqual([onTop.outcome, theirs.outcome], [OK, OK], "an agreed proposal isn't replaced, but built on");
    assert.deepEqual([agree(same), agree(first), agree(onTop)], [refused("VERSION"), refused("VERSION"), OK]);
    assert.equal(lessons.get(lesson).version, onTop.id);
  });

  test(`a replacement keeps to the bounds of a proposal, and its id is used once, ${form}`, async () => {
    const lessons = await bootLessons(form);
    const lesson = lessons.booked();
    const salt = idOf("the first salt");
    const { id } = lessons.move(lesson, AMINA, lesson.id, 0n, { salt });
    for (const [start, fields, name] of [[INT_MAX, {}, "START"], [0n, { minutes: 4096n }, "BITS"],
      [0n, { salt }, "ID-USED"], [0n, { who: STRANGER.address }, "TERMS"]]) {
      assert.deepEqual(lessons.move(lesson, AMINA, id, start, fields).outcome, refused(name));
    }
    assert.deepEqual(lessons.move(lesson, TOMAS, id, 0n).outcome, OK, "what was refused replaced nothing");
  });

  test(`an agreement repeats the proposal's start and minutes, ${form}`, async () => {
    const lessons = await bootLessons(form);
    const lesson = lessons.booked({}, "confirmed");
    const later = lesson.start + DAY;
    const { id } = lessons.move(lesson, TOMAS, lesson.id, later, { minutes: 45n });
    for (const [start, minutes] of [[later - 1n, 45n], [later, 44n], [later, 0n], [lesson.start, 60n]]) {
      assert.deepEqual(lessons.move(lesson, AMINA, id, start, { minutes }).outcome, refused("VERSION"));
    }
    assert.deepEqual(lessons.move(lesson, AMINA, id, later, { minutes: 45n }).outcome, OK);
  });

  test(`of two proposals one is agreed to, and the other can't be replayed, ${form}`, async () => {
    const lessons = await bootLessons(form);
    const lesson = lessons.booked({}, "confirmed");
    const [one, two] = [1n, 2n].map((days) => {
      const start = lesson.start + days * DAY;
      return { start, ...lessons.move(lesson, TOMAS, lesson.id, start) };
    });
    const agree = ({ id, start }) => lessons.move(lesson, AMINA, id, start).outcome;
    assert.deepEqual([agree(two), agree(one)], [OK, refused("VERSION")]);
    assert.equal(lessons.get(lesson).start, two.start);
    assert.deepEqual(lessons.move(lesson, TOMAS, lesson.id, one.start).outcome, refused("VERSION"));
    const back = { start: lesson.start, ...lessons.move(lesson, TOMAS, two.id, lesson.start) };
    assert.deepEqual([agree(back), agree(one), agree(two)], [OK, refused("VERSION"), refused("VERSION")]);
    assert.deepEqual(at(lessons, lesson),
      { start: lesson.start, minutes: 60n, version: back.id, state: CONFIRMED });
  });

  test(`a confirmation of the old time is stale after a move, one of the new time counts, ${form}`, async () => {
    const lessons = await bootLessons(form);
    const lesson = lessons.booked();
    const later = lesson.start + DAY;
    assert.deepEqual(lessons.confirm(lesson, { start: later }), refused("VERSION"));
    const { id } = lessons.move(lesson, TOMAS, lesson.id, later);
    assert.deepEqual(lessons.move(lesson, AMINA, id, later).outcome, OK);
    assert.deepEqual(lessons.confirm(lesson), refused("VERSION"));
    assert.deepEqual(lessons.confirm(lesson, { start: later }), OK);
    assert.equal(lessons.state(lesson), CONFIRMED);
  });

  test(`what anybody attended doesn't move, even when both agree, ${form}`, async () => {
    const lessons = await bootLessons(form);
    for (const word of ["tutor", "student"]) {
      const lesson = lessons.booked({ amount: 100n }, "confirmed");
      const { id } = lessons.move(lesson, TOMAS, lesson.id, 0n);
      assert.deepEqual(lessons.attend(lesson, word === "tutor" ? TOMAS : AMINA).outcome, OK);
      assert.deepEqual(lessons.move(lesson, AMINA, id, 0n).outcome, refused("ATTENDED"));
      assert.deepEqual(lessons.move(lesson, AMINA, lesson.id, 0n).outcome, refused("ATTENDED"));
    }
  });

  test(`a lesson that is disputed or over doesn't move, ${form}`, async () => {
    const lessons = await bootLessons(form);
    const lesson = lessons.booked({}, "confirmed");
    const { id } = lessons.move(lesson, TOMAS, lesson.id, 0n);
    assert.deepEqual(lessons.dispute(lesson), OK);
    assert.deepEqual(lessons.move(lesson, AMINA, id, 0n).outcome, refused("DISPUTED"));
    assert.deepEqual(lessons.dispute(lesson, "dispute-end"), OK);
    assert.deepEqual(lessons.move(lesson, AMINA, id, 0n).outcome, refused("OVER"));
    assert.deepEqual(lessons.move(lesson, TOMAS, lesson.id, 0n).outcome, refused("OVER"));
  });

  test(`no lesson moves farther than two years ahead, or to more minutes than a booking takes, ${form}`, async () => {
    const lessons = await bootLessons(form);
    const lesson = lessons.booked();
    const move = (start, minutes) => lessons.move(lesson, AMINA, lesson.id, start, { minutes }).outcome;
    for (const start of [lessons.mesh.now + 730n * DAY + 11n, INT_MAX, INT_MAX + 1n, 2n ** 128n - 1n]) {
      assert.deepEqual(move(start, 60n), refused("START"));
    }
    for (const minutes of [4096n, INT_MAX, 2n ** 128n - 1n]) {
      assert.deepEqual(move(lesson.start, minutes), refused("BITS"));
    }
    assert.deepEqual(move(lessons.mesh.now + 730n * DAY, 4095n), OK);
  });

  test(`a proposal's id is used once, so that it can't be turned to another time or lesson, ${form}`, async () => {
    const lessons = await bootLessons(form);
    const [one, two] = [lessons.booked({ amount: 100n }), lessons.booked({ amount: 100n })];
    const salt = idOf("the tutor's salt");
    const { id, outcome } = lessons.move(one, TOMAS, one.id, one.start + DAY, { salt });
    assert.deepEqual(outcome, OK);
    assert.deepEqual(lessons.move(one, TOMAS, one.id, one.start + 2n * DAY, { salt }).outcome, refused("ID-USED"));
    assert.deepEqual(lessons.move(two, TOMAS, two.id, one.start + DAY, { salt }).outcome, refused("ID-USED"));
    assert.deepEqual(lessons.move(one, AMINA, id, one.start + DAY).outcome, OK);
    assert.deepEqual([one, two].map((lesson) => lessons.get(lesson).version), [id, two.id]);
  });

  test(`a proposal doesn't put off the day on which a lesson lapses, an agreed move does, ${form}`, async () => {
    const lessons = await bootLessons(form);
    const lesson = lessons.booked({}, "confirmed");
    const before = lessons.get(lesson)["changed-at"];
    const { id } = lessons.move(lesson, TOMAS, lesson.id, lesson.start);
    assert.equal(lessons.get(lesson)["changed-at"], before);
    assert.deepEqual(lessons.move(lesson, AMINA, id, lesson.start).outcome, OK);
    assert.ok(lessons.get(lesson)["changed-at"] > before);
  });
}
