// Disputes in tests: a district with a panel, the acts of a dispute in both forms, and the draw said once more.
import assert from "node:assert/strict";
import { Cl, serializeCVBytes } from "@stacks/transactions";
import { directId, person, sha256 } from "./action.mjs";
import { OK, STRANGER } from "./lessons.mjs";
import { grant, idOf, PROTOCOL } from "./money.mjs";
import { maybe } from "./values.mjs";
import { AMINA, bootVillage, Lesson, register, TOMAS } from "./village.mjs";

export { GRACE, OK, STRANGER } from "./lessons.mjs";
export const BPS = 10_000n;
export const REASON = 3n;
/** `ended` of a dispute. */
export const [OPEN, BY_AGREEMENT, BY_VOTE, BY_DEFAULT] = [0n, 1n, 2n, 3n];

const home = (name) => person(`hub of ${name}`).address;
/** A member of the panel, from a village of its own unless another is named (null: none). */
export const member = (name, village = name) => ({ ...person(`panel ${name}`), home: village && home(village) });
export const PANEL = ["ada", "ben", "cem", "dora", "emil"].map((name) => member(name));

export const resolution = (mesh, method, args, sender) => mesh.call("dispute-resolution", method, args, sender);
export const disputeOf = (mesh, id) => mesh.read("dispute-resolution", "get-dispute", [id]);
export const arbitersOf = (mesh, id) => mesh.read("dispute-resolution", "get-arbiters", [id]);
export const bondOf = (mesh, id) => mesh.read("dispute-resolution", "bond-id", [id]);
export const enrol = (mesh, who, on = true, sender = mesh.deployer) =>
  mesh.call("panel", "panel-set", [who.address ?? who, on], sender);

/** Register people as the members of the panel that they are, without enrolling them. */
export function settlePeople(mesh, people) {
  const codes = mesh.submit(people.map((one) => register(mesh, one, { who: one.home ?? null })));
  assert.deepEqual(codes, people.map(() => 0n));
}

/** A village with a panel from elsewhere, where Amina and Tomas have 10,000 uSTX each. */
export async function bootDistrict(panel = PANEL, options = {}) {
  const mesh = await bootVillage(options);
  settlePeople(mesh, [STRANGER, ...panel]);
  for (const one of panel) assert.deepEqual(enrol(mesh, one), OK);
  mesh.call("payment-escrow", "deposit-for", [AMINA.address, 9000n]);
  mesh.call("payment-escrow", "deposit-for", [TOMAS.address, 10_000n]);
  grant(mesh, "gateway");
  return mesh;
}

/** A lesson that is confirmed, with its price locked, and that these (else both sides) attended. */
export function confirmed(mesh, { attended, ...terms } = {}) {
  const lesson = new Lesson(mesh, terms);
  attended ??= [lesson.student, lesson.tutor];
  const actions = [lesson.booking, lesson.confirm(), ...attended.map((who) => lesson.attend(who))];
  assert.deepEqual(mesh.submit(actions), actions.map(() => 0n));
  return lesson;
}

let offers = 0;

/** What the next offer of somebody in a dispute has to name: the own one that it replaces, or the lesson. */
export function replaced(mesh, who, lesson) {
  const me = mesh.read("user-registry", "person-of", [who.address]);
  const dispute = disputeOf(mesh, lesson.id) ?? {};
  const by = ["tutor", "student", "mediator"].find((role) => dispute[role] === me);
  return dispute[`${by}-offer`] ?? lesson.id;
}

/** The acts of a dispute from wallets; `offer` answers its id, too. */
export const WALLET = {
  open: (mesh, who, lesson, other = null) =>
    resolution(mesh, "open", [lesson.id, maybe(other), REASON], who.address),
  offer: (mesh, who, lesson, share, subject = replaced(mesh, who, lesson), salt = idOf(`offer ${++offers}`)) => ({
    ...resolution(mesh, "offer", [salt, subject, share], who.address),
    id: directId(who.address, "dispute-offer", salt),
  }),
  accept: (mesh, who, { id }) => resolution(mesh, "accept", [id], who.address),
  vote: (mesh, who, lesson, share) => resolution(mesh, "vote", [lesson.id, share, REASON], who.address),
  settle: (mesh, lesson) => resolution(mesh, "settle", [lesson.id], STRANGER.address),
};

/** The same acts as the gateway carries them. */
export const GATEWAY = {
  open: (mesh, who, lesson, other = null) =>
    resolution(mesh, "open-for", [who.address, lesson.id, maybe(other), REASON], PROTOCOL),
  offer: (mesh, who, lesson, share, subject = replaced(mesh, who, lesson), id = idOf(`offer ${++offers}`)) => ({
    ...resolution(mesh, "offer-for", [who.address, id, subject, share], PROTOCOL), id,
  }),
  accept: (mesh, who, { id }) => resolution(mesh, "accept-for", [who.address, id], PROTOCOL),
  vote: (mesh, who, lesson, share) => resolution(mesh, "vote-for", [who.address, lesson.id, share, REASON], PROTOCOL),
  settle: (mesh, lesson) => resolution(mesh, "settle-for", [lesson.id], PROTOCOL),
};

/** When arbiters begin to vote on a lesson, and the last second at which they may. */
export function votingTime(mesh, lesson) {
  const { "opened-at": at, grace } = disputeOf(mesh, lesson.id);
  return { from: at + grace, until: at + 2n * grace };
}

/** Those of `panel` who were drawn for a lesson, in order. */
export const drawnOf = (mesh, lesson, panel = PANEL) =>
  arbitersOf(mesh, lesson.id).map((address) => panel.find((one) => one.address === address));

/**
 * The draw as the contract's first lines promise it: hash of header, lesson and try, its first 16 bytes modulo the
 * seats. `seats` lists { who, home } or null where nobody sat at the opening; `closed` are those who can't judge.
 */
export function drawAgain({ header, lesson, seats, closed, homes }) {
  const drawn = [];
  for (let i = 0; i < 24 && drawn.length < 3 && seats.length > 0; i++) {
    const hash = sha256(...[header, lesson].map((hex) => Buffer.from(hex, "hex")), serializeCVBytes(Cl.uint(i)));
    const seat = seats[Number(BigInt(`0x${hash.slice(0, 32)}`) % BigInt(seats.length))];
    if (seat === null || closed.includes(seat.who) || drawn.includes(seat.who)) continue;
    if (seat.home === null || !homes.includes(seat.home)) drawn.push(seat.who);
  }
  return drawn;
}

/** The middle of three votes, those not cast counting as `missing`. */
export const median = (cast, missing) =>
  [...cast, missing, missing, missing].slice(0, 3).sort((a, b) => Number(a - b))[1];
