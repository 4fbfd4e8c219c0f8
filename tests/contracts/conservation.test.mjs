// Money is conserved: after every transaction of a random walk the vault owes what it holds, and every balance and
// every answer is what the plain model says. A mutant this is known to kill: `release` that does not reduce `locked`.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Cl } from "@stacks/transactions";
import { person } from "./lib/action.mjs";
import { bootMesh, code, STX } from "./lib/mesh.mjs";
import { Model } from "./lib/model.mjs";
import { CAMPAIGN, Random } from "./lib/random.mjs";
import { maybe } from "./lib/values.mjs";
import { Lesson, LOCKS, register, withdraw } from "./lib/village.mjs";

const PEOPLE = ["ama", "ben", "chi"].map((name) => person(`walker ${name}`));
const SEEDS = 3 * CAMPAIGN;
const TRANSACTIONS = 60;
const WORDS = ["book", "book", "confirm", "attend", "complete", "withdraw", "again"];
const SPENT = code("action-gateway/CODE-SPENT");
const COLUMNS = code("action-gateway/CODE-COLUMNS");

class Walk {
  constructor(mesh, seed) {
    Object.assign(this, { mesh, random: new Random(seed), model: new Model(), lessons: [], done: [] });
    this.assets = [STX, mesh.hours];
  }

  /** One random operation: { action, expect } for the gateway, `expect` to be asked when its turn comes. */
  operation() {
    const { mesh, model, random } = this;
    const by = random.pick(PEOPLE);
    const amount = BigInt(random.pick([0, 1, 7, 50, 120]));
    const lesson = this.lesson();
    const word = lesson && random.below(3) ? this.nextWord(lesson) : random.pick(WORDS);
    if (word === "again" && this.done.length) return { action: random.pick(this.done), expect: () => SPENT };
    if (word === "withdraw") {
      const expect = () => (amount === 0n ? COLUMNS : model.withdraw({ who: by.address, asset: STX, amount }));
      return { action: withdraw(mesh, by, amount), expect };
    }
    return word === "book" || word === "again" || !lesson ? this.book(by, amount) : this.about(lesson, word);
  }

  book(student, amount) {
    const { mesh, model, random } = this;
    const [tutor, asset, locks] = [random.pick(PEOPLE), random.pick(this.assets), random.below(4) > 0];
    const lesson = new Lesson(mesh, { student, tutor, asset, amount, bits: (locks ? LOCKS : 0n) + 30n });
    const terms = { id: lesson.id, student: student.address, tutor: tutor.address, asset, amount, locks };
    this.lessons.push(lesson);
    return { action: lesson.booking, expect: () => model.book(terms) };
  }

  /** A lesson to speak about: mostly one of the oldest that can still go on, so that walks reach completions. */
  lesson() {
    const state = ({ id }) => this.model.lessons.get(id)?.state;
    const live = this.lessons.filter((one) => ["booked", "confirmed"].includes(state(one))).slice(0, 3);
    const choices = live.length && this.random.below(8) ? live : this.lessons;
    return choices.length ? this.random.pick(choices) : null;
  }

  /** What would bring a lesson on. */
  nextWord({ id }) {
    const { state, attended } = this.model.lessons.get(id) ?? {};
    return { booked: "confirm", confirmed: attended?.size === 2 ? "complete" : "attend" }[state] ?? "book";
  }

  /** A statement about a lesson, correct in all but perhaps its author. */
  about(lesson, word) {
    const { mesh, model, random } = this;
    const sides = { confirm: [lesson.tutor], complete: [lesson.student], attend: [lesson.student, lesson.tutor] };
    const by = random.pick(random.below(4) ? sides[word] : PEOPLE);
    const { fields } = word === "attend" ? lesson.attend(by) : lesson[word]();
    const expect = () => model[word]({ id: lesson.id, by: by.address, amount: lesson.amount });
    return { action: mesh.action(by, { ...fields, author: by.address }), expect };
  }

  transaction() {
    const { mesh, model, random } = this;
    const [who, asset] = [random.pick(PEOPLE).address, random.pick(this.assets)];
    const amount = BigInt(random.pick([0, 3, 100, 400]));
    const way = random.below(6);
    if (way === 0) return this.deposit(who, asset, amount);
    if (way === 1) return this.settle(model.withdraw({ who, asset, amount }), asset === STX
      ? mesh.call("payment-escrow", "withdraw", [amount, null], who)
      : mesh.call("payment-escrow", "withdraw-ft", [asset, amount, null], who));
    if (way === 2) {
      const signer = PEOPLE.find(({ address }) => address === who);
      const out = withdraw(mesh, signer, amount, { asset: mesh.hours });
      const expected = amount === 0n ? COLUMNS : model.withdraw({ who, asset: mesh.hours, amount });
      return assert.deepEqual(mesh.submit([out], { token: mesh.hours }), [expected]);
    }
    const operations = Array.from({ length: 1 + random.below(8) }, () => this.operation());
    const codes = mesh.submit(operations.map(({ action }) => action));
    const seen = new Set(this.done.map(({ id }) => id));
    operations.forEach(({ action, expect }, index) => {
      assert.equal(codes[index], seen.has(action.id) ? SPENT : expect(), action.fields.action);
      if (codes[index] === 0n) this.done.push(action) && seen.add(action.id);
    });
  }

  deposit(who, asset, amount) {
    this.settle(this.model.deposit({ who, asset, amount }), asset === STX
      ? this.mesh.call("payment-escrow", "deposit-for", [who, amount])
      : this.mesh.call("payment-escrow", "deposit-for-ft", [asset, who, amount]));
  }

  settle(expected, outcome) {
    assert.deepEqual(outcome, expected === 0n ? { ok: true } : { err: expected });
  }

  check() {
    const { mesh, model } = this;
    const keys = PEOPLE.flatMap(({ address }) => this.assets.map((asset) => ({ address, asset })));
    const of = ({ address, asset }) => Cl.tuple({ person: Cl.principal(address), asset: maybe(asset) });
    const balances = mesh.read("payment-escrow", "get-balances", [Cl.list(keys.map(of))]);
    assert.deepEqual(balances, keys.map(({ address, asset }) => model.of(address, asset)));
    for (const asset of this.assets) {
      const owed = balances.filter((_, i) => keys[i].asset === asset).reduce((sum, b) => sum + b.free + b.locked, 0n);
      const held = mesh.read("payment-escrow", "get-held", [asset === STX ? null : maybe(asset)]);
      const vault = mesh.wallet(`${mesh.deployer}.payment-escrow`, asset);
      assert.deepEqual([owed, held, vault], Array(3).fill(model.held.get(asset) ?? 0n));
    }
  }
}

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`after every transaction of walk ${seed} the vault owes what it holds`, async () => {
    const mesh = await bootMesh();
    mesh.submit(PEOPLE.map((who) => register(mesh, who)));
    mesh.call("hour-credit", "mint", [1_000_000n, mesh.deployer]);
    const walk = new Walk(mesh, seed);
    for (const { address } of PEOPLE) for (const asset of walk.assets) walk.deposit(address, asset, 500n);
    for (let i = 0; i < TRANSACTIONS; i++) {
      walk.transaction();
      walk.check();
    }
    const completed = [...walk.model.lessons.values()].filter(({ state }) => state === "completed");
    assert.ok(completed.length >= 1, `the walk completed ${completed.length} lessons`);
    assert.equal(mesh.read("session-manager", "get-counts").lessons, BigInt(completed.length));
  });
}
