/**
 * When blocks are made. The VM's clock moves only with blocks: 10 seconds with a Stacks block, 600 with a burn block.
 * To keep it beside the real clock, blocks are made as real time asks for them:
 * - a block whenever transactions wait, even if less than 10 seconds have passed: the chain runs ahead a little, and
 *   then makes no empty blocks until real time has caught up;
 * - an empty block when 10 seconds have passed without one;
 * - a burn block after 60 blocks, or every `burnMs` milliseconds where a demonstration cannot wait ten minutes;
 * - burn blocks at once for all the time that the process was not running.
 * A test that moves time ahead keeps its lead: the chain's clock goes on from there.
 */

import { BLOCK_SECONDS, BURN_BLOCK_SECONDS, TENURE_BLOCKS_MAX } from "./limits.mjs";

const nowSeconds = () => Math.floor(Date.now() / 1000);

export class Clock {
  #chain;
  #burnMs;
  #burntAt = Date.now();
  #lead = 0;

  /**
   * @param {Chain} chain
   * @param {number} burnMs milliseconds between burn blocks; 0 for the real pace
   */
  constructor(chain, burnMs = 0) {
    this.#chain = chain;
    this.#burnMs = burnMs || Infinity;
  }

  /** Seconds by which the chain's clock is behind. */
  get #behind() {
    return nowSeconds() + this.#lead - this.#chain.tip.time;
  }

  /** Makes up for the time before this process started, or takes over the lead that the chain had. */
  start() {
    if (this.#behind >= BURN_BLOCK_SECONDS) this.#chain.makeBurn(Math.floor(this.#behind / BURN_BLOCK_SECONDS));
    this.keepLead();
  }

  /** From now on the chain's clock goes on from where it is. */
  keepLead() {
    this.#lead = Math.max(0, this.#chain.tip.time - nowSeconds());
  }

  /** Makes the blocks that are due. Called at the pace of the blocks. */
  tick() {
    const chain = this.#chain;
    chain.mine();
    const due = Math.floor(this.#behind / BLOCK_SECONDS);
    if (due >= TENURE_BLOCKS_MAX) chain.makeBurn(Math.floor(due / TENURE_BLOCKS_MAX));
    else if (due >= 1) chain.makeEmpty(due);
    const burnDue = Date.now() - this.#burntAt >= this.#burnMs;
    if (burnDue) this.#burntAt = Date.now();
    if (burnDue || chain.tenureBlocks >= TENURE_BLOCKS_MAX) chain.makeBurn(1);
  }
}
