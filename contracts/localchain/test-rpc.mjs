/**
 * Routes under /test/, served with `--test` only: what a test does to a chain and no client may do to a node.
 */

import { DROP_STATUSES } from "./chain.mjs";
import { FaultError } from "./faults.mjs";
import { BLOCKS_PER_REQUEST_MAX, BURN_BLOCK_SECONDS } from "./limits.mjs";
import { json, parseJson, text } from "./rpc.mjs";
import { DecodeError } from "./transaction.mjs";

export const TEST_ROUTES = [
  ["POST", "/test/mine", mine],
  ["POST", "/test/advance", advance],
  ["POST", "/test/fork", fork],
  ["POST", "/test/drop", drop],
  ["POST", "/test/skip", skip],
  ["GET", "/test/mempool", mempool],
  ["GET", "/test/faults", faults],
  ["POST", "/test/faults", addFaults],
  ["GET", "/test/snapshot", snapshot],
];

const options = (body) => (body.length ? parseJson(body) : {});

function count(value, fallback, name) {
  if (value === undefined && fallback !== undefined) return fallback;
  if (Number.isInteger(value) && value >= 1 && value <= BLOCKS_PER_REQUEST_MAX) return value;
  throw new DecodeError(`${name} is a whole number from 1 to ${BLOCKS_PER_REQUEST_MAX}`);
}

const tipView = ({ tip }) => ({
  stacks_tip_height: tip.height,
  stacks_tip: tip.hash,
  burn_block_height: tip.burnHeight,
  block_time: tip.time,
});

/** {"blocks": 1}: blocks at once, the first with what waits. Answers the txids that were mined. */
function mine({ chain, body }) {
  const blocks = count(options(body).blocks, 1, "blocks");
  const mined = [];
  for (let made = 0; made < blocks; made += 1) {
    const txids = chain.mine();
    if (txids) mined.push(...txids);
    else chain.makeEmpty(1);
  }
  return json({ mined, ...tipView(chain) });
}

/** {"burn_blocks": N} or {"seconds": S}: burn blocks, each 600 seconds further; the clock goes on from there. */
function advance({ chain, clock, body }) {
  const { burn_blocks: blocks, seconds } = options(body);
  const wanted = seconds === undefined ? blocks : Math.ceil(seconds / BURN_BLOCK_SECONDS);
  chain.makeBurn(count(wanted, 1, "burn_blocks"));
  clock.keepLead();
  return json(tipView(chain));
}

/** {"blocks": K}: the last K blocks vanish and their transactions wait again. */
async function fork({ chain, body }) {
  const blocks = count(options(body).blocks, undefined, "blocks");
  if (blocks > chain.forkable) throw new DecodeError(`the chain has only ${chain.forkable} blocks after its genesis`);
  await chain.fork(blocks);
  return json(tipView(chain));
}

/** {"txid": "...", "status": "dropped_too_expensive"}: a waiting transaction leaves the mempool. */
function drop({ chain, body }) {
  const { txid, status = "dropped_stale_garbage_collect" } = parseJson(body);
  if (!DROP_STATUSES.includes(status)) throw new DecodeError(`status is one of ${DROP_STATUSES.join(", ")}`);
  return chain.drop(txid, status) ? json({ txid, status }) : text("no such transaction waits", 404);
}

/** {"txid": "..."}: the next block takes fee and account nonce, executes nothing: problematic_skipped. */
function skip({ chain, body }) {
  const { txid } = parseJson(body);
  return chain.skip(txid) ? json({ txid }) : text("no such transaction waits", 404);
}

function mempool({ chain }) {
  return json(
    chain.pending().map(({ txid, origin, originNonce, fee }) => ({
      txid, sender_address: origin, nonce: Number(originNonce), fee_rate: String(fee),
    })),
  );
}

function faults({ faults: rules }) {
  return json(rules.list());
}

/** One fault or a list of them (faults.mjs); {"clear": true} takes all away. */
function addFaults({ faults: rules, body }) {
  const given = parseJson(body);
  if (given.clear) rules.clear();
  else {
    try {
      for (const rule of [given].flat()) rules.add(rule);
    } catch (error) {
      if (error instanceof FaultError) throw new DecodeError(error.message);
      throw error;
    }
  }
  return json(rules.list());
}

/** The chain as a file that `--snapshot` reads. */
function snapshot({ chain }) {
  return text(chain.snapshot(), 200);
}
