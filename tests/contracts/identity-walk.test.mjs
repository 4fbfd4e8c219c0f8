// A random walk through keys, guardians and recoveries: every answer and every record is what the plain model says, and
// each person has exactly the lasting keys that its record counts. Mutants that this is known to kill: `renew` that
// leaves the epoch as it was, `unfreeze` that keeps the new key, a change of guardians that counts at once, and
// approvals of former guardians that count.
import assert from "node:assert/strict";
import { test } from "node:test";
import { person, sha256 } from "./lib/action.mjs";
import { ALL, GRACE, Identity, IDENTITY, LESSON, MONEY, WEEK } from "./lib/identity.mjs";
import { IdentityModel } from "./lib/identity-model.mjs";
import { bootMesh, STX } from "./lib/mesh.mjs";
import { CAMPAIGN, Random } from "./lib/random.mjs";
import { ZEROS } from "./lib/values.mjs";

const PEOPLE = 4;
const KEYS = 60;
const STEPS = 300;
const WORDS = ["add", "add", "accept", "accept", "revoke", "guard", "guard", "guard", "open", "approve", "approve",
  "approve", "approve", "cancel", "finish", "wait"];

class Walk {
  constructor(mesh, form, seed) {
    Object.assign(this, { mesh, seed, on: new Identity(mesh, form), random: new Random(seed) });
    this.model = new IdentityModel(GRACE);
    this.people = Array.from({ length: PEOPLE }, (_, i) => person(`walker ${form} ${seed} ${i}`));
    this.keys = [...this.people, ...Array.from({ length: KEYS }, (_, i) => person(`key ${form} ${seed} ${i}`))];
    this.seen = {};
    for (const one of this.people) this.model.register(one.address, this.on.register(one).id);
  }

  /** Mostly a key in force, so that walks get somewhere. */
  actor() {
    const live = this.keys.filter(({ address }) => this.model.resolve(address, IDENTITY, this.mesh.now) === undefined);
    return this.random.pick(live.length && this.random.below(6) ? live : this.keys);
  }

  free() {
    const free = this.keys.filter(({ address }) => !this.model.keys.has(address));
    return free.length && this.random.below(8) ? this.random.pick(free) : this.random.pick(this.keys);
  }

  /** A key-add: mostly one that can be accepted. */
  addId() {
    const ids = [...this.model.adds.keys()];
    const open = ids.filter((id) => !this.model.keys.has(this.model.adds.get(id).key));
    return ids.length ? this.random.pick(open.length && this.random.below(6) ? open : ids) : ZEROS;
  }

  /** A recovery: mostly one that is not over, of a person who has guardians, and that runs where it should. */
  askedId(runs) {
    const ids = [...this.model.asked.keys()];
    const apt = ids.filter((id) => {
      const { refused, person } = this.model.found(id);
      if (refused) return false;
      return runs ? person.runs === id : this.model.circleOf(person, this.mesh.now).guardians.some(Boolean);
    });
    return ids.length ? this.random.pick(apt.length && this.random.below(6) ? apt.slice(-3) : ids) : ZEROS;
  }

  /** Mostly a guardian of that person who has not approved yet. */
  approver(id) {
    const asked = this.model.asked.get(id);
    const circle = asked && this.model.circleOf(this.model.persons.get(asked.of), this.mesh.now).guardians;
    const missing = this.keys.filter(({ address }) => {
      const guardian = this.model.keys.get(address)?.person;
      return circle?.includes(guardian) && !asked.said.has(guardian);
    });
    return missing.length && this.random.below(6) ? this.random.pick(missing) : this.actor();
  }

  keysOf(of) {
    return this.keys.filter(({ address }) => this.model.keys.get(address)?.person === of);
  }

  of(id) {
    return { address: this.model.asked.get(id)?.of ?? this.people[0].address };
  }

  /** One operation, done on the chain and told to the model: { got, expected }. */
  step(word) {
    const { model, on, random } = this;
    const now = this.mesh.now;
    const tell = (outcome, fields) => ({ got: outcome.err, expected: model[word]({ now, id: outcome.id, ...fields }) });
    const by = this.actor();
    if (word === "add") {
      const key = this.free();
      const scopes = random.pick([ALL, ALL, ALL, IDENTITY, LESSON + MONEY]);
      const [amount, until] = [random.pick([0n, 0n, 0n, 5n]), random.pick([0n, 0n, 0n, now + WEEK])];
      const previous = model.persons.get(model.keys.get(by.address)?.person)?.head ?? ZEROS;
      const outcome = on.add(by, key, { previous, scopes, amount, until });
      return tell(outcome, { by: by.address, key: key.address, scopes, capped: amount > 0n, until });
    }
    if (word === "accept") {
      const id = this.addId();
      const key = random.below(5) ? { address: model.adds.get(id)?.key ?? by.address } : by;
      return tell(on.accept(key, id), { by: key.address, id });
    }
    if (word === "revoke") {
      const key = random.pick(random.below(3) ? this.keysOf(model.keys.get(by.address)?.person) : this.keys);
      const id = model.keys.get(key.address)?.addedBy ?? this.addId();
      return tell(on.revoke(by, id, key), { by: by.address, id, key: key.address });
    }
    if (word === "guard") {
      const guardian = random.below(6) ? random.pick(this.people) : null;
      const [slot, threshold, delay] = [random.below(3), BigInt(1 + random.below(2)), random.pick([WEEK, 2n * WEEK])];
      const previous = model.persons.get(model.keys.get(by.address)?.person)?.circle.head ?? ZEROS;
      const outcome = on.guard(by, guardian, { slot: BigInt(slot), threshold, delay, previous });
      return tell(outcome, { by: by.address, guardian: guardian?.address ?? null, slot, threshold, delay });
    }
    if (word === "open") {
      const [key, of] = [this.free(), random.pick(this.people)];
      return tell(on.open(key, of), { by: key.address, of: of.address });
    }
    const id = this.askedId(word === "finish");
    if (word === "approve") {
      const guardian = this.approver(id);
      return tell(on.approve(guardian, id, this.of(id)), { by: guardian.address, id });
    }
    if (word === "cancel") {
      const own = this.keysOf(this.of(id).address);
      const objector = own.length && random.below(4) ? random.pick(own) : by;
      return tell(on.cancel(objector, id, this.of(id)), { by: objector.address, id });
    }
    return tell(on.finish(id, this.of(id)), { id });
  }

  run(steps) {
    for (let step = 0; step < steps; step++) {
      const word = this.random.pick(WORDS);
      if (word === "wait") {
        this.mesh.advance(Number(this.random.pick([1n, 3n, 9n]) * WEEK / 4n));
        continue;
      }
      const { got, expected } = this.step(word);
      const where = `seed ${this.seed}, step ${step}, ${word}`;
      assert.equal(got, expected, where);
      if (got === undefined) this.seen[word] = (this.seen[word] ?? 0) + 1;
      if (step % 4 === 0) this.compare(where);
    }
  }

  compare(where) {
    const { mesh, model, on } = this;
    for (const one of this.people) {
      const person = model.persons.get(one.address);
      const { epoch, recovery, lasting, "keys-head": head } = on.record(one);
      const expected = [person.epoch, person.runs, BigInt(model.lasting(person)), person.head];
      assert.deepEqual([epoch, recovery, lasting, head], expected, where);
    }
    const key = this.random.pick(this.keys);
    for (const scope of [IDENTITY, LESSON]) {
      const expected = model.speaks(key.address, scope, mesh.now) ?? model.keys.get(key.address).person;
      const { ok, err } = mesh.read("user-registry", "speaks-for", [key.address, scope]);
      assert.equal(ok ?? err, expected, where);
    }
    const of = this.random.pick(this.people);
    assert.deepEqual(on.guardians(of), model.circleOf(model.persons.get(of.address), mesh.now), where);
    const resolved = model.resolve(key.address, MONEY, mesh.now) ?? model.keys.get(key.address).person;
    const { ok, err } = on.resolve(key, MONEY, 0n, STX);
    assert.equal(ok ?? err, resolved, where);
  }
}

for (const form of ["wallet", "signed"]) {
  test(`whatever people do with keys and guardians, chain and model agree (${form})`, async () => {
    const sums = {};
    for (let round = 0; round < CAMPAIGN; round++) {
      const seed = 2 * round + (form === "wallet" ? 0 : 1);
      const walk = new Walk(await bootMesh(), form, seed);
      walk.run(STEPS);
      for (const [word, count] of Object.entries(walk.seen)) sums[word] = (sums[word] ?? 0) + count;
    }
    for (const word of new Set(WORDS)) if (word !== "wait") assert.ok(sums[word] > 0, `${word} never went well`);
  });
}
