/** The statuses of a transaction's life, as the index shows them. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Cl, sponsorTransaction } from "@stacks/transactions";

import { ALICE, BOB, POOR, RICH_USTX, SHOP, person, startWithShop } from "./harness.mjs";

let chain;
before(async () => {
  chain = await startWithShop();
});
after(() => chain.stop());

test("a contract is deployed by a signed transaction and costs its fee", async () => {
  const { body } = await chain.get(`/v2/contracts/source/${ALICE.address}/shop`);
  assert.equal(body.source, SHOP);
  assert.equal(body.publish_height, 2);
  assert.deepEqual(await chain.account(ALICE), { balance: RICH_USTX - 20_000n, nonce: 1 });
});

test("a call waits, is mined, and is shown with its block, result, events and costs", async () => {
  const txid = await chain.send(await chain.call(ALICE, "count", [Cl.uint(3)]));
  const waiting = await chain.tx(txid);
  assert.equal(waiting.tx_status, "pending");
  assert.equal(waiting.block_height, undefined);
  const made = await chain.mine();
  assert.deepEqual(made.mined, [txid]);
  const shown = await chain.tx(txid);
  assert.equal(shown.tx_status, "success");
  assert.equal(shown.block_height, made.stacks_tip_height);
  assert.equal(shown.block_hash, `0x${made.stacks_tip}`);
  assert.equal(shown.block_time, made.block_time);
  assert.equal(shown.burn_block_height, made.burn_block_height);
  assert.equal(shown.tx_index, 0);
  assert.deepEqual(shown.tx_result, { hex: "0x070100000000000000000000000000000003", repr: "(ok u3)" });
  assert.equal(shown.contract_call.function_args[0].repr, "u3");
  const printed = `(tuple (by u3) (event "counted") (height u${made.stacks_tip_height}))`;
  assert.equal(shown.events[0].contract_log.value.repr, printed);
  assert.equal(shown.execution_cost_write_count, 2);
  assert.ok(shown.execution_cost_runtime > 0);
});

test("a response of err aborts: nothing changes but fee and account nonce", async () => {
  const before = await chain.account(BOB);
  const shown = await chain.settle(await chain.call(BOB, "refuse", [Cl.uint(1000)]));
  assert.equal(shown.tx_status, "abort_by_response");
  assert.equal(shown.tx_result.repr, "(err u42)");
  assert.deepEqual(shown.events, []);
  assert.deepEqual(await chain.account(BOB), { balance: before.balance - 20_000n, nonce: before.nonce + 1 });
});

test("a run-time error in the middle of a block aborts that transaction alone", async () => {
  const { nonce } = await chain.account(ALICE);
  const [good, bad, last] = await Promise.all([
    chain.call(ALICE, "count", [Cl.uint(4)], { nonce }),
    chain.call(ALICE, "divide", [Cl.uint(0)], { nonce: nonce + 1 }),
    chain.call(ALICE, "count", [Cl.uint(5)], { nonce: nonce + 2 }),
  ]);
  for (const transaction of [good, bad, last]) await chain.send(transaction);
  await chain.mine();
  const shown = await Promise.all([good, bad, last].map((transaction) => chain.tx(transaction.txid())));
  assert.deepEqual(shown.map(({ tx_status: status }) => status), ["success", "abort_by_response", "success"]);
  assert.deepEqual(shown.map(({ tx_index: index }) => index), [0, 1, 2]);
  assert.equal(shown[1].tx_result.repr, "(err none)");
  assert.match(shown[1].vm_error, /DivisionByZero/);
  assert.equal(shown[2].tx_result.repr, "(ok u12)");
});

test("many failing transactions in one block are each judged alone", async () => {
  const { nonce } = await chain.account(BOB);
  const sent = [];
  for (let i = 0; i < 20; i += 1) {
    const [name, argument] = i % 3 === 1 ? ["divide", 0] : ["divide", 1];
    sent.push(await chain.send(await chain.call(BOB, name, [Cl.uint(argument)], { nonce: nonce + i })));
  }
  assert.deepEqual((await chain.mine()).mined, sent);
  const statuses = await Promise.all(sent.map(async (txid) => (await chain.tx(txid)).tx_status));
  statuses.forEach((status, i) => assert.equal(status, i % 3 === 1 ? "abort_by_response" : "success"));
});

test("a contract that does not analyse aborts, and its name stays free", async () => {
  const shown = await chain.settle(await chain.deploy(BOB, "broken", "(define-public (x) (ok y))"));
  assert.equal(shown.tx_status, "abort_by_response");
  assert.match(shown.vm_error, /unresolved variable/);
  const again = await chain.settle(await chain.deploy(BOB, "broken", "(define-public (x) (ok u1))"));
  assert.equal(again.tx_status, "success");
  assert.equal(again.tx_result.repr, "(ok true)");
});

test("a contract whose last expression is an err stands", async () => {
  const shown = await chain.settle(await chain.deploy(BOB, "sulky", "(define-public (x) (err u1)) (x)"));
  assert.equal(shown.tx_status, "success");
});

test("two deployments of one name in one block: one stands, the other waits and is dropped", async () => {
  const { nonce } = await chain.account(BOB);
  const first = await chain.send(await chain.deploy(BOB, "twin", "(define-public (x) (ok u1))", { nonce }));
  const second = await chain.send(await chain.deploy(BOB, "twin", "(define-public (x) (ok u2))", { nonce: nonce + 1 }));
  await chain.mine();
  assert.equal((await chain.tx(first)).tx_status, "success");
  assert.equal((await chain.tx(second)).tx_status, "pending");
  await chain.mine();
  assert.equal((await chain.tx(second)).tx_status, "dropped_problematic");
  const { body } = await chain.get(`/v2/contracts/source/${BOB.address}/twin`);
  assert.equal(body.source, "(define-public (x) (ok u1))");
});

test("a skipped transaction behind one that waits, waits too", async () => {
  const { nonce } = await chain.account(BOB);
  const source = "(define-public (x) (ok u1))";
  const given = await Promise.all([0, 1].map((ahead) => chain.deploy(BOB, "pair", source, { nonce: nonce + ahead })));
  const [first, second] = await Promise.all(given.map((transaction) => chain.send(transaction)));
  const behind = await chain.send(await chain.call(BOB, "count", [Cl.uint(1)], { nonce: nonce + 2 }));
  await chain.post("/test/skip", { txid: behind });
  assert.deepEqual((await chain.mine()).mined, [first]);
  await chain.mine();
  assert.equal((await chain.tx(second)).tx_status, "dropped_problematic");
  assert.equal((await chain.tx(behind)).tx_status, "pending");
  await chain.post("/test/drop", { txid: behind });
});

test("an STX transfer moves its amount, and its memo is shown", async () => {
  const { address } = person(0x51);
  const shown = await chain.settle(await chain.transfer(ALICE, address, 12_345n, { memo: "lesson" }));
  assert.equal(shown.tx_type, "token_transfer");
  assert.equal(shown.token_transfer.amount, "12345");
  assert.equal(Buffer.from(shown.token_transfer.memo.slice(2, 14), "hex").toString(), "lesson");
  assert.equal(shown.events[0].asset.recipient, address);
  assert.deepEqual(await chain.account({ address }), { balance: 12_345n, nonce: 0 });
});

test("a sponsored transaction moves both account nonces and charges the sponsor", async () => {
  const [poor, sponsor] = [await chain.account(POOR), await chain.account(BOB)];
  const call = await chain.call(POOR, "count", [Cl.uint(6)], { sponsored: true, fee: 0n, nonce: 0n });
  const signed = await sponsorTransaction({
    transaction: call, sponsorPrivateKey: BOB.key, fee: 5_000n, sponsorNonce: BigInt(sponsor.nonce), network: "testnet",
  });
  const shown = await chain.settle(signed);
  assert.equal(shown.tx_status, "success");
  assert.equal(shown.sponsored, true);
  assert.equal(shown.sponsor_address, BOB.address);
  assert.deepEqual(await chain.account(POOR), { balance: poor.balance, nonce: 1 });
  assert.deepEqual(await chain.account(BOB), { balance: sponsor.balance - 5_000n, nonce: sponsor.nonce + 1 });
});
