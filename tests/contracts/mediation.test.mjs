// Mediation: one member of the panel, first come, whose offer both sides must take.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import {
  bootDistrict, BY_AGREEMENT, confirmed, disputeOf, enrol, GATEWAY, member, OK, OPEN, PANEL, settlePeople, STRANGER,
  votingTime, WALLET,
} from "./lib/disputes.mjs";
import { errorsOf } from "./lib/money.mjs";
import { AMINA, TOMAS } from "./lib/village.mjs";

const err = errorsOf("dispute-resolution");
const [ADA, BEN] = PANEL;
let mesh;
const money = (who) => mesh.balance(who.address);
const act = (name, ...args) => WALLET[name](mesh, ...args);
const disputed = () => {
  const lesson = confirmed(mesh, { amount: 200n });
  assert.deepEqual(act("open", AMINA, lesson), OK);
  return lesson;
};

before(async () => {
  mesh = await bootDistrict();
});

test("the first member of the panel mediates, and both sides must take the last offer", () => {
  const lesson = disputed();
  const before = money(TOMAS).free;
  assert.equal(act("offer", STRANGER, lesson, 1n).err, err("NOT-MEDIATOR").err);
  const first = act("offer", ADA, lesson, 3000n);
  assert.equal(act("offer", BEN, lesson, 3000n).err, err("NOT-MEDIATOR").err);
  assert.deepEqual(act("accept", AMINA, first), OK);
  assert.deepEqual(act("accept", AMINA, first), err("ACCEPTED"));
  assert.deepEqual(act("accept", ADA, first), err("NOT-PARTY"));
  const second = act("offer", ADA, lesson, 2000n);
  assert.deepEqual(act("accept", TOMAS, first), err("OFFER-REPLACED"));
  assert.deepEqual(act("accept", TOMAS, second), OK);
  assert.equal(disputeOf(mesh, lesson.id).ended, OPEN);
  assert.deepEqual(act("accept", AMINA, second), OK);
  assert.equal(money(TOMAS).free, before + 40n);
  assert.equal(disputeOf(mesh, lesson.id).ended, BY_AGREEMENT);
});

test("a member of the panel who is a side only speaks as a side, and who was dismissed not at all", () => {
  const lesson = disputed();
  enrol(mesh, AMINA);
  assert.equal(act("offer", AMINA, lesson, 1n).ok, true);
  assert.equal(disputeOf(mesh, lesson.id).mediator, null);
  enrol(mesh, AMINA, false);
  act("offer", ADA, lesson, 1n);
  enrol(mesh, ADA, false);
  assert.equal(act("offer", ADA, lesson, 2n).err, err("NOT-MEDIATOR").err);
  enrol(mesh, ADA);
  assert.equal(act("offer", ADA, lesson, 2n).ok, true);
});

test("a neighbour of either side never mediates, by whichever form", () => {
  const [student, tutor] = [member("student", "of amina"), member("teacher", "of tomas")];
  const neighbours = [member("here", "of amina"), member("there", "of tomas")];
  settlePeople(mesh, [student, tutor, ...neighbours]);
  for (const one of neighbours) enrol(mesh, one);
  mesh.call("payment-escrow", "deposit-for", [student.address, 1000n]);
  const lesson = confirmed(mesh, { student, tutor, amount: 200n });
  assert.deepEqual(act("open", student, lesson), OK);
  for (const acts of [WALLET, GATEWAY]) {
    for (const one of neighbours) assert.equal(acts.offer(mesh, one, lesson, 1n).err, err("NOT-MEDIATOR").err);
  }
  assert.equal(act("offer", ADA, lesson, 1n).ok, true);
});

test("a mediator's signed offer that came before the enrolment counts after it", () => {
  const late = member("late");
  settlePeople(mesh, [late]);
  const lesson = disputed();
  const offer = mesh.action(late, { action: "dispute-offer", subject: lesson.id, amount: 5000n });
  assert.deepEqual(mesh.submit([offer]), [912n]);
  enrol(mesh, late);
  assert.deepEqual(mesh.submit([offer]), [0n]);
  assert.equal(disputeOf(mesh, lesson.id).mediator, late.address);
});

test("a mediator's offer replaces the one that it names, and only the newest can be taken", () => {
  const lesson = disputed();
  const first = act("offer", ADA, lesson, 3000n);
  const second = act("offer", ADA, lesson, 2000n);
  for (const subject of [lesson.id, first.id]) {
    assert.equal(act("offer", ADA, lesson, 3000n, subject).err, err("VERSION").err);
  }
  assert.deepEqual(act("accept", AMINA, first), err("OFFER-REPLACED"));
  assert.deepEqual(act("accept", AMINA, second), OK);
  assert.equal(act("offer", ADA, lesson, 3000n, lesson.id).err, err("VERSION").err);
  assert.deepEqual(act("accept", TOMAS, second), OK);
});

test("nobody becomes the mediator once voting may have begun, but the one who is may go on", () => {
  const [mediated, lonely] = [disputed(), disputed()];
  act("offer", ADA, mediated, 5000n);
  mesh.waitUntil(votingTime(mesh, lonely).from);
  assert.equal(act("offer", BEN, lonely, 5000n).err, err("NOT-MEDIATOR").err);
  assert.equal(act("offer", ADA, mediated, 4000n).ok, true);
});
