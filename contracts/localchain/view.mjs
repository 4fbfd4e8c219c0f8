/**
 * A transaction as the Hiro API shows it (`/extended/v1/tx`), from a record of the chain. Deviations: function
 * arguments come as hexadecimal and `repr` without types, and the fields of microblocks are left out.
 */

import { PostConditionMode, cvToString, deserializeCV } from "@stacks/transactions";


const MODES = {
  [PostConditionMode.Allow]: "allow",
  [PostConditionMode.Deny]: "deny",
  [PostConditionMode.Originator]: "originator",
};
const ANCHOR_MODES = { 1: "on_chain_only", 2: "off_chain_only", 3: "any" };
const COSTS = ["read_count", "read_length", "runtime", "write_count", "write_length"];

const iso = (seconds) => new Date(seconds * 1000).toISOString();
const prefixed = (hex) => (hex.startsWith("0x") ? hex : `0x${hex}`);

/** A Clarity value as hexadecimal and as text. */
export function valueView(hex) {
  return { hex: prefixed(hex), repr: cvToString(deserializeCV(hex.replace(/^0x/, ""))) };
}

const PAYLOAD_VIEWS = {
  token_transfer: ({ payload }) => ({
    token_transfer: {
      recipient_address: payload.recipient,
      amount: String(payload.amount),
      memo: `0x${Buffer.from(payload.memo).toString("hex").padEnd(68, "0")}`,
    },
  }),
  contract_call: ({ payload }) => ({
    contract_call: {
      contract_id: payload.contract,
      function_name: payload.functionName,
      function_args: payload.argBytes.map((bytes) => valueView(Buffer.from(bytes).toString("hex"))),
    },
  }),
  smart_contract: ({ payload, origin }) => ({
    smart_contract: {
      clarity_version: payload.clarityVersion ?? null,
      contract_id: `${origin}.${payload.name}`,
      source_code: payload.source,
    },
  }),
};

/** VM event -> Hiro event: its type, and the field that holds its particulars. */
const EVENT_VIEWS = {
  print_event: (data) => ({
    event_type: "smart_contract_log",
    contract_log: {
      contract_id: data.contract_identifier,
      topic: data.topic,
      value: valueView(data.raw_value),
    },
  }),
  ...assetEvents("stx", "stx_asset", (data) => (data.memo === undefined ? {} : { memo: prefixed(data.memo) })),
  ...assetEvents("ft", "fungible_token_asset", (data) => ({ asset_id: data.asset_identifier })),
  ...assetEvents("nft", "non_fungible_token_asset", (data) => ({
    asset_id: data.asset_identifier,
    value: valueView(data.raw_value),
  })),
};

function assetEvents(prefix, eventType, particulars) {
  return Object.fromEntries(
    ["transfer", "mint", "burn"].map((verb) => [
      `${prefix}_${verb}_event`,
      (data) => ({
        event_type: eventType,
        asset: {
          asset_event_type: verb,
          sender: data.sender ?? "",
          recipient: data.recipient ?? "",
          ...(data.amount === undefined ? {} : { amount: String(data.amount) }),
          ...particulars(data),
        },
      }),
    ]),
  );
}

/** The record of one transaction as JSON. */
export function transactionView(record) {
  const { transaction, receivedAt, status, replacedBy, block } = record;
  return {
    tx_id: `0x${transaction.txid}`,
    nonce: Number(transaction.originNonce),
    fee_rate: String(transaction.fee),
    sender_address: transaction.origin,
    sponsored: transaction.sponsored,
    ...(transaction.sponsored
      ? { sponsor_address: transaction.payer, sponsor_nonce: Number(transaction.payerNonce) }
      : {}),
    post_condition_mode: MODES[transaction.mode],
    anchor_mode: ANCHOR_MODES[transaction.anchorMode],
    tx_status: status,
    tx_type: transaction.payload.kind,
    receipt_time: receivedAt,
    receipt_time_iso: iso(receivedAt),
    ...PAYLOAD_VIEWS[transaction.payload.kind](transaction),
    ...(replacedBy ? { replaced_by_tx_id: `0x${replacedBy}` } : {}),
    ...(block ? minedView(record) : {}),
  };
}

function minedView({ transaction, block, index, outcome }) {
  const events = outcome.events.map(({ event, data }, i) => ({
    event_index: i,
    tx_id: `0x${transaction.txid}`,
    ...(EVENT_VIEWS[event]?.(data) ?? { event_type: event, data }),
  }));
  return {
    canonical: true,
    is_unanchored: false,
    block_hash: `0x${block.hash}`,
    parent_block_hash: `0x${block.parent}`,
    block_height: block.height,
    block_time: block.time,
    block_time_iso: iso(block.time),
    burn_block_height: block.burnHeight,
    burn_block_time: block.burnTime,
    burn_block_time_iso: iso(block.burnTime),
    tx_index: index,
    tx_result: valueView(outcome.result),
    event_count: events.length,
    events,
    ...Object.fromEntries(COSTS.map((kind) => [`execution_cost_${kind}`, outcome.cost[kind] ?? 0])),
    ...(outcome.vmError ? { vm_error: outcome.vmError } : {}),
  };
}

/** The account nonces of a principal as the Hiro API shows them (`/extended/v1/address/.../nonces`). */
export function noncesView(accountNonce, pending, principal) {
  const waiting = pending
    .flatMap((held) => [
      ...(held.origin === principal ? [Number(held.originNonce)] : []),
      ...(held.sponsored && held.payer === principal ? [Number(held.payerNonce)] : []),
    ])
    .sort((a, b) => a - b);
  const current = Number(accountNonce);
  const last = waiting.at(-1) ?? null;
  const known = new Set(waiting);
  const missing = [];
  for (let nonce = current; last !== null && nonce < last; nonce += 1) if (!known.has(nonce)) missing.push(nonce);
  return {
    last_executed_tx_nonce: current > 0 ? current - 1 : null,
    last_mempool_tx_nonce: last,
    possible_next_nonce: Math.max(current, last === null ? 0 : last + 1),
    detected_missing_nonces: missing.reverse(),
    detected_mempool_nonces: waiting,
  };
}
