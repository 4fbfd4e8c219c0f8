"""Bodies that come in parts over sockets: few at a time, and none that takes longer than a request by HTTP may.

Anybody may register, so whoever is known takes the place of whom nobody vouched for; and nobody, known or not, holds many.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from hubd.action.principal import Principal
from hubd.errors import RemoteError
from hubd.limits import (
    CARRY_GATHERED_MAX,
    CARRY_GATHERED_PER_ADDRESS_MAX,
    CARRY_GATHERED_PER_PERSON_MAX,
    PHONE_POST_BYTES_MAX,
    PHONE_REQUEST_S,
)


@dataclass(frozen=True, slots=True)
class Bringer:
    """Whose body it is. `address` is "" for this machine itself, which is not counted."""

    person: Principal
    address: str
    is_known: bool  # somebody vouched for that person


@dataclass(slots=True)
class _Body:
    bringer: Bringer
    began_s: float
    parts: bytearray = field(default_factory=bytearray)


class Gathering:
    """What has come so far, by conversation. `clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._bodies: dict[Hashable, _Body | None] = {}  # None: it has no place here, and its end will say so

    def add(self, who: Hashable, bringer: Bringer, part: bytes) -> None:
        """One more part. A body that is too large, too slow or one too many is let go; `end` says so."""
        now = self._clock()
        for other, body in self._bodies.items():
            if body is not None and now - body.began_s > PHONE_REQUEST_S:
                self._bodies[other] = None
        if who not in self._bodies:
            self._bodies[who] = _Body(bringer, now) if self._has_place(bringer) else None
        body = self._bodies[who]
        if body is not None and len(body.parts) <= PHONE_POST_BYTES_MAX:
            body.parts += part

    def _has_place(self, bringer: Bringer) -> bool:
        """Whether there is one more, or one could be made free."""
        held = [(who, body) for who, body in self._bodies.items() if body is not None]
        same_person = sum(body.bringer.person == bringer.person for _, body in held)
        same_address = sum(body.bringer.address == bringer.address for _, body in held)
        is_crowd = bringer.address != "" and same_address >= CARRY_GATHERED_PER_ADDRESS_MAX
        if same_person >= CARRY_GATHERED_PER_PERSON_MAX or is_crowd:
            return False
        if len(held) < CARRY_GATHERED_MAX:
            return True
        unknown = [(body.began_s, at) for at, (_, body) in enumerate(held) if not body.bringer.is_known]
        if not bringer.is_known or not unknown:
            return False
        self._bodies[held[min(unknown)[1]][0]] = None
        return True

    def end(self, who: Hashable) -> bytes:
        """The whole body. Raises `RemoteError`: `too-large`, or `rate` where it was let go."""
        body = self._bodies.pop(who, None)
        if body is None:
            raise RemoteError("rate", "too much post at once, or too slowly", hint="wait a moment, then bring it again")
        if len(body.parts) > PHONE_POST_BYTES_MAX:
            raise RemoteError("too-large", f"post is at most {PHONE_POST_BYTES_MAX} bytes at once")
        return bytes(body.parts)

    def drop(self, who: Hashable) -> None:
        """This conversation is over, or has begun anew."""
        self._bodies.pop(who, None)
