// The gateway: what it asks of an item before any kind is looked at, and what it answers.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Cl } from "@stacks/transactions";
import { action, item, person, statementTuple } from "./lib/action.mjs";
import { BLOCK_SECONDS, code, source } from "./lib/mesh.mjs";
import { ZEROS } from "./lib/values.mjs";
import { AMINA, bootVillage, Lesson, register, TOMAS, withdraw } from "./lib/village.mjs";

const INT_MAX = 2n ** 63n - 1n;
const error = (name) => code(`action-gateway/CODE-${name}`);
let mesh;
let newcomers = 0;
const newcomer = () => register(mesh, person(`newcomer ${++newcomers}`));
const gateway = (method, args) => mesh.read("action-gateway", method, args);

/** Submit one item between two good ones; its code. The neighbours must be done. */
function between(bad) {
  const codes = mesh.submitItems([newcomer().item, bad, newcomer().item]).ok.map((result) => result.code);
  assert.deepEqual([codes[0], codes[2]], [0n, 0n]);
  return codes[1];
}

beforeEach(async () => {
  mesh = await bootVillage();
});

test("a signature that names nobody, or somebody else, is refused before anything else", () => {
  const good = newcomer();
  const tuple = statementTuple(good.fields);
  const flip = (at) => good.signature.slice(0, at) + ((parseInt(good.signature[at], 16) ^ 1).toString(16)) +
    good.signature.slice(at + 1);
  assert.equal(between(item(tuple, "00".repeat(65))), error("SIGNATURE"));
  assert.equal(between(item(tuple, good.signature.slice(0, 128) + "04")), error("SIGNATURE"));
  assert.equal(between(item(tuple, flip(129))), error("AUTHOR"));
  assert.equal(between(mesh.action(AMINA, { action: "user-register", author: TOMAS.address, expires: 0n }).item),
    error("AUTHOR"));
  const swapped = Cl.tuple({ ...tuple.value, amount: Cl.uint(1) });
  assert.equal(between(item(swapped, good.signature)), error("AUTHOR"));
});

test("an action for another mesh or another network is by nobody here", () => {
  const fields = { action: "user-register" };
  const stranger = person("stranger");
  assert.equal(between(action(`${TOMAS.address}.access`, stranger, mesh.now, fields).item), error("AUTHOR"));
  assert.equal(between(action(mesh.access, stranger, mesh.now, fields, 1).item), error("AUTHOR"));
  assert.equal(between(action(mesh.access, stranger, mesh.now, fields).item), 0n);
});

test("a field of a wrong length gets a code, too long ones included", () => {
  const good = newcomer();
  for (const signature of ["", good.signature.slice(2), good.signature + "00"]) {
    assert.equal(between(item(statementTuple(good.fields), signature)), error("LENGTH"));
  }
  const wrong = [{ action: "a".repeat(25) }, { salt: "00".repeat(7) }, { salt: "00".repeat(9) }, { subject: "" },
    { subject: "00".repeat(33) }, { content: "00".repeat(31) }, { content: "00".repeat(33) }];
  for (const fields of wrong) {
    assert.equal(between(mesh.action(AMINA, { action: "lesson-complete", ...fields }).item), error("LENGTH"));
  }
});

test("a number beyond the protocol gets a code in every field", () => {
  for (const field of ["amount", "bits", "created", "expires", "moment"]) {
    for (const huge of [INT_MAX + 1n, 2n ** 128n - 1n]) {
      assert.equal(between(mesh.action(AMINA, { action: "escrow-withdraw", [field]: huge }).item), error("RANGE"));
    }
  }
  assert.equal(between(withdraw(mesh, AMINA, INT_MAX).item), code("payment-escrow/ERR-FUNDS"));
});

test("an action may come until the second at which it expires", () => {
  const at = (seconds) => register(mesh, person(`expires ${seconds}`), { expires: mesh.now + seconds }).item;
  assert.equal(between(at(0n)), 0n);
  assert.equal(between(at(-1n)), error("EXPIRED"));
});

test("an action is done once, also by another signature of the same statement, and stays done after it expired", () => {
  const once = register(mesh, person("once"), { expires: mesh.now + BLOCK_SECONDS });
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const high = (order - BigInt("0x" + once.signature.slice(64, 128))).toString(16).padStart(64, "0");
  const twin = once.signature.slice(0, 64) + high + (once.signature.endsWith("00") ? "01" : "00");
  assert.deepEqual(mesh.submit([once, once]), [0n, error("SPENT")]);
  assert.equal(between(item(statementTuple(once.fields), twin)), error("SPENT"));
  mesh.advance(3600);
  assert.equal(between(once.item), error("SPENT"));
});

test("a refused action is not spent and may come again", () => {
  const lesson = new Lesson(mesh);
  const early = lesson.confirm();
  mesh.submit([early]);
  assert.equal(gateway("is-spent", [early.id]), false);
  assert.deepEqual(mesh.submit([lesson.booking, early]), [0n, 0n]);
  const ids = Cl.list([early.id, "00".repeat(32), lesson.id].map((id) => Cl.bufferFromHex(id)));
  assert.deepEqual(gateway("are-spent", [ids]), [true, false, true]);
  assert.ok(gateway("get-spent-height", [early.id]) > 0n);
  assert.equal(gateway("get-spent-height", ["00".repeat(32)]), null);
});

test("a kind that the contracts do not know gets its code and is not spent", () => {
  const kinds = ["profile-set", "future-kind-x", "lesson-", "rating-", "user-", "escrow-", "lesson", "-", "", "--",
    "lesson-book ", "Lesson-book", "payout-note", "a".repeat(24)];
  for (const kind of kinds) {
    const unknown = mesh.action(AMINA, { action: kind, who: TOMAS.address });
    assert.equal(between(unknown.item), error("UNKNOWN-KIND"), kind);
    assert.equal(gateway("is-spent", [unknown.id]), false);
  }
});

test("a kind lacks no column that it needs, and has none that it does not know", () => {
  const used = { subject: "ab".repeat(32), who: TOMAS.address, amount: 1n, asset: mesh.hours, moment: 1n, bits: 1n,
    content: "cd".repeat(32) };
  const names = Object.keys(used);
  for (const kind of ["lesson-confirm", "offer-withdraw", "user-register", "rating-seal"]) {
    const { must, may } = gateway("get-columns", [Cl.stringAscii(kind)]);
    const set = (mask) =>
      Object.fromEntries(names.filter((_, at) => mask & (1n << BigInt(at))).map((name) => [name, used[name]]));
    for (let at = 0n; at < 7n; at++) {
      const bit = 1n << at;
      const given = mesh.action(AMINA, { action: kind, ...set((must & bit) ? must ^ bit : must | bit) }).item;
      const allowed = !(must & bit) && Boolean(may & bit);
      assert.equal(between(given) === error("COLUMNS"), !allowed, `${kind}: ${names[at]}`);
    }
  }
  assert.equal(gateway("get-columns", [Cl.stringAscii("payout-note")]), null);
});

test("tokens leave in batches of their own, and nothing else does", () => {
  const hours = withdraw(mesh, AMINA, 1n, { asset: mesh.hours });
  assert.equal(between(hours.item), error("TOKEN-BATCH"));
  const other = withdraw(mesh, AMINA, 1n, { asset: `${mesh.deployer}.other` });
  const codes = mesh.submit([withdraw(mesh, AMINA, 1n), other, newcomer(), hours, hours], { token: mesh.hours });
  const [refused, spent] = [error("OTHER-TOKEN"), error("SPENT")];
  assert.deepEqual(codes, [refused, refused, refused, 0n, spent]);
});

test("a batch answers one code and id an item, prints the same, and counts what was done", () => {
  const actions = [newcomer(), mesh.action(AMINA, { action: "nothing" }), newcomer()];
  const before = gateway("get-counts");
  const done = mesh.submitItems(actions.map((one) => one.item), { relay: TOMAS.address });
  const expected = [0n, error("UNKNOWN-KIND"), 0n];
  assert.deepEqual(done.ok, actions.map(({ id }, index) => ({ code: expected[index], id })));
  const batch = Cl.prettyPrint(done.events.at(-1).data.value);
  assert.match(batch, /^\{ event: "batch", items: \(list/);
  for (const { id } of actions) assert.ok(batch.includes(id));
  const after = gateway("get-counts");
  assert.deepEqual([after.batches - before.batches, after.actions - before.actions], [1n, 2n]);
});

test("a batch holds none to two hundred actions", () => {
  assert.deepEqual(mesh.submit([]), []);
  const full = Array.from({ length: 200 }, newcomer);
  assert.deepEqual(mesh.submit(full), Array(200).fill(0n));
  assert.deepEqual(mesh.submit(full), Array(200).fill(error("SPENT")));
  const hours = Array.from({ length: 200 }, () => withdraw(mesh, AMINA, 1n, { asset: mesh.hours }));
  assert.deepEqual(mesh.submit(hours, { token: mesh.hours }), Array(200).fill(0n));
});

/** What a statement of a kind says that fills every column it may have with one number and one person. */
function filled(kind, number, who) {
  const { may } = gateway("get-columns", [Cl.stringAscii(kind)]);
  const given = (bit, value, empty) => (may & bit ? value : empty);
  return { action: kind, subject: given(1n, "ff".repeat(32), ZEROS), who: given(2n, who, null),
    amount: given(4n, number, 0n), moment: given(16n, number, 0n), bits: given(32n, number, 0n),
    content: given(64n, "ff".repeat(32), ZEROS) };
}

test("whatever a stranger signs, the batch goes on and nobody else's money moves", () => {
  const stranger = person("hostile");
  mesh.submit([register(mesh, stranger)]);
  const kinds = [...source("action-gateway").matchAll(/^\(map-set columns "([a-z-]+)"/gm)].map(([, kind]) => kind);
  const money = () => [AMINA, TOMAS].map(({ address }) => [mesh.balance(address), mesh.balance(address, mesh.hours)]);
  const before = money();
  for (const who of [stranger.address, `${mesh.deployer}.payment-escrow`, AMINA.address]) {
    const hostile = kinds.flatMap((kind) => [1n, 2n ** 62n, INT_MAX].map((number) =>
      mesh.action(stranger, filled(kind, number, who))));
    const codes = mesh.submit([newcomer(), ...hostile, newcomer()]);
    assert.deepEqual([codes[0], codes.at(-1)], [0n, 0n]);
  }
  assert.deepEqual(money(), before);
  assert.equal(mesh.read("session-manager", "get-counts").lessons, 0n);
});
