/**
 * A chain as a file: one JSON value a line. The first line is the genesis, every further line one operation; replaying
 * them gives the same chain, because the VM is deterministic. A state file and a snapshot are the same thing.
 *
 *   {"format":"hubd-localchain/1","network":"testnet","chain_id":2147483648,"time":U,"balances":{ADDRESS:"USTX",...}}
 *   {"tx":"HEX","at":U}                 a transaction came in (U: Unix seconds)
 *   {"mine":["TXID",...]}               one Stacks block of these, in this order
 *   {"empty":N} {"burn":N}              N empty Stacks blocks; N burn blocks, each with an empty Stacks block
 *   {"drop":"TXID","status":"..."}      a waiting transaction was dropped
 *   {"skip":"TXID"}                     the next block takes its fee and does not execute it
 *   {"fork":N}                          the last N Stacks blocks are gone, their transactions wait again
 *
 * A block may carry `"branch":G`, the number of forks before it, so that its hash differs from the block it replaces.
 */

import fs from "node:fs";

import { validateStacksAddress } from "@stacks/transactions";

import { CHAIN_ID } from "./limits.mjs";

export const FORMAT = "hubd-localchain/1";

/** The file is no chain of this format. `hint` says what to do. */
export class JournalError extends Error {
  constructor(message, hint) {
    super(message);
    this.hint = hint;
  }
}

/** The first line for a chain that starts at `time` (Unix seconds) with `balances` (uSTX by address). */
export function makeGenesis(time, balances) {
  return { format: FORMAT, network: "testnet", chain_id: CHAIN_ID, time, balances };
}

/** Reads a chain. A last line without its line end was being written when the process died; it is dropped. */
export function read(file) {
  const text = readText(file);
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  const [genesis, ...ops] = whole.split("\n").filter(Boolean).map((line, index) => parseLine(file, line, index + 1));
  if (!isGenesis(genesis)) {
    throw new JournalError(`${file} is not a ${FORMAT} file`, "name a file that --state or /test/snapshot wrote");
  }
  return { genesis, ops, bytes: Buffer.byteLength(whole) };
}

function readText(file) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    throw new JournalError(`cannot read ${file}: ${error.code}`, "name a file that --state or /test/snapshot wrote");
  }
}

function isGenesis(line) {
  const isAccount = ([address, ustx]) => /^S[TN]/.test(address) && validateStacksAddress(address) && /^\d+$/.test(ustx);
  return line?.format === FORMAT && Number.isInteger(line.time) && Object.entries(line.balances ?? {}).every(isAccount);
}

function parseLine(file, line, number) {
  try {
    return JSON.parse(line);
  } catch {
    throw new JournalError(`${file} line ${number} is not JSON`, "the file was damaged: take another, or start anew");
  }
}

/** Text of a chain: what `read` reads. */
export function write(genesis, ops) {
  return [genesis, ...ops].map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** A function that appends operations to `file`, after a torn last line was cut off. */
export function appender(file, bytes) {
  fs.truncateSync(file, bytes);
  const handle = fs.openSync(file, "a");
  return (op) => fs.writeSync(handle, `${JSON.stringify(op)}\n`);
}

/** How many Stacks blocks an operation makes. */
export const blocksOf = (op) => ("mine" in op ? 1 : (op.empty ?? op.burn ?? 0));

/**
 * The operations without forks: each fork takes away the blocks it dropped and leaves the transactions waiting.
 * @param {object[]} lines
 * @returns {{ops: object[], forks: number}} `forks` is how many there have been
 */
export function resolveForks(lines) {
  const ops = [];
  let forks = 0;
  for (const line of lines) {
    forks = Math.max(forks, line.branch ?? 0);
    if ("fork" in line) {
      cutBlocks(ops, line.fork);
      forks += 1;
    } else ops.push(line);
  }
  return { ops, forks };
}

/** Takes the last `count` blocks out of `ops`, in place. */
export function cutBlocks(ops, count) {
  for (let index = ops.length - 1; index >= 0 && count > 0; index -= 1) {
    const blocks = blocksOf(ops[index]);
    if (!blocks) continue;
    if (blocks <= count) ops.splice(index, 1);
    else ops[index] = shorten(ops[index], count);
    count -= Math.min(blocks, count);
  }
}

const shorten = (op, count) => ("burn" in op ? { ...op, burn: op.burn - count } : { ...op, empty: op.empty - count });

/** How many blocks the operations make. */
export function countBlocks(ops) {
  return ops.reduce((sum, op) => sum + blocksOf(op), 0);
}
