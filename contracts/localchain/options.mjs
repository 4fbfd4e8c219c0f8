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

/** Flags: name, word for the value (none for switches), how to read it, default, help. `many` may be repeated. */
const FLAGS = [
  flag("--port", "N", whole(0, 65_535), 0, "port on 127.0.0.1; 0 takes any"),
  flag("--block-ms", "N", whole(0, 3_600_000), 1000, "look for due blocks every N ms; 0: by POST /test/mine only"),
  flag("--burn-ms", "N", whole(0, 3_600_000), 0, "a burn block every N ms; 0: every ten minutes"),
  { ...flag("--balance", "ADDRESS=USTX", balance, [], "an account of the genesis; may be repeated"), many: true },
  flag("--snapshot", "FILE", path, null, "start from a chain that was saved"),
  flag("--state", "FILE", path, null, "keep the chain in FILE, and go on from it"),
  flag("--test", null, null, false, "serve the routes under /test/"),
  flag("--exit-with-parent", null, null, false, "exit when standard input closes"),
  flag("--help", null, null, false, "show this"),
];

function flag(name, word, read, value, help) {
  return { name, word, read, value, help };
}

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
    const { name, word, read, many } = find(given);
    const key = keyOf(name);
    if (!read) {
      if (attached !== undefined) throw new UsageError(`${name} takes no value`);
      options[key] = true;
      continue;
    }
    const text = attached ?? rest.shift();
    if (text === undefined) throw new UsageError(`${name} needs a value: ${word}`);
    const value = read(text, name);
    options[key] = many ? [...options[key], value] : value;
  }
  if (options.balance.length > GENESIS_ACCOUNTS_MAX) throw new UsageError(`at most ${GENESIS_ACCOUNTS_MAX} balances`);
  const idle = !options.blockMs && !options.test && !options.help;
  if (idle) throw new UsageError("--block-ms 0 makes no blocks", "add --test, or take a pace");
  return options;
}

function find(given) {
  const known = FLAGS.find(({ name }) => name === given);
  if (known) return known;
  throw new UsageError(`unknown flag ${given}`, `the flags are ${FLAGS.map(({ name }) => name).join(" ")}`);
}

/** `--flag=value` in two, at the first equals sign: a balance holds another. */
function split(argument) {
  const at = argument.indexOf("=");
  return at < 0 ? [argument, undefined] : [argument.slice(0, at), argument.slice(at + 1)];
}

/** The text of --help. */
export function helpText() {
  const lines = FLAGS.map(({ name, word, help }) => `  ${(word ? `${name} ${word}` : name).padEnd(26)}${help}`);
  const title = "A local Stacks chain: the Clarity VM behind the node's RPC. See docs/localchain.md.";
  return [title, "", ...lines, ""].join("\n");
}
