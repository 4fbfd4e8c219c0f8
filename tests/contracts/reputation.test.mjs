// Ratings: after a lesson that both attended, blind until both are sealed, once.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { person, seal } from "./lib/action.mjs";
import { code } from "./lib/mesh.mjs";
import { ZEROS } from "./lib/values.mjs";
import { AMINA, bootVillage, GRACE_SECONDS, Lesson, register, TOMAS } from "./lib/village.mjs";

const STRANGER = person("stranger");
const error = (name) => code(`reputation-tracker/ERR-${name}`);
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
  const none = { "tutor-count": 0n, "tutor-stars": 0n, "student-count": 0n, "student-stars": 0n };
  assert.deepEqual(totals(TOMAS), { ...none, "tutor-count": 1n, "tutor-stars": 5n });
  assert.deepEqual(totals(AMINA), { ...none, "student-count": 1n, "student-stars": 2n });
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
  assert.deepEqual(submit(lesson.seal(TOMAS, 5n), lesson.open(TOMAS, 5n)), [0n, 0n]);
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
