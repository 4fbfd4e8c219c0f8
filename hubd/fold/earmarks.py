"""Earmarks: money that a student set aside for one tutor. Safe when the chain took it, and before that a promise.

What lessons drew is theirs until they end; what comes back from one goes into the earmark again while it stands.
"""

from hubd.action.kinds import DRAWS_ON_EARMARK
from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.fold.lesson_views import Earmark, EarmarkState
from hubd.fold.lessons import LESSONS
from hubd.fold.read import Read, View
from hubd.fold.settlement import SETTLEMENT, is_taken
from hubd.fold.speaking import person_of
from hubd.fold.views import Payment
from hubd.fold.void import heeded, is_heeded

FOR_TUTOR = 2  # escrow-lock bits
_DRAWN = frozenset((Payment.LOCKED, Payment.DISPUTED, Payment.RELEASED, Payment.SPLIT))


def _drawn(earmark: ActionId, student: Principal, read: Read) -> int:
    """The prices of the lessons that drew on it and did not give back."""
    books = [book for book in heeded("lesson-book", earmark, student, read) if book.statement.bits & DRAWS_ON_EARMARK]
    lessons = (read.entry(LESSONS, book.id) for book in books if is_taken(book, read))
    return sum(lesson.price for lesson in lessons if lesson is not None and lesson.payment in _DRAWN)


def _is_returned(earmark: ActionId, read: Read) -> bool:
    """Whether the chain took anybody's word that it goes back."""
    return any(
        is_heeded(back, read) and is_taken(back, read)
        for author in read.authors("escrow-return", earmark)
        for back in read.filed("escrow-return", earmark, author)
    )


def _earmark(earmark: ActionId, read: Read) -> Earmark | None:
    lock = read.action(earmark)
    if lock is None or lock.statement.bits != FOR_TUTOR or not is_heeded(lock, read):
        return None
    said, student, tutor = lock.statement, person_of(lock.statement.author, read), lock.statement.who
    assert tutor is not None
    known = read.entry(SETTLEMENT, earmark)
    state = EarmarkState.PROMISED
    if known is not None and known.is_refused:
        state = EarmarkState.FAILED
    elif known is not None and known.is_done:
        state = EarmarkState.RETURNED if _is_returned(earmark, read) else EarmarkState.SAFE
    is_there = state in (EarmarkState.PROMISED, EarmarkState.SAFE)
    return Earmark(
        id=earmark,
        student=student,
        tutor=tutor,
        asset=said.asset,
        amount=said.amount,
        left=max(0, said.amount - _drawn(earmark, student, read)) if is_there else 0,
        until=said.moment,
        state=state,
    )


EARMARKS: View[ActionId, Earmark] = View("earmarks", _earmark, {"escrow-lock": lambda action, _: (action.id,)})
