// Classes: a tutor's word, a learner's word, and a pool that pays for each attendance. Mutants that this is known to
// kill: one word that pays; one side's word said twice.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { directId, person } from "./lib/action.mjs";
import { STX } from "./lib/mesh.mjs";
import {
  checkMoney, DAY, errorsOf, eventsOf, grant, idOf, INT_MAX, lockOf, openPool, PROTOCOL, SPONSOR,
} from "./lib/money.mjs";
import { maybe, ZEROS } from "./lib/values.mjs";
import { AMINA, bootVillage, register, TOMAS } from "./lib/village.mjs";

const err = errorsOf("class-manager");
const ofPool = errorsOf("sponsor-pool");
const OK = { ok: true };
const [BEN, CHI] = ["ben, learner", "chi, learner"].map(person);
const VM_MAX = 2n ** 128n - 1n;
const [CLASS, ATTENDANCE, SALT] = ["class", "attendance", "salt"].map(idOf);
let mesh;
let pool;
const call = (method, args, by = PROTOCOL) => mesh.call("class-manager", method, args, by);
const terms = ({ pool: of = pool.id, asset = STX, amount = 20n, start = pool.from, minutes = 90n } = {}) =>
  [of, maybe(asset), amount, start, minutes];
/** Both forms of every operation; the id that they leave comes from the last argument. The tutor `admits` a learner. */
const direct = {
  open: (by, changed, salt = SALT) => call("class-open", [salt, ...terms(changed)], by.address),
  attend: (by, { of = CLASS, tutor = TOMAS, moment = 1n } = {}, salt = SALT) =>
    call("class-attend", [salt, of, tutor.address, moment], by.address),
  admit: (who, { of = CLASS, tutor = TOMAS, moment = 1n } = {}) =>
    call("class-attend", [idOf(`admits ${who.address}`), of, who.address, moment], tutor.address),
};
const signed = {
  open: (by, changed, id = CLASS) => call("class-open-for", [by.address, id, ...terms(changed)]),
  attend: (by, { of = CLASS, tutor = TOMAS, moment = 1n } = {}, id = ATTENDANCE) =>
    call("class-attend-for", [by.address, id, of, tutor.address, moment]),
  admit: (who, { of = CLASS, tutor = TOMAS, moment = 1n } = {}) =>
    call("class-attend-for", [tutor.address, idOf(`admits ${who.address}`), of, who.address, moment]),
};
const FORMS = { direct, signed };
const attended = (who, of = CLASS) => mesh.read("class-manager", "get-attended", [of, who.address]);
const counts = () => mesh.read("class-manager", "get-counts");
const earned = () => mesh.balance(TOMAS.address).free;

beforeEach(async () => {
  mesh = await bootVillage();
  grant(mesh, "gateway");
  mesh.submit([BEN, CHI].map((who) => register(mesh, who)));
  pool = openPool(mesh, { tutors: [TOMAS] });
});

test("a class says who teaches, when, and which pool pays how much for each", () => {
  assert.deepEqual([direct.open(TOMAS), signed.open(TOMAS)], [OK, OK]);
  for (const id of [CLASS, directId(TOMAS.address, "class-open", SALT)]) {
    assert.deepEqual(mesh.read("class-manager", "get-class", [id]),
      { tutor: TOMAS.address, pool: pool.id, asset: null, amount: 20n, start: pool.from, minutes: 90n });
  }
  assert.equal(mesh.read("class-manager", "get-class", [ATTENDANCE]), null);
});

test("each learner of a class earns the tutor its price once, and every minute counts", () => {
  signed.open(TOMAS);
  assert.deepEqual([signed.admit(AMINA), direct.admit(BEN)], [OK, OK]);
  assert.deepEqual([earned(), counts()], [0n, { classes: 1n, attendances: 0n, minutes: 0n }]);
  assert.deepEqual([direct.attend(AMINA), signed.attend(BEN)], [OK, OK]);
  assert.deepEqual([attended(AMINA), attended(BEN), attended(CHI)], [3n, 3n, 0n]);
  assert.deepEqual(counts(), { classes: 1n, attendances: 2n, minutes: 180n });
  assert.equal(earned(), 40n);
  const own = directId(AMINA.address, "class-attend", SALT);
  assert.deepEqual([lockOf(mesh, own), lockOf(mesh, ATTENDANCE)].map(({ state, amount }) => [state, amount]),
    [[1n, 20n], [1n, 20n]]);
  for (const { attend, admit } of Object.values(FORMS)) {
    assert.deepEqual(attend(AMINA, {}, idOf("again")), err("ATTENDED"));
    assert.deepEqual(admit(AMINA), err("ATTENDED"));
  }
  assert.deepEqual([earned(), counts().attendances], [40n, 2n]);
  checkMoney(mesh, { persons: [AMINA, TOMAS, BEN, SPONSOR], locks: [pool.id, own, ATTENDANCE] });
});

test("an attendance counts and is paid when both said it, whoever is second, under that one's id", () => {
  signed.open(TOMAS);
  const admits = (who, form) => form === direct
    ? directId(TOMAS.address, "class-attend", idOf(`admits ${who.address}`)) : idOf(`admits ${who.address}`);
  for (const [who, form, first, second, mask] of [[AMINA, direct, "attend", "admit", 2n],
    [BEN, signed, "admit", "attend", 1n], [CHI, signed, "attend", "admit", 2n]]) {
    const [paid, before] = [earned(), counts().attendances];
    assert.deepEqual(form[first](who, {}, ATTENDANCE), OK);
    assert.deepEqual([attended(who), earned(), counts().attendances], [mask, paid, before]);
    assert.deepEqual(form[first](who, {}, idOf("again")), err("ATTENDED"), "one word is one word");
    assert.deepEqual(form[second](who, {}, ATTENDANCE), OK);
    assert.deepEqual([attended(who), earned(), counts().attendances], [3n, paid + 20n, before + 1n]);
    const id = second === "admit" ? admits(who, form) : ATTENDANCE;
    assert.deepEqual(lockOf(mesh, id).amount, 20n);
  }
  checkMoney(mesh, { persons: [AMINA, TOMAS, SPONSOR],
    locks: [pool.id, ATTENDANCE, admits(AMINA, direct), admits(CHI, signed)] });
});

test("strangers who say that they were there use up nothing of what a tutor may earn", () => {
  pool.change({ tutorCap: 20n });
  signed.open(TOMAS);
  for (const stranger of [BEN, CHI]) assert.deepEqual(signed.attend(stranger, {}, idOf(stranger.name)), OK);
  assert.deepEqual([earned(), signed.attend(AMINA), signed.admit(AMINA), earned()], [0n, OK, OK, 20n]);
});

test("a tutor names registered learners only, and only in the own class", () => {
  signed.open(TOMAS);
  for (const { admit, attend } of Object.values(FORMS)) {
    assert.deepEqual(admit(person("ghost")), err("LEARNER-UNKNOWN"));
    assert.deepEqual(admit({ address: `${mesh.deployer}.class-manager` }), err("LEARNER-UNKNOWN"));
    assert.deepEqual(admit(AMINA, { tutor: BEN }), err("OTHER-TUTOR"));
    assert.deepEqual(attend(BEN, { tutor: AMINA }), err("OTHER-TUTOR"));
  }
  assert.deepEqual([attended(AMINA), attended(BEN)], [0n, 0n]);
});

test("a class's id is used once, and a wallet's id is the wallet's own", () => {
  for (const { open } of Object.values(FORMS)) {
    assert.deepEqual([open(TOMAS), open(TOMAS)], [OK, err("CLASS-EXISTS")]);
  }
  assert.deepEqual(direct.open(BEN), OK);
  assert.equal(mesh.read("class-manager", "get-class", [directId(BEN.address, "class-open", SALT)]).tutor, BEN.address);
});

test("the signed forms are the gateway's alone", () => {
  const role = errorsOf("access")("NOT-ROLE");
  assert.deepEqual(call("class-open-for", [TOMAS.address, CLASS, ...terms({ minutes: 0n })], TOMAS.address), role);
  assert.deepEqual(call("class-attend-for", [AMINA.address, ATTENDANCE, CLASS, TOMAS.address, VM_MAX], TOMAS.address),
    role);
});

test("nobody who is not registered teaches or learns", () => {
  signed.open(TOMAS);
  for (const { open, attend } of Object.values(FORMS)) {
    assert.deepEqual(open(person("ghost"), {}, idOf("other")), errorsOf("user-registry")("KEY-UNKNOWN"));
    assert.deepEqual(attend(person("ghost")), errorsOf("user-registry")("KEY-UNKNOWN"));
  }
});

test("a class has minutes, and no number beyond the protocol's", () => {
  const wrong = [{ minutes: 0n }, { minutes: 4096n }, { minutes: VM_MAX }, { start: INT_MAX + 1n }, { start: VM_MAX },
    { amount: INT_MAX + 1n }, { amount: VM_MAX }];
  signed.open(TOMAS, {}, idOf("good"));
  for (const { open, attend } of Object.values(FORMS)) {
    for (const changed of wrong) assert.deepEqual(open(TOMAS, changed), err("RANGE"));
    assert.deepEqual(open(TOMAS, { minutes: 4095n, start: INT_MAX, amount: INT_MAX }), OK);
    for (const moment of [INT_MAX + 1n, VM_MAX]) {
      assert.deepEqual(attend(AMINA, { of: idOf("good"), moment }), err("RANGE"));
    }
  }
});

test("a class that pays needs a pool that has this kind of money", () => {
  for (const { open } of Object.values(FORMS)) {
    assert.deepEqual(open(TOMAS, { pool: ZEROS }), err("POOL-UNKNOWN"));
    assert.deepEqual(open(TOMAS, { asset: mesh.hours }), err("ASSET"));
  }
});

test("a class for nothing needs no pool, pays nobody, and counts", () => {
  for (const { open } of Object.values(FORMS)) {
    assert.deepEqual(open(TOMAS, { pool: ZEROS, asset: mesh.hours, amount: 0n }), OK);
  }
  const own = { of: directId(TOMAS.address, "class-open", SALT) };
  assert.deepEqual([direct.attend(AMINA, own), direct.admit(AMINA, own)], [OK, OK]);
  assert.deepEqual([signed.attend(BEN), signed.admit(BEN)], [OK, OK]);
  assert.deepEqual([earned(), lockOf(mesh, ATTENDANCE), counts()],
    [0n, null, { classes: 2n, attendances: 2n, minutes: 180n }]);
});

test("the tutor learns nothing in the own class, and no other tutor is paid for it", () => {
  signed.open(TOMAS);
  for (const { attend } of Object.values(FORMS)) {
    assert.deepEqual(attend(TOMAS), err("SAME-PERSON"));
    assert.deepEqual(attend(AMINA, { tutor: BEN }), err("OTHER-TUTOR"));
    assert.deepEqual(attend(AMINA, { of: idOf("no class") }), err("CLASS-UNKNOWN"));
  }
  assert.deepEqual([earned(), counts().attendances], [0n, 0n]);
});

test("an attendance that the pool refuses is not counted, and may come again", () => {
  signed.open(CHI);
  const attend = () => signed.attend(AMINA, { tutor: CHI });
  assert.deepEqual(signed.admit(AMINA, { tutor: CHI }), OK);
  assert.deepEqual(attend(), ofPool("NOT-ADMITTED"));
  assert.deepEqual([attended(AMINA), counts().attendances], [1n, 0n]);
  pool.admit(CHI);
  assert.deepEqual(attend(), OK);
  assert.equal(mesh.balance(CHI.address).free, 20n);
});

test("a class is paid within the pool's caps, term and money, and not ahead of its start", () => {
  const at = (name, changed) => {
    const of = idOf(name);
    assert.deepEqual([signed.open(TOMAS, changed, of), signed.admit(AMINA, { of })], [OK, OK]);
    return signed.attend(AMINA, { of }, idOf(`attends ${name}`));
  };
  assert.deepEqual(at("dear", { amount: 101n }), ofPool("LEARNER-CAP"));
  assert.deepEqual(at("later", { start: pool.from + DAY }), ofPool("AHEAD"));
  assert.deepEqual(at("before", { start: pool.from - 1n }), ofPool("OUTSIDE-TERM"));
  pool.change({ learnerCap: 5000n, tutorCap: 5000n });
  assert.deepEqual(at("beyond", { amount: 1001n }), errorsOf("payment-escrow")("FUNDS"));
  assert.deepEqual(at("all", { amount: 1000n }), OK);
  assert.deepEqual([earned(), lockOf(mesh, pool.id).amount, attended(AMINA, idOf("dear"))], [1000n, 0n, 1n]);
});

test("neither the sponsor's own class nor the sponsor's attendance is paid", () => {
  pool.admit(SPONSOR);
  signed.open(SPONSOR);
  assert.deepEqual(signed.admit(AMINA, { tutor: SPONSOR }), OK);
  assert.deepEqual(signed.attend(AMINA, { tutor: SPONSOR }), ofPool("SAME-PERSON"));
  signed.open(TOMAS, {}, idOf("other"));
  assert.deepEqual(signed.admit(SPONSOR, { of: idOf("other") }), OK);
  assert.deepEqual(signed.attend(SPONSOR, { of: idOf("other") }), ofPool("SAME-PERSON"));
});

test("a contract that a person calls can neither open nor attend in the person's name", () => {
  signed.open(TOMAS);
  mesh.deploy("lure", `
    (define-public (teach) (contract-call? .class-manager class-open 0x${SALT} 0x${ZEROS} none u0 u0 u60))
    (define-public (learn) (contract-call? .class-manager class-attend 0x${SALT} 0x${CLASS} '${TOMAS.address} u0))`);
  for (const [method, who] of [["teach", TOMAS], ["learn", AMINA]]) {
    assert.deepEqual(mesh.call("lure", method, [], who.address), errorsOf("user-registry")("KEY-UNKNOWN"));
  }
});

test("both forms tell the same", () => {
  const run = (method, args, by) => eventsOf(mesh.run("class-manager", method, args, by));
  assert.deepEqual(run("class-open", [SALT, ...terms()], TOMAS.address), ["class-opened"]);
  assert.deepEqual(run("class-open-for", [TOMAS.address, CLASS, ...terms()], PROTOCOL), ["class-opened"]);
  const own = directId(TOMAS.address, "class-open", SALT);
  assert.deepEqual(run("class-attend", [SALT, own, TOMAS.address, 1n], AMINA.address), ["class-attended"]);
  assert.deepEqual(run("class-attend-for", [AMINA.address, ATTENDANCE, CLASS, TOMAS.address, 1n], PROTOCOL),
    ["class-attended"]);
  const paid = ["drawn", "released", "pool-paid", "class-attended"];
  assert.deepEqual(run("class-attend", [SALT, own, AMINA.address, 1n], TOMAS.address), paid);
  assert.deepEqual(run("class-attend-for", [TOMAS.address, idOf("second"), CLASS, AMINA.address, 1n], PROTOCOL), paid);
});
