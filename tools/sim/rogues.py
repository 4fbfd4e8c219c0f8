"""Hubs that are admitted and not honest. Their keys are good, so the links let them in; what they say is not true."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

from hubd.errors import RemoteError
from hubd.gossip import wire
from hubd.gossip.peer import Side
from hubd.ports import Door, Outcome, Verdict
from tools.sim import actions
from tools.sim.doors import Intake
from tools.sim.hub import Hub
from tools.sim.network import Pipe

_LIE_SHARE = 0.3


class Liar(Hub):
    """Says what it likes: other counts and fingerprints, ids that do not exist, bodies that are garbage, no end, no
    answer, the same again, or bytes that are no frame at all. Everything is made of what an honest hub would have said.
    """

    is_honest = False

    def send(self, pipe: Pipe, side: Side, raw: bytes) -> str:
        """Send this, or something else, or nothing."""
        chance = self.clock.chance
        if chance.random() >= _LIE_SHARE:
            return pipe.send(side, raw)
        lie: Callable[[bytes], list[bytes]] = chance.choice((self._twisted, self._twisted, self._noise, self._again))
        for each in lie(raw):
            pipe.send(side, each)
        return ""

    def _noise(self, raw: bytes) -> list[bytes]:
        chance = self.clock.chance
        return [chance.choice((b"", raw[: len(raw) // 2], chance.randbytes(40), raw + b"\0"))]

    def _again(self, raw: bytes) -> list[bytes]:
        return [raw] * self.clock.chance.choice((0, 2, 40))

    def _twisted(self, raw: bytes) -> list[bytes]:
        frame = wire.decode(raw)
        names = [each.name for each in fields(frame)]
        if not names:
            return []
        name = self.clock.chance.choice(names)
        try:
            return [wire.encode(replace(frame, **{name: self._other(getattr(frame, name))}))]
        except (RemoteError, ValueError, OverflowError):
            return []

    def _other(self, value: Any) -> Any:
        """Something else of the same shape."""
        chance = self.clock.chance
        if isinstance(value, bool | str):
            return value
        if isinstance(value, int):
            return chance.choice((0, 1, value + 1, 2 * value, 2**32 - 1))
        if isinstance(value, bytes):
            return chance.choice((chance.randbytes(len(value)), value[:-1], value[:1] + value, value[::-1]))
        if isinstance(value, tuple) and value:
            kept = value[: chance.randrange(len(value) + 1)]
            return chance.choice((kept, value + value, tuple(self._other(item) for item in value)))
        return value


class Miser(Hub):
    """Promises all that it has, and gives nothing of it."""

    is_honest = False

    def send(self, pipe: Pipe, side: Side, raw: bytes) -> str:
        """Send this, if it is no body and does not say that all were sent."""
        return "" if isinstance(wire.decode(raw), wire.Actions | wire.End) else super().send(pipe, side, raw)


class Dropper(Intake):
    """Says that everything is on disk, and throws it away."""

    async def offer(self, envelopes: Sequence[bytes], _door: Door, _source: bytes = b"") -> list[Outcome]:
        """See `hubd.ports.Intake`; nothing of it is true."""
        outcomes = []
        for raw in envelopes:
            try:
                outcomes.append(Outcome(Verdict.OK, actions.parsed(raw).id, "", is_new=True))
            except RemoteError as error:
                outcomes.append(Outcome(Verdict.REFUSED, None, error.code))
        return outcomes


class Withholder(Hub):
    """Acknowledges whatever phones and hubs bring, keeps nothing, and goes on with what it was born with."""

    is_honest = False

    def _intake(self) -> Intake:
        return Dropper(self.disk, self.notify)
