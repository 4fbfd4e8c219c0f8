// Guardians: who may choose them, from when a choice counts, and that a thief with the phone can't change them in time.
import assert from "node:assert/strict";
import { person } from "./lib/action.mjs";
import { ALL, each, GRACE, IDENTITY, INT_MAX, newKey, UINT_MAX, WEEK, YEAR } from "./lib/identity.mjs";
import { code } from "./lib/mesh.mjs";
import { ZEROS } from "./lib/values.mjs";

const err = (name) => code(`recovery/ERR-${name}`);
const DONE = undefined;
const addresses = (people) => people.map((one) => one?.address ?? null);

each("the first guardians count at once, until they could recover somebody", (on) => {
  const owner = on.person();
  const [first, second, third] = [on.person(), on.person(), on.person()];
  assert.deepEqual(on.guardians(owner), { guardians: [null, null, null, null, null], threshold: 1n, delay: 0n });
  for (const [slot, guardian] of [[4n, first], [0n, second]]) {
    assert.equal(on.guard(owner, guardian, { slot, delay: WEEK }).err, DONE);
    assert.ok(on.isGuardian(owner, guardian));
  }
  const circle = { guardians: addresses([second, null, null, null, first]), threshold: 2n, delay: WEEK };
  assert.deepEqual(on.guardians(owner), circle);
  assert.equal(on.record(owner).guarded, true);
  assert.equal(on.guard(owner, third, { slot: 1n, delay: WEEK }).err, DONE);
  assert.equal(on.isGuardian(owner, third), false);
  assert.deepEqual(on.guardians(owner), circle);
});

each("a change counts after the delay of the guardians it replaces, to the second", (on) => {
  const { owner, circle } = on.guarded(2, { delay: WEEK });
  const other = on.person();
  const { id } = on.guard(owner, other, { slot: 0n, delay: YEAR });
  const { from, head, now, before } = on.mesh.read("recovery", "get-guardian-change", [owner.address]);
  assert.equal(head, id);
  assert.deepEqual(now, { guardians: addresses([other, circle[1], null, null, null]), threshold: 2n, delay: YEAR });
  assert.deepEqual(before.guardians, addresses([...circle, null, null, null]));
  assert.equal(from, on.mesh.now - 10n + WEEK);
  on.mesh.advance(Number(WEEK) - 3600);
  assert.deepEqual([circle[0], other].map((one) => on.isGuardian(owner, one)), [true, false]);
  on.mesh.advance(7200);
  assert.deepEqual([circle[0], other].map((one) => on.isGuardian(owner, one)), [false, true]);
});

each("no delay stands for the mesh's grace period", (on) => {
  const { owner } = on.guarded(2);
  const now = on.mesh.now;
  on.guard(owner, on.person(), { slot: 2n });
  const { from } = on.mesh.read("recovery", "get-guardian-change", [owner.address]);
  assert.ok(from >= now + GRACE && from <= now + GRACE + 60n);
});

each("a second change begins the wait anew and can't bring the first forward", (on) => {
  const { owner, circle } = on.guarded(2, { delay: 2n * WEEK });
  const [thief, friend] = [on.person(), on.person()];
  on.guard(owner, thief, { slot: 0n });
  on.mesh.advance(Number(WEEK));
  on.guard(owner, friend, { slot: 1n, threshold: 1n, delay: WEEK });
  on.mesh.advance(Number(WEEK) + 3600);
  assert.deepEqual([...circle, thief, friend].map((one) => on.isGuardian(owner, one)), [true, true, false, false]);
  on.mesh.advance(Number(WEEK));
  assert.deepEqual([...circle, thief, friend].map((one) => on.isGuardian(owner, one)), [false, false, true, true]);
});

each("guardians can be dismissed, and whoever has none again chooses at once", (on) => {
  const { owner } = on.guarded(1, { threshold: 1n, delay: WEEK });
  assert.equal(on.guard(owner, null, { delay: WEEK }).err, DONE);
  assert.equal(on.record(owner).guarded, false);
  on.mesh.advance(Number(WEEK) + 60);
  assert.deepEqual(on.guardians(owner).guardians, addresses([null, null, null, null, null]));
  const next = on.person();
  on.guard(owner, next, { threshold: 1n });
  assert.ok(on.isGuardian(owner, next));
});

each("changes form one chain: each names the newest", (on) => {
  const { owner } = on.guarded(2);
  const head = on.guardHead(owner);
  for (const previous of [ZEROS, on.head(owner)]) {
    assert.equal(on.guard(owner, on.person(), { slot: 2n, previous }).err, err("VERSION"));
  }
  assert.equal(on.guard(owner, on.person(), { slot: 2n, previous: head }).err, DONE);
  assert.equal(on.guard(owner, on.person(), { slot: 3n, previous: head }).err, err("VERSION"));
});

each("nobody is their own guardian, nobody twice, and a guardian is a registered person", (on) => {
  const { owner, circle } = on.guarded(2);
  const key = on.secondKey(circle[0]);
  for (const who of [owner, circle[0]]) assert.equal(on.guard(owner, who, { slot: 3n }).err, err("GUARDIAN"));
  assert.equal(on.guard(owner, circle[1], { slot: 0n }).err, err("GUARDIAN"));
  assert.equal(on.guard(owner, circle[1], { slot: 1n, threshold: 1n }).err, DONE);
  for (const who of [key, newKey(), { address: on.mesh.access }]) {
    assert.equal(on.guard(owner, who, { slot: 3n }).err, err("PERSON-UNKNOWN"));
  }
});

each("places, thresholds and delays beyond their bounds are refused", (on) => {
  const owner = on.person();
  const guardian = on.person();
  const wrong = [{ slot: 5n }, { threshold: 0n }, { threshold: 6n }];
  for (const delay of [1n, WEEK - 1n, YEAR + 1n]) wrong.push({ delay });
  for (const huge of [INT_MAX, INT_MAX + 1n, UINT_MAX]) {
    wrong.push({ slot: huge }, { threshold: huge }, { delay: huge });
  }
  for (const terms of wrong) assert.equal(on.guard(owner, guardian, terms).err, err("TERMS"));
  for (const edge of [{ slot: 4n, threshold: 5n, delay: YEAR }, { slot: 4n, threshold: 1n, delay: WEEK }]) {
    assert.equal(on.guard(owner, guardian, edge).err, DONE);
  }
});

each("only a key that does everything chooses guardians, or it would soon do everything", (on) => {
  const owner = on.person();
  const guardian = on.person();
  for (const terms of [{ scopes: IDENTITY }, { scopes: ALL - 8n }, { amount: INT_MAX }, { until: INT_MAX }]) {
    assert.equal(on.guard(on.secondKey(owner, terms), guardian).err, err("NOT-LASTING"));
  }
  const shopper = on.secondKey(owner, { scopes: ALL - IDENTITY });
  assert.equal(on.guard(shopper, guardian).err, code("user-registry/ERR-KEY-SCOPE"));
  assert.equal(on.guard(newKey(), guardian).err, code("user-registry/ERR-KEY-UNKNOWN"));
  assert.equal(on.guard(on.secondKey(owner), guardian).err, DONE);
});

each("with guardians the last key can be revoked, and with guardians on their way out it can't", (on) => {
  const { owner } = on.guarded(2);
  const registered = on.key(owner)["added-by"];
  on.guard(owner, null, { slot: 0n });
  assert.equal(on.revoke(owner, registered, owner).err, code("user-registry/ERR-LAST-KEY"));
  on.guard(owner, on.person(), { slot: 0n });
  assert.equal(on.revoke(owner, registered, owner).err, DONE);
  assert.equal(on.record(owner).lasting, 0n);
});

each("too few guardians for their threshold are none", (on) => {
  const owner = on.person();
  const guardian = on.person();
  on.guard(owner, guardian, { threshold: 2n });
  assert.equal(on.record(owner).guarded, false);
  assert.equal(on.revoke(owner, on.key(owner)["added-by"], owner).err, code("user-registry/ERR-LAST-KEY"));
  const { id } = on.recovering(owner, [guardian]);
  assert.equal(on.record(owner).recovery, null);
  assert.equal(on.finish(id, owner).err, err("NOT-DUE"));
});

each("an objection to a recovery leaves the owner's own change of guardians on its way", (on) => {
  const { owner, circle } = on.guarded(3, { delay: WEEK });
  const honest = on.person();
  on.guard(owner, honest, { slot: 0n, delay: WEEK });
  const { id } = on.recovering(owner, circle.slice(0, 2));
  on.cancel(owner, id, owner);
  on.mesh.advance(Number(WEEK) + 60);
  assert.deepEqual([honest, circle[0]].map((one) => on.isGuardian(owner, one)), [true, false]);
});

each("only the gateway speaks for somebody else", ({ mesh }) => {
  const [who, id] = [person("x").address, ZEROS];
  const refused = { err: code("access/ERR-NOT-ROLE") };
  const calls = [["guardian-set-for", [who, id, id, null, 1n, 0n, 0n]], ["recovery-open-for", [who, id, who]],
    ["recovery-approve-for", [who, id, who]], ["recovery-cancel-for", [who, id, who]],
    ["recovery-finish-for", [id, who]]];
  for (const [method, args] of calls) assert.deepEqual(mesh.call("recovery", method, args), refused, method);
});
