// What tutors offer and what students ask: one offer per tutor and asset, replaced by name; requests with an end.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { directId, person, sha256 } from "./lib/action.mjs";
import { BLOCK_SECONDS, code, STX } from "./lib/mesh.mjs";
import { MATHS, offerSet, offerWithdraw, PHYSICS, requestClose, requestOpen } from "./lib/market.mjs";
import { maybe, plain, ZEROS } from "./lib/values.mjs";
import { AMINA, bootVillage, register, TOMAS } from "./lib/village.mjs";

const STRANGER = person("stranger of the market");
const INT_MAX = 2n ** 63n - 1n;
const HUGE = [INT_MAX + 1n, 2n ** 128n - 1n];
const SALT = sha256("salt");
const profile = (name) => code(`tutor-profile/ERR-${name}`);
const request = (name) => code(`student-request/ERR-${name}`);
let mesh;
const submit = (...actions) => mesh.submit(actions);
const offerOf = (tutor, asset = STX) =>
  mesh.read("tutor-profile", "get-offer", [tutor.address, asset === STX ? null : maybe(asset)]);
const offerCounts = () => mesh.read("tutor-profile", "get-counts");
const requestCounts = () => mesh.read("student-request", "get-counts");
const requestOf = (id) => mesh.read("student-request", "get-request", [id]);
const event = (done) => plain(done.events.at(-1).data.value);

beforeEach(async () => {
  mesh = await bootVillage();
});

test("an offer stands as it was signed, and is counted with its tutor", () => {
  const bits = MATHS + (1n << 32n) + (1n << 40n);
  const fields = { amount: 100n, moment: 2n ** 56n - 1n, bits, content: "ab".repeat(32) };
  const offer = offerSet(mesh, TOMAS, fields);
  const done = mesh.submitItems([offer.item]);
  assert.equal(done.ok[0].code, 0n);
  const { "changed-at": at, ...stored } = offerOf(TOMAS);
  assert.ok(at > 0n);
  assert.deepEqual(stored, { id: offer.id, rate: 100n, week: fields.moment, bits: fields.bits, content: fields.content,
    active: true });
  assert.deepEqual(offerCounts(), { offers: 1n, tutors: 1n });
  assert.deepEqual(mesh.read("tutor-profile", "get-offer-key", [offer.id]), { tutor: TOMAS.address, asset: null });
  assert.equal(offerOf(TOMAS, mesh.hours), null);
});

test("of two versions that replace the same offer the second is refused, whichever came first", () => {
  const first = offerSet(mesh, TOMAS);
  const versions = [50n, 70n].map((amount) => offerSet(mesh, TOMAS, { subject: first.id, amount }));
  const early = offerSet(mesh, TOMAS, { subject: versions[0].id, amount: 60n });
  assert.deepEqual(submit(early, first, ...versions, early),
    [profile("NOT-CURRENT"), 0n, 0n, profile("NOT-CURRENT"), 0n]);
  assert.equal(offerOf(TOMAS).rate, 60n);
  assert.deepEqual(submit(offerSet(mesh, TOMAS)), [profile("NOT-CURRENT")]);
  assert.deepEqual(offerCounts(), { offers: 1n, tutors: 1n });
});

test("a withdrawn offer is followed by one that names it, or by one that names none", () => {
  const first = offerSet(mesh, TOMAS);
  const second = offerSet(mesh, TOMAS, { subject: first.id });
  assert.deepEqual(submit(first, offerWithdraw(mesh, TOMAS, first.id), second), [0n, 0n, 0n]);
  assert.deepEqual(submit(offerWithdraw(mesh, TOMAS, second.id), offerSet(mesh, TOMAS)), [0n, 0n]);
  assert.deepEqual(offerCounts(), { offers: 1n, tutors: 1n });
});

test("offers in several assets count their tutor once, until the last is withdrawn", () => {
  const [stx, hours] = [offerSet(mesh, TOMAS), offerSet(mesh, TOMAS, { asset: mesh.hours })];
  assert.deepEqual(submit(stx, hours, offerSet(mesh, AMINA)), [0n, 0n, 0n]);
  assert.deepEqual(offerCounts(), { offers: 3n, tutors: 2n });
  assert.deepEqual(submit(offerWithdraw(mesh, TOMAS, stx.id)), [0n]);
  assert.deepEqual(offerCounts(), { offers: 2n, tutors: 2n });
  assert.deepEqual(submit(offerWithdraw(mesh, TOMAS, hours.id)), [0n]);
  assert.deepEqual(offerCounts(), { offers: 1n, tutors: 1n });
  assert.equal(offerOf(TOMAS).active, false);
});

test("only its tutor withdraws an offer, once, and only the newest", () => {
  const first = offerSet(mesh, TOMAS);
  const second = offerSet(mesh, TOMAS, { subject: first.id });
  const early = offerWithdraw(mesh, TOMAS, second.id);
  submit(register(mesh, STRANGER), first);
  assert.deepEqual(
    submit(early, offerWithdraw(mesh, STRANGER, first.id), second, offerWithdraw(mesh, TOMAS, first.id), early,
      offerWithdraw(mesh, TOMAS, second.id)),
    [profile("OFFER-UNKNOWN"), profile("NOT-TUTOR"), 0n, profile("NOT-CURRENT"), 0n, profile("WITHDRAWN")]);
});

test("an offer needs a subject, masks of 56 bits and a rate of the protocol", () => {
  assert.deepEqual(submit(offerSet(mesh, TOMAS, { bits: 1n << 32n })), [profile("SUBJECTS")]);
  for (const fields of [{ moment: 1n << 56n }, { bits: MATHS + (1n << 56n) }]) {
    assert.deepEqual(submit(offerSet(mesh, TOMAS, fields)), [profile("RANGE")]);
  }
  const args = (rate, week, bits) => [SALT, ZEROS, rate, null, week, bits, ZEROS];
  for (const huge of HUGE) {
    for (const [rate, week, bits] of [[huge, 0n, MATHS], [1n, huge, MATHS], [1n, 0n, huge]]) {
      assert.deepEqual(mesh.call("tutor-profile", "offer-set", args(rate, week, bits), TOMAS.address),
        { err: profile("RANGE") });
    }
  }
  for (const rate of [0n, 1n, INT_MAX]) {
    const { id } = offerOf(TOMAS) ?? { id: ZEROS };
    assert.deepEqual(submit(offerSet(mesh, TOMAS, { amount: rate, subject: id })), [0n]);
  }
});

test("from a wallet an offer has an id that nobody else can take, and is used once", () => {
  const set = (previous, sender) =>
    mesh.run("tutor-profile", "offer-set", [SALT, previous, 7n, null, 3n, PHYSICS, ZEROS], sender);
  const id = directId(TOMAS.address, "offer-set", SALT);
  const done = set(ZEROS, TOMAS.address);
  assert.equal(done.ok, true);
  assert.deepEqual(event(done), { event: "offer-set", id, tutor: TOMAS.address, asset: null, rate: 7n, week: 3n,
    bits: PHYSICS, content: ZEROS, previous: ZEROS });
  assert.deepEqual(set(id, TOMAS.address).err, profile("OFFER-EXISTS"));
  assert.equal(set(ZEROS, person("nobody").address).err, code("user-registry/ERR-KEY-UNKNOWN"));
  const withdrawn = mesh.run("tutor-profile", "offer-withdraw", [id], TOMAS.address);
  assert.deepEqual(event(withdrawn), { event: "offer-withdrawn", id, tutor: TOMAS.address, asset: null });
  assert.equal(offerOf(TOMAS).active, false);
});

test("a request is open until it is closed, once, by its student", () => {
  const expires = mesh.now + 1000n;
  const asked = requestOpen(mesh, AMINA, { asset: mesh.hours, moment: 5n, content: "cd".repeat(32), expires });
  const close = requestClose(mesh, AMINA, asked.id);
  assert.deepEqual(submit(close, asked, requestClose(mesh, TOMAS, asked.id)),
    [request("REQUEST-UNKNOWN"), 0n, request("NOT-STUDENT")]);
  const { "changed-at": at, ...stored } = requestOf(asked.id);
  assert.ok(at > 0n);
  assert.deepEqual(stored, { student: AMINA.address, ceiling: 200n, asset: mesh.hours, week: 5n, bits: MATHS,
    content: "cd".repeat(32), expires, state: 1n });
  assert.deepEqual(submit(close, requestClose(mesh, AMINA, asked.id)), [0n, request("NOT-OPEN")]);
  assert.equal(requestOf(asked.id).state, 3n);
  assert.deepEqual(requestCounts(), { opened: 1n, matched: 0n, closed: 1n });
});

test("a request past its end can be closed and nothing else", () => {
  const asked = requestOpen(mesh, AMINA, { expires: mesh.now + BLOCK_SECONDS });
  submit(asked);
  assert.equal(mesh.read("student-request", "check-open", [asked.id]).ok.student, AMINA.address);
  mesh.advance(3600);
  assert.deepEqual(mesh.read("student-request", "check-open", [asked.id]), { err: request("EXPIRED") });
  assert.deepEqual(submit(requestClose(mesh, AMINA, asked.id)), [0n]);
});

test("a request needs a subject, masks of 56 bits, numbers of the protocol and an end to come", () => {
  assert.deepEqual(submit(requestOpen(mesh, AMINA, { bits: 1n << 40n })), [request("SUBJECTS")]);
  for (const fields of [{ moment: 1n << 56n }, { bits: MATHS + (1n << 56n) }]) {
    assert.deepEqual(submit(requestOpen(mesh, AMINA, fields)), [request("RANGE")]);
  }
  const open = (ceiling, week, bits, expires) =>
    mesh.run("student-request", "request-open", [SALT, ceiling, null, week, bits, ZEROS, expires], AMINA.address);
  for (const huge of HUGE) {
    for (const at of [0, 1, 2, 3]) {
      assert.equal(open(...[1n, 1n, MATHS, INT_MAX].toSpliced(at, 1, huge)).err, request("RANGE"), `number ${at}`);
    }
  }
  assert.equal(open(0n, 0n, MATHS, mesh.now - 1n).err, request("EXPIRED"));
  const expires = mesh.now;
  const id = directId(AMINA.address, "request-open", SALT);
  assert.deepEqual(event(open(INT_MAX, 0n, MATHS, expires)), { event: "request-opened", id, student: AMINA.address,
    asset: null, ceiling: INT_MAX, week: 0n, bits: MATHS, content: ZEROS, expires });
  assert.equal(requestOf(id).ceiling, INT_MAX);
  assert.equal(open(1n, 0n, MATHS, INT_MAX).err, request("REQUEST-EXISTS"));
});

test("a student closes a request from a wallet", () => {
  const asked = requestOpen(mesh, AMINA);
  submit(asked);
  assert.equal(mesh.call("student-request", "request-close", [asked.id], TOMAS.address).err, request("NOT-STUDENT"));
  const done = mesh.run("student-request", "request-close", [asked.id], AMINA.address);
  assert.deepEqual(event(done), { event: "request-closed", id: asked.id, student: AMINA.address });
});

test("only the gateway acts for somebody, and only the matching engine matches", () => {
  const notRole = { err: code("access/ERR-NOT-ROLE") };
  const { address } = TOMAS;
  const calls = [
    ["tutor-profile", "offer-set-for", [address, SALT, ZEROS, 1n, null, 0n, MATHS, ZEROS]],
    ["tutor-profile", "offer-withdraw-for", [address, SALT]],
    ["student-request", "request-open-for", [address, SALT, 1n, null, 0n, MATHS, ZEROS, INT_MAX]],
    ["student-request", "request-close-for", [address, SALT]],
    ["student-request", "mark-matched", [SALT]],
  ];
  for (const [contract, method, args] of calls) {
    for (const sender of [address, mesh.deployer]) {
      assert.deepEqual(mesh.call(contract, method, args, sender), notRole, method);
    }
  }
});

test("a contract that a tutor calls acts for itself, and is nobody", () => {
  mesh.deploy("lure-market", `(define-public (bait) (contract-call? .tutor-profile offer-set
    0x${SALT} 0x${ZEROS} u1 none u0 u1 0x${ZEROS}))`);
  assert.deepEqual(mesh.call("lure-market", "bait", [], TOMAS.address), { err: code("user-registry/ERR-KEY-UNKNOWN") });
  assert.equal(offerOf(TOMAS), null);
});
