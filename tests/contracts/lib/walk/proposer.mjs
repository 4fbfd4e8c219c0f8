// What to do next: operations that fit what is there, some of them spoiled, those rarely seen first.
import { INT_MAX } from "../model/store.mjs";
import { ZEROS } from "../values.mjs";
import { PROPOSALS } from "./proposals.mjs";

const CANDIDATES = 30;
/** What needs the most steps to come about is thought of more often. */
const FOCUS = /^(dispute|recovery|key|class|pool-tutor|sweep|lesson-(complete|move|confirm))/;
const FEW = 4;
/** A refusal teaches less than a deed, which opens further ones. */
const REFUSAL_WEIGHT = 5;
/** How much rarer (above 1) or more common than others an operation should be: what ends things, and what leads on. */
const WEIGHTS = {
  deposit: 0.2,
  "lesson-book": 0.2, "lesson-confirm": 0.15, "lesson-attend": 0.1, "lesson-complete": 0.4, "rating-seal": 0.3,
  "rating-open": 0.3, "dispute-open": 0.25, "dispute-offer": 0.3, "dispute-accept": 0.5, "dispute-vote": 0.2,
  "dispute-settle": 0.5, "lesson-cancel": 2, "lesson-decline": 2, "key-revoke": 2,
  "recovery-approve": 0.3, "guardian-set": 0.4, "recovery-cancel": 3, "set-grace": 4, "set-notice": 4,
  "set-dispute-bond": 4, "set-relay-fee": 4, "pause-deposits": 4, "pool-tutor-set": 0.4,
  "class-attend": 0.15, "class-open": 0.5, "lesson-claim": 2,
  "match-offer": 0.5, "match-accept": 0.5, "key-accept": 0.4, "user-register": 3, "pool-close": 3, "pool-change": 3,
};
const DAY = 86_400;

export class Proposer {
  constructor(world, people, random) {
    Object.assign(this, { w: world, people, r: random });
    this.names = Object.keys(PROPOSALS).flatMap((name) => Array(FOCUS.test(name) ? 3 : 1).fill(name));
    /** Signed operations that were held back: { by, id }. */
    this.held = [];
  }

  /** How long to wait, in seconds. */
  duration() {
    return this.r.pick([3600, 3600, DAY, DAY, 8 * DAY, 20 * DAY, 46 * DAY, 46 * DAY, 120 * DAY]);
  }

  /** The rarest of some candidates: { name, by, fields }. */
  next(coverage, signed) {
    let best = null;
    for (let i = 0; i < CANDIDATES; i++) {
      const one = this.propose(this.r.pick(this.names));
      if (one === null || (signed && this.w.operations[one.name].wallet)) continue;
      const outcome = this.w.foresee(one);
      const seen = coverage.get(`${one.name} ${outcome}`) ?? 0;
      const score = (seen + this.r.below(100) / 100) * (outcome === 0n ? WEIGHTS[one.name] ?? 1 : REFUSAL_WEIGHT);
      if (best === null || score < best.score) best = { one, score };
    }
    return best?.one ?? this.next(coverage, signed);
  }

  /** One operation of a name, or null where nothing is there that it could be about. */
  propose(name) {
    const found = PROPOSALS[name](this);
    if (!found) return null;
    const one = { name, by: found.by, fields: found.fields };
    return this.r.below(4) ? one : this.spoil(one);
  }

  /** The same with one thing changed. */
  spoil({ name, by, fields }) {
    const { r } = this;
    const at = r.pick(["by", ...Object.keys(fields)]);
    if (at === "by") return { name, by: this.anybody(), fields };
    return { name, by, fields: { ...fields, [at]: this.otherThan(fields[at], at) } };
  }

  otherThan(value, at) {
    const { r } = this;
    if (typeof value === "boolean") return !value;
    if (at === "asset") return r.pick(this.w.money);
    if (at === "content") return ZEROS;
    if (typeof value === "bigint") {
      return r.pick([0n, value + 1n, value > 0n ? value - 1n : 0n, value * 3n, INT_MAX, INT_MAX + 1n]);
    }
    return at === "subject" ? this.anyId() : this.anybody();
  }

  // ---- choices

  anybody() {
    return this.r.pick(this.people).address;
  }

  registered() {
    return this.r.pick([...this.w.persons.rows.keys()]);
  }

  /** One of the first few persons, so that things come together. */
  few() {
    return this.r.pick([...this.w.persons.rows.keys()].slice(0, FEW));
  }

  /** A key of a person, mostly one that may act. */
  keyOf(person) {
    const own = [...this.w.keys.rows].filter(([, entry]) => entry.person === person);
    const live = own.filter(([, { revoked, epoch }]) => !revoked && epoch === this.w.persons.get(person)?.epoch);
    const choices = live.length && this.r.below(8) ? live : own;
    return choices.length ? this.r.pick(choices)[0] : person;
  }

  /** A key that nobody has, if there is one left. */
  newKey() {
    const free = this.people.filter(({ address }) => !this.w.keys.has(address));
    return free.length && this.r.below(8) ? this.r.pick(free).address : this.anybody();
  }

  /** The [key, row] of a row that fits, mostly one of the newest; null where none does. */
  one(table, fits = () => true) {
    const found = [...this.w[table].rows].filter(([key, row]) => fits(row, key));
    if (!found.length) return null;
    return this.r.below(3) ? this.r.pick(found.slice(-4)) : this.r.pick(found);
  }

  anyId() {
    const { r, w } = this;
    const table = r.pick(["lessons", "locks", "pools", "requests", "matches", "disputeOffers", "earmarks", "adds",
      "moves"]);
    return this.one(table)?.[0] ?? ZEROS;
  }

  amount() {
    return this.r.pick([1n, 7n, 50n, 50n, 120n, 120n, 333n]);
  }

  asset() {
    return this.r.pick(this.w.money);
  }

  /** A time in the past or the future, days away. */
  around(days) {
    return this.w.now + BigInt((this.r.below(2 * days + 1) - days) * DAY);
  }

  ahead(days) {
    return this.w.now + BigInt(1 + this.r.below(days) * DAY);
  }

  /** Null as often as the value: for columns that may be empty. */
  perhaps(value) {
    return this.r.below(2) ? value : null;
  }
}
