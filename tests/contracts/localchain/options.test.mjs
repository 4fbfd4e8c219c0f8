/** The command line, and how the process starts and ends. */

import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";

import { parseOptions } from "../../../contracts/localchain/options.mjs";
import { ALICE, start } from "./harness.mjs";

test("flags have defaults, and values come attached or apart", () => {
  assert.equal(parseOptions([]).blockMs, 1000);
  const options = parseOptions(["--port=5", "--block-ms", "0", "--test", `--balance=${ALICE.address}=7`]);
  assert.deepEqual([options.port, options.blockMs, options.test], [5, 0, true]);
  assert.deepEqual(options.balance, [[ALICE.address, "7"]]);
});

const BAD = [
  [["--nope"], /unknown flag --nope/],
  [["port"], /unknown flag port/],
  [["--port"], /needs a value/],
  [["--port", "x"], /whole number from 0 to 65535/],
  [["--port", "65536"], /whole number/],
  [["--block-ms=-1"], /whole number/],
  [["--test=yes"], /takes no value/],
  [["--balance", "ST1=5"], /takes ADDRESS=USTX/],
  [["--balance", "SP2J6ZY48GV1EZ5V2V5RB9MP66SW86PYKKNRV9EJ7=5"], /takes ADDRESS=USTX/],
  [["--balance", `${ALICE.address}=-5`], /takes an amount/],
  [["--balance", `${ALICE.address}=99999999999999999999`], /takes an amount/],
  [["--balance", ALICE.address], /takes an amount/],
  [["--block-ms", "0"], /makes no blocks/],
];

for (const [args, words] of BAD) {
  test(`${args.join(" ")} is refused with a hint`, () => {
    assert.throws(() => parseOptions(args), (error) => words.test(error.message) && error.hint.length > 5);
  });
}

test("an unknown flag ends the process with 2 and a hint", async () => {
  const { code, errors } = await start.failing("--colour");
  assert.equal(code, 2);
  assert.match(errors, /^localchain: unknown flag --colour\nhint: the flags are --port /);
});

test("every flag is in the help and on the page", async () => {
  const { output } = await start.failing("--help");
  const page = fs.readFileSync(new URL("../../../docs/localchain.md", import.meta.url), "utf8");
  const flags = output.match(/--[a-z-]+/g);
  assert.ok(flags.length >= 9);
  for (const flag of flags.filter((name) => name !== "--help")) assert.ok(page.includes(`\`${flag}`), flag);
});

test("one line is printed when the chain is ready, nothing else, and SIGTERM ends it well", async () => {
  const chain = await start("--block-ms", "20", "--balance", `${ALICE.address}=1000000000`);
  assert.deepEqual(Object.keys(chain.ready), ["port", "url", "network", "chain_id", "boot_ms"]);
  assert.equal(chain.ready.chain_id, 2_147_483_648);
  assert.equal((await chain.post("/test/mine")).status, 404, "a route of tests without --test");
  await chain.send(await chain.deploy(ALICE, "broken", "(define-public (x) (ok (+ 1 true)))", { nonce: 0n }));
  const { code, errors } = await start.failing("--port", String(chain.ready.port));
  assert.equal(code, 1);
  assert.match(errors, /hint: another process has this port/);
  assert.equal(await chain.stop(), 0);
  assert.equal(chain.output.length, 1);
});

test("with --exit-with-parent the process ends when its standard input closes", async () => {
  const chain = await start("--exit-with-parent");
  const exited = new Promise((resolve) => chain.child.once("exit", resolve));
  chain.child.stdin.end();
  assert.equal(await exited, 0);
});
