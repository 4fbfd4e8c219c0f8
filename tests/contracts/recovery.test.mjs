// Recovery: guardians bring a person to a new key; the owner stops conspirators, all guardians together stop a thief.
import assert from "node:assert/strict";
import { ALL, each, GRACE, IDENTITY, INT_MAX, LESSON, MONEY, newKey, WEEK } from "./lib/identity.mjs";
import { code } from "./lib/mesh.mjs";
import { ZEROS } from "./lib/values.mjs";

const err = (name) => code(`recovery/ERR-${name}`);
const registry = (name) => code(`user-registry/ERR-${name}`);
const DONE = undefined;

each("guardians bring a person to a new key, and every old key is void at once", (on) => {
  const { owner, circle } = on.guarded(3, { delay: WEEK });
  const second = on.secondKey(owner);
  const before = on.mesh.read("user-registry", "get-counts");
  const { id, fresh } = on.recovering(owner, circle.slice(0, 2));
  assert.equal(on.record(owner).recovery, id);
  assert.equal(on.finish(id, owner).err, err("NOT-DUE"));
  on.mesh.advance(Number(WEEK) + 60);
  assert.equal(on.finish(id, owner).err, DONE);
  assert.deepEqual(on.resolve(fresh, ALL), { ok: owner.address });
  for (const old of [owner, second]) assert.deepEqual(on.resolve(old), { err: registry("KEY-REVOKED") });
  const { epoch, recovery, lasting, "keys-head": head } = on.record(owner);
  assert.deepEqual({ epoch, recovery, lasting, head }, { epoch: 1n, recovery: null, lasting: 1n, head: id });
  const after = on.mesh.read("user-registry", "get-counts");
  assert.deepEqual([after.recoveries - before.recoveries, after.keys - before.keys], [1n, 1n]);
  for (const key of [owner, second, fresh]) {
    assert.equal(on.mesh.read("user-registry", "person-of", [key.address]), owner.address);
  }
});

each("the money of a lost key is the person's, and reaches the new one", (on) => {
  const { owner, circle } = on.guarded(1, { threshold: 1n, delay: WEEK });
  on.mesh.call("payment-escrow", "deposit-for", [owner.address, 500n]);
  const { id, fresh } = on.recovering(owner, circle);
  on.mesh.advance(Number(WEEK) + 60);
  on.finish(id, owner);
  const withdraw = (key) => on.mesh.call("payment-escrow", "withdraw", [500n, null], key.address);
  assert.deepEqual(withdraw(owner), { err: registry("KEY-REVOKED") });
  assert.deepEqual(withdraw(fresh), { ok: true });
});

each("while a recovery runs, keys and money stay as they are and lessons go on", (on) => {
  const { owner, circle } = on.guarded(2);
  const second = on.secondKey(owner);
  const waiting = newKey();
  const { id: added } = on.add(owner, waiting);
  const { id } = on.recovering(owner, circle);
  on.mesh.call("payment-escrow", "deposit-for", [owner.address, 100n]);
  for (const key of [owner, second]) {
    const frozen = [IDENTITY, MONEY, LESSON + MONEY, ALL].map((scope) => on.resolve(key, scope).err);
    assert.deepEqual(frozen, Array(4).fill(registry("FROZEN")));
    assert.deepEqual(on.resolve(key, LESSON), { ok: owner.address });
  }
  assert.equal(on.add(owner, newKey()).err, registry("FROZEN"));
  assert.equal(on.accept(waiting, added).err, registry("FROZEN"));
  assert.equal(on.revoke(owner, second.added, second).err, registry("FROZEN"));
  assert.equal(on.guard(owner, on.person(), { slot: 4n }).err, registry("FROZEN"));
  assert.deepEqual(on.mesh.call("payment-escrow", "withdraw", [1n, null], owner.address), { err: registry("FROZEN") });
  on.mesh.advance(Number(GRACE) + 60);
  assert.equal(on.finish(id, owner).err, DONE);
  assert.equal(on.accept(waiting, added).err, registry("ADD-LAPSED"));
});

each("anybody may ask, and asking does nothing", (on) => {
  const { owner } = on.guarded(2);
  const fresh = newKey();
  const { id } = on.open(fresh, owner);
  assert.deepEqual(on.resolve(owner, ALL), { ok: owner.address });
  assert.deepEqual(on.resolve(fresh), { err: registry("KEY-UNKNOWN") });
  assert.equal(on.finish(id, owner).err, err("NOT-DUE"));
  assert.equal(on.register(fresh).err, DONE);
});

each("a recovery is asked for by a key that nobody has, for a person", (on) => {
  const { owner } = on.guarded(2);
  for (const taken of [owner, on.person(), on.secondKey(owner)]) {
    assert.equal(on.open(taken, owner).err, registry("KEY-TAKEN"));
  }
  assert.equal(on.open(newKey(), newKey()).err, err("PERSON-UNKNOWN"));
  assert.equal(on.open(newKey(), on.secondKey(owner)).err, err("PERSON-UNKNOWN"));
  const [fresh, salt] = [newKey(), "a".repeat(64)];
  assert.equal(on.open(fresh, owner, salt).err, DONE);
  assert.equal(on.open(fresh, owner, salt).err, err("ID-USED"));
  on.mesh.deploy(`asks-${on.form}`, `(define-public (ask)
    (contract-call? .recovery recovery-open 0x${ZEROS} '${owner.address}))`);
  assert.deepEqual(on.mesh.call(`asks-${on.form}`, "ask", [], owner.address), { err: registry("PROGRAM") });
});

each("only guardians approve, each once, the recovery of the person they name", (on) => {
  const { owner, circle } = on.guarded(3, { threshold: 3n });
  const { id } = on.recovering(owner, [circle[1]]);
  assert.equal(on.approve(circle[1], id, owner).err, err("APPROVED"));
  assert.equal(on.approve(on.secondKey(circle[1]), id, owner).err, err("APPROVED"));
  for (const stranger of [owner, on.person()]) assert.equal(on.approve(stranger, id, owner).err, err("NOT-GUARDIAN"));
  assert.equal(on.approve(newKey(), id, owner).err, registry("KEY-UNKNOWN"));
  assert.equal(on.approve(circle[0], ZEROS, owner).err, err("RECOVERY-UNKNOWN"));
  assert.equal(on.approve(circle[0], id, circle[2]).err, err("PERSON"));
  const shopper = on.secondKey(circle[0], { scopes: ALL - IDENTITY });
  assert.equal(on.approve(shopper, id, owner).err, registry("KEY-SCOPE"));
  assert.deepEqual(on.recovery(id).approvals, [circle[1].address]);
});

each("a guardian who is frozen, or whose key was replaced, approves nothing with that key", (on) => {
  const { owner, circle: [robbed] } = on.guarded(2);
  const { circle } = on.guarded(1, { threshold: 1n, delay: WEEK, owner: robbed });
  const own = on.recovering(robbed, circle);
  const { id } = on.open(newKey(), owner);
  assert.equal(on.approve(robbed, id, owner).err, registry("FROZEN"));
  on.mesh.advance(Number(WEEK) + 60);
  on.finish(own.id, robbed);
  assert.equal(on.approve(robbed, id, owner).err, registry("KEY-REVOKED"));
  assert.equal(on.approve(own.fresh, id, owner).err, DONE);
});

each("the owner stops guardians who conspire, frozen or not, by any lasting key and no other", (on) => {
  const { owner, circle } = on.guarded(3);
  const second = on.secondKey(owner);
  const lesser = [{ scopes: IDENTITY }, { amount: INT_MAX }, { until: INT_MAX }].map((o) => on.secondKey(owner, o));
  const { id, fresh } = on.recovering(owner, circle.slice(0, 2));
  for (const other of [circle[0], on.person()]) assert.equal(on.cancel(other, id, owner).err, err("PERSON"));
  assert.equal(on.cancel(owner, id, circle[0]).err, err("PERSON"));
  assert.equal(on.cancel(fresh, id, owner).err, registry("KEY-UNKNOWN"));
  assert.equal(on.cancel(on.person(), ZEROS, owner).err, err("RECOVERY-UNKNOWN"));
  for (const small of lesser) assert.equal(on.cancel(small, id, owner).err, err("NOT-LASTING"));
  assert.equal(on.cancel(second, id, owner).err, DONE);
  assert.deepEqual(on.resolve(owner, ALL), { ok: owner.address });
  assert.deepEqual(on.resolve(fresh), { err: registry("KEY-UNKNOWN") });
  assert.equal(on.cancel(owner, id, owner).err, err("CANCELLED"));
  on.mesh.advance(Number(GRACE) + 60);
  assert.equal(on.finish(id, owner).err, err("NOT-DUE"));
  assert.equal(on.register(fresh).err, DONE);
});

each("nobody objects to all guardians together, and it doesn't matter who came first", (on) => {
  const { owner, circle } = on.guarded(3, { delay: WEEK });
  const { id, fresh } = on.recovering(owner, circle.slice(0, 2));
  assert.equal(on.cancel(owner, id, owner).err, DONE);
  assert.equal(on.approve(circle[2], id, owner).err, DONE);
  assert.equal(on.cancel(owner, id, owner).err, err("UNANIMOUS"));
  on.mesh.advance(Number(WEEK) + 60);
  assert.equal(on.finish(id, owner).err, DONE);
  assert.deepEqual(on.resolve(fresh, ALL), { ok: owner.address });
});

each("the last guardian to agree may come while the recovery runs, and doesn't prolong it", (on) => {
  const { owner, circle } = on.guarded(3, { delay: WEEK });
  const { id } = on.recovering(owner, circle.slice(0, 2));
  const { due } = on.recovery(id);
  on.mesh.advance(3600);
  assert.equal(on.approve(circle[2], id, owner).err, DONE);
  assert.equal(on.recovery(id).due, due);
  assert.equal(on.cancel(owner, id, owner).err, err("UNANIMOUS"));
});

each("one or two guardians can always be stopped", (on) => {
  for (const size of [1, 2]) {
    const { owner, circle } = on.guarded(size, { threshold: BigInt(size) });
    for (let again = 0; again < 2; again++) {
      const { id } = on.recovering(owner, circle);
      assert.equal(on.cancel(owner, id, owner).err, DONE);
      assert.equal(on.record(owner).recovery, null);
    }
  }
});

each("no change of guardians stops a recovery that as many approved as it takes, though the person objected", (on) => {
  const { owner, circle } = on.guarded(3, { delay: WEEK });
  const accomplice = on.person();
  const { id, fresh } = on.recovering(owner, circle.slice(0, 2));
  assert.equal(on.cancel(owner, id, owner).err, DONE);
  on.guard(owner, accomplice, { slot: 3n, delay: WEEK });
  on.guard(owner, null, { slot: 2n, delay: WEEK });
  on.mesh.advance(Number(WEEK) + 60);
  assert.ok(on.isGuardian(owner, accomplice));
  assert.equal(on.approve(accomplice, id, owner).err, err("NOT-GUARDIAN"));
  assert.equal(on.approve(circle[2], id, owner).err, DONE);
  assert.equal(on.cancel(owner, id, owner).err, err("UNANIMOUS"));
  on.mesh.advance(Number(WEEK) + 60);
  assert.equal(on.finish(id, owner).err, DONE);
  assert.deepEqual(on.resolve(fresh, ALL), { ok: owner.address });
});

each("the threshold that a person objected to is the one that the circle had then", (on) => {
  const { owner, circle } = on.guarded(3);
  const { id } = on.recovering(owner, circle.slice(0, 1));
  assert.equal(on.recovery(id).circle, null);
  assert.equal(on.cancel(owner, id, owner).err, DONE);
  assert.equal(on.approve(circle[1], id, owner).err, DONE);
  assert.deepEqual(on.recovery(id).circle, on.guardians(owner));
});

each("an objection before the threshold holds against it", (on) => {
  const { owner, circle } = on.guarded(3);
  const { id } = on.recovering(owner, circle.slice(0, 1));
  assert.equal(on.cancel(owner, id, owner).err, DONE);
  assert.equal(on.approve(circle[1], id, owner).err, DONE);
  assert.deepEqual([on.record(owner).recovery, on.recovery(id).due], [null, 0n]);
});

each("one recovery runs at a time, and those that were open are over when it is finished", (on) => {
  const { owner, circle } = on.guarded(3, { delay: WEEK });
  const rival = on.recovering(owner, [circle[2]]);
  const { id } = on.recovering(owner, circle.slice(0, 2));
  assert.equal(on.approve(circle[0], rival.id, owner).err, registry("FROZEN"));
  assert.equal(on.cancel(owner, rival.id, owner).err, DONE);
  assert.equal(on.record(owner).recovery, id);
  on.mesh.advance(Number(WEEK) + 60);
  assert.equal(on.finish(rival.id, owner).err, err("NOT-DUE"));
  assert.equal(on.finish(id, owner).err, DONE);
  for (const over of [id, rival.id]) {
    assert.equal(on.approve(circle[1], over, owner).err, err("OVER"));
    assert.equal(on.cancel(owner, over, owner).err, err("OVER"));
    assert.equal(on.finish(over, owner).err, err("OVER"));
  }
});

each("the new key is kept while the recovery runs, and one taken before never starts it", (on) => {
  const { owner, circle } = on.guarded(1, { threshold: 1n });
  const [taken, fresh] = [newKey(), newKey()];
  const first = on.open(taken, owner);
  on.register(taken);
  assert.equal(on.approve(circle[0], first.id, owner).err, registry("KEY-TAKEN"));
  const other = on.person();
  const added = on.add(other, fresh);
  const { id } = on.open(fresh, owner);
  const elsewhere = on.open(fresh, other);
  on.approve(circle[0], id, owner);
  assert.equal(on.register(fresh).err, registry("KEY-KEPT"));
  assert.equal(on.accept(fresh, added.id).err, registry("KEY-KEPT"));
  on.guard(other, circle[0], { threshold: 1n });
  assert.equal(on.approve(circle[0], elsewhere.id, other).err, registry("KEY-KEPT"));
  assert.deepEqual(on.resolve(fresh), { err: registry("KEY-UNKNOWN") });
});

each("a key kept for a recovery stands for itself, and is free again when the person objects", (on) => {
  const { owner, circle } = on.guarded(1, { threshold: 1n });
  const [other, fresh] = [on.person(), newKey()];
  const added = on.add(other, fresh);
  const { id } = on.open(fresh, owner);
  on.approve(circle[0], id, owner);
  assert.equal(on.mesh.read("user-registry", "person-of", [fresh.address]), fresh.address);
  assert.equal(on.revoke(owner, id, fresh).err, registry("FROZEN"));
  assert.equal(on.revoke(other, id, fresh).err, registry("ADD-UNKNOWN"));
  assert.equal(on.revoke(other, added.id, fresh).err, DONE);
  assert.equal(on.cancel(owner, id, owner).err, DONE);
  assert.equal(on.register(fresh).err, DONE);
  assert.equal(on.mesh.read("user-registry", "person-of", [fresh.address]), fresh.address);
});

each("a thief's change of guardians neither overtakes a recovery nor outlives it", (on) => {
  const { owner, circle } = on.guarded(3, { delay: WEEK });
  const thief = on.person();
  on.guard(owner, thief, { slot: 0n, threshold: 1n, delay: WEEK });
  on.mesh.advance(Number(WEEK) / 2);
  const { id, fresh } = on.recovering(owner, circle.slice(0, 2));
  on.mesh.advance(Number(WEEK) - 3600);
  assert.ok(on.isGuardian(owner, thief));
  assert.equal(on.approve(thief, id, owner).err, err("NOT-GUARDIAN"));
  assert.equal(on.approve(circle[2], id, owner).err, DONE);
  assert.equal(on.cancel(owner, id, owner).err, err("UNANIMOUS"));
  on.mesh.advance(7200);
  assert.equal(on.finish(id, owner).err, DONE);
  assert.deepEqual(on.guardians(owner).guardians.slice(0, 3), circle.map((one) => one.address));
  assert.equal(on.guardHead(owner), id);
  assert.equal(on.guard({ ...fresh, of: owner }, null, { slot: 2n }).err, DONE);
});

each("a guardian who was replaced counts no more", (on) => {
  const { owner, circle } = on.guarded(3, { delay: WEEK });
  const { id } = on.recovering(owner, [circle[0]]);
  on.guard(owner, on.person(), { slot: 0n, delay: WEEK });
  on.mesh.advance(Number(WEEK) + 60);
  assert.equal(on.approve(circle[0], id, owner).err, err("NOT-GUARDIAN"));
  on.approve(circle[1], id, owner);
  assert.deepEqual([on.recovery(id).approvals, on.record(owner).recovery], [[circle[1].address], null]);
});

each("after a recovery the new key adds and revokes from the recovery on, and can be recovered again", (on) => {
  const { owner, circle } = on.guarded(2, { delay: WEEK });
  on.guard(owner, null, { slot: 0n });
  assert.equal(on.record(owner).guarded, false);
  const { id, fresh } = on.recovering(owner, circle);
  on.mesh.advance(Number(WEEK) + 60);
  on.finish(id, owner);
  assert.equal(on.record(owner).guarded, true);
  const key = on.secondKey({ ...fresh, of: owner }, { previous: id });
  assert.equal(on.revoke(key, on.key(owner)["added-by"], owner).err, registry("REVOKED-BEFORE"));
  assert.equal(on.revoke(key, id, fresh).err, DONE);
  const again = on.recovering(owner, circle);
  on.mesh.advance(Number(WEEK) + 60);
  assert.equal(on.finish(again.id, owner).err, DONE);
  assert.deepEqual(on.resolve(again.fresh, ALL), { ok: owner.address });
  assert.equal(on.record(owner).epoch, 2n);
});
