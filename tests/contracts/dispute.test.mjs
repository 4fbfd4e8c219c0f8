// A dispute from its opening to an agreement: who may open, what it costs, and whose word settles it.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { person } from "./lib/action.mjs";
import {
  bondOf, bootDistrict, BPS, BY_AGREEMENT, confirmed, disputeOf, enrol, GATEWAY, GRACE, OK, OPEN, PANEL, resolution,
  STRANGER, votingTime, WALLET,
} from "./lib/disputes.mjs";
import { CONFIRMED, DISPUTED, POOL_BIT, SETTLED } from "./lib/lessons.mjs";
import { errorsOf, eventsOf, idOf, INT_MAX, lockOf, Pool } from "./lib/money.mjs";
import { ZEROS } from "./lib/values.mjs";
import { AMINA, Lesson, TOMAS } from "./lib/village.mjs";

const err = errorsOf("dispute-resolution");
const [ADA, BEN] = PANEL;
const GHOST = person("ghost");
let mesh;
const state = (lesson) => mesh.read("session-manager", "get-lesson", [lesson.id]).state;
const money = (who) => mesh.balance(who.address);
const counts = () => mesh.read("dispute-resolution", "get-counts");
const act = (name, ...args) => WALLET[name](mesh, ...args);
/** A lesson in dispute, opened by its student unless another is named. */
const disputed = ({ by = AMINA, ...terms } = {}) => {
  const lesson = confirmed(mesh, { amount: 200n, ...terms });
  assert.deepEqual(act("open", by, lesson), OK);
  return lesson;
};

before(async () => {
  mesh = await bootDistrict();
});

for (const [form, acts] of [["from a wallet", WALLET], ["through the gateway", GATEWAY]]) {
  test(`${form}, an opening holds the lesson and the opener's bond, and records the moment`, () => {
    const lesson = confirmed(mesh, { amount: 390n });
    const before = money(TOMAS);
    const at = mesh.now;
    const { burnBlockHeight } = mesh.vm;
    assert.deepEqual(acts.open(mesh, TOMAS, lesson, AMINA.address), OK);
    assert.equal(state(lesson), DISPUTED);
    assert.deepEqual(money(TOMAS), { free: before.free - 19n, locked: before.locked + 19n });
    assert.deepEqual(disputeOf(mesh, lesson.id), {
      student: AMINA.address, tutor: TOMAS.address, homes: [null, null], payer: AMINA.address, opener: TOMAS.address,
      bond: 19n, "opened-at": at, grace: GRACE, burn: BigInt(burnBlockHeight), seats: 5n, "student-offer": null,
      "tutor-offer": null, mediator: null, "mediator-offer": null, accepted: 0n, votes: [], ended: OPEN, share: 0n,
    });
    assert.deepEqual(lockOf(mesh, bondOf(mesh, lesson.id)).amount, 19n);
  });
}

test("an opening prints one event and counts once", () => {
  const before = counts().opened;
  const lesson = confirmed(mesh, { amount: 100n });
  const done = mesh.run("dispute-resolution", "open", [lesson.id, null, 3n], AMINA.address);
  assert.deepEqual(eventsOf(done).filter((name) => name.startsWith("dispute")), ["dispute-opened"]);
  assert.equal(counts().opened, before + 1n);
});

test("only a side of the lesson opens, and names the other side or nobody", () => {
  const lesson = confirmed(mesh, { amount: 100n });
  assert.deepEqual(act("open", STRANGER, lesson), err("NOT-PARTY"));
  assert.deepEqual(act("open", ADA, lesson), err("NOT-PARTY"));
  assert.deepEqual(act("open", GHOST, lesson), errorsOf("user-registry")("KEY-UNKNOWN"));
  for (const other of [AMINA, STRANGER]) assert.deepEqual(act("open", AMINA, lesson, other.address), err("OTHER"));
  assert.deepEqual(act("open", TOMAS, lesson, TOMAS.address), err("OTHER"));
  assert.equal(disputeOf(mesh, lesson.id), null);
  assert.deepEqual(act("open", TOMAS, lesson, AMINA.address), OK);
});

test("a lesson is disputed once, by whichever side, also after its end", () => {
  const lesson = disputed();
  for (const who of [AMINA, TOMAS]) assert.deepEqual(act("open", who, lesson), err("OPENED"));
  const offer = act("offer", TOMAS, lesson, 0n);
  assert.deepEqual(act("accept", AMINA, offer), OK);
  for (const who of [AMINA, TOMAS]) assert.deepEqual(act("open", who, lesson), err("OPENED"));
});

test("nothing is disputed that is unknown, unconfirmed, over, or holds no money of its own", () => {
  assert.deepEqual(act("open", AMINA, { id: ZEROS }), err("LESSON-UNKNOWN"));
  mesh.call("payment-escrow", "deposit-for", [ADA.address, 1000n]);
  const pool = new Pool(mesh, { sponsor: ADA });
  assert.deepEqual(pool.open(), OK);
  const booked = new Lesson(mesh, { amount: 10n });
  const [cancelled, paid, claimed] =
    [1, 2, 3].map(() => confirmed(mesh, { amount: 10n, attended: [], start: mesh.now }));
  const unfunded = confirmed(mesh, { amount: 10n, bits: 60n });
  const pooled = confirmed(mesh, { amount: 10n, bits: POOL_BIT + 60n, offer: pool.id });
  assert.deepEqual(mesh.submit([booked.booking, paid.attend(AMINA), paid.attend(TOMAS), paid.complete()]),
    [0n, 0n, 0n, 0n]);
  assert.deepEqual(mesh.call("session-manager", "cancel", [cancelled.id, null], TOMAS.address), OK);
  mesh.advance(GRACE + 100n);
  assert.deepEqual(mesh.call("session-manager", "claim", [claimed.id], STRANGER.address), OK);
  const refusals = [[booked, "NOT-CONFIRMED"], [cancelled, "OVER"], [paid, "OVER"], [claimed, "OVER"],
    [unfunded, "NOT-FUNDED"], [pooled, "NOT-FUNDED"]];
  for (const [lesson, name] of refusals) {
    assert.deepEqual(act("open", AMINA, lesson), errorsOf("session-manager")(name));
    assert.equal(disputeOf(mesh, lesson.id), null);
    assert.equal(lockOf(mesh, bondOf(mesh, lesson.id)), null);
  }
});

test("a disputed lesson is completed, cancelled, declined, moved and claimed by nobody", () => {
  const lesson = disputed({ start: mesh.now });
  mesh.advance(GRACE + 100n);
  const session = (method, args, who) => mesh.call("session-manager", method, args, who.address);
  const tries = [
    session("complete", [lesson.id, null], AMINA), session("cancel", [lesson.id, null], AMINA),
    session("cancel", [lesson.id, null], TOMAS), session("decline", [lesson.id, null], TOMAS),
    session("move", [ZEROS, lesson.id, null, mesh.now, 0n], AMINA), session("claim", [lesson.id], STRANGER),
  ];
  for (const outcome of tries) assert.deepEqual(outcome, errorsOf("session-manager")("DISPUTED"));
  assert.equal(state(lesson), DISPUTED);
});

test("who has less than the bond opens with what there is, and who has nothing for nothing", () => {
  const poor = STRANGER;
  mesh.call("payment-escrow", "deposit-for", [poor.address, 409n]);
  const lessons = [1, 2].map(() => confirmed(mesh, { student: poor, amount: 200n }));
  for (const lesson of lessons) assert.deepEqual(act("open", poor, lesson), OK);
  assert.deepEqual(lessons.map((lesson) => disputeOf(mesh, lesson.id).bond), [9n, 0n]);
  assert.deepEqual(money(poor), { free: 0n, locked: 409n });
  assert.deepEqual([lockOf(mesh, bondOf(mesh, lessons[0].id)).amount, lockOf(mesh, bondOf(mesh, lessons[1].id))],
    [9n, null]);
  for (const lesson of lessons) assert.deepEqual(act("accept", poor, act("offer", TOMAS, lesson, 0n)), OK);
  assert.deepEqual(money(poor), { free: 409n, locked: 0n });
});

test("a bond is of the price's asset, however much of another the opener has", () => {
  const lesson = confirmed(mesh, { amount: 100n, asset: mesh.hours });
  assert.ok(money(TOMAS).free > 100n);
  assert.deepEqual(act("open", TOMAS, lesson), OK);
  assert.deepEqual(disputeOf(mesh, lesson.id).bond, 0n);
});

test("a bond that rounds to nothing, or that the mesh doesn't ask, is no lock at all", () => {
  const small = disputed({ amount: 19n });
  mesh.call("access", "set-dispute-bond", [0n]);
  const free = disputed({ amount: 1000n });
  mesh.call("access", "set-dispute-bond", [500n]);
  for (const lesson of [small, free]) {
    assert.equal(disputeOf(mesh, lesson.id).bond, 0n);
    assert.equal(lockOf(mesh, bondOf(mesh, lesson.id)), null);
    assert.deepEqual(act("accept", AMINA, act("offer", TOMAS, lesson, 5000n)), OK);
  }
});

test("the largest price of the protocol has its bond computed without overflow", () => {
  const [rich, terms] = [BEN, { student: BEN, amount: INT_MAX }];
  mesh.fund(mesh.deployer, INT_MAX);
  mesh.call("payment-escrow", "deposit-for", [rich.address, INT_MAX]);
  const lesson = confirmed(mesh, terms);
  mesh.call("payment-escrow", "deposit-for", [rich.address, 1n]);
  assert.deepEqual(act("open", rich, lesson), OK);
  assert.equal(disputeOf(mesh, lesson.id).bond, 1n);
});

test("taking the other side's last offer ends the dispute, and the bond comes back", () => {
  const before = [money(AMINA), money(TOMAS), counts()];
  const lesson = disputed({ amount: 333n });
  assert.deepEqual(act("accept", AMINA, act("offer", TOMAS, lesson, 5000n)), OK);
  assert.deepEqual(money(AMINA), { ...before[0], free: before[0].free - 166n });
  assert.deepEqual(money(TOMAS), { ...before[1], free: before[1].free + 166n });
  const { ended, share } = disputeOf(mesh, lesson.id);
  assert.deepEqual([ended, share, state(lesson)], [BY_AGREEMENT, 5000n, SETTLED]);
  assert.equal(counts()["by-agreement"], before[2]["by-agreement"] + 1n);
  assert.equal(counts().settled, before[2].settled + 1n);
});

test("nobody takes an offer of their own, a replaced one, an unknown one, or somebody else's", () => {
  const lesson = disputed();
  const first = act("offer", TOMAS, lesson, 9000n);
  const second = act("offer", TOMAS, lesson, 8000n);
  assert.deepEqual(act("accept", AMINA, first), err("OFFER-REPLACED"));
  assert.deepEqual(act("accept", TOMAS, second), err("OWN-OFFER"));
  assert.deepEqual(act("accept", STRANGER, second), err("NOT-PARTY"));
  assert.deepEqual(act("accept", ADA, second), err("NOT-PARTY"));
  assert.deepEqual(act("accept", AMINA, { id: ZEROS }), err("OFFER-UNKNOWN"));
  assert.equal(disputeOf(mesh, lesson.id).ended, OPEN);
  assert.deepEqual(act("accept", AMINA, second), OK);
});

test("an offer of one dispute settles no other", () => {
  const [cheap, dear] = [disputed({ amount: 1n }), disputed({ amount: 400n })];
  const offer = act("offer", TOMAS, cheap, BPS);
  assert.deepEqual(act("accept", AMINA, offer), OK);
  assert.deepEqual([disputeOf(mesh, cheap.id).ended, disputeOf(mesh, dear.id).ended], [BY_AGREEMENT, OPEN]);
  assert.deepEqual(disputeOf(mesh, dear.id)["tutor-offer"], null);
});

test("a share is at most the whole, and nothing is left by the smallest", () => {
  const lesson = disputed({ amount: 77n });
  for (const share of [BPS + 1n, INT_MAX, 2n ** 128n - 1n]) {
    assert.deepEqual(resolution(mesh, "offer", [ZEROS, lesson.id, share], AMINA.address), err("SHARE"));
  }
  assert.deepEqual(act("accept", TOMAS, act("offer", AMINA, lesson, 0n)), OK);
  const whole = disputed({ amount: 77n });
  const before = money(TOMAS).free;
  assert.deepEqual(act("accept", TOMAS, act("offer", AMINA, whole, BPS)), OK);
  assert.equal(money(TOMAS).free, before + 77n);
});

test("an offer's id is used once, and a wallet's is its own", () => {
  const lesson = disputed();
  const salt = idOf("salt of an offer");
  const first = act("offer", TOMAS, lesson, 1n, lesson.id, salt);
  assert.equal(first.ok, true);
  assert.equal(act("offer", TOMAS, lesson, 2n, first.id, salt).err, err("OFFER-EXISTS").err);
  assert.equal(act("offer", AMINA, lesson, 2n, lesson.id, salt).ok, true);
  assert.equal(disputeOf(mesh, lesson.id)["tutor-offer"], first.id);
});

for (const [form, acts] of [["from a wallet", WALLET], ["through the gateway", GATEWAY]]) {
  test(`${form}, an offer replaces exactly the one that it names, so no older one ever stands again`, () => {
    const lesson = disputed();
    const offer = (who, share, subject) => acts.offer(mesh, who, lesson, share, subject);
    const first = offer(TOMAS, 1000n, lesson.id);
    assert.equal(offer(TOMAS, 2000n, lesson.id).err, err("VERSION").err);
    const second = offer(TOMAS, 9000n, first.id);
    for (const subject of [lesson.id, first.id]) assert.equal(offer(TOMAS, 1000n, subject).err, err("VERSION").err);
    assert.equal(offer(AMINA, 1n, second.id).err, err("VERSION").err);
    assert.equal(offer(TOMAS, 1n, ZEROS).err, err("DISPUTE-UNKNOWN").err);
    assert.deepEqual(acts.accept(mesh, AMINA, first), err("OFFER-REPLACED"));
    assert.equal(disputeOf(mesh, lesson.id)["tutor-offer"], second.id);
    assert.equal(offer(AMINA, 1n, lesson.id).ok, true);
    assert.deepEqual(acts.accept(mesh, AMINA, second), OK);
  });
}

// Kills an offer that stands again because a stranger relays it once more after its successor.
test("signed offers stand in the order in which they replace each other, in whatever order they are relayed", () => {
  const lesson = disputed();
  const offer = (subject, amount) => mesh.action(TOMAS, { action: "dispute-offer", subject, amount });
  const generous = offer(lesson.id, 1000n);
  const strict = offer(generous.id, 9000n);
  const take = ({ id }) => mesh.action(AMINA, { action: "dispute-accept", subject: id });
  const [UNKNOWN, VERSION, REPLACED] = [904n, 917n, 909n];
  assert.deepEqual(mesh.submit([strict]), [UNKNOWN]);
  assert.deepEqual(mesh.submit([generous, strict]), [0n, 0n]);
  const rival = offer(lesson.id, 0n);
  assert.deepEqual(mesh.submit([rival, take(rival), take(generous)], { relay: STRANGER.address }),
    [VERSION, 908n, REPLACED]);
  assert.deepEqual(mesh.submit([take(strict)]), [0n]);
  assert.equal(disputeOf(mesh, lesson.id).share, 9000n);
});

test("after its end a dispute takes no offer, no acceptance, no vote and no second end", () => {
  const lesson = disputed();
  const [theirs, ours] = [act("offer", TOMAS, lesson, 5000n), act("offer", AMINA, lesson, 4000n)];
  act("accept", AMINA, theirs);
  const before = [money(AMINA), money(TOMAS)];
  assert.equal(act("offer", AMINA, lesson, 1n).err, err("SETTLED").err);
  assert.deepEqual(act("accept", TOMAS, ours), err("SETTLED"));
  assert.deepEqual(act("vote", ADA, lesson, 0n), err("SETTLED"));
  assert.deepEqual(act("settle", lesson), err("SETTLED"));
  assert.deepEqual([money(AMINA), money(TOMAS)], before);
});

test("before its opening a dispute takes nothing", () => {
  const lesson = confirmed(mesh, { amount: 10n });
  for (const outcome of [act("offer", AMINA, lesson, 1n), act("vote", ADA, lesson, 0n), act("settle", lesson)]) {
    assert.equal(outcome.err, err("DISPUTE-UNKNOWN").err);
  }
});

test("the two sides may agree as long as nothing else ended the dispute", () => {
  const lesson = disputed();
  mesh.waitUntil(votingTime(mesh, lesson).until + 10n);
  assert.deepEqual(act("accept", TOMAS, act("offer", AMINA, lesson, 2500n)), OK);
  assert.equal(disputeOf(mesh, lesson.id).ended, BY_AGREEMENT);
});
