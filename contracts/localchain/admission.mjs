/**
 * What a node lets into its mempool, in stacks-core's order and with its reasons (`can_admit_mempool_semantic`,
 * `can_include_tx`, `MemPoolRejection::into_json`). Where this chain refuses more than a node does, the reason is
 * `ServerFailureOther` and the message says that it is this chain's doing.
 */

import {
  ADDRESS_VERSIONS,
  AMOUNT_USTX_MAX,
  CHAINING_MAX,
  CHAIN_ID,
  FEE_USTX_PER_BYTE_MIN,
  TRANSACTION_VERSION,
} from "./limits.mjs";
import { checkArguments, TypeMismatch } from "./interface-check.mjs";
import { unsupported } from "./postconditions.mjs";
import { SignatureError, verifySignatures } from "./transaction.mjs";

/** The node says no. `reason` is stacks-core's word; `data` goes out as `reason_data`. */
export class Rejection extends Error {
  constructor(reason, data) {
    super(reason);
    this.reason = reason;
    this.data = data;
  }
}

const hex128 = (value) => `0x${value.toString(16).padStart(32, "0")}`;
const notEnough = (expected, actual) =>
  new Rejection("NotEnoughFunds", { expected: hex128(expected), actual: hex128(actual) });

/** c32 version of an address, from its second character (c32check). */
const versionOf = (address) => "0123456789ABCDEFGHJKMNPQRSTVWXYZ".indexOf(address[1]);

/** Checks in order; each throws a Rejection or returns. */
const CHECKS = [checkSemantics, checkSigned, checkFee, checkNonces, checkFunds, checkPayload, checkModelled];

/**
 * Judges a decoded transaction against the tip.
 * @param {object} transaction
 * @param {{balance: Function, accountNonce: Function, interfaceOf: Function}} state the chain at its tip
 * @throws {Rejection}
 */
export function judge(transaction, state) {
  for (const check of CHECKS) check(transaction, state);
}

function checkSemantics({ transactionVersion, origin, payload }) {
  if (transactionVersion !== TRANSACTION_VERSION) throw new Rejection("BadTransactionVersion");
  if (payload.kind !== "token_transfer") return;
  if (payload.recipient === origin) {
    throw new Rejection("TransferRecipientCannotEqualSender", { recipient: origin });
  }
  if (payload.amount === 0n) throw new Rejection("TransferAmountMustBePositive");
  if (!ADDRESS_VERSIONS.includes(versionOf(payload.recipient))) throw new Rejection("BadAddressVersionByte");
}

function checkSigned(transaction) {
  if (transaction.chainId !== CHAIN_ID) {
    throw new Rejection("SignatureValidation", { message: `chain id is ${CHAIN_ID}, not ${transaction.chainId}` });
  }
  try {
    verifySignatures(transaction);
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    throw new Rejection("SignatureValidation", { message: error.message });
  }
}

function checkFee({ fee, size }) {
  const expected = FEE_USTX_PER_BYTE_MIN * BigInt(size);
  if (fee < expected) throw new Rejection("FeeTooLow", { expected: Number(expected), actual: Number(fee) });
}

function checkNonces(transaction, state) {
  const parties = [[transaction.origin, transaction.originNonce, true]];
  if (transaction.sponsored) parties.push([transaction.payer, transaction.payerNonce, false]);
  for (const [principal, actual, isOrigin] of parties) {
    const at = { actual: Number(actual), principal, is_origin: isOrigin };
    const expected = state.accountNonce(principal);
    if (actual < expected) throw new Rejection("BadNonce", { expected: Number(expected), ...at });
    const max = expected + 1n + CHAINING_MAX;
    if (actual > max) {
      const message = "Nonce would exceed chaining limit in mempool";
      throw new Rejection("TooMuchChaining", { message, expected: Number(max), ...at });
    }
  }
}

function checkFunds({ origin, payer, fee, payload }, state) {
  const moved = payload.kind === "token_transfer" ? payload.amount : 0n;
  const spent = origin === payer ? moved + fee : moved;
  const free = state.balance(origin);
  if (spent > free) throw notEnough(spent, free);
  if (origin !== payer && fee > state.balance(payer)) throw notEnough(fee, state.balance(payer));
}

/** By payload: whether the chain can run it at all. */
const PAYLOAD_CHECKS = {
  token_transfer: ({ payload }) => {
    if (payload.amount > AMOUNT_USTX_MAX) throw other(`this local chain moves at most ${AMOUNT_USTX_MAX} uSTX at once`);
  },
  contract_call: ({ payload }, state) => {
    if (!ADDRESS_VERSIONS.includes(payload.contractVersion)) throw new Rejection("BadAddressVersionByte");
    const face = state.interfaceOf(payload.contract);
    if (!face) throw new Rejection("NoSuchContract");
    const called = face.functions.find(({ name, access }) => name === payload.functionName && access === "public");
    if (!called) throw new Rejection("NoSuchPublicFunction");
    try {
      checkArguments(called.args, payload.args, (contract) => Boolean(state.interfaceOf(contract)));
    } catch (error) {
      if (!(error instanceof TypeMismatch)) throw error;
      throw new Rejection("BadFunctionArgument", { message: error.message });
    }
  },
  smart_contract: ({ origin, payload }, state) => {
    const contract = `${origin}.${payload.name}`;
    if (state.interfaceOf(contract)) throw new Rejection("ContractAlreadyExists", { contract_identifier: contract });
  },
  Coinbase: () => {
    throw new Rejection("NoCoinbaseViaMempool");
  },
  CoinbaseToAltRecipient: () => {
    throw new Rejection("NoCoinbaseViaMempool");
  },
  NakamotoCoinbase: () => {
    throw new Rejection("NoCoinbaseViaMempool");
  },
  TenureChange: () => {
    throw new Rejection("NoTenureChangeViaMempool");
  },
};

function checkPayload(transaction, state) {
  const { kind } = transaction.payload;
  if (!PAYLOAD_CHECKS[kind]) throw other(`${kind} transactions not accepted via mempool`);
  PAYLOAD_CHECKS[kind](transaction, state);
}

function checkModelled(transaction) {
  if (transaction.fee > AMOUNT_USTX_MAX) throw other(`this local chain takes fees of at most ${AMOUNT_USTX_MAX} uSTX`);
  const why = unsupported(transaction);
  if (why) throw other(why);
}

/** A refusal that stacks-core has no name for. */
export function other(message) {
  return new Rejection("ServerFailureOther", { message });
}
