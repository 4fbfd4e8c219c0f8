/** What waits: gaps, replacement, order, ageing, and what a block has no room for. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Cl, sponsorTransaction } from "@stacks/transactions";

import { ALICE, BOB, POOR, startWithShop } from "./harness.mjs";

let chain;
before(async () => {
  chain = await startWithShop();
});
after(() => chain.stop());

const count = async (sender, given) => chain.call(sender, "count", [Cl.uint(1)], given);
const status = async (txid) => (await chain.tx(txid)).tx_status;
/** Signs as the sponsor who pays for `call`. */
const sponsor = (call, who, fee, nonce) =>
  sponsorTransaction({
    transaction: call, sponsorPrivateKey: who.key, fee, sponsorNonce: BigInt(nonce), network: "testnet",
  });
const nonces = async ({ address }) => (await chain.get(`/extended/v1/address/${address}/nonces`)).body;

test("a gap holds back what is behind it until it is filled", async () => {
  const { nonce } = await chain.account(ALICE);
  const later = [];
  for (const ahead of [1, 2, 4]) later.push(await chain.send(await count(ALICE, { nonce: nonce + ahead })));
  assert.deepEqual((await chain.mine()).mined, []);
  assert.deepEqual(await nonces(ALICE), {
    last_executed_tx_nonce: nonce - 1,
    last_mempool_tx_nonce: nonce + 4,
    possible_next_nonce: nonce + 5,
    detected_missing_nonces: [nonce + 3, nonce],
    detected_mempool_nonces: [nonce + 1, nonce + 2, nonce + 4],
  });
  const first = await chain.send(await count(ALICE, { nonce }));
  assert.deepEqual((await chain.mine()).mined, [first, later[0], later[1]]);
  assert.equal(await status(later[2]), "pending");
  await chain.send(await count(ALICE, { nonce: nonce + 3 }));
  await chain.mine();
  assert.equal(await status(later[2]), "success");
});

test("a strictly higher fee replaces, an equal or lower one does not", async () => {
  const { nonce } = await chain.account(ALICE);
  const low = await chain.send(await count(ALICE, { nonce, fee: 1_000n }));
  for (const fee of [1_000n, 999n]) {
    const rival = await chain.call(ALICE, "count", [Cl.uint(2)], { nonce, fee });
    assert.deepEqual(await chain.refusal(rival), {
      txid: rival.txid(), error: "transaction rejected", reason: "ConflictingNonceInMempool",
    });
  }
  const high = await chain.send(await chain.call(ALICE, "count", [Cl.uint(2)], { nonce, fee: 1_001n }));
  const replaced = await chain.tx(low);
  assert.equal(replaced.tx_status, "dropped_replace_by_fee");
  assert.equal(replaced.replaced_by_tx_id, `0x${high}`);
  assert.deepEqual((await chain.mine()).mined, [high]);
});

test("the same bytes may come again and have the same txid", async () => {
  const call = await count(ALICE, {});
  assert.equal(await chain.send(call), await chain.send(call));
  assert.equal((await chain.get("/test/mempool")).body.length, 1);
  await chain.mine();
  assert.equal((await chain.refusal(call)).reason, "BadNonce");
});

test("the better fee rate goes first, within the order of account nonces", async () => {
  const [alice, bob] = [await chain.account(ALICE), await chain.account(BOB)];
  const cheap = await chain.send(await count(ALICE, { nonce: alice.nonce, fee: 1_000n }));
  const dear = await chain.send(await count(ALICE, { nonce: alice.nonce + 1, fee: 90_000n }));
  const middle = await chain.send(await count(BOB, { nonce: bob.nonce, fee: 5_000n }));
  assert.deepEqual((await chain.mine()).mined, [middle, cheap, dear]);
});

test("a sponsor's account nonces are in line with its own transactions", async () => {
  const bob = await chain.account(BOB);
  const call = await count(POOR, { sponsored: true, fee: 0n, nonce: 0n });
  const second = await chain.send(await sponsor(call, BOB, 50_000n, bob.nonce + 1));
  assert.deepEqual((await nonces(BOB)).detected_missing_nonces, [bob.nonce]);
  assert.deepEqual((await chain.mine()).mined, []);
  const first = await chain.send(await count(BOB, { nonce: bob.nonce }));
  assert.deepEqual((await chain.mine()).mined, [first, second]);
});

test("who spent the fee in the same block waits, and so does what follows", async () => {
  const { address } = POOR;
  await chain.settle(await chain.transfer(ALICE, address, 10_000n));
  const { nonce } = await chain.account(POOR);
  const most = [Cl.uint(9_000), Cl.principal(BOB.address)];
  const spend = await chain.send(await chain.call(POOR, "pay", most, { nonce, fee: 900n }));
  const broke = await chain.send(await count(POOR, { nonce: nonce + 1, fee: 900n }));
  const behind = await chain.send(await count(POOR, { nonce: nonce + 2, fee: 500n }));
  assert.deepEqual((await chain.mine()).mined, [spend]);
  assert.equal(await status(broke), "pending");
  await chain.settle(await chain.transfer(ALICE, address, 10_000n));
  await chain.mine();
  assert.deepEqual([await status(broke), await status(behind)], ["success", "success"]);
});

test("who waits for a sponsor that waits does not overtake", async () => {
  await chain.settle(await chain.transfer(ALICE, POOR.address, 10_000n));
  const [poor, bob] = [await chain.account(POOR), await chain.account(BOB)];
  const all = [Cl.uint(poor.balance - 900n), Cl.principal(ALICE.address)];
  await chain.send(await chain.call(POOR, "pay", all, { nonce: poor.nonce, fee: 900n }));
  await chain.send(await count(POOR, { nonce: poor.nonce + 1, fee: 900n }));
  const call = await count(BOB, { sponsored: true, fee: 0n, nonce: bob.nonce });
  const sponsored = await chain.send(await sponsor(call, POOR, 900n, poor.nonce + 2));
  const behind = await chain.send(await count(BOB, { nonce: bob.nonce + 1, fee: 900n }));
  assert.equal((await chain.mine()).mined.length, 1);
  assert.deepEqual([await status(sponsored), await status(behind)], ["pending", "pending"]);
  await chain.settle(await chain.transfer(ALICE, POOR.address, 10_000n));
  await chain.mine();
  assert.deepEqual([await status(sponsored), await status(behind)], ["success", "success"]);
});

test("what waits for more than 256 burn blocks is collected", async () => {
  const { nonce } = await chain.account(ALICE);
  const stuck = await chain.send(await count(ALICE, { nonce: nonce + 5 }));
  await chain.post("/test/advance", { burn_blocks: 256 });
  assert.equal(await status(stuck), "pending");
  await chain.post("/test/advance", { burn_blocks: 1 });
  assert.equal(await status(stuck), "dropped_stale_garbage_collect");
});

test("a transaction above a block's budget is dropped, its account nonce is free", async () => {
  const { nonce } = await chain.account(ALICE);
  const greedy = await chain.call(ALICE, "read", [Cl.list(Array(8).fill(Cl.uint(0)))], { nonce });
  const txid = await chain.send(greedy);
  const behind = await chain.send(await count(ALICE, { nonce: nonce + 1 }));
  assert.deepEqual((await chain.mine()).mined, []);
  assert.deepEqual([await status(txid), await status(behind)], ["dropped_too_expensive", "pending"]);
  const filler = await chain.send(await count(ALICE, { nonce }));
  assert.deepEqual((await chain.mine()).mined, [filler, behind]);
});

test("a transaction above the VM's own limit is dropped likewise", async () => {
  const txid = await chain.send(await chain.call(ALICE, "read", [Cl.list(Array(20).fill(Cl.uint(0)))]));
  await chain.mine();
  assert.equal(await status(txid), "dropped_too_expensive");
});

test("what does not fit the block any more waits for the next", async () => {
  const { nonce } = await chain.account(ALICE);
  const sent = [];
  for (let i = 0; i < 3; i += 1) {
    const thousands = [Cl.list(Array(3).fill(Cl.uint(0)))];
    sent.push(await chain.send(await chain.call(ALICE, "read", thousands, { nonce: nonce + i })));
  }
  assert.deepEqual((await chain.mine()).mined, sent.slice(0, 2));
  assert.deepEqual((await chain.mine()).mined, sent.slice(2));
});
