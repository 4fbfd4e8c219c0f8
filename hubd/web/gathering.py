"""Bodies that come in parts over sockets: few at a time, and none that takes longer than a request by HTTP may.

Anybody may register, so whoever is known takes the place of whom nobody vouched for; and nobody, known or not, holds many.
So a known person is refused only where as many known persons as there are places, of all or of its address, bring post, too.
"""

from collections import Counter
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
        held = {who: body for who, body in self._bodies.items() if body is not None}
        brings = Counter(body.bringer.person for body in held.values())
        if brings[bringer.person] >= CARRY_GATHERED_PER_PERSON_MAX:
            return False
        crowd = {who: body for who, body in held.items() if "" != body.bringer.address == bringer.address}
        if len(crowd) < CARRY_GATHERED_PER_ADDRESS_MAX:
            if len(held) < CARRY_GATHERED_MAX:
                return True
            crowd = held
        return bringer.is_known and self._make_room(crowd, brings, is_first=not brings[bringer.person])

    def _make_room(self, crowd: dict[Hashable, _Body], brings: Counter[Principal], *, is_first: bool) -> bool:
        """Let the oldest go of whom nobody vouched for; else, for somebody's first one, the oldest of whoever has two."""
        spare = [
            (body.bringer.is_known, body.began_s, at, who)
            for at, (who, body) in enumerate(crowd.items())
            if not body.bringer.is_known or (is_first and brings[body.bringer.person] > 1)
        ]
        if spare:
            self._bodies[min(spare)[-1]] = None
        return bool(spare)

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
