// Lessons, from booking to their end.
import { isPerson, LESSON, MONEY, resolve } from "./identity.mjs";
import { pay } from "./pools.mjs";
import { isGuardian } from "./recovery.mjs";
import { settings } from "./settings.mjs";
import { INT_MAX, needs } from "./store.mjs";
import { drawEarmark, lock, refund, release, split } from "./vault.mjs";

const need = needs("session-manager");
const MINUTES = 4095n;
export const [LOCKS, NEEDS_GUARDIAN, EARMARK, POOL] = [4096n, 8192n, 16_384n, 32_768n];
export const [BOOKED, CONFIRMED, COMPLETED, DECLINED, CANCELLED, DISPUTED, SETTLED, LAPSED] =
  [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n];
const [NONE, LOCK, FROM_POOL] = [0n, 1n, 3n];
const [BY_TUTOR, BY_GUARDIAN] = [1n, 2n];
const BOTH = 3n;

const AHEAD = 63_072_000n;
const BPS = 10_000n;
/** The version of a proposal whose author proposed anew. */
const REPLACED = "";

function lessonOf(w, id) {
  const lesson = w.lessons.get(id);
  need(lesson, "LESSON-UNKNOWN");
  return lesson;
}

const change = (w, id, columns) => w.lessons.merge(id, { ...columns, "changed-at": w.now });

/** A lesson must be at least in state `from`, and not over. */
function checkState(state, from) {
  need(state >= from, "NOT-CONFIRMED");
  need(state !== DISPUTED, "DISPUTED");
  need(state <= CONFIRMED, "OVER");
}

/** Whether `person`, one of the two sides, is the tutor; `who`, where given, must be the other. */
function checkSide(person, who, { student, tutor }) {
  const byTutor = person === tutor;
  const other = byTutor ? student : tutor;
  need(byTutor || person === student, "NOT-PARTY");
  need((who ?? other) === other, "TERMS");
  return byTutor;
}

/** End a lesson: of what is locked `bps` to the tutor, the rest back; a pool pays what was held. */
function end(w, id, state, bps) {
  const lesson = lessonOf(w, id);
  change(w, id, { state });
  const held = { lessons: 1n, minutes: lesson.minutes };
  w.counts.add("session-manager", state === COMPLETED ? held : { [state === LAPSED ? "lapsed" : "cancelled"]: 1n });
  if (lesson.funding === LOCK) {
    if (bps === 0n) refund(w, id);
    else if (bps === BPS) release(w, id, lesson.tutor);
    else split(w, id, lesson.tutor, bps);
  } else if (lesson.funding === FROM_POOL && state === COMPLETED) {
    pay(w, lesson.offer, id, lesson.student, lesson.tutor, lesson.asset, lesson.amount, lesson.start);
  }
}

function book(w, key, id, f) {
  const pays = f.bits & (LOCKS | EARMARK | POOL);
  const byPool = pays === POOL;
  const locks = pays === LOCKS || pays === EARMARK;
  const minutes = f.bits & MINUTES;
  const student = resolve(w, key, locks ? LESSON | MONEY : LESSON, locks ? f.amount : 0n, f.asset);
  need(f.bits < 65_536n && minutes > 0n && (locks || pays === 0n || (byPool && f.amount > 0n)), "BITS");
  need(f.amount <= INT_MAX, "RANGE");
  need(f.moment <= w.now + AHEAD, "START");
  need(student !== f.who, "SAME-PERSON");
  need(isPerson(w, f.who), "TUTOR-UNKNOWN");
  need(!byPool || w.pools.get(f.subject)?.asset === f.asset, "POOL");
  w.lessons.set(id, {
    student, tutor: f.who, asset: f.asset, amount: f.amount, start: f.moment, minutes, offer: f.subject, state: BOOKED,
    confirmed: 0n, needs: (f.bits & NEEDS_GUARDIAN) > 0n ? BY_TUTOR | BY_GUARDIAN : BY_TUTOR, attended: 0n,
    funding: locks ? LOCK : byPool ? FROM_POOL : NONE, version: id, "changed-at": w.now,
    notice: { seconds: settings(w)["notice-seconds"], "late-bps": settings(w)["notice-late-bps"] },
  });
  w.counts.add("session-manager", { booked: 1n });
  if (pays === LOCKS) lock(w, id, student, f.asset, f.amount);
  else if (locks) drawEarmark(w, f.subject, id, student, f.who, f.asset, f.amount);
}

function confirm(w, key, f) {
  const person = resolve(w, key, LESSON);
  const lesson = lessonOf(w, f.subject);
  const byTutor = person === lesson.tutor;
  need(f.bits === BY_TUTOR || f.bits === BY_GUARDIAN, "BITS");
  need(byTutor === (f.bits === BY_TUTOR), "NOT-PARTY");
  need(byTutor || isGuardian(w, lesson.student, person), "NOT-GUARDIAN");
  const confirmed = lesson.confirmed | f.bits;
  need(f.who === lesson.student && f.asset === lesson.asset && f.amount === lesson.amount, "TERMS");
  need(f.moment === lesson.start, "VERSION");
  need(lesson.state === BOOKED && confirmed !== lesson.confirmed, "NOT-BOOKED");
  change(w, f.subject, { confirmed, state: (confirmed & lesson.needs) === lesson.needs ? CONFIRMED : BOOKED });
}

/** Lock exactly the price, from anybody's free money but the tutor's. */
function fund(w, key, f) {
  const person = resolve(w, key, MONEY, f.amount, f.asset);
  const lesson = lessonOf(w, f.subject);
  need(person !== lesson.tutor, "NOT-PARTY");
  need((f.who ?? lesson.tutor) === lesson.tutor && f.asset === lesson.asset && f.amount === lesson.amount, "TERMS");
  checkState(lesson.state, BOOKED);
  need(lesson.funding !== LOCK, "FUNDED");
  change(w, f.subject, { funding: LOCK });
  lock(w, f.subject, person, f.asset, f.amount);
}

function cancel(w, key, f, declines) {
  const person = resolve(w, key, LESSON);
  const lesson = lessonOf(w, f.subject);
  const byTutor = checkSide(person, f.who, lesson);
  const { seconds, "late-bps": late } = lesson.notice;
  const inTime = byTutor || lesson.state === BOOKED || w.now + seconds <= lesson.start;
  need(byTutor || !declines, "NOT-PARTY");
  checkState(lesson.state, BOOKED);
  const { attended } = lesson;
  need(byTutor ? !(declines && attended === BOTH) : attended === 0n || (inTime && attended === 1n), "ATTENDED");
  end(w, f.subject, declines ? DECLINED : CANCELLED, inTime ? 0n : late);
}

function move(w, key, id, f) {
  const person = resolve(w, key, LESSON);
  const proposal = w.moves.get(f.subject) ?? { lesson: f.subject, by: person, version: f.subject };
  const lesson = lessonOf(w, proposal.lesson);
  checkSide(person, f.who, lesson);
  checkState(lesson.state, BOOKED);
  need(lesson.attended === 0n, "ATTENDED");
  need(f.bits <= (lesson.needs === BY_TUTOR ? MINUTES : 0n), "BITS");
  need(f.moment <= w.now + AHEAD, "START");
  const { version } = lesson;
  const buildsOn = f.subject === version;
  need(buildsOn || proposal.version === version, "VERSION");
  if (buildsOn || person === proposal.by) {
    if (!buildsOn) w.moves.merge(f.subject, { version: REPLACED });
    return w.moves.set(id, { lesson: proposal.lesson, by: person, start: f.moment, minutes: f.bits, version });
  }
  need(f.moment === proposal.start && f.bits === proposal.minutes, "VERSION");
  const confirmed = lesson.confirmed & BY_TUTOR;
  return change(w, proposal.lesson, { start: f.moment, minutes: f.bits || lesson.minutes, confirmed, version: f.subject,
    state: confirmed === lesson.needs ? CONFIRMED : BOOKED });
}

function attend(w, key, id, f) {
  const person = resolve(w, key, LESSON);
  const lessonId = w.attendances.get(f.subject) ?? f.subject;
  const lesson = lessonOf(w, lessonId);
  const attended = lesson.attended | (checkSide(person, f.who, lesson) ? 1n : 2n);
  if (lesson.state !== DISPUTED) checkState(lesson.state, CONFIRMED);
  need(attended !== lesson.attended, "ATTENDED");
  w.attendances.set(id, lessonId);
  change(w, lessonId, { attended });
}

function complete(w, key, f) {
  const person = resolve(w, key, LESSON);
  const lesson = lessonOf(w, f.subject);
  need(!checkSide(person, f.who, lesson), "NOT-PARTY");
  checkState(lesson.state, CONFIRMED);
  need(lesson.attended === BOTH, "NOT-ATTENDED");
  const { asset, amount } = lesson;
  if (lesson.funding === NONE && amount > 0n) fund(w, key, { ...f, who: null, asset, amount });
  end(w, f.subject, COMPLETED, BPS);
}

/** Whether a lesson was left alone for the grace period after its start and its last change. */
function isDue(w, lesson) {
  const since = lesson.start > lesson["changed-at"] ? lesson.start : lesson["changed-at"];
  return w.now > since + settings(w)["grace-seconds"];
}

/** What time alone decides, by anybody: pay what both attended, give back the rest. */
function claim(w, id) {
  const lesson = lessonOf(w, id);
  const held = lesson.attended === BOTH;
  checkState(lesson.state, BOOKED);
  need(isDue(w, lesson), "TOO-EARLY");
  need(!(held && lesson.funding === NONE && lesson.amount > 0n), "NOT-FUNDED");
  end(w, id, held ? COMPLETED : LAPSED, held ? BPS : 0n);
}

export function holdForDispute(w, id) {
  const lesson = lessonOf(w, id);
  checkState(lesson.state, CONFIRMED);
  need(lesson.funding === LOCK, "NOT-FUNDED");
  need(!isDue(w, lesson), "TOO-LATE");
  change(w, id, { state: DISPUTED });
}

export const endDispute = (w, id) => change(w, id, { state: SETTLED });

const CONTRACT = "session-manager";

export const operations = {
  "lesson-book": {
    direct: (f, salt, some) => [CONTRACT, "book", [salt, f.subject, f.who, some(f.asset), f.amount, f.moment, f.bits]],
    does: book,
  },
  "lesson-confirm": {
    direct: (f, salt, some) => [CONTRACT, "confirm", [f.subject, f.who, some(f.asset), f.amount, f.moment, f.bits]],
    does: (w, key, id, f) => confirm(w, key, f),
  },
  fund: {
    kind: "escrow-lock",
    direct: (f, salt, some) => [CONTRACT, "fund", [f.subject, some(f.asset), f.amount]],
    does: (w, key, id, f, signed) => fund(w, key, signed ? f : { ...f, who: null }),
  },
  "lesson-decline": {
    direct: (f, salt, some) => [CONTRACT, "decline", [f.subject, some(f.who)]],
    does: (w, key, id, f) => cancel(w, key, f, true),
  },
  "lesson-cancel": {
    direct: (f, salt, some) => [CONTRACT, "cancel", [f.subject, some(f.who)]],
    does: (w, key, id, f) => cancel(w, key, f, false),
  },
  "lesson-move": {
    direct: (f, salt, some) => [CONTRACT, "move", [salt, f.subject, some(f.who), f.moment, f.bits]],
    does: move,
  },
  "lesson-attend": {
    direct: (f, salt) => [CONTRACT, "attend", [salt, f.subject, f.who, f.moment]],
    does: attend,
  },
  "lesson-complete": {
    direct: (f, salt, some) => [CONTRACT, "complete", [f.subject, some(f.who)]],
    does: (w, key, id, f) => complete(w, key, f),
  },
  "lesson-claim": {
    direct: (f) => [CONTRACT, "claim", [f.subject]],
    does: (w, key, id, f) => claim(w, f.subject),
  },
};
