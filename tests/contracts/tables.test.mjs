// The tables beside the contracts say what the contracts say, and the contracts keep the rules of the house.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { deployment, source } from "./lib/mesh.mjs";

const ROOT = new URL("../../", import.meta.url);
const text = (path) => readFileSync(new URL(path, ROOT), "utf8");
const NAMES = deployment.order;
const ERRORS = JSON.parse(text("contracts/errors.json"));
const LINES_MAX = 400;
const COLUMNS_MAX = 120;
const RANGES = {
  access: [100, 199], "user-registry": [200, 299], "tutor-profile": [300, 399], "student-request": [400, 499],
  "matching-engine": [500, 599], "session-manager": [600, 699], "payment-escrow": [700, 799],
  "reputation-tracker": [800, 899], "dispute-resolution": [900, 999], "action-gateway": [1, 99],
  "hour-credit": [1000, 1099], "sponsor-pool": [1100, 1199], "class-manager": [1200, 1299],
  recovery: [1300, 1399], panel: [1400, 1499],
};

/** The code of a contract without its comments. */
const code = (name) => source(name).replace(/;;.*$/gm, "");

/** The error constants of a contract as [code, name]. */
function constants(name) {
  const found = source(name).matchAll(/^\(define-constant ((?:ERR|CODE)-[A-Z-]+) (?:\(err u(\d+)\)|u(\d+))\)$/gm);
  return [...found].map(([, constant, asError, asCode]) => [asError ?? asCode, constant])
    .filter(([, constant]) => constant !== "CODE-DONE");
}

/** Top-level forms of a contract: { line above, head, body }. */
function forms(name) {
  const lines = source(name).split("\n");
  const starts = lines.flatMap((line, index) => (line.startsWith("(") ? [index] : []));
  return starts.map((at, i) => ({ above: lines[at - 1], head: lines[at],
    body: lines.slice(at, starts[i + 1] ?? lines.length).join("\n") }));
}

test("every file of contracts is deployed, and nothing else", () => {
  const files = readdirSync(new URL("contracts/", ROOT)).filter((file) => file.endsWith(".clar"));
  assert.deepEqual(files.map((file) => file.slice(0, -5)).sort(), [...NAMES].sort());
});

test("Clarinet.toml lists the same contracts in the same order and version", () => {
  const toml = text("Clarinet.toml");
  assert.deepEqual([...toml.matchAll(/^\[contracts\.(.+)\]$/gm)].map(([, name]) => name), NAMES);
  const versions = [...toml.matchAll(/^clarity_version = (\d)$/gm)].map(([, version]) => Number(version));
  assert.deepEqual(versions, NAMES.map(() => deployment.clarity_version));
});

test("each contract is named only by contracts deployed after it", () => {
  for (const [at, name] of NAMES.entries()) {
    const named = [...code(name).matchAll(/(?:contract-call\? |use-trait [a-z0-9-]+ |impl-trait )\.([a-z0-9-]+)/g)];
    for (const [, other] of named) assert.ok(NAMES.indexOf(other) < at, `${name} names ${other}`);
  }
});

test("every error has a name, a contract in its range, and a sentence, and the reverse", () => {
  const inCode = NAMES.flatMap((name) => constants(name).map(([number, constant]) => [number, name, constant]));
  for (const [number, name] of inCode) {
    const [low, high] = RANGES[name];
    assert.ok(Number(number) >= low && Number(number) <= high, `${number} in ${name}`);
  }
  const inTable = Object.entries(ERRORS).map(([number, { contract, name }]) => [number, contract, name]);
  const sorted = (list) => list.map((row) => row.join(" ")).sort();
  assert.deepEqual(sorted(inTable), sorted(inCode));
});

test("every sentence is short, plain and complete", () => {
  for (const [number, { words, retry }] of Object.entries(ERRORS)) {
    assert.equal(typeof retry, "boolean", number);
    assert.match(words, /^[A-Z].*\.$/, number);
    assert.ok(words.length <= 200, `${number}: ${words.length} characters`);
    assert.doesNotMatch(words, /escrow|principal|transaction|statement|contract-caller|uint/, number);
  }
});

test("every error of the contracts is provoked by some test", () => {
  const tests = readdirSync(new URL("tests/contracts/", ROOT)).filter((file) => file.endsWith(".test.mjs"));
  const all = tests.map((file) => text(`tests/contracts/${file}`)).join("\n");
  /** How a test may say it: code("contract/NAME"), or err("NAME") in a file about that contract. */
  const said = (contract, name) => all.includes(`${contract}/${name}"`) ||
    tests.some((file) => {
      const one = text(`tests/contracts/${file}`);
      const about = one.includes(`${contract}/${name.split("-")[0]}-`) || one.includes(`errorsOf("${contract}")`);
      return about && one.includes(`"${name.slice(name.indexOf("-") + 1)}"`);
    });
  for (const { contract, name } of Object.values(ERRORS)) assert.ok(said(contract, name), `${contract}/${name}`);
});

test("every map, variable, public and read-only function says what it means", () => {
  for (const name of NAMES) {
    for (const { above, head } of forms(name)) {
      if (/^\(define-(map|data-var|public|read-only)/.test(head)) assert.match(above ?? "", /^;; /, `${name}: ${head}`);
    }
  }
});

test("no contract is longer than can be read, and none can panic outside constants", () => {
  for (const name of NAMES) {
    const lines = source(name).split("\n");
    assert.ok(lines.length <= LINES_MAX, name);
    assert.deepEqual(lines.filter((line) => line.length > COLUMNS_MAX), [], name);
    for (const { head, body } of forms(name)) {
      if (!head.startsWith("(define-constant")) assert.doesNotMatch(body.replace(/;;.*$/gm, ""), /-panic/, name);
    }
  }
});

test("every form for somebody else asks for its role before it does anything", () => {
  for (const name of NAMES) {
    for (const { head, body } of forms(name).filter((form) => /^\(define-public \([a-z-]+-for /.test(form.head))) {
      if (/\(deposit-for/.test(head) || name === "action-gateway") continue;
      const first = body.split("\n").find((line) => line.trim().startsWith("(try!"));
      assert.match(first ?? "", /is-protocol-caller contract-caller "gateway"|check-gateway/, `${name}: ${head}`);
      assert.match(body, /^\(define-public [^]*?\)\)?\n {2}\(begin\n {4}\(try! \((contract-call\? \.access|check-gateway)/);
    }
  }
});

test("every public function that changes something prints one event, or calls one that does", () => {
  const silent = (name, body, seen = new Set()) => {
    if (/\(print \{ event: "/.test(body)) return false;
    const called = forms(name).filter(({ head }) => {
      const callee = head.match(/^\(define-(?:private|public) \(([a-z-]+)/)?.[1];
      return callee && !seen.has(callee) && body.includes(`(${callee} `) && seen.add(callee);
    });
    return called.every((form) => silent(name, form.body, seen));
  };
  for (const name of NAMES) {
    for (const { head, body } of forms(name).filter((form) => form.head.startsWith("(define-public"))) {
      if (/\((resolve|transfer) /.test(head)) continue;
      assert.ok(!silent(name, body), `${name}: ${head}`);
    }
  }
});

test("nobody acts as tx-sender", () => {
  const allowed = { access: 2, "payment-escrow": 2, "hour-credit": 1 };
  for (const name of NAMES) {
    assert.equal((code(name).match(/tx-sender/g) ?? []).length, allowed[name] ?? 0, name);
  }
});
