// The gateway computes the ids and recovers the authors of statements that another implementation signed.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Cl } from "@stacks/transactions";
import { item, sha256, statementTuple } from "./lib/action.mjs";
import { bootMesh, code } from "./lib/mesh.mjs";
import { CAMPAIGN } from "./lib/random.mjs";

const VECTORS = new URL("../vectors/", import.meta.url);
const read = (name) => JSON.parse(readFileSync(new URL(name, VECTORS), "utf8")).cases;
const isTestnet = ({ network }) => network === "testnet";
const NOBODY = [code("action-gateway/CODE-SIGNATURE"), code("action-gateway/CODE-AUTHOR")];

/** Each names a mesh of its own, and a mesh takes a while to deploy: one in three, and all of them in the long form. */
const chosen = read("statements.json").filter(isTestnet).filter((_, index) => CAMPAIGN > 1 || index % 3 === 0);

for (const one of chosen) {
  test(`statement ${one.id.slice(0, 16)} has the same id and author on the chain`, async () => {
    const mesh = await bootMesh({ deployer: one.mesh.split(".")[0] });
    assert.equal(mesh.read("action-gateway", "get-domain"), sha256(Buffer.from(one.domain_bytes, "hex")));
    const tuple = statementTuple(one.statement);
    assert.equal(Cl.serialize(tuple), one.clarity_bytes);
    assert.equal(mesh.read("action-gateway", "get-id", [tuple]), one.id);
    const [result] = mesh.submitItems([item(tuple, one.signature_rsv)]).ok;
    assert.equal(result.id, one.id);
    assert.ok(!NOBODY.includes(result.code), `u${result.code}`);
  });
}

test("the gateway takes the argument bytes that transactions carry", async () => {
  const mesh = await bootMesh();
  const calls = read("transactions.json").filter((one) => one.function === "submit-batch" && isTestnet(one));
  assert.ok(calls.length > 0);
  for (const { args_hex: [argument], batch } of calls) {
    const { ok } = mesh.run("action-gateway", "submit-batch", [Cl.deserialize(argument)]);
    assert.equal(ok.length, batch.length);
  }
});
