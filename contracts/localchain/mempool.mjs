/**
 * The transactions that wait: at most one for each account nonce, the highest fee rate first (as stacks-core mines).
 */

import { BLOCK_TRANSACTIONS_MAX, MEMPOOL_AGE_BURN_BLOCKS_MAX, MEMPOOL_TRANSACTIONS_MAX } from "./limits.mjs";
import { Rejection, other } from "./admission.mjs";

/** Fee rate in millionths of a uSTX a byte: an integer, so that the order is exact. */
const feeRate = ({ fee, size }) => (fee * 1_000_000n) / BigInt(size);

export class Mempool {
  /** @type {Map<string, {transaction: object, burnHeight: number, skip: boolean}>} by txid, in order of arrival */
  #waiting = new Map();

  get size() {
    return this.#waiting.size;
  }

  has(txid) {
    return this.#waiting.has(txid);
  }

  /** Waiting transactions, in order of arrival. */
  transactions() {
    return [...this.#waiting.values()].map(({ transaction }) => transaction);
  }

  /** Those that hold an account nonce of a newcomer's origin or sponsor: it replaces them. */
  rivals(newcomer) {
    return this.transactions().filter(
      (held) =>
        (held.origin === newcomer.origin && held.originNonce === newcomer.originNonce) ||
        (held.payer === newcomer.payer && held.payerNonce === newcomer.payerNonce),
    );
  }

  /**
   * Checks that a newcomer has a place: replace-by-fee needs a strictly higher fee than each rival's.
   * @throws {Rejection}
   */
  checkRoom(newcomer) {
    const rivals = this.rivals(newcomer);
    if (rivals.some(({ fee }) => newcomer.fee <= fee)) throw new Rejection("ConflictingNonceInMempool");
    if (this.size - rivals.length >= MEMPOOL_TRANSACTIONS_MAX) {
      throw other(`the mempool holds ${MEMPOOL_TRANSACTIONS_MAX} transactions; make a block`);
    }
  }

  add(transaction, burnHeight) {
    this.#waiting.set(transaction.txid, { transaction, burnHeight, skip: false });
  }

  remove(txid) {
    return this.#waiting.delete(txid);
  }

  /** Lets the next block take a transaction's fee and account nonce without executing it (problematic_skipped). */
  markSkipped(txid) {
    this.#waiting.get(txid).skip = true;
  }

  isMarked(txid) {
    return this.#waiting.get(txid)?.skip ?? false;
  }

  /** Those whose account nonces have passed: another transaction was mined in their place. */
  overtaken(accountNonce) {
    return this.transactions().filter(
      (held) => held.originNonce < accountNonce(held.origin) || held.payerNonce < accountNonce(held.payer),
    );
  }

  /** Those that have waited too long at a burn height. */
  stale(burnHeight) {
    const old = ([, held]) => burnHeight - held.burnHeight > MEMPOOL_AGE_BURN_BLOCKS_MAX;
    return [...this.#waiting].filter(old).map(([txid]) => txid);
  }

  /**
   * Transactions for the next block, in the order of their execution: nonces without gaps, best fee rate first.
   * @param {(principal: string) => bigint} accountNonce at the tip
   * @param {(principal: string) => bigint} balance at the tip: who cannot pay waits
   */
  select(accountNonce, balance) {
    const next = new Map();
    const nonceOf = (principal) => next.get(principal) ?? accountNonce(principal);
    const affordable = ({ payer, origin, fee, payload: { amount = 0n } }) =>
      payer === origin ? balance(payer) >= fee + amount : balance(payer) >= fee && balance(origin) >= amount;
    const ready = (held) =>
      held.originNonce === nonceOf(held.origin) &&
      (!held.sponsored || held.payerNonce === nonceOf(held.payer)) &&
      affordable(held);
    const ranked = this.transactions().sort((a, b) => Number(feeRate(b) - feeRate(a)));
    const chosen = [];
    while (chosen.length < BLOCK_TRANSACTIONS_MAX) {
      const index = ranked.findIndex(ready);
      if (index < 0) break;
      const [held] = ranked.splice(index, 1);
      next.set(held.origin, held.originNonce + 1n);
      if (held.sponsored) next.set(held.payer, held.payerNonce + 1n);
      chosen.push(held);
    }
    return chosen;
  }
}
