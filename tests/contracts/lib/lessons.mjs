// A lesson's life in both forms: from wallets, and as the gateway calls for whoever signed.
import assert from "node:assert/strict";
import { directId, person } from "./action.mjs";
import { STX } from "./mesh.mjs";
import { grant, idOf, PROTOCOL } from "./money.mjs";
import { maybe, ZEROS } from "./values.mjs";
import { AMINA, bootVillage, GRACE_SECONDS, LOCKS, register, TOMAS } from "./village.mjs";

export const GUARDIAN_BIT = 8192n;
export const EARMARK_BIT = 16384n;
export const POOL_BIT = 32768n;
export const [BOOKED, CONFIRMED, COMPLETED, DECLINED, CANCELLED, DISPUTED, SETTLED, LAPSED] =
  [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n];
export const GRACE = BigInt(GRACE_SECONDS);
export const STRANGER = person("stranger");
export const OK = { ok: true };
export const FORMS = ["from a wallet", "signed"];

/** A village whose lessons are spoken about in one of the FORMS: Amina learns, Tomas teaches, a stranger looks on. */
export class Lessons {
  constructor(mesh, form) {
    Object.assign(this, { mesh, signed: form === "signed", salts: 0, ids: [] });
  }

  run(method, by, args) {
    return this.signed
      ? this.mesh.run("session-manager", `${method}-for`, [by.address, ...args], PROTOCOL)
      : this.mesh.run("session-manager", method, args, by.address);
  }

  call(method, by, args) {
    const { ok, err } = this.run(method, by, args);
    return err === undefined ? { ok } : { err };
  }

  /** A salt, and the id that it leads to. */
  id(by, op, salt = idOf(`salt ${++this.salts}`)) {
    return { salt, id: this.signed ? salt : directId(by.address, op, salt) };
  }

  /** Book as Amina; { id, outcome, ...terms }. */
  book({ student = AMINA, tutor = TOMAS, asset = STX, amount = 300n, bits = LOCKS + 60n, offer = ZEROS,
    start = this.mesh.now + 10n * 86_400n } = {}) {
    const { salt, id } = this.id(student, "lesson-book");
    const outcome = this.call("book", student, [salt, offer, tutor.address, maybe(asset), amount, start, bits]);
    this.ids.push(id);
    return { id, outcome, student, tutor, asset, amount, start };
  }

  confirm(lesson, { by = lesson.tutor, student = lesson.student, asset = lesson.asset, amount = lesson.amount,
    start = lesson.start, bits = 1n } = {}) {
    return this.call("confirm", by, [lesson.id, student.address, maybe(asset), amount, start, bits]);
  }

  attend(lesson, by, { subject = lesson.id, salt } = {}) {
    const named = this.id(by, "lesson-attend", salt);
    const other = by === lesson.tutor ? lesson.student : lesson.tutor;
    return { id: named.id, outcome: this.call("attend", by, [named.salt, subject, other.address, lesson.start]) };
  }

  fund(lesson, by, { asset = lesson.asset, amount = lesson.amount, who = null } = {}) {
    return this.call("fund", by, [lesson.id, ...(this.signed ? [maybe(who)] : []), maybe(asset), amount]);
  }

  decline(lesson, by = lesson.tutor, who = null) {
    return this.call("decline", by, [lesson.id, maybe(who)]);
  }

  cancel(lesson, by, who = null) {
    return this.call("cancel", by, [lesson.id, maybe(who)]);
  }

  complete(lesson, by = lesson.student, who = null) {
    return this.call("complete", by, [lesson.id, maybe(who)]);
  }

  /** Propose or agree; { id, outcome }. */
  move(lesson, by, subject, start, { minutes = 0n, who = null, salt } = {}) {
    const named = this.id(by, "lesson-move", salt);
    return { id: named.id, outcome: this.call("move", by, [named.salt, subject, maybe(who), start, minutes]) };
  }

  claim(lesson, by = STRANGER) {
    return this.signed
      ? this.mesh.call("session-manager", "claim-for", [lesson.id], PROTOCOL)
      : this.mesh.call("session-manager", "claim", [lesson.id], by.address);
  }

  dispute(lesson, method = "dispute-hold") {
    return this.mesh.call("session-manager", method, [lesson.id], PROTOCOL);
  }

  /** A lesson that was booked, and then brought as far as these words say: "confirmed", "tutor", "student" attended. */
  booked(terms = {}, ...words) {
    const lesson = this.book(terms);
    const step = {
      confirmed: () => this.confirm(lesson),
      tutor: () => this.attend(lesson, lesson.tutor).outcome,
      student: () => this.attend(lesson, lesson.student).outcome,
    };
    for (const outcome of [lesson.outcome, ...words.map((word) => step[word]())]) assert.deepEqual(outcome, OK);
    return lesson;
  }

  get(lesson) {
    return this.mesh.read("session-manager", "get-lesson", [lesson.id]);
  }

  state(lesson) {
    return this.get(lesson)?.state;
  }

  counts() {
    return this.mesh.read("session-manager", "get-counts");
  }

  /** Free money of persons, in order. */
  free(...persons) {
    return persons.map(({ address }) => this.mesh.balance(address).free);
  }
}

/** A village in one of the FORMS, where PROTOCOL plays the gateway and dispute-resolution. */
export async function bootLessons(form = FORMS[0]) {
  const mesh = await bootVillage();
  mesh.submit([register(mesh, STRANGER)]);
  for (const role of ["gateway", "dispute"]) grant(mesh, role);
  return new Lessons(mesh, form);
}

/** Set what a late cancellation costs. */
export const setNotice = ({ mesh }, seconds, bps) =>
  assert.deepEqual(mesh.call("access", "set-notice", [seconds, bps]), OK);
