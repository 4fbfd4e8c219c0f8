// Which keys may act in a dispute, for whom, and what freezing a person stops.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import {
  bondOf, bootDistrict, BPS, BY_AGREEMENT, confirmed, disputeOf, drawnOf, GATEWAY, OK, OPEN, PANEL,
  votingTime, WALLET,
} from "./lib/disputes.mjs";
import { Identity, LESSON, MONEY } from "./lib/identity.mjs";
import { errorsOf, lockOf } from "./lib/money.mjs";
import { AMINA, TOMAS } from "./lib/village.mjs";

const err = errorsOf("user-registry");
const DISPUTE = 32n;
const LURE = `
(define-public (open-it (lesson (buff 32))) (contract-call? .dispute-resolution open lesson none u1))
(define-public (offer-it (lesson (buff 32))) (contract-call? .dispute-resolution offer lesson lesson u0))
(define-public (accept-it (id (buff 32))) (contract-call? .dispute-resolution accept id))
(define-public (vote-it (lesson (buff 32))) (contract-call? .dispute-resolution vote lesson u0 u1))
(define-public (enrol-it (who principal)) (contract-call? .panel panel-set who true))`;
let mesh;
let people;
let guardians;
const act = (name, ...args) => WALLET[name](mesh, ...args);
const disputed = (terms) => {
  const lesson = confirmed(mesh, { amount: 100n, ...terms });
  assert.deepEqual(act("open", AMINA, lesson), OK);
  mesh.vm.mineEmptyBurnBlocks(6);
  return lesson;
};

before(async () => {
  mesh = await bootDistrict();
  people = new Identity(mesh, "wallet");
  guardians = people.guarded(3, { owner: TOMAS }).circle;
});

test("a further key acts for its person, as far as its scopes go", () => {
  const full = people.secondKey(TOMAS, { scopes: DISPUTE | MONEY });
  const judging = people.secondKey(TOMAS, { scopes: DISPUTE });
  const teaching = people.secondKey(TOMAS, { scopes: LESSON | MONEY });
  const lesson = disputed();
  assert.equal(act("offer", teaching, lesson, 0n).err, err("KEY-SCOPE").err);
  assert.equal(act("offer", judging, lesson, 0n).err, err("KEY-SCOPE").err);
  const offer = act("offer", full, lesson, 4000n);
  assert.deepEqual(act("accept", full, offer), errorsOf("dispute-resolution")("OWN-OFFER"));
  assert.deepEqual(act("accept", TOMAS, offer), errorsOf("dispute-resolution")("OWN-OFFER"));
  assert.deepEqual(act("accept", judging, act("offer", AMINA, lesson, 0n)), err("KEY-SCOPE"));
  assert.deepEqual(act("open", judging, confirmed(mesh, { amount: 100n })), err("KEY-SCOPE"));
  assert.deepEqual(act("open", judging, confirmed(mesh, { amount: 1n })), OK);
  assert.deepEqual(act("accept", AMINA, offer), OK);
});

test("a key that is only for disputes mediates and votes", () => {
  const lesson = disputed();
  const [judge, , third] = drawnOf(mesh, lesson);
  const key = people.secondKey(judge, { scopes: DISPUTE });
  const mediator = PANEL.find((one) => !drawnOf(mesh, lesson).includes(one));
  const mediating = people.secondKey(mediator, { scopes: DISPUTE });
  assert.equal(act("offer", mediating, lesson, 1n).ok, true);
  assert.equal(disputeOf(mesh, lesson.id).mediator, mediator.address);
  mesh.waitUntil(votingTime(mesh, lesson).from);
  assert.deepEqual(act("vote", key, lesson, 0n), OK);
  for (const same of [key, judge]) {
    assert.deepEqual(act("vote", same, lesson, 0n), errorsOf("dispute-resolution")("VOTED"));
  }
  const lessons = people.secondKey(third, { scopes: LESSON });
  assert.deepEqual(act("vote", lessons, lesson, 0n), err("KEY-SCOPE"));
});

test("a bond is drawn on the cap of the key that opens", () => {
  const key = people.secondKey(TOMAS, { scopes: DISPUTE | MONEY, amount: 9n });
  assert.deepEqual(act("open", key, confirmed(mesh, { amount: 100n })), OK);
  const second = confirmed(mesh, { amount: 100n });
  assert.deepEqual(act("open", key, second), err("KEY-CAP"));
  assert.equal(lockOf(mesh, bondOf(mesh, second.id)), null);
  assert.deepEqual(act("open", key, confirmed(mesh, { amount: 80n })), OK);
});

// Kills locked money that leaves past the cap of the key that gives it.
test("a key with a cap neither makes nor takes offers for a side, whatever its cap", () => {
  const capped = people.secondKey(TOMAS, { scopes: DISPUTE | MONEY, amount: 2n ** 63n - 1n });
  for (const acts of [WALLET, GATEWAY]) {
    const lesson = disputed();
    assert.equal(acts.offer(mesh, capped, lesson, 0n).err, err("KEY-CAP").err);
    const offer = acts.offer(mesh, AMINA, lesson, 0n);
    assert.deepEqual(acts.accept(mesh, capped, offer), err("KEY-CAP"));
    const mediated = acts.offer(mesh, PANEL[0], lesson, 0n);
    assert.deepEqual(acts.accept(mesh, capped, mediated), err("KEY-CAP"));
    assert.equal(disputeOf(mesh, lesson.id).ended, OPEN);
    assert.deepEqual(acts.accept(mesh, TOMAS, offer), OK);
  }
});

test("a member of the panel mediates with a key that has a cap: it disposes of nothing", () => {
  const key = people.secondKey(PANEL[1], { scopes: DISPUTE, amount: 1n });
  const lesson = disputed();
  assert.equal(act("offer", key, lesson, 1n).ok, true);
  assert.equal(disputeOf(mesh, lesson.id).mediator, PANEL[1].address);
});

test("a frozen person gives nothing away, and is paid by what others decide", () => {
  const [thief, other] = [TOMAS, AMINA];
  const early = disputed();
  const offer = act("offer", thief, early, 9000n);
  const taken = act("offer", other, early, 100n);
  const { id } = people.recovering(thief, guardians.slice(1));
  for (const acts of [WALLET, GATEWAY]) {
    assert.equal(acts.offer(mesh, thief, early, 0n).err, err("FROZEN").err);
    assert.deepEqual(acts.accept(mesh, thief, taken), err("FROZEN"));
    assert.deepEqual(acts.open(mesh, thief, confirmed(mesh, { amount: 100n })), err("FROZEN"));
  }
  const before = mesh.balance(thief.address).free;
  assert.deepEqual(act("accept", other, offer), OK);
  assert.equal(mesh.balance(thief.address).free, before + 90n);
  assert.equal(people.cancel(thief, id, thief).ok, true);
  assert.equal(act("offer", thief, disputed(), 0n).ok, true);
});

test("a person who was recovered goes on with the new key, and the old one is nobody", () => {
  const lesson = disputed();
  const offer = act("offer", AMINA, lesson, 8000n);
  const { id, fresh } = people.recovering(TOMAS, guardians.slice(1));
  mesh.advance(46 * 86_400);
  assert.equal(people.finish(id, TOMAS).ok, true);
  assert.deepEqual(act("accept", TOMAS, offer), err("KEY-REVOKED"));
  assert.deepEqual(act("accept", fresh, offer), OK);
  assert.deepEqual([disputeOf(mesh, lesson.id).ended, disputeOf(mesh, lesson.id).share], [BY_AGREEMENT, 8000n]);
});

test("a contract that a person calls opens, offers, takes, votes and enrols nothing in the person's name", async () => {
  mesh = await bootDistrict();
  mesh.deploy("lure", LURE);
  const lure = (method, id, who) => mesh.call("lure", method, [id], who.address);
  const unknown = err("KEY-UNKNOWN");
  assert.deepEqual(lure("open-it", confirmed(mesh, { amount: 100n }).id, AMINA), unknown);
  const lesson = disputed();
  const offer = act("offer", TOMAS, lesson, BPS);
  assert.deepEqual(lure("offer-it", lesson.id, AMINA), unknown);
  assert.deepEqual(lure("accept-it", offer.id, AMINA), unknown);
  const [judge] = drawnOf(mesh, lesson);
  mesh.waitUntil(votingTime(mesh, lesson).from);
  assert.deepEqual(lure("vote-it", lesson.id, judge), unknown);
  assert.deepEqual(mesh.call("lure", "enrol-it", [AMINA.address]), errorsOf("panel")("NOT-STEWARD"));
  assert.equal(disputeOf(mesh, lesson.id).ended, OPEN);
});
