// Quarrels about the price of a lesson: agreement, mediation, arbiters, and what silence decides.
import { sha256 } from "../action.mjs";
import { DISPUTE, MONEY, resolve } from "./identity.mjs";
import { endDispute, holdForDispute } from "./lessons.mjs";
import { bind, drawFrom, mayMediate } from "./panel.mjs";
import { settings } from "./settings.mjs";
import { needs } from "./store.mjs";
import { balance, lock, refund, release, split } from "./vault.mjs";

const need = needs("dispute-resolution");
const BPS = 10_000n;
const BOTH = 3n;
const [BY_AGREEMENT, BY_VOTE, BY_DEFAULT] = [1n, 2n, 3n];
const ARBITERS = 3;
const DRAW_DELAY = 6n;
/** More than any key with a cap may spend. */
const BEYOND_CAPS = 2n ** 63n;

const bytes = (hex) => Buffer.from(hex, "hex");
export const bondId = (lesson) => sha256(bytes(lesson), "bond");

/** The arbiters of a dispute; nobody before the header that draws them is known. */
export function arbitersOf(w, lesson) {
  const dispute = w.disputes.get(lesson);
  const header = dispute && w.headerAt(dispute.burn + DRAW_DELAY);
  if (!header) return [];
  const { student, tutor, payer, mediator, homes, seats: size, "opened-at": time } = dispute;
  return drawFrom(w, { header, lesson, size, time, barred: [student, tutor, payer, mediator], homes });
}

function open(w, key, f) {
  const lesson = w.lessons.get(f.subject);
  need(lesson, "LESSON-UNKNOWN");
  const { student, tutor, asset, amount } = lesson;
  const { "dispute-bond-bps": bps, "grace-seconds": grace } = settings(w);
  const person = resolve(w, key, DISPUTE);
  need(person === student || person === tutor, "NOT-PARTY");
  need(f.who === null || f.who === (person === tutor ? student : tutor), "OTHER");
  need(!w.disputes.has(f.subject), "OPENED");
  const [asked, { free }] = [(amount * bps) / BPS, balance(w, person, asset)];
  const bond = free < asked ? free : asked;
  w.disputes.set(f.subject, {
    student, tutor, homes: [student, tutor].map((who) => w.persons.get(who).home), opener: person,
    payer: w.locks.get(f.subject)?.payer ?? student, bond, "opened-at": w.now, grace, burn: w.burn,
    seats: bind(w, w.now + 2n * grace), "student-offer": null, "tutor-offer": null, mediator: null,
    "mediator-offer": null, accepted: 0n, votes: [], ended: 0n, share: 0n,
  });
  w.counts.add("dispute-resolution", { opened: 1n });
  holdForDispute(w, f.subject);
  if (bond === 0n) return;
  resolve(w, key, MONEY, bond, asset);
  lock(w, bondId(f.subject), person, asset, bond);
}

function openDispute(w, lesson) {
  const dispute = w.disputes.get(lesson);
  need(dispute, "DISPUTE-UNKNOWN");
  need(dispute.ended === 0n, "SETTLED");
  return dispute;
}

function offer(w, key, id, subject, share) {
  const person = resolve(w, key, DISPUTE);
  const lesson = w.disputeOffers.get(subject)?.lesson ?? subject;
  const dispute = openDispute(w, lesson);
  need(share <= BPS, "SHARE");
  const side = person === dispute.tutor ? "tutor-offer" : person === dispute.student ? "student-offer" : null;
  if (side) resolve(w, key, MONEY, BEYOND_CAPS);
  else {
    const first = dispute.mediator === null && w.now < dispute["opened-at"] + dispute.grace;
    need(mayMediate(w, person, dispute.homes) && (first || dispute.mediator === person), "NOT-MEDIATOR");
  }
  need(subject === (dispute[side ?? "mediator-offer"] ?? lesson), "VERSION");
  w.disputeOffers.set(id, { lesson, by: person, share });
  w.disputes.merge(lesson, side ? { [side]: id } : { mediator: person, "mediator-offer": id, accepted: 0n });
}

function accept(w, key, id) {
  const person = resolve(w, key, DISPUTE | MONEY, BEYOND_CAPS);
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
  if (accepted === BOTH) finish(w, terms.lesson, BY_AGREEMENT, terms.share);
}

function vote(w, key, lesson, share) {
  const person = resolve(w, key, DISPUTE);
  const dispute = openDispute(w, lesson);
  const start = dispute["opened-at"] + dispute.grace;
  need(share <= BPS, "SHARE");
  need(w.now >= start, "TOO-EARLY");
  need(w.now <= start + dispute.grace, "TOO-LATE");
  need(arbitersOf(w, lesson).includes(person), "NOT-ARBITER");
  need(!w.votes.has(`${lesson} ${person}`), "VOTED");
  w.votes.set(`${lesson} ${person}`, share);
  const votes = [...dispute.votes, share];
  w.disputes.merge(lesson, { votes });
  if (votes.length === ARBITERS || (votes.length === 2 && votes[0] === votes[1])) decide(w, lesson);
}

/** The median of the votes, those missing counting as what silence decides. */
function decide(w, lesson) {
  const { votes } = openDispute(w, lesson);
  const missing = w.lessons.get(lesson).attended === BOTH ? BPS : 0n;
  const all = [...votes, missing, missing, missing].slice(0, ARBITERS).sort((a, b) => Number(a - b));
  finish(w, lesson, votes.length < 2 ? BY_DEFAULT : BY_VOTE, all[1]);
}

function finish(w, lesson, how, share) {
  const { tutor, student, opener, bond } = openDispute(w, lesson);
  const own = opener === tutor ? share : BPS - share;
  w.disputes.merge(lesson, { ended: how, share });
  w.counts.add("dispute-resolution",
    { [["by-agreement", "by-vote", "by-default"][Number(how) - 1]]: 1n, settled: 1n });
  split(w, lesson, tutor, share);
  endDispute(w, lesson);
  if (bond === 0n) return;
  if (how === BY_AGREEMENT || 2n * own >= BPS) refund(w, bondId(lesson));
  else release(w, bondId(lesson), opener === tutor ? student : tutor);
}

function settle(w, lesson) {
  const dispute = openDispute(w, lesson);
  need(w.now > dispute["opened-at"] + 2n * dispute.grace, "TOO-EARLY");
  decide(w, lesson);
}

const CONTRACT = "dispute-resolution";

export const operations = {
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
