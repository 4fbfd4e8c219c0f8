/**
 * From bytes to a transaction: decoding with the reference library, canonical form, signatures (SIP-005).
 *
 * The library reads past the end of its input without complaint, so a transaction counts as decoded only when it
 * encodes to the very same bytes again.
 */

import crypto from "node:crypto";

import {
  AuthType,
  PayloadType,
  addressFromPublicKeys,
  addressHashModeToVersion,
  addressToString,
  createStacksPublicKey,
  deserializePayload,
  deserializeTransaction,
  intoInitialSighashAuth,
  publicKeyFromSignatureVrs,
  serializeCVBytes,
  serializePayloadBytes,
  sigHashPreSign,
  verifyOrigin,
} from "@stacks/transactions";

import { SOURCE_BYTES_MAX, TRANSACTION_BYTES_MAX } from "./limits.mjs";

/** The bytes are no transaction. */
export class DecodeError extends Error {}
/** The transaction is not signed by whom it names. */
export class SignatureError extends Error {}

const NAME = /^[a-zA-Z]([a-zA-Z0-9]|[-_])*$/;
const FUNCTION_NAME = /^([a-zA-Z]([a-zA-Z0-9]|[-_!?+<>=/*])*|[-+=/*]|[<>]=?)$/;

/** What this chain executes of each payload type; the others are named so that they can be refused in words. */
const PAYLOADS = {
  [PayloadType.TokenTransfer]: (payload) => ({
    kind: "token_transfer",
    recipient: principalText(payload.recipient),
    amount: BigInt(payload.amount),
    memo: payload.memo.content,
  }),
  [PayloadType.ContractCall]: (payload) => ({
    kind: "contract_call",
    contractVersion: payload.contractAddress.version,
    contract: `${addressToString(payload.contractAddress)}.${checkName(payload.contractName.content)}`,
    functionName: checkName(payload.functionName.content, FUNCTION_NAME),
    args: payload.functionArgs,
    argBytes: payload.functionArgs.map((value) => serializeCVBytes(value)),
  }),
  [PayloadType.SmartContract]: (payload) => contractOf(payload),
  [PayloadType.VersionedSmartContract]: (payload) => contractOf(payload, payload.clarityVersion),
};

function contractOf(payload, clarityVersion) {
  const source = payload.codeBody.content;
  if (source.length > SOURCE_BYTES_MAX) throw new DecodeError(`source is longer than ${SOURCE_BYTES_MAX} bytes`);
  return { kind: "smart_contract", name: checkName(payload.contractName.content), source, clarityVersion };
}

function checkName(name, grammar = NAME) {
  if (name.length > 128 || !grammar.test(name)) throw new DecodeError(`invalid name ${JSON.stringify(name)}`);
  return name;
}

function principalText(value) {
  if (value.type !== "address" && value.type !== "contract") throw new DecodeError("the recipient is not a principal");
  return value.value;
}

/**
 * A transaction, decoded but not yet judged.
 * @param {Uint8Array} raw the bytes as received
 * @returns {object} txid, size, origin, originNonce, payer, payerNonce, sponsored, fee, mode, postConditions, payload
 * @throws {DecodeError}
 */
export function decode(raw) {
  if (raw.length > TRANSACTION_BYTES_MAX) throw new DecodeError(`longer than ${TRANSACTION_BYTES_MAX} bytes`);
  try {
    const wire = deserializeTransaction(raw);
    if (!Buffer.from(wire.serializeBytes()).equals(raw)) throw new DecodeError("the bytes are not canonical");
    const origin = wire.auth.spendingCondition;
    const sponsored = wire.auth.authType === AuthType.Sponsored;
    const payer = sponsored ? wire.auth.sponsorSpendingCondition : origin;
    const type = wire.payload.payloadType;
    return {
      wire,
      raw: Buffer.from(raw),
      size: raw.length,
      txid: txidOf(raw),
      transactionVersion: wire.transactionVersion,
      chainId: wire.chainId,
      sponsored,
      origin: addressOf(origin),
      originNonce: BigInt(origin.nonce),
      payer: addressOf(payer),
      payerNonce: BigInt(payer.nonce),
      fee: BigInt(payer.fee),
      anchorMode: wire.anchorMode,
      mode: wire.postConditionMode,
      postConditions: wire.postConditions.values,
      payload: PAYLOADS[type]?.(wire.payload) ?? { kind: PayloadType[type] },
    };
  } catch (error) {
    if (error instanceof DecodeError) throw error;
    throw new DecodeError(String(error?.message ?? error).slice(0, 200));
  }
}

/** What is kept of a mined transaction: all that its view shows. Values in memory weigh ten times their bytes. */
export function withoutWork(transaction) {
  const { wire, raw, postConditions, payload, ...kept } = transaction;
  const { args, ...shown } = payload;
  return { ...kept, payload: shown };
}

/** Id of a transaction: SHA-512/256 of its bytes, as hexadecimal. */
export function txidOf(raw) {
  return crypto.createHash("sha512-256").update(raw).digest("hex");
}

/** Number of bytes of a payload given as hexadecimal. @throws {DecodeError} */
export function payloadSize(hex) {
  try {
    const bytes = fromHex(hex);
    const payload = deserializePayload(bytes);
    if (Buffer.from(serializePayloadBytes(payload)).equals(bytes)) return bytes.length;
    throw new DecodeError("the bytes are not canonical");
  } catch (error) {
    throw error instanceof DecodeError ? error : new DecodeError(String(error?.message ?? error).slice(0, 200));
  }
}

/** Bytes of a hexadecimal text, with or without `0x`. @throws {DecodeError} */
export function fromHex(text) {
  const digits = typeof text === "string" ? text.replace(/^0x/, "") : "";
  if (!digits || digits.length % 2 || !/^[0-9a-fA-F]+$/.test(digits)) throw new DecodeError("not hexadecimal");
  return Buffer.from(digits, "hex");
}

/**
 * Checks the origin's and the sponsor's signatures (SIP-005, "Transaction signing and verifying").
 * @throws {SignatureError}
 */
export function verifySignatures({ wire, sponsored }) {
  try {
    const initial = Object.assign(Object.create(Object.getPrototypeOf(wire)), wire, {
      auth: intoInitialSighashAuth(wire.auth),
    }).txid();
    const afterOrigin = verifyOrigin(wire.auth, initial);
    if (sponsored) verifySponsor(wire.auth.sponsorSpendingCondition, afterOrigin);
  } catch (error) {
    throw new SignatureError(String(error?.message ?? error).slice(0, 200));
  }
}

/** The library signs for sponsors but does not verify them; this is its single-signature rule. */
function verifySponsor(condition, sighash) {
  if (!("signature" in condition)) throw new Error("this local chain takes single-signature sponsors only");
  const signed = sigHashPreSign(sighash, AuthType.Sponsored, condition.fee, condition.nonce);
  const key = publicKeyFromSignatureVrs(signed, condition.signature.data, condition.keyEncoding);
  const { hash160 } = addressFromPublicKeys(0, condition.hashMode, 1, [createStacksPublicKey(key)]);
  if (hash160 !== condition.signer) throw new Error(`sponsor is ${condition.signer}, signature is by ${hash160}`);
}

function addressOf(condition) {
  const version = addressHashModeToVersion(condition.hashMode, "testnet");
  return addressToString({ version, hash160: condition.signer });
}
