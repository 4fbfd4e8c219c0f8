// One proposal an operation: fields that fit what is there. { by, fields }, or null where nothing is.
import { sha256, seal } from "../action.mjs";
import { arbitersOf } from "../model/disputes.mjs";
import { personOf } from "../model/identity.mjs";
import { EARMARK, LOCKS, NEEDS_GUARDIAN, POOL } from "../model/lessons.mjs";
import { guardiansOf } from "../model/recovery.mjs";
import { ZEROS } from "../values.mjs";

const DAY = 86_400n;
const SUBJECTS = [1n, 2n, 3n];
const CONTENT = sha256("a note");

// ---- identity

/** Operations of one area by name; each looks at what is there, `p` being the proposer. */
const identity = {
  "user-register": (p) => ({
    by: p.newKey(), fields: { bits: p.r.pick([1n, 2n, 3n]), who: p.perhaps(p.anybody()) },
  }),
  "key-add": (p) => {
    const person = p.registered();
    const capped = p.r.below(3) === 0;
    return { by: p.keyOf(person), fields: {
      subject: p.w.persons.get(person)["keys-head"], who: p.newKey(), bits: p.r.pick([65_535n, 65_535n, 12n, 31n, 63n]),
      amount: capped ? p.r.pick([100n, 300n]) : 0n, asset: capped ? p.asset() : null,
      moment: p.r.below(3) ? 0n : p.ahead(200),
    } };
  },
  "key-accept": (p) => {
    const add = (p.r.below(3) === 0 && p.one("adds", ({ key, withdrawn }) => withdrawn && !p.w.keys.has(key))) ||
      p.one("adds", ({ key }) => p.r.below(3) === 0 || !p.w.keys.has(key));
    return add && { by: add[1].key, fields: { subject: add[0] } };
  },
  "key-revoke": (p) => {
    const waits = ({ key, withdrawn }) => !withdrawn && !p.w.keys.has(key);
    const add = p.r.below(2) ? null : p.one("adds", (row) => p.r.below(6) === 0 || waits(row));
    if (add) return { by: p.keyOf(add[1].entry.person), fields: { subject: add[0], who: add[1].key } };
    const [key, entry] = p.one("keys");
    return { by: p.keyOf(entry.person), fields: { subject: entry["added-by"], who: key } };
  },
  "guardian-set": (p) => {
    const person = p.few();
    const slot = p.r.below(3);
    return { by: p.keyOf(person), fields: {
      subject: p.w.circles.get(person)?.head ?? ZEROS, who: p.r.below(6) ? p.registered() : null,
      amount: p.r.pick([1n, 2n, 3n]), moment: p.r.pick([0n, 7n * DAY, 30n * DAY]), bits: BigInt(slot),
    } };
  },
  "recovery-open": (p) => ({ by: p.newKey(), fields: { who: p.few() } }),
  "recovery-approve": (p) => {
    const lives = ({ person, epoch }) => p.w.persons.get(person).epoch === epoch;
    const found = p.one("recoveries", (row) => p.r.below(6) === 0 || lives(row));
    if (!found) return null;
    const { person, approvals } = found[1];
    const guardians = guardiansOf(p.w, person).guardians.filter((one) => one !== null);
    const missing = guardians.filter((one) => !approvals.includes(one));
    const guardian = p.r.pick([missing, missing, guardians, [p.registered()]].find((list) => list.length > 0));
    return { by: p.keyOf(guardian), fields: { subject: found[0], who: person } };
  },
  "recovery-cancel": (p) => {
    const found = p.one("recoveries", (_, id) => p.r.below(4) === 0 || isRunning(p, id));
    return found && { by: p.keyOf(found[1].person), fields: { subject: found[0], who: found[1].person } };
  },
  "recovery-finish": (p) => {
    const found = p.one("recoveries", (_, id) => p.r.below(4) === 0 || isRunning(p, id));
    return found && { by: p.anybody(), fields: { subject: found[0], who: found[1].person } };
  },
  "action-void": (p) => {
    if (p.held.length && p.r.below(3)) {
      const { by, id } = p.r.pick(p.held);
      return { by: p.keyOf(personOf(p.w, by)), fields: { subject: id } };
    }
    return { by: p.keyOf(p.registered()), fields: { subject: p.one("spent")?.[0] ?? sha256(`${p.r.next()}`) } };
  },
};

const isRunning = (p, id) => p.w.persons.get(p.w.recoveries.get(id).person).recovery === id;

// ---- money

const money = {
  deposit: (p) => {
    const early = p.r.below(2) ? null : p.one("adds", ({ key }) => !p.w.keys.has(key)) ?? p.one("recoveries");
    const who = early ? early[1].key : p.anybody();
    return { by: p.people[0].address, fields: { who, asset: p.asset(), amount: p.amount() * 3n } };
  },
  sweep: (p) => {
    const asset = p.asset();
    const found = p.one("keys", ({ person }, key) => person !== key && p.w.balanceOf(key, asset).free > 0n);
    return found && { by: p.anybody(), fields: { who: found[0], asset } };
  },
  "escrow-withdraw": (p) => {
    const person = p.registered();
    const asset = p.asset();
    const { free } = p.w.balanceOf(person, asset);
    const amount = p.r.below(3) === 0 && free > 0n ? free : p.amount();
    return { by: p.keyOf(person), fields: { asset, amount, who: p.perhaps(p.anybody()) } };
  },
  earmark: (p) => ({ by: p.keyOf(p.registered()), fields: {
    who: p.registered(), asset: p.asset(), amount: p.amount() + 100n, moment: p.ahead(200), bits: 2n } }),
  "escrow-return": (p) => {
    const found = p.one("earmarks");
    return found && { by: p.r.below(3) ? p.keyOf(found[1].tutor) : p.anybody(), fields: { subject: found[0] } };
  },
  "pool-open": (p) => ({ by: p.keyOf(p.registered()), fields: {
    asset: p.asset(), amount: 333n, learnerCap: p.r.pick([15n, 60n, 60n]), tutorCap: p.r.pick([35n, 35n, 75n]),
    from: p.w.now - 60n * DAY, until: p.ahead(200) } }),
  "pool-change": (p) => {
    const found = p.one("pools");
    if (!found) return null;
    const [subject, { sponsor, until }] = found;
    const later = p.r.below(2) ? until : until + BigInt(p.r.below(60)) * DAY;
    return { by: p.keyOf(sponsor),
      fields: { subject, learnerCap: p.r.pick([15n, 60n, 150n]), tutorCap: p.r.pick([35n, 60n, 300n]), until: later } };
  },
  "pool-tutor-set": (p) => {
    const found = p.one("pools", ({ open }) => open || p.r.below(6) === 0);
    if (!found) return null;
    const lesson = p.one("lessons", ({ offer }) => offer === found[0]) ??
      p.one("classes", ({ pool }) => pool === found[0]);
    const who = lesson && p.r.below(4) ? lesson[1].tutor : p.registered();
    return { by: p.keyOf(found[1].sponsor), fields: { subject: found[0], who, on: p.r.below(6) > 0 } };
  },
  "pool-fund": (p) => {
    const found = p.one("pools");
    return found && { by: p.keyOf(p.registered()), fields: {
      subject: found[0], who: found[1].sponsor, asset: found[1].asset, amount: p.amount(), bits: 1n } };
  },
  "pool-close": (p) => {
    const found = p.one("pools", ({ open }) => open || p.r.below(6) === 0);
    return found && { by: p.anybody(), fields: { subject: found[0] } };
  },
};

// ---- lessons and classes

/** Mostly a lesson that can still go on. */
const lessonOf = (p, fits = () => true) =>
  p.one("lessons", (lesson) => lesson.state <= 2n && fits(lesson)) ?? p.one("lessons");

const about = (make) => (p) => {
  const found = lessonOf(p, make.fits);
  return found && make(p, ...found);
};

const wanting = (fits, make) => about(Object.assign(make, { fits }));

function bookingOf(p) {
  const way = p.r.below(5);
  const holds = (_, id) => p.w.locks.get(id).state === 0n && p.w.locks.get(id).amount > 0n;
  const earmark = way === 0 ? p.one("earmarks", holds) : null;
  if (earmark) {
    const { payer, asset, amount } = p.w.locks.get(earmark[0]);
    const price = amount > 50n ? 50n : amount;
    return { student: payer, tutor: earmark[1].tutor, asset, amount: price, bits: EARMARK, subject: earmark[0] };
  }
  const pool = way <= 2 ? p.one("pools", inTerm(p)) : null;
  const tutor = pool ? p.r.pick(admitted(p, pool[0])) : p.registered();
  if (pool) {
    return { student: p.few(), tutor, asset: pool[1].asset, amount: 50n, bits: POOL, subject: pool[0] };
  }
  const both = { student: p.registered(), tutor };
  const match = p.perhaps(p.one("matches")?.[0]) ?? ZEROS;
  const [amount, bits] = [p.r.below(8) ? p.amount() : 0n, p.r.below(5) ? LOCKS : 0n];
  return { ...both, asset: p.asset(), amount, bits, subject: match };
}

/** Whether a pool is open and its term not over. */
const inTerm = (p) => ({ open, until }) => open && until > p.w.now;

function admitted(p, pool) {
  const on = [...p.w.poolTutors.rows].filter(([place, is]) => is && place.startsWith(pool))
    .map(([place]) => place.split(" ")[1]);
  return on.length ? on : [p.registered()];
}

const lessons = {
  "lesson-book": (p) => {
    const { student, tutor, asset, amount, bits, subject, days = p.r.pick([4, 4, 40]) } = bookingOf(p);
    const guarded = p.r.below(4) === 0 ? NEEDS_GUARDIAN : 0n;
    const moment = bits === POOL ? p.w.now - 3600n * BigInt(p.r.below(50)) : p.around(days);
    return { by: p.keyOf(student), fields: { subject, who: tutor, asset, amount, moment, bits: bits | guarded | 45n } };
  },
  "lesson-confirm": wanting(({ state }) => state === 1n, (p, subject, lesson) => {
    const guardians = guardiansOf(p.w, lesson.student).guardians.filter((one) => one !== null);
    const asGuardian = lesson.needs === 3n && p.r.below(2) === 0;
    const { student: who, asset, amount, start: moment } = lesson;
    return { by: p.keyOf(asGuardian ? p.r.pick([...guardians, p.registered()]) : lesson.tutor),
      fields: { subject, who, asset, amount, moment, bits: asGuardian ? 2n : 1n } };
  }),
  fund: wanting(({ funding }) => funding !== 1n, (p, subject, { tutor, asset, amount }) =>
    ({ by: p.keyOf(p.registered()), fields: { subject, who: p.perhaps(tutor), asset, amount } })),
  "lesson-decline": about((p, subject, { tutor, student }) =>
    ({ by: p.keyOf(tutor), fields: { subject, who: p.perhaps(student) } })),
  "lesson-cancel": about((p, subject, { tutor, student }) => (p.r.below(2)
    ? { by: p.keyOf(tutor), fields: { subject, who: p.perhaps(student) } }
    : { by: p.keyOf(student), fields: { subject, who: p.perhaps(tutor) } })),
  "lesson-move": wanting(({ attended }) => attended === 0n, (p, lesson, { tutor, student, version }) => {
    const open = p.one("moves", (move) => move.version === version && move.lesson === lesson);
    const both = [tutor, student];
    if (open === null || p.r.below(4) === 0) {
      const by = p.r.pick(both);
      return { by: p.keyOf(by), fields: { subject: version, who: p.perhaps(both.find((one) => one !== by)),
        moment: p.around(20), bits: p.r.pick([0n, 30n]) } };
    }
    const [subject, { by, start, minutes }] = open;
    const other = by === tutor ? student : tutor;
    const self = p.r.below(5) === 0;
    return { by: p.keyOf(self ? by : other),
      fields: { subject, who: p.perhaps(self ? other : by), moment: self ? p.around(20) : start, bits: minutes } };
  }),
  "lesson-attend": (p) => {
    const waits = ({ state, attended }) => (state === 2n || state === 6n) && attended < 3n;
    const found = p.one("lessons", waits) ?? lessonOf(p);
    if (!found) return null;
    const [id, { tutor, student, attended }] = found;
    const byTutor = attended === 2n || (attended === 0n && p.r.below(2) === 0);
    const scanned = p.one("attendances", (lesson) => lesson === id);
    return { by: p.keyOf(byTutor ? tutor : student), fields: {
      subject: scanned && p.r.below(2) ? scanned[0] : id, who: byTutor ? student : tutor, moment: p.around(1) } };
  },
  "lesson-complete": wanting(({ attended }) => attended === 3n, (p, subject, { tutor, student }) =>
    ({ by: p.keyOf(student), fields: { subject, who: p.perhaps(tutor) } })),
  "lesson-claim": about((p, subject) => ({ by: p.anybody(), fields: { subject } })),
  "class-open": (p) => {
    const pool = p.r.below(4) ? p.one("pools", inTerm(p)) : null;
    const tutor = pool ? p.r.pick(admitted(p, pool[0])) : p.registered();
    return { by: p.keyOf(tutor), fields: { subject: pool?.[0] ?? ZEROS, asset: pool ? pool[1].asset : null,
      amount: pool ? 20n : 0n, moment: p.w.now - 3600n * BigInt(p.r.below(100)), bits: 60n } };
  },
  "class-attend": (p) => {
    const found = p.one("classes");
    if (!found) return null;
    const [subject, { tutor }] = found;
    const waiting = p.one("presences", (mask, place) => mask < 3n && place.startsWith(subject));
    const learner = waiting && p.r.below(4) ? waiting[0].split(" ")[1] : p.registered();
    const byTutor = waiting ? waiting[1] === 2n : p.r.below(2) === 0;
    return { by: p.keyOf(byTutor ? tutor : learner),
      fields: { subject, who: byTutor ? learner : tutor, moment: p.around(1) } };
  },
};

// ---- ratings

const rated = (p) => p.one("lessons", ({ attended }) => attended === 3n) ?? p.one("lessons");
const STARS = [1n, 3n, 5n];

const ratings = {
  "rating-seal": (p) => {
    const found = rated(p);
    if (!found) return null;
    const [subject, { tutor, student }] = found;
    const byTutor = p.r.below(2) === 0;
    const content = seal({ amount: p.r.below(8) ? starsOf(subject) : 9n, subject });
    return { by: p.keyOf(byTutor ? tutor : student), fields: { subject, who: byTutor ? student : tutor, content } };
  },
  "rating-open": (p) => {
    const found = p.one("ratings", ({ stars }) => p.r.below(4) === 0 || stars === 0n);
    if (!found) return null;
    const [subject, rater] = found[0].split(" ");
    return { by: p.keyOf(rater),
      fields: { subject, who: found[1].rated, amount: p.r.below(8) ? starsOf(subject) : 9n } };
  },
};

/** The stars that a lesson gets: a function of its id, so that an opening can match its seal. */
const starsOf = (lesson) => STARS[parseInt(lesson.slice(0, 2), 16) % STARS.length];

// ---- market

const market = {
  "offer-set": (p) => {
    const [tutor, asset] = [p.registered(), p.asset()];
    const before = p.w.offers.get(`${tutor} ${asset}`);
    const fresh = !before || (!before.active && p.r.below(2) === 0);
    return { by: p.keyOf(tutor), fields: { subject: fresh ? ZEROS : before.id, amount: p.amount(), asset,
      moment: p.r.pick([0n, 5n, 2n ** 56n - 1n]), bits: p.r.pick(SUBJECTS), content: CONTENT } };
  },
  "offer-withdraw": (p) => {
    const found = p.r.below(4) ? p.one("offers", ({ active }) => active) : null;
    if (found) return { by: p.keyOf(found[0].split(" ")[0]), fields: { subject: found[1].id } };
    const old = p.one("offerKeys");
    return old && { by: p.keyOf(old[1].tutor), fields: { subject: old[0] } };
  },
  "request-open": (p) => ({ by: p.keyOf(p.registered()), fields: {
    amount: p.r.pick([0n, 100n, 400n]), asset: p.asset(), moment: p.r.pick([0n, 7n]), bits: p.r.pick(SUBJECTS),
    content: CONTENT, expires: p.around(40) + 10n * DAY } }),
  "request-close": (p) => {
    const found = p.one("requests", ({ state }) => state === 1n || p.r.below(4) === 0);
    return found && { by: p.keyOf(found[1].student), fields: { subject: found[0] } };
  },
  "match-offer": (p) => {
    const found = p.one("requests", ({ state, expires }) => p.r.below(4) === 0 || (state === 1n && expires >= p.w.now));
    return found && { by: p.keyOf(p.registered()), fields: { subject: found[0], who: found[1].student,
      amount: p.amount(), asset: found[1].asset, moment: p.around(10), bits: p.r.pick([60n, 30n]) } };
  },
  "match-accept": (p) => {
    const found = p.one("matches", ({ accepted, request }) => p.r.below(4) === 0 ||
      (!accepted && p.w.requests.get(request).state === 1n));
    if (!found) return null;
    const [subject, { tutor, student, price, asset, start, minutes }] = found;
    return { by: p.keyOf(student),
      fields: { subject, who: p.perhaps(tutor), amount: price, asset, moment: start, bits: minutes } };
  },
};

// ---- disputes

const dispute = (p) => p.one("disputes", ({ ended }) => ended === 0n || p.r.below(12) === 0);
const SHARES = [0n, 2500n, 5000n, 10_000n];

const disputes = {
  "panel-set": (p) => {
    const who = p.registered();
    const enrolled = p.w.enrolled.get(who) === true;
    return { by: p.w.mesh.deployer, fields: { who, on: enrolled ? p.r.below(8) > 0 : true } };
  },
  "dispute-open": (p) => {
    const found = p.one("lessons", ({ state, funding }) => state === 2n && funding === 1n) ?? p.one("lessons");
    if (!found) return null;
    const [subject, { tutor, student }] = found;
    const byTutor = p.r.below(2) === 0;
    return { by: p.keyOf(byTutor ? tutor : student),
      fields: { subject, who: p.perhaps(byTutor ? student : tutor), bits: 3n } };
  },
  "dispute-offer": (p) => {
    const found = dispute(p);
    if (!found) return null;
    const [lesson, { tutor, student, mediator, ...rest }] = found;
    const by = p.r.pick([tutor, student, mediator ?? p.registered()]);
    const side = by === tutor ? "tutor" : by === student ? "student" : "mediator";
    const subject = p.r.below(6) === 0 ? lesson : rest[`${side}-offer`] ?? lesson;
    return { by: p.keyOf(by), fields: { subject, amount: p.r.pick(SHARES) } };
  },
  "dispute-accept": (p) => {
    const found = p.one("disputeOffers", ({ lesson }) => p.r.below(12) === 0 || p.w.disputes.get(lesson).ended === 0n);
    if (!found) return null;
    const { tutor, student } = p.w.disputes.get(found[1].lesson);
    return { by: p.keyOf(p.r.pick([tutor, student])), fields: { subject: found[0] } };
  },
  "dispute-vote": (p) => {
    const found = dispute(p);
    if (!found) return null;
    const arbiters = arbitersOf(p.w, found[0]);
    const voter = p.r.below(4) === 0 && p.one("votes", (_, place) => place.startsWith(found[0]));
    const by = voter ? voter[0].split(" ")[1] : arbiters.length && p.r.below(4) ? p.r.pick(arbiters) : p.registered();
    return { by: p.keyOf(by), fields: { subject: found[0], amount: p.r.pick(SHARES), bits: 1n } };
  },
  "dispute-settle": (p) => {
    const found = dispute(p);
    return found && { by: p.anybody(), fields: { subject: found[0] } };
  },
};

// ---- the owner

const asOwner = (fields) => (p) => ({ by: p.w.mesh.deployer, fields: fields(p) });

const owner = {
  "set-grace": asOwner((p) => ({ seconds: BigInt(p.r.pick([29, 30, 45, 45])) * DAY })),
  "set-notice": asOwner((p) => ({
    seconds: BigInt(p.r.pick([0, 1, 3])) * DAY, bps: p.r.pick([0n, 2000n, 3333n, 5000n, 5001n]),
  })),
  "set-dispute-bond": asOwner((p) => ({ bps: p.r.pick([0n, 500n, 2000n, 2001n]) })),
  "set-relay-fee": asOwner((p) => ({ bps: p.r.pick([0n, 250n, 500n, 501n]), who: p.anybody() })),
  "pause-deposits": asOwner(() => ({})),
  "resume-deposits": asOwner(() => ({})),
};

export const PROPOSALS = { ...identity, ...money, ...lessons, ...ratings, ...market, ...disputes, ...owner };
