/**
 * The chain: a fold of its operations (journal.mjs) over the VM. What comes in is judged, written to the journal and
 * then applied; replaying the journal applies the same operations without judging them again.
 */

import crypto from "node:crypto";

import { executeBlock } from "./block.mjs";
import { judge, other } from "./admission.mjs";
import { JournalError, blocksOf, countBlocks, cutBlocks, resolveForks, write } from "./journal.mjs";
import { CHAIN_TRANSACTIONS_MAX } from "./limits.mjs";
import { Mempool } from "./mempool.mjs";
import { decode, withoutWork } from "./transaction.mjs";
import { Vm } from "./vm.mjs";

/** Statuses that a test may drop a waiting transaction with (Hiro API, `tx_status`). */
export const DROP_STATUSES = [
  "dropped_replace_by_fee",
  "dropped_replace_across_fork",
  "dropped_too_expensive",
  "dropped_stale_garbage_collect",
  "dropped_problematic",
];

const sha256 = (text) => crypto.createHash("sha256").update(text).digest("hex");

export class Chain {
  /** How each operation changes the chain; the name that an operation has decides. */
  static #APPLY = {
    tx: (chain, op, decoded) => chain.#applyTx(op, decoded),
    mine: (chain, op) => chain.#applyMine(op),
    empty: (chain, op) => chain.#applyEmpty(op),
    burn: (chain, op) => chain.#applyBurn(op),
    drop: (chain, op) => chain.#dropRecord(op.drop, op.status),
    skip: (chain, op) => chain.#mempool.markSkipped(op.skip),
  };

  #genesis;
  #ops;
  #append;
  #forks;
  #vm;
  #mempool;
  #nonces;
  #records;
  #deployed;
  #tip;

  /**
   * Opens a chain and replays what it is made of.
   * @param {object} genesis first line of the journal
   * @param {object[]} ops further lines
   * @param {(op: object) => void} append makes an operation durable
   */
  static async open(genesis, ops = [], append = () => {}) {
    const chain = new Chain();
    chain.#genesis = genesis;
    chain.#append = append;
    const resolved = resolveForks(ops);
    chain.#forks = resolved.forks;
    await chain.#replay(resolved.ops);
    return chain;
  }

  async #replay(ops) {
    this.#vm = undefined;
    this.#vm = await Vm.boot(this.#genesis);
    this.#ops = [];
    this.#mempool = new Mempool();
    this.#nonces = new Map();
    this.#records = new Map();
    this.#deployed = new Map();
    this.#tip = undefined;
    this.#setTip(sha256(JSON.stringify(this.#genesis)), this.#vm.time);
    for (const [index, op] of ops.entries()) {
      try {
        this.#apply(op);
      } catch (error) {
        const hint = "the file was changed or is of another version: take another, or start anew";
        throw new JournalError(`operation ${index + 1} of the chain cannot be replayed: ${error.message}`, hint);
      }
    }
  }

  /** Height, hash and time of the last block; height and time of the last burn block. */
  get tip() {
    return this.#tip;
  }

  /** Blocks since the last burn block. */
  get tenureBlocks() {
    return this.#tip.height - this.#tip.burnAt;
  }

  /** Waiting transactions, in order of arrival. */
  pending() {
    return this.#mempool.transactions();
  }

  /** Free balance in uSTX. */
  balance(principal) {
    return this.#vm.balance(principal);
  }

  /** The account nonce that the next mined transaction of `principal` carries. */
  accountNonce(principal) {
    return this.#nonces.get(principal) ?? 0n;
  }

  interfaceOf(contract) {
    return this.#vm.interfaceOf(contract);
  }

  sourceOf(contract) {
    return this.#vm.sourceOf(contract);
  }

  /** @see Vm.callReadOnly */
  callReadOnly(contract, name, args, sender) {
    return this.#vm.callReadOnly(contract, name, args, sender);
  }

  /** What is known of a transaction: transaction, receivedAt, status, and when mined block, index, outcome. */
  record(txid) {
    return this.#records.get(txid);
  }

  /** The block that deployed a contract, or undefined. */
  deployedAt(contract) {
    return this.#deployed.get(contract);
  }

  /**
   * Takes a transaction into the mempool.
   * @param {Uint8Array} raw
   * @param {number} at Unix seconds
   * @returns {string} its txid, also where it is known already
   * @throws {DecodeError|Rejection}
   */
  admit(raw, at) {
    const transaction = decode(raw);
    if (this.#mempool.has(transaction.txid)) return transaction.txid;
    judge(transaction, this);
    this.#mempool.checkRoom(transaction);
    if (this.#records.size >= CHAIN_TRANSACTIONS_MAX) {
      throw other(`this local chain is full at ${CHAIN_TRANSACTIONS_MAX} transactions; start a new one`);
    }
    this.#do({ tx: transaction.raw.toString("hex"), at }, transaction);
    return transaction.txid;
  }

  /** Makes one block of what waits and may run. @returns {string[]|null} the mined txids in order; null: no block */
  mine() {
    const chosen = this.#mempool.select(
      (principal) => this.accountNonce(principal),
      (principal) => this.balance(principal),
    );
    if (!chosen.length) return null;
    this.#do({ mine: chosen.map(({ txid }) => txid) });
    return chosen.map(({ txid }) => txid).filter((txid) => this.#records.get(txid).block);
  }

  /** Makes `count` empty Stacks blocks. */
  makeEmpty(count) {
    this.#do({ empty: count });
  }

  /** Makes `count` burn blocks, each with an empty Stacks block. */
  makeBurn(count) {
    this.#do({ burn: count });
  }

  /** Drops a waiting transaction. @returns {boolean} whether it was waiting */
  drop(txid, status) {
    if (!this.#mempool.has(txid)) return false;
    this.#do({ drop: txid, status });
    return true;
  }

  /** Lets the next block charge a waiting transaction unexecuted. @returns {boolean} whether it was waiting */
  skip(txid) {
    if (!this.#mempool.has(txid)) return false;
    this.#do({ skip: txid });
    return true;
  }

  /** Blocks that a fork could drop. */
  get forkable() {
    return countBlocks(this.#ops);
  }

  /** Drops the last `count` blocks; their transactions wait again. Takes about a second: the chain is replayed. */
  async fork(count) {
    this.#append({ fork: count });
    this.#forks += 1;
    cutBlocks(this.#ops, count);
    await this.#replay(this.#ops);
  }

  /** The chain as a file (journal.mjs), without what forks dropped. */
  snapshot() {
    return write(this.#genesis, this.#ops);
  }

  #do(op, decoded) {
    const marked = this.#forks && blocksOf(op) ? { ...op, branch: this.#forks } : op;
    this.#append(marked);
    this.#apply(marked, decoded);
  }

  #apply(op, decoded) {
    this.#ops.push(op);
    const [, apply] = Object.entries(Chain.#APPLY).find(([name]) => name in op);
    apply(this, op, decoded);
  }

  #applyTx(op, transaction = decode(Buffer.from(op.tx, "hex"))) {
    for (const { txid } of this.#mempool.rivals(transaction)) {
      this.#dropRecord(txid, "dropped_replace_by_fee", transaction.txid);
    }
    this.#mempool.add(transaction, this.#vm.burnHeight);
    this.#records.set(transaction.txid, { transaction, receivedAt: op.at, status: "pending" });
  }

  #applyMine(op) {
    const mempool = this.#mempool;
    const transactions = op.mine.map((txid) => this.#records.get(txid).transaction);
    const outcomes = executeBlock(this.#vm, transactions, (txid) => mempool.isMarked(txid));
    const block = this.#setTip(this.#hash(op));
    let index = 0;
    for (const transaction of transactions) {
      const outcome = outcomes.get(transaction.txid);
      if (outcome.plan === "drop") this.#dropRecord(transaction.txid, outcome.status);
      if (outcome.plan === "run" || outcome.plan === "charge") {
        this.#include(transaction, { status: outcome.status, block, index, outcome });
        index += 1;
      }
    }
    const accountNonce = (principal) => this.accountNonce(principal);
    for (const { txid } of mempool.overtaken(accountNonce)) this.#dropRecord(txid, "dropped_replace_by_fee");
  }

  #include(transaction, mined) {
    const { txid, origin, originNonce, payer, payerNonce, sponsored, payload } = transaction;
    this.#mempool.remove(txid);
    this.#records.set(txid, { ...this.#records.get(txid), transaction: withoutWork(transaction), ...mined });
    this.#nonces.set(origin, originNonce + 1n);
    if (sponsored) this.#nonces.set(payer, payerNonce + 1n);
    if (payload.kind === "smart_contract" && mined.status === "success") {
      this.#deployed.set(`${origin}.${payload.name}`, mined.block);
    }
  }

  #applyEmpty(op) {
    this.#vm.makeEmptyBlocks(op.empty);
    this.#setTip(this.#hash(op));
  }

  #applyBurn(op) {
    this.#vm.makeBurnBlocks(op.burn);
    this.#setTip(this.#hash(op), this.#vm.time);
    for (const txid of this.#mempool.stale(this.#vm.burnHeight)) {
      this.#dropRecord(txid, "dropped_stale_garbage_collect");
    }
  }

  #hash(op) {
    return sha256(this.#tip.hash + JSON.stringify(op));
  }

  #dropRecord(txid, status, replacedBy) {
    this.#mempool.remove(txid);
    this.#records.set(txid, { ...this.#records.get(txid), status, replacedBy });
  }

  /** Notes the VM's tip; a new burn block's time is given. */
  #setTip(hash, burnTime) {
    const { height, burnHeight, time } = this.#vm;
    const burn = burnTime === undefined ? this.#tip : { burnTime, burnAt: height };
    const parent = this.#tip?.hash ?? hash;
    this.#tip = { height, hash, parent, time, burnHeight, burnTime: burn.burnTime, burnAt: burn.burnAt };
    return this.#tip;
  }
}
