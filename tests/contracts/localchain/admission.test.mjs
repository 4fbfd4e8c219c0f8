/** Every reason for which a node refuses a transaction, named and filled as stacks-core does. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import {
  Cl,
  Pc,
  PostConditionMode,
  createStandardAuth,
  createCoinbasePayload,
  createSingleSigSpendingCondition,
  StacksTransactionWire,
  TransactionSigner,
  privateKeyToPublic,
  sponsorTransaction,
} from "@stacks/transactions";

import { ALICE, BOB, POOR, RICH_USTX, SHOP, person, startWithShop } from "./harness.mjs";

let chain;
before(async () => {
  chain = await startWithShop();
});
after(() => chain.stop());

const { list, tuple, uint } = Cl;
const entry = (given = {}) =>
  Cl.tuple({ id: Cl.bufferFromHex("01020304"), note: Cl.stringAscii("hello"), who: Cl.none(), ...given });

test("a refusal has stacks-core's shape", async () => {
  const call = await chain.call(ALICE, "nothing", []);
  assert.deepEqual(await chain.refusal(call), {
    txid: call.txid(), error: "transaction rejected", reason: "NoSuchPublicFunction",
  });
});

test("a transaction of mainnet is refused", async () => {
  const refusal = await chain.refusal(await chain.call(ALICE, "count", [Cl.uint(1)], { network: "mainnet" }));
  assert.equal(refusal.reason, "BadTransactionVersion");
});

test("a foreign chain id is refused", async () => {
  const call = await chain.call(ALICE, "count", [Cl.uint(1)]);
  call.chainId = 7;
  assert.equal((await chain.refusal(call)).reason, "SignatureValidation");
});

test("one flipped bit of the signature or of what is signed is refused", async () => {
  const raw = (await chain.call(ALICE, "count", [Cl.uint(1)])).serializeBytes();
  for (const at of [50, 100, raw.length - 1]) {
    const bent = Uint8Array.from(raw);
    bent[at] ^= 1;
    const { status, body } = await chain.sendBytes(bent);
    assert.equal(status, 400);
    assert.equal(body.reason, "SignatureValidation", `byte ${at}`);
  }
});

test("the sponsor's signature counts like the origin's", async () => {
  const call = await chain.call(POOR, "count", [Cl.uint(1)], { sponsored: true, fee: 0n, nonce: 0n });
  const sponsored = await sponsorTransaction({
    transaction: call, sponsorPrivateKey: BOB.key, fee: 5_000n, sponsorNonce: 0n, network: "testnet",
  });
  sponsored.auth.sponsorSpendingCondition.fee = 1n;
  const refusal = await chain.refusal(sponsored);
  assert.equal(refusal.reason, "SignatureValidation");
  assert.match(refusal.reason_data.message, /sponsor/);
});

test("less than a uSTX a byte is refused, exactly that is taken", async () => {
  const size = BigInt((await chain.call(ALICE, "count", [Cl.uint(1)])).serializeBytes().length);
  const refusal = await chain.refusal(await chain.call(ALICE, "count", [Cl.uint(1)], { fee: size - 1n }));
  assert.equal(refusal.reason, "FeeTooLow");
  assert.deepEqual(refusal.reason_data, { expected: Number(size), actual: Number(size) - 1 });
  const shown = await chain.settle(await chain.call(ALICE, "count", [Cl.uint(1)], { fee: size }));
  assert.equal(shown.tx_status, "success");
});

test("an account nonce that has passed is refused", async () => {
  const { nonce } = await chain.account(ALICE);
  const refusal = await chain.refusal(await chain.call(ALICE, "count", [Cl.uint(1)], { nonce: 0n }));
  assert.equal(refusal.reason, "BadNonce");
  assert.deepEqual(refusal.reason_data, { expected: nonce, actual: 0, principal: ALICE.address, is_origin: true });
});

test("an account nonce may be ahead by twenty-six and no more", async () => {
  const { nonce } = await chain.account(BOB);
  const last = await chain.send(await chain.call(BOB, "count", [Cl.uint(1)], { nonce: nonce + 26 }));
  await chain.post("/test/drop", { txid: last });
  const refusal = await chain.refusal(await chain.call(BOB, "count", [Cl.uint(1)], { nonce: nonce + 27 }));
  assert.equal(refusal.reason, "TooMuchChaining");
  assert.equal(refusal.reason_data.expected, nonce + 26);
  assert.equal(refusal.reason_data.actual, nonce + 27);
  assert.equal(refusal.reason_data.is_origin, true);
});

test("a sponsor's account nonce is checked as such", async () => {
  const call = await chain.call(POOR, "count", [Cl.uint(1)], { sponsored: true, fee: 0n, nonce: 0n });
  const sponsored = await sponsorTransaction({
    transaction: call, sponsorPrivateKey: BOB.key, fee: 5_000n, sponsorNonce: 90n, network: "testnet",
  });
  const refusal = await chain.refusal(sponsored);
  assert.equal(refusal.reason, "TooMuchChaining");
  assert.deepEqual([refusal.reason_data.principal, refusal.reason_data.is_origin], [BOB.address, false]);
});

test("who cannot pay the fee is refused", async () => {
  const refusal = await chain.refusal(await chain.call(POOR, "count", [Cl.uint(1)], { fee: 300n, nonce: 0n }));
  assert.equal(refusal.reason, "NotEnoughFunds");
  assert.deepEqual(refusal.reason_data, { expected: `0x${"0".repeat(29)}12c`, actual: `0x${"0".repeat(32)}` });
});

test("a transfer needs amount and fee", async () => {
  const { balance } = await chain.account(ALICE);
  const refusal = await chain.refusal(await chain.transfer(ALICE, BOB.address, balance - 19_999n));
  assert.equal(refusal.reason, "NotEnoughFunds");
});

test("a transfer to oneself and a transfer of nothing are refused", async () => {
  const self = await chain.refusal(await chain.transfer(ALICE, ALICE.address, 5n));
  assert.equal(self.reason, "TransferRecipientCannotEqualSender");
  assert.deepEqual(self.reason_data, { recipient: ALICE.address });
  const nothing = await chain.refusal(await chain.transfer(ALICE, BOB.address, 0n));
  assert.equal(nothing.reason, "TransferAmountMustBePositive");
});

test("addresses of mainnet are refused", async () => {
  const mainnet = "SP2J6ZY48GV1EZ5V2V5RB9MP66SW86PYKKNRV9EJ7";
  assert.equal((await chain.refusal(await chain.transfer(ALICE, mainnet, 5n))).reason, "BadAddressVersionByte");
  const call = await chain.call(ALICE, "count", [Cl.uint(1)], { contractAddress: mainnet });
  assert.equal((await chain.refusal(call)).reason, "BadAddressVersionByte");
});

test("unknown contracts and functions that are not public are refused", async () => {
  const stranger = await chain.call(ALICE, "count", [Cl.uint(1)], { contractName: "nowhere" });
  assert.equal((await chain.refusal(stranger)).reason, "NoSuchContract");
  for (const name of ["get-counter", "read-one"]) {
    assert.equal((await chain.refusal(await chain.call(ALICE, name, []))).reason, "NoSuchPublicFunction");
  }
});

test("a contract that exists is not deployed again", async () => {
  const refusal = await chain.refusal(await chain.deploy(ALICE, "shop", SHOP));
  assert.equal(refusal.reason, "ContractAlreadyExists");
  assert.deepEqual(refusal.reason_data, { contract_identifier: `${ALICE.address}.shop` });
});

const shop = (name = "shop") => Cl.contractPrincipal(ALICE.address, name);
const ARGUMENTS = [
  ["too few", "count", [], /expected 1 arguments, got 0/],
  ["too many", "count", [Cl.uint(1), Cl.uint(2)], /expected 1 arguments, got 2/],
  ["int for uint", "count", [Cl.int(1)], /argument by: expected uint, got int/],
  ["uint for int", "say", [Cl.stringUtf8("a"), Cl.ok(Cl.uint(1)), Cl.bool(true)], /argument reply: expected int/],
  ["no list", "submit", [entry()], /expected list, got tuple/],
  ["a list that is too long", "submit", [Cl.list([1, 2, 3, 4].map(() => entry()))], /list of length 4, at most 3/],
  [
    "a buffer too long in a list element",
    "submit",
    [Cl.list([entry(), entry({ id: Cl.bufferFromHex("0102030405") })])],
    /argument batch, element 1, field id: buffer of length 5, at most 4/,
  ],
  [
    "a string too long in a list element",
    "submit",
    [Cl.list([entry({ note: Cl.stringAscii("hello!") })])],
    /field note: string of length 6, at most 5/,
  ],
  ["utf8 for ascii", "submit", [Cl.list([entry({ note: Cl.stringUtf8("hello") })])], /expected string-ascii, got utf8/],
  ["a wrong type inside an optional", "submit", [Cl.list([entry({ who: Cl.some(Cl.uint(1)) })])], /expected principal/],
  ["no optional", "submit", [Cl.list([entry({ who: Cl.principal(ALICE.address) })])], /expected optional, got address/],
  ["a field too many", "submit", [Cl.list([entry({ extra: Cl.uint(1) })])], /expected tuple of 3 fields/],
  ["another field", "submit", [list([tuple({ ix: uint(1), note: uint(1), who: Cl.none() })])], /field id is missing/],
  ["a long utf8 string", "say", [Cl.stringUtf8("día!"), Cl.ok(Cl.int(1)), Cl.bool(true)], /length 4, at most 3/],
  ["no response", "say", [Cl.stringUtf8("día"), Cl.int(1), Cl.bool(true)], /expected response/],
  ["a wrong error type", "say", [Cl.stringUtf8("día"), Cl.error(Cl.int(1)), Cl.bool(true)], /expected bool/],
  ["no bool", "say", [Cl.stringUtf8("día"), Cl.ok(Cl.int(1)), Cl.uint(1)], /argument sure: expected bool/],
  ["no contract for a trait", "ask", [Cl.principal(ALICE.address)], /expected a contract that implements the trait/],
  ["an unknown contract for a trait", "ask", [shop("nowhere")], /no such contract/],
];

for (const [what, name, args, words] of ARGUMENTS) {
  test(`an argument of the wrong type is refused: ${what}`, async () => {
    const refusal = await chain.refusal(await chain.call(ALICE, name, args));
    assert.equal(refusal.reason, "BadFunctionArgument");
    assert.match(refusal.reason_data.message, words);
  });
}

test("arguments at the limit of their types are taken and run", async () => {
  const somebody = (principal) => entry({ who: Cl.some(principal) });
  const calls = [
    ["submit", [list([entry(), somebody(Cl.principal(BOB.address)), somebody(shop())])], "(ok u3)"],
    ["submit", [Cl.list([])], "(ok u0)"],
    ["say", [Cl.stringUtf8("día"), Cl.error(Cl.bool(false)), Cl.bool(false)], "(ok u3)"],
    ["say", [Cl.stringUtf8("👩‍🏫"), Cl.ok(Cl.int(-1)), Cl.bool(false)], "(ok u3)"],
    ["ask", [shop("friend")], "(ok u7)"],
  ];
  await chain.settle(await chain.deploy(ALICE, "friend", "(define-public (greet) (ok u7))"));
  for (const [name, args, result] of calls) {
    assert.equal((await chain.settle(await chain.call(ALICE, name, args))).tx_result.repr, result, name);
  }
});

test("post-conditions that the chain does not model are refused in words", async () => {
  const badge = Pc.principal(ALICE.address).willNotSendAsset().nft(`${ALICE.address}.shop::badge`, Cl.uint(1));
  const refusal = await chain.refusal(await chain.call(ALICE, "count", [Cl.uint(1)], { postConditions: [badge] }));
  assert.equal(refusal.reason, "ServerFailureOther");
  assert.match(refusal.reason_data.message, /does not model post-conditions of type NonFungible/);
});

test("a transfer with post-conditions is refused in words", async () => {
  const condition = Pc.principal(ALICE.address).willSendLte(9).ustx();
  const transfer = await chain.transfer(ALICE, BOB.address, 5n);
  const call = await chain.call(ALICE, "count", [Cl.uint(1)], { postConditions: [condition] });
  transfer.postConditions.values.push(...call.postConditions.values);
  const signer = new TransactionSigner(transfer);
  signer.signOrigin(ALICE.key);
  const refusal = await chain.refusal(signer.transaction);
  assert.equal(refusal.reason, "ServerFailureOther");
  assert.match(refusal.reason_data.message, /takes no post-conditions/);
});

test("a coinbase does not come by mempool", async () => {
  const { nonce } = await chain.account(ALICE);
  const condition = createSingleSigSpendingCondition(0, privateKeyToPublic(ALICE.key), nonce, 5_000);
  const coinbase = new StacksTransactionWire({
    auth: createStandardAuth(condition),
    payload: createCoinbasePayload(new Uint8Array(32)),
    postConditionMode: PostConditionMode.Deny,
    network: "testnet",
  });
  const signer = new TransactionSigner(coinbase);
  signer.signOrigin(ALICE.key);
  assert.equal((await chain.refusal(signer.transaction)).reason, "NoCoinbaseViaMempool");
});

test("nothing that was refused has cost anything", async () => {
  const { balance, nonce } = await chain.account(person(0x99));
  assert.deepEqual({ balance, nonce }, { balance: 0n, nonce: 0 });
  assert.equal((await chain.account(BOB)).balance, RICH_USTX);
});
