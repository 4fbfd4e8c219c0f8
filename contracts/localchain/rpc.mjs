/**
 * The node's RPC and the few routes of the Hiro API that a relay uses, as one table. Answers have the node's shapes:
 * refusals are JSON with a reason, unknown things are text with status 404.
 */

import { deserializeCV, serializeCVBytes, validateStacksAddress } from "@stacks/transactions";

import { Rejection } from "./admission.mjs";
import { TypeMismatch, checkArguments } from "./interface-check.mjs";
import { CHAIN_ID, FEE_ESTIMATE_MULTIPLES } from "./limits.mjs";
import { DecodeError, fromHex, payloadSize, txidOf } from "./transaction.mjs";
import { noncesView, transactionView } from "./view.mjs";
import { VmError } from "./vm.mjs";

/** An answer: status, and a text or a JSON body. */
export const json = (body, status = 200) => ({ status, body });
export const text = (body, status) => ({ status, text: body });

const PEER_VERSION = 402_653_200;
const PARENT_NETWORK_ID = 3_669_344_250;
const SERVER_VERSION = "hubd-localchain 1 (Clarity VM of clarinet 3.21, epoch 4.0)";

const CONTRACT_NAME = /^[a-zA-Z][a-zA-Z0-9_-]{0,127}$/;

/** A testnet principal, standard or contract. */
function isPrincipal(given) {
  const [address, name, ...rest] = given.split(".");
  const named = name === undefined || CONTRACT_NAME.test(name);
  return !rest.length && named && /^S[TN]/.test(address) && validateStacksAddress(address);
}

const hex128 = (value) => `0x${value.toString(16).padStart(32, "0")}`;

/** Routes: method, path with `:parameters`, answer. */
export const NODE_ROUTES = [
  ["GET", "/v2/info", info],
  ["GET", "/v2/accounts/:principal", account],
  ["POST", "/v2/transactions", postTransaction],
  ["POST", "/v2/fees/transaction", estimateFee],
  ["POST", "/v2/contracts/call-read/:address/:name/:function", callRead],
  ["GET", "/v2/contracts/interface/:address/:name", contractInterface],
  ["GET", "/v2/contracts/source/:address/:name", contractSource],
  ["GET", "/extended/v1/tx/:txid", transaction],
  ["GET", "/extended/v1/address/:principal/nonces", nonces],
];

function info({ chain }) {
  const { tip } = chain;
  return json({
    peer_version: PEER_VERSION,
    burn_block_height: tip.burnHeight,
    stable_burn_block_height: tip.burnHeight,
    server_version: SERVER_VERSION,
    network_id: CHAIN_ID,
    parent_network_id: PARENT_NETWORK_ID,
    stacks_tip_height: tip.height,
    stacks_tip: tip.hash,
    stacks_tip_consensus_hash: tip.hash.slice(0, 40),
    tenure_height: tip.burnHeight,
    is_fully_synced: true,
  });
}

function account({ chain, params, query }) {
  if (!isPrincipal(params.principal)) return text("not a principal", 404);
  const proofs = query.get("proof") === "0" ? {} : { balance_proof: "", nonce_proof: "" };
  return json({
    balance: hex128(chain.balance(params.principal)),
    locked: hex128(0n),
    unlock_height: 0,
    nonce: Number(chain.accountNonce(params.principal)),
    ...proofs,
  });
}

function postTransaction({ chain, body, contentType, now }) {
  const kinds = { "application/octet-stream": () => body, "application/json": () => fromHex(parseJson(body).tx) };
  const read = kinds[contentType];
  if (!read) return text(`Wrong Content-Type for transaction; expected ${Object.keys(kinds).join(" or ")}`, 400);
  if (!body.length) return text("Invalid Http request: expected non-zero-length body for PostTransaction", 400);
  let raw;
  try {
    raw = read();
    return json(chain.admit(raw, now));
  } catch (error) {
    if (error instanceof DecodeError) return text(`Failed to deserialize posted transaction: ${error.message}`, 400);
    if (error instanceof Rejection) return rejected(error, txidOf(raw));
    throw error;
  }
}

/** A refusal in stacks-core's shape (`MemPoolRejection::into_json`). */
export function rejected({ reason, data }, txid) {
  const known = { ...(txid ? { txid } : {}), error: "transaction rejected", reason };
  return json(data === undefined ? known : { ...known, reason_data: data }, 400);
}

function estimateFee({ body }) {
  const { transaction_payload: payload, estimated_len: length } = parseJson(body);
  const size = Math.max(payloadSize(payload), Number.isInteger(length) ? length : 0);
  return json({
    estimated_cost: { runtime: 0, read_count: 0, read_length: 0, write_count: 0, write_length: 0 },
    estimated_cost_scalar: size,
    cost_scalar_change_by_byte: 1,
    estimations: FEE_ESTIMATE_MULTIPLES.map((multiple) => ({ fee: size * multiple, fee_rate: multiple })),
  });
}

function callRead({ chain, params, body }) {
  const { sender, arguments: given } = parseJson(body);
  if (typeof sender !== "string" || !isPrincipal(sender)) throw new DecodeError("sender is not a principal");
  if (!Array.isArray(given)) throw new DecodeError("arguments is not a list");
  const values = given.map((hex) => decodeValue(hex));
  const contract = `${params.address}.${params.name}`;
  const refuse = (cause) => json({ okay: false, cause });
  const face = chain.interfaceOf(contract);
  if (!face) return refuse(`Unchecked(NoSuchContract("${contract}"))`);
  const called = face.functions.find(({ name }) => name === params.function);
  if (!called) return refuse(`Unchecked(UndefinedFunction("${params.function}"))`);
  if (called.access !== "read_only") return refuse("NotReadOnly");
  try {
    checkArguments(called.args, values, (name) => Boolean(chain.interfaceOf(name)));
    const args = values.map((value) => serializeCVBytes(value));
    return json({ okay: true, result: chain.callReadOnly(contract, called.name, args, standard(sender)) });
  } catch (error) {
    if (error instanceof TypeMismatch) return refuse(`Unchecked(${error.message})`);
    if (error instanceof VmError) return refuse(error.message);
    throw error;
  }
}

/** The VM takes no contract as a sender; its deployer stands in. */
const standard = (principal) => principal.split(".")[0];

function contractInterface({ chain, params }) {
  const face = chain.interfaceOf(`${params.address}.${params.name}`);
  return face ? json(face) : text("No contract interface data found", 404);
}

function contractSource({ chain, params }) {
  const contract = `${params.address}.${params.name}`;
  const source = chain.interfaceOf(contract) && chain.sourceOf(contract);
  if (!source) return text("No contract source data found", 404);
  return json({ source, publish_height: chain.deployedAt(contract)?.height ?? 0 });
}

function transaction({ chain, params }) {
  const txid = params.txid.replace(/^0x/, "").toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(txid)) return json({ error: "params/tx_id must match pattern" }, 400);
  const record = chain.record(txid);
  return record ? json(transactionView(record)) : json({ error: "could not find transaction by ID" }, 404);
}

function nonces({ chain, params }) {
  if (!isPrincipal(params.principal)) return json({ error: "invalid STX address" }, 400);
  return json(noncesView(chain.accountNonce(params.principal), chain.pending(), params.principal));
}

/** The object that a JSON body holds. @throws {DecodeError} */
export function parseJson(body) {
  let value;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    throw new DecodeError("the body is not JSON");
  }
  if (value === null || typeof value !== "object") throw new DecodeError("the body is not a JSON object");
  return value;
}

function decodeValue(hex) {
  const bytes = fromHex(hex);
  let value;
  try {
    value = deserializeCV(bytes);
    if (Buffer.from(serializeCVBytes(value)).equals(bytes)) return value;
  } catch {
    throw new DecodeError("an argument is not a Clarity value");
  }
  throw new DecodeError("an argument is not canonical Clarity bytes");
}
