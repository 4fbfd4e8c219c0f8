// No order of a batch changes where it ends: what depends on something else waits for it, and the rest doesn't care.
// A mutant this is known to kill: a spent id that is noted for a refused action, too.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { Cl } from "@stacks/transactions";
import { play, Stage } from "./lib/catalogue.mjs";
import { code, STX } from "./lib/mesh.mjs";
import { CAMPAIGN, Random } from "./lib/random.mjs";
import { maybe } from "./lib/values.mjs";
import { AMINA, bootVillage, Lesson, TOMAS } from "./lib/village.mjs";

const DRY_RUN = readFileSync(new URL("lib/dry-run.clar", import.meta.url), "utf8");
let mesh;

before(async () => {
  mesh = await bootVillage();
});

/** Submit a batch again and again until all is done; how many times it took. */
function untilDone(actions) {
  for (let round = 1; round <= actions.length; round++) {
    const codes = mesh.submit(actions);
    if (codes.every((one) => one === 0n || one === code("action-gateway/CODE-SPENT"))) return round;
  }
  throw new Error("some action was never done");
}

/** All orders of a short list. */
const orders = (list) => (list.length < 2 ? [list]
  : list.flatMap((one, i) => orders(list.toSpliced(i, 1)).map((rest) => [one, ...rest])));

test("the five actions of a lesson in every order end the same", () => {
  let rounds = 0;
  for (const order of orders([0, 1, 2, 3, 4])) {
    const lesson = new Lesson(mesh, { amount: 1n });
    const actions = [...lesson.held(), lesson.complete()];
    rounds = Math.max(rounds, untilDone(order.map((index) => actions[index])));
    const { state, attended } = mesh.read("session-manager", "get-lesson", [lesson.id]);
    assert.deepEqual([state, attended], [3n, 3n]);
  }
  assert.equal(rounds, 4, "the reverse order needs a round for each action that waits for another");
});

test("two lessons with their ratings in any order end the same", () => {
  const random = new Random(7);
  for (let i = 0; i < 6 * CAMPAIGN; i++) {
    const lessons = [new Lesson(mesh, { amount: 2n }), new Lesson(mesh, { amount: 3n, bits: 30n })];
    const before = [AMINA, TOMAS].map(({ address }) => mesh.balance(address).free);
    untilDone(random.shuffled(lessons.flatMap((lesson) => lesson.whole())));
    const after = [AMINA, TOMAS].map(({ address }) => mesh.balance(address).free);
    assert.deepEqual([after[0] - before[0], after[1] - before[1]], [-5n, 5n]);
  }
});

test("one action of every kind, in any order, is done and ends with the same money and the same counts", async () => {
  const stage = await Stage.boot();
  stage.mesh.deploy("dry-run", DRY_RUN);
  const actions = Object.values(play(stage, 1)).flat();
  const people = [AMINA, TOMAS, stage.pool.sponsor].map(({ address }) =>
    Cl.tuple({ person: Cl.principal(address), asset: maybe(STX) }));
  /** Where an order ends; its codes apart, which follow the order. */
  const ending = (order) => {
    const { items, ...rest } = stage.mesh.call("dry-run", "ending",
      [Cl.list(order.map(({ item }) => item)), Cl.list(people)]).err;
    assert.deepEqual(items.map((one) => one.code), order.map(() => 0n));
    return rest;
  };
  const random = new Random(11);
  const expected = ending(actions);
  for (let i = 0; i < 5 * CAMPAIGN; i++) assert.deepEqual(ending(random.shuffled(actions)), expected);
  assert.deepEqual(ending(actions.toReversed()), expected);
});
