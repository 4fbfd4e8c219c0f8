"""Bodies that come in parts over sockets: few at a time, and none that takes longer than a request by HTTP may."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from hubd.errors import RemoteError
from hubd.limits import CARRY_GATHERED_MAX, PHONE_POST_BYTES_MAX, PHONE_REQUEST_S


@dataclass(slots=True)
class _Body:
    began_s: float
    parts: bytearray = field(default_factory=bytearray)


class Gathering:
    """What has come so far, by conversation. `clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._bodies: dict[Hashable, _Body | None] = {}  # None: it has no place here, and its end will say so

    def add(self, who: Hashable, part: bytes) -> None:
        """One more part. A body that is too large, too slow or one too many is let go; `end` says so."""
        now = self._clock()
        for other, body in self._bodies.items():
            if body is not None and now - body.began_s > PHONE_REQUEST_S:
                self._bodies[other] = None
        if who not in self._bodies:
            is_room = sum(body is not None for body in self._bodies.values()) < CARRY_GATHERED_MAX
            self._bodies[who] = _Body(now) if is_room else None
        body = self._bodies[who]
        if body is not None and len(body.parts) <= PHONE_POST_BYTES_MAX:
            body.parts += part

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
