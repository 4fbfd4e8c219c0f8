// What the gateway asks of a signed action before its kind is looked at.
import { IDENTITY, isLasting, personOf, resolve } from "./identity.mjs";
import { INT_MAX, needs } from "./store.mjs";
import { ZEROS } from "../values.mjs";

const need = needs("action-gateway", "CODE");
const isZero = (value) => value === null || value === 0n || value === ZEROS;

/** Columns in the order of the bits in a kind's masks. */
const COLUMNS = ["subject", "who", "amount", "asset", "moment", "bits", "content"];

function check(w, { id, by, action: { fields } }) {
  need(["amount", "bits", "moment", "expires"].every((name) => fields[name] <= INT_MAX), "RANGE");
  need(!w.spent.has(id), "SPENT");
  need(!w.voided.has(`${by} ${id}`) && !w.voided.has(`${personOf(w, by)} ${id}`), "VOIDED");
  need(fields.expires >= w.now, "EXPIRED");
  const { must, may } = w.columnsOf(fields.action);
  const used = COLUMNS.reduce((mask, name, at) => (isZero(fields[name]) ? mask : mask | (1n << BigInt(at))), 0n);
  need((used | may) === may && (used & must) === must, "COLUMNS");
}

/** What a sum is set aside for, by the bits of its `escrow-lock`. */
const PURPOSES = ["fund", "pool-fund", "earmark"];

function operationOf(w, { action, bits, who }) {
  if (action !== "escrow-lock") return w.operations[action];
  const purpose = PURPOSES[Number(bits)];
  need(purpose !== undefined && (purpose === "fund" || who !== null), "COLUMNS");
  return w.operations[purpose];
}

/** The code of a signed operation in a batch, or in a batch of the token `token`. */
export function submit(w, operation, token) {
  return w.attempt(() => {
    check(w, operation);
    const { by, id, action: { fields } } = operation;
    const withdraws = fields.action === "escrow-withdraw";
    if (token) need(withdraws && fields.asset === token, "OTHER-TOKEN");
    else if (withdraws) need(fields.asset === null, "TOKEN-BATCH");
    operationOf(w, fields).does(w, by, id, fields, true);
    w.spent.set(id, true);
    w.counts.add("action-gateway", { actions: 1n });
  });
}

/** Take back an action before it settles: by a lasting key any of its person's, else the key's own. */
function voidAction(w, key, id) {
  const person = resolve(w, key, IDENTITY);
  need(!w.spent.has(id), "DONE-BEFORE");
  w.voided.set(`${isLasting(w.keys.get(key)) ? person : key} ${id}`, true);
}

export const operations = {
  "action-void": {
    direct: (f) => ["action-gateway", "void", [f.subject]],
    does: (w, key, id, f) => voidAction(w, key, f.subject),
  },
};
