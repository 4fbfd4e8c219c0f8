// What holds for keys, guardians and recoveries alike: events, lures, and what `recovery` may do in `user-registry`.
import assert from "node:assert/strict";
import { ALL, each, IDENTITY, INT_MAX, newKey, WEEK } from "./lib/identity.mjs";
import { code } from "./lib/mesh.mjs";
import { ZEROS } from "./lib/values.mjs";

const registry = (name) => code(`user-registry/ERR-${name}`);
const names = ({ events }) => events.map(({ event }) => event);

each("every change of keys prints one flat event that says it all", (on) => {
  const home = newKey().address;
  const owner = newKey();
  const joined = on.register(owner, { roles: 3n, home });
  assert.deepEqual(joined.events,
    [{ event: "user-registered", person: owner.address, roles: 3n, home, id: joined.id }]);
  const key = newKey();
  const terms = { scopes: 13n, amount: 7n, asset: on.mesh.hours, until: INT_MAX };
  const added = on.add(owner, key, terms);
  assert.deepEqual(added.events, [{ event: "key-added", id: added.id, person: owner.address, by: owner.address,
    key: key.address, ...terms }]);
  assert.deepEqual(on.accept(key, added.id).events,
    [{ event: "key-accepted", id: added.id, person: owner.address, key: key.address }]);
  assert.deepEqual(on.revoke(owner, added.id, key).events,
    [{ event: "key-revoked", "added-by": added.id, person: owner.address, by: owner.address, key: key.address }]);
});

each("every change of guardians and recoveries prints its event, after those of the registry", (on) => {
  const { owner, circle } = on.guarded(2, { delay: WEEK });
  const set = on.guard(owner, circle[0], { slot: 0n, threshold: 1n, delay: WEEK });
  const { from } = on.mesh.read("recovery", "get-guardian-change", [owner.address]);
  assert.deepEqual(set.events, [{ event: "person-guarded", person: owner.address, on: true },
    { event: "guardian-set", id: set.id, person: owner.address, guardian: circle[0].address, threshold: 1n, delay: WEEK,
      slot: 0n, from }]);
  const fresh = newKey();
  const asked = on.open(fresh, owner);
  const person = owner.address;
  assert.deepEqual(asked.events, [{ event: "recovery-opened", id: asked.id, person, key: fresh.address }]);
  const first = on.approve(circle[0], asked.id, owner);
  assert.deepEqual(first.events, [{ event: "recovery-approved", id: asked.id, person, guardian: circle[0].address,
    approvals: 1n, runs: false, due: 0n }]);
  const second = on.approve(circle[1], asked.id, owner);
  const { due } = on.recovery(asked.id);
  assert.deepEqual(second.events, [{ event: "person-frozen", person, recovery: asked.id, key: fresh.address },
    { event: "recovery-approved", id: asked.id, person, guardian: circle[1].address, approvals: 2n, runs: true, due }]);
  on.mesh.advance(Number(WEEK) + 60);
  assert.deepEqual(on.finish(asked.id, owner).events, [
    { event: "person-renewed", person, recovery: asked.id, epoch: 1n },
    { event: "recovery-finished", id: asked.id, person, key: fresh.address }]);
});

each("an objection says who objected, and that the person is free again", (on) => {
  const { owner, circle } = on.guarded(1, { threshold: 1n });
  const { id, fresh } = on.recovering(owner, circle);
  assert.deepEqual(on.cancel(owner, id, owner).events, [
    { event: "person-unfrozen", person: owner.address, key: fresh.address },
    { event: "recovery-cancelled", id, person: owner.address, by: owner.address }]);
});

each("whoever named no guardian, or dismissed them all, has none and can be asked about", (on) => {
  const [owner, stranger] = [on.person(), on.person()];
  for (const dismissed of [false, true]) {
    if (dismissed) for (const guardian of [stranger, null]) on.guard(owner, guardian, { threshold: 5n });
    assert.equal(on.isGuardian(owner, stranger), false);
    const { id } = on.open(newKey(), owner);
    assert.equal(on.approve(stranger, id, owner).err, code("recovery/ERR-NOT-GUARDIAN"));
    assert.equal(on.cancel(owner, id, owner).err, undefined);
  }
});

each("a lure that a person calls is nobody", (on) => {
  const { owner, circle } = on.guarded(1, { threshold: 1n });
  const { id } = on.open(newKey(), owner);
  const [thief, registered] = [newKey().address, on.key(owner)["added-by"]];
  const waiting = newKey();
  const added = on.add(owner, waiting, { previous: registered });
  const name = `lure-${on.form}`;
  on.mesh.deploy(name, `
    (define-public (add) (contract-call? .user-registry key-add 0x${ZEROS} 0x${registered} '${thief} u1 u0 none u0))
    (define-public (accept) (contract-call? .user-registry key-accept 0x${added.id}))
    (define-public (revoke) (contract-call? .user-registry key-revoke 0x${registered} tx-sender))
    (define-public (guard) (contract-call? .recovery guardian-set 0x${ZEROS} 0x${ZEROS} none u1 u0 u0))
    (define-public (approve) (contract-call? .recovery recovery-approve 0x${id} '${owner.address}))
    (define-public (cancel) (contract-call? .recovery recovery-cancel 0x${id} tx-sender))`);
  for (const method of ["add", "revoke", "guard", "approve", "cancel"]) {
    const victim = method === "approve" ? circle[0] : owner;
    assert.deepEqual(on.mesh.call(name, method, [], victim.address), { err: registry("KEY-UNKNOWN") }, method);
  }
  assert.deepEqual(on.mesh.call(name, "accept", [], waiting.address), { err: registry("OTHER-KEY") });
});

each("with its role, `recovery` freezes no one twice and takes nobody's key", (on) => {
  const [owner, other] = [on.person(), on.person()];
  const [role, fresh] = [on.mesh.deployer, newKey()];
  const call = (method, ...args) => on.mesh.call("user-registry", method, args, role);
  on.grant("recovery", role);
  for (const [method, ...args] of [["set-guarded", true], ["freeze", ZEROS, fresh.address], ["unfreeze", fresh.address],
    ["renew", ZEROS]]) {
    assert.deepEqual(call(method, fresh.address, ...args), { err: registry("KEY-UNKNOWN") }, method);
  }
  assert.deepEqual(call("freeze", owner.address, ZEROS, other.address), { err: registry("KEY-TAKEN") });
  assert.deepEqual(call("freeze", owner.address, ZEROS, on.mesh.access), { err: registry("PROGRAM") });
  assert.deepEqual(call("freeze", owner.address, ZEROS, fresh.address), { ok: true });
  assert.deepEqual(call("freeze", owner.address, ZEROS, newKey().address), { err: registry("FROZEN") });
  assert.deepEqual(call("unfreeze", owner.address, fresh.address), { ok: true });
  assert.deepEqual(on.resolve(owner, ALL), { ok: owner.address });
  on.grant("recovery", role, false);
});

each("a frozen person's key still speaks against the recovery, within its scope", (on) => {
  const { owner, circle } = on.guarded(1, { threshold: 1n });
  const shopper = on.secondKey(owner, { scopes: ALL - IDENTITY });
  const { id, fresh } = on.recovering(owner, circle);
  const speaks = (key, scope) => on.mesh.read("user-registry", "speaks-for", [key.address, scope]);
  assert.deepEqual(speaks(owner, ALL), { ok: owner.address });
  assert.deepEqual(speaks(shopper, IDENTITY), { err: registry("KEY-SCOPE") });
  assert.deepEqual(speaks(fresh, 0n), { err: registry("KEY-UNKNOWN") });
  assert.equal(on.cancel(shopper, id, owner).err, registry("KEY-SCOPE"));
  assert.deepEqual(names(on.cancel(owner, id, owner)), ["person-unfrozen", "recovery-cancelled"]);
});
