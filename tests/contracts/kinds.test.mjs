// Every kind of the catalogue reaches its contract through the gateway, in one batch, at full depth.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { code } from "./lib/mesh.mjs";
import { openPool, WEEK } from "./lib/money.mjs";
import { AMINA, bootVillage, TOMAS } from "./lib/village.mjs";

const error = (name) => code(`action-gateway/CODE-${name}`);
const POOL = 1n;
const EARMARK = 2n;
let mesh;

before(async () => {
  mesh = await bootVillage();
});

const open = (fields) => mesh.action(TOMAS, { action: "class-open", moment: mesh.now, bits: 90n, ...fields });
const attend = ({ id }) => mesh.action(AMINA, { action: "class-attend", subject: id, who: TOMAS.address, moment: mesh.now });
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
  assert.deepEqual(mesh.submit([paid, free, attend(paid), attend(free)]), [0n, 0n, 0n, 0n]);
  assert.equal(mesh.balance(TOMAS.address).free - before, 7n);
});

test("a sum set aside for nothing known, or for nobody, is refused", () => {
  const bad = [lock(AMINA, { bits: 3n, who: TOMAS.address }), lock(AMINA, { bits: POOL, subject: "ab".repeat(32) }),
    lock(AMINA, { bits: EARMARK, moment: mesh.now + WEEK })];
  assert.deepEqual(mesh.submit(bad), Array(3).fill(error("COLUMNS")));
});
