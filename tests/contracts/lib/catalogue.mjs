// For every kind that the contracts know: what must be there before, and then as many good actions of it as are wanted.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { person } from "./action.mjs";
import { Match, offerSet, offerWithdraw, requestClose, requestOpen } from "./market.mjs";
import { openPool, WEEK } from "./money.mjs";
import { AMINA, bootVillage, GRACE_SECONDS, Lesson, LOCKS, register, START, TOMAS, withdraw } from "./village.mjs";

const [DRAWS_ON_EARMARK, POOL_PAYS] = [16_384n, 32_768n];
const NEEDS_GUARDIAN = 8192n;
const BY_GUARDIAN = 2n;
const [FOR_POOL, FOR_TUTOR] = [1n, 2n];
const STUDENTS_SCOPE = 4n;
const ELDER = person("catalogue elder");
const PANEL = ["ada", "ben", "cem", "dora", "emil"].map((name) => person(`catalogue panel ${name}`));
let ids = 0;
let newcomers = 0;
const someId = () => createHash("sha256").update(`catalogue ${++ids}`).digest("hex");
const newcomer = () => person(`catalogue newcomer ${++newcomers}`);

/** A village in which every kind of action can be done, with people, money, a pool and a panel. */
export class Stage {
  static async boot(options) {
    const mesh = await bootVillage(options);
    const stage = new Stage();
    const pool = { amount: 9_000n, learnerCap: 10_000n, tutorCap: 100_000n, until: mesh.now + 600n * 86_400n };
    Object.assign(stage, { mesh, pool: openPool(mesh, { tutors: [TOMAS], ...pool }) });
    for (const who of [AMINA, TOMAS]) mesh.call("payment-escrow", "deposit-for", [who.address, 1_000_000n]);
    stage.done([register(mesh, ELDER),
      stage.sign(AMINA, "guardian-set", { who: ELDER.address, amount: 1n, bits: 4n })]);
    for (const one of PANEL) {
      stage.done([register(mesh, one, { who: person(`hub of ${one.name}`).address })]);
      assert.deepEqual(mesh.call("panel", "panel-set", [one.address, true]), { ok: true });
    }
    return stage;
  }

  /** Submit what a scene needs; all of it must be done. */
  done(actions) {
    const codes = this.mesh.submit(actions);
    assert.deepEqual(codes, actions.map(() => 0n), `${actions[0]?.fields.action} while a scene was set`);
    return actions;
  }

  sign(who, kind, fields = {}) {
    return this.mesh.action(who, { action: kind, ...fields });
  }

  /** New people, registered; `joined` is the id of the registration. */
  people(count) {
    const people = Array.from({ length: count }, newcomer);
    const joined = this.done(people.map((one) => register(this.mesh, one)));
    return people.map((one, at) => ({ ...one, joined: joined[at].id }));
  }

  lessons(count, terms) {
    return Array.from({ length: count }, () => new Lesson(this.mesh, { amount: 20n, ...terms }));
  }

  /** Lessons that were brought as far as their `steps` say. */
  held(count, steps, terms) {
    const lessons = this.lessons(count, terms);
    for (const step of ["booking", ...steps]) {
      this.done(lessons.map((lesson) => (step === "booking" ? lesson.booking : STEPS[step](lesson))));
    }
    return lessons;
  }

  /** People of whom each has Tomas as the only guardian. */
  guarded(count) {
    const people = this.people(count);
    this.done(people.map((one) => guard(this, one)));
    return people;
  }

  /** Recoveries of new people by new keys, opened. */
  recoveries(count) {
    const all = this.guarded(count).map((owner) => {
      const fresh = newcomer();
      return { owner, open: this.sign(fresh, "recovery-open", { who: owner.address }) };
    });
    this.done(all.map(({ open }) => open));
    return all;
  }

  approved(count) {
    const all = this.recoveries(count);
    this.done(all.map((one) => approve(this, one)));
    return all;
  }

  /** New keys of new people, added and not yet accepted. */
  additions(count) {
    const all = this.people(count).map((owner) => {
      const key = newcomer();
      return { owner, key, add: addKey(this, owner, key) };
    });
    this.done(all.map(({ add }) => add));
    return all;
  }

  requests(count) {
    const requests = Array.from({ length: count }, () => requestOpen(this.mesh, AMINA));
    return this.done(requests);
  }

  matches(count) {
    return this.requests(count).map(({ id }) => new Match(this.mesh, { request: id, student: AMINA, tutor: TOMAS }));
  }

  disputed(count) {
    const lessons = this.held(count, ["confirm", "student", "tutor"]);
    this.done(lessons.map((lesson) => this.sign(AMINA, "dispute-open", { subject: lesson.id, bits: 3n })));
    return lessons;
  }

  /** Who was drawn as the arbiter number `at` of a disputed lesson. */
  arbiter(lesson, at) {
    const address = this.mesh.read("dispute-resolution", "get-arbiters", [lesson.id])[at];
    return PANEL.find((one) => one.address === address);
  }

  vote(lesson, at) {
    return this.sign(this.arbiter(lesson, at), "dispute-vote", { subject: lesson.id, amount: 5000n, bits: 1n });
  }
}

const STEPS = {
  confirm: (lesson) => lesson.confirm(),
  student: (lesson) => lesson.attend(lesson.student),
  tutor: (lesson) => lesson.attend(lesson.tutor),
  complete: (lesson) => lesson.complete(),
  seals: (lesson) => lesson.seal(lesson.student, 5n),
  "other seals": (lesson) => lesson.seal(lesson.tutor, 5n),
};
const pooled = ({ pool, mesh }) => ({ bits: POOL_PAYS + 60n, offer: pool.id, start: mesh.now });
const guard = (stage, one) => stage.sign(one, "guardian-set", { who: TOMAS.address, amount: 1n });
const approve = (stage, { owner, open }) =>
  stage.sign(TOMAS, "recovery-approve", { subject: open.id, who: owner.address });
const addKey = (stage, owner, key) =>
  stage.sign(owner, "key-add", { subject: owner.joined, who: key.address, bits: STUDENTS_SCOPE });
const openClass = (stage) => stage.sign(TOMAS, "class-open",
  { subject: stage.pool.id, amount: 7n, moment: stage.mesh.now, bits: 90n });
const attendClass = (stage, by, other, { id }) =>
  stage.sign(by, "class-attend", { subject: id, who: other.address, moment: stage.mesh.now });
const earmark = (stage) => stage.sign(AMINA, "escrow-lock",
  { who: TOMAS.address, amount: 5n, moment: stage.mesh.now + WEEK, bits: FOR_TUTOR });
const each = (count, make) => Array.from({ length: count }, (_, at) => make(at));
const GRACE = BigInt(GRACE_SECONDS) + 3600n;

/**
 * Scene -> { wait: seconds that must pass between `set` and `acts`; set: (stage, count) => what it leaves;
 * acts: (stage, left, count) => actions }. A scene's name is its kind, and after a comma what is special about it.
 */
export const SCENES = {
  "user-register": { acts: ({ mesh }, _, n) => each(n, () => register(mesh, newcomer(), { who: TOMAS.address })) },
  "key-add": {
    set: (stage, n) => stage.people(n),
    acts: (stage, people) => people.map((owner) => addKey(stage, owner, newcomer())),
  },
  "key-accept": {
    set: (stage, n) => stage.additions(n),
    acts: (stage, all) => all.map(({ key, add }) => stage.sign(key, "key-accept", { subject: add.id })),
  },
  "key-revoke": {
    set(stage, n) {
      const all = stage.additions(n);
      stage.done(all.map(({ key, add }) => stage.sign(key, "key-accept", { subject: add.id })));
      return all;
    },
    acts: (stage, all) => all.map(({ owner, key, add }) =>
      stage.sign(owner, "key-revoke", { subject: add.id, who: key.address })),
  },
  "guardian-set": {
    set: (stage, n) => stage.people(n),
    acts: (stage, people) => people.map((one) => guard(stage, one)),
  },
  "recovery-open": {
    set: (stage, n) => stage.guarded(n),
    acts: (stage, people) => people.map((one) => stage.sign(newcomer(), "recovery-open", { who: one.address })),
  },
  "recovery-approve": {
    set: (stage, n) => stage.recoveries(n),
    acts: (stage, all) => all.map((one) => approve(stage, one)),
  },
  "recovery-cancel": {
    set: (stage, n) => stage.approved(n),
    acts: (stage, all) => all.map(({ owner, open }) =>
      stage.sign(owner, "recovery-cancel", { subject: open.id, who: owner.address })),
  },
  "recovery-finish": {
    wait: GRACE,
    set: (stage, n) => stage.approved(n),
    acts: (stage, all) => all.map(({ owner, open }) =>
      stage.sign(AMINA, "recovery-finish", { subject: open.id, who: owner.address })),
  },
  "action-void": { acts: (stage, _, n) => each(n, () => stage.sign(AMINA, "action-void", { subject: someId() })) },

  "offer-set": {
    set: (stage, n) => stage.people(n),
    acts: ({ mesh }, people) => people.map((one) => offerSet(mesh, one)),
  },
  "offer-withdraw": {
    set: (stage, n) => stage.people(n).map((one) => ({ one, offer: stage.done([offerSet(stage.mesh, one)])[0] })),
    acts: ({ mesh }, all) => all.map(({ one, offer }) => offerWithdraw(mesh, one, offer.id)),
  },
  "request-open": { acts: ({ mesh }, _, n) => each(n, () => requestOpen(mesh, AMINA)) },
  "request-close": {
    set: (stage, n) => stage.requests(n),
    acts: ({ mesh }, requests) => requests.map(({ id }) => requestClose(mesh, AMINA, id)),
  },
  "match-offer": { set: (stage, n) => stage.matches(n), acts: (_, matches) => matches.map(({ offer }) => offer) },
  "match-accept": {
    set(stage, n) {
      const matches = stage.matches(n);
      stage.done(matches.map(({ offer }) => offer));
      return matches;
    },
    acts: (_, matches) => matches.map((match) => match.accept()),
  },

  "lesson-book": { acts: (stage, _, n) => stage.lessons(n).map(({ booking }) => booking) },
  "lesson-book, pool": { acts: (stage, _, n) => stage.lessons(n, pooled(stage)).map(({ booking }) => booking) },
  "lesson-book, earmark": {
    set: (stage, n) => stage.done(each(n, () => earmark(stage))),
    acts: (stage, all) => all.map(({ id }) =>
      stage.lessons(1, { bits: DRAWS_ON_EARMARK + 60n, offer: id, amount: 5n })[0].booking),
  },
  "lesson-confirm": {
    set: (stage, n) => stage.held(n, []),
    acts: (_, lessons) => lessons.map((lesson) => lesson.confirm()),
  },
  "lesson-confirm, guardian": {
    set: (stage, n) => stage.held(n, ["confirm"], { bits: NEEDS_GUARDIAN + LOCKS + 60n }),
    acts: (stage, lessons) => lessons.map((lesson) =>
      stage.sign(ELDER, "lesson-confirm", { ...lesson.confirm({ bits: BY_GUARDIAN }).fields, author: ELDER.address })),
  },
  "lesson-decline": {
    set: (stage, n) => stage.held(n, ["confirm"]),
    acts: (stage, lessons) => lessons.map(({ id }) => stage.sign(TOMAS, "lesson-decline", { subject: id })),
  },
  "lesson-move": {
    set: (stage, n) => stage.done(stage.held(n, ["confirm"]).map(({ id }) =>
      stage.sign(AMINA, "lesson-move", { subject: id, moment: START + 60n, bits: 45n }))),
    acts: (stage, moves) => moves.map(({ id }) =>
      stage.sign(TOMAS, "lesson-move", { subject: id, moment: START + 60n, bits: 45n })),
  },
  "lesson-cancel": {
    set: (stage, n) => stage.held(n, ["confirm"]),
    acts: (stage, lessons) => lessons.map(({ id }) => stage.sign(AMINA, "lesson-cancel", { subject: id })),
  },
  "lesson-attend": {
    set: (stage, n) => stage.held(n, ["confirm"]),
    acts: (_, lessons) => lessons.map((lesson) => lesson.attend(AMINA)),
  },
  "lesson-complete": {
    set: (stage, n) => stage.held(n, ["confirm", "student", "tutor"]),
    acts: (_, lessons) => lessons.map((lesson) => lesson.complete()),
  },
  "lesson-complete, free money": {
    set: (stage, n) => stage.held(n, ["confirm", "student", "tutor"], { bits: 60n }),
    acts: (_, lessons) => lessons.map((lesson) => lesson.complete()),
  },
  "lesson-complete, pool": {
    set: (stage, n) => stage.held(n, ["confirm", "student", "tutor"], pooled(stage)),
    acts: (_, lessons) => lessons.map((lesson) => lesson.complete()),
  },
  "lesson-claim": {
    wait: GRACE,
    set: (stage, n) => stage.held(n, ["confirm", "student", "tutor"], { start: stage.mesh.now }),
    acts: (stage, lessons) => lessons.map(({ id }) => stage.sign(TOMAS, "lesson-claim", { subject: id })),
  },
  "class-open": { acts: (stage, _, n) => each(n, () => openClass(stage)) },
  "class-attend": {
    set: (stage, n) => {
      const [people, [session]] = [stage.people(n), stage.done([openClass(stage)])];
      stage.done(people.map((one) => attendClass(stage, TOMAS, one, session)));
      return { people, session };
    },
    acts: (stage, { people, session }) => people.map((one) => attendClass(stage, one, TOMAS, session)),
  },

  "escrow-lock, lesson": {
    set: (stage, n) => stage.held(n, ["confirm"], { bits: 60n }),
    acts: (stage, lessons) => lessons.map(({ id, amount }) =>
      stage.sign(AMINA, "escrow-lock", { subject: id, who: TOMAS.address, amount })),
  },
  "escrow-lock, pool": {
    acts: (stage, _, n) => each(n, () => stage.sign(AMINA, "escrow-lock",
      { subject: stage.pool.id, who: stage.pool.sponsor.address, amount: 5n, bits: FOR_POOL })),
  },
  "escrow-lock, earmark": { acts: (stage, _, n) => each(n, () => earmark(stage)) },
  "escrow-return": {
    set: (stage, n) => stage.done(each(n, () => earmark(stage))),
    acts: (stage, all) => all.map(({ id }) => stage.sign(TOMAS, "escrow-return", { subject: id })),
  },
  "escrow-withdraw": { acts: ({ mesh }, _, n) => each(n, () => withdraw(mesh, AMINA, 2n)) },

  "rating-seal": {
    set: (stage, n) => stage.held(n, ["confirm", "student", "tutor"]),
    acts: (_, lessons) => lessons.map((lesson) => lesson.seal(AMINA, 5n)),
  },
  "rating-open": {
    set: (stage, n) => stage.held(n, ["confirm", "student", "tutor", "seals", "other seals"]),
    acts: (_, lessons) => lessons.map((lesson) => lesson.open(AMINA, 5n)),
  },

  "dispute-open": {
    set: (stage, n) => stage.held(n, ["confirm", "student", "tutor"]),
    acts: (stage, lessons) => lessons.map(({ id }) => stage.sign(AMINA, "dispute-open", { subject: id, bits: 3n })),
  },
  "dispute-offer": {
    set: (stage, n) => stage.disputed(n),
    acts: (stage, lessons) => lessons.map(({ id }) =>
      stage.sign(TOMAS, "dispute-offer", { subject: id, amount: 5000n })),
  },
  "dispute-accept": {
    set: (stage, n) => stage.done(stage.disputed(n).map(({ id }) =>
      stage.sign(TOMAS, "dispute-offer", { subject: id, amount: 5000n }))),
    acts: (stage, offers) => offers.map(({ id }) => stage.sign(AMINA, "dispute-accept", { subject: id })),
  },
  "dispute-vote": {
    wait: GRACE,
    set: (stage, n) => stage.disputed(n),
    acts(stage, lessons) {
      stage.done(lessons.map((lesson) => stage.vote(lesson, 0)));
      return lessons.map((lesson) => stage.vote(lesson, 1));
    },
  },
  "dispute-settle": {
    wait: 2n * GRACE,
    set: (stage, n) => stage.disputed(n),
    acts: (stage, lessons) => lessons.map(({ id }) => stage.sign(AMINA, "dispute-settle", { subject: id })),
  },
};

export const kindOf = (scene) => scene.split(",")[0];

/** Set every scene, longest wait first, and let time pass between: scene -> `count` good actions, none of them done. */
export function play(stage, count, names = Object.keys(SCENES)) {
  const left = {};
  const waits = [...new Set(names.map((name) => SCENES[name].wait ?? 0n))].sort((a, b) => Number(b - a));
  waits.forEach((wait, at) => {
    for (const name of names.filter((one) => (SCENES[one].wait ?? 0n) === wait)) {
      left[name] = SCENES[name].set?.(stage, count);
    }
    const pause = wait - (waits[at + 1] ?? 0n);
    if (pause > 0n) stage.mesh.advance(pause);
  });
  return Object.fromEntries(names.map((name) => [name, SCENES[name].acts(stage, left[name], count)]));
}
