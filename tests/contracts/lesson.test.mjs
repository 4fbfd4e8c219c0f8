// One lesson from registration to money in the tutor's hands, as signed actions and from wallets.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AMINA, bootVillage, Lesson, TOMAS, withdraw } from "./lib/village.mjs";

test("one batch carries a lesson from booking to both ratings, paid in STX", async () => {
  const mesh = await bootVillage();
  const lesson = new Lesson(mesh);
  assert.deepEqual(mesh.submit(lesson.whole()), Array(9).fill(0n));
  assert.deepEqual(mesh.balance(AMINA.address), { free: 700n, locked: 0n });
  assert.deepEqual(mesh.balance(TOMAS.address), { free: 300n, locked: 0n });
  assert.equal(mesh.read("session-manager", "get-lesson", [lesson.id]).state, 3n);
  assert.deepEqual(mesh.read("reputation-tracker", "get-totals", [TOMAS.address]),
    { "tutor-count": 1n, "tutor-stars": 5n, "tutor-raters": 1n,
      "student-count": 0n, "student-stars": 0n, "student-raters": 0n });

  const before = mesh.wallet(TOMAS.address);
  assert.deepEqual(mesh.submit([withdraw(mesh, TOMAS, 300n)]), [0n]);
  assert.equal(mesh.wallet(TOMAS.address) - before, 300n);
});

test("the same lesson paid in hours leaves the vault through a token batch", async () => {
  const mesh = await bootVillage();
  const lesson = new Lesson(mesh, { asset: mesh.hours, amount: 150n });
  assert.deepEqual(mesh.submit(lesson.whole(4n)), Array(9).fill(0n));
  assert.deepEqual(mesh.balance(TOMAS.address, mesh.hours), { free: 150n, locked: 0n });
  const out = withdraw(mesh, TOMAS, 150n, { asset: mesh.hours });
  assert.deepEqual(mesh.submit([out], { token: mesh.hours }), [0n]);
  assert.equal(mesh.wallet(TOMAS.address, mesh.hours), 150n);
});
