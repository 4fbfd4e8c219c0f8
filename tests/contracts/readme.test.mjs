// contracts/README.md lists what the contracts have: a list that is longer or shorter than its source fails here.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { deployment, source } from "./lib/mesh.mjs";

const ROOT = new URL("../../", import.meta.url);
const README = readFileSync(new URL("contracts/README.md", ROOT), "utf8");
const ERRORS = JSON.parse(readFileSync(new URL("contracts/errors.json", ROOT), "utf8"));

const quoted = (text) => [...text.matchAll(/`([^`]+)`/g)].map(([, word]) => word);
const defined = (name, ...kinds) => kinds.flatMap((kind) =>
  [...source(name).matchAll(new RegExp(`^\\(define-${kind} \\(?([a-z0-9-]+)`, "gm"))].map(([, word]) => word));
/** The rows of the table under a heading, as lists of cells. */
const table = (heading) => README.split(`\n## ${heading}\n`)[1].split("\n## ")[0].split("\n")
  .filter((line) => /^\| /.test(line)).slice(1).map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));

/** The list called `label` in the section of a contract, "" where it has none. */
function listed(name, label) {
  const section = README.split(`\n### ${name}\n`)[1]?.split(/\n##+ /)[0];
  assert.ok(section, `no section on ${name}`);
  return section.split("\n- ").find((item) => item.startsWith(`**${label}**: `)) ?? "";
}

/** Operations that only repeat another for the author of a signed action. */
function isTwin(name, operation) {
  const body = source(name).split(`(define-public (${operation} `)[1]?.split("\n(define-")[0] ?? "";
  return operation.endsWith("-for") && /check-gateway|"gateway"/.test(body);
}

test("there is one section for each contract, in the order of deployment", () => {
  const sections = README.split("\n## Contract by contract\n")[1].split("\n## ")[0];
  assert.deepEqual([...sections.matchAll(/^### (.+)$/gm)].map(([, name]) => name), deployment.order);
  assert.deepEqual(README.match(/^\| \[`[^`]+`\]/gm).map((cell) => quoted(cell)[0]), deployment.order);
});

for (const name of deployment.order) {
  test(`the README lists state, operations, questions, events and errors of ${name} as they are`, () => {
    const state = defined(name, "map", "data-var");
    const operations = defined(name, "public").filter((one) => !isTwin(name, one));
    const events = [...source(name).matchAll(/event: "([a-z-]+)"/g)].map(([, event]) => event);
    const errors = Object.entries(ERRORS).filter(([, row]) => row.contract === name);
    assert.deepEqual(quoted(listed(name, "State")).sort(), state.sort());
    assert.deepEqual(quoted(listed(name, "Operations")).sort(), operations.sort());
    assert.deepEqual(quoted(listed(name, "Questions")).sort(), defined(name, "read-only").sort());
    assert.deepEqual(quoted(listed(name, "Events")).sort(), [...new Set(events)].sort());
    const stated = [...listed(name, "Errors").matchAll(/(\d+)\s+`([A-Z-]+)`/g)];
    assert.deepEqual(stated.map(([, number, error]) => [number, error]),
      errors.map(([number, row]) => [number, row.name]));
  });
}

test("the table of kinds names the functions that the gateway calls", () => {
  const calls = [...source("action-gateway").matchAll(/\(contract-call\? \.([a-z-]+) ([a-z-]+-for|[a-z-]+-ft-for) /g)]
    .map(([, contract, method]) => `${contract}.${method}`);
  const named = table("How a call is judged").flatMap(([, functions]) => quoted(functions));
  const full = named.map((one) => (one.includes(".") ? one : `payment-escrow.${one}`));
  assert.deepEqual(full.filter((one) => one !== "action-gateway.void").sort(), [...new Set(calls)].sort());
  const kinds = [...source("action-gateway").matchAll(/^\(map-set columns "([a-z-]+)"/gm)].map(([, kind]) => kind);
  assert.deepEqual(table("How a call is judged").map(([kind]) => quoted(kind)[0]), kinds);
});

test("the table of roles is the deployment's", () => {
  const given = {};
  for (const { args } of deployment.calls.filter((call) => call.function === "set-role")) {
    (given[args[0].value] ??= []).push(args[1].value.slice(1));
  }
  const stated = Object.fromEntries(table("Roles and succession").map(([role, who]) => [quoted(role)[0], quoted(who)]));
  assert.deepEqual(stated, given);
});
