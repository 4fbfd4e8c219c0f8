/**
 * Post-conditions: what a transaction may have moved (SIP-005, "Post-conditions"), judged from the events it emitted.
 *
 * STX and fungible tokens are modelled, for the origin, standard and contract principals, in the modes allow, deny and
 * originator. Conditions on non-fungible tokens, stacking and pox are refused at admission, in words.
 */

import {
  FungibleConditionCode as Code,
  PostConditionMode,
  PostConditionPrincipalId,
  PostConditionType,
  addressToString,
} from "@stacks/transactions";

const HOLDS = {
  [Code.Equal]: (moved, amount) => moved === amount,
  [Code.Greater]: (moved, amount) => moved > amount,
  [Code.GreaterEqual]: (moved, amount) => moved >= amount,
  [Code.Less]: (moved, amount) => moved < amount,
  [Code.LessEqual]: (moved, amount) => moved <= amount,
};
const SIGNS = {
  [Code.Equal]: "=",
  [Code.Greater]: ">",
  [Code.GreaterEqual]: ">=",
  [Code.Less]: "<",
  [Code.LessEqual]: "<=",
};

/** Events that take something from a sender, and the asset they take. Minting takes from nobody. */
const MOVES = {
  stx_transfer_event: () => "STX",
  stx_burn_event: () => "STX",
  ft_transfer_event: (event) => event.asset_identifier,
  ft_burn_event: (event) => event.asset_identifier,
  nft_transfer_event: (event) => event.asset_identifier,
  nft_burn_event: (event) => event.asset_identifier,
};

/**
 * Why this chain cannot judge a transaction's post-conditions, or null.
 * @param {object} transaction
 */
export function unsupported({ postConditions, payload }) {
  if (postConditions.length && payload.kind === "token_transfer") {
    return "an STX transfer takes no post-conditions: a block with such a transaction would be invalid";
  }
  const strange = postConditions.find(
    ({ conditionType }) => conditionType !== PostConditionType.STX && conditionType !== PostConditionType.Fungible,
  );
  if (!strange) return null;
  return `this local chain does not model post-conditions of type ${PostConditionType[strange.conditionType]}`;
}

/**
 * The first post-condition that the events break, in words, or null where all hold.
 * @param {object} transaction
 * @param {{event: string, data: object}[]} events as the VM emitted them
 */
export function broken(transaction, events) {
  // A transfer names its amount itself; the mode does not bind it.
  if (transaction.payload.kind === "token_transfer") return null;
  const moved = movedBy(events);
  const covered = new Set();
  for (const condition of transaction.postConditions) {
    const key = keyOf(condition, transaction.origin);
    covered.add(key);
    const sum = moved.get(key) ?? 0n;
    if (!HOLDS[condition.conditionCode](sum, BigInt(condition.amount))) {
      return `${key} moved ${sum}, allowed is ${SIGNS[condition.conditionCode]} ${condition.amount}`;
    }
  }
  if (transaction.mode === PostConditionMode.Allow) return null;
  const bound = transaction.mode === PostConditionMode.Originator ? `${transaction.origin} ` : "";
  for (const [key, sum] of moved) {
    if (key.startsWith(bound) && !covered.has(key)) return `${key} moved ${sum}, no post-condition allows it`;
  }
  return null;
}

function movedBy(events) {
  const moved = new Map();
  for (const { event, data } of events) {
    const asset = MOVES[event]?.(data);
    if (!asset) continue;
    const key = `${data.sender} ${asset}`;
    moved.set(key, (moved.get(key) ?? 0n) + BigInt(data.amount ?? 1));
  }
  return moved;
}

function keyOf({ principal, conditionType, asset }, origin) {
  const who = principal.prefix === PostConditionPrincipalId.Origin ? origin : principalOf(principal);
  if (conditionType === PostConditionType.STX) return `${who} STX`;
  return `${who} ${addressToString(asset.address)}.${asset.contractName.content}::${asset.assetName.content}`;
}

function principalOf({ address, contractName }) {
  return addressToString(address) + (contractName ? `.${contractName.content}` : "");
}
