// Earmarks: own money promised to one tutor, that only lessons with that tutor draw on.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Cl } from "@stacks/transactions";
import { directId, person } from "./lib/action.mjs";
import { code, STX } from "./lib/mesh.mjs";
import {
  checkMoney, DAY, errorsOf, eventsOf, grant, idOf, INT_MAX, lockOf, NO_AMOUNTS, PROTOCOL,
} from "./lib/money.mjs";
import { AMINA, bootVillage, register, TOMAS } from "./lib/village.mjs";

const err = errorsOf("payment-escrow");
const OK = { ok: true };
const YEARS_2 = 730n * DAY;
const STRANGER = person("stranger");
const [MARK, LESSON, OTHER, SALT] = ["earmark", "lesson", "other", "salt"].map(idOf);
const [OWN, STRANGERS] = [AMINA, STRANGER].map((who) => directId(who.address, "escrow-lock", SALT));
let mesh;
let until;
const vault = (sender, method, ...args) => {
  const outcome = mesh.call("payment-escrow", method, args, sender.address ?? sender);
  checkMoney(mesh, {
    persons: [AMINA, TOMAS, STRANGER], assets: [STX, mesh.hours], locks: [MARK, LESSON, OTHER, OWN, STRANGERS],
  });
  return outcome;
};
/** Both forms, the signed one as the gateway calls it. */
const signed = (by, { id = MARK, tutor = TOMAS, asset = STX, amount = 300n, day = until } = {}) =>
  vault(PROTOCOL, "earmark-for", by.address, id, tutor.address ?? tutor, asset, amount, day);
const direct = (by, { salt = SALT, tutor = TOMAS, asset = STX, amount = 300n, day = until } = {}) =>
  vault(by, "earmark", salt, tutor.address ?? tutor, asset, amount, day);
const forms = [["a wallet", direct], ["a signature", signed]];
const draw = (id, amount, { payer = AMINA, tutor = TOMAS, asset = STX } = {}) =>
  vault(PROTOCOL, "draw-earmark", MARK, id, payer.address, tutor.address, asset, amount);
const free = (who) => mesh.balance(who.address).free;

beforeEach(async () => {
  mesh = await bootVillage();
  for (const role of ["gateway", "locker"]) grant(mesh, role);
  mesh.submit([register(mesh, STRANGER)]);
  until = mesh.now + 30n * DAY;
});

test("an earmark locks own free money and says for whom and until when", () => {
  assert.deepEqual(direct(AMINA), OK);
  assert.deepEqual(lockOf(mesh, OWN), { payer: AMINA.address, asset: null, amount: 300n, state: 0n, origin: null });
  assert.deepEqual(mesh.read("payment-escrow", "get-earmark", [OWN]), { tutor: TOMAS.address, until });
  assert.deepEqual(signed(AMINA, { amount: 700n }), OK);
  assert.deepEqual(mesh.balance(AMINA.address), { free: 0n, locked: 1000n });
  assert.equal(mesh.read("payment-escrow", "get-earmark", [LESSON]), null);
});

test("an earmark's id is used once, and a wallet's id is the wallet's own", () => {
  for (const [, form] of forms) {
    assert.deepEqual(form(AMINA), OK);
    assert.deepEqual(form(AMINA), err("LOCK-EXISTS"));
  }
  mesh.call("payment-escrow", "deposit-for", [STRANGER.address, 300n]);
  assert.deepEqual(direct(STRANGER), OK);
  assert.equal(lockOf(mesh, STRANGERS).payer, STRANGER.address, "the same salt in another wallet is another id");
});

test("the signed forms are the gateway's alone", () => {
  const role = errorsOf("access")("NOT-ROLE");
  assert.deepEqual(vault(AMINA, "earmark-for", AMINA.address, MARK, AMINA.address, STX, 0n, 0n), role);
  assert.deepEqual(vault(AMINA, "earmark-return-for", TOMAS.address, MARK), role);
});

test("an earmark is for a day ahead, at most two years", () => {
  for (const [name, form] of forms) {
    const far = mesh.now + YEARS_2;
    for (const day of [0n, mesh.now, far + 60n, INT_MAX, 2n ** 128n - 1n]) {
      assert.deepEqual(form(AMINA, { day }), err("UNTIL"), `${name}: ${day}`);
    }
    assert.deepEqual(form(AMINA, { day: far }), OK, name);
  }
});

test("an earmark is for somebody else who is registered", () => {
  for (const [name, form] of forms) {
    assert.deepEqual(form(AMINA, { tutor: AMINA }), err("SAME-PERSON"), name);
    for (const tutor of [person("unknown"), `${mesh.deployer}.payment-escrow`]) {
      assert.deepEqual(form(AMINA, { tutor }), err("TUTOR-UNKNOWN"), name);
    }
  }
});

test("nothing, too much, or more than is free cannot be set aside", () => {
  for (const [name, form] of forms) {
    for (const amount of NO_AMOUNTS) assert.deepEqual(form(AMINA, { amount }), err("AMOUNT"), name);
    for (const amount of [1001n, INT_MAX]) assert.deepEqual(form(AMINA, { amount }), err("FUNDS"), name);
    assert.deepEqual(form(person("unknown")), { err: code("user-registry/ERR-KEY-UNKNOWN") }, name);
  }
});

test("only lessons of this payer with this tutor in this asset draw on an earmark", () => {
  assert.deepEqual(draw(LESSON, 1n), err("EARMARK-UNKNOWN"));
  signed(AMINA);
  for (const other of [{ payer: STRANGER }, { tutor: STRANGER }, { asset: Cl.some(Cl.principal(mesh.hours)) }]) {
    assert.deepEqual(draw(LESSON, 100n, other), err("EARMARK"));
  }
  assert.deepEqual(draw(LESSON, 301n), err("FUNDS"));
  assert.deepEqual(draw(LESSON, 0n), err("AMOUNT"));
  assert.deepEqual(draw(LESSON, 100n), OK);
  assert.deepEqual(draw(LESSON, 100n), err("LOCK-EXISTS"));
  assert.deepEqual(draw(OTHER, 200n), OK);
  assert.equal(lockOf(mesh, LESSON).origin, MARK);
});

test("a lock that is no earmark cannot be drawn on as one", () => {
  vault(PROTOCOL, "lock", MARK, AMINA.address, STX, 300n);
  assert.deepEqual(draw(LESSON, 1n), err("EARMARK-UNKNOWN"));
});

test("a drawn lesson that is not held refills the earmark, one that is pays the tutor", () => {
  signed(AMINA);
  draw(LESSON, 100n);
  draw(OTHER, 100n);
  assert.deepEqual([vault(PROTOCOL, "refund", LESSON), vault(PROTOCOL, "release", OTHER, TOMAS.address)], [OK, OK]);
  assert.equal(lockOf(mesh, MARK).amount, 200n);
  assert.deepEqual([free(AMINA), free(TOMAS)], [700n, 100n]);
});

test("the tutor gives an earmark back at any time, and nobody else before its day", () => {
  for (const give of [
    (by) => vault(by, "earmark-return", MARK), (by) => vault(PROTOCOL, "earmark-return-for", by.address, MARK),
  ]) {
    mesh.call("payment-escrow", "earmark-for", [AMINA.address, MARK, TOMAS.address, STX, 300n, until], PROTOCOL);
    for (const by of [AMINA, STRANGER]) assert.deepEqual(give(by), err("NOT-TUTOR"));
    assert.deepEqual(give(person("unknown")), { err: code("user-registry/ERR-KEY-UNKNOWN") });
  }
  assert.deepEqual(vault(TOMAS, "earmark-return", MARK), OK);
  assert.deepEqual(vault(TOMAS, "earmark-return", MARK), err("LOCK-SETTLED"));
  assert.deepEqual(vault(TOMAS, "earmark-return", LESSON), err("EARMARK-UNKNOWN"));
  assert.deepEqual(free(AMINA), 1000n);
  signed(AMINA, { id: OTHER });
  assert.deepEqual(vault(PROTOCOL, "earmark-return-for", TOMAS.address, OTHER), OK);
  assert.deepEqual(free(AMINA), 1000n);
});

test("after its day anybody returns an earmark, to its payer alone", () => {
  signed(AMINA);
  direct(AMINA);
  mesh.advance(30n * DAY + 60n);
  assert.deepEqual(vault(person("unknown"), "earmark-return", MARK), OK);
  assert.deepEqual(vault(PROTOCOL, "earmark-return-for", STRANGER.address, OWN), OK);
  assert.deepEqual([free(AMINA), free(STRANGER)], [1000n, 0n]);
});

test("what a lesson drew outlives the earmark's return, and then frees the payer's money", () => {
  signed(AMINA);
  draw(LESSON, 100n);
  vault(TOMAS, "earmark-return", MARK);
  assert.deepEqual(mesh.balance(AMINA.address), { free: 900n, locked: 100n });
  assert.deepEqual(draw(OTHER, 1n), err("LOCK-SETTLED"));
  assert.deepEqual(vault(PROTOCOL, "refund", LESSON), OK);
  assert.deepEqual(mesh.balance(AMINA.address), { free: 1000n, locked: 0n });
});

test("after its day an earmark that nobody returned still pays the lessons it was for", () => {
  signed(AMINA);
  mesh.advance(30n * DAY + 60n);
  assert.deepEqual(draw(LESSON, 100n), OK);
});

test("a contract that a person calls can neither set aside nor give back in the person's name", () => {
  signed(AMINA);
  mesh.deploy("lure", `
    (define-public (mark) (contract-call? .payment-escrow earmark 0x${SALT} '${TOMAS.address} none u5
      (+ stacks-block-time u60)))
    (define-public (give) (contract-call? .payment-escrow earmark-return 0x${MARK}))`);
  const unknown = { err: code("user-registry/ERR-KEY-UNKNOWN") };
  assert.deepEqual(mesh.call("lure", "mark", [], AMINA.address), unknown);
  assert.deepEqual(mesh.call("lure", "give", [], TOMAS.address), unknown);
});

test("both forms tell the same", () => {
  const made = [
    mesh.run("payment-escrow", "earmark", [SALT, TOMAS.address, STX, 10n, until], AMINA.address),
    mesh.run("payment-escrow", "earmark-for", [AMINA.address, MARK, TOMAS.address, STX, 10n, until], PROTOCOL),
  ];
  for (const one of made) assert.deepEqual(eventsOf(one), ["locked", "earmarked"]);
  const given = [
    mesh.run("payment-escrow", "earmark-return", [MARK], TOMAS.address),
    mesh.run("payment-escrow", "earmark-return-for", [TOMAS.address, OWN], PROTOCOL),
  ];
  for (const one of given) assert.deepEqual(eventsOf(one), ["refunded"]);
});
