// What keys, guardians and recoveries should do, said once more in the plainest way: one refusal after the other.
import { code } from "./mesh.mjs";
import { ZEROS } from "./values.mjs";

const registry = (name) => code(`user-registry/ERR-${name}`);
const recovery = (name) => code(`recovery/ERR-${name}`);
const DONE = undefined;
const IDENTITY = 1n;
const ALL = 65535n;
const EMPTY = { guardians: [null, null, null, null, null], threshold: 1n, delay: 0n };
const covers = (scopes, scope) => (scopes & scope) === scope;
const members = (circle) => circle.guardians.filter((one) => one !== null);
const isUsable = (circle) => BigInt(members(circle).length) >= circle.threshold;

export class IdentityModel {
  constructor(graceSeconds) {
    Object.assign(this, { graceSeconds, persons: new Map(), keys: new Map(), adds: new Map(), asked: new Map() });
  }

  register(address, id) {
    const circle = { head: ZEROS, from: 0n, now: EMPTY, before: EMPTY };
    this.persons.set(address, { address, epoch: 0n, runs: null, head: id, circle });
    this.keys.set(address, { person: address, scopes: ALL, capped: false, until: 0n, addedBy: id, epoch: 0n });
  }

  /** Whether a key is in force at `now`, or the code that says why not. */
  standing(address, now) {
    const key = this.keys.get(address);
    const epoch = key && this.persons.get(key.person).epoch;
    if (!key || key.epoch > epoch) return registry("KEY-UNKNOWN");
    if (key.revoked || key.epoch < epoch) return registry("KEY-REVOKED");
    return key.until && now > key.until ? registry("KEY-ENDED") : DONE;
  }

  speaks(address, scope, now) {
    const standing = this.standing(address, now);
    if (standing) return standing;
    return covers(this.keys.get(address).scopes, scope) ? DONE : registry("KEY-SCOPE");
  }

  resolve(address, scope, now) {
    const refused = this.speaks(address, scope, now);
    return refused ?? (this.personOf(address).runs && scope & 9n ? registry("FROZEN") : DONE);
  }

  personOf(address) {
    return this.persons.get(this.keys.get(address).person);
  }

  isLasting({ scopes, capped, until }) {
    return scopes === ALL && !capped && !until;
  }

  lasting(person) {
    const own = [...this.keys.values()].filter((key) => key.person === person.address && key.epoch === person.epoch);
    return own.filter((key) => !key.revoked && this.isLasting(key)).length;
  }

  /** Whether these terms are no wider than a key's own. */
  covers({ scopes, capped, until }, other) {
    const longer = until && (!other.until || other.until > until);
    return covers(scopes, other.scopes) && !capped && !longer;
  }

  /** Whether a key waits for a recovery to be finished, and is nobody's until then. */
  isKept(address) {
    const key = this.keys.get(address);
    return key !== undefined && key.epoch > this.persons.get(key.person).epoch;
  }

  taken(address) {
    return this.isKept(address) ? registry("KEY-KEPT") : this.keys.has(address) ? registry("KEY-TAKEN") : DONE;
  }

  circleOf(person, now) {
    return now >= person.circle.from ? person.circle.now : person.circle.before;
  }

  add({ by, id, key, scopes, capped, until, now }) {
    const refused = this.resolve(by, IDENTITY, now);
    if (refused) return refused;
    const own = this.keys.get(by);
    if (!this.covers(own, { scopes, until })) return registry("KEY-WIDER");
    if (this.taken(key)) return this.taken(key);
    this.adds.set(id, { key, by, entry: { person: own.person, scopes, capped, until, addedBy: id, epoch: own.epoch } });
    this.persons.get(own.person).head = id;
    return DONE;
  }

  accept({ by, id, now }) {
    const add = this.adds.get(id);
    if (!add) return registry("ADD-UNKNOWN");
    if (add.key !== by) return registry("OTHER-KEY");
    if (this.taken(by)) return this.taken(by);
    if (add.withdrawn || this.speaks(add.by, IDENTITY, now)) return registry("ADD-LAPSED");
    if (this.persons.get(add.entry.person).runs) return registry("FROZEN");
    this.keys.set(by, { ...add.entry });
    return DONE;
  }

  revoke({ by, id, key, now }) {
    const refused = this.resolve(by, IDENTITY, now);
    if (refused) return refused;
    const person = this.personOf(by);
    const [entry, add] = [this.isKept(key) ? undefined : this.keys.get(key), this.adds.get(id)];
    const ends = (other) => key === by || this.covers(this.keys.get(by), other);
    if (!entry) {
      if (!add) return registry("ADD-UNKNOWN");
      if (add.key !== key || add.entry.person !== person.address) return registry("OTHER-KEY");
      if (add.withdrawn) return registry("REVOKED-BEFORE");
      if (!ends(add.entry)) return registry("KEY-NARROWER");
      add.withdrawn = true;
      return DONE;
    }
    if (entry.person !== person.address || entry.addedBy !== id) return registry("OTHER-KEY");
    if (entry.revoked || entry.epoch !== person.epoch) return registry("REVOKED-BEFORE");
    if (!ends(entry)) return registry("KEY-NARROWER");
    const isLast = this.isLasting(entry) && this.lasting(person) === 1;
    if (isLast && !isUsable(person.circle.now)) return registry("LAST-KEY");
    entry.revoked = true;
    return DONE;
  }

  guard({ by, id, guardian, slot, threshold, delay, now }) {
    const refused = this.resolve(by, IDENTITY, now);
    if (refused) return refused;
    if (!this.isLasting(this.keys.get(by))) return recovery("NOT-LASTING");
    const person = this.personOf(by);
    const before = this.circleOf(person, now);
    const guardians = [...person.circle.now.guardians];
    if (guardian !== null) {
      if (!this.persons.has(guardian)) return recovery("PERSON-UNKNOWN");
      const at = guardians.indexOf(guardian);
      if (guardian === person.address || (at >= 0 && at !== slot)) return recovery("GUARDIAN");
    }
    guardians[slot] = guardian;
    const from = now + (isUsable(before) ? before.delay || this.graceSeconds : 0n);
    person.circle = { head: id, from, now: { guardians, threshold, delay }, before };
    return DONE;
  }

  open({ by, id, of }) {
    if (!this.persons.has(of)) return recovery("PERSON-UNKNOWN");
    if (this.taken(by)) return this.taken(by);
    this.asked.set(id, { of, key: by, epoch: this.persons.get(of).epoch, said: new Set(), due: 0n });
    return DONE;
  }

  found(id) {
    const asked = this.asked.get(id);
    if (!asked) return { refused: recovery("RECOVERY-UNKNOWN") };
    const person = this.persons.get(asked.of);
    return asked.epoch === person.epoch ? { asked, person, runs: person.runs === id } : { refused: recovery("OVER") };
  }

  isUnanimous({ said }, circle) {
    return members(circle).length >= 3 && members(circle).every((one) => said.has(one));
  }

  approve({ by, id, now }) {
    const stopped = this.resolve(by, IDENTITY, now);
    if (stopped) return stopped;
    const { refused, asked, person, runs } = this.found(id);
    if (refused) return refused;
    const circle = asked.circle ?? this.circleOf(person, now);
    const guardian = this.keys.get(by).person;
    if (!members(circle).includes(guardian)) return recovery("NOT-GUARDIAN");
    if (asked.said.has(guardian)) return recovery("APPROVED");
    const said = new Set(members(circle).filter((one) => one === guardian || asked.said.has(one)));
    const enough = BigInt(said.size) >= circle.threshold;
    const starts = !runs && enough && (!asked.vetoed || this.isUnanimous({ said }, circle));
    if (starts && person.runs) return registry("FROZEN");
    if (starts && this.taken(asked.key)) return this.taken(asked.key);
    Object.assign(asked, { said, circle: enough ? circle : undefined });
    if (!starts) return DONE;
    asked.due = now + (circle.delay || this.graceSeconds);
    person.runs = id;
    const epoch = person.epoch + 1n;
    this.keys.set(asked.key, { person: asked.of, scopes: ALL, capped: false, until: 0n, addedBy: id, epoch });
    return DONE;
  }

  cancel({ by, id, now }) {
    const { refused, asked, person, runs } = this.found(id);
    if (refused) return refused;
    const silent = this.speaks(by, IDENTITY, now);
    if (silent) return silent;
    if (this.keys.get(by).person !== asked.of) return recovery("PERSON");
    if (!this.isLasting(this.keys.get(by))) return recovery("NOT-LASTING");
    if (asked.vetoed && !runs) return recovery("CANCELLED");
    if (runs && this.isUnanimous(asked, asked.circle)) return recovery("UNANIMOUS");
    asked.vetoed = true;
    if (!runs) return DONE;
    person.runs = null;
    this.keys.delete(asked.key);
    return DONE;
  }

  finish({ id, now }) {
    const { refused, asked, person, runs } = this.found(id);
    if (refused) return refused;
    if (!runs || now < asked.due) return recovery("NOT-DUE");
    const circle = { head: id, from: 0n, now: asked.circle, before: asked.circle };
    Object.assign(person, { epoch: person.epoch + 1n, runs: null, head: id, circle });
    return DONE;
  }
}
