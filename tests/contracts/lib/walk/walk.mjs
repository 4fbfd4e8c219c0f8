// A random walk: the same transactions on the VM and in the model, compared after each.
import assert from "node:assert/strict";
import { Cl } from "@stacks/transactions";
import { directId, person, sha256 } from "../action.mjs";
import { bootMesh, restartChain } from "../mesh.mjs";
import { EMPTY, World } from "../model/world.mjs";
import { Random } from "../random.mjs";
import { maybe } from "../values.mjs";
import { Memory } from "./laws.mjs";
import { Proposer } from "./proposer.mjs";
import { VIEWS } from "./views.mjs";

export const PEOPLE = ["ada", "ben", "chi", "dia", "eko", "fay", "gus", "hal", "ina", "jun", "kim", "lou", "mia", "ned",
  "ola", "pia", "rui", "sol", "tam", "una", "vic", "wim"].map((name) => person(`walker ${name}`));
const DEPLOYER = person("walkers' deployer").address;
const PERSONS = 10;
const PURSE = 1_000_000n;
const BATCH_MAX = 6;
const FOREVER = 2n ** 40n;
const BALANCES_MAX = 50;

export class Walk {
  /** A walk on a chain of its own, which begins the same every time. */
  static async begin(seed) {
    await restartChain();
    const walk = new Walk(await bootMesh({ deployer: DEPLOYER }), new Random(seed));
    walk.open();
    walk.transactions = [];
    walk.coverage.clear();
    return walk;
  }

  constructor(mesh, random) {
    Object.assign(this, { mesh, random });
    this.world = new World(mesh);
    this.memory = new Memory();
    this.signers = new Map(PEOPLE.map((one) => [one.address, one]));
    this.proposer = new Proposer(this.world, PEOPLE, random);
    this.transactions = [];
    /** "operation code" -> how often. */
    this.coverage = new Map();
    /** Signed operations that were done, to be sent again. */
    this.done = [];
  }

  /** Ten persons with money in the vault, three of them of one village, seven on the panel; the rest are keys yet. */
  open() {
    const { mesh, world } = this;
    const purse = PEOPLE[0].address;
    mesh.fund(purse, PURSE);
    mesh.call("hour-credit", "mint", [PURSE, purse]);
    for (const asset of world.money) world.wallets.set(`${purse} ${asset}`, PURSE);
    PEOPLE.slice(0, PERSONS).forEach(({ address }, i) => {
      const who = i < 3 ? purse : i < 5 ? null : address;
      this.alone("user-register", address, { bits: 3n, who });
      for (const asset of world.money) this.alone("deposit", purse, { who: address, asset, amount: 900n });
      if (i >= 3) this.alone("panel-set", mesh.deployer, { who: address, on: true });
    });
  }

  /** One operation from a wallet; its id. */
  alone(name, by, fields) {
    this.clock();
    const operation = this.prepare({ name, by, fields }, false);
    this.run({ operations: [operation] });
    return operation.id;
  }

  /** Chain time as the next call sees it. */
  clock() {
    this.world.now = this.mesh.now;
    this.world.burn = BigInt(this.mesh.vm.burnBlockHeight);
  }

  // ---- choosing

  /** An operation as it will be done: with its salt, and its id in either form. */
  prepare({ name, by, fields }, signed) {
    const { mesh, world } = this;
    const kind = world.operations[name].kind ?? name;
    const salt = sha256(`${this.random.next()} ${this.random.next()}`);
    if (!signed) return { name, by, fields, signed, salt, id: directId(by, kind, salt) };
    const row = { expires: world.now + FOREVER, ...fields, action: kind, salt: salt.slice(0, 16) };
    const action = mesh.action(this.signers.get(by), row);
    return { name, by, fields, signed, action, id: action.id };
  }

  /** The next transaction: { wait }, or { operations, token }, where one that is not signed stands alone. */
  choose() {
    const { random, world, proposer } = this;
    this.clock();
    if (random.below(14) === 0) return { wait: proposer.duration() };
    if (random.below(3)) {
      const one = proposer.next(this.coverage, false);
      if (random.below(2) || world.operations[one.name].wallet) return { operations: [this.prepare(one, false)] };
    }
    return this.batch(1 + random.below(BATCH_MAX), random.below(8) ? null : this.mesh.hours);
  }

  /** A batch, each of its actions chosen after what those before it do. */
  batch(size, token) {
    const { world } = this;
    const operations = [];
    const mark = world.journal.length;
    while (operations.length < size) {
      operations.push(this.nextSigned(token));
      world.submit(operations.at(-1), token);
    }
    world.undo(mark);
    return { operations, token };
  }

  /** A new operation, or one that was done before, or one that was held back for a while. */
  nextSigned(token) {
    const { random, proposer } = this;
    if (this.done.length && random.below(15) === 0) return random.pick(this.done);
    if (proposer.held.length && random.below(20) === 0) return random.pick(proposer.held);
    const one = token && random.below(6) ? proposer.propose("escrow-withdraw") : proposer.next(this.coverage, true);
    const late = random.below(25) ? {} : { expires: this.world.now - 1n };
    const operation = this.prepare({ ...one, fields: { ...one.fields, ...late } }, true);
    if (random.below(20)) return operation;
    proposer.held.push(operation);
    return this.nextSigned(token);
  }

  // ---- doing

  /** Do a transaction here and there, and compare. */
  run(transaction) {
    this.transactions.push(transaction);
    this.clock();
    if (transaction.wait !== undefined) return this.mesh.advance(transaction.wait);
    if (transaction.operations[0].signed) this.runBatch(transaction);
    else this.runDirect(transaction.operations[0]);
    return this.compare(this.world.changed());
  }

  runDirect(operation) {
    const { mesh, world } = this;
    const { name, by, fields, salt } = operation;
    const expected = world.perform(operation);
    const [contract, method, args] = world.operations[name].direct({ ...EMPTY, ...fields }, salt, maybe);
    const { err } = mesh.call(contract, method, args, by);
    this.count(name, expected);
    assert.equal(err ?? 0n, expected, `${name} from a wallet`);
  }

  runBatch({ operations, token }) {
    const expected = this.world.submitAll(operations, token);
    const codes = this.mesh.submit(operations.map(({ action }) => action), { token });
    operations.forEach((operation, i) => {
      this.count(operation.name, expected[i]);
      if (expected[i] === 0n) this.done.push(operation);
      assert.equal(codes[i], expected[i], `${operation.name} signed, at ${i} of its batch`);
    });
  }

  count(name, outcome) {
    const cell = `${name} ${outcome}`;
    this.coverage.set(cell, (this.coverage.get(cell) ?? 0) + 1);
  }

  // ---- comparing

  /** Every row that changed is the same here and there and changed lawfully; nothing is made or lost. */
  compare(changed) {
    for (const [table, key] of changed) {
      const view = VIEWS[table.name];
      if (!view) continue;
      const row = view(this.mesh, key);
      assert.deepEqual(row, table.get(key) ?? null, `${table.name} ${key}`);
      this.memory.judge(table.name, key, row);
    }
    this.conserve();
  }

  /** Every row that there ever was. */
  compareAll() {
    const { world } = this;
    this.compare(Object.keys(VIEWS).flatMap((name) => [...world[name].rows.keys()].map((key) => [world[name], key])));
  }

  /** Per asset, the vault owes what it was paid and what it holds; per person, locked is what held locks hold. */
  conserve() {
    const { mesh, world } = this;
    for (const asset of world.money) {
      const locked = world.lockedOf(asset);
      let owed = 0n;
      for (const [who, balance] of this.balances(asset)) {
        assert.deepEqual(balance, world.balanceOf(who, asset), `balance of ${who}`);
        assert.equal(balance.locked, locked.get(who) ?? 0n, `locks of ${who}`);
        owed += balance.free + balance.locked;
      }
      const held = mesh.read("payment-escrow", "get-held", [maybe(asset)]);
      assert.deepEqual([owed, held, mesh.wallet(world.vault, asset)], Array(3).fill(world.held.get(asset) ?? 0n));
    }
  }

  balances(asset) {
    const everybody = this.world.everybody();
    assert.ok(everybody.length <= BALANCES_MAX);
    const of = everybody.map((who) => Cl.tuple({ person: Cl.principal(who), asset: maybe(asset) }));
    const found = this.mesh.read("payment-escrow", "get-balances", [Cl.list(of)]);
    return everybody.map((who, i) => [who, found[i]]);
  }

  // ---- the end

  /** Everybody disappears: strangers turn every crank once time allows it, and then nothing is locked any more. */
  abandon() {
    const { world } = this;
    const stranger = PEOPLE.at(-1).address;
    const crank = (name, table, fits) => {
      const ids = [...world[table].rows].filter(([id, row]) => fits(row, id)).map(([id]) => id);
      for (const subject of ids) this.alone(name, stranger, { subject });
    };
    this.run({ wait: 4 * 31_536_000 });
    crank("dispute-settle", "disputes", ({ ended }) => ended === 0n);
    crank("lesson-claim", "lessons", ({ state }) => state <= 2n);
    crank("pool-close", "pools", ({ open }) => open);
    crank("escrow-return", "earmarks", (_, id) => world.locks.get(id).state === 0n);
    this.compareAll();
    for (const asset of world.money) {
      for (const [who, { locked }] of this.balances(asset)) assert.equal(locked, 0n, `${who} left behind in a lock`);
    }
  }
}
