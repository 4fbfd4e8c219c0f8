/** Blocks and their time: on a timer, on demand, and moved ahead. */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { Cl } from "@stacks/transactions";

import { Clock } from "../../../contracts/localchain/clock.mjs";
import { ALICE, BOB, person, start, startWithShop } from "./harness.mjs";

const running = [];
const begin = async (...flags) => running[running.push(await start(...flags)) - 1];
after(() => Promise.all(running.map((chain) => chain.stop())));

const nowSeconds = () => Math.floor(Date.now() / 1000);
const info = async (chain) => (await chain.get("/v2/info")).body;

test("what the contract sees as height and time is what the index shows", async () => {
  const chain = running[running.push(await startWithShop()) - 1];
  await chain.mine(3);
  const shown = await chain.settle(await chain.call(ALICE, "count", [Cl.uint(8)]));
  const { result } = await chain.read("get-seen", ["0x0100000000000000000000000000000008"]);
  const seen = Cl.deserialize(result).value.value;
  assert.equal(Number(seen.height.value), shown.block_height);
  assert.equal(Number(seen.time.value), shown.block_time);
  const { stacks_tip_height: height, burn_block_height: burn } = await info(chain);
  const now = Cl.deserialize((await chain.read("now")).result).value;
  assert.deepEqual([Number(now.height.value), Number(now.burn.value)], [height, burn]);
});

test("a new chain starts at the present and moves ten seconds a block, ten minutes a burn block", async () => {
  const chain = await begin("--block-ms", "0", "--test");
  const first = await chain.mine();
  assert.ok(Math.abs(first.block_time - 10 - nowSeconds()) <= 5, `${first.block_time} is not now`);
  const second = await chain.mine();
  assert.equal(second.block_time, first.block_time + 10);
  const { body: later } = await chain.post("/test/advance", { seconds: 86_400 });
  assert.equal(later.burn_block_height, second.burn_block_height + 144);
  assert.ok(later.block_time - second.block_time >= 86_390 - 20);
});

test("with a timer, transactions are mined by themselves and burn blocks come as asked", async () => {
  const balance = `${ALICE.address}=1000000000`;
  const chain = await begin("--block-ms", "50", "--burn-ms", "100", "--balance", balance);
  const before = await info(chain);
  const txids = [];
  for (let i = 0; i < 4; i += 1) {
    txids.push(await chain.send(await chain.transfer(ALICE, BOB.address, 10n, { nonce: BigInt(i) })));
    for (let tries = 0; tries < 100 && (await chain.tx(txids[i])).tx_status === "pending"; tries += 1) await sleep(20);
  }
  const statuses = await Promise.all(txids.map(async (txid) => (await chain.tx(txid)).tx_status));
  assert.deepEqual(statuses, Array(4).fill("success"));
  assert.ok((await info(chain)).burn_block_height >= before.burn_block_height + 1);
});

test("with a timer, what cannot be mined makes no blocks", async () => {
  const chain = await begin("--block-ms", "20", "--test", "--balance", `${ALICE.address}=1000000000`);
  await chain.send(await chain.transfer(ALICE, person(0x51).address, 10n, { nonce: 3n }));
  await chain.send(await chain.transfer(ALICE, person(0x51).address, 900_000_000n, { nonce: 1n }));
  await chain.send(await chain.transfer(ALICE, person(0x51).address, 900_000_000n, { nonce: 0n }));
  await sleep(400);
  const { stacks_tip_height: height } = await info(chain);
  await sleep(300);
  assert.ok((await info(chain)).stacks_tip_height <= height + 1);
  assert.equal((await chain.get("/test/mempool")).body.length, 2);
});

/** A chain of numbers only: what the clock asks of a chain, and what simnet does then. */
class Numbers {
  constructor(time) {
    this.tip = { time };
    this.made = [];
    this.tenureBlocks = 0;
    this.waiting = 0;
  }

  mine() {
    if (!this.waiting) return null;
    this.waiting -= 1;
    this.#note("mine", 10, 1);
    return [];
  }

  makeEmpty(count) {
    this.#note("empty", 10 * count, count);
  }

  makeBurn(count) {
    this.#note("burn", 600 * count, 0);
    this.tenureBlocks = 0;
  }

  #note(name, seconds, blocks) {
    this.made.push(name);
    this.tip.time += seconds;
    this.tenureBlocks += blocks;
  }
}

test("time that passed while the process was away is made up in burn blocks", () => {
  const chain = new Numbers(nowSeconds() - 6_005);
  new Clock(chain).start();
  assert.deepEqual(chain.made, ["burn"]);
  assert.ok(nowSeconds() - chain.tip.time < 600);
});

test("an idle chain keeps to the real clock", () => {
  const chain = new Numbers(nowSeconds() - 25);
  const clock = new Clock(chain);
  clock.start();
  clock.tick();
  clock.tick();
  assert.deepEqual(chain.made, ["empty"]);
  assert.ok(nowSeconds() - chain.tip.time < 10);
});

test("a busy chain runs ahead and makes no empty blocks until real time has caught up", () => {
  const chain = new Numbers(nowSeconds());
  const clock = new Clock(chain);
  clock.start();
  chain.waiting = 3;
  for (let i = 0; i < 6; i += 1) clock.tick();
  assert.deepEqual(chain.made, ["mine", "mine", "mine"]);
});

test("a lead that a test gave is kept", () => {
  const chain = new Numbers(nowSeconds());
  const clock = new Clock(chain);
  clock.start();
  chain.makeBurn(10);
  clock.keepLead();
  chain.tip.time -= 30;
  clock.tick();
  assert.deepEqual(chain.made, ["burn", "empty"]);
});

test("burn blocks come at the pace that was asked for, even when nothing else happens", async () => {
  const chain = new Numbers(nowSeconds());
  const clock = new Clock(chain, 30);
  clock.start();
  clock.tick();
  assert.deepEqual(chain.made, []);
  await sleep(40);
  clock.tick();
  clock.tick();
  assert.deepEqual(chain.made, ["burn"]);
});

test("a tenure has at most sixty blocks", () => {
  const chain = new Numbers(nowSeconds());
  const clock = new Clock(chain);
  clock.start();
  chain.waiting = 61;
  for (let i = 0; i < 61; i += 1) clock.tick();
  assert.equal(chain.made.indexOf("burn"), 60);
});
