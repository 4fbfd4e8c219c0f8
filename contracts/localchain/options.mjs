/**
 * The command line of the local chain: one table of flags, from which parsing and help are made.
 */

import { validateStacksAddress } from "@stacks/transactions";

import { AMOUNT_USTX_MAX, GENESIS_ACCOUNTS_MAX } from "./limits.mjs";

/** The command line makes no sense; `hint` says what would. */
export class UsageError extends Error {
  constructor(message, hint = "see --help") {
    super(message);
    this.hint = hint;
  }
}

const whole = (min, max) => (value, name) => {
  if (/^\d+$/.test(value) && Number(value) >= min && Number(value) <= max) return Number(value);
  throw new UsageError(`${name} takes a whole number from ${min} to ${max}, not ${value}`);
};

function balance(value, name) {
  const [address, ustx, ...rest] = value.split("=");
  if (rest.length || !/^ST|^SN/.test(address) || !validateStacksAddress(address)) {
    throw new UsageError(`${name} takes ADDRESS=USTX, not ${value}`, "the address is a testnet one (ST...)");
  }
  if (!/^\d+$/.test(ustx ?? "") || BigInt(ustx) > AMOUNT_USTX_MAX) {
    throw new UsageError(`${name} takes an amount from 0 to ${AMOUNT_USTX_MAX} uSTX, not ${ustx}`);
  }
  return [address, ustx];
}

const path = (value) => value;

/** Flags: name, value word (none for switches), how to read it, default, help. `many` may be repeated. */
const FLAGS = [
  { name: "--port", word: "N", read: whole(0, 65_535), value: 0, help: "port on 127.0.0.1; 0 takes any" },
  { name: "--block-ms", word: "N", read: whole(0, 3_600_000), value: 1000, help: "look for due blocks every N milliseconds; 0: only by POST /test/mine" },
  { name: "--burn-every", word: "N", read: whole(0, 1_000), value: 0, help: "a burn block after every N blocks; 0: every ten minutes" },
  { name: "--balance", word: "ADDRESS=USTX", read: balance, many: true, value: [], help: "an account of the genesis; may be repeated" },
  { name: "--snapshot", word: "FILE", read: path, value: null, help: "start from a chain that was saved" },
  { name: "--state", word: "FILE", read: path, value: null, help: "keep the chain in FILE, and go on from it" },
  { name: "--test", value: false, help: "serve the routes under /test/" },
  { name: "--exit-with-parent", value: false, help: "exit when standard input closes" },
  { name: "--help", value: false, help: "show this" },
];

const keyOf = (name) => name.slice(2).replace(/-(\w)/g, (_, letter) => letter.toUpperCase());

/**
 * Reads the command line.
 * @param {string[]} args without node and the script
 * @returns {object} a value for every flag, in camel case
 * @throws {UsageError}
 */
export function parseOptions(args) {
  const options = Object.fromEntries(FLAGS.map(({ name, value }) => [keyOf(name), value]));
  const rest = [...args];
  while (rest.length) {
    const [given, attached] = split(rest.shift());
    const flag = FLAGS.find(({ name }) => name === given);
    if (!flag) throw new UsageError(`unknown flag ${given}`, `the flags are ${FLAGS.map(({ name }) => name).join(" ")}`);
    const key = keyOf(flag.name);
    if (!flag.read) {
      if (attached !== undefined) throw new UsageError(`${flag.name} takes no value`);
      options[key] = true;
      continue;
    }
    const value = attached ?? rest.shift();
    if (value === undefined) throw new UsageError(`${flag.name} needs a value: ${flag.word}`);
    const read = flag.read(value, flag.name);
    options[key] = flag.many ? [...options[key], read] : read;
  }
  if (options.balance.length > GENESIS_ACCOUNTS_MAX) throw new UsageError(`at most ${GENESIS_ACCOUNTS_MAX} balances`);
  if (!options.blockMs && !options.test) throw new UsageError("--block-ms 0 makes no blocks", "add --test, or take a pace");
  return options;
}

/** `--flag=value` in two, at the first equals sign: a balance holds another. */
function split(argument) {
  const at = argument.indexOf("=");
  return at < 0 ? [argument, undefined] : [argument.slice(0, at), argument.slice(at + 1)];
}

/** The text of --help. */
export function helpText() {
  const lines = FLAGS.map(({ name, word, help }) => `  ${`${name}${word ? ` ${word}` : ""}`.padEnd(26)}${help}`);
  return ["A local Stacks chain: the Clarity VM behind the node's RPC. See docs/localchain.md.", "", ...lines, ""].join("\n");
}
