// The panel and the draw: who may judge, and that nobody chooses by whom.
import assert from "node:assert/strict";
import { test } from "node:test";
import { person } from "./lib/action.mjs";
import {
  arbitersOf, bootDistrict, BY_VOTE, confirmed, disputeOf, drawAgain, drawnOf, enrol, member, OK, PANEL, resolution,
  settlePeople, STRANGER, votingTime, WALLET,
} from "./lib/disputes.mjs";
import { errorsOf, eventsOf, grant, PROTOCOL } from "./lib/money.mjs";
import { AMINA } from "./lib/village.mjs";

const err = errorsOf("panel");
const arbiter = errorsOf("dispute-resolution");
const DRAW_DELAY = 6;
const HEADERS = "(define-read-only (header (at uint)) (get-burn-block-info? header-hash at))";

const seatOf = (mesh, seat) => mesh.read("panel", "get-seat", [BigInt(seat)]);
const isEnrolled = (mesh, who) => mesh.read("panel", "is-enrolled", [who.address]);
/** A disputed lesson whose header is known. */
const disputed = (mesh, terms) => {
  const lesson = confirmed(mesh, { amount: 100n, ...terms });
  assert.deepEqual(WALLET.open(mesh, lesson.student, lesson), OK);
  mesh.vm.mineEmptyBurnBlocks(DRAW_DELAY);
  return lesson;
};
const addresses = (people) => people.map((one) => one.address);

test("the owner and stewards enrol and dismiss; nobody else does, not even the gateway", async () => {
  const mesh = await bootDistrict([]);
  const [ada, steward] = [PANEL[0], person("steward").address];
  settlePeople(mesh, [ada]);
  mesh.call("access", "steward-add", [steward]);
  for (const sender of [PROTOCOL, ada.address, AMINA.address]) {
    assert.deepEqual(enrol(mesh, ada, true, sender), err("NOT-STEWARD"));
  }
  const done = mesh.run("panel", "panel-set", [ada.address, true], steward);
  assert.deepEqual([done.ok, eventsOf(done)], [true, ["panel-set"]]);
  assert.deepEqual(enrol(mesh, ada, false, ada.address), err("NOT-STEWARD"));
  assert.deepEqual(enrol(mesh, ada, false, mesh.deployer), OK);
  mesh.call("access", "steward-remove", [steward]);
  assert.deepEqual(enrol(mesh, ada, true, steward), err("NOT-STEWARD"));
});

test("only a registered person is enrolled, once at a time, and only a member is dismissed", async () => {
  const mesh = await bootDistrict([]);
  const ghost = person("ghost");
  assert.deepEqual(enrol(mesh, ghost), err("PERSON-UNKNOWN"));
  assert.deepEqual(enrol(mesh, `${mesh.deployer}.access`), err("PERSON-UNKNOWN"));
  assert.deepEqual(enrol(mesh, STRANGER, false), err("NOT-ENROLLED"));
  assert.deepEqual([enrol(mesh, STRANGER), enrol(mesh, STRANGER)], [OK, err("ENROLLED")]);
  assert.deepEqual([enrol(mesh, STRANGER, false), enrol(mesh, STRANGER, false)], [OK, err("NOT-ENROLLED")]);
});

const seatCount = (mesh) => mesh.read("panel", "get-seat-count");

test("who comes back has the old seat, which knows when it was held", async () => {
  const mesh = await bootDistrict(PANEL.slice(0, 2));
  const [ada] = PANEL;
  const [{ turns: [taken] }, opened] = [seatOf(mesh, 0), disputed(mesh)];
  const until = votingTime(mesh, opened).until;
  const leaving = mesh.now;
  enrol(mesh, ada, false);
  assert.equal(isEnrolled(mesh, ada), false);
  assert.deepEqual(seatOf(mesh, 0), { who: ada.address, home: ada.home, turns: [taken, leaving], kept: until });
  const back = mesh.now;
  assert.deepEqual(enrol(mesh, ada), OK);
  assert.equal(isEnrolled(mesh, ada), true);
  assert.deepEqual(seatOf(mesh, 0), { who: ada.address, home: ada.home, turns: [taken, leaving, back], kept: 0n });
  assert.equal(seatCount(mesh), 2n);
});

// Kills choosing arbiters by dismissing those who were drawn.
test("a seat goes to somebody else only when no dispute from before may hear a vote any more", async () => {
  const mesh = await bootDistrict(PANEL.slice(0, 3));
  const late = ["fay", "gus", "hana"].map((name) => member(name));
  settlePeople(mesh, late);
  const lesson = disputed(mesh);
  const drawn = arbitersOf(mesh, lesson.id);
  enrol(mesh, PANEL[0], false);
  enrol(mesh, late[0]);
  assert.equal(seatOf(mesh, 3)?.who, late[0].address);
  mesh.waitUntil(votingTime(mesh, lesson).until);
  enrol(mesh, late[1]);
  assert.equal(seatOf(mesh, 4)?.who, late[1].address);
  assert.deepEqual(arbitersOf(mesh, lesson.id), drawn);
  const now = mesh.now;
  enrol(mesh, late[2]);
  assert.deepEqual(seatOf(mesh, 0), { who: late[2].address, home: late[2].home, turns: [now], kept: 0n });
  assert.equal(seatCount(mesh), 5n);
});

test("a panel that many joined and left is no worse than a new one", async () => {
  const gone = Array.from({ length: 30 }, (_, i) => member(`gone ${i}`));
  const mesh = await bootDistrict([]);
  settlePeople(mesh, [...gone, ...PANEL]);
  for (const one of gone) enrol(mesh, one);
  for (const one of gone) enrol(mesh, one, false);
  for (const one of PANEL) enrol(mesh, one);
  for (let i = 0; i < 20; i++) {
    enrol(mesh, gone[i], true);
    enrol(mesh, gone[i], false);
  }
  assert.equal(seatCount(mesh), 30n);
  for (let i = 0; i < 25; i++) enrol(mesh, gone[i]);
  assert.equal(seatCount(mesh), 30n);
  assert.deepEqual(new Set(PANEL.map((one) => isEnrolled(mesh, one))), new Set([true]));
});

test("who comes and goes more often than a seat remembers gets another, and no draw changes", async () => {
  const mesh = await bootDistrict();
  const [first, ...later] = [1, 2, 3].map(() => disputed(mesh));
  const drawn = arbitersOf(mesh, first.id);
  const [one] = drawnOf(mesh, first);
  for (let i = 0; i < 4; i++) assert.deepEqual([enrol(mesh, one, false), enrol(mesh, one)], [OK, OK]);
  assert.equal(seatCount(mesh), 6n);
  assert.equal(seatOf(mesh, 5).who, one.address);
  assert.deepEqual([first, ...later].map((lesson) => arbitersOf(mesh, lesson.id).length), [3, 3, 3]);
  assert.deepEqual(arbitersOf(mesh, first.id), drawn);
  mesh.waitUntil(votingTime(mesh, first).from);
  assert.deepEqual(WALLET.vote(mesh, one, first, 0n), OK);
});

test("an opening while somebody is away never draws that person, also after the return", async () => {
  const mesh = await bootDistrict(PANEL.slice(0, 3));
  const [away] = PANEL;
  const before = disputed(mesh);
  const drawn = arbitersOf(mesh, before.id);
  enrol(mesh, away, false);
  const during = [1, 2, 3].map(() => disputed(mesh));
  const without = during.map((lesson) => arbitersOf(mesh, lesson.id));
  assert.ok(!without.flat().includes(away.address));
  enrol(mesh, away);
  assert.deepEqual(during.map((lesson) => arbitersOf(mesh, lesson.id)), without);
  assert.deepEqual(arbitersOf(mesh, before.id), drawn);
});

test("only dispute-resolution says how long seats are kept, and an earlier end shortens nothing", async () => {
  const mesh = await bootDistrict(PANEL.slice(0, 1));
  const bind = (until, sender) => mesh.run("panel", "bind", [until], sender);
  for (const sender of [mesh.deployer, PANEL[0].address]) {
    assert.equal(bind(1n, sender).err, errorsOf("access")("NOT-ROLE").err);
  }
  grant(mesh, "dispute");
  const done = bind(mesh.now + 1000n, PROTOCOL);
  assert.deepEqual([done.ok, eventsOf(done)], [1n, ["panel-bound"]]);
  const far = mesh.now + 1_000_000n;
  bind(far, PROTOCOL);
  bind(5n, PROTOCOL);
  enrol(mesh, PANEL[0], false);
  assert.equal(seatOf(mesh, 0).kept, far);
});

test("nobody knows the arbiters before the sixth burn header after the opening", async () => {
  const mesh = await bootDistrict();
  const lesson = confirmed(mesh);
  assert.deepEqual(arbitersOf(mesh, lesson.id), []);
  WALLET.open(mesh, AMINA, lesson);
  mesh.vm.mineEmptyBurnBlocks(DRAW_DELAY - 1);
  assert.deepEqual(arbitersOf(mesh, lesson.id), []);
  mesh.vm.mineEmptyBurnBlock();
  const drawn = arbitersOf(mesh, lesson.id);
  assert.equal(new Set(drawn).size, 3);
  mesh.vm.mineEmptyBurnBlocks(1000);
  assert.deepEqual(arbitersOf(mesh, lesson.id), drawn);
});

test("the draw is the one that anybody can compute, whoever sits, has left, judges or is related", async () => {
  const [here, there] = [member("here", "of amina"), member("there", "of tomas")];
  const homeless = member("of no village", null);
  const panel = [...PANEL, here, there, homeless];
  const mesh = await bootDistrict(panel);
  mesh.deploy("headers", HEADERS);
  const [student, tutor] = [member("student", "of amina"), member("teacher", "of tomas")];
  settlePeople(mesh, [student, tutor]);
  for (const party of [student, tutor]) enrol(mesh, party);
  enrol(mesh, PANEL[4], false);
  mesh.call("payment-escrow", "deposit-for", [student.address, 10_000n]);
  const seats = [...panel, student, tutor]
    .map((one) => (one === PANEL[4] ? null : { who: one.address, home: one.home }));
  const everDrawn = new Set();
  for (let i = 0; i < 40; i++) {
    const lesson = disputed(mesh, { student, tutor });
    const mediator = i % 2 === 0 ? PANEL[i % 4] : null;
    if (mediator) WALLET.offer(mesh, mediator, lesson, 5000n);
    const header = mesh.read("headers", "header", [disputeOf(mesh, lesson.id).burn + BigInt(DRAW_DELAY)]);
    const closed = [student, tutor, mediator].filter((one) => one).map((one) => one.address);
    const drawn = arbitersOf(mesh, lesson.id);
    assert.deepEqual(drawn, drawAgain({ header, lesson: lesson.id, seats, closed, homes: [here.home, there.home] }));
    for (const one of drawn) everDrawn.add(one);
  }
  assert.deepEqual(everDrawn, new Set(addresses([...PANEL.slice(0, 4), homeless])));
});

test("a side, the mediator and the neighbours of a side never judge, however small the panel", async () => {
  const mesh = await bootDistrict([]);
  const [student, tutor] = [member("student", "of amina"), member("teacher", "of tomas")];
  const related = [student, tutor, member("here", "of amina"), member("there", "of tomas"), PANEL[0]];
  settlePeople(mesh, related);
  for (const one of related) enrol(mesh, one);
  mesh.call("payment-escrow", "deposit-for", [student.address, 1000n]);
  const lesson = disputed(mesh, { student, tutor });
  assert.deepEqual(arbitersOf(mesh, lesson.id), [PANEL[0].address]);
  assert.deepEqual(WALLET.offer(mesh, PANEL[0], lesson, 5000n).ok, true);
  assert.deepEqual(arbitersOf(mesh, lesson.id), []);
});

test("whoever paid the price for the student doesn't judge about it", async () => {
  const mesh = await bootDistrict([]);
  settlePeople(mesh, PANEL.slice(0, 2));
  const [payer, other] = PANEL;
  for (const one of [payer, other]) enrol(mesh, one);
  mesh.call("payment-escrow", "deposit-for", [payer.address, 100n]);
  const lesson = confirmed(mesh, { amount: 100n, bits: 60n });
  assert.deepEqual(mesh.call("session-manager", "fund", [lesson.id, null, 100n], payer.address), OK);
  assert.deepEqual(WALLET.open(mesh, AMINA, lesson), OK);
  mesh.vm.mineEmptyBurnBlocks(DRAW_DELAY);
  assert.deepEqual(arbitersOf(mesh, lesson.id), [other.address]);
});

test("who named no home hub is nobody's neighbour, also not of another without one", async () => {
  const homeless = [0, 1, 2].map((i) => member(`homeless ${i}`, null));
  const mesh = await bootDistrict(homeless);
  const lesson = disputed(mesh);
  assert.deepEqual(new Set(arbitersOf(mesh, lesson.id)), new Set(addresses(homeless)));
});

test("an empty panel yields nobody, a panel of one yields one", async () => {
  const mesh = await bootDistrict([]);
  const without = disputed(mesh);
  settlePeople(mesh, [PANEL[0]]);
  enrol(mesh, PANEL[0]);
  const withOne = disputed(mesh);
  assert.deepEqual([arbitersOf(mesh, without.id), arbitersOf(mesh, withOne.id)], [[], [PANEL[0].address]]);
});

test("who enrols, leaves or comes back after the opening changes no draw", async () => {
  const mesh = await bootDistrict();
  const lesson = disputed(mesh);
  const drawn = arbitersOf(mesh, lesson.id);
  const late = ["fay", "gus", "hana"].map((name) => member(name));
  settlePeople(mesh, late);
  for (const one of late) enrol(mesh, one);
  for (const one of PANEL) enrol(mesh, one, false);
  assert.deepEqual(arbitersOf(mesh, lesson.id), drawn);
  for (const one of PANEL) enrol(mesh, one);
  assert.deepEqual(arbitersOf(mesh, lesson.id), drawn);
});

test("who left before the opening is not drawn, also when its seat is", async () => {
  const mesh = await bootDistrict();
  for (const one of PANEL.slice(0, 4)) enrol(mesh, one, false);
  const drawn = [1, 2, 3].map(() => arbitersOf(mesh, disputed(mesh).id));
  assert.deepEqual(new Set(drawn.flat()), new Set([PANEL[4].address]));
});

test("a dismissed arbiter votes on what was opened before, so dismissing chooses nobody", async () => {
  const mesh = await bootDistrict();
  const lesson = disputed(mesh);
  const drawn = drawnOf(mesh, lesson);
  const others = PANEL.filter((one) => !drawn.includes(one));
  const steward = person("steward").address;
  mesh.call("access", "steward-add", [steward]);
  for (const one of drawn.slice(0, 2)) assert.deepEqual(enrol(mesh, one, false, steward), OK);
  const after = disputed(mesh);
  mesh.waitUntil(votingTime(mesh, after).from);
  for (const one of others) assert.deepEqual(WALLET.vote(mesh, one, lesson, 0n), arbiter("NOT-ARBITER"));
  for (const one of drawn.slice(0, 2)) {
    assert.deepEqual(WALLET.vote(mesh, one, after, 0n), arbiter("NOT-ARBITER"));
    assert.deepEqual(WALLET.vote(mesh, one, lesson, 0n), OK);
  }
  assert.equal(disputeOf(mesh, lesson.id).ended, BY_VOTE);
});

test("only the gateway acts for somebody else", async () => {
  const mesh = await bootDistrict([]);
  const role = errorsOf("access")("NOT-ROLE");
  const id = "ab".repeat(32);
  const who = AMINA.address;
  const calls = [
    ["open-for", who, id, null, 1n], ["offer-for", who, id, id, 1n], ["accept-for", who, id],
    ["vote-for", who, id, 1n, 1n], ["settle-for", id],
  ];
  for (const [method, ...args] of calls) {
    for (const sender of [who, mesh.deployer]) assert.deepEqual(resolution(mesh, method, args, sender), role, method);
  }
});
