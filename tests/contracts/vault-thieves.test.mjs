// Tokens and contracts that try to get at the vault while it is speaking to them.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Cl } from "@stacks/transactions";
import { person } from "./lib/action.mjs";
import { STX } from "./lib/mesh.mjs";
import { checkMoney, errorsOf, grant, idOf, PROTOCOL } from "./lib/money.mjs";
import { maybe } from "./lib/values.mjs";
import { AMINA, bootVillage, TOMAS, withdraw } from "./lib/village.mjs";

const OK = { ok: true };
const TRANSFER = errorsOf("payment-escrow")("TRANSFER");
const MALLORY = person("mallory");
/** An honest token but for `what`, which its transfer does once the coins have moved. */
const thief = (what) => `
  (impl-trait .sip-010-trait.sip-010-trait)
  (define-fungible-token coin)
  (define-public (mint (amount uint) (to principal)) (ft-mint? coin amount to))
  (define-data-var bad bool false)
  (define-public (turn (to bool)) (ok (var-set bad to)))
  (define-private (steal) ${what})
  (define-public (transfer (amount uint) (sender principal) (recipient principal) (memo (optional (buff 34))))
    (begin
      (asserts! (is-eq memo none) (err u1))
      (unwrap! (ft-transfer? coin amount sender recipient) (err u2))
      (if (var-get bad) (steal) (ok true))))
  (define-read-only (get-name) (ok "Coin"))
  (define-read-only (get-symbol) (ok "COIN"))
  (define-read-only (get-decimals) (ok u0))
  (define-read-only (get-balance (who principal)) (ok (ft-get-balance coin who)))
  (define-read-only (get-total-supply) (ok (ft-get-supply coin)))
  (define-read-only (get-token-uri) (ok none))`;
let mesh;
const vault = (method, args, by = MALLORY.address) => mesh.call("payment-escrow", method, args, by);

/** Admit a token that does `what`; Mallory holds 1,000 of its coins, and 500 of them are in the vault. */
function admit(what, name = "thief") {
  mesh.deploy(name, thief(what));
  const token = `${mesh.deployer}.${name}`;
  mesh.call("access", "set-asset", [maybe(token), Cl.stringAscii("coin"), true]);
  mesh.call(name, "mint", [1000n, MALLORY.address]);
  assert.deepEqual(vault("deposit-ft", [token, 500n]), OK);
  mesh.call(name, "turn", [true]);
  return token;
}

beforeEach(async () => {
  mesh = await bootVillage();
  mesh.fund(MALLORY.address);
  mesh.call("user-registry", "register", [idOf("mallory"), 1n, null], MALLORY.address);
  vault("deposit", [100n]);
});
/** Everything that Mallory could have gained: in the vault and in the wallet, in every asset. */
const riches = (token) => [STX, mesh.hours, token].flatMap((asset) =>
  [mesh.balance(MALLORY.address, asset).free, mesh.wallet(MALLORY.address, asset)]);
const check = (token) =>
  checkMoney(mesh, { persons: [AMINA, TOMAS, MALLORY], assets: [STX, mesh.hours, token] });

test("a token that reaches for the vault while the vault pays it out gets nothing, and nothing is paid", () => {
  admit("(ok true)", "trusting");
  const ways = [
    `(contract-call? .trusting transfer u100 tx-sender '${MALLORY.address} none)`,
    "(contract-call? .payment-escrow withdraw u100 (some tx-sender))",
    "(contract-call? .payment-escrow deposit-for contract-caller u1)",
    "(contract-call? .payment-escrow lock 0x00 contract-caller none u1)",
    "(contract-call? .payment-escrow release 0x00 contract-caller)",
    "(contract-call? .hour-credit transfer u100 .payment-escrow contract-caller none)",
    "(stx-transfer? u100 tx-sender current-contract)",
    "(as-contract? ((with-all-assets-unsafe)) (try! (stx-transfer? u100 .payment-escrow tx-sender)) true)",
    "(ft-transfer? coin u1 .payment-escrow current-contract)",
    "(ft-burn? coin u1 .payment-escrow)",
  ];
  for (const [i, what] of ways.entries()) {
    const token = admit(what, `thief-${i}`);
    const before = riches(token);
    assert.deepEqual(vault("withdraw-ft", [token, 100n, null]), TRANSFER, what);
    const signed = withdraw(mesh, MALLORY, 100n, { asset: token });
    assert.deepEqual(mesh.submit([signed], { token }), [TRANSFER.err], what);
    assert.deepEqual(riches(token), before, what);
    check(token);
  }
});

test("a token that calls the function it was called from aborts alone", () => {
  const token = admit("(contract-call? .payment-escrow withdraw-ft .hour-credit u100 none)");
  const before = riches(token);
  assert.throws(() => vault("withdraw-ft", [token, 100n, null]), /CircularReference/);
  assert.deepEqual(riches(token), before);
  assert.deepEqual(vault("withdraw", [100n, null]), OK, "other money leaves as ever");
  check(token);
});

test("a token that takes back what it paid in is credited with what stayed", () => {
  const token = admit("(ft-transfer? coin u40 .payment-escrow tx-sender)");
  assert.deepEqual(vault("deposit-ft", [token, 100n]), OK);
  assert.equal(mesh.balance(MALLORY.address, token).free, 560n);
  check(token);
});

test("a token that pays a third person out of the wallet of who deposits is refused", () => {
  const token = admit(`(ft-transfer? coin u1 tx-sender '${TOMAS.address})`);
  assert.deepEqual(vault("deposit-ft", [token, 100n]), TRANSFER);
  const hours = admit("(contract-call? .hour-credit transfer u1 tx-sender .payment-escrow none)", "second");
  assert.deepEqual(vault("deposit-ft", [hours, 100n]), TRANSFER);
  check(token);
});

test("a token gone bad spoils its own pools and earmarks, and no others", () => {
  grant(mesh, "locker");
  const token = admit("(err u3)");
  const pool = [idOf("pool"), MALLORY.address];
  assert.deepEqual(mesh.call("payment-escrow", "lock", [...pool, maybe(token), 500n], PROTOCOL), OK);
  assert.deepEqual(mesh.call("payment-escrow", "release", [pool[0], AMINA.address], PROTOCOL), OK);
  assert.deepEqual(vault("withdraw-ft", [token, 500n, null], AMINA.address), TRANSFER);
  assert.deepEqual(vault("withdraw-ft", [mesh.hours, 1000n, null], AMINA.address), OK);
  assert.deepEqual(vault("withdraw", [1000n, null], AMINA.address), OK);
  check(token);
});
