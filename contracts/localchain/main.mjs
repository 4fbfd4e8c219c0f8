/**
 * `node contracts/localchain/main.mjs`: opens the chain, serves it, makes its blocks. Prints one line of JSON on
 * standard output when it is ready, and nothing else there; exits 0 on SIGTERM, 1 on failure, 2 on a command line it
 * cannot read.
 */

import fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { Chain } from "./chain.mjs";
import { Clock } from "./clock.mjs";
import { Faults } from "./faults.mjs";
import { JournalError, appender, makeGenesis, read, write } from "./journal.mjs";
import { CHAIN_ID } from "./limits.mjs";
import { UsageError, helpText, parseOptions } from "./options.mjs";
import { Turns, serve } from "./server.mjs";

const started = performance.now();

/** Where the chain comes from: a state file that exists, else a snapshot, else a new genesis. */
async function openChain({ state, snapshot, balance }) {
  const balances = Object.fromEntries(balance);
  if (state && fs.existsSync(state)) {
    const { genesis, ops, bytes } = read(state);
    const differs = Object.entries(balances).find(([address, ustx]) => genesis.balances[address] !== ustx);
    if (differs) {
      const hint = "leave --balance out, or take another --state file: a genesis cannot be changed";
      throw new JournalError(`${state} starts without ${differs.join("=")}`, hint);
    }
    return Chain.open(genesis, ops, appender(state, bytes));
  }
  const { genesis, ops } = snapshot
    ? read(snapshot)
    : { genesis: makeGenesis(Math.floor(Date.now() / 1000), {}), ops: [] };
  genesis.balances = { ...genesis.balances, ...balances };
  if (!state) return Chain.open(genesis, ops);
  const content = write(genesis, ops);
  fs.writeFileSync(state, content, { flag: "wx" });
  return Chain.open(genesis, ops, appender(state, Buffer.byteLength(content)));
}

/** Does `work` every `ms` milliseconds, one after the other, until `signal` says stop. */
async function keepPace(ms, signal, work) {
  while (!signal.aborted) {
    await sleep(ms, null, { signal }).catch(() => {});
    if (!signal.aborted) await work();
  }
}

async function main() {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(helpText());
    return;
  }
  const turns = new Turns();
  const parts = { faults: new Faults(), turns };
  // The port comes first, so that one in use is known at once; who asks before the chain is open waits for its turn.
  const server = await serve(parts, options);
  await turns.take(async () => {
    parts.chain = await openChain(options);
    parts.clock = new Clock(parts.chain, options.burnMs);
    parts.clock.start();
  });
  const stopped = new AbortController();
  const tick = () => turns.take(() => parts.clock.tick());
  if (options.blockMs) keepPace(options.blockMs, stopped.signal, tick).catch(exit);
  const stop = () => {
    stopped.abort();
    server.close();
    server.closeAllConnections();
    process.stdin.destroy();
  };
  for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, stop);
  if (options.exitWithParent) process.stdin.resume().once("end", stop).once("error", stop);
  const { port } = server.address();
  const ready = {
    port,
    url: `http://127.0.0.1:${port}`,
    network: "testnet",
    chain_id: CHAIN_ID,
    boot_ms: Math.round(performance.now() - started),
  };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
}

/** Errors that have words for the operator, and how the process ends on them. */
const EXITS = [
  [UsageError, 2],
  [JournalError, 1],
];

function exit(error) {
  const [, code] = EXITS.find(([kind]) => error instanceof kind) ?? [];
  const inUse = error?.code === "EADDRINUSE";
  const hint = error?.hint ?? (inUse ? "another process has this port; --port 0 takes any" : undefined);
  process.stderr.write(`localchain: ${code || inUse ? error.message : error?.stack}\n${hint ? `hint: ${hint}\n` : ""}`);
  process.exit(code ?? 1);
}

main().catch(exit);
