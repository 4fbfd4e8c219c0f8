// Lessons that a guardian must agree to. Mutants that this is known to kill: a move that keeps the guardian's word; a
// guardian who is asked whether anybody's, not whether the student's.
import assert from "node:assert/strict";
import { test } from "node:test";
import { directId, person } from "./lib/action.mjs";
import { checkMoney, errorsOf, idOf, INT_MAX } from "./lib/money.mjs";
import { bootLessons, BOOKED, CONFIRMED, FORMS, GRACE, GUARDIAN_BIT, LAPSED, OK } from "./lib/lessons.mjs";
import { maybe, ZEROS } from "./lib/values.mjs";
import { AMINA, LOCKS, register, TOMAS } from "./lib/village.mjs";

const refused = errorsOf("session-manager");
const DAY = 86_400n;
const [MOTHER, UNCLE, OTHER, CHILD] = ["mother", "uncle", "somebody's guardian", "another student"].map(person);
const ASKED = { bits: LOCKS + GUARDIAN_BIT + 60n };

/** Name a guardian from the wallet of `who`; the id of that change. */
function setGuardian({ mesh }, who, guardian, slot = 0n, previous = ZEROS) {
  const salt = idOf(`guardian ${who.name} ${guardian?.name} ${slot}`);
  const args = [salt, previous, maybe(guardian?.address ?? null), 1n, 0n, slot];
  assert.deepEqual(mesh.call("recovery", "guardian-set", args, who.address), OK);
  return directId(who.address, "guardian-set", salt);
}

/** A village where the mother and the uncle are Amina's guardians, and somebody else is another student's. */
async function boot(form) {
  const lessons = await bootLessons(form);
  lessons.mesh.submit([MOTHER, UNCLE, OTHER, CHILD].map((who) => register(lessons.mesh, who)));
  const first = setGuardian(lessons, AMINA, MOTHER);
  lessons.mesh.advance(GRACE + 3600n);
  lessons.head = setGuardian(lessons, AMINA, UNCLE, 1n, first);
  lessons.mesh.advance(GRACE + 3600n);
  setGuardian(lessons, CHILD, OTHER);
  return lessons;
}

const byGuardian = (lessons, lesson, by = MOTHER, terms = {}) => lessons.confirm(lesson, { by, bits: 2n, ...terms });
const check = ({ mesh, ids }) => checkMoney(mesh, { persons: [AMINA, TOMAS, MOTHER], locks: ids });

for (const form of FORMS) {
  test(`a lesson that asks for a guardian is confirmed when tutor and guardian agreed, ${form}`, async () => {
    const lessons = await boot(form);
    const tutorFirst = lessons.booked({ ...ASKED, amount: 100n });
    assert.equal(lessons.get(tutorFirst).needs, 3n);
    assert.deepEqual(lessons.confirm(tutorFirst), OK);
    assert.equal(lessons.state(tutorFirst), BOOKED);
    assert.deepEqual(lessons.attend(tutorFirst, TOMAS).outcome, refused("NOT-CONFIRMED"));
    assert.deepEqual(byGuardian(lessons, tutorFirst), OK);
    const guardianFirst = lessons.booked({ ...ASKED, amount: 100n });
    assert.deepEqual(byGuardian(lessons, guardianFirst, UNCLE), OK);
    assert.equal(lessons.state(guardianFirst), BOOKED);
    assert.deepEqual(lessons.confirm(guardianFirst), OK);
    for (const lesson of [tutorFirst, guardianFirst]) {
      const { state, confirmed } = lessons.get(lesson);
      assert.deepEqual([state, confirmed], [CONFIRMED, 3n]);
      assert.deepEqual(lessons.attend(lesson, TOMAS).outcome, OK);
    }
    check(lessons);
  });

  test(`a guardian's word for a move's time may come before the move, and counts after it, ${form}`, async () => {
    const lessons = await boot(form);
    const lesson = lessons.booked(ASKED, "confirmed");
    assert.deepEqual(byGuardian(lessons, lesson), OK);
    const later = lesson.start + DAY;
    const again = () => byGuardian(lessons, lesson, MOTHER, { start: later });
    assert.deepEqual(again(), refused("VERSION"), "it may come again");
    const { id } = lessons.move(lesson, AMINA, lesson.id, later);
    assert.deepEqual(lessons.move(lesson, TOMAS, id, later).outcome, OK);
    assert.equal(lessons.state(lesson), BOOKED);
    assert.deepEqual([again(), lessons.state(lesson), again()], [OK, CONFIRMED, refused("NOT-BOOKED")]);
    assert.deepEqual(byGuardian(lessons, lesson), refused("VERSION"));
  });

  test(`each agrees once, and two guardians don't make a tutor, ${form}`, async () => {
    const lessons = await boot(form);
    const lesson = lessons.booked(ASKED);
    assert.deepEqual([byGuardian(lessons, lesson), byGuardian(lessons, lesson), byGuardian(lessons, lesson, UNCLE)],
      [OK, refused("NOT-BOOKED"), refused("NOT-BOOKED")]);
    assert.deepEqual([lessons.confirm(lesson), lessons.confirm(lesson)], [OK, refused("NOT-BOOKED")]);
    assert.deepEqual(byGuardian(lessons, lesson, UNCLE), refused("NOT-BOOKED"));
  });

  test(`nobody but the student's own guardian agrees as one, ${form}`, async () => {
    const lessons = await boot(form);
    const lesson = lessons.booked(ASKED);
    assert.deepEqual(byGuardian(lessons, lesson, OTHER), refused("NOT-GUARDIAN"), "guardian of somebody else");
    assert.deepEqual(byGuardian(lessons, lesson, AMINA), refused("NOT-GUARDIAN"), "the student");
    assert.deepEqual(byGuardian(lessons, lesson, person("nobody")), errorsOf("user-registry")("KEY-UNKNOWN"));
    assert.deepEqual(lessons.confirm(lesson, { by: MOTHER }), refused("NOT-PARTY"), "a guardian as the tutor");
    for (const bits of [0n, 3n, INT_MAX, 2n ** 128n - 1n]) {
      assert.deepEqual(byGuardian(lessons, lesson, MOTHER, { bits }), refused("BITS"));
    }
    assert.equal(lessons.get(lesson).confirmed, 0n);
  });

  test(`a guardian who is the tutor can't agree for both, ${form}`, async () => {
    const lessons = await boot(form);
    const lesson = lessons.booked({ ...ASKED, tutor: MOTHER });
    assert.deepEqual([byGuardian(lessons, lesson), lessons.confirm(lesson)], [refused("NOT-PARTY"), OK]);
    assert.deepEqual(byGuardian(lessons, lesson), refused("NOT-PARTY"));
    assert.equal(lessons.state(lesson), BOOKED);
    assert.deepEqual(byGuardian(lessons, lesson, UNCLE), OK);
    assert.equal(lessons.state(lesson), CONFIRMED);
  });

  test(`a guardian repeats what is agreed to, ${form}`, async () => {
    const lessons = await boot(form);
    const lesson = lessons.booked(ASKED);
    const terms = [{ student: CHILD }, { asset: lessons.mesh.hours }, { amount: 299n }];
    for (const changed of terms) assert.deepEqual(byGuardian(lessons, lesson, MOTHER, changed), refused("TERMS"));
    assert.deepEqual(byGuardian(lessons, lesson, MOTHER, { start: lesson.start + 1n }), refused("VERSION"));
  });

  test(`a guardian's word is stale after a move, and the lesson waits for the next, ${form}`, async () => {
    const lessons = await boot(form);
    const lesson = lessons.booked(ASKED, "confirmed");
    assert.deepEqual(byGuardian(lessons, lesson), OK);
    const night = lesson.start + DAY / 2n;
    const { id } = lessons.move(lesson, TOMAS, lesson.id, night);
    assert.equal(lessons.state(lesson), CONFIRMED);
    assert.deepEqual(lessons.move(lesson, AMINA, id, night).outcome, OK);
    const { state, confirmed } = lessons.get(lesson);
    assert.deepEqual([state, confirmed], [BOOKED, 1n]);
    assert.deepEqual(lessons.attend(lesson, TOMAS).outcome, refused("NOT-CONFIRMED"));
    assert.deepEqual(byGuardian(lessons, lesson), refused("VERSION"), "the old time again");
    assert.deepEqual(byGuardian(lessons, lesson, MOTHER, { start: night }), OK);
    assert.equal(lessons.state(lesson), CONFIRMED);
  });

  test(`what a guardian agreed to isn't made longer, since the word names no minutes, ${form}`, async () => {
    const lessons = await boot(form);
    const lesson = lessons.booked(ASKED, "confirmed");
    for (const minutes of [240n, 60n]) {
      assert.deepEqual(lessons.move(lesson, TOMAS, lesson.id, lesson.start, { minutes }).outcome, refused("BITS"));
    }
    assert.deepEqual(lessons.move(lesson, TOMAS, lesson.id, lesson.start).outcome, OK);
  });

  test(`a guardian who was replaced agrees no more, and a new one not before the change counts, ${form}`, async () => {
    const lessons = await boot(form);
    const lesson = lessons.booked({ ...ASKED, start: lessons.mesh.now + 200n * DAY });
    setGuardian(lessons, AMINA, OTHER, 0n, lessons.head);
    assert.deepEqual(byGuardian(lessons, lesson, OTHER), refused("NOT-GUARDIAN"));
    lessons.mesh.advance(GRACE + 3600n);
    assert.deepEqual([byGuardian(lessons, lesson), byGuardian(lessons, lesson, OTHER)], [refused("NOT-GUARDIAN"), OK]);
  });

  test(`a lesson whose guardian never agrees lapses, and costs nobody anything, ${form}`, async () => {
    const lessons = await boot(form);
    const [asked, alone] = [AMINA, CHILD].map((student) =>
      lessons.booked({ bits: GUARDIAN_BIT + 60n + (student === AMINA ? LOCKS : 0n), student }, "confirmed"));
    lessons.mesh.advance(10n * DAY + GRACE + 3600n);
    for (const lesson of [asked, alone]) {
      assert.deepEqual(lessons.claim(lesson), OK);
      assert.equal(lessons.state(lesson), LAPSED);
    }
    assert.deepEqual(lessons.mesh.balance(AMINA.address), { free: 1000n, locked: 0n });
    check(lessons);
  });

  test(`a guardian's word does no harm where none was asked for, ${form}`, async () => {
    const lessons = await boot(form);
    const lesson = lessons.booked();
    assert.deepEqual(byGuardian(lessons, lesson), OK);
    assert.equal(lessons.state(lesson), BOOKED);
    assert.deepEqual(lessons.confirm(lesson), OK);
    assert.equal(lessons.state(lesson), CONFIRMED);
  });
}
