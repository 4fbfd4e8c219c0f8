"""Ratings are given blind: first a seal, the digest of what will be said; the opening only when the other side sealed.

The digest covers what the contract will compare (docs/protocol.md, "Kinds"): amount, bits, content and subject of the
later `rating-open`.
"""

import hashlib

from hubd.action.clarity import Buff, TupleCV, UInt, Value, encode
from hubd.action.content import digest_of
from hubd.action.principal import Principal
from hubd.errors import RemoteError
from hubd.fold.views import Lesson
from hubd.phone.outbox import Opening

STARS_MAX = 5


def seal_digest(opening: Opening) -> bytes:
    """What a `rating-seal` carries as its content for this opening."""
    said: dict[str, Value] = {
        "amount": UInt(opening.stars),
        "bits": UInt(opening.tags),
        "content": Buff(digest_of(opening.content)),
        "subject": Buff(opening.lesson),
    }
    return hashlib.sha256(encode(TupleCV(said))).digest()


def check_stars(stars: int) -> None:
    """Raise `RemoteError("field")` unless there are 1 to 5."""
    if not 1 <= stars <= STARS_MAX:
        raise RemoteError("field", f"{stars} stars", hint="give 1 to 5 stars")


def check_may_open(lesson: Lesson | None, me: Principal) -> None:
    """Raise `RemoteError("rating-early")` while the other side has not sealed its own."""
    others_seal = lesson is not None and (lesson.sealed.tutor if me == lesson.student else lesson.sealed.student)
    if not others_seal:
        raise RemoteError(
            "rating-early",
            "the other side has not rated yet",
            hint="both ratings stay sealed until both are there: sync, and try again",
        )
