// Keys, guardians and recoveries in both forms: from a wallet, and for the author of a signed action.
import { test } from "node:test";
import { Cl } from "@stacks/transactions";
import { directId, person, sha256 } from "./action.mjs";
import { bootMesh, STX } from "./mesh.mjs";
import { maybe, plain, ZEROS } from "./values.mjs";

export const IDENTITY = 1n;
export const LESSON = 4n;
export const MONEY = 8n;
export const ALL = 65535n;
export const INT_MAX = 2n ** 63n - 1n;
export const UINT_MAX = 2n ** 128n - 1n;
export const WEEK = 7n * 86_400n;
export const YEAR = 365n * 86_400n;
export const GRACE = 45n * 86_400n;
const FORMS = ["wallet", "signed"];
/** Stands for the gateway, so that a signed form is tested by itself. */
const CARRIER = person("carrier").address;

let operations = 0;
let newcomers = 0;

/** A key that nobody has. */
export const newKey = () => person(`identity ${++newcomers}`);

/** The operations of identity in one form; each answers { id, ok, err, events }. */
export class Identity {
  constructor(mesh, form) {
    Object.assign(this, { mesh, form });
    this.grant("gateway", CARRIER);
    this.grant("spender", mesh.deployer);
  }

  grant(role, who, on = true) {
    this.mesh.call("access", "set-role", [Cl.stringAscii(role), who, on]);
  }

  /** An operation by `actor`; one that leaves an id behind is given a salt, or the id of the action. */
  act(contract, kind, actor, args, { leavesId = false, method = kind, salt = sha256(`salt ${++operations}`) } = {}) {
    const by = actor.address ?? actor;
    const wallet = this.form === "wallet";
    const id = !leavesId ? null : wallet ? directId(by, kind, salt) : salt;
    const signed = [...(kind === "recovery-finish" ? [] : [by]), ...(leavesId ? [id] : []), ...args];
    const done = wallet
      ? this.mesh.run(contract, method, leavesId ? [salt, ...args] : args, by)
      : this.mesh.run(contract, `${method}-for`, signed, CARRIER);
    return { id, ok: done.ok, err: done.err, events: done.events.map(({ data }) => plain(data.value)) };
  }

  register(who = newKey(), { roles = 1n, home = null, salt } = {}) {
    const options = { leavesId: true, method: "register", ...(salt && { salt }) };
    return { ...who, ...this.act("user-registry", "user-register", who, [roles, maybe(home)], options) };
  }

  /** Somebody new who is registered. */
  person(options) {
    return this.register(newKey(), options);
  }

  head(who) {
    return this.record(who)["keys-head"];
  }

  record(who) {
    return this.mesh.read("user-registry", "get-person", [who.address]);
  }

  key(who) {
    return this.mesh.read("user-registry", "get-key", [who.address]);
  }

  recovery(id) {
    return this.mesh.read("recovery", "get-recovery", [id]);
  }

  resolve(key, scope = 0n, amount = 0n, asset = STX, sender = this.mesh.deployer) {
    return this.mesh.call("user-registry", "resolve", [key.address, scope, amount, maybe(asset)], sender);
  }

  add(actor, key, { previous, scopes = ALL, amount = 0n, asset = STX, until = 0n, salt } = {}) {
    const args = [previous ?? this.head(actor.of ?? actor), key.address ?? key, scopes, amount, maybe(asset), until];
    return this.act("user-registry", "key-add", actor, args, { leavesId: true, ...(salt && { salt }) });
  }

  accept(key, add) {
    return this.act("user-registry", "key-accept", key, [add]);
  }

  /** A key that is in force: { address, key, of: its person, added: the id of its key-add }. */
  secondKey(of, options) {
    const key = newKey();
    const added = this.add(of, key, options);
    const accepted = this.accept(key, added.id);
    if (added.err ?? accepted.err) throw new Error(`no second key: u${added.err ?? accepted.err}`);
    return { ...key, of: of.of ?? of, added: added.id };
  }

  revoke(actor, addedBy, key) {
    return this.act("user-registry", "key-revoke", actor, [addedBy, key.address]);
  }

  guard(actor, guardian, { slot = 0n, threshold = 2n, delay = 0n, previous, of = actor.of ?? actor, salt } = {}) {
    const args = [previous ?? this.guardHead(of), maybe(guardian && guardian.address), threshold, delay, slot];
    return this.act("recovery", "guardian-set", actor, args, { leavesId: true, ...(salt && { salt }) });
  }

  guardHead(of) {
    return this.mesh.read("recovery", "get-guardian-change", [of.address])?.head ?? ZEROS;
  }

  guardians(of) {
    return this.mesh.read("recovery", "get-guardians", [of.address]);
  }

  isGuardian(of, who) {
    return this.mesh.read("recovery", "is-guardian", [of.address, who.address]);
  }

  /** A person with so many guardians: { owner, circle }. */
  guarded(count, { threshold = 2n, delay = 0n, owner = this.person() } = {}) {
    const circle = Array.from({ length: count }, () => this.person());
    for (const [i, guardian] of circle.entries()) {
      const last = i + 1 === count;
      const { err } = this.guard(owner, guardian, { slot: BigInt(i), threshold: last ? threshold : 5n, delay });
      if (err) throw new Error(`no guardian: u${err}`);
    }
    return { owner, circle };
  }

  open(key, of, salt) {
    return this.act("recovery", "recovery-open", key, [of.address], { leavesId: true, ...(salt && { salt }) });
  }

  approve(guardian, id, of) {
    return this.act("recovery", "recovery-approve", guardian, [id, of.address]);
  }

  cancel(actor, id, of) {
    return this.act("recovery", "recovery-cancel", actor, [id, of.address]);
  }

  finish(id, of, by = this.mesh.deployer) {
    return this.act("recovery", "recovery-finish", by, [id, of.address]);
  }

  /** A recovery that these guardians approved: { id, fresh: its new key }. */
  recovering(owner, guardians) {
    const fresh = newKey();
    const { id } = this.open(fresh, owner);
    for (const guardian of guardians) {
      const { err } = this.approve(guardian, id, owner);
      if (err) throw new Error(`not approved: u${err}`);
    }
    return { id, fresh };
  }
}

const shared = new Map();

/** The same test in both forms. Tests of one form share a mesh, and make persons of their own. */
export function each(name, body) {
  for (const form of FORMS) {
    test(`${name} (${form})`, async () => {
      if (!shared.has(form)) shared.set(form, new Identity(await bootMesh(), form));
      body(shared.get(form));
    });
  }
}
