// One bad action harms no neighbour, and no order of a batch changes where it ends.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { Cl } from "@stacks/transactions";
import { item, person, statementTuple } from "./lib/action.mjs";
import { code } from "./lib/mesh.mjs";
import { CAMPAIGN, Random } from "./lib/random.mjs";
import { AMINA, bootVillage, Lesson, register, TOMAS, withdraw } from "./lib/village.mjs";

const BATCH = 50;
const DRY_RUN = readFileSync(new URL("lib/dry-run.clar", import.meta.url), "utf8");
let mesh;
let seen = 0;

before(async () => {
  mesh = await bootVillage();
  mesh.deploy("dry-run", DRY_RUN);
});

/** The codes that a batch would get, on a chain that stays as it is. */
const dryRun = (items) => mesh.call("dry-run", "dry-run", [Cl.list(items)]).err.map((result) => result.code);

/** Items that are refused, one for each reason and area, with their codes. (Too long fields: gateway.test.mjs.) */
function badItems() {
  const ghost = person("ghost");
  const base = register(mesh, person("bad"));
  const lesson = new Lesson(mesh, { amount: 999_999n });
  const spent = register(mesh, person(`already there ${++seen}`));
  mesh.submit([spent]);
  const gateway = (name) => code(`action-gateway/CODE-${name}`);
  return [
    [gateway("SIGNATURE"), item(statementTuple(base.fields), "00".repeat(65))],
    [gateway("AUTHOR"), mesh.action(AMINA, { action: "lesson-book", author: TOMAS.address }).item],
    [gateway("LENGTH"), item(statementTuple(base.fields), base.signature.slice(2))],
    [gateway("LENGTH"), mesh.action(AMINA, { action: "rating-seal", who: TOMAS.address, content: "" }).item],
    [gateway("RANGE"), mesh.action(AMINA, { action: "escrow-withdraw", amount: 2n ** 128n - 1n }).item],
    [gateway("SPENT"), spent.item],
    [gateway("EXPIRED"), register(mesh, ghost, { expires: 1n }).item],
    [gateway("UNKNOWN-KIND"), mesh.action(AMINA, { action: "future-kind" }).item],
    [gateway("COLUMNS"), mesh.action(AMINA, { action: "lesson-attend" }).item],
    [gateway("TOKEN-BATCH"), withdraw(mesh, AMINA, 1n, { asset: mesh.hours }).item],
    [code("user-registry/ERR-KEY-TAKEN"), register(mesh, AMINA).item],
    [code("user-registry/ERR-KEY-UNKNOWN"), withdraw(mesh, ghost, 1n).item],
    [code("payment-escrow/ERR-FUNDS"), lesson.booking.item],
    [code("payment-escrow/ERR-FUNDS"), withdraw(mesh, AMINA, 999_999n).item],
    [code("session-manager/ERR-LESSON-UNKNOWN"), lesson.confirm().item],
    [code("session-manager/ERR-LESSON-UNKNOWN"), lesson.complete().item],
    [code("reputation-tracker/ERR-LESSON-UNKNOWN"), lesson.seal(AMINA, 5n).item],
    [code("reputation-tracker/ERR-NOT-SEALED"), lesson.open(AMINA, 5n).item],
  ];
}

/** 49 good items of every kind that depend on one another in their order. */
function goodItems() {
  const lessons = [new Lesson(mesh, { amount: 300n }), new Lesson(mesh, { amount: 200n, bits: 45n })];
  const whole = lessons.flatMap((lesson) => lesson.whole());
  const newcomers = Array.from({ length: BATCH - 1 - whole.length - 1 }, (_, i) => register(mesh, person(`good ${i}`)));
  return [...whole, withdraw(mesh, TOMAS, 500n), ...newcomers].map((one) => one.item);
}

test("one bad action at any place of fifty gets its code and the other forty-nine are done", () => {
  const [good, bad] = [goodItems(), badItems()];
  const kindsAt = (place) => (CAMPAIGN > 1 ? bad : [bad[place % bad.length]]);
  for (let place = 0; place < BATCH; place++) {
    for (const [expected, one] of kindsAt(place)) {
      const codes = dryRun([...good.slice(0, place), one, ...good.slice(place)]);
      assert.deepEqual(codes.toSpliced(place, 1), Array(BATCH - 1).fill(0n), `u${expected} at ${place}`);
      assert.equal(codes[place], expected, `u${expected} at ${place}`);
    }
  }
});

test("bad actions of every kind together, between good ones, change nothing for those", () => {
  const [good, bad] = [goodItems(), badItems()];
  const mixed = good.flatMap((one, index) => (index < bad.length ? [bad[index][1], one] : [one]));
  const codes = dryRun(mixed);
  const expected = good.flatMap((_, index) => (index < bad.length ? [bad[index][0], 0n] : [0n]));
  assert.deepEqual(codes, expected);
});

test("what a refused action began is taken back", () => {
  const broke = new Lesson(mesh, { amount: 999_999n });
  const before = mesh.balance(AMINA.address);
  assert.deepEqual(mesh.submit([broke.booking]), [code("payment-escrow/ERR-FUNDS")]);
  assert.equal(mesh.read("session-manager", "get-lesson", [broke.id]), null);
  assert.equal(mesh.read("payment-escrow", "get-lock", [broke.id]), null);
  assert.deepEqual(mesh.balance(AMINA.address), before);
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
