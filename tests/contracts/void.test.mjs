// Withdrawing an action before it settles, and a gateway that follows another: what was done or withdrawn stays so.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Cl } from "@stacks/transactions";
import { person } from "./lib/action.mjs";
import { code, source } from "./lib/mesh.mjs";
import { maybe, plain } from "./lib/values.mjs";
import { AMINA, bootVillage, GRACE_SECONDS, Lesson, TOMAS, withdraw } from "./lib/village.mjs";

const error = (name) => code(`action-gateway/CODE-${name}`);
const voids = (who, subject) => mesh.action(who, { action: "action-void", subject });
const gateway = (method, args, sender) => mesh.run("action-gateway", method, args, sender);
const isVoided = (id, author) => mesh.read("action-gateway", "is-voided", [id, author.address]);
let mesh;

beforeEach(async () => {
  mesh = await bootVillage({ sealed: true });
});

test("an action that its person withdrew is never done, though money for it comes later", () => {
  const { booking } = new Lesson(mesh, { amount: 5000n });
  assert.deepEqual(mesh.submit([booking, voids(AMINA, booking.id)]), [code("payment-escrow/ERR-FUNDS"), 0n]);
  mesh.call("payment-escrow", "deposit-for", [AMINA.address, 10_000n]);
  assert.deepEqual(mesh.submit([booking]), [error("VOIDED")]);
  assert.equal(mesh.read("session-manager", "get-lesson", [booking.id]), null);
  assert.deepEqual(mesh.submit([new Lesson(mesh, { amount: 5000n }).booking]), [0n]);
});

test("what was done is not withdrawn, and stays done", () => {
  const { booking } = new Lesson(mesh);
  assert.deepEqual(mesh.submit([booking, voids(AMINA, booking.id), booking]),
    [0n, error("DONE-BEFORE"), error("SPENT")]);
  assert.deepEqual(gateway("void", [booking.id], AMINA.address).err, error("DONE-BEFORE"));
  assert.equal(isVoided(booking.id, AMINA), false);
});

test("nobody withdraws another person's action, and trying does not keep its author from doing so", () => {
  const { booking } = new Lesson(mesh);
  assert.deepEqual(mesh.submit([voids(TOMAS, booking.id)]), [0n]);
  assert.deepEqual([isVoided(booking.id, TOMAS), isVoided(booking.id, AMINA)], [true, false]);
  const early = new Lesson(mesh);
  assert.deepEqual(mesh.submit([booking, voids(TOMAS, early.id), voids(AMINA, early.id), early.booking]),
    [0n, 0n, 0n, error("VOIDED")]);
});

test("whoever is nobody withdraws nothing", () => {
  const { booking } = new Lesson(mesh);
  const nobody = person("nobody");
  const unknown = code("user-registry/ERR-KEY-UNKNOWN");
  assert.deepEqual(mesh.submit([voids(nobody, booking.id)]), [unknown]);
  assert.equal(gateway("void", [booking.id], nobody.address).err, unknown);
  assert.deepEqual(mesh.submit([booking]), [0n]);
});

test("a wallet withdraws as a signature does, and twice is as good as once", () => {
  const { booking } = new Lesson(mesh);
  const done = gateway("void", [booking.id], AMINA.address);
  assert.equal(done.ok, true);
  assert.deepEqual(plain(done.events.at(-1).data.value),
    { event: "action-voided", id: booking.id, person: AMINA.address, by: AMINA.address });
  assert.deepEqual(mesh.submit([voids(AMINA, booking.id), booking]), [0n, error("VOIDED")]);
});

test("a withdrawal can be withdrawn as any action, and then never happens", () => {
  const { booking } = new Lesson(mesh);
  const first = voids(AMINA, booking.id);
  assert.deepEqual(mesh.submit([voids(AMINA, first.id), first, booking]), [0n, error("VOIDED"), 0n]);
});

/** A further key of Amina's, in force. */
function furtherKey(name, terms = {}) {
  const key = person(name);
  const subject = mesh.read("user-registry", "get-person", [AMINA.address])["keys-head"];
  const add = mesh.action(AMINA, { action: "key-add", subject, who: key.address, bits: 65535n, ...terms });
  const accept = mesh.action(key, { action: "key-accept", subject: add.id });
  assert.deepEqual(mesh.submit([add, accept]), [0n, 0n]);
  return key;
}

test("a lesser key withdraws what it signed itself, and nothing that another key of its person signed", () => {
  const lesser = [{ bits: 9n }, { amount: 500n }, { moment: mesh.now + 1_000_000n }];
  for (const [i, terms] of lesser.entries()) {
    const helper = furtherKey(`helper ${i}`, terms);
    const [own, owners] = [withdraw(mesh, helper, 5n), withdraw(mesh, AMINA, 5n)];
    assert.deepEqual(mesh.submit([own, owners].map(({ id }) => voids(helper, id))), [0n, 0n]);
    assert.deepEqual([isVoided(own.id, helper), isVoided(owners.id, AMINA)], [true, false]);
    assert.deepEqual(mesh.submit([own, owners]), [error("VOIDED"), 0n]);
  }
});

test("a lasting key withdraws what any key of its person signed, and one without the scope identity nothing", () => {
  const [second, helper, shopper] = [furtherKey("second"), furtherKey("helper", { bits: 9n }),
    furtherKey("shopper", { bits: 12n })];
  const orders = [AMINA, second, helper, shopper].map((key) => withdraw(mesh, key, 5n));
  assert.deepEqual(mesh.submit(orders.map(({ id }) => voids(shopper, id))),
    Array(4).fill(code("user-registry/ERR-KEY-SCOPE")));
  assert.deepEqual(mesh.submit(orders.map(({ id }) => voids(second, id))), [0n, 0n, 0n, 0n]);
  assert.deepEqual(mesh.submit(orders), Array(4).fill(error("VOIDED")));
  assert.deepEqual(mesh.submit([withdraw(mesh, second, 5n)]), [0n]);
});

test("a withdrawal holds though the key that made it was revoked since", () => {
  const second = furtherKey("second");
  const order = withdraw(mesh, AMINA, 5n);
  const added = mesh.read("user-registry", "get-key", [second.address])["added-by"];
  const revoke = mesh.action(AMINA, { action: "key-revoke", subject: added, who: second.address });
  assert.deepEqual(mesh.submit([voids(second, order.id), revoke, order]), [0n, 0n, error("VOIDED")]);
});

test("a contract that a person calls withdraws nothing of theirs", () => {
  const { booking } = new Lesson(mesh);
  mesh.deploy("lure-void", `(define-public (bait) (contract-call? .action-gateway void 0x${booking.id}))`);
  assert.deepEqual(mesh.call("lure-void", "bait", [], AMINA.address), { err: code("user-registry/ERR-KEY-UNKNOWN") });
  assert.deepEqual(mesh.submit([booking]), [0n]);
});

/** The gateway as a successor is written: the same, and two questions more, to its predecessor. */
const successor = () => [
  ["(is-some (map-get? spent id))", (own) => `(or ${own} (contract-call? .action-gateway is-spent id))`],
  ["(is-some (map-get? voids id))", (own) => `(or ${own} (contract-call? .action-gateway is-voided id author))`],
  ["(is-some (map-get? voided { id: id, by: author }))",
    (own) => `${own} (contract-call? .action-gateway is-voided id author)`],
].reduce((text, [own, both]) => text.replace(own, both(own)), source("action-gateway"));

/** Pass the gateway's role to the successor, as an owner does: proposed, and applied a grace period later. */
function succeed() {
  const role = Cl.stringAscii("gateway");
  const [old, next] = ["action-gateway", "successor"].map((name) => `${mesh.deployer}.${name}`);
  assert.equal(mesh.call("access", "propose-role", [role, next, maybe(old)]).ok, true);
  mesh.advance(GRACE_SECONDS);
  assert.equal(mesh.call("access", "apply-role", [role, next]).ok, true);
}

test("a successor takes the role in one step, and what was done or withdrawn before stays so", () => {
  const [done, withdrawn, late] = Array.from({ length: 3 }, () => new Lesson(mesh, { amount: 100n }).booking);
  assert.deepEqual(mesh.submit([done, voids(AMINA, withdrawn.id)]), [0n, 0n]);
  mesh.deploy("successor", successor());
  const submit = (name, actions) =>
    mesh.run(name, "submit-batch", [Cl.list(actions.map(({ item }) => item))]).ok.map((one) => one.code);
  const notRole = code("access/ERR-NOT-ROLE");
  assert.deepEqual(submit("successor", [late]), [notRole]);
  succeed();
  assert.deepEqual(submit("action-gateway", [late, done]), [notRole, error("SPENT")]);
  assert.deepEqual(submit("successor", [done, withdrawn, late, late]),
    [error("SPENT"), error("VOIDED"), 0n, error("SPENT")]);
  assert.equal(mesh.balance(AMINA.address).locked, 200n);
  assert.deepEqual(submit("successor", [voids(AMINA, done.id)]), [error("DONE-BEFORE")]);
});

test("a successor serves the same domain and the same token batches", () => {
  mesh.deploy("successor", successor());
  assert.equal(mesh.read("successor", "get-domain"), mesh.read("action-gateway", "get-domain"));
  const out = withdraw(mesh, AMINA, 10n, { asset: mesh.hours });
  assert.deepEqual(mesh.submit([out], { token: mesh.hours }), [0n]);
  succeed();
  const again = mesh.run("successor", "submit-token-batch", [mesh.hours, Cl.list([out.item])]);
  assert.equal(again.ok[0].code, error("SPENT"));
});
