// Ratings: after a lesson that both attended, blind until both are sealed, once.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { person, seal } from "./lib/action.mjs";
import { code } from "./lib/mesh.mjs";
import { grant, PROTOCOL } from "./lib/money.mjs";
import { ZEROS } from "./lib/values.mjs";
import { AMINA, bootVillage, GRACE_SECONDS, Lesson, register, TOMAS } from "./lib/village.mjs";

const STRANGER = person("stranger");
const error = (name) => code(`reputation-tracker/ERR-${name}`);
const NONE = { "tutor-count": 0n, "tutor-stars": 0n, "tutor-raters": 0n,
  "student-count": 0n, "student-stars": 0n, "student-raters": 0n };
let mesh;
let lesson;
const submit = (...actions) => mesh.submit(actions);
const totals = (who) => mesh.read("reputation-tracker", "get-totals", [who.address]);
const rate = (method, args, sender) => mesh.call("reputation-tracker", method, args, sender);

beforeEach(async () => {
  mesh = await bootVillage();
  lesson = new Lesson(mesh);
  submit(register(mesh, STRANGER), ...lesson.held());
});

test("both sides rate, and counts and sums are kept apart for tutors and students", () => {
  assert.deepEqual(submit(lesson.seal(AMINA, 5n, 3n), lesson.seal(TOMAS, 2n)), [0n, 0n]);
  assert.deepEqual(submit(lesson.open(AMINA, 5n, 3n), lesson.open(TOMAS, 2n)), [0n, 0n]);
  assert.deepEqual(totals(TOMAS), { ...NONE, "tutor-count": 1n, "tutor-stars": 5n, "tutor-raters": 1n });
  assert.deepEqual(totals(AMINA), { ...NONE, "student-count": 1n, "student-stars": 2n, "student-raters": 1n });
  assert.deepEqual(mesh.read("reputation-tracker", "get-counts"), { opened: 2n });
  const { "sealed-at": at, ...rating } = mesh.read("reputation-tracker", "get-rating", [lesson.id, AMINA.address]);
  assert.ok(at > 0n);
  assert.deepEqual(rating, { rated: TOMAS.address, "of-tutor": true, stars: 5n, tags: 3n,
    seal: seal({ amount: 5n, bits: 3n, subject: lesson.id }) });
});

test("the contract computes the same seal as the phone", () => {
  const content = "ab".repeat(32);
  assert.equal(mesh.read("reputation-tracker", "seal-of", [lesson.id, 4n, 9n, content]),
    seal({ amount: 4n, bits: 9n, content, subject: lesson.id }));
});

test("nobody rates a lesson that is unknown, or that only one side attended", () => {
  const other = new Lesson(mesh, { amount: 1n });
  assert.deepEqual(submit(other.seal(AMINA, 5n)), [error("LESSON-UNKNOWN")]);
  submit(other.booking, other.confirm(), other.attend(AMINA));
  const early = other.seal(AMINA, 5n);
  assert.deepEqual(submit(early, other.attend(TOMAS), early), [error("NOT-ATTENDED"), 0n, 0n]);
});

test("only the two sides rate, and only each other", () => {
  const byStranger = mesh.action(STRANGER, { ...lesson.seal(AMINA, 5n).fields, author: STRANGER.address });
  const ofStranger = mesh.action(AMINA, { ...lesson.seal(AMINA, 5n).fields, who: STRANGER.address });
  const ofSelf = mesh.action(AMINA, { ...lesson.seal(AMINA, 5n).fields, who: AMINA.address });
  assert.deepEqual(submit(byStranger, ofStranger, ofSelf), [error("NOT-PARTY"), error("OTHER"), error("OTHER")]);
  submit(lesson.seal(AMINA, 5n), lesson.seal(TOMAS, 5n));
  const opensOther = mesh.action(AMINA, { ...lesson.open(AMINA, 5n).fields, who: STRANGER.address });
  assert.deepEqual(submit(opensOther), [error("OTHER")]);
});

test("a rating is sealed once, opened once, and only after its seal", () => {
  const opening = lesson.open(AMINA, 5n);
  assert.deepEqual(submit(opening), [error("NOT-SEALED")]);
  assert.deepEqual(submit(lesson.seal(AMINA, 5n), lesson.seal(AMINA, 4n)), [0n, error("SEALED")]);
  assert.deepEqual(submit(lesson.seal(TOMAS, 5n), opening, lesson.open(AMINA, 5n)), [0n, 0n, error("OPENED")]);
  assert.equal(totals(TOMAS)["tutor-count"], 1n);
});

test("an opening that differs from its seal in stars, tags or text is refused", () => {
  submit(lesson.seal(AMINA, 5n, 1n), lesson.seal(TOMAS, 5n));
  const text = mesh.action(AMINA, { ...lesson.open(AMINA, 5n, 1n).fields, content: "01".repeat(32) });
  const differs = error("SEAL-DIFFERS");
  assert.deepEqual(submit(lesson.open(AMINA, 4n, 1n), lesson.open(AMINA, 5n, 2n), text), [differs, differs, differs]);
});

test("a rating has one to five stars even when it was sealed with others", () => {
  for (const stars of [0n, 6n, 2n ** 63n - 1n]) {
    const one = new Lesson(mesh, { amount: 1n });
    assert.deepEqual(submit(...one.held(), one.seal(AMINA, stars), one.seal(TOMAS, 1n)), Array(6).fill(0n));
    assert.deepEqual(rate("rating-open", [one.id, TOMAS.address, stars, 0n, ZEROS], AMINA.address),
      { err: error("STARS") });
  }
});

test("an opening waits for the other's seal, or for the grace period", () => {
  const opening = lesson.open(AMINA, 1n);
  const wait = error("OTHER-NOT-SEALED");
  assert.deepEqual(submit(lesson.seal(AMINA, 1n), opening), [0n, wait]);
  mesh.advance(GRACE_SECONDS - 3600);
  assert.deepEqual(submit(opening), [wait]);
  mesh.advance(7200);
  assert.deepEqual(submit(opening), [0n]);
});

test("whoever was silent until the other's rating opened can't answer it any more", () => {
  submit(lesson.seal(AMINA, 1n));
  mesh.advance(GRACE_SECONDS + 3600);
  const inTime = new Lesson(mesh, { amount: 1n });
  submit(...inTime.held(), inTime.seal(AMINA, 1n));
  assert.deepEqual(submit(lesson.open(AMINA, 1n), lesson.seal(TOMAS, 1n)), [0n, error("OTHER-OPENED")]);
  assert.deepEqual(totals(AMINA), NONE);
  mesh.advance(GRACE_SECONDS + 3600);
  assert.deepEqual(submit(inTime.seal(TOMAS, 5n), inTime.open(AMINA, 1n), inTime.open(TOMAS, 5n)), [0n, 0n, 0n]);
});

test("many ratings by one friend are many ratings and one rater", () => {
  const carol = person("carol, student");
  submit(register(mesh, carol));
  const rated = (student, stars) => {
    const one = new Lesson(mesh, { student, amount: 0n, bits: 60n });
    const acts = [...one.held(), one.seal(student, stars), one.seal(TOMAS, 5n), one.open(student, stars)];
    assert.deepEqual(submit(...acts), Array(acts.length).fill(0n));
  };
  for (const [student, stars] of [[AMINA, 5n], [AMINA, 4n], [carol, 1n]]) rated(student, stars);
  assert.deepEqual(totals(TOMAS), { ...NONE, "tutor-count": 3n, "tutor-stars": 10n, "tutor-raters": 2n });
  const pair = (rater, whom, asTutor) =>
    mesh.read("reputation-tracker", "get-pair", [rater.address, whom.address, asTutor]);
  const none = { count: 0n, stars: 0n };
  assert.deepEqual([pair(AMINA, TOMAS, true), pair(carol, TOMAS, true)],
    [{ count: 2n, stars: 9n }, { count: 1n, stars: 1n }]);
  assert.deepEqual([pair(AMINA, TOMAS, false), pair(TOMAS, AMINA, true)], [none, none]);
});

test("a lesson that both attended is rated however it ended, and one that ended before is not", () => {
  for (const role of ["gateway", "dispute"]) grant(mesh, role);
  const act = (method, one, by) => mesh.call("session-manager", method, [one.id, null], by.address);
  const asDispute = (method, one) => mesh.call("session-manager", method, [one.id], PROTOCOL);
  const ends = {
    open: () => ({ ok: true }),
    completed: (one) => act("complete", one, AMINA),
    "given back": (one) => act("cancel", one, TOMAS),
    disputed: (one) => asDispute("dispute-hold", one),
    settled: (one) => asDispute("dispute-hold", one).ok && asDispute("dispute-end", one),
  };
  for (const [how, end] of Object.entries(ends)) {
    const one = new Lesson(mesh, { amount: 10n });
    submit(...one.held());
    assert.deepEqual(end(one), { ok: true }, how);
    assert.deepEqual(submit(one.seal(AMINA, 5n), one.seal(TOMAS, 5n), one.open(AMINA, 5n), one.open(TOMAS, 5n)),
      Array(4).fill(0n), how);
  }
  const off = new Lesson(mesh, { amount: 10n });
  submit(off.booking, off.confirm(), off.attend(TOMAS));
  assert.deepEqual(act("decline", off, TOMAS), { ok: true });
  assert.deepEqual(submit(off.seal(AMINA, 1n), off.seal(TOMAS, 1n)), Array(2).fill(error("NOT-ATTENDED")));
});

test("wallets rate by the same rules", () => {
  const mine = seal({ amount: 3n, subject: lesson.id });
  assert.equal(rate("rating-seal", [lesson.id, TOMAS.address, mine], AMINA.address).ok, true);
  assert.deepEqual(rate("rating-open", [lesson.id, TOMAS.address, 3n, 0n, ZEROS], AMINA.address),
    { err: error("OTHER-NOT-SEALED") });
  submit(lesson.seal(TOMAS, 4n));
  assert.equal(rate("rating-open", [lesson.id, TOMAS.address, 3n, 0n, ZEROS], AMINA.address).ok, true);
  assert.equal(totals(TOMAS)["tutor-stars"], 3n);
});

test("only the gateway rates for somebody else", () => {
  const role = { err: code("access/ERR-NOT-ROLE") };
  assert.deepEqual(rate("rating-seal-for", [AMINA.address, lesson.id, TOMAS.address, ZEROS]), role);
  assert.deepEqual(rate("rating-open-for", [AMINA.address, lesson.id, TOMAS.address, 5n, 0n, ZEROS]), role);
});
