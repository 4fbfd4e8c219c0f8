"""Ratings of held lessons, blind until opened, and their sums.

A rating counts when both attended, its rater sealed it and the opening matches the seal: sha256 over the Clarity
consensus bytes of the opening's {amount, bits, content, subject} (docs/protocol.md, "Kinds"). Once per lesson and rater:
of several seals the one the chain took counts, else the smallest id, and no other may be opened. That an opening waits
for the other's seal is the phone's rule and the contract's.
"""

import hashlib
from collections.abc import Iterator

from hubd.action.clarity import Buff, TupleCV, UInt, Value, encode
from hubd.action.envelope import Action
from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.action.statement import Statement
from hubd.fold.bookings import BOOKINGS
from hubd.fold.read import Read, Tally, View
from hubd.fold.settlement import best
from hubd.fold.speaking import person_of
from hubd.fold.views import Rating, Reputation
from hubd.fold.void import heeded


def seal_digest(opening: Statement) -> bytes:
    """The `content` of the rating-seal for this rating-open."""
    sealed: dict[str, Value] = {
        "amount": UInt(opening.amount),
        "bits": UInt(opening.bits),
        "content": Buff(opening.content),
        "subject": Buff(opening.subject),
    }
    return hashlib.sha256(encode(TupleCV(sealed))).digest()


def _rating(key: tuple[ActionId, Principal], read: Read) -> Rating | None:
    lesson, rater = key
    booking = read.entry(BOOKINGS, lesson)
    if booking is None or not booking.was_held or rater not in (booking.student, booking.tutor):
        return None
    seal = best(heeded("rating-seal", lesson, rater, read), read)
    if seal is None:
        return None
    openings = heeded("rating-open", lesson, rater, read)
    opening = best([a for a in openings if seal_digest(a.statement) == seal.statement.content], read)
    return Rating(
        lesson=lesson,
        rater=rater,
        rated=booking.other(rater),
        seal=seal.id,
        opened=opening.id if opening is not None else None,
        stars=opening.statement.amount if opening is not None else 0,
        tags=opening.statement.bits if opening is not None else 0,
    )


def _lesson_rater(action: Action, read: Read) -> Iterator[tuple[ActionId, Principal]]:
    yield action.statement.subject, person_of(action.statement.author, read)


def _adds(rating: Rating) -> Iterator[tuple[Principal, tuple[int, ...]]]:
    is_open = rating.opened is not None
    yield rating.rated, (int(is_open), rating.stars, int(not is_open))


RATINGS: View[tuple[ActionId, Principal], Rating] = View("ratings", _rating, {"rating-seal": _lesson_rater})
REPUTATION: Tally[Principal, Reputation] = Tally(
    "reputation", RATINGS, _adds, lambda person, sums: Reputation(person, *sums)
)
