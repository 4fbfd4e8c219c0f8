// Sponsor pools, and the classes that they pay.
import { isPerson, LESSON, MONEY, personOf, resolve } from "./identity.mjs";
import { settings } from "./settings.mjs";
import { INT_MAX, needs } from "./store.mjs";
import { add, draw, lock, refund, release } from "./vault.mjs";

const need = needs("sponsor-pool");
const needClass = needs("class-manager");
const YEARS = 63_072_000n;
const DAYS = 86_400n;
const LATE = 180n * DAYS;
export const WEEK = 604_800n;

function openPool(w, id) {
  const pool = w.pools.get(id);
  need(pool, "POOL-UNKNOWN");
  need(pool.open, "POOL-CLOSED");
  return pool;
}

function ownPool(w, key, id) {
  const person = resolve(w, key, MONEY);
  const pool = openPool(w, id);
  need(person === pool.sponsor, "NOT-SPONSOR");
  return pool;
}

const checkCaps = (...caps) => need(caps.every((cap) => cap > 0n && cap <= INT_MAX), "CAP");

function open(w, key, id, f) {
  const sponsor = resolve(w, key, MONEY, f.amount, f.asset);
  checkCaps(f.learnerCap, f.tutorCap);
  need(f.from <= f.until && f.until <= w.now + YEARS, "TERM");
  w.pools.set(id, { sponsor, asset: f.asset, "learner-cap": f.learnerCap, "tutor-cap": f.tutorCap, from: f.from,
    until: f.until, open: true });
  lock(w, id, sponsor, f.asset, f.amount);
  w.counts.add("sponsor-pool", { opened: 1n });
}

function changePool(w, key, f) {
  const pool = ownPool(w, key, f.subject);
  checkCaps(f.learnerCap, f.tutorCap);
  need(f.until === pool.until || (f.until > pool.until && f.until <= w.now + YEARS), "TERM");
  w.pools.merge(f.subject, { "learner-cap": f.learnerCap, "tutor-cap": f.tutorCap, until: f.until });
}

function admit(w, key, f) {
  const tutor = personOf(w, f.who);
  ownPool(w, key, f.subject);
  need(isPerson(w, tutor), "TUTOR-UNKNOWN");
  w.poolTutors.set(`${f.subject} ${tutor}`, f.on);
}

function fundPool(w, key, f) {
  const person = resolve(w, key, MONEY, f.amount, f.asset);
  const pool = openPool(w, f.subject);
  need(f.who === pool.sponsor && f.asset === pool.asset, "OTHER-POOL");
  add(w, f.subject, person, f.amount);
}

function closePool(w, id) {
  const pool = openPool(w, id);
  need(w.now > pool.until + 2n * settings(w)["grace-seconds"] + 14n * DAYS, "RUNNING");
  w.pools.merge(id, { open: false });
  w.counts.add("sponsor-pool", { closed: 1n });
  refund(w, id);
}

function countTowards(w, key, amount, cap, name) {
  const sum = w.paid.get(key) ?? 0n;
  need(sum + amount <= cap, name);
  w.paid.set(key, sum + amount);
}

/** Pay a tutor from a pool, once under `id`, within what the week of `start` may cost. */
export function pay(w, poolId, id, learner, tutor, asset, amount, start) {
  const pool = openPool(w, poolId);
  need(asset === pool.asset, "OTHER-POOL");
  need(learner !== tutor && learner !== pool.sponsor && tutor !== pool.sponsor, "SAME-PERSON");
  need(w.poolTutors.get(`${poolId} ${tutor}`), "NOT-ADMITTED");
  need(start >= pool.from && start <= pool.until, "OUTSIDE-TERM");
  need(start <= w.now, "AHEAD");
  need(w.now - start <= LATE, "TOO-LATE");
  const week = start / WEEK;
  countTowards(w, `${poolId} ${learner} ${week} false`, amount, pool["learner-cap"], "LEARNER-CAP");
  countTowards(w, `${poolId} ${tutor} ${week} true`, amount, pool["tutor-cap"], "TUTOR-CAP");
  draw(w, poolId, id, amount);
  release(w, id, tutor);
  w.counts.add("sponsor-pool", { payments: 1n });
}

// ---- classes

function openClass(w, key, id, f) {
  const tutor = resolve(w, key, LESSON);
  needClass(f.amount <= INT_MAX && f.moment <= INT_MAX && f.bits > 0n && f.bits <= 4095n, "RANGE");
  if (f.amount > 0n) {
    needClass(w.pools.has(f.subject), "POOL-UNKNOWN");
    needClass(w.pools.get(f.subject).asset === f.asset, "ASSET");
  }
  w.classes.set(id, { tutor, pool: f.subject, asset: f.asset, amount: f.amount, start: f.moment, minutes: f.bits });
  w.counts.add("class-manager", { classes: 1n });
}

function attendClass(w, key, id, f) {
  const person = resolve(w, key, LESSON);
  const held = w.classes.get(f.subject);
  needClass(held, "CLASS-UNKNOWN");
  const byTutor = person === held.tutor;
  const learner = byTutor ? f.who : person;
  const place = `${f.subject} ${learner}`;
  const [word, before] = [byTutor ? 1n : 2n, w.presences.get(place) ?? 0n];
  needClass(f.moment <= INT_MAX, "RANGE");
  needClass(byTutor || f.who === held.tutor, "OTHER-TUTOR");
  needClass(learner !== held.tutor, "SAME-PERSON");
  needClass(!byTutor || isPerson(w, learner), "LEARNER-UNKNOWN");
  needClass((before & word) === 0n, "ATTENDED");
  w.presences.set(place, before | word);
  if (before === 0n) return;
  w.counts.add("class-manager", { attendances: 1n, minutes: held.minutes });
  if (held.amount > 0n) pay(w, held.pool, id, learner, held.tutor, held.asset, held.amount, held.start);
}

const CONTRACT = "sponsor-pool";

export const operations = {
  "pool-open": {
    wallet: true,
    direct: (f, salt, some) => [CONTRACT, "pool-open",
      [salt, some(f.asset), f.amount, f.learnerCap, f.tutorCap, f.from, f.until]],
    does: open,
  },
  "pool-change": {
    wallet: true,
    direct: (f) => [CONTRACT, "pool-change", [f.subject, f.learnerCap, f.tutorCap, f.until]],
    does: (w, key, id, f) => changePool(w, key, f),
  },
  "pool-tutor-set": {
    wallet: true,
    direct: (f) => [CONTRACT, "pool-tutor-set", [f.subject, f.who, f.on]],
    does: (w, key, id, f) => admit(w, key, f),
  },
  "pool-fund": {
    kind: "escrow-lock",
    direct: (f, salt, some) => [CONTRACT, "pool-fund", [f.subject, f.who, some(f.asset), f.amount]],
    does: (w, key, id, f) => fundPool(w, key, f),
  },
  "pool-close": {
    wallet: true,
    direct: (f) => [CONTRACT, "pool-close", [f.subject]],
    does: (w, key, id, f) => closePool(w, f.subject),
  },
  "class-open": {
    direct: (f, salt, some) => ["class-manager", "class-open",
      [salt, f.subject, some(f.asset), f.amount, f.moment, f.bits]],
    does: openClass,
  },
  "class-attend": {
    direct: (f, salt) => ["class-manager", "class-attend", [salt, f.subject, f.who, f.moment]],
    does: attendClass,
  },
};
