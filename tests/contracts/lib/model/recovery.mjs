// Guardians, and the recovery of a person by them.
import { checkNew, IDENTITY, isLasting, isPerson, resolve, speaksFor } from "./identity.mjs";
import { settings } from "./settings.mjs";
import { needs } from "./store.mjs";
import { ZEROS } from "../values.mjs";

const need = needs("recovery");
const needRegistry = needs("user-registry");
const DAY = 86_400n;
const SLOTS = 5;
const SCOPES_ALL = 65_535n;
const NOBODY = { guardians: Array(SLOTS).fill(null), threshold: 1n, delay: 0n };

const named = ({ guardians }) => guardians.filter((one) => one !== null);
const isUsable = (circle) => BigInt(named(circle).length) >= circle.threshold;
const secondsOf = (w, delay) => (delay === 0n ? settings(w)["grace-seconds"] : delay);

/** The guardians that count now. */
export function guardiansOf(w, person) {
  const change = w.circles.get(person);
  if (!change) return NOBODY;
  return w.now >= change.from ? change.now : change.before;
}

export const isGuardian = (w, person, who) => guardiansOf(w, person).guardians.includes(who);

function setGuardian(w, key, id, f) {
  const { subject: previous, who, amount: threshold, moment: delay, bits: slot } = f;
  const person = resolve(w, key, IDENTITY);
  const change = w.circles.get(person) ?? { head: ZEROS, now: NOBODY };
  const current = guardiansOf(w, person);
  need(slot < SLOTS && threshold > 0n && threshold <= SLOTS &&
    (delay === 0n || (delay >= 7n * DAY && delay <= 365n * DAY)), "TERMS");
  need(isLasting(w.keys.get(key)), "NOT-LASTING");
  need(previous === change.head, "VERSION");
  const at = change.now.guardians.indexOf(who);
  if (who !== null) {
    need(isPerson(w, who), "PERSON-UNKNOWN");
    need(who !== person && (at < 0 || BigInt(at) === slot), "GUARDIAN");
  }
  const now = { guardians: change.now.guardians.with(Number(slot), who), threshold, delay };
  const from = w.now + (isUsable(current) ? secondsOf(w, current.delay) : 0n);
  w.circles.set(person, { head: id, from, before: current, now });
  w.persons.merge(person, { guarded: isUsable(now) });
}

function open(w, key, id, person) {
  need(isPerson(w, person), "PERSON-UNKNOWN");
  checkNew(w, key);
  w.recoveries.set(id, { person, key, epoch: w.persons.get(person).epoch, approvals: [], cancelled: false, due: 0n,
    circle: null });
}

/** A recovery of `person` that is not over, and whether it runs. */
function live(w, id, person) {
  const recovery = w.recoveries.get(id);
  need(recovery, "RECOVERY-UNKNOWN");
  const record = w.persons.get(recovery.person);
  need(person === recovery.person, "PERSON");
  need(recovery.epoch === record.epoch, "OVER");
  return { recovery, runs: record.recovery === id, record };
}

/** Three guardians or more, and all of them. */
const isUnanimous = (approvals, circle) => approvals.length >= 3 && approvals.length === named(circle).length;

function approve(w, key, id, person) {
  const guardian = resolve(w, key, IDENTITY);
  const { recovery, runs, record } = live(w, id, person);
  const circle = recovery.circle ?? guardiansOf(w, person);
  need(circle.guardians.includes(guardian), "NOT-GUARDIAN");
  need(!recovery.approvals.includes(guardian), "APPROVED");
  const approvals = named(circle).filter((one) => one === guardian || recovery.approvals.includes(one));
  const enough = BigInt(approvals.length) >= circle.threshold;
  const starts = enough && !runs && (!recovery.cancelled || isUnanimous(approvals, circle));
  if (starts) {
    needRegistry(record.recovery === null, "FROZEN");
    checkNew(w, recovery.key);
    w.keys.set(recovery.key, { person, scopes: SCOPES_ALL, cap: null, drawn: 0n, until: null, revoked: false,
      "added-by": id, epoch: record.epoch + 1n });
    w.persons.merge(person, { recovery: id });
  }
  const due = starts ? w.now + secondsOf(w, circle.delay) : recovery.due;
  w.recoveries.merge(id, { approvals, due, circle: enough ? circle : null });
}

function cancel(w, key, id, person) {
  const { recovery, runs } = live(w, id, person);
  need(person === speaksFor(w, key), "PERSON");
  need(isLasting(w.keys.get(key)), "NOT-LASTING");
  need(runs || !recovery.cancelled, "CANCELLED");
  need(!(runs && isUnanimous(recovery.approvals, recovery.circle)), "UNANIMOUS");
  if (runs) {
    w.keys.remove(recovery.key);
    w.persons.merge(person, { recovery: null });
  }
  w.recoveries.merge(id, { cancelled: true });
}

function finish(w, id, person) {
  const { recovery, runs, record } = live(w, id, person);
  need(runs && w.now >= recovery.due, "NOT-DUE");
  w.circles.set(person, { head: id, from: 0n, now: recovery.circle, before: recovery.circle });
  w.persons.merge(person, { epoch: record.epoch + 1n, "keys-head": id, recovery: null, lasting: 1n,
    guarded: isUsable(recovery.circle) });
  w.counts.add("user-registry", { keys: 1n, recoveries: 1n });
}

const CONTRACT = "recovery";

export const operations = {
  "guardian-set": {
    direct: (f, salt, some) => [CONTRACT, "guardian-set", [salt, f.subject, some(f.who), f.amount, f.moment, f.bits]],
    does: setGuardian,
  },
  "recovery-open": {
    direct: (f, salt) => [CONTRACT, "recovery-open", [salt, f.who]],
    does: (w, key, id, f) => open(w, key, id, f.who),
  },
  "recovery-approve": {
    direct: (f) => [CONTRACT, "recovery-approve", [f.subject, f.who]],
    does: (w, key, id, f) => approve(w, key, f.subject, f.who),
  },
  "recovery-cancel": {
    direct: (f) => [CONTRACT, "recovery-cancel", [f.subject, f.who]],
    does: (w, key, id, f) => cancel(w, key, f.subject, f.who),
  },
  "recovery-finish": {
    direct: (f) => [CONTRACT, "recovery-finish", [f.subject, f.who]],
    does: (w, key, id, f) => finish(w, f.subject, f.who),
  },
};
