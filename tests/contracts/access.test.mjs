// Who may do what: the owner in two steps, roles, stewards, parameters, assets, the pause.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { Cl } from "@stacks/transactions";
import { person } from "./lib/action.mjs";
import { BLOCK_SECONDS, bootMesh, code } from "./lib/mesh.mjs";
import { maybe } from "./lib/values.mjs";

const STRANGER = person("stranger").address;
const STEWARD = person("steward").address;
const DAY = 86_400n;
const GATEWAY = Cl.stringAscii("gateway");
const NOT_OWNER = { err: code("access/ERR-NOT-OWNER") };
let mesh;
const access = (method, args, sender) => mesh.call("access", method, args, sender);
const settings = () => mesh.read("access", "get-settings");

before(async () => {
  mesh = await bootMesh();
});

test("every change is refused to a stranger", () => {
  const changes = [
    ["propose-owner", [maybe(STRANGER)]], ["set-role", [GATEWAY, STRANGER, true]],
    ["propose-role", [GATEWAY, STRANGER, null]], ["apply-role", [GATEWAY, STRANGER]], ["seal", []],
    ["steward-add", [STRANGER]],
    ["steward-remove", [STEWARD]], ["set-grace", [45n * DAY]], ["set-relay-fee", [1n, STRANGER]],
    ["set-notice", [0n, 0n]], ["set-dispute-bond", [0n]],
    ["set-asset", [null, Cl.stringAscii(""), true]], ["resume-deposits", []],
  ];
  for (const [method, args] of changes) assert.deepEqual(access(method, args, STRANGER), NOT_OWNER, method);
});

test("ownership passes only to the principal that was proposed and accepts", () => {
  const next = person("next owner").address;
  assert.deepEqual(access("accept-owner", [], next), { err: code("access/ERR-NOT-PROPOSED") });
  assert.deepEqual(access("propose-owner", [maybe(next)]), { ok: true });
  assert.equal(settings().owner, mesh.deployer);
  assert.deepEqual(access("accept-owner", [], STRANGER), { err: code("access/ERR-NOT-PROPOSED") });
  assert.deepEqual(access("accept-owner", [], next), { ok: true });
  assert.deepEqual(access("set-grace", [45n * DAY]), NOT_OWNER);
  assert.deepEqual(access("propose-owner", [maybe(mesh.deployer)], next), { ok: true });
  assert.deepEqual(access("accept-owner", []), { ok: true });
  assert.equal(settings()["proposed-owner"], null);
});

test("a proposal that was taken back cannot be accepted", () => {
  access("propose-owner", [maybe(STRANGER)]);
  access("propose-owner", [null]);
  assert.deepEqual(access("accept-owner", [], STRANGER), { err: code("access/ERR-NOT-PROPOSED") });
});

const GRACE = 45n * DAY;
const SEALED = { err: code("access/ERR-SEALED") };
const NOT_PROPOSED = { err: code("access/ERR-NOT-PROPOSED") };
const EARLY = { err: code("access/ERR-TOO-EARLY") };
const NOT_ROLE = { err: code("access/ERR-NOT-ROLE") };

/** A mesh as deployed, sealed, and who plays the gateway there. */
async function sealedMesh() {
  const one = await bootMesh({ sealed: true });
  const plays = (who) => one.read("access", "is-protocol-caller", [who, GATEWAY]);
  return { one, old: `${one.deployer}.action-gateway`, plays, call: (...of) => one.call("access", ...of) };
}

test("a sealed mesh gives no role at once, takes one away at once, and is sealed for good", async () => {
  const { one, old, plays, call } = await sealedMesh();
  assert.deepEqual([one.read("access", "is-sealed"), one.read("access", "get-settings").sealed], [true, true]);
  assert.equal(settings().sealed, false);
  assert.deepEqual(call("seal", []), SEALED);
  assert.deepEqual(call("set-role", [GATEWAY, STRANGER, true]), SEALED);
  assert.deepEqual(call("set-role", [GATEWAY, old, true]), SEALED);
  assert.deepEqual([plays(STRANGER), plays(old)], [NOT_ROLE, { ok: true }]);
  assert.deepEqual(call("set-role", [GATEWAY, old, false]), { ok: true });
  assert.deepEqual(plays(old), NOT_ROLE);
  assert.deepEqual(call("set-role", [GATEWAY, old, true]), SEALED);
});

test("a new owner of a sealed mesh can't make itself the gateway and take a person's money", async () => {
  const { one, call } = await sealedMesh();
  const [thief, victim] = ["thief", "victim"].map((name) => person(name).address);
  one.fund(victim);
  one.call("user-registry", "register", ["11".repeat(32), 1n, null], victim);
  assert.deepEqual(one.call("payment-escrow", "deposit", [500n], victim), { ok: true });
  call("propose-owner", [maybe(thief)]);
  assert.deepEqual(call("accept-owner", [], thief), { ok: true });
  assert.deepEqual(call("set-role", [GATEWAY, thief, true], thief), SEALED);
  assert.deepEqual(call("set-grace", [30n * DAY], thief), { ok: true });
  assert.deepEqual(call("propose-role", [GATEWAY, thief, null], thief), { ok: true });
  assert.deepEqual(call("apply-role", [GATEWAY, thief], thief), EARLY);
  assert.deepEqual(one.call("payment-escrow", "withdraw-for", [victim, 500n, maybe(thief)], thief), NOT_ROLE);
  assert.deepEqual(one.call("payment-escrow", "withdraw", [500n, null], victim), { ok: true });
});

test("a role that passes on is the successor's at once and no longer the predecessor's", async () => {
  const { one, old, plays, call } = await sealedMesh();
  assert.deepEqual(call("propose-role", [GATEWAY, STRANGER, maybe(old)]), { ok: true });
  assert.deepEqual([plays(old), plays(STRANGER)], [{ ok: true }, NOT_ROLE]);
  one.advance(GRACE);
  assert.deepEqual(call("apply-role", [GATEWAY, STRANGER]), { ok: true });
  assert.deepEqual([plays(old), plays(STRANGER)], [NOT_ROLE, { ok: true }]);
  assert.deepEqual(call("apply-role", [GATEWAY, STRANGER]), NOT_PROPOSED);
  assert.deepEqual(call("propose-role", [GATEWAY, STEWARD, maybe(old)]), NOT_ROLE);
});

test("a proposed role is given when its grace period is over, and until a second one is", async () => {
  const { one, plays, call } = await sealedMesh();
  const proposal = () => one.read("access", "get-role-proposal", [GATEWAY, STRANGER]);
  assert.deepEqual(call("apply-role", [GATEWAY, STRANGER]), NOT_PROPOSED);
  call("propose-role", [GATEWAY, STRANGER, null]);
  const { due, until, from } = proposal();
  assert.deepEqual([until - due, from], [GRACE, null]);
  one.waitUntil(due - BLOCK_SECONDS);
  assert.deepEqual(call("apply-role", [GATEWAY, STRANGER]), EARLY);
  one.waitUntil(until + BLOCK_SECONDS);
  assert.deepEqual(call("apply-role", [GATEWAY, STRANGER]), NOT_PROPOSED);
  call("propose-role", [GATEWAY, STRANGER, null]);
  one.waitUntil(proposal().due);
  assert.deepEqual(call("apply-role", [GATEWAY, STRANGER]), { ok: true });
  assert.deepEqual([plays(STRANGER), proposal()], [{ ok: true }, null]);
});

test("the wait of a proposal is that of the day when it was made, and proposing again begins it anew", async () => {
  const { one, call } = await sealedMesh();
  call("propose-role", [GATEWAY, STRANGER, null]);
  assert.deepEqual(call("set-grace", [30n * DAY]), { ok: true });
  one.advance(31n * DAY);
  assert.deepEqual(call("apply-role", [GATEWAY, STRANGER]), EARLY);
  call("propose-role", [GATEWAY, STRANGER, null]);
  one.advance(29n * DAY);
  assert.deepEqual(call("apply-role", [GATEWAY, STRANGER]), EARLY);
});

test("taking a role away also takes back the proposal of it", async () => {
  const { one, plays, call } = await sealedMesh();
  call("propose-role", [GATEWAY, STRANGER, null]);
  assert.deepEqual(call("set-role", [GATEWAY, STRANGER, false]), { ok: true });
  one.advance(GRACE);
  assert.deepEqual(call("apply-role", [GATEWAY, STRANGER]), NOT_PROPOSED);
  assert.deepEqual(plays(STRANGER), NOT_ROLE);
});

test("stewards are counted once and can be dismissed", () => {
  for (const _ of [1, 2]) assert.deepEqual(access("steward-add", [STEWARD]), { ok: true });
  assert.equal(settings()["steward-count"], 1n);
  assert.equal(mesh.read("access", "is-steward", [STEWARD]), true);
  assert.deepEqual(access("steward-remove", [STEWARD]), { ok: true });
  assert.deepEqual(access("steward-remove", [STEWARD]), { err: code("access/ERR-NOT-STEWARD") });
  assert.equal(settings()["steward-count"], 0n);
});

test("the grace period stays between 30 days and a year, the relay's fee at or below five percent", () => {
  const refused = { err: code("access/ERR-PARAMETER") };
  for (const seconds of [0n, 30n * DAY - 1n, 365n * DAY + 1n, 2n ** 128n - 1n]) {
    assert.deepEqual(access("set-grace", [seconds]), refused);
  }
  for (const seconds of [30n * DAY, 365n * DAY]) assert.deepEqual(access("set-grace", [seconds]), { ok: true });
  assert.equal(mesh.read("access", "get-grace-seconds"), 365n * DAY);
  assert.deepEqual(access("set-relay-fee", [501n, STRANGER]), refused);
  assert.deepEqual(access("set-relay-fee", [500n, `${mesh.deployer}.payment-escrow`]), refused);
  assert.deepEqual(access("set-relay-fee", [500n, STRANGER]), { ok: true });
  assert.deepEqual(mesh.read("access", "get-relay-fee"), { bps: 500n, to: STRANGER });
});

test("a cancellation may ask for notice of thirty days at most, and cost half the price at most", () => {
  const refused = { err: code("access/ERR-PARAMETER") };
  assert.deepEqual(mesh.read("access", "get-notice"), { seconds: DAY, "late-bps": 0n });
  for (const huge of [2n ** 63n - 1n, 2n ** 63n, 2n ** 128n - 1n]) {
    assert.deepEqual(access("set-notice", [huge, 0n]), refused);
    assert.deepEqual(access("set-notice", [0n, huge]), refused);
  }
  assert.deepEqual(access("set-notice", [30n * DAY + 1n, 0n]), refused);
  assert.deepEqual(access("set-notice", [0n, 5_001n]), refused);
  assert.deepEqual(access("set-notice", [0n, 0n]), { ok: true });
  assert.deepEqual(access("set-notice", [30n * DAY, 5_000n]), { ok: true });
  assert.deepEqual(mesh.read("access", "get-notice"), { seconds: 30n * DAY, "late-bps": 5_000n });
  const { "notice-seconds": seconds, "notice-late-bps": bps } = settings();
  assert.deepEqual([seconds, bps], [30n * DAY, 5_000n]);
});

test("the bond of a dispute is a fifth of the price at most", () => {
  const refused = { err: code("access/ERR-PARAMETER") };
  assert.equal(mesh.read("access", "get-dispute-bond"), 500n);
  for (const bps of [2001n, 2n ** 63n, 2n ** 128n - 1n]) {
    assert.deepEqual(access("set-dispute-bond", [bps]), refused);
  }
  for (const bps of [0n, 2000n]) assert.deepEqual(access("set-dispute-bond", [bps]), { ok: true });
  assert.equal(settings()["dispute-bond-bps"], 2000n);
});

test("a steward may pause deposits and only the owner lets them run again", () => {
  assert.deepEqual(access("pause-deposits", [], STRANGER), { err: code("access/ERR-NOT-STEWARD") });
  access("steward-add", [STEWARD]);
  assert.deepEqual(access("pause-deposits", [], STEWARD), { ok: true });
  assert.deepEqual(mesh.read("access", "check-deposit", [null]), { err: code("access/ERR-DEPOSITS-PAUSED") });
  assert.deepEqual(mesh.read("access", "check-withdrawal", [null]), { ok: "" });
  assert.deepEqual(access("resume-deposits", [], STEWARD), NOT_OWNER);
  assert.deepEqual(access("resume-deposits", []), { ok: true });
  assert.deepEqual(access("pause-deposits", []), { ok: true });
  assert.deepEqual(access("resume-deposits", []), { ok: true });
});

test("an asset keeps the name under which it was admitted", () => {
  const [hours, other] = [maybe(mesh.hours), Cl.stringAscii("other")];
  for (const open of [true, false]) {
    assert.deepEqual(access("set-asset", [hours, other, open]), { err: code("access/ERR-ASSET-NAME") });
    assert.deepEqual(access("set-asset", [null, other, open]), { err: code("access/ERR-ASSET-NAME") });
  }
  assert.deepEqual(mesh.read("access", "check-withdrawal", [hours]), { ok: "hour-credit" });
  assert.deepEqual(access("set-asset", [hours, Cl.stringAscii("hour-credit"), true]), { ok: true });
});

test("an asset that closes takes no deposits and still pays out, one never named does neither", () => {
  const hours = maybe(mesh.hours);
  assert.deepEqual(mesh.read("access", "check-deposit", [hours]), { ok: "hour-credit" });
  access("set-asset", [hours, Cl.stringAscii("hour-credit"), false]);
  assert.deepEqual(mesh.read("access", "check-deposit", [hours]), { err: code("access/ERR-ASSET-CLOSED") });
  assert.deepEqual(mesh.read("access", "check-withdrawal", [hours]), { ok: "hour-credit" });
  assert.deepEqual(mesh.read("access", "get-asset", [hours]), { name: "hour-credit", open: false });
  const never = maybe(`${mesh.deployer}.never`);
  assert.deepEqual(mesh.read("access", "check-deposit", [never]), { err: code("access/ERR-ASSET-CLOSED") });
  assert.deepEqual(mesh.read("access", "check-withdrawal", [never]), { err: code("access/ERR-ASSET-UNKNOWN") });
});
