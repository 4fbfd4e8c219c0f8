// What can be wrong with an action of any kind, and the code that its gateway or contract answers.
import { Cl, getAddressFromPrivateKey } from "@stacks/transactions";
import { action, item, person, statementTuple } from "./action.mjs";
import { code } from "./mesh.mjs";
import { register } from "./village.mjs";

const INT_MAX = 2n ** 63n - 1n;
const gateway = (name) => code(`action-gateway/CODE-${name}`);
const registry = (name) => code(`user-registry/ERR-${name}`);
const [STRANGER, NOBODY] = [person("hostile stranger"), person("hostile nobody")];

/** The second signature that the curve allows for the same statement: the other s, the other parity. */
export function highTwin({ fields, signature }) {
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const high = (order - BigInt(`0x${signature.slice(64, 128)}`)).toString(16).padStart(64, "0");
  return item(statementTuple(fields), signature.slice(0, 64) + high + (signature.endsWith("00") ? "01" : "00"));
}

/** Faults of a good action that its gateway sees, whatever the kind: [reason, code, item]. */
export function faults(stage, good, columns) {
  const { mesh } = stage;
  const { fields, signature, signer } = good;
  const tuple = statementTuple(fields);
  const changed = (change) => mesh.action(signer, { ...fields, ...change }).item;
  const mainnet = getAddressFromPrivateKey(signer.key, "mainnet");
  return [
    ["a signature of zeros", gateway("SIGNATURE"), item(tuple, "00".repeat(65))],
    ["re-signed by a stranger", gateway("AUTHOR"), mesh.action(STRANGER, fields).item],
    ["signed for another mesh", gateway("AUTHOR"), action(`${mesh.deployer}.other`, signer, mesh.now, fields).item],
    ["signed for another network", gateway("AUTHOR"), action(mesh.access, signer, mesh.now, fields, 1).item],
    ["its author named as on another network", gateway("AUTHOR"), changed({ author: mainnet })],
    ["a field changed after signing", gateway("AUTHOR"),
      item(Cl.tuple({ ...tuple.value, created: Cl.uint(fields.created + 1n) }), signature)],
    ["a short signature", gateway("LENGTH"), item(tuple, signature.slice(2))],
    ["a short content", gateway("LENGTH"), changed({ content: fields.content.slice(2) })],
    ["a number beyond the protocol", gateway("RANGE"), changed({ amount: INT_MAX + 1n })],
    ["the largest number of the VM", gateway("RANGE"), changed({ moment: 2n ** 128n - 1n })],
    ["an end that is past", gateway("EXPIRED"), changed({ expires: 1n })],
    ["a kind that nobody knows", gateway("UNKNOWN-KIND"), changed({ action: "future-kind" })],
    ...brokenColumns(fields, columns).map(([name, change]) => [name, gateway("COLUMNS"), changed(change)]),
  ];
}

const COLUMNS = ["subject", "who", "amount", "asset", "moment", "bits", "content"];

/** A change for each column that this kind must have (emptied) or can't have (set). */
function brokenColumns({ author }, { must, may }) {
  const empty = { subject: "00".repeat(32), who: null, amount: 0n, asset: null, moment: 0n, bits: 0n,
    content: "00".repeat(32) };
  const full = { subject: "ab".repeat(32), who: author, amount: 1n, asset: author, moment: 1n, bits: 1n,
    content: "ab".repeat(32) };
  return COLUMNS.flatMap((name, at) => {
    const bit = 1n << BigInt(at);
    if (must & bit) return [[`no ${name}`, { [name]: empty[name] }]];
    return may & bit ? [] : [[`a ${name}`, { [name]: full[name] }]];
  });
}

/** A good action with one field longer than its type: some VMs let it into a list, and into no function by itself. */
export function overlong(stage, { fields, signature, signer }) {
  const changed = (change) => stage.mesh.action(signer, { ...fields, ...change }).item;
  return [
    item(statementTuple(fields), `${signature}00`), changed({ action: fields.action.padEnd(25, "x") }),
    ...["subject", "content", "salt"].map((name) => changed({ [name]: `${fields[name]}00` })),
  ];
}

/**
 * Scene -> the answer to the same words by somebody registered who has no part in them, and to the same words about a
 * subject that is not there. null: anybody may say this, or it is about nothing before.
 */
const REFUSALS = {
  "user-register": ["user-registry/ERR-KEY-TAKEN", null],
  "key-add": ["user-registry/ERR-VERSION", "user-registry/ERR-VERSION"],
  "key-accept": ["user-registry/ERR-OTHER-KEY", "user-registry/ERR-ADD-UNKNOWN"],
  "key-revoke": ["user-registry/ERR-OTHER-KEY", "user-registry/ERR-OTHER-KEY"],
  "guardian-set": [null, null],
  "recovery-open": ["user-registry/ERR-KEY-TAKEN", null],
  "recovery-approve": ["recovery/ERR-NOT-GUARDIAN", "recovery/ERR-RECOVERY-UNKNOWN"],
  "recovery-cancel": ["recovery/ERR-PERSON", "recovery/ERR-RECOVERY-UNKNOWN"],
  "recovery-finish": [null, "recovery/ERR-RECOVERY-UNKNOWN"],
  "action-void": [null, null],
  "offer-set": [null, null],
  "offer-withdraw": ["tutor-profile/ERR-NOT-TUTOR", "tutor-profile/ERR-OFFER-UNKNOWN"],
  "request-open": [null, null],
  "request-close": ["student-request/ERR-NOT-STUDENT", "student-request/ERR-REQUEST-UNKNOWN"],
  "match-offer": [null, "student-request/ERR-REQUEST-UNKNOWN"],
  "match-accept": ["matching-engine/ERR-NOT-STUDENT", "matching-engine/ERR-MATCH-UNKNOWN"],
  "lesson-book": ["payment-escrow/ERR-FUNDS", null],
  "lesson-book, pool": [null, "session-manager/ERR-POOL"],
  "lesson-book, earmark": ["payment-escrow/ERR-EARMARK", "payment-escrow/ERR-EARMARK-UNKNOWN"],
  "lesson-confirm": ["session-manager/ERR-NOT-PARTY", "session-manager/ERR-LESSON-UNKNOWN"],
  "lesson-confirm, guardian": ["session-manager/ERR-NOT-GUARDIAN", "session-manager/ERR-LESSON-UNKNOWN"],
  "lesson-decline": ["session-manager/ERR-NOT-PARTY", "session-manager/ERR-LESSON-UNKNOWN"],
  "lesson-move": ["session-manager/ERR-NOT-PARTY", "session-manager/ERR-LESSON-UNKNOWN"],
  "lesson-cancel": ["session-manager/ERR-NOT-PARTY", "session-manager/ERR-LESSON-UNKNOWN"],
  "lesson-attend": ["session-manager/ERR-NOT-PARTY", "session-manager/ERR-LESSON-UNKNOWN"],
  "lesson-complete": ["session-manager/ERR-NOT-PARTY", "session-manager/ERR-LESSON-UNKNOWN"],
  "lesson-complete, free money": ["session-manager/ERR-NOT-PARTY", "session-manager/ERR-LESSON-UNKNOWN"],
  "lesson-complete, pool": ["session-manager/ERR-NOT-PARTY", "session-manager/ERR-LESSON-UNKNOWN"],
  "lesson-claim": [null, "session-manager/ERR-LESSON-UNKNOWN"],
  "class-open": [null, "class-manager/ERR-POOL-UNKNOWN"],
  "class-attend": [null, "class-manager/ERR-CLASS-UNKNOWN"],
  "escrow-lock, lesson": ["payment-escrow/ERR-FUNDS", "session-manager/ERR-LESSON-UNKNOWN"],
  "escrow-lock, pool": ["payment-escrow/ERR-FUNDS", "sponsor-pool/ERR-POOL-UNKNOWN"],
  "escrow-lock, earmark": ["payment-escrow/ERR-FUNDS", null],
  "escrow-return": ["payment-escrow/ERR-NOT-TUTOR", "payment-escrow/ERR-EARMARK-UNKNOWN"],
  "escrow-withdraw": ["payment-escrow/ERR-FUNDS", null],
  "rating-seal": ["reputation-tracker/ERR-NOT-PARTY", "reputation-tracker/ERR-LESSON-UNKNOWN"],
  "rating-open": ["reputation-tracker/ERR-NOT-SEALED", "reputation-tracker/ERR-NOT-SEALED"],
  "dispute-open": ["dispute-resolution/ERR-NOT-PARTY", "dispute-resolution/ERR-LESSON-UNKNOWN"],
  "dispute-offer": ["dispute-resolution/ERR-NOT-MEDIATOR", "dispute-resolution/ERR-DISPUTE-UNKNOWN"],
  "dispute-accept": ["dispute-resolution/ERR-NOT-PARTY", "dispute-resolution/ERR-OFFER-UNKNOWN"],
  "dispute-vote": ["dispute-resolution/ERR-NOT-ARBITER", "dispute-resolution/ERR-DISPUTE-UNKNOWN"],
  "dispute-settle": [null, "dispute-resolution/ERR-DISPUTE-UNKNOWN"],
};

/** Kinds that anybody may sign, because time decides; and kinds that a key signs before it is a person's. */
const CRANKS = ["recovery-finish", "lesson-claim", "dispute-settle"];
const FIRST_WORDS = ["user-register", "key-accept", "recovery-open"];

/** Whether the kind asks who its author is as a person. */
const isByPersons = (kind) => !CRANKS.includes(kind) && !FIRST_WORDS.includes(kind);
/** Whether its author may withdraw it: a person does, while not frozen by a recovery. */
export const canWithdraw = (kind) => isByPersons(kind) && kind !== "recovery-cancel";

/** A good action said by the wrong person, or about the wrong thing: [reason, code, item]. */
export function misplaced(stage, scene, { fields, signer }) {
  const [byStranger, astray] = REFUSALS[scene];
  const as = (who) => stage.mesh.action(who, { ...fields, author: who.address }).item;
  const lost = stage.mesh.action(signer, { ...fields, subject: "ee".repeat(32) }).item;
  return [
    ...(byStranger ? [["by a stranger", code(byStranger), as(STRANGER)]] : []),
    ...(astray ? [["about nothing", code(astray), lost]] : []),
    ...(isByPersons(scene.split(",")[0]) ? [["by nobody", registry("KEY-UNKNOWN"), as(NOBODY)]] : []),
  ];
}

export const joinStranger = (stage) => stage.done([register(stage.mesh, STRANGER)]);
