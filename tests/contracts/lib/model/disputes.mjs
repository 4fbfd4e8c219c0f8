// Quarrels about the price of a lesson: agreement, mediation, arbiters, and what silence decides.
import { sha256 } from "../action.mjs";
import { Cl, serializeCVBytes } from "@stacks/transactions";
import { DISPUTE, isPerson, MONEY, resolve } from "./identity.mjs";
import { endDispute, holdForDispute } from "./lessons.mjs";
import { settings } from "./settings.mjs";
import { needs } from "./store.mjs";
import { lock, refund, release, split } from "./vault.mjs";

const need = needs("dispute-resolution");
const BPS = 10_000n;
const BOTH = 3n;
const [BY_AGREEMENT, BY_VOTE, BY_DEFAULT] = [1n, 2n, 3n];
const DRAWS = 24;
const ARBITERS = 3;
const DRAW_DELAY = 6n;

const bytes = (hex) => Buffer.from(hex, "hex");
export const bondId = (lesson) => sha256(bytes(lesson), "bond");

export const isEnrolled = (w, who) => w.enrolled.get(who) === true;

function setPanel(w, key, who, on) {
  need(w.stewards.has(key) || settings(w).owner === key, "NOT-STEWARD");
  const enrolled = isEnrolled(w, who);
  if (on) {
    need(isPerson(w, who), "PERSON-UNKNOWN");
    need(!enrolled, "ENROLLED");
    const { seats } = w.counts.get("dispute-resolution");
    w.seats.set(seats, { who, home: w.persons.get(who).home, left: null });
    w.seatOf.set(who, seats);
    w.counts.add("dispute-resolution", { seats: 1n });
  } else {
    need(enrolled, "NOT-ENROLLED");
    w.seats.merge(w.seatOf.get(who), { left: w.now });
  }
  w.enrolled.set(who, on);
}

/** The arbiters of a dispute; nobody before the header that draws them is known. */
export function arbitersOf(w, lesson) {
  const dispute = w.disputes.get(lesson);
  const header = dispute && w.headerAt(dispute.burn + DRAW_DELAY);
  if (!header || dispute.seats === 0n) return [];
  const homes = [dispute["student-home"], dispute["tutor-home"]];
  const drawn = [];
  for (let i = 0; i < DRAWS && drawn.length < ARBITERS; i++) {
    const hash = sha256(bytes(header), bytes(lesson), serializeCVBytes(Cl.uint(i)));
    const { who, home, left } = w.seats.get(BigInt(`0x${hash.slice(0, 32)}`) % dispute.seats);
    const away = left !== null && left <= dispute["opened-at"];
    const { student, tutor, payer, mediator } = dispute;
    const related = [student, tutor, payer, mediator, ...drawn].includes(who);
    if (!away && !related && (home === null || !homes.includes(home))) drawn.push(who);
  }
  return drawn;
}

function open(w, key, f) {
  const lesson = w.lessons.get(f.subject);
  need(lesson, "LESSON-UNKNOWN");
  const { student, tutor, asset, amount } = lesson;
  const bond = (amount * settings(w)["dispute-bond-bps"]) / BPS;
  const person = resolve(w, key, bond > 0n ? DISPUTE | MONEY : DISPUTE, bond, asset);
  need(person === student || person === tutor, "NOT-PARTY");
  need(f.who === null || f.who === (person === tutor ? student : tutor), "OTHER");
  need(!w.disputes.has(f.subject), "OPENED");
  w.disputes.set(f.subject, {
    student, tutor, "student-home": w.persons.get(student).home, "tutor-home": w.persons.get(tutor).home,
    payer: w.locks.get(f.subject)?.payer ?? student, opener: person, bond, "opened-at": w.now,
    grace: settings(w)["grace-seconds"], burn: w.burn,
    seats: w.counts.get("dispute-resolution").seats, "student-offer": null, "tutor-offer": null, mediator: null,
    "mediator-offer": null, accepted: 0n, votes: [], ended: 0n, share: 0n,
  });
  w.counts.add("dispute-resolution", { opened: 1n });
  holdForDispute(w, f.subject);
  if (bond > 0n) lock(w, bondId(f.subject), person, asset, bond);
}

function openDispute(w, lesson) {
  const dispute = w.disputes.get(lesson);
  need(dispute, "DISPUTE-UNKNOWN");
  need(dispute.ended === 0n, "SETTLED");
  return dispute;
}

function offer(w, key, id, lesson, share) {
  const person = resolve(w, key, DISPUTE);
  const dispute = openDispute(w, lesson);
  need(share <= BPS, "SHARE");
  const side = person === dispute.tutor ? "tutor-offer" : person === dispute.student ? "student-offer" : null;
  if (side) resolve(w, key, MONEY);
  else {
    const first = dispute.mediator === null && w.now < dispute["opened-at"] + dispute.grace;
    need(isEnrolled(w, person) && (first || dispute.mediator === person), "NOT-MEDIATOR");
  }
  w.disputeOffers.set(id, { lesson, by: person, share });
  w.disputes.merge(lesson, side ? { [side]: id } : { mediator: person, "mediator-offer": id, accepted: 0n });
}

function accept(w, key, id) {
  const person = resolve(w, key, DISPUTE | MONEY);
  const terms = w.disputeOffers.get(id);
  need(terms, "OFFER-UNKNOWN");
  const dispute = openDispute(w, terms.lesson);
  const asTutor = person === dispute.tutor;
  const mediated = id === dispute["mediator-offer"];
  const accepted = mediated ? dispute.accepted | (asTutor ? 1n : 2n) : BOTH;
  need(asTutor || person === dispute.student, "NOT-PARTY");
  need(person !== terms.by, "OWN-OFFER");
  need(mediated || id === dispute[asTutor ? "student-offer" : "tutor-offer"], "OFFER-REPLACED");
  need(accepted !== dispute.accepted, "ACCEPTED");
  w.disputes.merge(terms.lesson, { accepted });
  if (accepted === BOTH) finish(w, terms.lesson, BY_AGREEMENT, terms.share, true);
}

function vote(w, key, lesson, share) {
  const person = resolve(w, key, DISPUTE);
  const dispute = openDispute(w, lesson);
  const start = dispute["opened-at"] + dispute.grace;
  need(share <= BPS, "SHARE");
  need(w.now >= start, "TOO-EARLY");
  need(w.now <= start + dispute.grace, "TOO-LATE");
  need(isEnrolled(w, person) && arbitersOf(w, lesson).includes(person), "NOT-ARBITER");
  need(!w.votes.has(`${lesson} ${person}`), "VOTED");
  w.votes.set(`${lesson} ${person}`, share);
  const votes = [...dispute.votes, share];
  w.disputes.merge(lesson, { votes });
  if (votes.length === ARBITERS || (votes.length === 2 && votes[0] === votes[1])) decide(w, lesson);
}

/** The median of the votes, those missing counting as what silence decides. */
function decide(w, lesson) {
  const { votes, opener, tutor } = openDispute(w, lesson);
  const missing = w.lessons.get(lesson).attended === BOTH ? BPS : 0n;
  const all = [...votes, missing, missing, missing].slice(0, ARBITERS).sort((a, b) => Number(a - b));
  const better = opener === tutor ? all[1] > missing : all[1] < missing;
  finish(w, lesson, votes.length < 2 ? BY_DEFAULT : BY_VOTE, all[1], better);
}

function finish(w, lesson, how, share, bondBack) {
  const { tutor, student, opener, bond } = openDispute(w, lesson);
  w.disputes.merge(lesson, { ended: how, share });
  w.counts.add("dispute-resolution",
    { [["by-agreement", "by-vote", "by-default"][Number(how) - 1]]: 1n, settled: 1n });
  split(w, lesson, tutor, share);
  endDispute(w, lesson);
  if (bond === 0n) return;
  if (bondBack) refund(w, bondId(lesson));
  else release(w, bondId(lesson), opener === tutor ? student : tutor);
}

function settle(w, lesson) {
  const dispute = openDispute(w, lesson);
  need(w.now > dispute["opened-at"] + 2n * dispute.grace, "TOO-EARLY");
  decide(w, lesson);
}

const CONTRACT = "dispute-resolution";

export const operations = {
  "panel-set": {
    wallet: true,
    direct: (f) => [CONTRACT, "panel-set", [f.who, f.on]],
    does: (w, key, id, f) => setPanel(w, key, f.who, f.on),
  },
  "dispute-open": {
    direct: (f, salt, some) => [CONTRACT, "open", [f.subject, some(f.who), f.bits]],
    does: (w, key, id, f) => open(w, key, f),
  },
  "dispute-offer": {
    direct: (f, salt) => [CONTRACT, "offer", [salt, f.subject, f.amount]],
    does: (w, key, id, f) => offer(w, key, id, f.subject, f.amount),
  },
  "dispute-accept": {
    direct: (f) => [CONTRACT, "accept", [f.subject]],
    does: (w, key, id, f) => accept(w, key, f.subject),
  },
  "dispute-vote": {
    direct: (f) => [CONTRACT, "vote", [f.subject, f.amount, f.bits]],
    does: (w, key, id, f) => vote(w, key, f.subject, f.amount),
  },
  "dispute-settle": {
    direct: (f) => [CONTRACT, "settle", [f.subject]],
    does: (w, key, id, f) => settle(w, f.subject),
  },
};
