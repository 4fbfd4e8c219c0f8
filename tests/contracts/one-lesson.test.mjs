// Every order of a handful of operations on one lesson's money, the first two done again after it, against the model.
// A mutant that this is known to kill: a lesson that may be cancelled after it was completed.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mock, test } from "node:test";
import { Cl } from "@stacks/transactions";
import { STX } from "./lib/mesh.mjs";
import { LOCKS } from "./lib/model/lessons.mjs";
import { EMPTY } from "./lib/model/world.mjs";
import { ZEROS } from "./lib/values.mjs";
import { PEOPLE, Walk } from "./lib/walk/walk.mjs";

const TWIN = readFileSync(new URL("lib/twin.clar", import.meta.url), "utf8");
const [STUDENT, TUTOR, DONOR] = PEOPLE.slice(1).map(({ address }) => address);
/** How many of the operations are done a second time. */
const AGAIN = 2;
const PRICE = 100n;
const LATE_BPS = 2500n;
const OFFERS = { student: 3000n, tutor: 7000n };

/** Operations in the order of their numbers in the twin: [name, by, fields of a case]. */
const OPERATIONS = {
  "the student attends": ["lesson-attend", STUDENT, (c) => ({ subject: c.lesson, who: TUTOR, moment: 1n })],
  "the tutor attends": ["lesson-attend", TUTOR, (c) => ({ subject: c.lesson, who: STUDENT, moment: 1n })],
  "the student cancels": ["lesson-cancel", STUDENT, (c) => ({ subject: c.lesson })],
  "the tutor cancels": ["lesson-cancel", TUTOR, (c) => ({ subject: c.lesson })],
  "the tutor declines": ["lesson-decline", TUTOR, (c) => ({ subject: c.lesson })],
  "the student completes": ["lesson-complete", STUDENT, (c) => ({ subject: c.lesson })],
  "anybody claims": ["lesson-claim", DONOR, (c) => ({ subject: c.lesson })],
  "a donor pays": ["fund", DONOR, (c) => ({ subject: c.lesson, amount: PRICE })],
  "the student disputes": ["dispute-open", STUDENT, (c) => ({ subject: c.lesson, bits: 1n })],
  "the student accepts": ["dispute-accept", STUDENT, (c) => ({ subject: c.tutorOffer })],
  "the tutor accepts": ["dispute-accept", TUTOR, (c) => ({ subject: c.studentOffer })],
  "anybody settles": ["dispute-settle", DONOR, (c) => ({ subject: c.lesson })],
};
const NAMES = Object.keys(OPERATIONS);

/** All orders of a short list. */
const orders = (list) => (list.length < 2 ? [list]
  : list.flatMap((one, i) => orders(list.toSpliced(i, 1)).map((rest) => [one, ...rest])));

/** A confirmed lesson of PRICE in STX, locked or not, on a chain of its own. */
async function agreed({ bits = LOCKS + 45n } = {}) {
  const walk = await Walk.begin(1);
  const { mesh } = walk;
  mesh.deploy("twin", TWIN);
  mesh.call("access", "set-role", [Cl.stringAscii("gateway"), Cl.principal(`${mesh.deployer}.twin`), true]);
  walk.alone("set-notice", mesh.deployer, { seconds: 86_400n, bps: LATE_BPS });
  const moment = mesh.now;
  const lesson = walk.alone("lesson-book", STUDENT, { who: TUTOR, amount: PRICE, moment, bits });
  walk.alone("lesson-confirm", TUTOR, { subject: lesson, who: STUDENT, amount: PRICE, moment, bits: 1n });
  return { walk, lesson, studentOffer: ZEROS, tutorOffer: ZEROS };
}

/** What an order of operations answers and where it ends, on the chain. */
function onChain({ walk: { mesh }, lesson, studentOffer, tutorOffer }, order) {
  mesh.call("twin", "set-case", [Cl.tuple({
    lesson: Cl.bufferFromHex(lesson), student: Cl.principal(STUDENT), tutor: Cl.principal(TUTOR),
    donor: Cl.principal(DONOR), amount: Cl.uint(PRICE), "student-offer": Cl.bufferFromHex(studentOffer),
    "tutor-offer": Cl.bufferFromHex(tutorOffer),
  })]);
  return mesh.call("twin", "try", [Cl.list(order.map((name) => Cl.uint(NAMES.indexOf(name))))]).err;
}

/** The same in the model; its clock is the chain's. */
function inModel(c, order) {
  const { world } = c.walk;
  const mark = world.journal.length;
  const codes = order.map((name, at) => {
    const [operation, by, fields] = OPERATIONS[name];
    const all = { ...EMPTY, ...fields(c) };
    return world.attempt(() => world.operations[operation].does(world, by, `${at}`, all, true));
  });
  const [student, tutor, donor] = [STUDENT, TUTOR, DONOR].map((who) => world.balanceOf(who, STX));
  const [lesson, lock] = [world.lessons.get(c.lesson), world.locks.get(c.lesson) ?? null];
  const outcome = { codes, student, tutor, donor, lesson, lock };
  world.undo(mark);
  return outcome;
}

/** Try every order, followed by its beginning, and hold it against the model and against common sense. */
function everyOrder(c, names) {
  const { world } = c.walk;
  const total = ({ free, locked }) => free + locked;
  const before = [STUDENT, TUTOR, DONOR].reduce((sum, who) => sum + total(world.balanceOf(who, STX)), 0n);
  const ends = new Set();
  for (const order of orders(names)) {
    const done = [...order, ...order.slice(0, AGAIN)];
    const chain = onChain(c, done);
    c.walk.clock();
    world.now -= 10n;
    const model = inModel(c, done);
    assert.deepEqual({ ...chain, lesson: { ...chain.lesson, "changed-at": 0n } },
      { ...model, lesson: { ...model.lesson, "changed-at": 0n } }, order.join(", "));
    assert.equal(total(chain.student) + total(chain.tutor) + total(chain.donor), before, "nothing is made or lost");
    ends.add(`${chain.lesson.state} ${chain.lock?.state}`);
  }
  return ends;
}

mock.timers.enable({ apis: ["Date"], now: Date.UTC(2027, 0, 1) });

test("a lesson that both want to end in their way ends once, in whatever order they come", async () => {
  const c = await agreed();
  const ends = everyOrder(c, ["the student attends", "the tutor attends", "the student cancels", "the tutor declines",
    "the student completes"]);
  assert.deepEqual([...ends].sort(), ["2 0", "3 1", "4 2", "5 3"], "it is open, or ended in one way");
});

test("a lesson without its price is paid at most once, by whoever pays first", async () => {
  const c = await agreed({ bits: 45n });
  everyOrder(c, ["the student attends", "the tutor attends", "a donor pays", "the student completes",
    "the tutor cancels"]);
});

test("a lesson that was left alone past the grace period ends once, in whatever order the cranks turn", async () => {
  const c = await agreed();
  c.walk.run({ wait: 46 * 86_400 });
  everyOrder(c, ["the tutor attends", "anybody claims", "the tutor cancels", "the student disputes",
    "the student cancels"]);
});

test("a dispute ends once, by whichever agreement or silence comes first", async () => {
  const c = await agreed();
  c.walk.alone("dispute-open", STUDENT, { subject: c.lesson, bits: 1n });
  c.studentOffer = c.walk.alone("dispute-offer", STUDENT, { subject: c.lesson, amount: OFFERS.student });
  c.tutorOffer = c.walk.alone("dispute-offer", TUTOR, { subject: c.lesson, amount: OFFERS.tutor });
  c.walk.run({ wait: 91 * 86_400 });
  everyOrder(c, ["the student accepts", "the tutor accepts", "anybody settles", "the tutor cancels",
    "anybody claims"]);
});
