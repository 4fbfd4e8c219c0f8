// Money and classes through the gateway: whatever order a batch arrives in, the same money ends in the same places.
// A mutant this is known to kill: a gateway that marks a refused action as spent.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { STX } from "./lib/mesh.mjs";
import {
  attendClass, checkMoney, earmark, fundPool, giveBack, idOf, openClass, openPool, SPONSOR,
} from "./lib/money.mjs";
import { CAMPAIGN, Random } from "./lib/random.mjs";
import { AMINA, bootVillage, TOMAS, withdraw } from "./lib/village.mjs";

const ERRORS = JSON.parse(readFileSync(new URL("../../contracts/errors.json", import.meta.url), "utf8"));
const ORDERS = 4 * CAMPAIGN;

/** Tomas gives back what Amina set aside for him, and takes out what he is yet to earn in a class. */
async function story() {
  const mesh = await bootVillage();
  const pool = openPool(mesh, { tutors: [TOMAS] });
  const mark = earmark(mesh, AMINA, { tutor: TOMAS, amount: 300n });
  const lesson = openClass(mesh, TOMAS, { pool });
  const actions = [mark, giveBack(mesh, TOMAS, mark.id), fundPool(mesh, AMINA, pool, 200n),
    withdraw(mesh, TOMAS, 15n), lesson, attendClass(mesh, AMINA, lesson),
    attendClass(mesh, TOMAS, lesson, AMINA.address)];
  return { mesh, pool, actions, locks: [pool.id, mark.id, ...actions.slice(-2).map(({ id }) => id)] };
}

function settle({ mesh, pool, actions, locks }) {
  let open = actions;
  for (let round = 0; open.length; round++) {
    assert.ok(round < actions.length, "every round settles something");
    const codes = mesh.submit(open);
    for (const code of codes) assert.ok(code === 0n || ERRORS[code].retry, `u${code} may come again`);
    checkMoney(mesh, { persons: [AMINA, TOMAS, SPONSOR], assets: [STX, mesh.hours], locks });
    open = open.filter((_, i) => codes[i] !== 0n);
  }
  const left = mesh.read("payment-escrow", "get-lock", [pool.id]).amount;
  assert.deepEqual([mesh.balance(AMINA.address), mesh.balance(TOMAS.address), left],
    [{ free: 800n, locked: 0n }, { free: 5n, locked: 0n }, 1180n]);
  assert.deepEqual(mesh.submit(actions), actions.map(() => 4n), "and nothing is done twice");
}

test("in the order it was meant, and in the reverse, a batch settles alike", async () => {
  settle(await story());
  const reversed = await story();
  settle({ ...reversed, actions: reversed.actions.toReversed() });
});

test("in any order a batch settles alike", async () => {
  for (let seed = 1; seed <= ORDERS; seed++) {
    const shuffled = await story();
    settle({ ...shuffled, actions: new Random(seed).shuffled(shuffled.actions) });
  }
});

test("what one item of a batch is refused costs its neighbours nothing", async () => {
  const { mesh, pool, actions, locks } = await story();
  const bad = [earmark(mesh, AMINA, { tutor: AMINA, amount: 1n }), giveBack(mesh, AMINA, idOf("nothing")),
    fundPool(mesh, AMINA, { ...pool, id: idOf("nothing") }, 1n), fundPool(mesh, AMINA, pool, 2n ** 63n - 1n),
    openClass(mesh, TOMAS, { pool: { ...pool, asset: mesh.hours } }), attendClass(mesh, TOMAS, actions[4]),
    attendClass(mesh, AMINA, actions[4], SPONSOR.address)];
  const codes = mesh.submit(actions.flatMap((action, i) => [bad[i], action]));
  assert.deepEqual(codes.filter((_, i) => i % 2 === 0), [709n, 711n, 1101n, 701n, 1203n, 1205n, 1206n]);
  assert.deepEqual(codes.filter((_, i) => i % 2 === 1), [0n, 0n, 0n, 701n, 0n, 0n, 0n], "nothing is earned yet");
  checkMoney(mesh, { persons: [AMINA, TOMAS, SPONSOR], locks });
});
