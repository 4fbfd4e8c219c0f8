// Persons, their keys, their guardians, and recovery.
import { INT_MAX, needs } from "./store.mjs";

const need = needs("user-registry");
export const [IDENTITY, MARKET, LESSON, MONEY, REPUTATION, DISPUTE] = [1n, 2n, 4n, 8n, 16n, 32n];
const SCOPES_ALL = 65_535n;
const ROLES_MAX = 65_535n;
const TUTOR = 2n;

export const isPerson = (w, who) => w.persons.has(who);
/** Whether a key is or was somebody's, and not only kept for a recovery. */
export function isTaken(w, key) {
  const entry = w.keys.get(key);
  return entry !== undefined && entry.epoch <= w.persons.get(entry.person).epoch;
}

/** The person that a key belongs to; a key that is nobody's stands for itself. */
export const personOf = (w, key) => (isTaken(w, key) ? w.keys.get(key).person : key);

/** The records of a key that may act in every bit of `scope`, frozen or not. */
function liveKey(w, key, scope, check = need) {
  const entry = w.keys.get(key);
  check(entry, "KEY-UNKNOWN");
  const person = w.persons.get(entry.person);
  check(entry.epoch <= person.epoch, "KEY-UNKNOWN");
  check(!entry.revoked && entry.epoch === person.epoch, "KEY-REVOKED");
  check(entry.until === null || w.now <= entry.until, "KEY-ENDED");
  check((entry.scopes & scope) === scope, "KEY-SCOPE");
  return { entry, person };
}

/** The same, and the person is not frozen for that scope. */
function freeKey(w, key, scope) {
  const found = liveKey(w, key, scope);
  need(found.person.recovery === null || (scope & (IDENTITY | MONEY)) === 0n, "FROZEN");
  return found;
}

/** The person that a key acts for, if it may; draws on the key's cap. */
export function resolve(w, key, scope, amount = 0n, asset = null) {
  const { entry } = freeKey(w, key, scope);
  if (entry.cap !== null && amount > 0n) {
    need(asset === entry.cap.asset && amount <= entry.cap.amount - entry.drawn, "KEY-CAP");
    w.keys.merge(key, { drawn: entry.drawn + amount });
  }
  return entry.person;
}

/** The person that a key may object for, frozen or not. */
export const speaksFor = (w, key) => liveKey(w, key, IDENTITY).entry.person;

export const isLasting = ({ scopes, cap, until }) => scopes === SCOPES_ALL && cap === null && until === null;

/** A key that nobody has, and no contract. */
export function checkNew(w, key) {
  need(!key.includes(".") && key.startsWith("ST"), "PROGRAM");
  need(!isTaken(w, key), "KEY-TAKEN");
  need(!w.keys.has(key), "KEY-KEPT");
}

/** Whether a key may give such terms, or end a key that has them. */
function covers(own, { scopes, until }) {
  const lasts = own.until === null || (until !== null && until <= own.until);
  return (scopes & own.scopes) === scopes && own.cap === null && lasts;
}

function register(w, key, id, roles, home) {
  need(roles <= ROLES_MAX, "ROLES");
  checkNew(w, key);
  w.keys.set(key, { person: key, scopes: SCOPES_ALL, cap: null, drawn: 0n, until: null, revoked: false,
    "added-by": id, epoch: 0n });
  w.persons.set(key, { roles, home, "registered-at": w.now, "keys-head": id, epoch: 0n, recovery: null, lasting: 1n,
    guarded: false });
  w.counts.add("user-registry", { persons: 1n, tutors: (roles & TUTOR) > 0n ? 1n : 0n, keys: 1n });
}

// ---- keys

function addKey(w, key, id, f) {
  const { subject: previous, who, bits: scopes, amount, asset, moment: until } = f;
  const { entry: own, person: record } = freeKey(w, key, IDENTITY);
  need(scopes > 0n && amount <= INT_MAX && until <= INT_MAX && (amount > 0n || asset === null), "KEY-TERMS");
  need(covers(own, { scopes, until: until > 0n ? until : null }), "KEY-WIDER");
  checkNew(w, who);
  need(previous === record["keys-head"], "VERSION");
  const entry = { person: own.person, scopes, cap: amount > 0n ? { amount, asset } : null, drawn: 0n,
    until: until > 0n ? until : null, revoked: false, "added-by": id, epoch: own.epoch };
  w.adds.set(id, { key: who, by: key, withdrawn: false, entry });
  w.persons.merge(own.person, { "keys-head": id });
}

function acceptKey(w, key, id) {
  const add = w.adds.get(id);
  need(add, "ADD-UNKNOWN");
  need(key === add.key, "OTHER-KEY");
  checkNew(w, key);
  need(!add.withdrawn, "ADD-LAPSED");
  const { person } = liveKey(w, add.by, IDENTITY, (holds) => need(holds, "ADD-LAPSED"));
  need(person.recovery === null, "FROZEN");
  w.keys.set(key, add.entry);
  if (isLasting(add.entry)) w.persons.merge(add.entry.person, { lasting: person.lasting + 1n });
  w.counts.add("user-registry", { keys: 1n });
}

function revokeKey(w, actor, addedBy, key) {
  const { entry: own } = freeKey(w, actor, IDENTITY);
  const { person } = own;
  const ends = (terms) => actor === key || covers(own, terms);
  const entry = w.keys.get(key);
  if (!isTaken(w, key)) return withdrawAdd(w, person, addedBy, key, ends);
  const { lasting, epoch, guarded } = w.persons.get(entry.person);
  need(person === entry.person && addedBy === entry["added-by"], "OTHER-KEY");
  need(!entry.revoked && entry.epoch === epoch, "REVOKED-BEFORE");
  need(ends(entry), "KEY-NARROWER");
  if (isLasting(entry)) {
    need(lasting > 1n || guarded, "LAST-KEY");
    w.persons.merge(person, { lasting: lasting - 1n });
  }
  return w.keys.merge(key, { revoked: true });
}

function withdrawAdd(w, person, id, key, ends) {
  const add = w.adds.get(id);
  need(add, "ADD-UNKNOWN");
  need(person === add.entry.person && key === add.key, "OTHER-KEY");
  need(!add.withdrawn, "REVOKED-BEFORE");
  need(ends(add.entry), "KEY-NARROWER");
  w.adds.merge(id, { withdrawn: true });
}

const CONTRACT = "user-registry";

export const operations = {
  "user-register": {
    direct: (f, salt, some) => [CONTRACT, "register", [salt, f.bits, some(f.who)]],
    does: (w, key, id, f) => register(w, key, id, f.bits, f.who),
  },
  "key-add": {
    direct: (f, salt, some) => [CONTRACT, "key-add",
      [salt, f.subject, f.who, f.bits, f.amount, some(f.asset), f.moment]],
    does: addKey,
  },
  "key-accept": {
    direct: (f) => [CONTRACT, "key-accept", [f.subject]],
    does: (w, key, id, f) => acceptKey(w, key, f.subject),
  },
  "key-revoke": {
    direct: (f) => [CONTRACT, "key-revoke", [f.subject, f.who]],
    does: (w, key, id, f) => revokeKey(w, key, f.subject, f.who),
  },
};
