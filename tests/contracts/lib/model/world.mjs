// The contracts, said once more in the plainest way: rows in maps, one refusal after the other, in their order.
import { Cl } from "@stacks/transactions";
import { ZEROS } from "../values.mjs";
import * as disputes from "./disputes.mjs";
import * as gateway from "./gateway.mjs";
import * as identity from "./identity.mjs";
import * as lessons from "./lessons.mjs";
import * as market from "./market.mjs";
import * as panel from "./panel.mjs";
import * as pools from "./pools.mjs";
import * as ratings from "./ratings.mjs";
import * as recovery from "./recovery.mjs";
import * as settings from "./settings.mjs";
import { Store } from "./store.mjs";
import * as vault from "./vault.mjs";

const AREAS = [settings, identity, recovery, vault, pools, lessons, ratings, market, panel, disputes, gateway];
const TABLES = [
  "settings", "assets", "stewards", "counts", "persons", "keys", "adds", "circles", "recoveries", "balances", "wallets",
  "held", "volumes", "locks", "earmarks", "pools", "poolTutors", "paid", "lessons", "attendances", "moves", "classes",
  "presences", "ratings", "pairs", "totals", "offers", "offerKeys", "standing", "requests", "matches", "seats",
  "seatOf", "enrolled", "panel", "disputes", "disputeOffers", "votes", "spent", "voided",
];
const COUNTING = [
  "user-registry", "sponsor-pool", "class-manager", "session-manager", "reputation-tracker", "tutor-profile",
  "student-request", "matching-engine", "dispute-resolution", "action-gateway",
];
/** The fields of a statement that says nothing. */
export const EMPTY = {
  subject: ZEROS, who: null, amount: 0n, asset: null, moment: 0n, bits: 0n, content: ZEROS, expires: 0n,
};

export class World extends Store {
  /** Chain time (seconds) and burn height as the next call sees them. */
  now = 0n;
  burn = 0n;

  constructor(mesh) {
    super(TABLES);
    this.mesh = mesh;
    this.vault = `${mesh.deployer}.payment-escrow`;
    this.money = [null, mesh.hours];
    this.operations = Object.assign({}, ...AREAS.map((area) => area.operations));
    this.columns = new Map();
    settings.bootSettings(this);
    mesh.deploy("headers", "(define-read-only (at (height uint)) (get-burn-block-info? header-hash height))");
    for (const name of COUNTING) this.counts.set(name, mesh.read(name, "get-counts"));
  }

  /** The masks of columns of a kind, which a table of the contracts fixes. */
  columnsOf(kind) {
    if (!this.columns.has(kind)) {
      this.columns.set(kind, this.mesh.read("action-gateway", "get-columns", [Cl.stringAscii(kind)]));
    }
    return this.columns.get(kind);
  }

  /** The code of an operation from a wallet. */
  perform({ name, by, id, fields }) {
    return this.attempt(() => this.operations[name].does(this, by, id, { ...EMPTY, ...fields }, false));
  }

  /** The code that an operation would get now. */
  foresee({ name, by, fields }) {
    return this.ask(() => this.operations[name].does(this, by, "an id to be", { ...EMPTY, ...fields }, false));
  }

  /** The code of a signed operation in a batch. */
  submit(operation, token) {
    return gateway.submit(this, operation, token);
  }

  /** A batch of signed operations: their codes, in order. */
  submitAll(operations, token) {
    this.counts.add("action-gateway", { batches: 1n });
    return operations.map((operation) => gateway.submit(this, operation, token));
  }

  /** The hash of a burn header, once it is known. */
  headerAt(height) {
    return this.mesh.read("headers", "at", [height]);
  }

  /** What the locked balances must be: per person, the sum of the held locks of an asset. */
  lockedOf(asset) {
    const sums = new Map();
    for (const { payer, asset: of, amount, state } of this.locks.rows.values()) {
      if (of === asset && state === vault.HELD) sums.set(payer, (sums.get(payer) ?? 0n) + amount);
    }
    return sums;
  }

  balanceOf(who, asset) {
    return vault.balance(this, who, asset);
  }

  /** Whoever ever had a balance. */
  everybody() {
    return [...new Set([...this.balances.rows.keys()].map((place) => place.split(" ")[0]))];
  }
}
