// The panel: whose seat is which, since when, and who is drawn.
import { sha256 } from "../action.mjs";
import { Cl, serializeCVBytes } from "@stacks/transactions";
import { isPerson } from "./identity.mjs";
import { settings } from "./settings.mjs";
import { needs } from "./store.mjs";

const need = needs("panel");
const DRAWS = 24;
const ARBITERS = 3;
const TURNS_MAX = 8;

const state = (w) => w.panel.get("all") ?? { size: 0n, left: [], lastVote: 0n };
const bytes = (hex) => Buffer.from(hex, "hex");

export const isEnrolled = (w, who) => w.enrolled.get(who) === true;
const isNear = (home, homes) => home !== null && homes.includes(home);
const isTaken = ({ turns }) => turns.length % 2 === 1;
/** Whether who sits there since these turns sat there at `time`. */
const satAt = (turns, time) => turns.filter((turn) => turn <= time).length % 2 === 1;

export const mayMediate = (w, who, homes) => isEnrolled(w, who) && !isNear(w.seats.get(w.seatOf.get(who)).home, homes);

/** The turns of a seat when `who` takes it now, null where that can't be. */
function turnsOn(w, seat, who) {
  const row = w.seats.get(seat);
  if (!row || isTaken(row)) return null;
  if (w.now > row.kept) return [w.now];
  return row.who === who && row.turns.length < TURNS_MAX ? [...row.turns, w.now] : null;
}

function setPanel(w, key, who, on) {
  need(w.stewards.has(key) || settings(w).owner === key, "NOT-STEWARD");
  const { size, left, lastVote } = state(w);
  if (on) {
    need(isPerson(w, who), "PERSON-UNKNOWN");
    need(!isEnrolled(w, who), "ENROLLED");
    const seat = [w.seatOf.get(who), left[0]].find((one) => turnsOn(w, one, who)) ?? size;
    w.seats.set(seat, { who, home: w.persons.get(who).home, turns: turnsOn(w, seat, who) ?? [w.now], kept: 0n });
    w.seatOf.set(who, seat);
    const isUsedUp = left.length > 0 && isTaken(w.seats.get(left[0]));
    w.panel.set("all", { size: seat === size ? size + 1n : size, left: isUsedUp ? left.slice(1) : left, lastVote });
  } else {
    need(isEnrolled(w, who), "NOT-ENROLLED");
    const seat = w.seatOf.get(who);
    w.seats.merge(seat, { turns: [...w.seats.get(seat).turns, w.now], kept: lastVote });
    w.panel.set("all", { size, left: [...left, seat], lastVote });
  }
  w.enrolled.set(who, on);
}

/** A dispute is opened that may hear votes until then: the number of seats to draw from. */
export function bind(w, until) {
  const { size, left, lastVote } = state(w);
  w.panel.set("all", { size, left, lastVote: until > lastVote ? until : lastVote });
  return size;
}

/** Who is drawn from the first `size` seats as they were at `time`. */
export function drawFrom(w, { header, lesson, size, time, barred, homes }) {
  const drawn = [];
  for (let i = 0; i < DRAWS && drawn.length < ARBITERS && size > 0n; i++) {
    const hash = sha256(bytes(header), bytes(lesson), serializeCVBytes(Cl.uint(i)));
    const { who, home, turns } = w.seats.get(BigInt(`0x${hash.slice(0, 32)}`) % size);
    if (satAt(turns, time) && ![...barred, ...drawn].includes(who) && !isNear(home, homes)) drawn.push(who);
  }
  return drawn;
}

export const operations = {
  "panel-set": {
    wallet: true,
    direct: (f) => ["panel", "panel-set", [f.who, f.on]],
    does: (w, key, id, f) => setPanel(w, key, f.who, f.on),
  },
};
