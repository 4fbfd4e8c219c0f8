// Actions as a phone makes them: statement, id and signature, by the reference library and not by the code under test.
import { createHash } from "node:crypto";
import {
  Cl, encodeStructuredDataBytes, getAddressFromPrivateKey, serializeCVBytes, signStructuredData,
} from "@stacks/transactions";
import { maybe, ZEROS } from "./values.mjs";

export const TESTNET_CHAIN_ID = 0x80000000;
const YEAR_SECONDS = 31_536_000n;

export const sha256 = (...parts) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};

/** A key pair that is the same in every run: { name, key (hex, compressed), address }. */
export function person(name) {
  const key = sha256(`hubd test person ${name}`) + "01";
  return { name, key, address: getAddressFromPrivateKey(key, "testnet") };
}

/** The id of an operation that a wallet makes directly. */
export const directId = (actor, op, salt) =>
  sha256(serializeCVBytes(Cl.tuple({
    actor: Cl.principal(actor), op: Cl.stringAscii(op), salt: Cl.bufferFromHex(salt),
  })));

/** The domain of a mesh, as a Clarity tuple. */
export function domain(access, chainId = TESTNET_CHAIN_ID) {
  return Cl.tuple({
    "chain-id": Cl.uint(chainId),
    mesh: Cl.principal(access),
    name: Cl.stringAscii("hubd"),
    version: Cl.stringAscii("1"),
  });
}

/** The twelve fields of a statement as a Clarity tuple. */
export function statementTuple(fields) {
  return Cl.tuple({
    action: Cl.stringAscii(fields.action),
    amount: Cl.uint(fields.amount),
    asset: maybe(fields.asset),
    author: Cl.principal(fields.author),
    bits: Cl.uint(fields.bits),
    content: Cl.bufferFromHex(fields.content),
    created: Cl.uint(fields.created),
    expires: Cl.uint(fields.expires),
    moment: Cl.uint(fields.moment),
    salt: Cl.bufferFromHex(fields.salt),
    subject: Cl.bufferFromHex(fields.subject),
    who: maybe(fields.who),
  });
}

/** One element of a batch from its statement and its signature. */
export const item = (statement, signature) =>
  Cl.tuple({ signature: Cl.bufferFromHex(signature), statement });

/** What `rating-seal` must carry as content for a later `rating-open` with these fields. */
export const seal = ({ amount, bits = 0n, content = ZEROS, subject }) =>
  sha256(serializeCVBytes(Cl.tuple({
    amount: Cl.uint(amount), bits: Cl.uint(bits), content: Cl.bufferFromHex(content),
    subject: Cl.bufferFromHex(subject),
  })));

let salts = 0;

/**
 * A signed action: { id, item, fields, signer, signature }. Fields not named are empty; `created` and `expires` count
 * from `now`.
 * `author` may be named apart from the signer, to forge.
 */
export function action(access, signer, now, fields, chainId = TESTNET_CHAIN_ID) {
  const full = {
    amount: 0n, asset: null, author: signer.address, bits: 0n, content: ZEROS, created: now,
    expires: now + YEAR_SECONDS, moment: 0n, salt: (++salts).toString(16).padStart(16, "0"), subject: ZEROS,
    who: null, ...fields,
  };
  const message = statementTuple(full);
  const signed = { message, domain: domain(access, chainId) };
  const id = sha256(encodeStructuredDataBytes(signed));
  const signature = signStructuredData({ ...signed, privateKey: signer.key });
  return { id, fields: full, signer, signature, item: item(message, signature) };
}
