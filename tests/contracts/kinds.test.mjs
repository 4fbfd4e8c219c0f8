// Every kind of the catalogue reaches its contract through the gateway, in one batch, at full depth.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { person } from "./lib/action.mjs";
import { code } from "./lib/mesh.mjs";
import { openPool, WEEK } from "./lib/money.mjs";
import { AMINA, bootVillage, GRACE_SECONDS, Lesson, register, TOMAS } from "./lib/village.mjs";

const error = (name) => code(`action-gateway/CODE-${name}`);
const POOL = 1n;
const EARMARK = 2n;
let mesh;

before(async () => {
  mesh = await bootVillage();
});

const open = (fields) => mesh.action(TOMAS, { action: "class-open", moment: mesh.now, bits: 90n, ...fields });
const attend = ({ id }) => [[AMINA, TOMAS], [TOMAS, AMINA]].map(([by, other]) =>
  mesh.action(by, { action: "class-attend", subject: id, who: other.address, moment: mesh.now }));
const lock = (by, fields) => mesh.action(by, { action: "escrow-lock", amount: 50n, ...fields });

test("a sum is set aside for a pool or for a tutor, and an earmark comes back", () => {
  const pool = openPool(mesh, { tutors: [TOMAS] });
  const funds = lock(AMINA, { bits: POOL, subject: pool.id, who: pool.sponsor.address });
  const earmark = lock(AMINA, { bits: EARMARK, who: TOMAS.address, moment: mesh.now + WEEK });
  const back = (by) => mesh.action(by, { action: "escrow-return", subject: earmark.id });
  assert.deepEqual(mesh.submit([funds, earmark, back(AMINA), back(TOMAS)]),
    [0n, 0n, code("payment-escrow/ERR-NOT-TUTOR"), 0n]);
  assert.equal(mesh.balance(AMINA.address).free, 950n);
});

test("a class is opened and attended by signature, and its pool pays", () => {
  const pool = openPool(mesh, { salt: "ab".repeat(32), tutors: [TOMAS] });
  const [paid, free] = [open({ subject: pool.id, amount: 7n }), open({})];
  const before = mesh.balance(TOMAS.address).free;
  assert.deepEqual(mesh.submit([paid, free, ...attend(paid), ...attend(free)]), Array(6).fill(0n));
  assert.equal(mesh.balance(TOMAS.address).free - before, 7n);
});

test("a key is added, accepted, used and revoked by signature", () => {
  const key = person("Amina's second key");
  const previous = mesh.read("user-registry", "get-person", [AMINA.address])["keys-head"];
  const add = mesh.action(AMINA, { action: "key-add", subject: previous, who: key.address, bits: 2n });
  const request = mesh.action(key, { action: "request-open", bits: 1n });
  const actions = [add, mesh.action(key, { action: "key-accept", subject: add.id }), request,
    mesh.action(AMINA, { action: "key-revoke", subject: add.id, who: key.address })];
  assert.deepEqual(mesh.submit(actions), [0n, 0n, 0n, 0n]);
  assert.equal(mesh.read("student-request", "get-request", [request.id]).student, AMINA.address);
});

/** A recovery that Tomas, the only guardian, approved, as signed actions; `sign` is for what follows. */
function recovering(name) {
  const [owner, fresh] = [person(name), person(`the next phone of ${name}`)];
  const sign = (who, action, fields) => mesh.action(who, { action, ...fields });
  const open = sign(fresh, "recovery-open", { who: owner.address });
  const about = { subject: open.id, who: owner.address };
  const guards = sign(owner, "guardian-set", { who: TOMAS.address, amount: 1n });
  const actions = [register(mesh, owner), guards, open, sign(TOMAS, "recovery-approve", about)];
  return { owner, fresh, about, actions, sign };
}

test("a person is recovered by signature", () => {
  const { owner, fresh, about, actions, sign } = recovering("who lost her phone");
  const finish = sign(TOMAS, "recovery-finish", about);
  assert.deepEqual(mesh.submit([...actions, finish]), [0n, 0n, 0n, 0n, code("recovery/ERR-NOT-DUE")]);
  mesh.advance(GRACE_SECONDS + 600);
  const asks = [owner, fresh].map((key) => sign(key, "request-open", { bits: 1n }));
  assert.deepEqual(mesh.submit([finish, ...asks]), [0n, code("user-registry/ERR-KEY-REVOKED"), 0n]);
});

test("an objection ends a recovery by signature", () => {
  const { owner, about, actions, sign } = recovering("who has her phone");
  const after = [sign(owner, "recovery-cancel", about), sign(owner, "request-open", { bits: 1n })];
  assert.deepEqual(mesh.submit([...actions, ...after]), Array(6).fill(0n));
});

test("a sum set aside for nothing known, or for nobody, is refused", () => {
  const bad = [lock(AMINA, { bits: 3n, who: TOMAS.address }), lock(AMINA, { bits: POOL, subject: "ab".repeat(32) }),
    lock(AMINA, { bits: EARMARK, moment: mesh.now + WEEK })];
  assert.deepEqual(mesh.submit(bad), Array(3).fill(error("COLUMNS")));
});

test("a lesson is moved by both, funded, declined, cancelled and claimed by signature", () => {
  const lessons = Array.from({ length: 4 }, () => new Lesson(mesh, { amount: 9n, bits: 60n, start: mesh.now }));
  const [moved, declined, cancelled, claimed] = lessons;
  const sign = (who, action, fields) => mesh.action(who, { action, ...fields });
  const later = { moment: mesh.now + 60n, bits: 45n };
  const move = sign(AMINA, "lesson-move", { subject: moved.id, ...later });
  const actions = [
    ...lessons.flatMap((one) => [one.booking, one.confirm()]),
    move, sign(TOMAS, "lesson-move", { subject: move.id, ...later }),
    ...lessons.map(({ id }) => lock(AMINA, { subject: id, who: TOMAS.address, amount: 9n })),
    sign(TOMAS, "lesson-decline", { subject: declined.id }), sign(AMINA, "lesson-cancel", { subject: cancelled.id }),
    claimed.attend(AMINA), claimed.attend(TOMAS),
  ];
  assert.deepEqual(mesh.submit(actions), actions.map(() => 0n));
  const claim = sign(person("anybody"), "lesson-claim", { subject: claimed.id });
  assert.deepEqual(mesh.submit([claim]), [code("session-manager/ERR-TOO-EARLY")]);
  mesh.advance(GRACE_SECONDS + 600);
  assert.deepEqual(mesh.submit([claim]), [0n]);
  const states = lessons.map(({ id }) => mesh.read("session-manager", "get-lesson", [id]));
  assert.deepEqual(states.map(({ state }) => state), [2n, 4n, 5n, 3n]);
  assert.equal(states[0].minutes, 45n);
});
