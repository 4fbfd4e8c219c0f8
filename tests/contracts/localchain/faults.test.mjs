/** The faults that a test may ask for. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Cl } from "@stacks/transactions";

import { ALICE, BOB, startWithShop } from "./harness.mjs";

let chain;
before(async () => {
  chain = await startWithShop();
});
after(() => chain.stop());

const POST = "POST /v2/transactions";
const fault = (rule) => chain.post("/test/faults", rule);
const count = (given = {}) => chain.call(ALICE, "count", [Cl.uint(1)], given);

test("the next transactions are refused with the reason of our choice", async () => {
  await fault({ on: POST, do: "reject", reason: "ServerFailureDatabase", reason_data: { message: "full" }, times: 2 });
  const call = await count();
  for (let i = 0; i < 2; i += 1) {
    const refusal = await chain.refusal(call);
    assert.deepEqual([refusal.reason, refusal.reason_data], ["ServerFailureDatabase", { message: "full" }]);
  }
  assert.equal(await chain.send(call), call.txid());
  await chain.mine();
});

test("a route answers with a status and says when to come again", async () => {
  await fault({ on: "GET /v2/info", do: "status", status: 429, retry_after: 7 });
  const answer = await chain.get("/v2/info");
  assert.deepEqual([answer.status, answer.headers.get("retry-after")], [429, "7"]);
  assert.equal((await chain.get("/v2/info")).status, 200);
});

test("an answer comes late", async () => {
  await fault({ on: "GET /v2/info", do: "delay", ms: 150 });
  const started = performance.now();
  assert.equal((await chain.get("/v2/info")).status, 200);
  assert.ok(performance.now() - started >= 145);
});

test("a transaction is taken although its answer is lost", async () => {
  await fault({ on: POST, do: "lose" });
  const call = await count();
  await assert.rejects(chain.send(call));
  assert.equal((await chain.tx(call.txid())).tx_status, "pending");
  await chain.mine();
  assert.equal((await chain.tx(call.txid())).tx_status, "success");
});

test("a transaction never arrives when the line closes first", async () => {
  await fault({ on: POST, do: "close" });
  const call = await count();
  await assert.rejects(chain.send(call));
  assert.equal((await chain.get(`/extended/v1/tx/${call.txid()}`)).status, 404);
});

for (const status of ["dropped_replace_across_fork", "dropped_too_expensive", "dropped_problematic"]) {
  test(`a waiting transaction is dropped as ${status} and may come again`, async () => {
    const call = await count();
    const txid = await chain.send(call);
    assert.equal((await chain.post("/test/drop", { txid, status })).status, 200);
    assert.equal((await chain.tx(txid)).tx_status, status);
    assert.equal(await chain.send(call), txid);
    await chain.mine();
    assert.equal((await chain.tx(txid)).tx_status, "success");
  });
}

test("a skipped transaction pays, uses its account nonce and does nothing", async () => {
  const [before, counter] = [await chain.account(ALICE), (await chain.read("get-counter")).result];
  const txid = await chain.send(await count());
  await chain.post("/test/skip", { txid });
  await chain.mine();
  const shown = await chain.tx(txid);
  assert.equal(shown.tx_status, "problematic_skipped");
  assert.ok(shown.block_height > 0);
  assert.deepEqual(await chain.account(ALICE), { balance: before.balance - 20_000n, nonce: before.nonce + 1 });
  assert.equal((await chain.read("get-counter")).result, counter);
});

test("faults that make no sense are refused in words", async () => {
  const bad = [
    [{ do: "lose" }, /"on" is/],
    [{ on: POST, do: "explode" }, /"do" is one of/],
    [{ on: POST, do: "reject" }, /lacks a field/],
    [{ on: POST, do: "delay", ms: 1e9 }, /out of range/],
    [{ on: POST, do: "lose", times: 0 }, /"times"/],
    [{ on: POST, do: "toString" }, /"do" is one of/],
  ];
  for (const [rule, words] of bad) {
    const { status, body } = await fault(rule);
    assert.equal(status, 400);
    assert.match(body, words);
  }
  assert.match((await fault(Array(101).fill({ on: POST, do: "lose" }))).body, /at most 100/);
  await fault({ clear: true });
  assert.deepEqual((await chain.get("/test/faults")).body, []);
});

test("only what waits can be dropped or skipped", async () => {
  const txid = "00".repeat(32);
  assert.equal((await chain.post("/test/drop", { txid })).status, 404);
  assert.equal((await chain.post("/test/skip", { txid })).status, 404);
  assert.match((await chain.post("/test/drop", { txid, status: "success" })).body, /status is one of/);
  assert.ok((await chain.account(BOB)).balance > 0n);
});
