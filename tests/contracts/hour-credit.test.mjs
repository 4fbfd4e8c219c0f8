// The community's hours: minted within a cap, moved through the vault only, unless the owner opens the token.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Cl } from "@stacks/transactions";
import { person } from "./lib/action.mjs";
import { bootMesh, code } from "./lib/mesh.mjs";

const HOLDER = person("holder").address;
const NGO = person("ngo").address;
const err = (name) => ({ err: code(`hour-credit/ERR-${name}`) });
let mesh;
const token = (method, args, sender) => mesh.call("hour-credit", method, args, sender);
const send = (amount, from, to, sender = from) => token("transfer", [amount, from, to, null], sender);

beforeEach(async () => {
  mesh = await bootMesh();
  token("mint", [500n, HOLDER]);
});

test("it answers as SIP-010 asks", () => {
  const read = (method, args) => mesh.read("hour-credit", method, args);
  assert.deepEqual([read("get-name"), read("get-symbol"), read("get-decimals"), read("get-token-uri")],
    [{ ok: "Hour credit" }, { ok: "HOUR" }, { ok: 2n }, { ok: null }]);
  assert.deepEqual([read("get-balance", [HOLDER]), read("get-total-supply")], [{ ok: 500n }, { ok: 500n }]);
});

test("a holder cannot hand hours to anybody, the vault included, by a plain transfer", () => {
  for (const to of [NGO, `${mesh.deployer}.payment-escrow`]) {
    assert.deepEqual(send(1n, HOLDER, to), err("CLOSED"));
  }
});

test("hours pass into and out of the vault", () => {
  assert.deepEqual(mesh.call("payment-escrow", "deposit-ft", [mesh.hours, 500n], HOLDER), { ok: true });
  assert.equal(mesh.wallet(HOLDER, mesh.hours), 0n);
  assert.equal(mesh.wallet(`${mesh.deployer}.payment-escrow`, mesh.hours), 500n);
});

test("an opened token moves by its holder's word and nobody else's", () => {
  assert.deepEqual(token("set-open", [true], HOLDER), err("NOT-OWNER"));
  assert.deepEqual(token("set-open", [true]), { ok: true });
  assert.equal(mesh.read("hour-credit", "is-open"), true);
  assert.deepEqual(send(100n, HOLDER, NGO), { ok: true });
  assert.deepEqual(send(1n, HOLDER, NGO, NGO), err("NOT-SENDER"));
  mesh.deploy("lure", `(define-public (take) (contract-call? .hour-credit transfer u1 tx-sender '${NGO} none))`);
  assert.deepEqual(mesh.call("lure", "take", [], HOLDER), err("NOT-SENDER"));
  assert.deepEqual(send(401n, HOLDER, NGO), err("AMOUNT"));
  assert.deepEqual(send(0n, HOLDER, NGO), err("AMOUNT"));
});

test("a minter mints within its cap, which burning does not renew", () => {
  assert.deepEqual(token("set-minter", [NGO, 100n], NGO), err("NOT-OWNER"));
  assert.deepEqual(token("mint", [1n, NGO], NGO), err("NOT-MINTER"));
  assert.deepEqual(token("set-minter", [NGO, 100n]), { ok: true });
  assert.deepEqual(token("mint", [101n, NGO], NGO), err("CAP"));
  assert.deepEqual(token("mint", [0n, NGO], NGO), err("AMOUNT"));
  assert.deepEqual(token("mint", [60n, NGO], NGO), { ok: true });
  assert.deepEqual(token("burn", [60n], NGO), { ok: true });
  assert.equal(mesh.read("hour-credit", "get-mint-cap", [NGO]), 40n);
  assert.deepEqual(mesh.read("hour-credit", "get-total-supply"), { ok: 500n });
  assert.deepEqual([token("mint", [40n, NGO], NGO), token("mint", [1n, NGO], NGO)], [{ ok: true }, err("CAP")]);
});

test("even the vault moves nobody's hours but those of who signed", () => {
  mesh.call("access", "set-role", [Cl.stringAscii("vault"), NGO, true]);
  assert.deepEqual(send(1n, HOLDER, NGO, NGO), err("NOT-SENDER"));
});

test("a minter burns only what it holds, and a holder burns nothing", () => {
  assert.deepEqual(token("burn", [1n], HOLDER), err("NOT-MINTER"));
  assert.deepEqual(token("burn", [1n]), err("AMOUNT"));
});
