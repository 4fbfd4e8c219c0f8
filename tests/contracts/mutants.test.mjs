// Faults planted in the contracts, one at a time: a suite that passes with a fault in place tests nothing there.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { deployment, source } from "./lib/mesh.mjs";
import { MUTANTS, planted } from "./lib/mutants.mjs";
import { CAMPAIGN } from "./lib/random.mjs";

const LONG = CAMPAIGN > 1;
/** In the quick form, of each contract. Every fault costs a virtual machine of its own, two seconds and more. */
const QUICK_EACH = 3;
const CHILDREN = 2;
const SECONDS_MAX = 900;
const OUTPUT_SHOWN = 4000;
/** A child lives for a second or two: threads and an optimising compiler would cost more than they bring. */
const FLAGS = ["--liftoff-only", "--single-threaded", "--test-reporter=tap"];

/** Run the quick form of a suite, or of it only the tests whose titles begin so, in a process of its own: { code, output }. */
function run(suite, { title = null, fault = {} }) {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const pattern = title === null ? [] : [`--test-name-pattern=^${title}`];
  const file = fileURLToPath(new URL(`${suite}.test.mjs`, import.meta.url));
  const child = spawn(process.execPath, [...FLAGS, ...pattern, file], {
    env: { ...env, HUBD_CAMPAIGN: "", HUBD_FAULT: JSON.stringify(fault) }, timeout: SECONDS_MAX * 1000,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => { output += data; });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}

test("every planted fault has a name of its own, and changes exactly one place", () => {
  assert.equal(new Set(MUTANTS.map(({ name }) => name)).size, MUTANTS.length);
  for (const mutant of MUTANTS) assert.notEqual(planted(source(mutant.contract), mutant), source(mutant.contract));
});

test("every contract that decides anything has faults planted in it", () => {
  const silent = ["sip-010-trait"];
  const named = new Set(MUTANTS.map(({ contract }) => contract));
  assert.deepEqual(deployment.order.filter((name) => !named.has(name)), silent);
});

const nth = new Map();
const tried = MUTANTS.filter(({ contract }) => {
  nth.set(contract, (nth.get(contract) ?? 0) + 1);
  return LONG || nth.get(contract) <= QUICK_EACH;
});

// The suites themselves run unchanged beside this one. That each test passes also alone, only the long form asks.
const alone = LONG ? MUTANTS : MUTANTS.slice(0, 1);

describe("without a fault", { concurrency: CHILDREN }, () => {
  const wanted = new Map(alone.map((mutant) => [`${mutant.suite}: ${mutant.test}`, mutant]));
  for (const [name, { suite, test: title }] of wanted) {
    test(`${name} ... passes by itself`, async () => {
      const { code, output } = await run(suite, { title });
      assert.equal(code, 0, output.slice(-OUTPUT_SHOWN));
    });
  }
});

describe("with a fault", { concurrency: CHILDREN }, () => {
  for (const mutant of tried) {
    test(`${mutant.suite} notices that ${mutant.name}`, async () => {
      const { code, output } = await run(mutant.suite, { title: LONG ? null : mutant.test, fault: mutant });
      const shown = output.slice(-OUTPUT_SHOWN);
      assert.equal(code, 1, shown);
      assert.match(output, /^# fail [1-9]/m, shown);
      assert.ok(output.includes("code: 'ERR_ASSERTION'"), shown);
      assert.ok(!output.includes("Contract deployment"), shown);
    });
  }
});
