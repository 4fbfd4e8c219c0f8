// A small village: people with keys, and the actions of a lesson's life.
import { person, seal } from "./action.mjs";
import { bootMesh, STX } from "./mesh.mjs";
import { ZEROS } from "./values.mjs";

export const LOCKS = 4096n;
export const START = 1_800_000_000n;
export const AMINA = person("amina, student");
export const TOMAS = person("tomas, tutor");
export const GRACE_SECONDS = 45 * 86_400;

/** Builders of the actions of one lesson, with the terms of its booking repeated wherever the protocol repeats them. */
export class Lesson {
  constructor(mesh, { student = AMINA, tutor = TOMAS, asset = STX, amount = 300n, bits = LOCKS + 60n, start = START,
    offer = ZEROS } = {}) {
    Object.assign(this, { mesh, student, tutor, asset, amount, start });
    this.booking = mesh.action(student, {
      action: "lesson-book", subject: offer, who: tutor.address, asset, amount, moment: start, bits,
    });
    this.id = this.booking.id;
  }

  confirm(changed = {}) {
    return this.mesh.action(this.tutor, {
      action: "lesson-confirm", subject: this.id, who: this.student.address, asset: this.asset, amount: this.amount,
      moment: this.start, bits: 1n, ...changed,
    });
  }

  other(by) {
    return by === this.student ? this.tutor : this.student;
  }

  attend(by, subject = this.id) {
    return this.mesh.action(by, { action: "lesson-attend", subject, who: this.other(by).address, moment: START });
  }

  complete(by = this.student) {
    return this.mesh.action(by, { action: "lesson-complete", subject: this.id });
  }

  seal(by, stars, bits = 0n) {
    const content = seal({ amount: stars, bits, subject: this.id });
    return this.mesh.action(by, { action: "rating-seal", subject: this.id, who: this.other(by).address, content });
  }

  open(by, stars, bits = 0n) {
    return this.mesh.action(by, {
      action: "rating-open", subject: this.id, who: this.other(by).address, amount: stars, bits,
    });
  }

  /** Booking, confirmation, both attendances. */
  held() {
    return [this.booking, this.confirm(), this.attend(this.student), this.attend(this.tutor)];
  }

  /** A lesson from its booking to both ratings opened. */
  whole(stars = 5n) {
    return [
      ...this.held(), this.complete(), this.seal(this.student, stars), this.seal(this.tutor, stars),
      this.open(this.student, stars), this.open(this.tutor, stars),
    ];
  }
}

export const register = (mesh, who, fields = {}) => mesh.action(who, { action: "user-register", bits: 1n, ...fields });

export const withdraw = (mesh, who, amount, fields = {}) =>
  mesh.action(who, { action: "escrow-withdraw", amount, ...fields });

/** A mesh where Amina and Tomas are registered and Amina has 1,000 uSTX and 10 hours in the vault. */
export async function bootVillage(options) {
  const mesh = await bootMesh(options);
  const codes = mesh.submit([register(mesh, AMINA), register(mesh, TOMAS, { bits: 2n })]);
  if (codes.some((code) => code !== 0n)) throw new Error(`registration failed: ${codes}`);
  mesh.call("payment-escrow", "deposit-for", [AMINA.address, 1000n]);
  mesh.call("hour-credit", "mint", [5000n, mesh.deployer]);
  mesh.call("payment-escrow", "deposit-for-ft", [mesh.hours, AMINA.address, 1000n]);
  return mesh;
}
