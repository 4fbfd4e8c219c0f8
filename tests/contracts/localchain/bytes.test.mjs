/** Whatever bytes come in at whatever door, the chain answers and goes on. */

import assert from "node:assert/strict";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import { after, before, test } from "node:test";

import { Cl } from "@stacks/transactions";

import { decode, verifySignatures } from "../../../contracts/localchain/transaction.mjs";
import { ALICE, startWithShop } from "./harness.mjs";

let chain;
let good;
before(async () => {
  chain = await startWithShop();
  const batch = Cl.list([Cl.tuple({ id: Cl.bufferFromHex("01"), note: Cl.stringAscii("a"), who: Cl.none() })]);
  good = Buffer.from((await chain.call(ALICE, "submit", [batch], { nonce: 1n })).serializeBytes());
});
after(() => chain.stop());

/** A repeatable source of numbers below `n` (a linear congruential generator, Numerical Recipes). */
function dice(seed) {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

const nested = (depth) => Buffer.concat([Buffer.alloc(depth, 0x0a), Buffer.from(`01${"00".repeat(16)}`, "hex")]);
const HOSTILE = [
  Buffer.alloc(0),
  Buffer.from([0]),
  Buffer.alloc(10_000, 0xff),
  Buffer.alloc(10_000, 0x0a),
  nested(200_000),
  Buffer.from("0bffffffff", "hex"),
  Buffer.from("0cffffffff", "hex"),
  Buffer.from("0effffffff41", "hex"),
  Buffer.from("{", "utf8"),
  Buffer.from("null", "utf8"),
  Buffer.from("[]", "utf8"),
  Buffer.from('{"tx":5}', "utf8"),
  Buffer.from('{"tx":"0x"}', "utf8"),
  Buffer.from('{"tx":"zz","arguments":"x","sender":5,"transaction_payload":[]}', "utf8"),
  Buffer.from('{"sender":"ST1","arguments":[]}', "utf8"),
  Buffer.from(`{"sender":"${"S".repeat(5_000)}","arguments":[]}`, "utf8"),
  Buffer.from('{"blocks":-1,"burn_blocks":1e99,"seconds":"x","txid":{},"status":[],"on":1,"do":2}', "utf8"),
  Buffer.from('{"__proto__":{"x":1},"constructor":5}', "utf8"),
];

const DOORS = [
  ["POST", "/v2/transactions"],
  ["POST", "/v2/fees/transaction"],
  ["POST", `/v2/contracts/call-read/${ALICE.address}/shop/get-seen`],
  ["POST", "/v2/contracts/call-read/x/y/z"],
  ["POST", "/test/advance"],
  ["POST", "/test/fork"],
  ["POST", "/test/drop"],
  ["POST", "/test/skip"],
  ["POST", "/test/faults"],
];

for (const [method, door] of DOORS) {
  test(`${method} ${door} answers hostile bodies with a refusal`, async () => {
    for (const body of HOSTILE) {
      for (const type of ["application/octet-stream", "application/json", "text/html", ""]) {
        const { status } = await chain.request(method, door, body, type);
        assert.ok(status < 500, `${status} for ${body.subarray(0, 40)} as ${type}`);
      }
    }
  });
}

test("hostile paths are answered with a refusal", async () => {
  const paths = [
    "/", "//", "/v2", "/v2/accounts/", "/v2/accounts/x", "/v2/accounts/%00", "/v2/accounts/%ff", "/v2/accounts/ST1.x.y",
    `/v2/accounts/${ALICE.address}.`, `/v2/accounts/${ALICE.address})(`,
    "/v2/accounts/SP2J6ZY48GV1EZ5V2V5RB9MP66SW86PYKKNRV9EJ7",
    "/extended/v1/tx/", "/extended/v1/tx/xyz", `/extended/v1/tx/${"0".repeat(64)}`, "/extended/v1/address/x/nonces",
    "/v2/contracts/interface/x/y", `/v2/contracts/source/${ALICE.address}/nowhere`,
    "/v2/contracts/source/__proto__/x", "/test/none",
  ];
  for (const path of paths) {
    const { status } = await chain.get(path);
    assert.ok(status >= 400 && status < 500, `${status} for ${path}`);
  }
});

test("a transaction with any byte changed, cut or added is refused or is another transaction", async () => {
  const roll = dice(7);
  for (let i = 0; i < 400; i += 1) {
    const bent = Buffer.from(good);
    const at = roll(bent.length);
    bent[at] ^= 1 + roll(255);
    const pieces = [bent, bent.subarray(0, at), Buffer.concat([bent, good.subarray(at)])][roll(3)];
    const { status } = await chain.sendBytes(pieces);
    assert.equal(status, 400, pieces.toString("hex"));
  }
  const longer = await chain.sendBytes(Buffer.concat([good, Buffer.from([0])]));
  assert.equal(longer.status, 400);
  assert.equal(longer.body, "Failed to deserialize posted transaction: the bytes are not canonical");
  assert.equal((await chain.sendBytes(good)).status, 200);
});

test("a body that is too long is refused", async () => {
  const { status } = await chain.sendBytes(Buffer.alloc(3 * 1024 * 1024));
  assert.equal(status, 400);
  const answer = await new Promise((resolve) => {
    const request = http.request(`${chain.url}/v2/transactions`, { method: "POST" }, (r) => resolve(r.statusCode));
    request.on("error", () => resolve("closed"));
    request.end(Buffer.alloc(6 * 1024 * 1024));
  });
  assert.ok(answer === 413 || answer === "closed", String(answer));
});

test("what is not HTTP, and who hangs up, does no harm", async () => {
  const { port } = chain.ready;
  for (const bytes of ["\0\0\0\0\r\n\r\n", "POST /v2/transactions HTTP/1.1\r\ncontent-length: 50\r\n\r\nabc"]) {
    await new Promise((resolve) => {
      const socket = net.connect(port, "127.0.0.1", () => {
        socket.write(bytes);
        setTimeout(() => socket.destroy(), 20);
      });
      socket.on("close", resolve).on("error", () => {});
    });
  }
  assert.equal((await chain.get("/v2/info")).status, 200);
});

test("a read-only call answers with a value, a cause, and never with a write", async () => {
  const seen = await chain.read("get-seen", ["0x0100000000000000000000000000000009"]);
  assert.deepEqual(seen, { okay: true, result: "0x09" });
  assert.match((await chain.read("fail", ["0x0100000000000000000000000000000000"])).cause, /DivisionByZero/);
  assert.equal((await chain.read("count", ["0x0100000000000000000000000000000001"])).cause, "NotReadOnly");
  assert.match((await chain.read("get-seen", [])).cause, /expected 1 arguments/);
  assert.match((await chain.read("nothing")).cause, /UndefinedFunction/);
});

test("fees are estimated from the length", async () => {
  const payload = decode(good).wire.payload;
  const { serializePayload } = await import("@stacks/transactions");
  const body = { transaction_payload: `0x${serializePayload(payload)}`, estimated_len: 250 };
  const { estimations } = (await chain.post("/v2/fees/transaction", body)).body;
  assert.deepEqual(estimations.map(({ fee }) => fee), [250, 500, 1000]);
});

const VECTORS = new URL("../../vectors/transactions.json", import.meta.url);
test("transactions of another implementation decode to their ids, origins and nonces, and are signed", () => {
  const { cases } = JSON.parse(fs.readFileSync(VECTORS, "utf8"));
  assert.ok(cases.length >= 40);
  for (const { raw, txid, origin, nonce, network } of cases) {
    const transaction = decode(Buffer.from(raw.replace(/^0x/, ""), "hex"));
    assert.equal(transaction.txid, txid.replace(/^0x/, ""));
    assert.equal(transaction.originNonce, BigInt(nonce));
    if (network === "testnet") assert.equal(transaction.origin, origin);
    verifySignatures(transaction);
  }
});
