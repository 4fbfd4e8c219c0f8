"""What a phone fills in by itself: the rest of a statement follows from what it is about.

The contracts compare what a statement repeats, and take the next version of a thing only where it names the last one; nobody
should have to copy either by hand. What a person says always wins over what is filled in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hubd.action.kinds import DRAWS_ON_EARMARK, DRAWS_ON_POOL, LOCKS, MINUTES_MASK
from hubd.action.principal import Principal
from hubd.action.sip018 import NO_ID, ActionId
from hubd.fold.lesson_views import Move
from hubd.fold.views import Lesson, Views
from hubd.phone.words import Words, wrong

Columns = dict[str, Any]
_PAYERS = {"earmark": DRAWS_ON_EARMARK, "pool": DRAWS_ON_POOL}  # words that say who pays, instead of the booking's lock
_EVERYDAY_SCOPES = 63  # of a further key: all areas there are
_FOR_POOL, _FOR_TUTOR = 1, 2  # escrow-lock bits


@dataclass(frozen=True)
class About:
    """What the fillers look at. `lesson_id` is what `subject` means as a lesson: an attendance stands for its lesson."""

    views: Views
    me: Principal
    words: Words
    said: Mapping[str, str]
    lesson_id: ActionId

    def lesson(self) -> Lesson:
        """The lesson it is about."""
        found = self.views.lessons.get(self.lesson_id)
        if found is None:
            raise wrong("this phone knows no such lesson", "sync first, then take the id from `show`")
        return found

    def other(self) -> Principal:
        """The other side of the lesson."""
        lesson = self.lesson()
        return lesson.tutor if lesson.student == self.me else lesson.student


def _of_request(about: About, given: Columns) -> Columns:
    request = about.views.requests.get(given.get("subject", NO_ID))
    return given if request is None else {"who": request.student, "asset": request.asset, **given}


def _of_match(about: About, given: Columns) -> Columns:
    match = about.views.matches.get(given.get("subject", NO_ID))
    if match is None:
        return given
    terms = {"who": match.tutor, "amount": match.price, "asset": match.asset, "moment": match.start}
    return {**terms, "bits": match.minutes & MINUTES_MASK, **given}


def _of_booking(about: About, given: Columns) -> Columns:
    """A match's terms, and the promise: one signature books and locks the price, unless `lock=no` or another pays."""
    match_id = about.words.action_id(about.said["match"]) if "match" in about.said else given.get("subject", NO_ID)
    agreed = _of_match(about, {"subject": match_id})
    bits = given.get("bits", 0) if "minutes" in about.said else given.get("bits", 0) | agreed.get("bits", 0)
    filled = {**agreed, **given}
    payers = [bit for name, bit in _PAYERS.items() if name in about.said]
    if payers:
        bits |= payers[0]
    elif filled.get("amount", 0) > 0 and not {"lock", "bits"} & set(about.said):
        bits |= LOCKS
    return {**filled, "bits": bits}


def _of_lesson(about: About, given: Columns) -> Columns:
    """A confirmation repeats what was booked, and the time as it is now; who isn't the tutor confirms as a guardian."""
    lesson = about.lesson()
    terms = {"who": lesson.student, "amount": lesson.price, "asset": lesson.asset, "moment": lesson.start}
    return {**terms, "bits": 1 if about.me == lesson.tutor else 2, **given}


def _other_side(about: About, given: Columns) -> Columns:
    return given if "who" in given else {"who": about.other(), **given}


def _attendance(about: About, given: Columns) -> Columns:
    return {"moment": about.words.now, **_other_side(about, given)}


def _move(about: About, given: Columns) -> Columns:
    """With a start it proposes, in place of the own open proposal or of what was agreed last; about the other's proposal
    alone it agrees.
    """
    proposal = about.views.moves.get(given.get("subject", NO_ID))
    lesson = about.views.lessons.get(proposal.lesson if proposal is not None else about.lesson_id)
    if lesson is None:
        raise wrong("this phone knows no such lesson or proposal", "sync first, then take the id from `show`")
    other = lesson.tutor if lesson.student == about.me else lesson.student
    if proposal is not None and not proposal.agreed and "moment" not in given:
        if proposal.by == about.me:
            raise wrong("this is your own proposal", "the other side agrees to it; to change it, say another start")
        terms = {"moment": proposal.start, "bits": proposal.minutes}
        return {"who": other, **terms, **given}
    own = [each.id for each in about.views.moves.values() if _is_open(each, lesson) and each.by == about.me]
    if proposal is not None and proposal.id in own:
        own = [proposal.id]
    return {"who": other, **given, "subject": min(own, default=lesson.version)}


def _is_open(move: Move, lesson: Lesson) -> bool:
    """Whether the other side may still agree to a proposal for this lesson."""
    return move.lesson == lesson.id and move.version == lesson.version and not (move.agreed or move.replaced)


def _class_attendance(about: About, given: Columns) -> Columns:
    """A learner names the tutor; the tutor says whom."""
    known = about.views.classes.get(given.get("subject", NO_ID))
    named = {"who": known.tutor} if known is not None and known.tutor != about.me else {}
    return {"moment": about.words.now, **named, **given}


def _lock(about: About, given: Columns) -> Columns:
    """For a lesson exactly its price; for a pool; else an earmark for a tutor."""
    if "pool" in about.said:
        return {"bits": _FOR_POOL, **given}
    if given.get("subject", NO_ID) == NO_ID:
        return {"bits": _FOR_TUTOR, **given}
    lesson = about.lesson()
    return {"who": lesson.tutor, "amount": lesson.price, "asset": lesson.asset, **given}


def _previous_offer(about: About, given: Columns) -> Columns:
    previous = about.views.offers.get((about.me, given.get("asset")))
    return given if previous is None else {"subject": previous.id, **given}


def _further_key(about: About, given: Columns) -> Columns:
    person = about.views.persons.get(about.me)
    return {"bits": _EVERYDAY_SCOPES, **({"subject": person.head} if person is not None else {}), **given}


def _lost_key(about: About, given: Columns) -> Columns:
    known = about.views.keys.get(given["who"]) if "who" in given else None
    return given if known is None else {"subject": known.added, **given}


def _guardian(about: About, given: Columns) -> Columns:
    """The next version: threshold and delay as they were, and the first free slot unless one is named."""
    known = about.views.guardians.get(about.me)
    if known is None:
        return {"amount": 1, **given}
    free = known.slots.index(None) if None in known.slots else 0
    slot = known.slots.index(given["who"]) if given.get("who") in known.slots and "who" in given else free
    return {"subject": known.head, "amount": known.threshold or 1, "moment": known.delay, "bits": slot, **given}


def _recovery(about: About, given: Columns) -> Columns:
    known = about.views.recoveries.get(given.get("subject", NO_ID))
    return given if known is None else {"who": known.person, **given}


def _settlement(about: About, given: Columns) -> Columns:
    """In place of what one offered before."""
    known = about.views.disputes.get(about.lesson_id)
    own = [offer.id for offer in known.offers if offer.by == about.me] if known is not None else []
    return {**given, "subject": own[0]} if own else given


def _vouch(_about: About, given: Columns) -> Columns:
    return {"bits": 1, **given}


FILLERS: dict[str, Callable[[About, Columns], Columns]] = {
    "key-add": _further_key,
    "key-revoke": _lost_key,
    "guardian-set": _guardian,
    **dict.fromkeys(("recovery-approve", "recovery-cancel", "recovery-finish"), _recovery),
    "vouch-give": _vouch,
    "offer-set": _previous_offer,
    "match-offer": _of_request,
    "match-accept": _of_match,
    "lesson-book": _of_booking,
    "lesson-confirm": _of_lesson,
    **dict.fromkeys(
        ("lesson-decline", "lesson-cancel", "lesson-complete", "rating-seal", "rating-open",
         "dispute-open", "dispute-evidence"),
        _other_side,
    ),
    "lesson-attend": _attendance,
    "lesson-move": _move,
    "class-attend": _class_attendance,
    "dispute-offer": _settlement,
    "escrow-lock": _lock,
}  # fmt: skip
