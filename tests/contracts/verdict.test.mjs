// Votes, silence and every way a dispute can end: at its end the money is somewhere, and where the rules say.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { Cl } from "@stacks/transactions";
import { directId } from "./lib/action.mjs";
import {
  bondOf, bootDistrict, BPS, BY_AGREEMENT, BY_DEFAULT, BY_VOTE, confirmed, disputeOf, drawnOf, GATEWAY, GRACE, median,
  OK, OPEN, PANEL, votingTime, WALLET,
} from "./lib/disputes.mjs";
import { EARMARK_BIT } from "./lib/lessons.mjs";
import { checkMoney, errorsOf, eventsOf, idOf, INT_MAX, lockOf } from "./lib/money.mjs";
import { AMINA, TOMAS } from "./lib/village.mjs";

const err = errorsOf("dispute-resolution");
const EVERYBODY = [AMINA, TOMAS];
const DRAW_DELAY = 6;
/** State of a lock whose money went back. */
const REFUNDED = 2n;
let mesh;
const act = (name, ...args) => WALLET[name](mesh, ...args);
const free = (who) => mesh.balance(who.address).free;
const ended = (lesson) => {
  const { ended: how, share } = disputeOf(mesh, lesson.id);
  return [how, share];
};
/** A lesson in dispute whose arbiters are known. */
const disputed = ({ by = AMINA, ...terms } = {}) => {
  const lesson = confirmed(mesh, { amount: 100n, ...terms });
  assert.deepEqual(act("open", by, lesson), OK);
  mesh.vm.mineEmptyBurnBlocks(DRAW_DELAY);
  return lesson;
};

before(async () => {
  mesh = await bootDistrict();
});

test("votes count from one grace period after the opening to two, both ends included", () => {
  const lesson = disputed();
  const [first, second] = drawnOf(mesh, lesson);
  const { from, until } = votingTime(mesh, lesson);
  mesh.waitUntil(from - 10n);
  assert.deepEqual(act("vote", first, lesson, 0n), err("TOO-EARLY"));
  assert.deepEqual(act("vote", first, lesson, 0n), OK);
  mesh.waitUntil(until);
  assert.deepEqual(act("vote", second, lesson, 1n), OK);
  const late = disputed();
  const [third] = drawnOf(mesh, late);
  mesh.waitUntil(votingTime(mesh, late).until + 10n);
  assert.deepEqual(act("vote", third, late, 0n), err("TOO-LATE"));
});

test("a dispute is settled by time only after the last second for votes, and by anybody", () => {
  const lesson = disputed();
  const { from, until } = votingTime(mesh, lesson);
  for (const time of [from, until]) {
    mesh.waitUntil(time);
    assert.deepEqual(act("settle", lesson), err("TOO-EARLY"));
  }
  assert.deepEqual(act("settle", lesson), OK);
  assert.deepEqual(act("settle", lesson), err("SETTLED"));
});

test("only the drawn vote, once each, and for a share that exists", () => {
  const lesson = disputed();
  const drawn = drawnOf(mesh, lesson);
  mesh.waitUntil(votingTime(mesh, lesson).from);
  const others = [AMINA, TOMAS, ...PANEL.filter((one) => !drawn.includes(one))];
  for (const who of others) assert.deepEqual(act("vote", who, lesson, 0n), err("NOT-ARBITER"));
  for (const share of [BPS + 1n, INT_MAX, 2n ** 128n - 1n]) {
    assert.deepEqual(act("vote", drawn[0], lesson, share), err("SHARE"));
  }
  assert.deepEqual(act("vote", drawn[0], lesson, 7000n), OK);
  for (const share of [7000n, 0n]) assert.deepEqual(act("vote", drawn[0], lesson, share), err("VOTED"));
  assert.deepEqual(disputeOf(mesh, lesson.id).votes, [7000n]);
  assert.equal(mesh.read("dispute-resolution", "get-vote", [lesson.id, drawn[0].address]), 7000n);
});

test("two equal votes end the dispute at once, two different ones wait for the third", () => {
  const [equal, unequal] = [disputed(), disputed()];
  const [judges, others] = [drawnOf(mesh, equal), drawnOf(mesh, unequal)];
  mesh.waitUntil(votingTime(mesh, unequal).from);
  const tutor = free(TOMAS);
  act("vote", judges[0], equal, 4000n);
  assert.deepEqual(ended(equal), [OPEN, 0n]);
  const last = mesh.run("dispute-resolution", "vote", [equal.id, 4000n, 1n], judges[1].address);
  assert.deepEqual(eventsOf(last).filter((name) => name.startsWith("dispute")), ["dispute-voted", "dispute-settled"]);
  assert.deepEqual([ended(equal), free(TOMAS) - tutor], [[BY_VOTE, 4000n], 40n]);
  assert.deepEqual(act("vote", judges[2], equal, 0n), err("SETTLED"));
  act("vote", others[0], unequal, 0n);
  act("vote", others[1], unequal, BPS);
  assert.deepEqual(ended(unequal), [OPEN, 0n]);
  act("vote", others[2], unequal, 1n);
  assert.deepEqual(ended(unequal), [BY_VOTE, 1n]);
});

// Kills a median that takes the mean, the first vote, or sorts only two of the three.
test("the median is the middle one, of every combination of votes and of missing ones", () => {
  const shares = [0n, 1n, 5000n, BPS];
  const casts = shares.flatMap((a) => [[a], ...shares.flatMap((b) => [[a, b], ...shares.map((c) => [a, b, c])])]);
  for (const cast of [[], ...casts]) {
    for (const missing of [0n, BPS]) {
      const found = mesh.read("dispute-resolution", "median-of", [Cl.list(cast.map((one) => Cl.uint(one))), missing]);
      assert.equal(found, median(cast, missing), `${cast} and ${missing}`);
    }
  }
});

test("an attendance that arrives during the dispute counts for what silence means", () => {
  const lesson = disputed({ attended: [AMINA] });
  const outcome = mesh.submit([lesson.attend(TOMAS)]);
  assert.deepEqual(outcome, [0n]);
  mesh.waitUntil(votingTime(mesh, lesson).until + 10n);
  assert.deepEqual(act("settle", lesson), OK);
  assert.deepEqual(ended(lesson), [BY_DEFAULT, BPS]);
});

// Kills a bond that depends on what silence would have brought: the other side's late attendance changes that.
test("an attendance at the last moment takes no bond from an opener who wins, by vote or by time", () => {
  const lessons = [disputed({ by: TOMAS, attended: [TOMAS] }), disputed({ by: TOMAS, attended: [TOMAS] })];
  const [voted, timed] = lessons;
  const [first, second] = drawnOf(mesh, voted);
  mesh.waitUntil(votingTime(mesh, timed).from);
  assert.deepEqual(act("vote", first, voted, BPS), OK);
  assert.deepEqual(mesh.submit(lessons.map((lesson) => lesson.attend(AMINA))), [0n, 0n]);
  assert.deepEqual(act("vote", second, voted, BPS), OK);
  mesh.waitUntil(votingTime(mesh, timed).until + 10n);
  assert.deepEqual(act("settle", timed), OK);
  assert.deepEqual(lessons.map(ended), [[BY_VOTE, BPS], [BY_DEFAULT, BPS]]);
  assert.deepEqual(lessons.map((lesson) => lockOf(mesh, bondOf(mesh, lesson.id)).state), [REFUNDED, REFUNDED]);
});

test("a student who came and waited in vain has the bond back with the price", () => {
  const lesson = disputed({ attended: [AMINA] });
  mesh.waitUntil(votingTime(mesh, lesson).from);
  for (const arbiter of drawnOf(mesh, lesson).slice(0, 2)) assert.deepEqual(act("vote", arbiter, lesson, 0n), OK);
  assert.deepEqual([ended(lesson), lockOf(mesh, bondOf(mesh, lesson.id)).state], [[BY_VOTE, 0n], REFUNDED]);
});

test("a grace period that the owner changes moves no dispute that is open", () => {
  const lesson = disputed();
  mesh.call("access", "set-grace", [2_592_000n]);
  assert.equal(disputeOf(mesh, lesson.id).grace, GRACE);
  mesh.waitUntil(votingTime(mesh, lesson).from - 10n);
  assert.deepEqual(act("vote", drawnOf(mesh, lesson)[0], lesson, 0n), err("TOO-EARLY"));
  mesh.call("access", "set-grace", [GRACE]);
});

test("a dispute without any panel, whose people are all gone, is settled by a stranger", async () => {
  const lonely = await bootDistrict([]);
  const lesson = confirmed(lonely, { amount: 100n });
  WALLET.open(lonely, TOMAS, lesson);
  lonely.waitUntil(votingTime(lonely, lesson).until + 10n);
  assert.deepEqual(WALLET.settle(lonely, lesson), OK);
  assert.deepEqual([disputeOf(lonely, lesson.id).ended, lonely.balance(TOMAS.address).free], [BY_DEFAULT, 10_100n]);
});

test("what the tutor doesn't get returns to whoever paid: a friend's balance, or the earmark", () => {
  const lent = confirmed(mesh, { amount: 100n, bits: 60n });
  const [friend] = PANEL;
  mesh.call("payment-escrow", "deposit-for", [friend.address, 100n]);
  assert.deepEqual(mesh.call("session-manager", "fund", [lent.id, null, 100n], friend.address), OK);
  const salt = idOf("earmark");
  const terms = [TOMAS.address, null, 500n, mesh.now + 86_400n];
  assert.deepEqual(mesh.call("payment-escrow", "earmark", [salt, ...terms], AMINA.address), OK);
  const earmark = directId(AMINA.address, "escrow-lock", salt);
  const drawn = confirmed(mesh, { amount: 100n, bits: EARMARK_BIT + 60n, offer: earmark });
  for (const lesson of [lent, drawn]) {
    assert.deepEqual(act("open", TOMAS, lesson), OK);
    assert.deepEqual(act("accept", AMINA, act("offer", TOMAS, lesson, 2500n)), OK);
  }
  assert.deepEqual(mesh.balance(friend.address), { free: 75n, locked: 0n });
  assert.equal(lockOf(mesh, earmark).amount, 475n);
});

/** Every way to end, as what is done in which phase; `share` and `how` say what must follow, given the default. */
const ENDINGS = {
  "the student takes the tutor's offer": { agree: ["student", 3333n], how: BY_AGREEMENT, share: 3333n },
  "the tutor takes the student's offer": { agree: ["tutor", 6667n], how: BY_AGREEMENT, share: 6667n },
  "both take the mediator's": { agree: ["both", 5000n], how: BY_AGREEMENT, share: 5000n },
  "nobody comes back": { votes: [] },
  "one vote comes": { votes: [5000n] },
  "two equal votes": { votes: [2500n, 2500n] },
  "two different votes": { votes: [2500n, 7500n] },
  "two votes for halves": { votes: [5000n, 5000n] },
  "two votes for a little less": { votes: [4999n, 4999n] },
  "two votes for a little more": { votes: [5001n, 5001n] },
  "three votes": { votes: [9999n, 1n, 4321n] },
  "three votes for nothing": { votes: [BPS, 0n, 0n] },
  "three votes for all": { votes: [0n, BPS, BPS] },
};
const WHO_CAME = { both: [AMINA, TOMAS], student: [AMINA], tutor: [TOMAS], nobody: [] };

/** What must be true once the dispute of a path is over: [how, share, the bond's way back]. */
function expected({ ending, attended, opener }) {
  const missing = attended.length === 2 ? BPS : 0n;
  const { how, share, votes } = ending;
  if (how) return [how, share, true];
  const outcome = median(votes, missing);
  const atLeastHalf = opener === TOMAS ? 2n * outcome >= BPS : 2n * outcome <= BPS;
  return [votes.length < 2 ? BY_DEFAULT : BY_VOTE, outcome, atLeastHalf];
}

function agree(acts, { lesson, ending }) {
  const [who, share] = ending.agree;
  if (who === "both") {
    const mediator = PANEL[0];
    const offer = acts.offer(mesh, mediator, lesson, share);
    for (const party of [AMINA, TOMAS]) assert.deepEqual(acts.accept(mesh, party, offer), OK);
  } else {
    const [by, other] = who === "student" ? [TOMAS, AMINA] : [AMINA, TOMAS];
    assert.deepEqual(acts.accept(mesh, other, acts.offer(mesh, by, lesson, share)), OK);
  }
}

/** Where the money of one path went: what each side has more than before its lesson was booked. */
function payout({ amount, opener }, share, back) {
  const [paid, bond] = [(amount * share) / BPS, (amount * 500n) / BPS];
  const moved = back ? 0n : opener === AMINA ? -bond : bond;
  return { student: moved - paid, tutor: paid - moved };
}

for (const [form, acts] of [["from wallets", WALLET], ["through the gateway", GATEWAY]]) {
  // Kills: a lock left held, a bond kept, an end without the session's, a share of the wrong side, rounding up.
  test(`${form}, every path of every dispute ends with all of the money where the rules say`, async () => {
    mesh = await bootDistrict();
    mesh.call("payment-escrow", "deposit-for", [AMINA.address, 100_000n]);
    const [student, tutor] = [free(AMINA), free(TOMAS)];
    const paths = [];
    for (const ending of Object.values(ENDINGS)) {
      for (const attended of Object.values(WHO_CAME)) {
        for (const opener of EVERYBODY) paths.push({ ending, attended, opener, amount: 101n + BigInt(paths.length) });
      }
    }
    for (const path of paths) {
      path.lesson = confirmed(mesh, { amount: path.amount, attended: path.attended });
      assert.deepEqual(acts.open(mesh, path.opener, path.lesson), OK);
      if (path.ending.agree) agree(acts, path);
    }
    const open = paths.filter(({ ending }) => ending.votes);
    mesh.waitUntil(votingTime(mesh, paths.at(-1).lesson).from);
    for (const { lesson, ending } of open) {
      const arbiters = drawnOf(mesh, lesson);
      ending.votes.forEach((share, i) => assert.deepEqual(acts.vote(mesh, arbiters[i], lesson, share), OK));
    }
    mesh.waitUntil(votingTime(mesh, paths.at(-1).lesson).until + 10n);
    for (const { lesson } of paths) {
      if (disputeOf(mesh, lesson.id).ended === OPEN) assert.deepEqual(acts.settle(mesh, lesson), OK);
    }
    const sums = { student: 0n, tutor: 0n };
    for (const path of paths) {
      const [how, share, back] = expected(path);
      const name = `${JSON.stringify(path.ending.agree ?? path.ending.votes, (_, v) => `${v}`)} ${path.opener.name}`;
      assert.deepEqual(ended(path.lesson), [how, share], name);
      const moved = payout(path, share, back);
      sums.student += moved.student;
      sums.tutor += moved.tutor;
      assert.equal(mesh.read("session-manager", "get-lesson", [path.lesson.id]).state, 7n, name);
      assert.notEqual(lockOf(mesh, path.lesson.id).state, 0n, name);
      assert.notEqual(lockOf(mesh, bondOf(mesh, path.lesson.id)).state, 0n, name);
    }
    assert.deepEqual({ student: free(AMINA) - student, tutor: free(TOMAS) - tutor }, sums);
    const locks = paths.flatMap(({ lesson }) => [lesson.id, bondOf(mesh, lesson.id)]);
    checkMoney(mesh, { persons: EVERYBODY, locks });
    const { opened, settled } = mesh.read("dispute-resolution", "get-counts");
    assert.deepEqual([opened, settled], [BigInt(paths.length), opened]);
  });
}
