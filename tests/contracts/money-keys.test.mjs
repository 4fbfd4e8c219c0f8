// Which keys of a person may set money aside, sponsor and give back, and how far.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Identity, LESSON, MONEY, newKey } from "./lib/identity.mjs";
import { bootMesh, STX } from "./lib/mesh.mjs";
import { checkMoney, DAY, errorsOf, grant, idOf, lockOf, openPool, Pool, PROTOCOL } from "./lib/money.mjs";
import { maybe, plain } from "./lib/values.mjs";

const OK = { ok: true };
const key = errorsOf("user-registry");
const [SALT, MARK] = ["salt", "earmark"].map(idOf);
let mesh;
let people;
let payer;
let tutor;
let pool;
const vault = (method, args, by = PROTOCOL) => mesh.call("payment-escrow", method, args, by.address ?? by);
const until = () => mesh.now + 30n * DAY;
/** What a key does with money in both forms, each for `amount`: { name: outcome }. */
const spends = (by, amount, name) => ({
  earmark: vault("earmark", [idOf(name), tutor.address, STX, amount, until()], by),
  "earmark-for": vault("earmark-for", [by.address, idOf(`${name} signed`), tutor.address, STX, amount, until()]),
  "pool-open": new Pool(mesh, { sponsor: by, salt: idOf(name), amount }).open(),
  "pool-fund": pool.fund(by, amount),
  "pool-fund-for": pool.call("pool-fund-for", [by.address, pool.id, pool.sponsor.address, STX, amount], PROTOCOL),
});

beforeEach(async () => {
  mesh = await bootMesh();
  people = new Identity(mesh, "wallet");
  for (const role of ["gateway", "locker", "pool-payer"]) grant(mesh, role);
  [payer, tutor] = [people.person(), people.person()];
  vault("deposit-for", [payer.address, 1000n], mesh.deployer);
  pool = openPool(mesh);
});

test("a key without the scope for money spends nothing, gives nothing back and changes no pool", () => {
  const [ofPayer, ofTutor] = [payer, tutor].map((of) => people.secondKey(of, { scopes: LESSON }));
  for (const [name, outcome] of Object.entries(spends(ofPayer, 1n, "none"))) {
    assert.deepEqual(outcome, key("KEY-SCOPE"), name);
  }
  vault("earmark-for", [payer.address, MARK, tutor.address, STX, 10n, until()]);
  assert.deepEqual(vault("earmark-return", [MARK], ofTutor), key("KEY-SCOPE"));
  const ofSponsor = people.secondKey(pool.sponsor, { scopes: LESSON });
  for (const outcome of [pool.change({}, ofSponsor), pool.admit(tutor, true, ofSponsor)]) {
    assert.deepEqual(outcome, key("KEY-SCOPE"));
  }
});

test("a key's cap is one for all that it spends, in its one asset", () => {
  const capped = people.secondKey(payer, { scopes: MONEY, amount: 100n });
  for (const [name, outcome] of Object.entries(spends(capped, 20n, "first"))) assert.deepEqual(outcome, OK, name);
  for (const [name, outcome] of Object.entries(spends(capped, 1n, "second"))) {
    assert.deepEqual(outcome, key("KEY-CAP"), name);
  }
  const other = people.secondKey(payer, { scopes: MONEY, amount: 100n, asset: mesh.hours });
  for (const [name, outcome] of Object.entries(spends(other, 1n, "other"))) {
    assert.deepEqual(outcome, key("KEY-CAP"), name);
  }
  assert.deepEqual(mesh.balance(payer.address), { free: 900n, locked: 60n });
});

test("what a refused call would have drawn of a cap is not drawn", () => {
  const capped = people.secondKey(payer, { scopes: MONEY, amount: 1000n });
  vault("withdraw", [1000n, null], payer);
  for (const outcome of Object.values(spends(capped, 1000n, "refused"))) {
    assert.deepEqual(outcome, errorsOf("payment-escrow")("FUNDS"));
  }
  assert.equal(people.key(capped).drawn, 0n);
});

test("any key with the scope acts for its person: money, pools and earmarks are the person's", () => {
  const second = people.secondKey(payer, { scopes: MONEY });
  const own = new Pool(mesh, { sponsor: second, amount: 50n });
  assert.deepEqual([own.open(), own.change({}, payer), own.admit(tutor, true, payer)], [OK, OK, OK]);
  assert.equal(mesh.read("sponsor-pool", "get-pool", [own.id]).sponsor, payer.address);
  vault("earmark-for", [second.address, MARK, tutor.address, STX, 10n, until()]);
  assert.equal(lockOf(mesh, MARK).payer, payer.address);
  assert.deepEqual(vault("earmark-return", [MARK], people.secondKey(tutor, { scopes: MONEY })), OK);
  checkMoney(mesh, { persons: [payer, tutor, pool.sponsor], locks: [pool.id, own.id, MARK] });
});

test("nobody pays themselves through a second key", () => {
  const second = people.secondKey(payer);
  const self = errorsOf("payment-escrow")("SAME-PERSON");
  assert.deepEqual(vault("earmark", [SALT, payer.address, STX, 10n, until()], second), self);
  assert.deepEqual(vault("earmark", [SALT, second.address, STX, 10n, until()], payer),
    errorsOf("payment-escrow")("TUTOR-UNKNOWN"), "a tutor is named as a person");
});

test("a tutor admitted by the name of a further key is admitted as the person", () => {
  const second = people.secondKey(tutor);
  assert.deepEqual(pool.admit(second), OK);
  assert.equal(mesh.read("sponsor-pool", "is-tutor", [pool.id, tutor.address]), true);
  assert.deepEqual(pool.pay(idOf("lesson"), payer, tutor, 10n), OK);
});

test("a key is admitted to a pool only once it is a person's, so that the admission reaches somebody", () => {
  const key = newKey();
  const unknown = errorsOf("sponsor-pool")("TUTOR-UNKNOWN");
  assert.deepEqual([true, false].map((on) => pool.admit(key, on)), [unknown, unknown]);
  const { id } = people.add(tutor, key);
  assert.deepEqual(pool.admit(key), unknown);
  people.accept(key, id);
  assert.deepEqual(pool.admit(key), OK);
  assert.deepEqual(pool.pay(idOf("lesson"), payer, tutor, 10n), OK);
});

/** Money that somebody paid in for a key that was nobody's. */
function early(key, amount = 70n, asset = STX) {
  const args = asset === STX ? [key.address, amount] : [asset, key.address, amount];
  assert.deepEqual(vault(asset === STX ? "deposit-for" : "deposit-for-ft", args, mesh.deployer), OK);
}

const sweep = (key, asset = STX, by = mesh.deployer) =>
  mesh.run("payment-escrow", "sweep", [key.address, maybe(asset)], by);
const NOTHING = errorsOf("payment-escrow")("FUNDS").err;

test("money paid to a key before it became a person's second key reaches the person, whoever asks", () => {
  const key = newKey();
  mesh.call("hour-credit", "mint", [70n, mesh.deployer]);
  for (const asset of [STX, mesh.hours]) early(key, 70n, asset);
  const { id } = people.add(payer, key);
  assert.equal(sweep(key).err, NOTHING, "not while the key is nobody's");
  people.accept(key, id);
  const [before, held] = [mesh.balance(payer.address), mesh.read("payment-escrow", "get-held", [null])];
  const swept = sweep(key, STX, newKey().address);
  assert.equal(swept.ok, 70n);
  assert.deepEqual(plain(swept.events[0].data.value),
    { event: "swept", key: key.address, person: payer.address, asset: null, amount: 70n });
  assert.deepEqual(mesh.balance(payer.address), { ...before, free: before.free + 70n });
  assert.deepEqual(mesh.balance(key.address), { free: 0n, locked: 0n });
  assert.equal(mesh.read("payment-escrow", "get-held", [null]), held);
  assert.deepEqual([sweep(key).err, sweep(key, mesh.hours).ok, sweep(key, mesh.hours).err], [NOTHING, 70n, NOTHING]);
});

test("money paid to the key of a recovery is the key's until the recovery is finished, then the person's", () => {
  const { owner, circle } = people.guarded(1, { threshold: 1n, delay: 7n * DAY });
  const { id, fresh } = people.recovering(owner, circle);
  early(fresh);
  assert.deepEqual(mesh.balance(owner.address).free, 0n);
  assert.equal(sweep(fresh).err, NOTHING);
  mesh.advance(Number(7n * DAY) + 60);
  people.finish(id, owner);
  assert.equal(sweep(fresh).ok, 70n);
  assert.deepEqual([owner, fresh].map((one) => mesh.balance(one.address).free), [70n, 0n]);
});

test("money paid to the key of a recovery that the person stopped stays with that key, which may register", () => {
  const { owner, circle } = people.guarded(1, { threshold: 1n });
  const { id, fresh } = people.recovering(owner, circle);
  early(fresh);
  people.cancel(owner, id, owner);
  people.register(fresh);
  assert.equal(sweep(fresh).err, NOTHING);
  assert.deepEqual(vault("withdraw", [70n, null], fresh), OK);
});

test("nobody sweeps a person's own money, or what a lock holds", () => {
  const before = mesh.balance(payer.address);
  for (const one of [payer, tutor, people.secondKey(payer), newKey()]) assert.equal(sweep(one).err, NOTHING);
  assert.deepEqual(mesh.balance(payer.address), before);
});

test("a person whose recovery runs spends nothing, and is still paid and refunded", () => {
  vault("earmark-for", [payer.address, MARK, tutor.address, STX, 10n, until()]);
  pool.admit(tutor);
  for (const of of [payer, tutor]) {
    const { circle } = people.guarded(2, { owner: of });
    people.recovering(of, circle);
  }
  for (const [name, outcome] of Object.entries(spends(payer, 1n, "frozen"))) {
    assert.deepEqual(outcome, key("FROZEN"), name);
  }
  assert.deepEqual(vault("earmark-return", [MARK], tutor), key("FROZEN"));
  assert.deepEqual(pool.pay(idOf("lesson"), payer, tutor, 10n), OK);
  mesh.advance(31n * DAY);
  assert.deepEqual(vault("earmark-return", [MARK], tutor), OK);
  assert.deepEqual([mesh.balance(payer.address).free, mesh.balance(tutor.address).free], [1000n, 10n]);
});
