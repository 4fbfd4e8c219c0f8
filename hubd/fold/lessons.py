"""Lessons: a booking's intentions, and apart from them what became of the price.

The two never mix: a lesson is agreed and held whatever the chain does, and money moves only by receipts (decisions D5).
"""

from hubd.action.kinds import LOCKS, NEEDS_GUARDIAN
from hubd.action.sip018 import ActionId
from hubd.fold.bookings import BOOKINGS, PAID_BY_ANOTHER, PAYS_FROM_VAULT, Booking
from hubd.fold.disputes import DISPUTES
from hubd.fold.read import Read, View
from hubd.fold.reputation import RATINGS
from hubd.fold.settlement import SETTLEMENT, is_taken
from hubd.fold.views import Lesson, LessonState, Payment, Settlement, Sides
from hubd.fold.void import is_heeded

_FOR_LESSON = 0  # escrow-lock bits
_WHOLE = 10_000  # basis points
_SHARES = {_WHOLE: Payment.RELEASED, 0: Payment.RETURNED}


def _is_funded(lesson: ActionId, booking: Booking, read: Read) -> bool:
    """Whether the price was ever set aside on the chain: by the booking, or by a lock about it, whoever's."""
    book = read.action(lesson)
    if booking.bits & PAYS_FROM_VAULT:
        return book is not None and is_taken(book, read)
    locks = (a for author in read.authors("escrow-lock", lesson) for a in read.filed("escrow-lock", lesson, author))
    return any(lock.statement.bits == _FOR_LESSON and is_heeded(lock, read) and is_taken(lock, read) for lock in locks)


def _ended(lesson: ActionId, booking: Booking, read: Read) -> Payment:
    """Where the price went when the chain ended the lesson."""
    if booking.state is LessonState.COMPLETED:
        return Payment.RELEASED
    if booking.state is LessonState.DECIDED:
        dispute = read.entry(DISPUTES, lesson)
        points = dispute.points if dispute is not None else None
        return Payment.SPLIT if points is None else _SHARES.get(points, Payment.SPLIT)
    return Payment.RETURNED if _is_funded(lesson, booking, read) else Payment.NONE


def _payment(lesson: ActionId, booking: Booking, known: dict[ActionId, Settlement | None], read: Read) -> Payment:
    if not booking.price:
        return Payment.NONE
    if booking.end is not None:
        return _ended(lesson, booking, read)
    disputed = read.entry(SETTLEMENT, booking.dispute) if booking.dispute is not None else None
    if disputed is not None and disputed.is_done:
        return Payment.DISPUTED
    booked, is_funded = known[lesson], _is_funded(lesson, booking, read)
    if booking.state in (LessonState.CANCELLED, LessonState.DECLINED) and not is_funded:
        return Payment.NONE if booked is not None and booked.is_refused else Payment.PROMISED
    if any(settlement is not None and settlement.is_refused for settlement in known.values()):
        return Payment.FAILED
    return Payment.LOCKED if is_funded else Payment.PROMISED


def _level(booking: Booking, known: dict[ActionId, Settlement | None], read: Read) -> int | None:
    """The lowest level of what it took on the chain, None while one is missing."""
    is_whole = booking.state in (LessonState.COMPLETED, LessonState.HELD) or booking.end is None
    needed = list(known.values()) if is_whole else []
    if booking.end is not None:
        needed.append(read.entry(SETTLEMENT, booking.end))
    levels = [settlement.level for settlement in needed if settlement is not None and settlement.is_done]
    return min(levels) if len(levels) == len(needed) else None


def _lesson(lesson: ActionId, read: Read) -> Lesson | None:
    booking = read.entry(BOOKINGS, lesson)
    if booking is None:
        return None
    known = {action_id: read.entry(SETTLEMENT, action_id) for action_id in booking.chained}
    level = _level(booking, known, read)
    ratings = [read.entry(RATINGS, (lesson, person)) for person in (booking.student, booking.tutor)]
    is_paid_by_another = bool(booking.bits & PAID_BY_ANOTHER)
    return Lesson(
        id=lesson,
        student=booking.student,
        tutor=booking.tutor,
        asset=booking.asset,
        price=booking.price,
        start=booking.times.start,
        minutes=booking.times.minutes,
        version=booking.times.version,
        locks=bool(booking.bits & LOCKS),
        match=None if is_paid_by_another else booking.about,
        payer=booking.about if is_paid_by_another else None,
        needs_guardian=bool(booking.bits & NEEDS_GUARDIAN),
        state=booking.state,
        attended=booking.attended,
        sealed=Sides(*(rating is not None for rating in ratings)),
        rated=Sides(*(rating is not None and rating.opened is not None for rating in ratings)),
        payment=_payment(lesson, booking, known, read),
        settled=booking.end is not None and level is not None,
        level=level,
    )


LESSONS: View[ActionId, Lesson] = View("lessons", _lesson, {"lesson-book": lambda action, _: (action.id,)})
