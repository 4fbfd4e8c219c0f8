// A lesson's rules: who may do what when, from a wallet and signed alike.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Cl } from "@stacks/transactions";
import { directId, person, sha256 } from "./lib/action.mjs";
import { code } from "./lib/mesh.mjs";
import { ZEROS } from "./lib/values.mjs";
import { AMINA, bootVillage, Lesson, LOCKS, register, START, TOMAS } from "./lib/village.mjs";

const STRANGER = person("stranger");
const INT_MAX = 2n ** 63n - 1n;
const error = (name) => code(`session-manager/ERR-${name}`);
let mesh;
const session = (method, args, sender) => mesh.call("session-manager", method, args, sender);
const lessonOf = (id) => mesh.read("session-manager", "get-lesson", [id]);
const submit = (...actions) => mesh.submit(actions);

beforeEach(async () => {
  mesh = await bootVillage();
  submit(register(mesh, STRANGER));
});

test("a booked lesson records what was agreed, and its price is locked", () => {
  const lesson = new Lesson(mesh);
  assert.deepEqual(submit(lesson.booking), [0n]);
  const { "changed-at": at, ...record } = lessonOf(lesson.id);
  assert.ok(at > 0n);
  assert.deepEqual(record, {
    student: AMINA.address, tutor: TOMAS.address, asset: null, amount: 300n, start: START, minutes: 60n, offer: ZEROS,
    state: 1n, confirmed: 0n, needs: 1n, attended: 0n, funding: 1n, version: lesson.id,
    notice: { seconds: 86_400n, "late-bps": 0n },
  });
  const { payer, amount, state } = mesh.read("payment-escrow", "get-lock", [lesson.id]);
  assert.deepEqual([payer, amount, state], [AMINA.address, 300n, 0n]);
});

test("a booking without minutes, with unknown bits or with two ways to pay is refused", () => {
  const [earmark, pool] = [16384n, 32768n];
  for (const bits of [LOCKS, 8192n, 65536n + 60n, LOCKS + earmark + 60n, LOCKS + pool + 60n, earmark + pool + 60n,
    LOCKS + earmark + pool + 60n, INT_MAX]) {
    assert.deepEqual(submit(new Lesson(mesh, { bits, amount: 1n }).booking), [error("BITS")], `${bits}`);
  }
});

test("nobody books with a tutor who is not registered, or with themselves", () => {
  const unknown = new Lesson(mesh, { tutor: person("unknown") });
  assert.deepEqual(submit(unknown.booking), [error("TUTOR-UNKNOWN")]);
  assert.deepEqual(submit(new Lesson(mesh, { tutor: AMINA }).booking), [error("SAME-PERSON")]);
  assert.deepEqual(submit(register(mesh, unknown.tutor), unknown.booking), [0n, 0n]);
});

test("nobody who is not registered books, confirms, attends or completes", () => {
  const ghost = person("ghost");
  const key = code("user-registry/ERR-KEY-UNKNOWN");
  const lesson = new Lesson(mesh);
  submit(lesson.booking);
  const asTutor = Object.assign(new Lesson(mesh, { tutor: ghost }), { id: lesson.id });
  assert.deepEqual(submit(new Lesson(mesh, { student: ghost }).booking, asTutor.confirm(), asTutor.attend(ghost),
    asTutor.complete(ghost)), [key, key, key, key]);
});

test("a booking beyond the student's free money is refused and can come again", () => {
  const lesson = new Lesson(mesh, { amount: 1001n });
  assert.deepEqual(submit(lesson.booking), [code("payment-escrow/ERR-FUNDS")]);
  assert.equal(lessonOf(lesson.id), null);
  mesh.call("payment-escrow", "deposit-for", [AMINA.address, 1n]);
  assert.deepEqual(submit(lesson.booking), [0n]);
});

test("a lock of nothing is refused, a lesson for nothing is not", () => {
  assert.deepEqual(submit(new Lesson(mesh, { amount: 0n }).booking), [code("payment-escrow/ERR-AMOUNT")]);
  const free = new Lesson(mesh, { amount: 0n, bits: 60n });
  assert.deepEqual(submit(...free.whole()), Array(9).fill(0n));
  assert.equal(mesh.read("payment-escrow", "get-lock", [free.id]), null);
});

test("only the tutor confirms, once, and only a lesson that was booked", () => {
  const lesson = new Lesson(mesh);
  const confirmation = lesson.confirm();
  assert.deepEqual(submit(confirmation), [error("LESSON-UNKNOWN")]);
  const byStudent = mesh.action(AMINA, { ...confirmation.fields, author: AMINA.address, salt: "ff".repeat(8) });
  const byStranger = mesh.action(STRANGER, { ...confirmation.fields, author: STRANGER.address });
  const asGuardian = mesh.action(STRANGER, { ...byStranger.fields, bits: 2n });
  assert.deepEqual(submit(lesson.booking, byStudent, byStranger, asGuardian, lesson.confirm({ bits: 2n })),
    [0n, error("NOT-PARTY"), error("NOT-PARTY"), error("NOT-GUARDIAN"), error("NOT-PARTY")]);
  assert.deepEqual(submit(confirmation, lesson.confirm()), [0n, error("NOT-BOOKED")]);
  const { state, confirmed } = lessonOf(lesson.id);
  assert.deepEqual([state, confirmed], [2n, 1n]);
});

test("a confirmation that repeats anything else than the booking is refused", () => {
  const lesson = new Lesson(mesh);
  submit(lesson.booking);
  const changes = [{ who: STRANGER.address }, { asset: mesh.hours }, { amount: 299n }];
  for (const change of changes) assert.deepEqual(submit(lesson.confirm(change)), [error("TERMS")]);
  for (const moment of [START - 1n, START + 1n]) {
    assert.deepEqual(submit(lesson.confirm({ moment })), [error("VERSION")]);
  }
  for (const bits of [3n, INT_MAX]) assert.deepEqual(submit(lesson.confirm({ bits })), [error("BITS")]);
  assert.deepEqual(submit(lesson.confirm()), [0n]);
});

test("attendance waits for the confirmation and counts once a side", () => {
  const lesson = new Lesson(mesh);
  const early = lesson.attend(AMINA);
  assert.deepEqual(submit(early, lesson.booking), [error("LESSON-UNKNOWN"), 0n]);
  assert.deepEqual(submit(early), [error("NOT-CONFIRMED")]);
  assert.deepEqual(submit(lesson.confirm(), early, lesson.attend(AMINA)), [0n, 0n, error("ATTENDED")]);
  assert.equal(lessonOf(lesson.id).attended, 2n);
});

test("a side may attend by scanning the other's attendance", () => {
  const lesson = new Lesson(mesh);
  const first = lesson.attend(AMINA);
  const second = lesson.attend(TOMAS, first.id);
  assert.deepEqual(submit(lesson.booking, lesson.confirm(), second), [0n, 0n, error("LESSON-UNKNOWN")]);
  assert.deepEqual(submit(first, second), [0n, 0n]);
  assert.equal(mesh.read("session-manager", "get-attendance", [second.id]), lesson.id);
  assert.equal(lessonOf(lesson.id).attended, 3n);
});

test("a stranger attends nothing, and a party attends only with the other party", () => {
  const lesson = new Lesson(mesh);
  submit(lesson.booking, lesson.confirm());
  const byStranger = mesh.action(STRANGER, { ...lesson.attend(AMINA).fields, author: STRANGER.address });
  const withStranger = mesh.action(AMINA, { ...lesson.attend(AMINA).fields, who: STRANGER.address });
  assert.deepEqual(submit(byStranger, withStranger), [error("NOT-PARTY"), error("TERMS")]);
});

test("only the student completes, and only what both sides attended", () => {
  const lesson = new Lesson(mesh);
  assert.deepEqual(submit(lesson.complete()), [error("LESSON-UNKNOWN")]);
  assert.deepEqual(submit(lesson.booking, lesson.complete()), [0n, error("NOT-CONFIRMED")]);
  assert.deepEqual(submit(lesson.confirm(), lesson.complete()), [0n, error("NOT-ATTENDED")]);
  assert.deepEqual(submit(lesson.attend(TOMAS), lesson.complete()), [0n, error("NOT-ATTENDED")]);
  assert.deepEqual(submit(lesson.attend(AMINA), lesson.complete(TOMAS), lesson.complete(STRANGER)),
    [0n, error("NOT-PARTY"), error("NOT-PARTY")]);
  assert.deepEqual(mesh.balance(AMINA.address), { free: 700n, locked: 300n });
  assert.deepEqual(submit(lesson.complete(), lesson.complete(), lesson.confirm(), lesson.attend(AMINA)),
    [0n, error("OVER"), error("NOT-BOOKED"), error("OVER")]);
  assert.deepEqual(mesh.balance(TOMAS.address), { free: 300n, locked: 0n });
  assert.deepEqual(mesh.read("session-manager", "get-counts"), 
    { booked: 1n, lessons: 1n, minutes: 60n, cancelled: 0n, lapsed: 0n });
});

test("a price that nobody locked is paid from the student's free money at completion", () => {
  const lesson = new Lesson(mesh, { bits: 60n, amount: 1000n });
  const other = new Lesson(mesh, { bits: 60n, amount: 1n });
  submit(...lesson.held(), ...other.held());
  assert.deepEqual(mesh.balance(AMINA.address), { free: 1000n, locked: 0n });
  assert.deepEqual(submit(lesson.complete(), other.complete()), [0n, code("payment-escrow/ERR-FUNDS")]);
  assert.deepEqual(mesh.balance(TOMAS.address), { free: 1000n, locked: 0n });
  assert.equal(lessonOf(lesson.id).funding, 1n);
  assert.equal(lessonOf(other.id).state, 2n);
});

test("wallets hold a lesson by themselves, under ids bound to who made them", () => {
  const salt = sha256("salt");
  const id = directId(AMINA.address, "lesson-book", salt);
  const terms = [null, 300n, START];
  for (const who of [STRANGER, AMINA]) {
    const price = who === AMINA ? 300n : 1n;
    assert.equal(session("book", [salt, ZEROS, TOMAS.address, null, price, START, 60n], who.address).ok, true);
  }
  assert.equal(lessonOf(id).amount, 300n);
  assert.deepEqual(session("book", [salt, ZEROS, TOMAS.address, ...terms, 60n], AMINA.address),
    { err: error("LESSON-EXISTS") });
  assert.equal(session("confirm", [id, AMINA.address, ...terms, 1n], TOMAS.address).ok, true);
  assert.equal(session("attend", [salt, id, TOMAS.address, START], AMINA.address).ok, true);
  const scanned = directId(AMINA.address, "lesson-attend", salt);
  assert.equal(session("attend", [salt, scanned, AMINA.address, START], TOMAS.address).ok, true);
  assert.equal(session("complete", [id, null], AMINA.address).ok, true);
  assert.deepEqual(mesh.balance(TOMAS.address), { free: 300n, locked: 0n });
});

test("a wallet's booking with numbers beyond the protocol is refused, whatever they are", () => {
  const book = (amount, start, bits) =>
    session("book", [ZEROS, ZEROS, TOMAS.address, null, amount, start, bits], AMINA.address);
  for (const huge of [INT_MAX + 1n, 2n ** 128n - 1n]) {
    assert.deepEqual(book(huge, START, 60n), { err: error("RANGE") });
    assert.deepEqual(book(1n, huge, 60n), { err: error("START") });
    assert.deepEqual(book(1n, START, huge), { err: error("BITS") });
  }
  assert.deepEqual(book(1n, START, 0n), { err: error("BITS") });
});

test("the largest numbers of the protocol are still taken, but for a start that would keep money locked", () => {
  const longest = [ZEROS, ZEROS, TOMAS.address, null, INT_MAX];
  const ahead = mesh.now + 2n * 365n * 86_400n;
  assert.deepEqual(session("book", [...longest, INT_MAX, 4095n], AMINA.address), { err: error("START") });
  assert.deepEqual(session("book", [...longest, ahead + 11n, 4095n], AMINA.address), { err: error("START") });
  assert.deepEqual(session("book", [...longest, ahead + 20n, 4095n], AMINA.address), { ok: true });
  assert.deepEqual(submit(new Lesson(mesh, { amount: 1n, bits: 8191n }).booking), [0n]);
});

test("an attendance's id is used once, so that a scan can't be turned to another lesson", () => {
  const [cheap, dear] = [new Lesson(mesh, { amount: 1n }), new Lesson(mesh, { amount: 300n })];
  submit(cheap.booking, cheap.confirm(), dear.booking, dear.confirm());
  const salt = sha256("the tutor's salt");
  const attend = (id) => session("attend", [salt, id, AMINA.address, START], TOMAS.address);
  assert.deepEqual([attend(cheap.id), attend(dear.id)], [{ ok: true }, { err: error("ID-USED") }]);
  assert.deepEqual(submit(cheap.attend(AMINA, directId(TOMAS.address, "lesson-attend", salt))), [0n]);
  assert.deepEqual([cheap, dear].map(({ id }) => lessonOf(id).attended), [3n, 0n]);
});

test("the student may name the tutor whose lesson is completed, and nobody else", () => {
  const lesson = new Lesson(mesh);
  submit(...lesson.held());
  const naming = (who) => mesh.action(AMINA, { ...lesson.complete().fields, who: who.address });
  assert.deepEqual(submit(naming(STRANGER), naming(AMINA), naming(TOMAS)), [error("TERMS"), error("TERMS"), 0n]);
});

test("from a wallet and through the gateway the same event is printed", () => {
  const printed = (done) => done.events.filter((event) => event.event === "print_event" &&
    !event.data.contract_identifier.endsWith("action-gateway")).map((event) => Cl.prettyPrint(event.data.value));
  const direct = mesh.run("session-manager", "book", [ZEROS, ZEROS, TOMAS.address, null, 300n, START, LOCKS + 60n],
    AMINA.address);
  const lesson = new Lesson(mesh);
  const signed = mesh.submitItems([lesson.booking.item]);
  const id = directId(AMINA.address, "lesson-book", ZEROS);
  assert.deepEqual(printed(signed).map((line) => line.replaceAll(lesson.id, id)), printed(direct));
  assert.equal(printed(direct).length, 2);
});

test("only the gateway acts for somebody else", () => {
  const role = { err: code("access/ERR-NOT-ROLE") };
  const who = AMINA.address;
  assert.deepEqual(session("book-for", [who, ZEROS, ZEROS, TOMAS.address, null, 1n, START, 60n]), role);
  assert.deepEqual(session("confirm-for", [who, ZEROS, who, null, 1n, START, 1n]), role);
  assert.deepEqual(session("attend-for", [who, ZEROS, ZEROS, who, START]), role);
  assert.deepEqual(session("complete-for", [who, ZEROS, null]), role);
  assert.deepEqual(session("fund-for", [who, ZEROS, null, null, 1n]), role);
  assert.deepEqual(session("decline-for", [who, ZEROS, null]), role);
  assert.deepEqual(session("cancel-for", [who, ZEROS, null]), role);
  assert.deepEqual(session("move-for", [who, ZEROS, ZEROS, null, START, 0n]), role);
  assert.deepEqual(session("claim-for", [ZEROS]), role);
  for (const method of ["dispute-hold", "dispute-end"]) assert.deepEqual(session(method, [ZEROS]), role);
});
