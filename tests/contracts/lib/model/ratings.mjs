// Blind ratings and their totals.
import { seal } from "../action.mjs";
import { REPUTATION, resolve } from "./identity.mjs";
import { settings } from "./settings.mjs";
import { needs } from "./store.mjs";

const need = needs("reputation-tracker");
const BOTH = 3n;
const NO_TOTALS = {
  "tutor-count": 0n, "tutor-stars": 0n, "tutor-raters": 0n, "student-count": 0n, "student-stars": 0n,
  "student-raters": 0n,
};
const key = (lesson, rater) => `${lesson} ${rater}`;

function sealRating(w, by, lessonId, other, digest) {
  const person = resolve(w, by, REPUTATION);
  const lesson = w.lessons.get(lessonId);
  need(lesson, "LESSON-UNKNOWN");
  const byStudent = person === lesson.student;
  need(byStudent || person === lesson.tutor, "NOT-PARTY");
  need(other === (byStudent ? lesson.tutor : lesson.student), "OTHER");
  need(lesson.attended === BOTH, "NOT-ATTENDED");
  need(!(w.ratings.get(key(lessonId, other))?.stars > 0n), "OTHER-OPENED");
  need(!w.ratings.has(key(lessonId, person)), "SEALED");
  w.ratings.set(key(lessonId, person),
    { rated: other, "of-tutor": byStudent, seal: digest, "sealed-at": w.now, stars: 0n, tags: 0n });
}

function openRating(w, by, lesson, other, stars, tags, content) {
  const person = resolve(w, by, REPUTATION);
  const rating = w.ratings.get(key(lesson, person));
  need(rating, "NOT-SEALED");
  need(other === rating.rated, "OTHER");
  need(rating.stars === 0n, "OPENED");
  need(stars >= 1n && stars <= 5n, "STARS");
  need(seal({ amount: stars, bits: tags, content, subject: lesson }) === rating.seal, "SEAL-DIFFERS");
  const silent = w.now > rating["sealed-at"] + settings(w)["grace-seconds"];
  need(silent || w.ratings.has(key(lesson, other)), "OTHER-NOT-SEALED");
  w.ratings.merge(key(lesson, person), { stars, tags });
  const side = rating["of-tutor"] ? "tutor" : "student";
  const pair = `${person} ${other} ${rating["of-tutor"]}`;
  const { count, stars: sum } = w.pairs.get(pair) ?? { count: 0n, stars: 0n };
  w.pairs.set(pair, { count: count + 1n, stars: sum + stars });
  if (!w.totals.has(other)) w.totals.set(other, NO_TOTALS);
  w.totals.add(other, { [`${side}-count`]: 1n, [`${side}-stars`]: stars, [`${side}-raters`]: count === 0n ? 1n : 0n });
  w.counts.add("reputation-tracker", { opened: 1n });
}

const CONTRACT = "reputation-tracker";

export const operations = {
  "rating-seal": {
    direct: (f) => [CONTRACT, "rating-seal", [f.subject, f.who, f.content]],
    does: (w, by, id, f) => sealRating(w, by, f.subject, f.who, f.content),
  },
  "rating-open": {
    direct: (f) => [CONTRACT, "rating-open", [f.subject, f.who, f.amount, f.bits, f.content]],
    does: (w, by, id, f) => openRating(w, by, f.subject, f.who, f.amount, f.bits, f.content),
  },
};
