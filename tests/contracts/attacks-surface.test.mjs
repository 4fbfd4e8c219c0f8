// Every public function of every contract at once: whoever calls it, with whatever numbers, and through a lure.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { Cl } from "@stacks/transactions";
import { person } from "./lib/action.mjs";
import { code } from "./lib/mesh.mjs";
import { CAMPAIGN, Random } from "./lib/random.mjs";
import { lure, publicFunctions, valueOf } from "./lib/surface.mjs";
import { maybe, ZEROS } from "./lib/values.mjs";
import { AMINA, bootVillage, Lesson, TOMAS } from "./lib/village.mjs";

const INT_MAX = 2n ** 63n - 1n;
const EXTREMES = [0n, 1n, INT_MAX, INT_MAX + 1n, 2n ** 127n, 2n ** 128n - 1n];
const COIN = readFileSync(new URL("lib/tokens.clar", import.meta.url), "utf8");
const ROLES = ["gateway", "locker", "spender", "pool-payer", "dispute", "matching", "vault", "recovery"];
/** Holds every role that contracts hold: what it calls gets past every check of a role. */
const INSIDER = person("insider").address;
const STRANGER = person("stranger").address;
let mesh;
let functions;
let ids;

/** A village with a lesson, a pool and an earmark, and more of a coin in the vault than one amount can say. */
before(async () => {
  mesh = await bootVillage();
  functions = publicFunctions(mesh);
  const lesson = new Lesson(mesh, { amount: 100n });
  assert.deepEqual(mesh.submit(lesson.held()), [0n, 0n, 0n, 0n]);
  mesh.deploy("coin", COIN);
  const coin = `${mesh.deployer}.coin`;
  mesh.call("access", "set-asset", [maybe(coin), Cl.stringAscii("coin"), true]);
  for (let i = 0; i < 3; i++) {
    mesh.call("coin", "mint", [INT_MAX, AMINA.address]);
    mesh.call("payment-escrow", "deposit-ft", [coin, INT_MAX], AMINA.address);
  }
  assert.equal(mesh.balance(AMINA.address, coin).free, 3n * INT_MAX);
  ids = [lesson.id, ZEROS];
});

/** A chooser of arguments that fit this village. */
const chooser = (random, numbers) => (kind) => ({
  uint: () => random.pick(numbers),
  bool: () => random.below(2) === 0,
  some: () => random.below(3) > 0,
  id: () => random.pick(ids),
  principal: () => random.pick([AMINA.address, TOMAS.address, STRANGER, ...["coin", "payment-escrow"].map(
    (name) => `${mesh.deployer}.${name}`)]),
  token: () => random.pick([mesh.hours, `${mesh.deployer}.coin`]),
}[kind]());

test("a lure contract that a person calls acts for itself and gains nothing, whatever it calls", () => {
  mesh.deploy("lure", lure(functions));
  const random = new Random(3);
  const choose = chooser(random, [1n, 5n, 45n]);
  const mine = { uint: () => 1n, principal: () => AMINA.address };
  const before = [mesh.balance(AMINA.address), mesh.read("session-manager", "get-lesson", [ids[0]])];
  const done = new Set();
  for (const { contract, name, args } of functions) {
    for (let i = 0; i < 6; i++) {
      const given = args.filter(({ type }) => type !== "trait_reference")
        .map(({ type }) => valueOf(type, (kind) => (i === 0 && mine[kind] ? mine[kind]() : choose(kind))));
      if (mesh.call("lure", `${contract}--${name}`, given, AMINA.address).err === undefined) done.add(name);
    }
  }
  assert.deepEqual([...done], ["resolve"], "who asks whom a key acts for, gains nothing");
  assert.deepEqual([mesh.balance(AMINA.address), mesh.read("session-manager", "get-lesson", [ids[0]])], before);
});

test("no number in any argument of any function aborts a call, past every check of a role", () => {
  for (const role of ROLES) mesh.call("access", "set-role", [Cl.stringAscii(role), INSIDER, true]);
  const random = new Random(11);
  let calls = 0;
  for (const { contract, name, args } of functions.filter(({ contract: of }) => of !== "access")) {
    for (const [at, { type }] of args.entries()) {
      if (type !== "uint128") continue;
      for (const extreme of EXTREMES) {
        for (const caller of [INSIDER, AMINA.address]) {
          for (let i = 0; i < CAMPAIGN; i++) {
            const choose = chooser(random, random.below(2) ? [1n, 60n] : EXTREMES);
            const given = args.map(({ type: of }) => valueOf(of, choose));
            given[at] = Cl.uint(extreme);
            const answer = mesh.call(contract, name, given, caller);
            assert.ok("ok" in answer || typeof answer.err === "bigint", `${contract}.${name}`);
            calls += 1;
          }
        }
      }
    }
  }
  assert.ok(calls > 500, `${calls} calls`);
});

test("every function for somebody else, and every one for another contract, is refused to a stranger", () => {
  const refused = code("access/ERR-NOT-ROLE");
  const inner = ["lock", "release", "refund", "split", "draw", "draw-earmark", "add", "pay", "mark-matched",
    "dispute-hold", "dispute-end", "set-guarded", "freeze", "unfreeze", "renew", "bind"];
  const choose = chooser(new Random(5), [1n]);
  let asked = 0;
  for (const { contract, name, args } of functions) {
    if (!(inner.includes(name) || (name.endsWith("-for") && name !== "deposit-for"))) continue;
    const given = args.map(({ type }) => valueOf(type, choose));
    assert.deepEqual(mesh.call(contract, name, given, STRANGER), { err: refused }, `${contract}.${name}`);
    asked += 1;
  }
  assert.ok(asked >= 20, `${asked} functions`);
});
