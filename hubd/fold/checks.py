"""The rules of single kinds beyond their columns: what they may be about, and who must be whom.

A check sees the action and the one it is about, which is here, of an allowed kind and not void. It gives a reason of
`hubd.fold.void.REASONS`, "" where all is well. Checks of kinds that the chain executes are never stricter than the
contracts: what was paid for must not be void.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from hubd.action.content import is_anchored
from hubd.action.envelope import Action
from hubd.action.kinds import MINUTES_MASK
from hubd.action.principal import Principal
from hubd.fold.anchored import REVOKED_LEVEL
from hubd.fold.keys import RINGS, has_scopes, person_of_add
from hubd.fold.read import Read
from hubd.fold.speaking import person_of

Check: TypeAlias = Callable[[Action, Action | None, Read], str]
_LESSON = frozenset(("lesson-book",))

# Kinds whose subject must be of certain kinds. Of others it may be anything: a transaction, any action, a sheet.
SUBJECTS: dict[str, frozenset[str]] = {
    "profile-set": frozenset(("profile-set",)),
    "key-add": frozenset(("user-register", "key-add")),
    "key-accept": frozenset(("key-add",)),
    "key-revoke": frozenset(("user-register", "key-add")),
    "guardian-set": frozenset(("guardian-set",)),
    "recovery-approve": frozenset(("recovery-open",)),
    "recovery-cancel": frozenset(("recovery-open",)),
    "recovery-finish": frozenset(("recovery-open",)),
    "vouch-withdraw": frozenset(("vouch-give",)),
    "offer-set": frozenset(("offer-set",)),
    "offer-withdraw": frozenset(("offer-set",)),
    "request-close": frozenset(("request-open",)),
    "match-offer": frozenset(("request-open",)),
    "match-accept": frozenset(("match-offer",)),
    "lesson-confirm": _LESSON,
    "lesson-decline": _LESSON,
    "lesson-cancel": _LESSON,
    "lesson-attend": frozenset(("lesson-book", "lesson-attend")),
    "lesson-complete": _LESSON,
    "lesson-claim": _LESSON,
    "class-attend": frozenset(("class-open",)),
    "escrow-return": frozenset(("escrow-lock",)),
    "payout-received": frozenset(("payout-note",)),
    "rating-seal": _LESSON,
    "rating-open": _LESSON,
    "dispute-accept": frozenset(("dispute-offer",)),
    "consent-give": frozenset(("consent-give",)),
    "consent-withdraw": frozenset(("consent-give",)),
    "person-release": frozenset(("person-hold",)),
    "hub-announce": frozenset(("hub-announce",)),
    "hub-admit": frozenset(("hub-announce",)),
    "hub-retire": frozenset(("hub-admit",)),
}
# Kinds about something of one's own: a former version, or what is ended by it.
OWN = frozenset(
    (
        *(
            "profile-set",
            "guardian-set",
            "vouch-withdraw",
            "content-erase",
            "action-void",
            "offer-set",
            "offer-withdraw",
        ),
        *("request-close", "consent-give", "consent-withdraw", "hub-announce"),
    )
)


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


def _key_add(action: Action, _subject: Action | None, read: Read) -> str:
    key, person = action.statement.who, person_of_add(action, read)
    if key is None or not has_scopes(action):
        return "bits"
    if person is not None and person != person_of(action.statement.author, read):
        return "subject"
    return "person" if read.entry(RINGS, key) is not None else ""


def _key_accept(action: Action, subject: Action | None, read: Read) -> str:
    if subject is None or subject.statement.who != action.statement.author:
        return "who"
    return "person" if read.entry(RINGS, action.statement.author) is not None else ""


def _key_revoke(action: Action, subject: Action | None, read: Read) -> str:
    assert subject is not None
    is_first = subject.kind == "user-register"
    if action.statement.who != (subject.statement.author if is_first else subject.statement.who):
        return "who"
    return "" if person_of_add(subject, read) == person_of(action.statement.author, read) else "subject"


def _vouch_give(action: Action, _subject: Action | None, read: Read) -> str:
    return "self" if action.statement.who == person_of(action.statement.author, read) else ""


def _same_who(action: Action, subject: Action | None, _read: Read) -> str:
    return "" if subject is not None and action.statement.who == subject.statement.who else "who"


def _content_erase(_action: Action, subject: Action | None, _read: Read) -> str:
    return "subject" if subject is not None and is_anchored(subject.kind) else ""


def _offer_set(action: Action, subject: Action | None, _read: Read) -> str:
    return "" if subject is None or subject.statement.asset == action.statement.asset else "terms"


def _match_offer(action: Action, subject: Action | None, read: Read) -> str:
    assert subject is not None
    student = person_of(subject.statement.author, read)
    if action.statement.who != student:
        return "who"
    return "self" if person_of(action.statement.author, read) == student else ""


def same_terms(one: Action, other: Action) -> bool:
    """Whether two statements name the same price, asset and start."""
    ours, theirs = one.statement, other.statement
    return (ours.amount, ours.asset, ours.moment) == (theirs.amount, theirs.asset, theirs.moment)


def _match_accept(action: Action, subject: Action | None, read: Read) -> str:
    assert subject is not None
    if person_of(action.statement.author, read) != subject.statement.who:
        return "not-party"
    if action.statement.who not in (None, person_of(subject.statement.author, read)):
        return "who"
    return "" if same_terms(action, subject) and action.statement.bits == subject.statement.bits else "terms"


def _lesson_book(action: Action, _subject: Action | None, read: Read) -> str:
    if not action.statement.bits & MINUTES_MASK:
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
    assert subject is not None
    by_tutor, by_guardian = action.statement.bits == 1, action.statement.bits == 2
    if not by_tutor and not by_guardian:
        return "bits"
    if by_tutor and (fault := _party(action, subject, read, "tutor")):
        return fault
    return "" if same_terms(action, subject) else "terms"


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


def _hub_admit(action: Action, subject: Action | None, _read: Read) -> str:
    return "" if subject is not None and action.statement.who == subject.statement.author else "who"


def _relay_receipt(action: Action, _subject: Action | None, _read: Read) -> str:
    return "bits" if action.statement.bits > REVOKED_LEVEL else ""


CHECKS: dict[str, Check] = {
    "key-add": _key_add,
    "key-accept": _key_accept,
    "key-revoke": _key_revoke,
    "vouch-give": _vouch_give,
    "vouch-withdraw": _same_who,
    "content-erase": _content_erase,
    "offer-set": _offer_set,
    "match-offer": _match_offer,
    "match-accept": _match_accept,
    "lesson-book": _lesson_book,
    "lesson-confirm": _lesson_confirm,
    "lesson-decline": _by("tutor"),
    "lesson-cancel": _by("student tutor"),
    "lesson-attend": _lesson_attend,
    "lesson-complete": _by("student"),
    "rating-seal": _by("student tutor"),
    "rating-open": _rating_open,
    "hub-admit": _hub_admit,
    "hub-retire": _same_who,
    "relay-receipt": _relay_receipt,
}
