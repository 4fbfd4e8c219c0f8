// Further keys: adding, accepting, revoking; what a key may give, and what a thief with a key can't.
import assert from "node:assert/strict";
import { person } from "./lib/action.mjs";
import {
  ALL, each, GRACE, IDENTITY, INT_MAX, LESSON, MONEY, newKey, UINT_MAX,
} from "./lib/identity.mjs";
import { code, STX } from "./lib/mesh.mjs";
import { ZEROS } from "./lib/values.mjs";

const err = (name) => code(`user-registry/ERR-${name}`);
const DONE = undefined;

each("an added key acts for its person once it accepted, and not before", (on) => {
  const owner = on.person();
  const key = newKey();
  const { id } = on.add(owner, key, { scopes: 13n, amount: 500n, asset: on.mesh.hours, until: INT_MAX });
  assert.deepEqual(on.resolve(key), { err: err("KEY-UNKNOWN") });
  const { entry, ...add } = on.mesh.read("user-registry", "get-pending-key", [id]);
  assert.deepEqual(add, { by: owner.address, key: key.address, withdrawn: false });
  assert.equal(on.accept(key, id).err, DONE);
  assert.deepEqual(on.key(key), entry);
  assert.deepEqual(entry, { person: owner.address, scopes: 13n, cap: { amount: 500n, asset: on.mesh.hours }, drawn: 0n,
    until: INT_MAX, revoked: false, "added-by": id, epoch: 0n });
  assert.deepEqual(on.resolve(key, LESSON), { ok: owner.address });
  assert.deepEqual(on.resolve(key, 2n), { err: err("KEY-SCOPE") });
  assert.equal(on.mesh.read("user-registry", "person-of", [key.address]), owner.address);
  assert.equal(on.head(owner), id);
});

each("key-adds form one chain: each names the newest, and two phones can't both be right", (on) => {
  const owner = on.person();
  const registered = on.head(owner);
  const first = on.add(owner, newKey());
  for (const previous of [registered, ZEROS]) {
    assert.equal(on.add(owner, newKey(), { previous }).err, err("VERSION"));
  }
  assert.equal(on.add(owner, newKey(), { previous: first.id }).err, DONE);
});

each("a key-add's id is used once", (on) => {
  const owner = on.person();
  const salt = "5".repeat(64);
  const { id } = on.add(owner, newKey(), { salt });
  assert.equal(on.add(owner, newKey(), { salt, previous: id }).err, err("ID-USED"));
});

each("a key gives at most its own scopes", (on) => {
  const owner = on.person();
  const limited = on.secondKey(owner, { scopes: IDENTITY + LESSON });
  for (const scopes of [MONEY, IDENTITY + MONEY, ALL, UINT_MAX, 2n ** 16n]) {
    assert.equal(on.add(limited, newKey(), { scopes }).err, err("KEY-WIDER"), `${scopes}`);
  }
  assert.equal(on.add(owner, newKey(), { scopes: ALL + 1n }).err, err("KEY-WIDER"));
  assert.equal(on.add(limited, newKey(), { scopes: IDENTITY + LESSON }).err, DONE);
});

each("a capped key adds no key, capped or not", (on) => {
  const owner = on.person();
  const capped = on.secondKey(owner, { amount: 100n });
  for (const amount of [0n, 1n, 100n]) {
    assert.equal(on.add(capped, newKey(), { amount }).err, err("KEY-WIDER"));
  }
});

each("a key that ends adds no key that ends later", (on) => {
  const owner = on.person();
  const until = on.mesh.now + GRACE;
  const passing = on.secondKey(owner, { until });
  for (const longer of [0n, until + 1n, INT_MAX]) {
    assert.equal(on.add(passing, newKey(), { until: longer }).err, err("KEY-WIDER"));
  }
  assert.equal(on.add(passing, newKey(), { until }).err, DONE);
});

each("terms that mean nothing are refused at every bound", (on) => {
  const owner = on.person();
  const wrong = [{ scopes: 0n }, { asset: on.mesh.hours }];
  for (const huge of [INT_MAX + 1n, UINT_MAX]) wrong.push({ amount: huge }, { until: huge });
  for (const terms of wrong) assert.equal(on.add(owner, newKey(), terms).err, err("KEY-TERMS"));
  const edge = on.secondKey(owner, { amount: INT_MAX, until: INT_MAX });
  assert.deepEqual(on.resolve(edge, MONEY, INT_MAX), { ok: owner.address });
  for (const more of [1n, INT_MAX, UINT_MAX]) assert.equal(on.resolve(edge, MONEY, more).err, err("KEY-CAP"));
});

each("a program or a key of another network is no key", (on) => {
  const owner = on.person();
  for (const key of [on.mesh.access, `${owner.address}.none-such`, "SP000000000000000000002Q6VF78"]) {
    assert.equal(on.add(owner, key).err, err("PROGRAM"));
  }
  on.mesh.deploy("program", `(define-public (join) (contract-call? .user-registry register 0x${ZEROS} u1 none))`);
  assert.deepEqual(on.mesh.call("program", "join", [], owner.address), { err: err("PROGRAM") });
});

each("only a key with the scope identity adds, accepts for itself alone, or revokes", (on) => {
  const owner = on.person();
  const shopper = on.secondKey(owner, { scopes: ALL - IDENTITY });
  assert.equal(on.add(shopper, newKey(), { scopes: LESSON }).err, err("KEY-SCOPE"));
  assert.equal(on.revoke(shopper, on.key(owner)["added-by"], owner).err, err("KEY-SCOPE"));
  assert.equal(on.add(newKey(), newKey(), { previous: ZEROS }).err, err("KEY-UNKNOWN"));
  const { id } = on.add(owner, newKey());
  for (const other of [owner, shopper, newKey()]) assert.equal(on.accept(other, id).err, err("OTHER-KEY"));
  assert.equal(on.accept(newKey(), ZEROS).err, err("ADD-UNKNOWN"));
});

each("nobody makes somebody else's key their own", (on) => {
  const [owner, other] = [on.person(), on.person()];
  for (const key of [owner, other, on.secondKey(other)]) {
    assert.equal(on.add(owner, key).err, err("KEY-TAKEN"));
  }
});

each("a key that became a person, or another person's, between add and accept stays that", (on) => {
  const [owner, other] = [on.person(), on.person()];
  const [joined, shared] = [newKey(), newKey()];
  const [first, second] = [on.add(owner, joined), on.add(owner, shared)];
  assert.equal(on.register(joined).err, DONE);
  assert.equal(on.accept(joined, first.id).err, err("KEY-TAKEN"));
  assert.equal(on.accept(shared, on.add(other, shared).id).err, DONE);
  assert.equal(on.accept(shared, second.id).err, err("KEY-TAKEN"));
  assert.deepEqual(on.resolve(joined), { ok: joined.address });
  assert.deepEqual(on.resolve(shared), { ok: other.address });
});

each("a key accepts once, and a revoked one never again", (on) => {
  const owner = on.person();
  const key = on.secondKey(owner);
  assert.equal(on.accept(key, key.added).err, err("KEY-TAKEN"));
  assert.equal(on.revoke(owner, key.added, key).err, DONE);
  assert.equal(on.accept(key, key.added).err, err("KEY-TAKEN"));
  assert.equal(on.register(key).err, err("KEY-TAKEN"));
  assert.equal(on.add(owner, key).err, err("KEY-TAKEN"));
});

each("what a stolen key began ends with that key", (on) => {
  const owner = on.person();
  const phone = on.secondKey(owner);
  const thief = newKey();
  const { id } = on.add(phone, thief);
  assert.equal(on.revoke(owner, phone.added, phone).err, DONE);
  assert.equal(on.accept(thief, id).err, err("ADD-LAPSED"));
});

each("a key-add by a key that ended meanwhile gives nothing", (on) => {
  const owner = on.person();
  const until = on.mesh.now + 1000n;
  const passing = on.secondKey(owner, { until });
  const key = newKey();
  const { id } = on.add(passing, key, { until });
  on.mesh.advance(2000);
  assert.equal(on.accept(key, id).err, err("ADD-LAPSED"));
  assert.equal(on.add(passing, newKey(), { until }).err, err("KEY-ENDED"));
});

each("a key-add that was taken back can't be accepted, and its key is free to be a person", (on) => {
  const [owner, other] = [on.person(), on.person()];
  const key = newKey();
  const { id } = on.add(owner, key);
  assert.equal(on.revoke(other, id, key).err, err("OTHER-KEY"));
  assert.equal(on.revoke(owner, id, newKey()).err, err("OTHER-KEY"));
  assert.equal(on.revoke(owner, ZEROS, key).err, err("ADD-UNKNOWN"));
  assert.equal(on.revoke(owner, id, key).err, DONE);
  assert.equal(on.revoke(owner, id, key).err, err("REVOKED-BEFORE"));
  assert.equal(on.accept(key, id).err, err("ADD-LAPSED"));
  assert.equal(on.register(key).err, DONE);
});

each("a revoked key can do nothing more, and another of the person is untouched", (on) => {
  const owner = on.person();
  const [daughter, phone] = [on.secondKey(owner), on.secondKey(owner)];
  const registered = on.key(owner)["added-by"];
  assert.equal(on.revoke(daughter, registered, owner).err, DONE);
  assert.equal(on.add(owner, newKey()).err, err("KEY-REVOKED"));
  assert.equal(on.revoke(owner, phone.added, phone).err, err("KEY-REVOKED"));
  on.mesh.call("payment-escrow", "deposit-for", [owner.address, 100n]);
  assert.deepEqual(on.mesh.call("payment-escrow", "withdraw", [1n, null], owner.address), { err: err("KEY-REVOKED") });
  assert.deepEqual(on.resolve(phone, MONEY), { ok: owner.address });
  assert.equal(on.revoke(daughter, registered, owner).err, err("REVOKED-BEFORE"));
});

each("a revocation names the key's own statement, and a key of the same person", (on) => {
  const [owner, other] = [on.person(), on.person()];
  const key = on.secondKey(owner);
  assert.equal(on.revoke(owner, on.key(owner)["added-by"], key).err, err("OTHER-KEY"));
  assert.equal(on.revoke(other, key.added, key).err, err("OTHER-KEY"));
  assert.equal(on.revoke(newKey(), key.added, key).err, err("KEY-UNKNOWN"));
  assert.deepEqual(on.resolve(key), { ok: owner.address });
});

each("the last key that does everything stays, whatever lesser keys there are", (on) => {
  const owner = on.person();
  const registered = on.key(owner)["added-by"];
  const lesser = [{ scopes: ALL - 2n }, { amount: INT_MAX }, { until: INT_MAX }].map((o) => on.secondKey(owner, o));
  assert.equal(on.record(owner).lasting, 1n);
  assert.equal(on.revoke(owner, registered, owner).err, err("LAST-KEY"));
  for (const key of lesser) assert.equal(on.revoke(key, registered, owner).err, err("KEY-NARROWER"));
  const second = on.secondKey(owner);
  assert.equal(on.record(owner).lasting, 2n);
  assert.equal(on.revoke(owner, registered, owner).err, DONE);
  assert.equal(on.revoke(second, second.added, second).err, err("LAST-KEY"));
  assert.equal(on.revoke(second, lesser[0].added, lesser[0]).err, DONE);
  assert.equal(on.record(owner).lasting, 1n);
});

each("a lesser key ends no wider one, whatever guardians there are", (on) => {
  const { owner } = on.guarded(2);
  const registered = on.key(owner)["added-by"];
  const until = on.mesh.now + GRACE;
  const terms = [{ scopes: IDENTITY, until }, { scopes: ALL - MONEY }, { amount: INT_MAX }, { until }];
  const lesser = terms.map((each) => on.secondKey(owner, each));
  for (const key of lesser) assert.equal(on.revoke(key, registered, owner).err, err("KEY-NARROWER"));
  const [helper, , capped, passing] = lesser;
  assert.equal(on.revoke(helper, passing.added, passing).err, err("KEY-NARROWER"));
  assert.equal(on.revoke(capped, helper.added, helper).err, err("KEY-NARROWER"));
  const longer = on.secondKey(owner, { scopes: IDENTITY, until: until + 1n });
  assert.equal(on.revoke(passing, longer.added, longer).err, err("KEY-NARROWER"));
  assert.equal(on.revoke(passing, helper.added, helper).err, DONE);
  assert.equal(on.revoke(passing, capped.added, capped).err, err("KEY-NARROWER"));
  assert.equal(on.revoke(owner, passing.added, passing).err, DONE);
});

each("any key with the scope identity ends itself", (on) => {
  const owner = on.person();
  for (const terms of [{ scopes: IDENTITY }, { amount: 1n }, { until: INT_MAX }]) {
    const key = on.secondKey(owner, terms);
    assert.equal(on.revoke(key, key.added, key).err, DONE);
  }
});

each("a lesser key takes back no key-add of a wider one", (on) => {
  const owner = on.person();
  const helper = on.secondKey(owner, { scopes: IDENTITY });
  const [daughter, aide] = [newKey(), newKey()];
  const { id } = on.add(owner, daughter);
  const small = on.add(owner, aide, { scopes: IDENTITY });
  assert.equal(on.revoke(helper, id, daughter).err, err("KEY-NARROWER"));
  assert.equal(on.revoke(helper, small.id, aide).err, DONE);
  assert.equal(on.accept(daughter, id).err, DONE);
});

each("the last lasting key goes once another came, by the same words", (on) => {
  const owner = on.person();
  const phone = newKey();
  const { id } = on.add(owner, phone);
  const revoke = () => on.revoke(owner, on.key(owner)["added-by"], owner).err;
  assert.equal(revoke(), err("LAST-KEY"));
  assert.equal(on.accept(phone, id).err, DONE);
  assert.equal(revoke(), DONE);
});

each("the counters say how many persons, tutors and keys there ever were", (on) => {
  const counts = () => on.mesh.read("user-registry", "get-counts");
  const before = counts();
  const owner = on.person({ roles: 3n });
  on.person({ roles: 5n });
  const key = on.secondKey(owner);
  on.revoke(owner, key.added, key);
  on.add(owner, newKey());
  const more = Object.entries(counts()).map(([name, sum]) => [name, sum - before[name]]);
  assert.deepEqual(Object.fromEntries(more), { persons: 2n, tutors: 1n, keys: 3n, recoveries: 0n });
});

each("only the gateway acts for somebody else, and only `recovery` renews a person", ({ mesh }) => {
  const [who, id] = [person("x").address, ZEROS];
  const refused = { err: code("access/ERR-NOT-ROLE") };
  const calls = [["key-add-for", [who, id, id, who, 1n, 0n, STX, 0n]], ["key-accept-for", [who, id]],
    ["key-revoke-for", [who, id, who]], ["register-for", [who, id, 1n, null]], ["set-guarded", [who, true]],
    ["freeze", [who, id, who]], ["unfreeze", [who, who]], ["renew", [who, id]]];
  for (const [method, args] of calls) assert.deepEqual(mesh.call("user-registry", method, args), refused, method);
});
