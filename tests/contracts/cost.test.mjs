// What an action costs, held against contracts/costs.json and the README, and against what a block of mainnet carries.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { BATCH, measure, rows, statedRows, TABLE, TENURE } from "./lib/costs.mjs";
import { CAMPAIGN } from "./lib/random.mjs";

/** Actions of each kind that are measured: the rest of fifty costs the same again. */
const COUNT = CAMPAIGN > 1 ? BATCH : 3;
/** Measured figures may differ from the table by so much; more where arbiters are drawn, since chance says how many
 * seats are tried. */
const TOLERANCE = 0.02;
const TOLERANCE_DRAWN = 0.3;
const isDrawn = (scene) => /^dispute-(vote|settle)/.test(scene);
const table = JSON.parse(readFileSync(TABLE, "utf8"));
let measured;

before(async () => {
  measured = await measure(COUNT);
});

for (const form of ["usual", "worst"]) {
  test(`every action costs what the table says, in its ${form} form`, () => {
    assert.deepEqual(Object.keys(table[form]), Object.keys(measured[form]));
    for (const [scene, costs] of Object.entries(measured[form])) {
      for (const [unit, total] of Object.entries(costs)) {
        const stated = table[form][scene][unit];
        const tolerance = isDrawn(scene) ? TOLERANCE_DRAWN : TOLERANCE;
        assert.ok(Math.abs(stated - total) <= Math.max(BATCH / 10, tolerance * total),
          `${scene}: ${unit} of ${BATCH} is ${total}, contracts/costs.json says ${stated}`);
      }
    }
  });
}

test("fifty of the dearest actions of any kind fit what a miner gives one block", () => {
  for (const [scene, costs] of Object.entries(measured.worst)) {
    for (const [unit, total] of Object.entries(costs)) {
      assert.ok(total <= TENURE[unit] / 4, `${scene}: ${unit} of ${BATCH} is ${total}`);
    }
  }
});

test("the dearest form of an action costs no less than the usual one", () => {
  for (const [scene, { reads }] of Object.entries(measured.worst).filter(([name]) => !isDrawn(name))) {
    assert.ok(reads >= measured.usual[scene].reads, scene);
  }
});

test("the README's table is the file's, per action", () => {
  assert.deepEqual(statedRows(), rows(table));
});
