/**
 * Executing one block. The VM makes a block all or nothing, while a chain judges each transaction alone: so the block
 * is tried, the first transaction that cannot stand as it is gets its verdict, and the block is tried again from the
 * checkpoint. A block whose transactions all succeed is executed once.
 *
 * The fee is taken before the transaction runs. A node takes it afterwards, which differs only for a transaction that
 * spends its payer's last uSTX: a node would not mine it, here it fails.
 */

import { BLOCK_BUDGET, MINER } from "./limits.mjs";
import { broken } from "./postconditions.mjs";
import { VmError, call, deploy, transfer } from "./vm.mjs";

const OK_TRUE = "0x0703";
const ERR_NONE = "0x0809";
/** The VM's words for a transaction that costs more than the VM's own limit, itself above our budget. */
const OVER_BUDGET = /CostOverflow|CostBalanceExceeded/;

/** What a transaction asks of the VM besides its fee. */
const STEPS = {
  token_transfer: ({ payload, origin }) => transfer(payload.amount, payload.recipient, origin),
  contract_call: ({ payload, origin }) => call(payload.contract, payload.functionName, payload.argBytes, origin),
  smart_contract: ({ payload, origin }) => deploy(payload.name, payload.source, payload.clarityVersion, origin),
};

/** Plans: `run` fee and payload, `charge` the fee alone, `leave` for a later block, `drop` from the mempool. */
const run = () => ({ plan: "run" });
const charge = (status, result, vmError, cost = {}) => ({ plan: "charge", status, result, vmError, events: [], cost });
const leave = () => ({ plan: "leave" });
const drop = (status) => ({ plan: "drop", status });

/**
 * Executes `transactions` in their order as the next block of `vm`.
 * @param {object[]} transactions with gapless account nonces
 * @param {(txid: string) => boolean} isMarked to be mined without being executed
 * @returns {Map<string, object>} by txid: `plan`, and for mined ones status, result, vmError, events, cost
 */
export function executeBlock(vm, transactions, isMarked) {
  if (!transactions.length) {
    vm.makeEmptyBlocks(1);
    return new Map();
  }
  const plans = initialPlans(vm, transactions, isMarked);
  vm.checkpoint();
  for (;;) {
    const { results, unfit = firstUnfit(transactions, results) } = attempt(vm, transactions, plans);
    if (!unfit) return outcomes(transactions, plans, results);
    vm.rollback();
    revise(transactions, plans, unfit);
  }
}

/** What is clear before anything runs. The VM would silently replace a contract that exists. */
function initialPlans(vm, transactions, isMarked) {
  const plans = transactions.map(() => run());
  const named = new Set();
  transactions.forEach(({ txid, origin, payload }, index) => {
    if (plans[index].plan === "leave") return;
    if (isMarked(txid)) plans[index] = charge("problematic_skipped", ERR_NONE, "skipped by request of a test");
    if (payload.kind !== "smart_contract" || plans[index].plan !== "run") return;
    const contract = `${origin}.${payload.name}`;
    if (vm.interfaceOf(contract)) revise(transactions, plans, { index, plan: drop("dropped_problematic") });
    else if (named.has(contract)) revise(transactions, plans, { index, plan: leave() });
    named.add(contract);
  });
  return plans;
}

function stepsOf(transaction, { plan }) {
  if (plan === "leave" || plan === "drop") return [];
  const fee = transfer(transaction.fee, MINER, transaction.payer);
  return plan === "run" ? [fee, STEPS[transaction.payload.kind](transaction)] : [fee];
}

/** Tries the block; where a transaction throws, finds the first that does. */
function attempt(vm, transactions, plans) {
  const tryFirst = (count) => {
    const pieces = transactions.slice(0, count).map((transaction, i) => stepsOf(transaction, plans[i]));
    const flat = vm.makeBlock(pieces.flat());
    return pieces.map((steps) => flat.splice(0, steps.length));
  };
  const words = (count) => {
    try {
      tryFirst(count);
      return null;
    } catch (error) {
      if (error instanceof VmError) return error.message;
      throw error;
    } finally {
      vm.rollback();
    }
  };
  try {
    return { results: tryFirst(transactions.length) };
  } catch (error) {
    if (!(error instanceof VmError)) throw error;
    vm.rollback();
    // The VM does not say which one threw: of the first `fine` none does, of the first `bad` one does.
    let [fine, bad] = [0, transactions.length];
    while (bad - fine > 1) {
      const middle = (fine + bad) >> 1;
      if (words(middle)) bad = middle;
      else fine = middle;
    }
    return { unfit: { index: bad - 1, plan: verdictOnThrow(error.message) } };
  }
}

function verdictOnThrow(words) {
  return OVER_BUDGET.test(words) ? drop("dropped_too_expensive") : charge("abort_by_response", ERR_NONE, words);
}

/** The first transaction whose result does not let it stand as planned, with its new plan; or null. */
function firstUnfit(transactions, results) {
  const spent = Object.fromEntries(Object.keys(BLOCK_BUDGET).map((kind) => [kind, 0]));
  const over = (costs) => Object.entries(BLOCK_BUDGET).some(([kind, max]) => costs(kind) > max);
  for (const [index, transaction] of transactions.entries()) {
    const [fee, main] = results[index];
    if (fee && isErr(fee)) return { index, plan: leave() };
    if (!main) continue;
    const aborted = isAborted(transaction, main);
    if (aborted && transaction.payload.kind === "token_transfer") return { index, plan: leave() };
    const cost = (kind) => main.cost[kind] ?? 0;
    if (over(cost)) return { index, plan: drop("dropped_too_expensive") };
    if (over((kind) => spent[kind] + cost(kind))) return { index, plan: leave() };
    for (const kind of Object.keys(spent)) spent[kind] += cost(kind);
    const words = aborted ? null : broken(transaction, main.events);
    if (words) return { index, plan: charge("abort_by_post_condition", resultOf(transaction, main), words, main.cost) };
  }
  return null;
}

/** Changes one plan; who follows on an account nonce that is not used now has to wait too. */
function revise(transactions, plans, { index, plan }) {
  plans[index] = plan;
  if (plan.plan === "charge") return;
  const stuck = new Set([transactions[index].origin, transactions[index].payer]);
  for (let later = index + 1; later < transactions.length; later += 1) {
    const { origin, payer } = transactions[later];
    if (!stuck.has(origin) && !stuck.has(payer)) continue;
    plans[later] = leave();
    stuck.add(origin).add(payer);
  }
}

function outcomes(transactions, plans, results) {
  const outcome = (transaction, plan, main) => {
    if (plan.plan !== "run") return plan;
    const status = isAborted(transaction, main) ? "abort_by_response" : "success";
    return { ...plan, status, result: resultOf(transaction, main), events: main.events, cost: main.cost };
  };
  return new Map(
    transactions.map((transaction, i) => [transaction.txid, outcome(transaction, plans[i], results[i][1])]),
  );
}

const isErr = ({ result }) => result.startsWith("0x08");

/** A deployment that did not throw stands, whatever the value of the contract's last expression. */
const isAborted = ({ payload }, main) => payload.kind !== "smart_contract" && isErr(main);

/** Nodes report a deployment as `(ok true)`; the VM reports the value of the contract's last expression. */
const resultOf = ({ payload }, { result }) => (payload.kind === "smart_contract" ? OK_TRUE : result);
