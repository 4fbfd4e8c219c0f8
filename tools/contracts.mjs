// Every suite of the contracts, two at a time, in tap on stdout. Ends with 1 where a test fails.
import { readdirSync } from "node:fs";
import { run } from "node:test";
import { tap } from "node:test/reporters";
import { fileURLToPath } from "node:url";

const SUITES = fileURLToPath(new URL("../tests/contracts/", import.meta.url));
/** Of which each takes as long as ten others: begun last, one of them would leave a core idle. */
const LONGEST = ["walks", "mutants", "one-lesson", "verdict"].map((name) => `${name}.test.mjs`);
const AT_A_TIME = 2;

const names = readdirSync(SUITES, { recursive: true }).filter((name) => name.endsWith(".test.mjs")).sort();
const gone = LONGEST.filter((name) => !names.includes(name));
if (gone.length) throw new Error(`there is no ${gone}`);
const files = [...new Set([...LONGEST, ...names])].map((name) => SUITES + name);
run({ files, concurrency: AT_A_TIME })
  .on("test:fail", () => { process.exitCode = 1; })
  .compose(tap)
  .pipe(process.stdout);
