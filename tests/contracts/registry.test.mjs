// Persons and keys: registration, and the resolution that every other contract begins with.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { directId, person, sha256 } from "./lib/action.mjs";
import { Identity } from "./lib/identity.mjs";
import { BLOCK_SECONDS, bootMesh, code, STX } from "./lib/mesh.mjs";
import { maybe, ZEROS } from "./lib/values.mjs";
import { AMINA, Lesson, register, TOMAS, withdraw } from "./lib/village.mjs";

const MONEY = 8n;
const MAX_UINT = 2n ** 128n - 1n;
let mesh;
let on;
const resolve = (key, scope, amount = 0n, asset = STX, sender = mesh.deployer) =>
  mesh.call("user-registry", "resolve", [key, scope, amount, asset === STX ? null : maybe(asset)], sender);
before(async () => {
  mesh = await bootMesh();
  const home = person("home hub").address;
  const joined = register(mesh, AMINA, { bits: 3n, who: home });
  assert.deepEqual(mesh.submit([joined, register(mesh, TOMAS)]), [0n, 0n]);
  const { "registered-at": at, ...record } = mesh.read("user-registry", "get-person", [AMINA.address]);
  assert.deepEqual(record, { roles: 3n, home, "keys-head": joined.id, epoch: 0n, recovery: null, lasting: 1n,
    guarded: false });
  assert.ok(at > 0n);
  on = new Identity(mesh, "wallet");
});

test("the first key of a person has every scope, no cap and no end", () => {
  const { "added-by": by, ...key } = mesh.read("user-registry", "get-key", [AMINA.address]);
  assert.equal(by.length, 64);
  assert.deepEqual(key, { person: AMINA.address, scopes: 65535n, cap: null, drawn: 0n, until: null, revoked: false,
    epoch: 0n });
  assert.deepEqual(resolve(AMINA.address, 63n, MAX_UINT), { ok: AMINA.address });
});

test("a wallet registers under an id that nobody else can take", () => {
  const wallet = person("wallet").address;
  const salt = sha256("salt");
  assert.deepEqual(mesh.call("user-registry", "register", [salt, 1n, null], wallet), { ok: true });
  const { "keys-head": head } = mesh.read("user-registry", "get-person", [wallet]);
  assert.equal(head, directId(wallet, "user-register", salt));
});

test("registering twice is refused, from a wallet and signed", () => {
  const taken = code("user-registry/ERR-KEY-TAKEN");
  assert.deepEqual(mesh.submit([register(mesh, AMINA)]), [taken]);
  assert.deepEqual(mesh.call("user-registry", "register", [ZEROS, 1n, null], AMINA.address), { err: taken });
  assert.deepEqual(mesh.read("user-registry", "get-counts"),
    { persons: 3n, tutors: 1n, keys: 3n, recoveries: 0n });
});

test("a key that acts for a person can never become one", () => {
  const second = on.secondKey(AMINA);
  on.revoke(AMINA, second.added, second);
  assert.deepEqual(mesh.submit([register(mesh, second)]), [code("user-registry/ERR-KEY-TAKEN")]);
});

test("roles beyond sixteen bits are refused", () => {
  const roles = code("user-registry/ERR-ROLES");
  assert.deepEqual(mesh.submit([register(mesh, person("roles"), { bits: 65536n })]), [roles]);
  assert.deepEqual(mesh.submit([register(mesh, person("roles"), { bits: 65535n })]), [0n]);
});

test("a key that nobody registered resolves to nobody and is credited as itself", () => {
  const nobody = person("nobody").address;
  assert.deepEqual(resolve(nobody, 0n), { err: code("user-registry/ERR-KEY-UNKNOWN") });
  assert.equal(mesh.read("user-registry", "person-of", [nobody]), nobody);
  assert.equal(mesh.read("user-registry", "get-person", [nobody]), null);
});

test("a revoked key resolves to nobody, and money for it still reaches its person", () => {
  const { address: key, added } = on.secondKey(AMINA);
  on.revoke(AMINA, added, { address: key });
  assert.deepEqual(resolve(key, 0n), { err: code("user-registry/ERR-KEY-REVOKED") });
  assert.equal(mesh.read("user-registry", "person-of", [key]), AMINA.address);
});

test("a key acts until the second at which it ends", () => {
  const { address: key } = on.secondKey(AMINA, { until: mesh.now + 3n * BLOCK_SECONDS });
  while (mesh.now < mesh.read("user-registry", "get-key", [key]).until) resolve(key, 0n);
  assert.deepEqual(resolve(key, 0n), { ok: AMINA.address });
  assert.deepEqual(resolve(key, 0n), { err: code("user-registry/ERR-KEY-ENDED") });
});

test("a key needs every bit of the scope that an operation asks for", () => {
  const { address: key } = on.secondKey(AMINA, { scopes: 4n });
  assert.deepEqual(resolve(key, 4n), { ok: AMINA.address });
  for (const scope of [8n, 12n, MAX_UINT]) {
    assert.deepEqual(resolve(key, scope), { err: code("user-registry/ERR-KEY-SCOPE") });
  }
});

test("a cap is drawn on until it is used up, in its own asset only", () => {
  const key = on.secondKey(AMINA, { amount: 100n });
  mesh.call("payment-escrow", "deposit-for", [AMINA.address, 1000n]);
  const refused = code("user-registry/ERR-KEY-CAP");
  const before = mesh.wallet(key.address);
  assert.deepEqual(resolve(key.address, MONEY, 1n, mesh.hours), { err: refused });
  assert.deepEqual(mesh.submit([withdraw(mesh, key, 60n), withdraw(mesh, key, 41n), withdraw(mesh, key, 40n),
    withdraw(mesh, key, 1n)]), [0n, refused, 0n, refused]);
  assert.equal(mesh.wallet(key.address) - before, 100n);
  assert.equal(mesh.balance(AMINA.address).free, 900n);
  assert.equal(mesh.read("user-registry", "get-key", [key.address]).drawn, 100n);
  for (const amount of [1n, MAX_UINT]) assert.deepEqual(resolve(key.address, MONEY, amount), { err: refused });
  assert.deepEqual(resolve(key.address, MONEY), { ok: AMINA.address });
});

test("a cap is not drawn on by an operation that fails, nor by a stranger", () => {
  const key = on.secondKey(AMINA, { amount: 5000n });
  const stranger = person("stranger").address;
  assert.deepEqual(mesh.submit([withdraw(mesh, key, 4000n)]), [code("payment-escrow/ERR-FUNDS")]);
  assert.deepEqual(resolve(key.address, MONEY, 1n, STX, stranger), { err: code("access/ERR-NOT-ROLE") });
  assert.equal(mesh.read("user-registry", "get-key", [key.address]).drawn, 0n);
});

test("a second key books for its person, who cannot be their own tutor under either key", () => {
  const key = on.secondKey(AMINA);
  const lesson = new Lesson(mesh, { student: key, amount: 0n, bits: 60n });
  assert.deepEqual(mesh.submit([lesson.booking]), [0n]);
  assert.equal(mesh.read("session-manager", "get-lesson", [lesson.id]).student, AMINA.address);
  const self = new Lesson(mesh, { student: key, tutor: AMINA, amount: 0n, bits: 60n });
  assert.deepEqual(mesh.submit([self.booking]), [code("session-manager/ERR-SAME-PERSON")]);
});

test("only the gateway registers for somebody else", () => {
  assert.deepEqual(mesh.call("user-registry", "register-for", [person("x").address, ZEROS, 1n, null]),
    { err: code("access/ERR-NOT-ROLE") });
});
