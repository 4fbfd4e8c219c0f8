// Attacks on the whole set at once, where several contracts must hold together.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { code } from "./lib/mesh.mjs";
import { bootDistrict, confirmed, disputeOf, enrol, GRACE, OK, PANEL, WALLET } from "./lib/disputes.mjs";
import { AMINA, Lesson, TOMAS } from "./lib/village.mjs";

const DAY = 86_400n;
/** Just before a deadline: time passes in steps of ten minutes. */
const SOON = 1200n;
let mesh;
const refused = (path) => ({ err: code(path) });
const money = (who) => {
  const { free, locked } = mesh.balance(who.address);
  return free + locked;
};

before(async () => {
  mesh = await bootDistrict();
});

test("no deadline that takes money from somebody is shorter than thirty days", () => {
  const month = 30n * DAY;
  assert.deepEqual(mesh.call("access", "set-grace", [month - 1n]), refused("access/ERR-PARAMETER"));
  assert.deepEqual(mesh.call("access", "set-grace", [month]), OK);
  const until = (moment) => mesh.advance(moment - SOON - mesh.now);
  const [alone, disputed] = [0, 1].map(() => confirmed(mesh, { amount: 100n, attended: [TOMAS] }));
  const { start, "changed-at": changed } = mesh.read("session-manager", "get-lesson", [alone.id]);
  until((start > changed ? start : changed) + month);
  assert.deepEqual(mesh.call("session-manager", "claim", [alone.id]), refused("session-manager/ERR-TOO-EARLY"));
  assert.deepEqual(WALLET.open(mesh, AMINA, disputed), OK);
  const opened = disputeOf(mesh, disputed.id)["opened-at"];
  until(opened + month);
  for (const judge of PANEL) {
    assert.deepEqual(WALLET.vote(mesh, judge, disputed, 0n), refused("dispute-resolution/ERR-TOO-EARLY"));
  }
  until(opened + 2n * month);
  assert.deepEqual(WALLET.settle(mesh, disputed), refused("dispute-resolution/ERR-TOO-EARLY"));
  assert.deepEqual(mesh.call("access", "set-grace", [GRACE]), OK);
});

test("a person who is student, donor and arbiter at once gains nothing by it", () => {
  assert.deepEqual(enrol(mesh, AMINA), OK);
  const before = money(AMINA) + money(TOMAS);
  const lesson = new Lesson(mesh, { amount: 1000n, bits: 60n });
  const donation = mesh.action(AMINA, { action: "escrow-lock", subject: lesson.id, amount: 1000n });
  assert.deepEqual(mesh.submit([lesson.booking, lesson.confirm(), donation, lesson.attend(TOMAS)]), [0n, 0n, 0n, 0n]);
  assert.deepEqual(WALLET.open(mesh, AMINA, lesson), OK);
  mesh.advance(GRACE + DAY);
  assert.ok(!mesh.read("dispute-resolution", "get-arbiters", [lesson.id]).includes(AMINA.address));
  assert.deepEqual(WALLET.vote(mesh, AMINA, lesson, 0n), refused("dispute-resolution/ERR-NOT-ARBITER"));
  const own = WALLET.offer(mesh, AMINA, lesson, 0n);
  assert.equal(disputeOf(mesh, lesson.id).mediator, null, "a side mediates nothing");
  assert.deepEqual(WALLET.accept(mesh, AMINA, own), refused("dispute-resolution/ERR-OWN-OFFER"));
  assert.equal(money(AMINA) + money(TOMAS), before);
});

test("who disputes without reason pays the bond to the other side", () => {
  const lesson = confirmed(mesh, { amount: 1000n });
  const [student, tutor] = [money(AMINA), money(TOMAS)];
  assert.deepEqual(WALLET.open(mesh, AMINA, lesson), OK);
  assert.equal(disputeOf(mesh, lesson.id).bond, 50n);
  mesh.advance(2n * GRACE + DAY);
  assert.deepEqual(WALLET.settle(mesh, lesson), OK);
  assert.deepEqual([money(AMINA) - student, money(TOMAS) - tutor], [-1050n, 1050n]);
});

test("an earmark, a donation and a lock of one lesson never pay it twice", () => {
  const start = money(AMINA) + money(TOMAS);
  const earmark = mesh.action(AMINA,
    { action: "escrow-lock", who: TOMAS.address, amount: 500n, moment: mesh.now + 100n * DAY, bits: 2n });
  assert.deepEqual(mesh.submit([earmark]), [0n]);
  const lesson = new Lesson(mesh, { amount: 300n, bits: 16_384n + 60n });
  const booking = mesh.action(AMINA, { ...lesson.booking.fields, subject: earmark.id });
  Object.assign(lesson, { booking, id: booking.id });
  const twice = mesh.action(AMINA, { action: "escrow-lock", subject: lesson.id, amount: 300n });
  assert.deepEqual(mesh.submit([booking, twice, ...lesson.held().slice(1), lesson.complete(), lesson.complete()]),
    [0n, code("session-manager/ERR-FUNDED"), 0n, 0n, 0n, 0n, code("session-manager/ERR-OVER")]);
  const giveBack = mesh.action(TOMAS, { action: "escrow-return", subject: earmark.id });
  assert.deepEqual(mesh.submit([giveBack]), [0n]);
  const [price, rest] = [lesson.id, earmark.id].map((id) => mesh.read("payment-escrow", "get-lock", [id]));
  assert.deepEqual([price.state, price.amount, rest.state, rest.amount], [1n, 300n, 2n, 200n]);
  assert.equal(money(AMINA) + money(TOMAS), start);
});
