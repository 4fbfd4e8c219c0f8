"""The rules of kinds about a lesson and its money: who may say what of it, and what must be repeated.

What only the chain knows is never asked here: pools, panels, and whatever people did from a wallet.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from hubd.action.envelope import Action
from hubd.action.kinds import DRAWS_ON_EARMARK, DRAWS_ON_POOL, LOCKS, MINUTES_MASK
from hubd.action.principal import Principal
from hubd.action.sip018 import NO_ID
from hubd.fold.read import Read
from hubd.fold.speaking import person_of
from hubd.limits import LESSON_MOVES_MAX

Check: TypeAlias = Callable[[Action, Action | None, Read], str]
POINTS_MAX = 10_000  # basis points: the whole price
_BOOK_BITS_MAX = 0xFFFF
_PAYERS = (LOCKS, DRAWS_ON_EARMARK, DRAWS_ON_POOL)
_BY_TUTOR, _BY_GUARDIAN = 1, 2  # lesson-confirm bits
_FOR_LESSON, _FOR_POOL, _FOR_TUTOR = 0, 1, 2  # escrow-lock bits


@dataclass(frozen=True, slots=True)
class Parties:
    """The two persons of a lesson."""

    student: Principal
    tutor: Principal | None  # None only in a booking that is void

    def other(self, person: Principal) -> Principal | None:
        """The one across from `person`, who is one of the two."""
        return self.tutor if person == self.student else self.student


def parties(book: Action, read: Read) -> Parties:
    """Who a lesson-book is between."""
    return Parties(person_of(book.statement.author, read), book.statement.who)


def same_terms(one: Action, other: Action) -> bool:
    """Whether two statements name the same price, asset and start."""
    ours, theirs = one.statement, other.statement
    return (ours.amount, ours.asset, ours.moment) == (theirs.amount, theirs.asset, theirs.moment)


def lesson_of(statement: Action, read: Read) -> Action | None:
    """The booking to which a lesson-move or dispute-offer leads back, None where the way is broken or too long."""
    node: Action | None = statement
    for _ in range(LESSON_MOVES_MAX):
        if node is None or node.kind != statement.kind:
            break
        node = read.action(node.statement.subject)
    return node if node is not None and node.kind == "lesson-book" else None


def _lesson_book(action: Action, _subject: Action | None, read: Read) -> str:
    bits = action.statement.bits
    payers = sum(bool(bits & payer) for payer in _PAYERS)
    is_free_pool = bits & DRAWS_ON_POOL and not action.statement.amount
    if not bits & MINUTES_MASK or bits > _BOOK_BITS_MAX or payers > 1 or is_free_pool:
        return "bits"
    return "self" if action.statement.who == person_of(action.statement.author, read) else ""


def _party(action: Action, book: Action, read: Read, sides: str) -> str:
    """Whether the author is on one of `sides` ("student tutor") and names the other, if anybody."""
    two, person = parties(book, read), person_of(action.statement.author, read)
    allowed = {"student": two.student, "tutor": two.tutor}
    if person not in (allowed[side] for side in sides.split()):
        return "not-party"
    return "" if action.statement.who in (None, two.other(person)) else "who"


def _by(sides: str) -> Check:
    """The check of a kind that these sides of a lesson may say."""

    def check(action: Action, subject: Action | None, read: Read) -> str:
        assert subject is not None
        return _party(action, subject, read, sides)

    return check


def _lesson_confirm(action: Action, subject: Action | None, read: Read) -> str:
    """By the tutor, or by anybody else as a guardian. Of the time only the chain knows what it is by then."""
    assert subject is not None
    two, said = parties(subject, read), action.statement
    if said.bits not in (_BY_TUTOR, _BY_GUARDIAN):
        return "bits"
    if (person_of(said.author, read) == two.tutor) != (said.bits == _BY_TUTOR):
        return "not-party"
    if said.who != two.student:
        return "who"
    return "" if (said.amount, said.asset) == (subject.statement.amount, subject.statement.asset) else "terms"


def _lesson_move(action: Action, _subject: Action | None, read: Read) -> str:
    if action.statement.bits > MINUTES_MASK:
        return "bounds"
    book = lesson_of(action, read)
    return _party(action, book, read, "student tutor") if book is not None else ""


def _lesson_attend(action: Action, subject: Action | None, read: Read) -> str:
    assert subject is not None
    if subject.kind == "lesson-book":
        return _party(action, subject, read, "student tutor")
    book = read.action(subject.statement.subject)
    if book is None:
        return ""
    if person_of(subject.statement.author, read) == person_of(action.statement.author, read):
        return "self"
    return _party(action, book, read, "student tutor")


def _rating_open(action: Action, subject: Action | None, read: Read) -> str:
    assert subject is not None
    return _party(action, subject, read, "student tutor") if 1 <= action.statement.amount <= 5 else "stars"


def _class_open(action: Action, _subject: Action | None, _read: Read) -> str:
    return "" if action.statement.bits & MINUTES_MASK else "bits"


def _class_attend(action: Action, subject: Action | None, read: Read) -> str:
    """A learner names the tutor, the tutor a learner."""
    assert subject is not None
    tutor, who = person_of(subject.statement.author, read), action.statement.who
    if person_of(action.statement.author, read) == tutor:
        return "self" if who == tutor else ""
    return "" if who == tutor else "who"


def _lock_for_lesson(action: Action, book: Action | None, read: Read) -> str:
    """Anybody but the tutor sets aside exactly the price."""
    said = action.statement
    if book is None:
        return "subject" if said.subject == NO_ID else ""
    if book.kind != "lesson-book":
        return "subject"
    if person_of(said.author, read) == book.statement.who:
        return "not-party"
    if said.who not in (None, book.statement.who):
        return "who"
    return "" if (said.amount, said.asset) == (book.statement.amount, book.statement.asset) else "terms"


def _escrow_lock(action: Action, subject: Action | None, read: Read) -> str:
    said = action.statement
    if said.bits == _FOR_LESSON:
        return _lock_for_lesson(action, subject, read)
    if said.bits not in (_FOR_POOL, _FOR_TUTOR):
        return "bits"
    if said.who is None:
        return "who"
    if said.bits == _FOR_POOL:
        return "subject" if said.subject == NO_ID else ""
    return "self" if said.who == person_of(said.author, read) else ""


def _escrow_return(_action: Action, subject: Action | None, _read: Read) -> str:
    return "" if subject is not None and subject.statement.bits == _FOR_TUTOR else "subject"


def _share(action: Action, _subject: Action | None, _read: Read) -> str:
    return "" if action.statement.amount <= POINTS_MAX else "bounds"


def _dispute_offer(action: Action, subject: Action | None, read: Read) -> str:
    assert subject is not None
    is_version = subject.kind == "dispute-offer"
    if is_version and person_of(subject.statement.author, read) != person_of(action.statement.author, read):
        return "subject"
    return _share(action, subject, read)


def _dispute_accept(action: Action, subject: Action | None, read: Read) -> str:
    assert subject is not None
    if person_of(subject.statement.author, read) == person_of(action.statement.author, read):
        return "self"
    book = lesson_of(subject, read)
    return _party(action, book, read, "student tutor") if book is not None else ""


LESSON_CHECKS: dict[str, Check] = {
    "lesson-book": _lesson_book,
    "lesson-confirm": _lesson_confirm,
    "lesson-decline": _by("tutor"),
    "lesson-move": _lesson_move,
    "lesson-cancel": _by("student tutor"),
    "lesson-attend": _lesson_attend,
    "lesson-complete": _by("student"),
    "class-open": _class_open,
    "class-attend": _class_attend,
    "escrow-lock": _escrow_lock,
    "escrow-return": _escrow_return,
    "rating-seal": _by("student tutor"),
    "rating-open": _rating_open,
    "dispute-open": _by("student tutor"),
    "dispute-evidence": _by("student tutor"),
    "dispute-offer": _dispute_offer,
    "dispute-accept": _dispute_accept,
    "dispute-vote": _share,
}
