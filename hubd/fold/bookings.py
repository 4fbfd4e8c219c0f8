"""Bookings: what the two people of a lesson signed, and nothing else. The ground of ratings and lessons.

What both signed beats what one says: a lesson that was confirmed and that both attended was held, whatever declining or
cancelling is found beside it. Before that a cancellation by either side, then the tutor's refusal, ends it. A booking that
needs a guardian stays booked, as on the chain, until guardians can be known here.
"""

from dataclasses import dataclass

from hubd.action.envelope import Action
from hubd.action.kinds import LOCKS, MINUTES_MASK, NEEDS_GUARDIAN
from hubd.action.principal import Principal
from hubd.action.sip018 import NO_ID, ActionId
from hubd.fold.read import Read, View
from hubd.fold.settlement import best
from hubd.fold.speaking import person_of
from hubd.fold.views import LessonState, Sides
from hubd.fold.void import heeded, is_heeded

_BY_TUTOR = 1  # lesson-confirm bits


@dataclass(frozen=True, slots=True)
class Booking:
    """A lesson's terms, its state, and the actions that the chain executes for it: the one that counts of each."""

    student: Principal
    tutor: Principal
    asset: Principal | None
    price: int
    start: int
    minutes: int
    locks: bool
    match: ActionId | None
    state: LessonState
    attended: Sides
    chained: tuple[ActionId, ...]  # booking, confirmation, attendances, completion: as many as exist
    completion: ActionId | None

    @property
    def was_held(self) -> bool:
        """Confirmed, and attended by both."""
        return self.state in (LessonState.HELD, LessonState.COMPLETED)

    def other(self, person: Principal) -> Principal:
        """The one across from `person`."""
        return self.tutor if person == self.student else self.student


def _attendance(lesson: ActionId, person: Principal, other: Principal, read: Read) -> Action | None:
    """A person's attendance: of the lesson itself, or of the other's attendance, scanned."""
    scanned = [found for attend in heeded("lesson-attend", lesson, other, read)
               for found in heeded("lesson-attend", attend.id, person, read)]  # fmt: skip
    return best([*heeded("lesson-attend", lesson, person, read), *scanned], read)


def _state(*, confirmed: bool, attended: Sides, completed: bool, cancelled: bool, declined: bool) -> LessonState:
    if confirmed and all(attended):
        return LessonState.COMPLETED if completed else LessonState.HELD
    if cancelled:
        return LessonState.CANCELLED
    if declined:
        return LessonState.DECLINED
    return LessonState.CONFIRMED if confirmed else LessonState.BOOKED


def _booking(lesson: ActionId, read: Read) -> Booking | None:
    book = read.action(lesson)
    if book is None or not is_heeded(book, read):
        return None
    said, tutor = book.statement, book.statement.who
    if tutor is None:
        return None
    student = person_of(said.author, read)
    agreed = [a for a in heeded("lesson-confirm", lesson, tutor, read) if a.statement.bits == _BY_TUTOR]
    confirm, lacks_guardian = best(agreed, read), bool(said.bits & NEEDS_GUARDIAN)
    attends = (_attendance(lesson, student, tutor, read), _attendance(lesson, tutor, student, read))
    complete = best(heeded("lesson-complete", lesson, student, read), read)
    cancels = (heeded("lesson-cancel", lesson, person, read) for person in (student, tutor))
    attended = Sides(*(attend is not None for attend in attends))
    return Booking(
        student=student,
        tutor=tutor,
        asset=said.asset,
        price=said.amount,
        start=said.moment,
        minutes=said.bits & MINUTES_MASK,
        locks=bool(said.bits & LOCKS),
        match=said.subject if said.subject != NO_ID else None,
        state=_state(
            confirmed=confirm is not None and not lacks_guardian,
            attended=attended,
            completed=complete is not None,
            cancelled=any(cancels),
            declined=bool(heeded("lesson-decline", lesson, tutor, read)),
        ),
        attended=attended,
        chained=tuple(action.id for action in (book, confirm, *attends, complete) if action is not None),
        completion=complete.id if complete is not None else None,
    )


BOOKINGS: View[ActionId, Booking] = View(
    "bookings", _booking, {"lesson-book": lambda action, _: (action.id,)}, public=False
)
