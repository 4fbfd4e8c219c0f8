// The list of attacks, and the test that holds each: an entry without its test fails here.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const HERE = new URL("./", import.meta.url);

/** Attack -> names of the tests that show it fails, whichever file they are in. */
const ATTACKS = {
  // ---- money that is held
  "double release": [
    "a lock ends once, in whichever way it ended",
    "a lesson that both want to end in their way ends once, in whatever order they come",
  ],
  "release after refund": [
    "a lock ends once, in whichever way it ended",
    "of a cancellation and a completion the first counts, whichever it is",
  ],
  "refund after release": [
    "of a cancellation and a completion the first counts, whichever it is",
    "a lesson that was left alone past the grace period ends once, in whatever order the cranks turn",
  ],
  "a stranger to the lesson": [
    "a stranger attends nothing, and a party attends only with the other party",
    "a stranger cancels nothing, and a side only the lesson with the other side",
    "only a side of the lesson opens, and names the other side or nobody",
  ],
  "an unknown lesson": [
    "nobody claims what was never booked, or what is in dispute",
    "nothing is disputed that is unknown, unconfirmed, over, or holds no money of its own",
    "a lock that nobody made can be neither ended nor drawn on nor filled",
  ],
  "amount 0": [
    "nothing, and more than the protocol's largest number, can neither be paid in nor taken out",
    "a lock of nothing is refused, a lesson for nothing is not",
    "nothing, too much, or more than is free cannot be set aside",
    "a pool without money, without caps or beyond the sponsor's money is refused",
  ],
  "overflow at every amount": [
    "no number in any argument of any function aborts a call, past every check of a role",
    "the protocol's largest sums lock, split and return without overflow",
    "the largest price of the protocol has its bond computed without overflow",
    "a number beyond the protocol gets a code in every field",
  ],
  "rounding dust": [
    "no split, at any basis point, makes or loses a unit",
    "a share is at most the whole, and nothing is left by the smallest",
  ],
  "conservation at every step": [
    "contracts and model agree at every step of walk",
    "every lock of walk",
  ],
  "everybody disappears": [
    "and nothing stays locked after it",
    "a dispute without any panel, whose people are all gone, is settled by a stranger",
    "a pool ends when its last lessons could be claimed, by anybody, and the rest is the sponsor's",
  ],
  "deadlines shorter than a village's offline time": [
    "the grace period stays between 30 days and a year, the relay's fee at or below five percent",
    "no deadline that takes money from somebody is shorter than thirty days",
  ],
  // ---- fraud
  "self-dealing": [
    "a second key books for its person, who cannot be their own tutor under either key",
    "two strangers, a sponsor who teaches or learns, and a self-taught tutor get nothing",
    "neither the sponsor's own class nor the sponsor's attendance is paid",
    "a person who is student, donor and arbiter at once gains nothing by it",
  ],
  "a pool drained by two strangers": [
    "what a learner costs and a tutor earns in a week ends at the caps, whatever the sums",
    "two strangers, a sponsor who teaches or learns, and a self-taught tutor get nothing",
  ],
  "a malicious token": [
    "a token that fails, pretends, lies or takes more cannot be paid in",
    "a token that fails, takes more or reaches for STX takes nothing out of the vault",
    "a token that reaches for the vault while the vault pays it out gets nothing, and nothing is paid",
    "a token gone bad spoils its own pools and earmarks, and no others",
  ],
  // ---- disputes
  "arbiter = party": [
    "a side, the mediator and the neighbours of a side never judge, however small the panel",
  ],
  "absent arbiter": [
    "a dispute is settled by time only after the last second for votes, and by anybody",
    "the median is the middle one, of every combination of votes and of missing ones",
  ],
  "dispute after the deadline": [
    "votes count from one grace period after the opening to two, both ends included",
    "after its end a dispute takes no offer, no acceptance, no vote and no second end",
    "a lesson that was left alone past the grace period ends once, in whatever order the cranks turn",
  ],
  "dispute spam": [
    "who has less than the bond opens with what there is, and who has nothing for nothing",
    "a lesson is disputed once, by whichever side, also after its end",
    "who disputes without reason pays the bond to the other side",
  ],
  "an opening that keeps the other side's word out": [
    "attendance still counts during a dispute, so that opening one keeps nobody's word out",
  ],
  // ---- keys and persons
  "a revoked first key that withdraws from its wallet": [
    "a revoked key can do nothing more, and another of the person is untouched",
    "a stolen first key, once revoked, takes nothing out, neither signed nor from its wallet",
  ],
  "key-add of somebody else's key": [
    "nobody makes somebody else's key their own",
    "a key that became a person, or another person's, between add and accept stays that",
  ],
  "a chosen id": [
    "a wallet registers under an id that nobody else can take",
    "nobody takes the id of somebody's booking first, with a better price for oneself",
  ],
  "a thief who changes the guardians": [
    "a thief's change of guardians neither overtakes a recovery nor outlives it",
  ],
  "guardians who conspire": [
    "the owner stops guardians who conspire, frozen or not, by any lasting key and no other",
  ],
  "a lure contract": [
    "a lure contract that a person calls acts for itself and gains nothing, whatever it calls",
  ],
  "a contract principal as a party": [
    "the vault keeps money for persons only: no contract and no address of another network could use it",
    "a program or a key of another network is no key",
    "a contract is no party to anything",
  ],
  // ---- signatures and batches
  "a stranger re-signs somebody's statement": [
    "a signature that names nobody, or somebody else, is refused before anything else",
    "a stranger who signs somebody's statement anew speaks for nobody",
  ],
  "a stale booking after a later top-up": [
    "an action that its person withdrew is never done, though money for it comes later",
    "nobody withdraws another person's action, and trying does not keep its author from doing so",
  ],
  "over-long list elements": [
    "a field of a wrong length gets a code, too long ones included",
    "a batch holds none to two hundred actions",
  ],
  "high-S twins": [
    "an action is done once, also by another signature of the same statement, and stays done after it expired",
  ],
  "a wrong domain": ["an action for another mesh or another network is by nobody here"],
  "a wrong network's principal": [
    "money for the vault itself or for an address of another network is refused both ways",
    "an address of another network is no party to anything",
  ],
  replay: [
    "an action is done once, also by another signature of the same statement, and stays done after it expired",
    "a successor takes the role in one step, and what was done or withdrawn before stays so",
  ],
  "a poisoned item": [
    "whatever a stranger signs, the batch goes on",
  ],
  "acting for somebody without the role": [
    "every function for somebody else, and every one for another contract, is refused to a stranger",
  ],
};

const files = readdirSync(HERE).filter((file) => file.endsWith(".test.mjs") && file !== "attacks.test.mjs");
const all = files.map((file) => readFileSync(new URL(file, HERE), "utf8")).join("\n");

for (const [attack, names] of Object.entries(ATTACKS)) {
  test(`${attack}: held by ${names.length} test${names.length > 1 ? "s" : ""} of that name`, () => {
    for (const name of names) assert.ok(all.includes(name), name);
  });
}
