// What no operation may do to what is there, asked of the chain's own answers.
import assert from "node:assert/strict";

/** Booked and confirmed (1, 2) may become anything, in one batch even settled (7); disputed (6) only settled. */
const mayBecome = (before, after) => before <= 2n || before === after || (before === 6n && after === 7n);

const kept = (before, after, names) => {
  for (const name of names) assert.deepEqual(after[name], before[name], `${name} never changes`);
};

const LAWS = {
  lessons: (before, after) => {
    kept(before, after, ["student", "tutor", "asset", "amount", "offer", "needs"]);
    assert.ok(mayBecome(before.state, after.state), `lesson ${before.state} -> ${after.state}`);
    assert.equal(before.attended & after.attended, before.attended, "an attendance stays");
  },
  locks: (before, after) => {
    kept(before, after, ["payer", "asset", "origin"]);
    if (before.state !== 0n) assert.deepEqual(after, before, "a lock is settled once");
  },
  ratings: (before, after) => {
    kept(before, after, ["rated", "of-tutor", "seal", "sealed-at"]);
    if (before.stars !== 0n) assert.deepEqual(after, before, "a rating is opened once");
  },
  disputes: (before, after) => {
    kept(before, after, ["student", "tutor", "opener", "bond", "opened-at", "burn", "seats"]);
    if (before.ended !== 0n) assert.deepEqual(after, before, "a dispute ends once");
    assert.deepEqual(after.votes.slice(0, before.votes.length), before.votes, "a vote stays");
  },
  requests: (before, after) => {
    if (before.state !== 1n) assert.deepEqual(after, before, "a request is matched or closed once");
  },
  /** A key that a recovery only kept may come to be somebody else's, by another statement. */
  keys: (before, after) => {
    if (after === null || before["added-by"] !== after["added-by"]) return;
    kept(before, after, ["person", "scopes", "cap", "until", "epoch"]);
    assert.ok(after.revoked || !before.revoked, "a revoked key stays so");
  },
  persons: (before, after) => {
    kept(before, after, ["registered-at", "home"]);
    assert.ok(after.epoch >= before.epoch);
  },
  earmarks: (before, after) => assert.deepEqual(after, before),
  paid: (before, after) => assert.ok(after >= before),
  volumes: (before, after) => assert.ok(after >= before),
  spent: (before, after) => assert.ok(after || !before, "what was done stays done"),
};

/** The chain's own rows, remembered so that each change can be judged. */
export class Memory {
  seen = new Map();

  judge(table, key, now) {
    const before = this.seen.get(`${table} ${key}`);
    this.seen.set(`${table} ${key}`, now);
    if (before != null) LAWS[table]?.(before, now);
  }
}
