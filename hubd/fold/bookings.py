"""Bookings: what the two people of a lesson signed. The ground of ratings and lessons.

What both signed beats what one says: a lesson that was confirmed and that both attended was held, and only the tutor may
give it back. Before that a cancellation by either side, then the tutor's refusal, then a dispute ends it. But only one end
can be executed on the chain: where a receipt says which, it is that one. A booking that needs a guardian is confirmed when
one of the student's agreed to the time as it is now, besides the tutor.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from hubd.action.envelope import Action
from hubd.action.kinds import DRAWS_ON_EARMARK, DRAWS_ON_POOL, LOCKS, NEEDS_GUARDIAN
from hubd.action.principal import Principal
from hubd.action.sip018 import NO_ID, ActionId
from hubd.fold.disputes import DISPUTES
from hubd.fold.guardians import is_guardian
from hubd.fold.keys import KEYS, is_lasting
from hubd.fold.lesson_views import Dispute
from hubd.fold.moves import Times, times
from hubd.fold.read import Read, View
from hubd.fold.settlement import SETTLEMENT, best, is_taken, standing
from hubd.fold.speaking import person_of
from hubd.fold.views import LessonState, Sides
from hubd.fold.void import heeded, is_heeded

_BY_TUTOR, _BY_GUARDIAN = 1, 2  # lesson-confirm bits


@dataclass(frozen=True, slots=True)
class Booking:
    """A lesson's terms, its state, and the actions that the chain executes for it: the one that counts of each."""

    student: Principal
    tutor: Principal
    asset: Principal | None
    price: int
    times: Times
    bits: int
    about: ActionId | None  # the match, or the earmark or pool that pays
    state: LessonState
    was_held: bool  # confirmed, and attended by both, whatever came after
    attended: Sides
    dispute: ActionId | None  # the opening that counts
    chained: tuple[ActionId, ...]  # booking, confirmations, attendances, completion: as many as exist
    end: ActionId | None  # what ended it on the chain

    def other(self, person: Principal) -> Principal:
        """The one across from `person`."""
        return self.tutor if person == self.student else self.student


@dataclass(frozen=True, slots=True)
class _Said:
    """What there is for one lesson: of each statement the one that counts."""

    confirms: tuple[Action, ...]
    is_confirmed: bool
    attends: tuple[Action | None, Action | None]  # student's, tutor's
    complete: Action | None
    cancels: tuple[Action | None, Action | None]
    decline: Action | None
    claims: tuple[Action, ...]
    is_withdrawn: bool
    dispute: Dispute | None

    @property
    def was_held(self) -> bool:
        return self.is_confirmed and all(self.attends)


def _attendance(lesson: ActionId, person: Principal, other: Principal, read: Read) -> Action | None:
    """A person's attendance: of the lesson itself, or of the other's attendance, scanned."""
    scanned = [found for attend in heeded("lesson-attend", lesson, other, read)
               for found in heeded("lesson-attend", attend.id, person, read)]  # fmt: skip
    return best([*heeded("lesson-attend", lesson, person, read), *scanned], read)


def _last(kind: str, lesson: ActionId, person: Principal, read: Read) -> Action | None:
    """One side's word that ends a lesson, unless the chain refused it."""
    return best(standing(heeded(kind, lesson, person, read), read), read)


def _all(kind: str, lesson: ActionId, read: Read) -> Iterator[Action]:
    for author in read.authors(kind, lesson):
        yield from (action for action in read.filed(kind, lesson, author) if is_heeded(action, read))


def _guardians_word(lesson: ActionId, student: Principal, now: Times, read: Read) -> Action | None:
    """A guardian's agreement to the time as it is now; a former guardian's where the chain took it."""
    agreed = [
        action
        for action in _all("lesson-confirm", lesson, read)
        if action.statement.bits == _BY_GUARDIAN
        and action.statement.moment == now.start
        and (is_guardian(student, person_of(action.statement.author, read), read) or is_taken(action, read))
    ]
    return best(agreed, read)


def _is_withdrawn(book: Action, student: Principal, read: Read) -> bool:
    """Whether a booking that the chain does not have was withdrawn; the chain's word of it needs no other."""
    known = read.entry(SETTLEMENT, book.id)
    if known is not None and (known.is_done or known.is_withdrawn):
        return known.is_withdrawn
    authors = {void.statement.author for void in heeded("action-void", book.id, student, read)}
    keys = (read.entry(KEYS, author) for author in authors)
    return book.statement.author in authors or any(key is not None and is_lasting(key) for key in keys)


def _said(book: Action, student: Principal, tutor: Principal, now: Times, read: Read) -> _Said:
    lesson = book.id
    by_tutor = best(
        [
            action
            for action in heeded("lesson-confirm", lesson, tutor, read)
            if action.statement.bits == _BY_TUTOR and (action.statement.moment in now.starts or is_taken(action, read))
        ],
        read,
    )
    needs_guardian = bool(book.statement.bits & NEEDS_GUARDIAN)
    by_guardian = _guardians_word(lesson, student, now, read) if needs_guardian else None
    return _Said(
        confirms=tuple(action for action in (by_tutor, by_guardian) if action is not None),
        is_confirmed=by_tutor is not None and (by_guardian is not None or not needs_guardian),
        attends=(_attendance(lesson, student, tutor, read), _attendance(lesson, tutor, student, read)),
        complete=best(heeded("lesson-complete", lesson, student, read), read),
        cancels=(_last("lesson-cancel", lesson, student, read), _last("lesson-cancel", lesson, tutor, read)),
        decline=_last("lesson-decline", lesson, tutor, read),
        claims=tuple(action for action in _all("lesson-claim", lesson, read) if is_taken(action, read)),
        is_withdrawn=_is_withdrawn(book, student, read),
        dispute=read.entry(DISPUTES, lesson),
    )


def _claimed(said: _Said, read: Read) -> LessonState | None:
    """What a claim that the chain took did: it paid where both had attended on the chain, and lapsed where not.

    None while both attendances are here and receipts don't tell of each: their order on the chain decides.
    """
    known = [read.entry(SETTLEMENT, attend.id) for attend in said.attends if attend is not None]
    if len(known) < len(said.attends) or any(one is not None and one.is_refused for one in known):
        return LessonState.LAPSED
    return LessonState.COMPLETED if all(one is not None and one.is_done for one in known) else None


def _end(said: _Said, read: Read) -> tuple[LessonState, ActionId] | None:
    """The end that the chain took, by the action that brought it about."""
    ends = [
        (LessonState.COMPLETED, said.complete),
        *((LessonState.CANCELLED, cancel) for cancel in said.cancels),
        (LessonState.DECLINED, said.decline),
    ]
    for state, action in ends:
        if action is not None and is_taken(action, read):
            return state, action.id
    if said.dispute is not None and said.dispute.end is not None:
        return LessonState.DECIDED, said.dispute.end
    claimed = _claimed(said, read) if said.claims else None
    return (claimed, min(action.id for action in said.claims)) if claimed is not None else None


def _state(said: _Said, read: Read) -> LessonState:
    """What follows from what people signed, where no end is on the chain."""
    by_student, by_tutor = said.cancels
    is_disputed = said.dispute is not None and said.is_confirmed
    opening = read.entry(SETTLEMENT, said.dispute.opening) if said.dispute is not None else None
    if opening is not None and opening.is_done:
        return LessonState.DISPUTED
    if said.was_held and said.complete is not None:
        return LessonState.COMPLETED
    if by_tutor is not None or ((by_student is not None or said.is_withdrawn) and not said.was_held):
        return LessonState.CANCELLED
    if said.decline is not None and not said.was_held:
        return LessonState.DECLINED
    if is_disputed:
        return LessonState.DISPUTED
    if said.was_held:
        return LessonState.HELD
    return LessonState.CONFIRMED if said.is_confirmed else LessonState.BOOKED


def _booking(lesson: ActionId, read: Read) -> Booking | None:
    book = read.action(lesson)
    if book is None or not is_heeded(book, read):
        return None
    terms, tutor = book.statement, book.statement.who
    if tutor is None:
        return None
    student = person_of(terms.author, read)
    now = times(book, student, tutor, read)
    said = _said(book, student, tutor, now, read)
    end = _end(said, read)
    needed = (book, *said.confirms, *said.attends, said.complete)
    return Booking(
        student=student,
        tutor=tutor,
        asset=terms.asset,
        price=terms.amount,
        times=now,
        bits=terms.bits,
        about=terms.subject if terms.subject != NO_ID else None,
        state=end[0] if end is not None else _state(said, read),
        was_held=said.was_held,
        attended=Sides(*(attend is not None for attend in said.attends)),
        dispute=said.dispute.opening if said.dispute is not None else None,
        chained=tuple(action.id for action in needed if action is not None),
        end=end[1] if end is not None else None,
    )


BOOKINGS: View[ActionId, Booking] = View(
    "bookings", _booking, {"lesson-book": lambda action, _: (action.id,)}, public=False
)
PAYS_FROM_VAULT = LOCKS | DRAWS_ON_EARMARK
PAID_BY_ANOTHER = DRAWS_ON_EARMARK | DRAWS_ON_POOL
