// What an action costs in a batch of fifty, held against the table in contracts/README.md.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { person } from "./lib/action.mjs";
import { AMINA, bootVillage, Lesson, register, TOMAS, withdraw } from "./lib/village.mjs";

const BATCH = 50;
/** Measured figures may differ from the table by so much: it is rounded. */
const TOLERANCE = 0.03;
const README = readFileSync(new URL("../../contracts/README.md", import.meta.url), "utf8");

/** Rows of the cost table: name -> { runtime (thousands), reads, writes, bytes (read, thousands) }. */
function stated() {
  const rows = README.split("## What an action costs")[1].split("\n## ")[0].match(/^\| [a-z].*\|$/gm);
  return Object.fromEntries(rows.map((row) => {
    const [name, runtime, reads, writes, bytes] = row.split("|").slice(1, 6).map((cell) => cell.trim());
    return [name, { runtime: Number(runtime), reads: Number(reads), writes: Number(writes), bytes: Number(bytes) }];
  }));
}

async function measured() {
  const mesh = await bootVillage({ trackCosts: true });
  mesh.call("payment-escrow", "deposit-for", [AMINA.address, 100_000n]);
  const lessons = Array.from({ length: BATCH }, () => new Lesson(mesh, { amount: 20n }));
  const each = (make) => lessons.map(make);
  const batches = [
    ["user-register", each((_, i) => register(mesh, person(`cost ${i}`)))],
    ["lesson-book + lock", each((lesson) => lesson.booking)],
    ["lesson-confirm", each((lesson) => lesson.confirm())],
    ["lesson-attend", each((lesson) => lesson.attend(AMINA))],
    [null, each((lesson) => lesson.attend(TOMAS))],
    ["lesson-complete + release", each((lesson) => lesson.complete())],
    ["rating-seal", each((lesson) => lesson.seal(AMINA, 5n))],
    [null, each((lesson) => lesson.seal(TOMAS, 5n))],
    ["rating-open", each((lesson) => lesson.open(AMINA, 5n))],
    ["escrow-withdraw, STX", each(() => withdraw(mesh, AMINA, 2n))],
    ["escrow-withdraw, hours", each(() => withdraw(mesh, AMINA, 2n, { asset: mesh.hours })), mesh.hours],
    ["a replay", each((lesson) => lesson.booking)],
  ];
  return Object.fromEntries(batches.map(([name, actions, token = null]) => {
    const { costs } = mesh.submitItems(actions.map((one) => one.item), { token });
    const share = (total, unit) => Math.round((10 * total) / BATCH / unit) / 10;
    return [name, { runtime: share(costs.runtime, 1000), reads: share(costs.readCount, 1),
      writes: share(costs.writeCount, 1), bytes: share(costs.readLength, 1000) }];
  }).filter(([name]) => name !== null));
}

test("every action costs what the table in the README says", async () => {
  const [table, costs] = [stated(), await measured()];
  assert.deepEqual(Object.keys(table), Object.keys(costs));
  for (const [name, row] of Object.entries(costs)) {
    for (const [unit, value] of Object.entries(row)) {
      const near = Math.abs(value - table[name][unit]) <= Math.max(0.15, TOLERANCE * value);
      assert.ok(near, `${name}: ${unit} is ${value}, the README says ${table[name][unit]}`);
    }
  }
});
