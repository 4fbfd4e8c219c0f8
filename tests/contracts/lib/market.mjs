// The market's actions: what a tutor offers, what a student asks, and how the two agree.
import { STX } from "./mesh.mjs";
import { START } from "./village.mjs";

export const MATHS = 1n;
export const PHYSICS = 2n;
export const HOUR = 60n;

export const offerSet = (mesh, tutor, fields = {}) =>
  mesh.action(tutor, { action: "offer-set", amount: 100n, bits: MATHS, ...fields });

export const offerWithdraw = (mesh, tutor, subject) => mesh.action(tutor, { action: "offer-withdraw", subject });

export const requestOpen = (mesh, student, fields = {}) =>
  mesh.action(student, { action: "request-open", amount: 200n, bits: MATHS, ...fields });

export const requestClose = (mesh, student, subject) => mesh.action(student, { action: "request-close", subject });

/** A tutor's offer for a request, and the student's acceptance of it, which repeats its terms. */
export class Match {
  constructor(mesh, { request, student, tutor, price = 150n, asset = STX, start = START, minutes = HOUR }) {
    Object.assign(this, { mesh, student, tutor });
    this.terms = { amount: price, asset, moment: start, bits: minutes };
    this.offer = mesh.action(tutor, { action: "match-offer", subject: request, who: student.address, ...this.terms });
    this.id = this.offer.id;
  }

  accept(changed = {}) {
    return this.mesh.action(this.student, {
      action: "match-accept", subject: this.id, who: this.tutor.address, ...this.terms, ...changed,
    });
  }
}
