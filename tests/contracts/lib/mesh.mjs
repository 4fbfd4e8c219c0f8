// A mesh on the real Clarity VM: the contracts, deployed as contracts/deployment.json says, and short words for them.
import { readFileSync } from "node:fs";
import { getSDK } from "@stacks/clarinet-sdk";
import { Cl } from "@stacks/transactions";
import { action, person } from "./action.mjs";
import { planted } from "./mutants.mjs";
import { argument, maybe, plain } from "./values.mjs";

const CONTRACTS = new URL("../../../contracts/", import.meta.url);
const EPOCH = "4.0";
/** The VM mines one block a call, so much later than the one before. */
export const BLOCK_SECONDS = 10n;

const errors = JSON.parse(readFileSync(new URL("errors.json", CONTRACTS), "utf8"));

/** The code of an error by its name, e.g. code("payment-escrow/ERR-FUNDS"). */
export function code(path) {
  const found = Object.entries(errors).find(([, { contract, name }]) => `${contract}/${name}` === path);
  if (!found) throw new Error(`no such error: ${path}`);
  return BigInt(found[0]);
}

export const deployment = JSON.parse(readFileSync(new URL("deployment.json", CONTRACTS), "utf8"));

/** A fault that mutants.test.mjs planted in the contracts of this process, as JSON: { contract, from, to }. */
const FAULT = JSON.parse(process.env.HUBD_FAULT ?? "{}");

/** The text of a contract. */
export function source(name) {
  const text = readFileSync(new URL(`${name}.clar`, CONTRACTS), "utf8");
  return name === FAULT.contract ? planted(text, FAULT) : text;
}
export const STX = null;
export const WALLET_USTX = 1_000_000_000n;

/** One VM for a test file: booting takes 0.5 s, while a mesh of its own costs 0.1 s under a deployer of its own. */
let vmOfThisFile = null;
let deployers = 0;

async function sharedVm(trackCosts) {
  if (vmOfThisFile === null) {
    vmOfThisFile = await getSDK({ trackCosts, trackCoverage: false });
    await beginChain(vmOfThisFile);
  }
  return vmOfThisFile;
}

async function beginChain(vm) {
  await vm.initEmptySession({ enabled: false });
  vm.setEpoch(EPOCH);
}

/** Begin the chain anew: every mesh of this file is forgotten. */
export async function restartChain() {
  await beginChain(await sharedVm(false));
}

const nextDeployer = () => person(`deployer ${++deployers}`).address;

/** A typed value of deployment.json as a Clarity value. */
export function deploymentArgument({ type, value }, deployer) {
  const principal = (text) => (text === "$deployer" ? deployer : text.startsWith(".") ? deployer + text : text);
  const make = {
    bool: () => Cl.bool(value),
    none: () => Cl.none(),
    principal: () => Cl.principal(principal(value)),
    some: () => Cl.some(deploymentArgument(value, deployer)),
    "string-ascii": () => Cl.stringAscii(value),
    uint: () => Cl.uint(value),
  };
  return make[type]();
}

export class Mesh {
  constructor(vm, deployer) {
    this.vm = vm;
    this.deployer = deployer;
  }

  get access() {
    return `${this.deployer}.access`;
  }

  get hours() {
    return `${this.deployer}.hour-credit`;
  }

  /** Chain time that the next call sees, Unix seconds. */
  get now() {
    return this.vm.getBlockTime() + BLOCK_SECONDS;
  }

  deploy(name, text) {
    return this.vm.deployContract(name, text, { clarityVersion: deployment.clarity_version }, this.deployer);
  }

  /** Call a public function as `sender`; { ok } or { err }, with events and costs beside it. */
  run(contract, method, args = [], sender = this.deployer) {
    const name = contract.includes(".") ? contract : `${this.deployer}.${contract}`;
    const done = this.vm.callPublicFn(name, method, args.map(argument), sender);
    return { ...plain(done.result), events: done.events, costs: done.costs?.total };
  }

  /** The same, only the outcome. */
  call(contract, method, args = [], sender = this.deployer) {
    const { ok, err } = this.run(contract, method, args, sender);
    return err === undefined ? { ok } : { err };
  }

  /** Ask a read-only function. */
  read(contract, method, args = []) {
    const name = `${this.deployer}.${contract}`;
    return plain(this.vm.callReadOnlyFn(name, method, args.map(argument), this.deployer).result);
  }

  /** A signed action of this mesh. */
  action(signer, fields) {
    return action(this.access, signer, this.now, fields);
  }

  /** Submit actions in one batch; their codes, in order. `token` names the token of a token batch. */
  submit(actions, { token = null, relay = this.deployer } = {}) {
    return this.submitItems(actions.map((one) => one.item), { token, relay }).ok.map((result) => result.code);
  }

  /** Submit items as they are; the whole outcome with events and costs. */
  submitItems(items, { token = null, relay = this.deployer } = {}) {
    const batch = Cl.list(items);
    return token === null
      ? this.run("action-gateway", "submit-batch", [batch], relay)
      : this.run("action-gateway", "submit-token-batch", [token, batch], relay);
  }

  /** What a person has in the vault. */
  balance(address, asset = STX) {
    const of = Cl.tuple({ person: Cl.principal(address), asset: maybe(asset) });
    return this.read("payment-escrow", "get-balance", [of]);
  }

  /** Put STX into a wallet. */
  fund(address, amount = WALLET_USTX) {
    this.vm.mintSTX(address, amount);
  }

  /** What a principal holds on the chain itself, outside the vault. */
  wallet(address, asset = STX) {
    return asset === STX
      ? this.vm.getAssetsMap().get("STX")?.get(address) ?? 0n
      : this.read(asset.split(".")[1], "get-balance", [address]).ok;
  }

  /** Let chain time pass. */
  advance(seconds) {
    const until = this.now + BigInt(seconds);
    while (this.now < until) this.vm.mineEmptyBurnBlocks(Math.min(2000, Number((until - this.now) / 600n) + 1));
  }

  /** Let chain time pass until the next call sees exactly `time`, which is whole blocks away. */
  waitUntil(time) {
    while (this.now + 600n < time) this.vm.mineEmptyBurnBlocks(Math.max(1, Number((time - this.now) / 600n) - 1));
    while (this.now < time) this.vm.mineEmptyStacksBlock();
    if (this.now !== time) throw new Error(`no block at ${time}, but at ${this.now}`);
  }
}

/**
 * A mesh of its own with every contract deployed and every post-deployment call made; only sealed where `sealed` says
 * so, since tests give themselves roles. `append` adds code to a contract; `deployer` fixes the address that the mesh's domain names; `trackCosts` measures
 * calls, and slows them down.
 */
export async function bootMesh({ append = {}, deployer = nextDeployer(), sealed = false, trackCosts = false } = {}) {
  const mesh = new Mesh(await sharedVm(trackCosts), deployer);
  mesh.vm.mintSTX(deployer, WALLET_USTX);
  for (const name of deployment.order) mesh.deploy(name, source(name) + (append[name] ?? ""));
  for (const { contract, function: method, args } of deployment.calls) {
    if (method === "seal" && !sealed) continue;
    const outcome = mesh.call(contract, method, args.map((one) => deploymentArgument(one, deployer)));
    if (outcome.err !== undefined) throw new Error(`${contract}.${method} failed with u${outcome.err}`);
  }
  return mesh;
}
