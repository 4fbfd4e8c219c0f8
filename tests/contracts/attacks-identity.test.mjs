// Attacks on who acts: stolen keys, other people's statements, contracts and foreign addresses in people's places.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Cl } from "@stacks/transactions";
import { action, directId, item, person, sha256 } from "./lib/action.mjs";
import { code } from "./lib/mesh.mjs";
import { ZEROS } from "./lib/values.mjs";
import { AMINA, bootVillage, Lesson, LOCKS, register, TOMAS, withdraw } from "./lib/village.mjs";

const MAINNET = "SP2J6ZY48GV1EZ5V2V5RB9MP66SW86PYKKNRV9EJ7";
const DAY = 86_400n;
const THIEF = person("thief");
const PHONE = person("amina's second phone");
let mesh;
const refused = (path) => ({ err: code(path) });
const head = (who) => mesh.read("user-registry", "get-person", [who.address])["keys-head"];

/** Amina adds a second key that may do everything, and it accepts. */
function secondPhone() {
  const add = mesh.action(AMINA, { action: "key-add", subject: head(AMINA), who: PHONE.address, bits: 65_535n });
  assert.deepEqual(mesh.submit([add, mesh.action(PHONE, { action: "key-accept", subject: add.id })]), [0n, 0n]);
}

beforeEach(async () => {
  mesh = await bootVillage();
});

test("a stolen first key, once revoked, takes nothing out, neither signed nor from its wallet", () => {
  secondPhone();
  const first = mesh.read("user-registry", "get-key", [AMINA.address])["added-by"];
  const signedBefore = withdraw(mesh, AMINA, 1000n);
  const revoke = mesh.action(PHONE, { action: "key-revoke", subject: first, who: AMINA.address });
  assert.deepEqual(mesh.submit([revoke]), [0n]);
  const revoked = refused("user-registry/ERR-KEY-REVOKED");
  const hours = withdraw(mesh, AMINA, 1n, { asset: mesh.hours });
  assert.deepEqual(mesh.submit([signedBefore, withdraw(mesh, AMINA, 1n)]), [revoked.err, revoked.err]);
  assert.deepEqual(mesh.submit([hours], { token: mesh.hours }), [revoked.err]);
  assert.deepEqual(mesh.call("payment-escrow", "withdraw", [1n, null], AMINA.address), revoked);
  assert.deepEqual(mesh.call("payment-escrow", "withdraw-ft", [mesh.hours, 1n, null], AMINA.address), revoked);
  const earmark = [ZEROS, TOMAS.address, null, 1n, mesh.now + DAY];
  assert.deepEqual(mesh.call("payment-escrow", "earmark", earmark, AMINA.address), revoked);
  assert.deepEqual(mesh.call("user-registry", "register", [ZEROS, 1n, null], AMINA.address),
    refused("user-registry/ERR-KEY-TAKEN"), "a revoked key does not begin anew as a person of its own");
  assert.deepEqual(mesh.submit([withdraw(mesh, PHONE, 1000n, { who: TOMAS.address })]), [0n]);
});

test("nobody takes the id of somebody's booking first, with a better price for oneself", () => {
  mesh.submit([register(mesh, THIEF)]);
  const salt = sha256("amina's salt");
  const book = (amount) => [salt, ZEROS, TOMAS.address, null, amount, mesh.now, LOCKS + 60n];
  assert.deepEqual(mesh.call("session-manager", "book", book(0n).with(6, 60n), THIEF.address), { ok: true });
  assert.deepEqual(mesh.call("session-manager", "book", book(300n), AMINA.address), { ok: true });
  const [stolen, mine] = [THIEF, AMINA].map(({ address }) =>
    mesh.read("session-manager", "get-lesson", [directId(address, "lesson-book", salt)]));
  assert.deepEqual([stolen.student, stolen.amount], [THIEF.address, 0n]);
  assert.deepEqual([mine.student, mine.amount], [AMINA.address, 300n]);
  const lesson = new Lesson(mesh, { amount: 300n });
  const copied = mesh.action(THIEF, { ...lesson.booking.fields, author: THIEF.address, amount: 0n, bits: 60n });
  assert.deepEqual(mesh.submit([copied, lesson.booking, lesson.confirm()]), [0n, 0n, 0n]);
  assert.equal(mesh.read("session-manager", "get-lesson", [lesson.id]).amount, 300n);
});

test("a stranger who signs somebody's statement anew speaks for nobody", () => {
  const { fields, item: { value: { statement } } } = withdraw(mesh, AMINA, 500n, { who: THIEF.address });
  const byThief = action(mesh.access, THIEF, mesh.now, { ...fields, author: AMINA.address });
  assert.deepEqual(mesh.submit([byThief]), [code("action-gateway/CODE-AUTHOR")]);
  const asThief = action(mesh.access, THIEF, mesh.now, { ...fields, author: THIEF.address });
  assert.deepEqual(mesh.submit([asThief]), [code("user-registry/ERR-KEY-UNKNOWN")]);
  assert.deepEqual(mesh.submitItems([item(statement, asThief.signature)]).ok.map((one) => one.code),
    [code("action-gateway/CODE-AUTHOR")]);
  assert.equal(mesh.balance(AMINA.address).free, 1000n);
});

test("a contract is no party to anything", () => {
  mesh.deploy("program", `
    (define-public (register) (contract-call? .user-registry register ${"0x" + ZEROS} u1 none))
    (define-public (book (tutor principal))
      (contract-call? .session-manager book ${"0x" + ZEROS} ${"0x" + ZEROS} tutor none u0 u1 u60))
    (define-public (recover (person principal)) (contract-call? .recovery recovery-open ${"0x" + ZEROS} person))`);
  const program = `${mesh.deployer}.program`;
  const isProgram = refused("user-registry/ERR-PROGRAM");
  assert.deepEqual(mesh.call("program", "register"), isProgram);
  assert.deepEqual(mesh.call("program", "book", [TOMAS.address]), refused("user-registry/ERR-KEY-UNKNOWN"));
  assert.deepEqual(mesh.call("program", "recover", [AMINA.address]), isProgram);
  noParty(program, isProgram);
});

test("an address of another network is no party to anything", () => {
  noParty(MAINNET, refused("user-registry/ERR-PROGRAM"));
});

/** Amina, in both forms, names a principal that can be nobody here wherever a person or a key is named. */
function noParty(who, asKey) {
  const booking = (bits) => mesh.action(AMINA, { action: "lesson-book", who, amount: 1n, moment: mesh.now, bits });
  const tutor = code("session-manager/ERR-TUTOR-UNKNOWN");
  assert.deepEqual(mesh.submit([booking(60n), booking(LOCKS + 60n)]), [tutor, tutor]);
  const earmark = mesh.action(AMINA,
    { action: "escrow-lock", who, amount: 1n, moment: mesh.now + DAY, bits: 2n });
  assert.deepEqual(mesh.submit([earmark]), [code("payment-escrow/ERR-TUTOR-UNKNOWN")]);
  const add = mesh.action(AMINA, { action: "key-add", subject: head(AMINA), who, bits: 4n });
  assert.deepEqual(mesh.submit([add]), [asKey.err]);
  const guardian = mesh.action(AMINA, { action: "guardian-set", who, amount: 1n });
  assert.deepEqual(mesh.submit([guardian]), [code("recovery/ERR-PERSON-UNKNOWN")]);
  assert.deepEqual(mesh.call("panel", "panel-set", [who, true]), refused("panel/ERR-PERSON-UNKNOWN"));
  assert.deepEqual(mesh.call("payment-escrow", "deposit-for", [who, 1n]), refused("payment-escrow/ERR-RECIPIENT"));
  const change = [Cl.stringAscii("gateway"), who, true];
  assert.deepEqual(mesh.call("access", "set-role", change, AMINA.address), refused("access/ERR-NOT-OWNER"));
  assert.deepEqual(mesh.call("hour-credit", "mint", [1n, who], AMINA.address), refused("hour-credit/ERR-NOT-MINTER"));
  assert.equal(mesh.read("user-registry", "person-of", [who]), who, "it stands for itself alone");
  assert.deepEqual(mesh.balance(who), { free: 0n, locked: 0n });
  assert.equal(mesh.read("session-manager", "get-counts").booked, 0n);
}
