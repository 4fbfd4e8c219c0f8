/** Post-conditions, both ways: what holds goes through, what does not costs its fee and changes nothing. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Cl, Pc } from "@stacks/transactions";

import { ALICE, BOB, startWithShop } from "./harness.mjs";

let chain;
let contract;
before(async () => {
  chain = await startWithShop();
  contract = `${ALICE.address}.shop`;
  for (const [name, args] of [["mint", [Cl.uint(100)]], ["award", [Cl.uint(1)]]]) {
    assert.equal((await chain.settle(await chain.call(ALICE, name, args))).tx_status, "success");
  }
  await chain.settle(await chain.transfer(BOB, contract, 1_000_000n));
});
after(() => chain.stop());

const pay = [Cl.uint(500), Cl.principal(BOB.address)];
const give = [Cl.uint(10), Cl.principal(BOB.address)];
const alice = () => Pc.principal(ALICE.address);
const shop = () => Pc.principal(contract);
const coin = () => [contract, "coin"];

/** name, call, arguments, post-conditions, mode, whether they hold */
const CASES = [
  ["STX exactly", "pay", pay, () => [alice().willSendEq(500).ustx()], "deny", true],
  ["STX exactly, another sum", "pay", pay, () => [alice().willSendEq(499).ustx()], "deny", false],
  ["STX at most", "pay", pay, () => [alice().willSendLte(500).ustx()], "deny", true],
  ["STX at most, less", "pay", pay, () => [alice().willSendLte(499).ustx()], "deny", false],
  ["STX less than", "pay", pay, () => [alice().willSendLt(500).ustx()], "deny", false],
  ["STX at least", "pay", pay, () => [alice().willSendGte(500).ustx()], "deny", true],
  ["STX more than", "pay", pay, () => [alice().willSendGt(500).ustx()], "deny", false],
  ["the origin by its own name", "pay", pay, () => [Pc.origin().willSendEq(500).ustx()], "deny", true],
  ["nothing named in deny mode", "pay", pay, () => [], "deny", false],
  ["nothing named in allow mode", "pay", pay, () => [], "allow", true],
  ["a condition that fails in allow mode", "pay", pay, () => [alice().willSendEq(1).ustx()], "allow", false],
  ["nothing moves in deny mode", "count", [Cl.uint(1)], () => [], "deny", true],
  ["a condition on what does not move", "count", [Cl.uint(1)], () => [alice().willSendGte(1).ustx()], "deny", false],
  ["tokens at most", "give", give, () => [alice().willSendLte(10).ft(...coin())], "deny", true],
  ["tokens at most, less", "give", give, () => [alice().willSendLte(9).ft(...coin())], "deny", false],
  ["tokens where STX is named", "give", give, () => [alice().willSendLte(10).ustx()], "deny", false],
  ["burnt STX count as sent", "destroy", [Cl.uint(3)], () => [alice().willSendEq(3).ustx()], "deny", true],
  ["burnt STX that nothing names", "destroy", [Cl.uint(3)], () => [], "deny", false],
  ["burnt tokens count as sent", "burn", [Cl.uint(3)], () => [alice().willSendEq(3).ft(...coin())], "deny", true],
  ["burnt tokens that nothing names", "burn", [Cl.uint(3)], () => [], "deny", false],
  ["minted tokens are nobody's loss", "mint", [Cl.uint(3)], () => [], "deny", true],
  ["what a contract sends", "refund", [Cl.uint(7)], () => [shop().willSendEq(7).ustx()], "deny", true],
  ["what a contract sends, less", "refund", [Cl.uint(7)], () => [shop().willSendLte(6).ustx()], "deny", false],
  ["a contract that nothing names", "refund", [Cl.uint(7)], () => [], "deny", false],
  ["a contract that nothing names, in originator mode", "refund", [Cl.uint(7)], () => [], "originator", true],
  ["the origin that nothing names, in originator mode", "pay", pay, () => [], "originator", false],
  ["a badge that nothing names", "hand-over", [Cl.uint(1), Cl.principal(BOB.address)], () => [], "deny", false],
  ["a badge in allow mode", "hand-over", [Cl.uint(1), Cl.principal(BOB.address)], () => [], "allow", true],
];

for (const [what, name, args, conditions, mode, holds] of CASES) {
  test(`${what}: ${holds ? "goes through" : "is aborted"}`, async () => {
    const before = [await chain.account(ALICE), await chain.account(BOB), (await chain.read("get-counter")).result];
    const call = await chain.call(ALICE, name, args, { postConditions: conditions(), postConditionMode: mode });
    const shown = await chain.settle(call);
    assert.equal(shown.tx_status, holds ? "success" : "abort_by_post_condition", shown.vm_error);
    assert.equal(shown.post_condition_mode, mode);
    assert.match(shown.tx_result.repr, /^\(ok /);
    if (holds) return;
    assert.deepEqual(shown.events, []);
    assert.match(shown.vm_error, /moved \d+/);
    const [alice, bob, counter] = before;
    assert.deepEqual(await chain.account(ALICE), { balance: alice.balance - 20_000n, nonce: alice.nonce + 1 });
    assert.deepEqual(await chain.account(BOB), bob);
    assert.equal((await chain.read("get-counter")).result, counter);
  });
}

test("one that is aborted leaves its neighbours in the block as they are", async () => {
  const { nonce } = await chain.account(ALICE);
  const conditions = [500, 1, 500].map((ustx) => [alice().willSendEq(ustx).ustx()]);
  const bob = await chain.account(BOB);
  const sent = [];
  for (const [i, postConditions] of conditions.entries()) {
    const given = { postConditions, postConditionMode: "deny", nonce: nonce + i };
    sent.push(await chain.send(await chain.call(ALICE, "pay", pay, given)));
  }
  await chain.mine();
  const statuses = await Promise.all(sent.map(async (txid) => (await chain.tx(txid)).tx_status));
  assert.deepEqual(statuses, ["success", "abort_by_post_condition", "success"]);
  assert.equal((await chain.account(BOB)).balance, bob.balance + 1_000n);
});
