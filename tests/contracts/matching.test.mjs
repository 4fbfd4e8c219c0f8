// A tutor offers for a request, its student takes one offer, and the terms stay those that were offered.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { directId, person, sha256 } from "./lib/action.mjs";
import { code } from "./lib/mesh.mjs";
import { HOUR, Match, MATHS, offerSet, offerWithdraw, PHYSICS, requestClose, requestOpen } from "./lib/market.mjs";
import { plain, ZEROS } from "./lib/values.mjs";
import { AMINA, bootVillage, Lesson, register, START, TOMAS } from "./lib/village.mjs";

const RIVAL = person("rival, tutor");
const INT_MAX = 2n ** 63n - 1n;
const HUGE = [INT_MAX + 1n, 2n ** 128n - 1n];
const SALT = sha256("salt");
const error = (name) => code(`matching-engine/ERR-${name}`);
const request = (name) => code(`student-request/ERR-${name}`);
let mesh;
let asked;
const submit = (...actions) => mesh.submit(actions);
const matched = (fields = {}) => new Match(mesh, { request: asked.id, student: AMINA, tutor: TOMAS, ...fields });
const engine = (method, args, sender) => mesh.run("matching-engine", method, args, sender);
const counts = () => mesh.read("matching-engine", "get-counts");
const event = (done) => plain(done.events.at(-1).data.value);

beforeEach(async () => {
  mesh = await bootVillage();
  asked = requestOpen(mesh, AMINA);
  submit(register(mesh, RIVAL), asked);
});

test("a student takes one of several offers, and the request is matched by that", () => {
  const [one, two] = [matched(), matched({ tutor: RIVAL, price: 90n })];
  assert.deepEqual(submit(one.offer, two.offer), [0n, 0n]);
  assert.deepEqual(mesh.read("matching-engine", "get-match", [two.id]), { request: asked.id, tutor: RIVAL.address,
    student: AMINA.address, price: 90n, asset: null, start: START, minutes: HOUR, accepted: false });
  assert.deepEqual(submit(two.accept(), one.accept(), two.accept({ who: null })),
    [0n, request("NOT-OPEN"), error("ACCEPTED")]);
  assert.equal(mesh.read("matching-engine", "get-match", [two.id]).accepted, true);
  assert.equal(mesh.read("matching-engine", "get-match", [one.id]).accepted, false);
  assert.equal(mesh.read("student-request", "get-request", [asked.id]).state, 2n);
  assert.deepEqual(counts(), { offered: 2n, accepted: 1n });
  assert.equal(mesh.read("student-request", "get-counts").matched, 1n);
});

test("a lesson that was matched is booked by naming the match", () => {
  const one = matched();
  const lesson = new Lesson(mesh, { amount: 150n });
  const booking = mesh.action(AMINA, { ...lesson.booking.fields, subject: one.id });
  assert.deepEqual(submit(one.offer, one.accept(), booking), [0n, 0n, 0n]);
  assert.equal(mesh.read("session-manager", "get-lesson", [booking.id]).offer, one.id);
});

test("an acceptance repeats the terms, every one of them", () => {
  const one = matched();
  const late = matched({ price: 1n });
  submit(one.offer);
  const changed = [{ amount: 149n }, { asset: mesh.hours }, { moment: START + 1n }, { bits: 61n },
    { who: RIVAL.address }];
  for (const fields of changed) assert.deepEqual(submit(one.accept(fields)), [error("TERMS")]);
  assert.deepEqual(submit(late.accept(), one.accept({ who: null })), [error("MATCH-UNKNOWN"), 0n]);
});

test("only the student of the request takes an offer", () => {
  const one = matched();
  submit(one.offer);
  for (const by of [TOMAS, RIVAL]) {
    assert.deepEqual(submit(mesh.action(by, { ...one.accept().fields, author: by.address })), [error("NOT-STUDENT")]);
  }
});

test("an offer names the request's own student and money, and nobody offers to oneself", () => {
  const self = mesh.action(AMINA, { ...matched().offer.fields, author: AMINA.address });
  assert.deepEqual(submit(matched({ student: RIVAL }).offer, matched({ asset: mesh.hours }).offer, self),
    [error("TERMS"), error("TERMS"), error("SAME-PERSON")]);
});

test("a price keeps to the ceiling per hour, to the unit", () => {
  const tried = [[200n, 60n], [201n, 60n], [100n, 30n], [101n, 30n], [3n, 1n], [4n, 1n], [13_650n, 4095n],
    [13_651n, 4095n]].map(([price, minutes]) => matched({ price, minutes }).offer);
  const over = error("CEILING");
  assert.deepEqual(mesh.submit(tried), [0n, over, 0n, over, 0n, over, 0n, over]);
  const any = requestOpen(mesh, AMINA, { amount: 0n });
  assert.deepEqual(submit(any, matched({ request: any.id, price: INT_MAX, minutes: 1n }).offer), [0n, 0n]);
});

test("a closed, matched or expired request takes neither offers nor acceptances", () => {
  const [closed, brief] = [requestOpen(mesh, AMINA), requestOpen(mesh, AMINA, { expires: mesh.now + 100n })];
  const unknown = matched({ request: SALT });
  const [one, two] = [closed, brief].map(({ id }) => matched({ request: id }));
  submit(closed, brief, one.offer, two.offer, requestClose(mesh, AMINA, closed.id));
  assert.deepEqual(submit(unknown.offer, matched({ request: closed.id }).offer, one.accept()),
    [request("REQUEST-UNKNOWN"), request("NOT-OPEN"), request("NOT-OPEN")]);
  mesh.advance(3600);
  assert.deepEqual(submit(matched({ request: brief.id }).offer, two.accept()),
    [request("EXPIRED"), request("EXPIRED")]);
});

test("a lesson lasts from one minute to what a booking can say, and numbers are the protocol's", () => {
  assert.deepEqual(submit(matched({ minutes: 4096n }).offer), [error("MINUTES")]);
  const any = requestOpen(mesh, AMINA, { amount: 0n });
  submit(any);
  const offer = (price, start, minutes) =>
    engine("match-offer", [SALT, any.id, AMINA.address, price, null, start, minutes], TOMAS.address);
  assert.equal(offer(1n, 1n, 0n).err, error("MINUTES"));
  for (const huge of HUGE) {
    assert.equal(offer(huge, 1n, 1n).err, error("RANGE"));
    assert.equal(offer(1n, huge, 1n).err, error("RANGE"));
    assert.equal(offer(1n, 1n, huge).err, error("MINUTES"));
  }
  assert.equal(offer(INT_MAX, INT_MAX, 4095n).ok, true);
});

test("from wallets the same agreement comes about, under an id that nobody else can take", () => {
  const terms = [150n, null, START, HOUR];
  const id = directId(TOMAS.address, "match-offer", SALT);
  const offer = () => engine("match-offer", [SALT, asked.id, AMINA.address, ...terms], TOMAS.address);
  assert.deepEqual(event(offer()), { event: "match-offered", id, request: asked.id, tutor: TOMAS.address,
    student: AMINA.address, asset: null, price: 150n, start: START, minutes: HOUR });
  assert.equal(offer().err, error("MATCH-EXISTS"));
  const accept = (sender) => engine("match-accept", [id, null, ...terms], sender);
  assert.equal(accept(TOMAS.address).err, error("NOT-STUDENT"));
  const done = accept(AMINA.address);
  assert.equal(done.ok, true);
  assert.deepEqual(done.events.map((one) => plain(one.data.value).event), ["request-matched", "match-accepted"]);
  assert.deepEqual(event(done),
    { event: "match-accepted", id, request: asked.id, tutor: TOMAS.address, student: AMINA.address });
});

test("only the gateway offers and accepts for somebody", () => {
  const notRole = code("access/ERR-NOT-ROLE");
  const terms = [150n, null, START, HOUR];
  for (const sender of [TOMAS.address, mesh.deployer]) {
    const offer = [TOMAS.address, SALT, asked.id, AMINA.address, ...terms];
    assert.equal(engine("match-offer-for", offer, sender).err, notRole);
    assert.equal(engine("match-accept-for", [AMINA.address, SALT, null, ...terms], sender).err, notRole);
  }
});

test("the score of a tutor counts the offer that stands and the ratings, and nothing else", () => {
  const score = (id = asked.id, tutor = TOMAS) => mesh.read("matching-engine", "get-score", [id, tutor.address]);
  const offer = offerSet(mesh, TOMAS);
  assert.equal(score(), 0n);
  submit(offer);
  assert.equal(score(), 3000n + 3000n + 1000n + 1000n);
  mesh.submit(new Lesson(mesh).whole(4n));
  assert.equal(score(), 3000n + 3000n + 1000n + 1500n);
  const other = offerSet(mesh, TOMAS, { subject: offer.id, bits: PHYSICS });
  submit(other);
  assert.equal(score(), 0n);
  const both = requestOpen(mesh, AMINA, { bits: MATHS + PHYSICS });
  submit(both);
  assert.equal(score(both.id), 1500n + 3000n + 1000n + 1500n);
  assert.equal(score(both.id, RIVAL), 0n);
  assert.equal(score(ZEROS), 0n);
  submit(offerWithdraw(mesh, TOMAS, other.id));
  assert.equal(score(both.id), 0n);
});

test("a closed request scores nobody, and an offer in other money nothing", () => {
  const inHours = requestOpen(mesh, AMINA, { asset: mesh.hours });
  submit(offerSet(mesh, TOMAS), inHours, requestClose(mesh, AMINA, asked.id));
  for (const id of [inHours.id, asked.id]) {
    assert.equal(mesh.read("matching-engine", "get-score", [id, TOMAS.address]), 0n);
  }
});
