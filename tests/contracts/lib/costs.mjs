// What every kind costs on the VM, and the two places that say so: contracts/costs.json and the table in the README.
// Run as a program it measures whole batches and writes both.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { person } from "./action.mjs";
import { play, SCENES, Stage } from "./catalogue.mjs";
import { AMINA, register, withdraw } from "./village.mjs";

export const BATCH = 50;
export const TABLE = new URL("../../../contracts/costs.json", import.meta.url);
export const README = new URL("../../../contracts/README.md", import.meta.url);
/** What a tenure on mainnet may cost; a miner gives one block a quarter of what is left (SIP-034, "block budget"). */
export const TENURE = {
  runtime: 5_000_000_000, reads: 30_000, writes: 15_000, read_bytes: 100_000_000, write_bytes: 15_000_000,
};
const VM_NAMES = { runtime: "runtime", reads: "readCount", writes: "writeCount", read_bytes: "readLength",
  write_bytes: "writeLength" };
const ALL_SCOPES = 65_535n;
/** Kinds that a key with a cap may not say. */
const UNCAPPED = ["dispute-accept"];
const MEDDLER = person("costs meddler");
const CAPPED = person("costs capped key");

const costsBy = (costs) =>
  Object.fromEntries(Object.entries(VM_NAMES).map(([name, of]) => [name, costs[of]]));

/** What a batch of actions costs, all of which must be done. */
function costsOf(stage, actions, token = null) {
  const { costs, ok } = stage.mesh.submitItems(actions.map(({ item }) => item), { token });
  assert.deepEqual(ok.map((one) => one.code), actions.map(() => 0n), `${actions[0]?.fields.action} is done`);
  return costsBy(costs);
}

/** What `BATCH` such actions cost together, reckoned from a smaller batch and an empty one. */
const scaled = (costs, count, empty) => Object.fromEntries(Object.entries(costs).map(([name, total]) =>
  [name, Math.round(((total - empty[name]) * BATCH) / count + empty[name])]));

/** A key of Amina that may do everything, under a cap: what it spends is drawn from that, at the price of a write. */
function addCappedKey(stage) {
  const { "keys-head": previous } = stage.mesh.read("user-registry", "get-person", [AMINA.address]);
  const [add] = stage.done([stage.sign(AMINA, "key-add",
    { subject: previous, who: CAPPED.address, bits: ALL_SCOPES, amount: 10n ** 12n })]);
  stage.done([stage.sign(CAPPED, "key-accept", { subject: add.id })]);
}

/** The dearest form of good actions: by a capped key where Amina spends, and "withdrawn" by a stranger beforehand. */
function dearest(stage, actions) {
  const mayCap = ({ signer, fields: { action, asset } }) =>
    signer.address === AMINA.address && asset === null && !UNCAPPED.includes(action);
  const dear = actions.map((one) => (mayCap(one)
    ? stage.mesh.action(CAPPED, { ...one.fields, author: CAPPED.address }) : one));
  stage.done(dear.map(({ id }) => stage.sign(MEDDLER, "action-void", { subject: id })));
  return dear;
}

/** { usual, worst }: scene -> what a batch of fifty costs, measured over `count` actions of each. */
export async function measure(count) {
  const stage = await Stage.boot({ trackCosts: true });
  stage.done([register(stage.mesh, MEDDLER)]);
  addCappedKey(stage);
  const empty = costsOf(stage, []);
  const found = { usual: {}, worst: {} };
  const note = (scene, usual, worst, token) => {
    found.usual[scene] = scaled(costsOf(stage, usual, token), count, empty);
    if (worst) found.worst[scene] = scaled(costsOf(stage, dearest(stage, worst), token), count, empty);
  };
  const played = play(stage, 2 * count);
  for (const scene of Object.keys(SCENES)) note(scene, played[scene].slice(0, count), played[scene].slice(count));
  const { mesh } = stage;
  mesh.call("payment-escrow", "deposit-for-ft", [mesh.hours, AMINA.address, 500n]);
  const hours = Array.from({ length: 2 * count }, () => withdraw(mesh, AMINA, 2n, { asset: mesh.hours }));
  note("escrow-withdraw, hours", hours.slice(0, count), hours.slice(count), mesh.hours);
  const again = played["user-register"].slice(0, count).map(({ item }) => item);
  found.usual["a replay"] = scaled(costsBy(mesh.submitItems(again).costs), count, empty);
  return found;
}

/** The README's rows: per action, runtime and bytes in thousands. */
export function rows({ usual, worst }) {
  const share = (total, unit) => String(Math.round((10 * total) / BATCH / unit) / 10);
  return Object.entries(usual).map(([scene, { runtime, reads, writes, read_bytes: read, write_bytes: written }]) =>
    `| ${[scene, share(runtime, 1000), share(reads, 1), share(writes, 1), share(read, 1000), share(written, 1000),
      worst[scene] ? share(worst[scene].reads, 1) : ""].join(" | ")} |`);
}

const ROW = /^\| [a-z][a-z, -]* \|( [\d.]+ \|){5} [\d. ]*\|$/gm;

/** The rows of the README's table of costs. */
export const statedRows = () => readFileSync(README, "utf8").match(ROW) ?? [];

/** The file of costs: one scene a line, so that a change is read as one. */
function text({ usual, worst }) {
  const part = (name, costs) => `  "${name}": {\n${Object.entries(costs).map(([scene, one]) =>
    `    "${scene}": ${JSON.stringify(one)}`).join(",\n")}\n  }`;
  return `{\n  "batch": ${BATCH},\n${part("usual", usual)},\n${part("worst", worst)}\n}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const measured = await measure(BATCH);
  writeFileSync(TABLE, text(measured));
  let next = rows(measured);
  const readme = readFileSync(README, "utf8").replace(ROW, () => {
    const all = next.join("\n");
    next = [];
    return all;
  });
  writeFileSync(README, readme.replace(/\n{2,}(?=\nA tenure)/, "\n"));
}
