/**
 * A local chain as a process of its own, and a client that speaks to it as a relay would: signed bytes over HTTP.
 */

import { spawn } from "node:child_process";
import fs from "node:fs";
import readline from "node:readline";

import {
  makeContractCall,
  makeContractDeploy,
  makeSTXTokenTransfer,
  privateKeyToAddress,
} from "@stacks/transactions";

export const MAIN = new URL("../../../contracts/localchain/main.mjs", import.meta.url).pathname;
export const SHOP = fs.readFileSync(new URL("fixtures/shop.clar", import.meta.url), "utf8");

/** A person with a key; `seed` is one byte. */
export function person(seed) {
  const key = `${seed.toString(16).padStart(2, "0").repeat(32)}01`;
  return { key, address: privateKeyToAddress(key, "testnet") };
}

export const ALICE = person(0xa1);
export const BOB = person(0xb0);
export const POOR = person(0xc7);
export const RICH_USTX = 1_000_000_000_000n;
/** A request that takes longer hangs. */
const PATIENCE_MS = 20_000;

/** Starts `main.mjs`; answers once it is ready. */
export async function start(...flags) {
  const child = spawn(process.execPath, [MAIN, ...flags], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = readline.createInterface({ input: child.stdout });
  const output = [];
  lines.on("line", (line) => output.push(line));
  await new Promise((resolve, reject) => {
    lines.once("line", resolve);
    child.once("exit", (code) => reject(new Error(`the chain exited with ${code}`)));
  });
  return new Client(child, output);
}

/** Starts `main.mjs` where it must not come up; answers its exit code and what it wrote. */
start.failing = async (...flags) => {
  const child = spawn(process.execPath, [MAIN, ...flags], { stdio: ["ignore", "pipe", "pipe"] });
  const [output, errors] = [[], []];
  child.stdout.on("data", (piece) => output.push(piece));
  child.stderr.on("data", (piece) => errors.push(piece));
  const code = await new Promise((resolve) => child.once("close", resolve));
  return { code, output: Buffer.concat(output).toString(), errors: Buffer.concat(errors).toString() };
};

/** Starts a chain that makes blocks on demand, with Alice and Bob rich, and the shop deployed by Alice. */
export async function startWithShop(...flags) {
  const balances = [ALICE, BOB].flatMap(({ address }) => ["--balance", `${address}=${RICH_USTX}`]);
  const chain = await start("--block-ms", "0", "--test", ...balances, ...flags);
  await chain.send(await chain.deploy(ALICE, "shop", SHOP, { nonce: 0n }));
  await chain.mine();
  return chain;
}

export class Client {
  constructor(child, output) {
    this.child = child;
    this.output = output;
    this.ready = JSON.parse(output[0]);
    this.url = this.ready.url;
  }

  /** Stops the process; answers its exit code. */
  async stop(signal = "SIGTERM") {
    if (this.child.exitCode !== null) return this.child.exitCode;
    const exited = new Promise((resolve) => this.child.once("exit", (code) => resolve(code)));
    this.child.kill(signal);
    return exited;
  }

  async request(method, path, body, contentType = "application/json") {
    const headers = body === undefined ? {} : { "content-type": contentType };
    const answer = await fetch(this.url + path, { method, body, headers, signal: AbortSignal.timeout(PATIENCE_MS) });
    const text = await answer.text();
    const isJson = answer.headers.get("content-type")?.includes("json");
    return { status: answer.status, body: isJson ? JSON.parse(text) : text, headers: answer.headers };
  }

  get(path) {
    return this.request("GET", path);
  }

  post(path, body = {}) {
    return this.request("POST", path, JSON.stringify(body));
  }

  /** Sends raw bytes as a relay does. */
  sendBytes(bytes) {
    return this.request("POST", "/v2/transactions", bytes, "application/octet-stream");
  }

  /** Sends a signed transaction; answers its txid, or throws with the refusal. */
  async send(transaction) {
    const { status, body } = await this.sendBytes(transaction.serializeBytes());
    if (status !== 200) throw new Error(`refused: ${JSON.stringify(body)}`);
    return body;
  }

  /** Sends a transaction that must be refused; answers the refusal. */
  async refusal(transaction) {
    const { status, body } = await this.sendBytes(transaction.serializeBytes());
    if (status !== 400) throw new Error(`not refused: ${status} ${JSON.stringify(body)}`);
    return body;
  }

  async mine(blocks = 1) {
    return (await this.post("/test/mine", { blocks })).body;
  }

  async tx(txid) {
    return (await this.get(`/extended/v1/tx/0x${txid}`)).body;
  }

  async account({ address }) {
    const { balance, nonce } = (await this.get(`/v2/accounts/${address}?proof=0`)).body;
    return { balance: BigInt(balance), nonce };
  }

  /** Sends, makes a block, and answers the transaction as the chain shows it. */
  async settle(transaction) {
    const txid = await this.send(transaction);
    await this.mine();
    return this.tx(txid);
  }

  async options({ key, address }, given) {
    const nonce = given.nonce ?? BigInt((await this.account({ address })).nonce);
    return { senderKey: key, network: "testnet", fee: 20_000n, postConditionMode: "allow", ...given, nonce };
  }

  async call(sender, functionName, functionArgs, given = {}) {
    return makeContractCall({
      contractAddress: ALICE.address,
      contractName: "shop",
      functionName,
      functionArgs,
      ...(await this.options(sender, given)),
    });
  }

  async transfer(sender, recipient, amount, given = {}) {
    return makeSTXTokenTransfer({ recipient, amount, ...(await this.options(sender, given)) });
  }

  async deploy(sender, contractName, codeBody, given = {}) {
    return makeContractDeploy({ contractName, codeBody, clarityVersion: 4, ...(await this.options(sender, given)) });
  }

  async read(functionName, args = []) {
    const path = `/v2/contracts/call-read/${ALICE.address}/shop/${functionName}`;
    return (await this.post(path, { sender: ALICE.address, arguments: args })).body;
  }
}
