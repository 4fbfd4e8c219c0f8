/**
 * Faults that a test asks for: the ways in which a node, or the line to it, fails a relay.
 *
 * A rule waits for the next request to its route, acts on it, and is used up after `times` requests.
 *   {"on": "POST /v2/transactions", "do": "reject", "reason": "ServerFailureDatabase", "times": 2}
 */

import { FAULTS_MAX, FAULT_DELAY_MS_MAX } from "./limits.mjs";

/** A rule that makes no sense. */
export class FaultError extends Error {}

const isWhole = (value, min, max) => Number.isInteger(value) && value >= min && value <= max;

/** What a fault does, and which fields it needs: name -> check. */
const DEEDS = {
  /** Refuse the transaction as a node would, with `reason` and optional `reason_data`. */
  reject: ({ reason }) => typeof reason === "string" && reason.length > 0,
  /** Answer with an HTTP `status` and, where given, `retry_after` seconds. */
  status: ({ status }) => isWhole(status, 400, 599),
  /** Wait `ms` before doing the work. */
  delay: ({ ms }) => isWhole(ms, 1, FAULT_DELAY_MS_MAX),
  /** Do the work, then close the connection without an answer. */
  lose: () => true,
  /** Close the connection without doing the work. */
  close: () => true,
};

export class Faults {
  #rules = [];

  /** Rules that still wait. */
  list() {
    return this.#rules;
  }

  clear() {
    this.#rules = [];
  }

  /**
   * Adds a rule. `on` is a method and the beginning of a path; `times` defaults to one.
   * @throws {FaultError}
   */
  add(rule) {
    const { on, do: deed, times = 1 } = rule ?? {};
    if (this.#rules.length >= FAULTS_MAX) throw new FaultError(`at most ${FAULTS_MAX} faults may wait`);
    if (typeof on !== "string" || !/^[A-Z]+ \//.test(on)) throw new FaultError('"on" is a method and a path');
    if (!Object.hasOwn(DEEDS, deed)) throw new FaultError(`"do" is one of ${Object.keys(DEEDS).join(", ")}`);
    if (!DEEDS[deed](rule)) throw new FaultError(`"${deed}" lacks a field, or it is out of range`);
    if (!isWhole(times, 1, 1_000_000)) throw new FaultError('"times" is a whole number from 1');
    this.#rules.push({ ...rule, times });
  }

  /** Takes the fault for a request, or undefined. */
  take(method, path) {
    const rule = this.#rules.find(({ on }) => `${method} ${path}`.startsWith(on));
    if (!rule) return undefined;
    rule.times -= 1;
    if (!rule.times) this.#rules = this.#rules.filter((other) => other !== rule);
    return rule;
  }
}
