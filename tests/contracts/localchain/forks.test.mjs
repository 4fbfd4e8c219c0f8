/** Forks, snapshots, and a chain that survives its process. */

import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";

import { Cl } from "@stacks/transactions";

import { ALICE, BOB, RICH_USTX, person, start, startWithShop } from "./harness.mjs";

const directory = fs.mkdtempSync(path.join(os.tmpdir(), "localchain-"));
const file = (name) => path.join(directory, name);
const running = [];
const begin = async (...flags) => running[running.push(await startWithShop(...flags)) - 1];
const resume = async (...flags) => running[running.push(await start("--block-ms", "0", "--test", ...flags)) - 1];
after(async () => {
  await Promise.all(running.map((chain) => chain.stop()));
  fs.rmSync(directory, { recursive: true });
});

const info = async (chain) => (await chain.get("/v2/info")).body;

/** What must be the same in two chains that are one. */
async function portrait(chain, txids) {
  const { stacks_tip_height: height, stacks_tip: tip, burn_block_height: burn } = await info(chain);
  const accounts = await Promise.all([ALICE, BOB, person(0x51)].map((who) => chain.account(who)));
  const transactions = await Promise.all(txids.map((txid) => chain.tx(txid)));
  return { height, tip, burn, accounts, transactions, counter: await chain.read("get-counter") };
}

/** Blocks of every kind, and something that waits. */
async function live(chain) {
  const txids = [];
  const send = async (transaction) => txids.push(await chain.send(transaction));
  await send(await chain.call(ALICE, "count", [Cl.uint(2)]));
  await send(await chain.call(BOB, "divide", [Cl.uint(0)]));
  await chain.mine();
  await chain.post("/test/advance", { burn_blocks: 3 });
  const pay = [Cl.uint(77), Cl.principal(person(0x51).address)];
  await send(await chain.call(ALICE, "pay", pay, { postConditionMode: "deny" }));
  await send(await chain.transfer(BOB, person(0x51).address, 5_000n));
  await chain.mine(2);
  const { nonce } = await chain.account(ALICE);
  await send(await chain.call(ALICE, "count", [Cl.uint(3)], { nonce, fee: 900n }));
  await send(await chain.call(ALICE, "count", [Cl.uint(4)], { nonce, fee: 901n }));
  await send(await chain.call(BOB, "count", [Cl.uint(5)]));
  await chain.post("/test/drop", { txid: txids.at(-1), status: "dropped_problematic" });
  return txids;
}

test("a fork returns the transactions of its blocks to the mempool and undoes what they did", async () => {
  const chain = await begin();
  const started = await info(chain);
  const txid = await chain.send(await chain.call(ALICE, "count", [Cl.uint(2)]));
  await chain.mine();
  const mined = await chain.tx(txid);
  await chain.mine(3);
  await chain.post("/test/advance", { burn_blocks: 2 });
  const forked = (await chain.post("/test/fork", { blocks: 6 })).body;
  assert.equal(forked.stacks_tip_height, started.stacks_tip_height);
  assert.equal(forked.stacks_tip, started.stacks_tip);
  assert.equal((await info(chain)).burn_block_height, started.burn_block_height);
  assert.equal((await chain.tx(txid)).tx_status, "pending");
  assert.deepEqual(await chain.account(ALICE), { balance: RICH_USTX - 20_000n, nonce: 1 });
  assert.equal((await chain.read("get-counter")).result, `0x01${"0".repeat(32)}`);
  await chain.mine();
  const again = await chain.tx(txid);
  assert.equal(again.tx_status, "success");
  assert.equal(again.block_height, mined.block_height);
  assert.notEqual(again.block_hash, mined.block_hash);
});

test("a fork in the middle of burn blocks takes only so many", async () => {
  const chain = running[0];
  const { burn_block_height: burn, stacks_tip_height: height } = await info(chain);
  await chain.post("/test/advance", { burn_blocks: 5 });
  await chain.post("/test/fork", { blocks: 2 });
  const now = await info(chain);
  assert.deepEqual([now.burn_block_height, now.stacks_tip_height], [burn + 3, height + 3]);
});

test("a fork deeper than the chain is refused", async () => {
  const { status, body } = await running[0].post("/test/fork", { blocks: 1_000 });
  assert.equal(status, 400);
  assert.match(body, /has only \d+ blocks/);
});

test("a fork may drop the block that deployed a contract", async () => {
  const chain = running[0];
  const { stacks_tip_height: height } = await info(chain);
  await chain.post("/test/fork", { blocks: height - 1 });
  assert.equal((await chain.get(`/v2/contracts/interface/${ALICE.address}/shop`)).status, 404);
  const { mined } = await chain.mine();
  assert.equal((await chain.get(`/v2/contracts/interface/${ALICE.address}/shop`)).status, 200);
  assert.equal(mined.length, 2, "the deployment, and the call that waits behind it");
  await chain.stop();
});

test("a restart from --state gives the same chain, even after kill -9", async () => {
  const chain = await begin("--state", file("state"));
  const txids = await live(chain);
  const seen = await portrait(chain, txids);
  await chain.stop("SIGKILL");
  const resumed = await resume("--state", file("state"));
  assert.deepEqual(await portrait(resumed, txids), seen);
  assert.equal((await resumed.get("/test/mempool")).body.length, 1);
  await resumed.mine();
  assert.equal((await resumed.tx(txids[5])).tx_status, "success");
});

test("a restart after a fork gives the forked chain", async () => {
  const chain = running.at(-1);
  await chain.post("/test/fork", { blocks: 2 });
  const txid = await chain.send(await chain.transfer(BOB, ALICE.address, 9n));
  await chain.mine();
  const seen = await portrait(chain, [txid]);
  await chain.stop();
  const resumed = await resume("--state", file("state"));
  assert.deepEqual(await portrait(resumed, [txid]), seen);
  await resumed.stop();
});

test("a line that was being written when the process died is dropped", async () => {
  const whole = fs.readFileSync(file("state"));
  fs.appendFileSync(file("state"), '{"tx":"8080000000');
  const resumed = await resume("--state", file("state"));
  await resumed.mine();
  await resumed.stop();
  const text = fs.readFileSync(file("state"), "utf8");
  assert.ok(text.startsWith(whole.toString()));
  text.trim().split("\n").forEach((line) => JSON.parse(line));
});

test("a snapshot starts a chain of its own, with further balances", async () => {
  const chain = await begin();
  const txids = await live(chain);
  const seen = await portrait(chain, txids);
  fs.writeFileSync(file("snapshot"), (await chain.get("/test/snapshot")).body);
  const { address } = person(0x77);
  const copy = await resume("--snapshot", file("snapshot"), "--balance", `${address}=42`);
  const { tip: theirs, transactions: shown, ...copied } = await portrait(copy, txids);
  const { tip: ours, transactions: original, ...same } = seen;
  assert.deepEqual(copied, same);
  assert.deepEqual(shown.map(({ tx_status: s }) => s), original.map(({ tx_status: s }) => s));
  assert.notEqual(theirs, ours);
  assert.equal((await copy.account({ address })).balance, 42n);
  await copy.mine();
  assert.deepEqual(await portrait(chain, txids), seen);
});

test("a state file that starts from a snapshot holds the whole chain", async () => {
  const first = await resume("--snapshot", file("snapshot"), "--state", file("own"));
  const seen = await portrait(first, []);
  await first.stop();
  const second = await resume("--state", file("own"));
  assert.deepEqual(await portrait(second, []), seen);
});

before(() => {
  fs.writeFileSync(file("garbage"), "no chain\n");
  fs.writeFileSync(file("empty"), "");
  fs.writeFileSync(file("other"), '{"format":"something else"}\n');
  fs.writeFileSync(file("bent"), '{"format":"hubd-localchain/1","time":1790000000,"balances":{}}\n{"mine":["00"]}\n');
  fs.writeFileSync(file("odd"), '{"format":"hubd-localchain/1","time":1790000000,"balances":{"ST1":"x"}}\n');
});

for (const name of ["garbage", "empty", "other", "bent", "odd", "missing"]) {
  test(`a snapshot that is ${name} is refused with a hint`, async () => {
    const flags = ["--block-ms", "0", "--test", "--snapshot", file(name)];
    const { code, errors } = await start.failing(...flags);
    assert.equal(code, 1);
    assert.match(errors, /^localchain: .+\nhint: .+\n$/);
  });
}
