// Clarity values to plain JavaScript and back, so that a test reads like the sentence it proves.
import { Cl, ClarityType } from "@stacks/transactions";

/** A Clarity value as plain data: bigint, boolean, string, hex of a buffer, array, object, null, { ok } or { err }. */
export function plain(value) {
  switch (value.type) {
    case ClarityType.Int:
    case ClarityType.UInt:
      return BigInt(value.value);
    case ClarityType.BoolTrue:
      return true;
    case ClarityType.BoolFalse:
      return false;
    case ClarityType.OptionalNone:
      return null;
    case ClarityType.OptionalSome:
      return plain(value.value);
    case ClarityType.ResponseOk:
      return { ok: plain(value.value) };
    case ClarityType.ResponseErr:
      return { err: plain(value.value) };
    case ClarityType.List:
      return value.value.map(plain);
    case ClarityType.Tuple:
      return Object.fromEntries(Object.entries(value.value).map(([key, entry]) => [key, plain(entry)]));
    default:
      return value.value;
  }
}

/** An argument: bigint -> uint, boolean -> bool, null -> none, 64 hex digits -> buff 32, an address -> principal. */
export function argument(value) {
  if (typeof value === "bigint") return Cl.uint(value);
  if (typeof value === "boolean") return Cl.bool(value);
  if (value === null) return Cl.none();
  if (typeof value === "string") return /^[0-9a-f]{64}$/.test(value) ? Cl.bufferFromHex(value) : Cl.principal(value);
  return value;
}

/** An optional principal: none for null. */
export const maybe = (address) => (address === null ? Cl.none() : Cl.some(Cl.principal(address)));

export const ZEROS = "0".repeat(64);
