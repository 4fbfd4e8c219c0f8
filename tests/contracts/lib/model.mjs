// What the contracts should do, said once more in the plainest way: numbers in a map, one refusal after the other.
import { code } from "./mesh.mjs";

const session = (name) => code(`session-manager/ERR-${name}`);
const escrow = (name) => code(`payment-escrow/ERR-${name}`);
const DONE = 0n;

export class Model {
  constructor() {
    this.balances = new Map();
    this.held = new Map();
    this.lessons = new Map();
  }

  /** What a person has in an asset; changed in place. */
  of(who, asset) {
    const key = `${who} ${asset}`;
    if (!this.balances.has(key)) this.balances.set(key, { free: 0n, locked: 0n });
    return this.balances.get(key);
  }

  hold(asset, change) {
    this.held.set(asset, (this.held.get(asset) ?? 0n) + change);
  }

  deposit({ who, asset, amount }) {
    if (amount === 0n) return escrow("AMOUNT");
    this.of(who, asset).free += amount;
    this.hold(asset, amount);
    return DONE;
  }

  withdraw({ who, asset, amount }) {
    const balance = this.of(who, asset);
    if (amount === 0n) return escrow("AMOUNT");
    if (balance.free < amount) return escrow("FUNDS");
    balance.free -= amount;
    this.hold(asset, -amount);
    return DONE;
  }

  lock(lesson) {
    const balance = this.of(lesson.student, lesson.asset);
    if (lesson.amount === 0n) return escrow("AMOUNT");
    if (balance.free < lesson.amount) return escrow("FUNDS");
    balance.free -= lesson.amount;
    balance.locked += lesson.amount;
    lesson.locked = true;
    return DONE;
  }

  book({ id, student, tutor, asset, amount, locks }) {
    if (student === tutor) return session("SAME-PERSON");
    const lesson = { student, tutor, asset, amount, locked: false, state: "booked", attended: new Set() };
    const outcome = locks ? this.lock(lesson) : DONE;
    if (outcome === DONE) this.lessons.set(id, lesson);
    return outcome;
  }

  confirm({ id, by, amount }) {
    const lesson = this.lessons.get(id);
    if (!lesson) return session("LESSON-UNKNOWN");
    if (by !== lesson.tutor) return session("NOT-PARTY");
    if (lesson.state !== "booked") return session("NOT-BOOKED");
    if (amount !== lesson.amount) return session("TERMS");
    lesson.state = "confirmed";
    return DONE;
  }

  attend({ id, by }) {
    const lesson = this.lessons.get(id);
    if (!lesson) return session("LESSON-UNKNOWN");
    if (by !== lesson.student && by !== lesson.tutor) return session("NOT-PARTY");
    if (lesson.state === "booked") return session("NOT-CONFIRMED");
    if (lesson.state === "completed") return session("OVER");
    if (lesson.attended.has(by)) return session("ATTENDED");
    lesson.attended.add(by);
    return DONE;
  }

  complete({ id, by }) {
    const lesson = this.lessons.get(id);
    if (!lesson) return session("LESSON-UNKNOWN");
    if (by !== lesson.student) return session("NOT-PARTY");
    if (lesson.state === "booked") return session("NOT-CONFIRMED");
    if (lesson.state === "completed") return session("OVER");
    if (lesson.attended.size < 2) return session("NOT-ATTENDED");
    if (lesson.amount > 0n) {
      const locked = lesson.locked ? DONE : this.lock(lesson);
      if (locked !== DONE) return locked;
      this.of(lesson.student, lesson.asset).locked -= lesson.amount;
      this.of(lesson.tutor, lesson.asset).free += lesson.amount;
    }
    lesson.state = "completed";
    return DONE;
  }
}
