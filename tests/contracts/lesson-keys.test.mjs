// Which keys of a person may do what with lessons, and that wallet and signature tell the same.
import assert from "node:assert/strict";
import { test } from "node:test";
import { directId } from "./lib/action.mjs";
import { ALL, Identity, LESSON, MONEY } from "./lib/identity.mjs";
import {
  bootLessons, CANCELLED, COMPLETED, EARMARK_BIT, FORMS, GRACE, OK, POOL_BIT, STRANGER,
} from "./lib/lessons.mjs";
import { checkMoney, errorsOf, eventsOf, idOf, openPool, PROTOCOL } from "./lib/money.mjs";
import { AMINA, LOCKS, TOMAS } from "./lib/village.mjs";

const key = errorsOf("user-registry");
const DAY = 86_400n;
const HELD = ["confirmed", "tutor", "student"];
const BOTH_AREAS = LESSON + MONEY;

async function boot(form) {
  const lessons = await bootLessons(form);
  const people = new Identity(lessons.mesh, "wallet");
  const terms = [idOf("earmark"), TOMAS.address, null, 500n, lessons.mesh.now + 300n * DAY];
  assert.deepEqual(lessons.mesh.call("payment-escrow", "earmark", terms, AMINA.address), OK);
  const pool = openPool(lessons.mesh, { tutors: [TOMAS] });
  const ways = {
    unpaid: { bits: 60n },
    pooled: { bits: POOL_BIT + 60n, offer: pool.id },
    locked: { bits: LOCKS + 60n },
    earmarked: { bits: EARMARK_BIT + 60n, offer: directId(AMINA.address, "escrow-lock", terms[0]) },
  };
  return { lessons, people, ways };
}

for (const form of FORMS) {
  test(`a key for lessons alone books, moves and cancels, and spends nothing, ${form}`, async () => {
    const { lessons, people, ways } = await boot(form);
    const only = people.secondKey(AMINA, { scopes: LESSON });
    const book = (way) => lessons.book({ student: only, amount: 10n, ...ways[way] });
    for (const way of ["locked", "earmarked"]) assert.deepEqual(book(way).outcome, key("KEY-SCOPE"), way);
    for (const way of ["unpaid", "pooled"]) {
      const lesson = book(way);
      assert.deepEqual(lesson.outcome, OK, way);
      assert.equal(lessons.get(lesson).student, AMINA.address);
      assert.deepEqual(lessons.move(lesson, only, lesson.id, 0n).outcome, OK);
      assert.deepEqual(lessons.fund(lesson, only), key("KEY-SCOPE"));
      assert.deepEqual(lessons.cancel(lesson, only), OK);
      assert.equal(lessons.state(lesson), CANCELLED);
    }
    const unpaid = lessons.booked({ bits: 60n }, ...HELD);
    assert.deepEqual(lessons.complete(unpaid, only), key("KEY-SCOPE"), "its price would come from free money");
    const locked = lessons.booked({ amount: 10n }, ...HELD);
    assert.deepEqual(lessons.complete(locked, only), OK);
  });

  test(`a key for money alone funds lessons, and has no other word in them, ${form}`, async () => {
    const { lessons, people } = await boot(form);
    const [ofStudent, ofTutor] = [AMINA, TOMAS].map((who) => people.secondKey(who, { scopes: MONEY }));
    const lesson = lessons.booked({ bits: 60n });
    for (const outcome of [
      lessons.book({ student: ofStudent }).outcome, lessons.confirm(lesson, { by: ofTutor }),
      lessons.decline(lesson, ofTutor), lessons.cancel(lesson, ofStudent), lessons.move(lesson, ofStudent, lesson.id, 0n).outcome,
      lessons.attend({ ...lesson, student: ofStudent }, ofStudent).outcome, lessons.complete(lesson, ofStudent),
    ]) assert.deepEqual(outcome, key("KEY-SCOPE"));
    assert.deepEqual(lessons.fund(lesson, ofTutor), errorsOf("session-manager")("NOT-PARTY"));
    assert.deepEqual(lessons.fund(lesson, ofStudent), OK);
  });

  test(`all that a key locks for lessons is one sum under its cap, ${form}`, async () => {
    const { lessons, people, ways } = await boot(form);
    const capped = people.secondKey(AMINA, { scopes: BOTH_AREAS, amount: 40n });
    const book = (way, amount) => lessons.book({ student: capped, amount, ...ways[way] });
    assert.deepEqual([book("locked", 10n).outcome, book("earmarked", 10n).outcome], [OK, OK]);
    assert.deepEqual(lessons.fund(lessons.booked({ bits: 60n, amount: 10n }), capped), OK);
    const unpaid = lessons.booked({ bits: 60n, amount: 10n }, ...HELD);
    assert.deepEqual(lessons.complete(unpaid, capped), OK);
    for (const way of ["locked", "earmarked"]) assert.deepEqual(book(way, 1n).outcome, key("KEY-CAP"), way);
    assert.deepEqual(lessons.fund(lessons.booked({ bits: 60n, amount: 1n }), capped), key("KEY-CAP"));
    assert.deepEqual(book("pooled", 1n).outcome, OK, "a pool's money is nobody's cap");
    assert.equal(people.key(capped).drawn, 40n);
  });

  test(`a person is the same side of a lesson with every key, ${form}`, async () => {
    const { lessons, people } = await boot(form);
    const second = people.secondKey(AMINA, { scopes: ALL });
    const refused = errorsOf("session-manager");
    assert.deepEqual(lessons.book({ student: second, tutor: AMINA }).outcome, refused("SAME-PERSON"));
    const lesson = lessons.booked({}, "confirmed");
    const { id } = lessons.move(lesson, AMINA, lesson.id, 0n);
    assert.deepEqual(lessons.move(lesson, second, id, 0n).outcome, OK, "instead of one's own proposal");
    assert.equal(lessons.get(lesson).version, lesson.id);
    assert.deepEqual(lessons.attend(lesson, AMINA).outcome, OK);
    assert.deepEqual(lessons.attend({ ...lesson, student: second }, second).outcome, refused("ATTENDED"));
  });
}

test("a program that a person calls has no word in that person's lessons", async () => {
  const lessons = await bootLessons();
  const { mesh } = lessons;
  const lesson = lessons.booked({ bits: 60n }, ...HELD);
  mesh.deploy("lure", `
    (define-public (cancel) (contract-call? .session-manager cancel 0x${lesson.id} none))
    (define-public (decline) (contract-call? .session-manager decline 0x${lesson.id} none))
    (define-public (complete) (contract-call? .session-manager complete 0x${lesson.id} none))
    (define-public (fund) (contract-call? .session-manager fund 0x${lesson.id} none u300))
    (define-public (move) (contract-call? .session-manager move 0x${lesson.id} 0x${lesson.id} none u0 u0))`);
  for (const method of ["cancel", "decline", "complete", "fund", "move"]) {
    for (const who of [AMINA, TOMAS]) {
      assert.deepEqual(mesh.call("lure", method, [], who.address), key("KEY-UNKNOWN"), method);
    }
  }
  assert.deepEqual(lessons.book({ tutor: { address: `${mesh.deployer}.lure` } }).outcome,
    errorsOf("session-manager")("TUTOR-UNKNOWN"));
});

test("wallet and signature print the same events, one a change, all the way", async () => {
  const told = [];
  for (const form of FORMS) {
    const lessons = await bootLessons(form);
    const { mesh } = lessons;
    mesh.call("payment-escrow", "deposit-for", [STRANGER.address, 1000n]);
    const events = [];
    const run = lessons.run.bind(lessons);
    lessons.run = (...args) => {
      const done = run(...args);
      events.push([args[0], eventsOf(done)]);
      return done;
    };
    const lesson = lessons.booked({ bits: 60n });
    const { id } = lessons.move(lesson, TOMAS, lesson.id, 0n);
    lessons.move(lesson, AMINA, id, 0n);
    lessons.confirm(lesson, { start: 0n });
    lessons.fund(lesson, STRANGER);
    for (const by of [AMINA, TOMAS]) lessons.attend(lesson, by);
    lessons.complete(lesson);
    assert.equal(lessons.state(lesson), COMPLETED);
    lessons.decline(lessons.booked({ amount: 10n }));
    lessons.cancel(lessons.booked({ amount: 10n }), AMINA);
    const left = lessons.booked({ amount: 10n });
    mesh.advance(10n * DAY + GRACE + 3600n);
    events.push(["claim", eventsOf(form === "signed"
      ? mesh.run("session-manager", "claim-for", [left.id], PROTOCOL)
      : mesh.run("session-manager", "claim", [left.id], STRANGER.address))]);
    told.push(events);
    checkMoney(mesh, { persons: [AMINA, TOMAS, STRANGER], locks: lessons.ids });
  }
  assert.deepEqual(told[0], told[1]);
  const said = Object.fromEntries(told[0]);
  assert.deepEqual(said.fund, ["lesson-funded", "locked"]);
  assert.deepEqual(said.complete, ["lesson-ended", "released"]);
  for (const word of ["decline", "cancel", "claim"]) assert.deepEqual(said[word], ["lesson-ended", "refunded"], word);
  assert.deepEqual([said.move, said.attend], [["lesson-moved"], ["lesson-attended"]]);
});
