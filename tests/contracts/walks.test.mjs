// The whole set of contracts against a plain model: random walks of every operation, from wallets and signed.
// A mutant that these are known to kill: `settle` of the vault that forgets to reduce `locked`.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { code } from "./lib/mesh.mjs";
import { CAMPAIGN } from "./lib/random.mjs";
import { minimise } from "./lib/walk/minimise.mjs";
import { PROPOSALS } from "./lib/walk/proposals.mjs";
import { Walk } from "./lib/walk/walk.mjs";

const SEEDS = 4 * CAMPAIGN;
/** The quick form walks 8 to 11, which together come to everything; from 1, it would take ten. */
const FIRST = CAMPAIGN > 1 ? 1 : 8;
const BEYOND = FIRST + SEEDS;
const TRANSACTIONS = 280;
/** The chain's first second: a walk is the same whenever it is walked. */
const BEGINNING = Date.UTC(2027, 0, 1);

/** "operation code" -> how often, and what disputes, recoveries and pools came to, over all walks. */
const reached = new Map();
const note = (what, times) => reached.set(what, (reached.get(what) ?? 0) + Number(times));

/** Refusals that only a deep walk comes to, of whichever operation. */
const DEEP = [
  "sponsor-pool/ERR-LEARNER-CAP", "sponsor-pool/ERR-TUTOR-CAP", "sponsor-pool/ERR-NOT-ADMITTED",
  "sponsor-pool/ERR-RUNNING", "session-manager/ERR-TOO-EARLY", "session-manager/ERR-ATTENDED",
  "session-manager/ERR-TOO-LATE", "session-manager/ERR-VERSION", "session-manager/ERR-DISPUTED",
  "session-manager/ERR-NOT-GUARDIAN", "session-manager/ERR-NOT-FUNDED", "payment-escrow/ERR-LOCK-SETTLED",
  "dispute-resolution/ERR-NOT-ARBITER", "dispute-resolution/ERR-VOTED", "dispute-resolution/ERR-OWN-OFFER",
  "dispute-resolution/ERR-VERSION", "dispute-resolution/ERR-OFFER-REPLACED",
  "dispute-resolution/ERR-TOO-EARLY", "dispute-resolution/ERR-TOO-LATE", "recovery/ERR-APPROVED",
  "recovery/ERR-NOT-DUE", "recovery/ERR-CANCELLED", "user-registry/ERR-LAST-KEY", "user-registry/ERR-FROZEN",
  "user-registry/ERR-KEY-CAP", "user-registry/ERR-ADD-LAPSED", "reputation-tracker/ERR-OTHER-NOT-SEALED",
  "action-gateway/CODE-SPENT", "action-gateway/CODE-VOIDED", "action-gateway/CODE-EXPIRED",
  "action-gateway/CODE-COLUMNS", "action-gateway/CODE-RANGE",
];
/** Ends that the contracts' own counters show. */
const ENDS = {
  "dispute-resolution": ["by-agreement", "by-vote", "by-default"], "user-registry": ["recoveries"],
  "session-manager": ["lessons", "cancelled", "lapsed"], "sponsor-pool": ["payments", "closed"],
  "matching-engine": ["accepted"], "class-manager": ["attendances"], "reputation-tracker": ["opened"],
};

mock.timers.enable({ apis: ["Date"], now: BEGINNING });

async function walked(seed) {
  const walk = await Walk.begin(seed);
  try {
    for (let i = 0; i < TRANSACTIONS; i++) walk.run(walk.choose());
    walk.abandon();
  } catch (error) {
    const { transactions } = walk;
    assert.fail(`${error.stack}\nShortest walk that fails so:\n${await minimise(seed, transactions, error)}`);
  }
  for (const [cell, times] of walk.coverage) note(cell, times);
  for (const [contract, names] of Object.entries(ENDS)) {
    const counts = walk.mesh.read(contract, "get-counts");
    for (const name of names) note(`${contract} ${name}`, counts[name]);
  }
}

/** Operations that never succeeded, ends that nothing came to, gates that stopped nobody. */
function missing() {
  const done = Object.keys(PROPOSALS).map((name) => `${name} 0`);
  const ends = Object.entries(ENDS).flatMap(([contract, names]) => names.map((name) => `${contract} ${name}`));
  const refusals = new Set([...reached.keys()].map((cell) => cell.split(" ")[1]));
  return [...done, ...ends].filter((what) => !reached.get(what))
    .concat(DEEP.filter((path) => !refusals.has(`${code(path)}`)));
}

for (let seed = FIRST; seed < BEYOND; seed++) {
  test(`contracts and model agree at every step of walk ${seed}, and nothing stays locked after it`,
    () => walked(seed));
}

test("the walks did everything, were stopped by every gate on the way, and came to every end", async () => {
  for (let seed = BEYOND; missing().length && seed < BEYOND + 2 * SEEDS; seed++) await walked(seed);
  assert.deepEqual(missing(), []);
});
