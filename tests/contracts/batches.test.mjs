// One bad action harms no neighbour, whatever its kind, its fault and its place.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { Cl } from "@stacks/transactions";
import { person } from "./lib/action.mjs";
import { kindOf, play, SCENES, Stage } from "./lib/catalogue.mjs";
import { canWithdraw, faults, highTwin, joinStranger, misplaced, overlong } from "./lib/hostile.mjs";
import { code } from "./lib/mesh.mjs";
import { CAMPAIGN } from "./lib/random.mjs";
import { AMINA, register, withdraw } from "./lib/village.mjs";

const BATCH = 50;
const SCENES_NEAR = 10;
/** The long form puts every fault of every kind at every fifth place, the short one another fault at each place. */
const STRIDE = 5;
const DRY_RUN = readFileSync(new URL("lib/dry-run.clar", import.meta.url), "utf8");
const gateway = (name) => code(`action-gateway/CODE-${name}`);
let stage;
let good;
let bad;
let played;

/** The codes that a batch would get, on a chain that stays as it is. */
const dryRun = (items) => stage.mesh.call("dry-run", "dry-run", [Cl.list(items)]).err.map((result) => result.code);

/** Scene -> three actions that may be done: one to do, one that was done, one that its person withdraws. */
before(async () => {
  stage = await Stage.boot();
  stage.mesh.deploy("dry-run", DRY_RUN);
  joinStranger(stage);
  played = Object.entries(play(stage, 3));
  good = played.map(([, [one]]) => one.item);
  bad = played.flatMap(([scene, actions]) => wrong(scene, actions));
});

/** Every way in which an action of this scene can be wrong: { name, expected, item }. */
function wrong(scene, [one, done, withdrawn]) {
  const { mesh } = stage;
  const found = faults(stage, one, mesh.read("action-gateway", "get-columns", [Cl.stringAscii(kindOf(scene))]));
  found.push(...misplaced(stage, scene, one));
  stage.done([done]);
  found.push(["done before", gateway("SPENT"), done.item], ["its twin", gateway("SPENT"), highTwin(done)]);
  if (canWithdraw(kindOf(scene))) {
    stage.done([mesh.action(withdrawn.signer, { action: "action-void", subject: withdrawn.id })]);
    found.push(["withdrawn", gateway("VOIDED"), withdrawn.item]);
  }
  return found.map(([name, expected, item]) => ({ scene, name: `${scene}: ${name}`, expected, item }));
}

/** Forty-nine good items: ten scenes, others at each place, and newcomers. Not the bad one's own scene, which it may end. */
function neighbours(place, newcomers, scene) {
  const near = played.flatMap(([name, [one]]) => (name === scene ? [] : [one.item]));
  const some = Array.from({ length: SCENES_NEAR }, (_, at) => near[(place * SCENES_NEAR + at) % near.length]);
  return newcomers.flatMap((one, at) => (at < SCENES_NEAR ? [one, some[at]] : [one]));
}

test("every kind of the catalogue is done in one batch, at full depth", () => {
  assert.deepEqual(dryRun(good), good.map(() => 0n));
});

test("every fault of every kind gets its code, between good actions of every kind that are done", () => {
  const each = 200 - good.length;
  for (let at = 0; at < bad.length; at += each) {
    const some = bad.slice(at, at + each);
    const mixed = good.flatMap((item, i) => {
      const upTo = (at) => Math.floor((at * some.length) / good.length);
      return [{ expected: 0n, item, name: Object.keys(SCENES)[i] }, ...some.slice(upTo(i), upTo(i + 1))];
    });
    const codes = dryRun(mixed.map(({ item }) => item));
    mixed.forEach(({ name, expected }, i) => assert.equal(codes[i], expected, name));
  }
});

test("one bad action at any place of fifty gets its code and the other forty-nine are done", () => {
  const newcomers = Array.from({ length: BATCH - 1 - SCENES_NEAR }, (_, at) =>
    register(stage.mesh, person(`near ${at}`)).item);
  for (let place = 0; place < BATCH; place++) {
    const here = bad.filter((_, at) =>
      (CAMPAIGN > 1 ? at % STRIDE === place % STRIDE : at === (place * 97) % bad.length));
    for (const { scene, name, expected, item } of here) {
      const others = neighbours(place, newcomers, scene);
      const codes = dryRun(others.toSpliced(place, 0, item));
      assert.equal(codes[place], expected, `${name} at ${place}`);
      assert.deepEqual(codes.toSpliced(place, 1), others.map(() => 0n), `beside ${name} at ${place}`);
    }
  }
});

test("an over-long field of any kind is a code of its own, also where it was let into the list", () => {
  const long = played.flatMap(([, [one]]) => overlong(stage, one));
  for (let at = 0; at < long.length; at += 100) {
    const some = long.slice(at, at + 100);
    const near = (name) => register(stage.mesh, person(`beside a long one ${at} ${name}`)).item;
    const codes = stage.mesh.submitItems([near("before"), ...some, near("after")]).ok.map((result) => result.code);
    assert.deepEqual(codes, [0n, ...some.map(() => gateway("LENGTH")), 0n]);
  }
});

test("what a refused action began is taken back", () => {
  const { mesh } = stage;
  const before = mesh.balance(AMINA.address);
  const broke = mesh.action(AMINA, { action: "lesson-book", who: stage.pool.sponsor.address, amount: 10n ** 15n,
    moment: mesh.now, bits: 4096n + 60n });
  assert.deepEqual(mesh.submit([broke, withdraw(mesh, AMINA, 10n ** 15n)]),
    Array(2).fill(code("payment-escrow/ERR-FUNDS")));
  assert.equal(mesh.read("session-manager", "get-lesson", [broke.id]), null);
  assert.equal(mesh.read("payment-escrow", "get-lock", [broke.id]), null);
  assert.deepEqual(mesh.balance(AMINA.address), before);
});
