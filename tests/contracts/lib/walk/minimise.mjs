// The shortest part of a failed walk that still fails in the same way, as text.
import { Walk } from "./walk.mjs";

/** Seconds after which what was left out so far is enough. */
const SECONDS_MAX = 40;

/** What failed: the first words of an assertion, without its place in a batch. */
const kindOf = (error) => error?.message.split(/[,\n]/)[0];

/** Why these transactions fail on a chain of their own, or null where they do not. */
async function failure(seed, transactions) {
  const walk = await Walk.begin(seed);
  try {
    for (const one of transactions) walk.run(one);
    return null;
  } catch (error) {
    return error;
  }
}

/** One operation a transaction, where that does not matter, so that each can be left out. */
const single = ({ operations, token, ...rest }) =>
  (operations ? operations.map((one) => ({ operations: [one], token })) : [rest]);

function words({ wait, operations, token }) {
  if (wait !== undefined) return `wait ${wait} s`;
  const way = ({ signed }) => (signed ? (token ? "signed, in a token batch:" : "signed:") : "from a wallet:");
  return operations.map((one) => `${way(one)} ${one.name} by ${one.by} ${JSON.stringify(one.fields)} id ${one.id}`)
    .join("\n  with ");
}

/** Leave out ever smaller parts for as long as what remains fails in the same way. */
export async function minimise(seed, transactions, error) {
  const fails = async (list) => kindOf(await failure(seed, list)) === kindOf(error);
  const singles = transactions.flatMap(single);
  let kept = (await fails(singles)) ? singles : transactions;
  const end = performance.now() + 1000 * SECONDS_MAX;
  for (let size = kept.length >> 1; size >= 1; size >>= 1) {
    for (let at = kept.length - size; at >= 0 && performance.now() < end; at -= size) {
      const rest = kept.toSpliced(at, size);
      if (await fails(rest)) kept = rest;
    }
  }
  return kept.map(words).join("\n");
}
