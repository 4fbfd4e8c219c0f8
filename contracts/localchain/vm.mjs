/**
 * The Clarity VM: clarinet's simnet, with a checkpoint, a rollback and a clock that starts where we say.
 *
 * Simnet has three gaps that a chain cannot live with, and each is closed here and nowhere else:
 * - It cannot undo. All of its state is the WASM instance's linear memory, so a checkpoint is a copy of those bytes and
 *   a rollback writes them back (5 ms for 80 MB). It also heals an instance that a panic left borrowed.
 *   Nothing of JavaScript may point into that memory across a rollback: every object the VM hands out is freed at once.
 * - It takes the time of its genesis from `new Date()`, so the clock is replaced while a session is being made.
 * - It keeps a cost report of every call for ever, so reports are collected and thrown away.
 */

import { createRequire } from "node:module";
import v8 from "node:v8";

import { BLOCK_SECONDS, BURN_BLOCK_SECONDS } from "./limits.mjs";

const SDK = "@stacks/clarinet-sdk";
/** The SDK's own dependency: the SDK wraps it in conveniences that keep objects of the VM alive. */
const PACKAGE = "@stacks/clarinet-sdk-wasm";
const EPOCH = "4.0";
/** Simnet's first block is one burn block and one Stacks block after the time it reads. */
const GENESIS_LEAD_SECONDS = BURN_BLOCK_SECONDS + BLOCK_SECONDS;
/** Collect cost reports after this many executed steps: often enough to stay small, rarely enough to cost nothing. */
const REPORT_STEPS = 64;

// Only V8's quick WASM compiler: measured, a chain is ready in 0.5 s instead of 1.4 and takes 80 MB less, while a batch
// of 200 actions takes 0.12 s instead of 0.08.
v8.setFlagsFromString("--liftoff-only");

/** The VM refused or aborted a step. `message` is the VM's own words, shortened. */
export class VmError extends Error {}

/**
 * Loads a WASM instance of its own and keeps hold of its memory, which the package does not export. Neither the module
 * cache nor a lasting `require` may hold the instance, or its memory would outlive a fork.
 */
function instantiate() {
  const require = createRequire(createRequire(import.meta.url).resolve(SDK));
  const Instance = WebAssembly.Instance;
  let exports;
  WebAssembly.Instance = function capture(module, imports) {
    const instance = new Instance(module, imports);
    exports = instance.exports;
    return instance;
  };
  try {
    return { sdk: require(PACKAGE), memory: exports.memory };
  } finally {
    delete require.cache[require.resolve(PACKAGE)];
    WebAssembly.Instance = Instance;
  }
}

/** Runs `work` with the clock stopped at `seconds` (Unix). */
async function atTime(seconds, work) {
  const RealDate = globalThis.Date;
  globalThis.Date = class extends RealDate {
    constructor(...given) {
      super(...(given.length ? given : [seconds * 1000]));
    }
  };
  try {
    return await work();
  } finally {
    globalThis.Date = RealDate;
  }
}

/** Runs `work` without the colourful traces that simnet writes to the console on every runtime error. */
function quietly(work) {
  const { log, error } = console;
  console.log = console.error = () => {};
  try {
    return work();
  } finally {
    Object.assign(console, { log, error });
  }
}

export class Vm {
  #session;
  #sdk;
  #memory;
  #image = null;
  #interfaces = null;
  #steps = 0;

  /**
   * A VM whose first block has the time `time` (Unix seconds) and in which only `balances` exist.
   * @param {{time: number, balances: Record<string, string>}} genesis balances in uSTX by address
   */
  static async boot({ time, balances }) {
    const vm = new Vm();
    const { sdk, memory } = instantiate();
    vm.#sdk = sdk;
    vm.#memory = memory;
    const refuseFiles = () => {
      throw new Error("the VM reads no files");
    };
    vm.#session = new sdk.SDK(refuseFiles, new sdk.SDKOptions(true, false, false));
    await atTime(time - GENESIS_LEAD_SECONDS, () => vm.#session.initEmptySession({ enabled: false }));
    vm.#session.setEpoch(EPOCH);
    if (vm.time !== time) throw new Error(`the VM's clock starts at ${vm.time}, not at ${time}`);
    for (const [address, ustx] of Object.entries(balances)) vm.#session.mintSTX(address, BigInt(ustx));
    return vm;
  }

  /** Height of the current Stacks block. */
  get height() {
    return this.#session.stacksBlockHeight;
  }

  /** Height of the current burn block. */
  get burnHeight() {
    return this.#session.burnBlockHeight;
  }

  /** Time of the current block, Unix seconds: what `stacks-block-time` says. */
  get time() {
    return Number(this.#session.getBlockTime());
  }

  /** Remembers the present state; the one remembered before is forgotten. */
  checkpoint() {
    const bytes = new Uint8Array(this.#memory.buffer);
    if (this.#image?.length !== bytes.length) this.#image = new Uint8Array(bytes.length);
    this.#image.set(bytes);
  }

  /** Returns to the remembered state. Memory that grew since stays grown; the VM's allocator no longer knows of it. */
  rollback() {
    new Uint8Array(this.#memory.buffer).set(this.#image);
    this.#interfaces = null;
  }

  /** Makes `count` empty Stacks blocks. */
  makeEmptyBlocks(count) {
    this.#session.mineEmptyStacksBlocks(count);
  }

  /** Makes `count` burn blocks, each with one empty Stacks block. */
  makeBurnBlocks(count) {
    this.#session.mineEmptyBurnBlocks(count);
  }

  /**
   * Makes one Stacks block of `steps` (`transfer`, `call` or `deploy`). All or nothing: where one step throws, so does
   * this, and the caller must roll back.
   * @returns {{result: string, events: object[], cost: object}[]} one result a step; `result` is `0x` and Clarity bytes
   * @throws {VmError} a runtime error or a refused contract
   */
  makeBlock(steps) {
    if (steps.some((step) => step.deployContract)) this.#interfaces = null;
    const results = this.#run(() => this.#session.mineBlock(steps));
    this.#dropReports(steps.length);
    return results.map(({ result, events, costs }) => ({
      result,
      events: JSON.parse(events).map((event) => JSON.parse(event)),
      cost: JSON.parse(costs)?.total ?? {},
    }));
  }

  /**
   * Evaluates a read-only function at the tip.
   * @param {Uint8Array[]} args Clarity bytes
   * @returns {string} `0x` and Clarity bytes
   */
  callReadOnly(contract, name, args, sender) {
    const call = new this.#sdk.CallFnArgs(contract, name, args, sender);
    try {
      const answer = this.#run(() => this.#session.callReadOnlyFn(call));
      const { result } = answer;
      answer.free();
      this.#dropReports(1);
      return result;
    } finally {
      call.free();
    }
  }

  /** Free balance of a principal in uSTX. The caller has checked that `principal` is one. */
  balance(principal) {
    return BigInt(`0x${this.#session.runSnippet(`(stx-get-balance '${principal})`).slice(4)}`);
  }

  /** The interface of a deployed contract as the node's RPC shows it, or undefined. */
  interfaceOf(contract) {
    this.#interfaces ??= this.#session.getContractsInterfaces();
    return this.#interfaces.get(contract);
  }

  /** The source of a deployed contract, or undefined. */
  sourceOf(contract) {
    return this.#session.getContractSource(contract);
  }

  #dropReports(steps) {
    this.#steps += steps;
    if (this.#steps < REPORT_STEPS) return;
    this.#session.collectReport(false, "").free();
    this.#steps = 0;
  }

  #run(work) {
    try {
      return quietly(work);
    } catch (error) {
      throw new VmError(String(error?.message ?? error).slice(0, 500));
    }
  }
}

/** Step: move `amount` uSTX (bigint, at most AMOUNT_USTX_MAX). */
export const transfer = (amount, recipient, sender) => ({
  transferSTX: { amount: Number(amount), recipient, sender },
});

/** Step: call a public function with arguments in Clarity bytes. */
export const call = (contract, method, args, sender) => ({
  callPublicFn: { contract, method, args_maps: args, sender },
});

/** Step: deploy a contract; without a version the epoch's own is taken. */
export const deploy = (name, content, version, sender) => ({
  deployContract: { name, content, options: version ? { clarityVersion: version } : null, sender },
});
