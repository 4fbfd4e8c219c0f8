// The vault: balances, locks and earmarks.
import { checkDeposit, settings } from "./settings.mjs";
import { isPerson, MONEY, personOf, resolve } from "./identity.mjs";
import { INT_MAX, needs } from "./store.mjs";

const need = needs("payment-escrow");
export const [HELD, RELEASED, REFUNDED, SPLIT] = [0n, 1n, 2n, 3n];
const BPS = 10_000n;
const YEARS = 63_072_000n;

const place = (who, asset) => `${who} ${asset}`;
export const balance = (w, person, asset) => w.balances.get(place(person, asset)) ?? { free: 0n, locked: 0n };

function change(w, person, asset, free, locked = 0n) {
  const before = balance(w, person, asset);
  w.balances.set(place(person, asset), { free: before.free + free, locked: before.locked + locked });
}

const checkAmount = (amount) => need(amount > 0n && amount <= INT_MAX, "AMOUNT");
/** Only persons can use a balance, and no contract is one. */
const checkPerson = (who) => need(!who.includes(".") && who.startsWith("ST"), "RECIPIENT");
const checkRecipient = (w, who) => need(who !== w.vault && !who.startsWith("SP"), "RECIPIENT");

/** Pay `amount` from a wallet to a person, named by any key. */
export function deposit(w, payer, to, asset, amount) {
  if (asset !== null) checkDeposit(w, asset);
  checkAmount(amount);
  checkPerson(to);
  if (asset === null) checkDeposit(w, asset);
  const wallet = w.wallets.get(place(payer, asset)) ?? 0n;
  need(wallet >= amount, "TRANSFER");
  w.wallets.set(place(payer, asset), wallet - amount);
  w.wallets.add(place(w.vault, asset), amount);
  change(w, personOf(w, to), asset, amount);
  w.held.add(asset, amount);
}

/** Bring what was paid to a key before it was a person's further key to that person. */
export function sweep(w, key, asset) {
  const person = personOf(w, key);
  const { free } = balance(w, key, asset);
  need(free > 0n && person !== key, "FUNDS");
  change(w, key, asset, -free);
  change(w, person, asset, free);
}

/** Take `amount` out to `to`, or to the key itself; a relay that carried it keeps its fee in the vault. */
export function withdraw(w, key, asset, amount, to, carried) {
  const recipient = to ?? key;
  checkAmount(amount);
  checkRecipient(w, recipient);
  const person = resolve(w, key, MONEY, amount, asset);
  need(balance(w, person, asset).free >= amount, "FUNDS");
  const { "relay-fee-bps": bps, "relay-fee-to": relay } = settings(w);
  const kept = carried ? (amount * bps) / BPS : 0n;
  change(w, person, asset, -amount);
  if (kept > 0n) change(w, personOf(w, relay), asset, kept);
  w.held.add(asset, kept - amount);
  w.wallets.add(place(w.vault, asset), kept - amount);
  w.wallets.add(place(recipient, asset), amount - kept);
}

export function lock(w, id, payer, asset, amount) {
  checkAmount(amount);
  need(!w.locks.has(id), "LOCK-EXISTS");
  need(balance(w, payer, asset).free >= amount, "FUNDS");
  w.locks.set(id, { payer, asset, amount, state: HELD, origin: null });
  change(w, payer, asset, -amount, amount);
}

export function draw(w, from, id, amount) {
  need(w.locks.has(from), "LOCK-UNKNOWN");
  const source = w.locks.get(from);
  checkAmount(amount);
  need(source.state === HELD, "LOCK-SETTLED");
  need(source.amount >= amount, "FUNDS");
  need(!w.locks.has(id), "LOCK-EXISTS");
  w.locks.set(id, { ...source, amount, origin: from });
  w.locks.set(from, { ...source, amount: source.amount - amount });
}

function settle(w, id, state, to, bps) {
  need(w.locks.has(id), "LOCK-UNKNOWN");
  const { payer, asset, amount, origin, state: before } = w.locks.get(id);
  need(before === HELD, "LOCK-SETTLED");
  const part = (amount * bps) / BPS;
  const rest = amount - part;
  const back = w.locks.get(origin);
  w.locks.merge(id, { state });
  if (rest > 0n && back?.state === HELD) {
    w.locks.set(origin, { ...back, amount: back.amount + rest });
    change(w, payer, asset, 0n, -part);
  } else change(w, payer, asset, rest, -amount);
  if (part === 0n) return;
  change(w, to, asset, part);
  w.volumes.add(asset, part);
}

export const release = (w, id, to) => settle(w, id, RELEASED, to, BPS);
export const refund = (w, id) => settle(w, id, REFUNDED, null, 0n);
export const split = (w, id, to, bps) => settle(w, id, SPLIT, to, bps);

/** Put free money of `from` into a held lock. */
export function add(w, id, from, amount) {
  need(w.locks.has(id), "LOCK-UNKNOWN");
  const { payer, asset, state, amount: before } = w.locks.get(id);
  checkAmount(amount);
  need(state === HELD, "LOCK-SETTLED");
  need(balance(w, from, asset).free >= amount, "FUNDS");
  w.locks.merge(id, { amount: before + amount });
  change(w, from, asset, -amount);
  change(w, payer, asset, 0n, amount);
}

export function earmark(w, key, id, tutor, asset, amount, until) {
  const payer = resolve(w, key, MONEY, amount, asset);
  need(until > w.now && until <= w.now + YEARS, "UNTIL");
  need(payer !== tutor, "SAME-PERSON");
  need(isPerson(w, tutor), "TUTOR-UNKNOWN");
  lock(w, id, payer, asset, amount);
  w.earmarks.set(id, { tutor, until });
}

export function drawEarmark(w, from, id, payer, tutor, asset, amount) {
  need(w.earmarks.has(from), "EARMARK-UNKNOWN");
  const source = w.locks.get(from);
  need(payer === source.payer && tutor === w.earmarks.get(from).tutor && asset === source.asset, "EARMARK");
  draw(w, from, id, amount);
}

export function returnEarmark(w, key, id) {
  need(w.earmarks.has(id), "EARMARK-UNKNOWN");
  const { tutor, until } = w.earmarks.get(id);
  if (w.now <= until) need(resolve(w, key, MONEY, 0n, null) === tutor, "NOT-TUTOR");
  refund(w, id);
}

const CONTRACT = "payment-escrow";
const token = (method, asset, args) =>
  (asset === null ? [CONTRACT, method, args] : [CONTRACT, `${method}-ft`, [asset, ...args]]);

/** How each operation is done from a wallet, and what it does. */
export const operations = {
  deposit: {
    wallet: true,
    direct: (f) => token("deposit-for", f.asset, [f.who, f.amount]),
    does: (w, key, id, f) => deposit(w, key, f.who, f.asset, f.amount),
  },
  sweep: {
    wallet: true,
    direct: (f, _, some) => [CONTRACT, "sweep", [f.who, some(f.asset)]],
    does: (w, key, id, f) => sweep(w, f.who, f.asset),
  },
  "escrow-withdraw": {
    direct: (f, _, some) => token("withdraw", f.asset, [f.amount, some(f.who)]),
    does: (w, key, id, f, carried) => withdraw(w, key, f.asset, f.amount, f.who, carried),
  },
  earmark: {
    kind: "escrow-lock",
    direct: (f, salt, some) => [CONTRACT, "earmark", [salt, f.who, some(f.asset), f.amount, f.moment]],
    does: (w, key, id, f) => earmark(w, key, id, f.who, f.asset, f.amount, f.moment),
  },
  "escrow-return": {
    direct: (f) => [CONTRACT, "earmark-return", [f.subject]],
    does: (w, key, id, f) => returnEarmark(w, key, f.subject),
  },
};
