// Tutors' offers, students' requests, and matches.
import { MARKET, resolve } from "./identity.mjs";
import { INT_MAX, needs } from "./store.mjs";
import { ZEROS } from "../values.mjs";

const [needProfile, needRequest, needMatch] = ["tutor-profile", "student-request", "matching-engine"].map(
  (name) => needs(name));
const MASK_MAX = 2n ** 56n - 1n;
const SUBJECTS = 2n ** 32n - 1n;
const MINUTES_MAX = 4095n;
const [OPEN, MATCHED, CLOSED] = [1n, 2n, 3n];

function setOffer(w, key, id, f) {
  const tutor = resolve(w, key, MARKET);
  const place = `${tutor} ${f.asset}`;
  const before = w.offers.get(place);
  const stands = before?.active ?? false;
  needProfile(f.amount <= INT_MAX && f.moment <= MASK_MAX && f.bits <= MASK_MAX, "RANGE");
  needProfile((f.bits & SUBJECTS) > 0n, "SUBJECTS");
  needProfile(f.subject === before?.id || (!stands && f.subject === ZEROS), "NOT-CURRENT");
  w.offers.set(place, { id, rate: f.amount, week: f.moment, bits: f.bits, content: f.content, active: true,
    "changed-at": w.now });
  w.offerKeys.set(id, { tutor, asset: f.asset });
  if (!stands) countOffer(w, tutor, 1n);
}

function countOffer(w, tutor, by) {
  const before = w.standing.get(tutor) ?? 0n;
  w.standing.set(tutor, before + by);
  const tutors = before + by === 0n ? -1n : before === 0n ? 1n : 0n;
  w.counts.add("tutor-profile", { offers: by, tutors });
}

function withdrawOffer(w, key, id) {
  const person = resolve(w, key, MARKET);
  needProfile(w.offerKeys.has(id), "OFFER-UNKNOWN");
  const { tutor, asset } = w.offerKeys.get(id);
  const offer = w.offers.get(`${tutor} ${asset}`);
  needProfile(person === tutor, "NOT-TUTOR");
  needProfile(id === offer.id, "NOT-CURRENT");
  needProfile(offer.active, "WITHDRAWN");
  w.offers.merge(`${tutor} ${asset}`, { active: false, "changed-at": w.now });
  countOffer(w, tutor, -1n);
}

function openRequest(w, key, id, f) {
  const student = resolve(w, key, MARKET);
  needRequest((f.amount | f.expires) <= INT_MAX && (f.moment | f.bits) <= MASK_MAX, "RANGE");
  needRequest((f.bits & SUBJECTS) > 0n, "SUBJECTS");
  needRequest(f.expires >= w.now, "EXPIRED");
  w.requests.set(id, { student, ceiling: f.amount, asset: f.asset, week: f.moment, bits: f.bits, content: f.content,
    expires: f.expires, state: OPEN, "changed-at": w.now });
  w.counts.add("student-request", { opened: 1n });
}

function closeRequest(w, key, id) {
  const person = resolve(w, key, MARKET);
  const request = w.requests.get(id);
  needRequest(request, "REQUEST-UNKNOWN");
  needRequest(person === request.student, "NOT-STUDENT");
  needRequest(request.state === OPEN, "NOT-OPEN");
  w.requests.merge(id, { state: CLOSED, "changed-at": w.now });
  w.counts.add("student-request", { closed: 1n });
}

/** A request that may be matched now. */
function openOne(w, id) {
  const request = w.requests.get(id);
  needRequest(request, "REQUEST-UNKNOWN");
  needRequest(request.state === OPEN, "NOT-OPEN");
  needRequest(w.now <= request.expires, "EXPIRED");
  return request;
}

function offerMatch(w, key, id, f) {
  const tutor = resolve(w, key, MARKET);
  const request = openOne(w, f.subject);
  needMatch((f.amount | f.moment) <= INT_MAX, "RANGE");
  needMatch(f.bits > 0n && f.bits <= MINUTES_MAX, "MINUTES");
  needMatch(f.who === request.student && f.asset === request.asset, "TERMS");
  needMatch(tutor !== f.who, "SAME-PERSON");
  needMatch(request.ceiling === 0n || f.amount * 60n <= request.ceiling * f.bits, "CEILING");
  w.matches.set(id, { request: f.subject, tutor, student: f.who, price: f.amount, asset: f.asset, start: f.moment,
    minutes: f.bits, accepted: false });
  w.counts.add("matching-engine", { offered: 1n });
}

function acceptMatch(w, key, f) {
  const person = resolve(w, key, MARKET);
  const match = w.matches.get(f.subject);
  needMatch(match, "MATCH-UNKNOWN");
  needMatch(person === match.student, "NOT-STUDENT");
  needMatch((f.who ?? match.tutor) === match.tutor && f.amount === match.price && f.asset === match.asset &&
    f.moment === match.start && f.bits === match.minutes, "TERMS");
  needMatch(!match.accepted, "ACCEPTED");
  openOne(w, match.request);
  w.requests.merge(match.request, { state: MATCHED, "changed-at": w.now });
  w.counts.add("student-request", { matched: 1n });
  w.matches.merge(f.subject, { accepted: true });
  w.counts.add("matching-engine", { accepted: 1n });
}

export const operations = {
  "offer-set": {
    direct: (f, salt, some) => ["tutor-profile", "offer-set",
      [salt, f.subject, f.amount, some(f.asset), f.moment, f.bits, f.content]],
    does: setOffer,
  },
  "offer-withdraw": {
    direct: (f) => ["tutor-profile", "offer-withdraw", [f.subject]],
    does: (w, key, id, f) => withdrawOffer(w, key, f.subject),
  },
  "request-open": {
    direct: (f, salt, some) => ["student-request", "request-open",
      [salt, f.amount, some(f.asset), f.moment, f.bits, f.content, f.expires]],
    does: openRequest,
  },
  "request-close": {
    direct: (f) => ["student-request", "request-close", [f.subject]],
    does: (w, key, id, f) => closeRequest(w, key, f.subject),
  },
  "match-offer": {
    direct: (f, salt, some) => ["matching-engine", "match-offer",
      [salt, f.subject, f.who, f.amount, some(f.asset), f.moment, f.bits]],
    does: offerMatch,
  },
  "match-accept": {
    direct: (f, salt, some) => ["matching-engine", "match-accept",
      [f.subject, some(f.who), f.amount, some(f.asset), f.moment, f.bits]],
    does: (w, key, id, f) => acceptMatch(w, key, f),
  },
};
