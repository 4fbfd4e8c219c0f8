"""Lessons: a booking's intentions, and apart from them what became of the price.

The two never mix: a lesson is agreed and held whatever the chain does, and money moves only by receipts (decisions D5).
"""

from hubd.action.sip018 import ActionId
from hubd.fold.bookings import BOOKINGS, Booking
from hubd.fold.read import Read, View
from hubd.fold.reputation import RATINGS
from hubd.fold.settlement import SETTLEMENT
from hubd.fold.views import Lesson, LessonState, Payment, Settlement, Sides


def _payment(lesson: ActionId, booking: Booking, known: dict[ActionId, Settlement | None]) -> Payment:
    if not booking.price:
        return Payment.NONE
    booked = known[lesson]
    completed = known[booking.completion] if booking.completion is not None else None
    if completed is not None and completed.is_done:
        return Payment.RELEASED
    if any(settlement is not None and settlement.is_refused for settlement in known.values()):
        return Payment.FAILED
    if booking.locks and booked is not None and booked.is_done:
        return Payment.LOCKED
    return Payment.PROMISED


def _lesson(lesson: ActionId, read: Read) -> Lesson | None:
    booking = read.entry(BOOKINGS, lesson)
    if booking is None:
        return None
    known = {action_id: read.entry(SETTLEMENT, action_id) for action_id in booking.chained}
    levels = [settlement.level for settlement in known.values() if settlement is not None and settlement.is_done]
    all_done = len(levels) == len(booking.chained)
    ratings = [read.entry(RATINGS, (lesson, person)) for person in (booking.student, booking.tutor)]
    return Lesson(
        id=lesson,
        student=booking.student,
        tutor=booking.tutor,
        asset=booking.asset,
        price=booking.price,
        start=booking.start,
        minutes=booking.minutes,
        locks=booking.locks,
        match=booking.match,
        state=booking.state,
        attended=booking.attended,
        sealed=Sides(*(rating is not None for rating in ratings)),
        rated=Sides(*(rating is not None and rating.opened is not None for rating in ratings)),
        payment=_payment(lesson, booking, known),
        settled=all_done and booking.state is LessonState.COMPLETED,
        level=min(levels) if all_done else None,
    )


LESSONS: View[ActionId, Lesson] = View("lessons", _lesson, {"lesson-book": lambda action, _: (action.id,)})
