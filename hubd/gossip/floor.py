"""Who may bring us many actions at once: one neighbour at a time has the floor.

A hub that lacks much, and has several neighbours, would be sent all of it by each of them. So a neighbour that is far
ahead (`FILL_ACTIONS_MIN`) brings that only while it has the floor; the others are put off and have their turns later,
when next to nothing is left to bring. Everything else needs no floor: small differences, news, and all that we give. So
no hub ever waits for one that waits for it.

The floor is taken when a session begins, for nobody knows yet who is ahead, and given back at the greeting by whoever is
not. Who keeps it has purses of time, which run empty by themselves and which the bytes that it brings fill up again. An
empty purse is the end of its floor, not of its session: a hub that says it has much and gives nothing holds up the
others for ten seconds, one that gives next to nothing for five minutes at most, and both wait behind the others then.

What so comes is no news: nobody is told of it one by one. Who lacks it, too, is filled by sessions.
"""

from dataclasses import dataclass

from hubd.action.principal import Principal
from hubd.gossip.peer import Side
from hubd.limits import (
    FILL_ACTIONS_MIN,
    FILL_BARRED_S,
    FILL_BYTES_PER_S_GOOD,
    FILL_BYTES_PER_S_MIN,
    FILL_GREETING_S,
    FILL_QUIET_S,
    FILL_SLOW_S,
)


@dataclass(slots=True)
class _Purse:
    """So many seconds are left; each second costs one, each `bytes_per_s` bring one, up to `most_s`."""

    most_s: float
    bytes_per_s: float
    left_s: float

    @classmethod
    def full(cls, most_s: float, bytes_per_s: float = float("inf")) -> "_Purse":
        return cls(most_s, bytes_per_s, most_s)


class Floor:
    """`now` as machines have it. Tell it of greetings, of what is new in the set, and of sessions and links that end.

    A session is named by its hub and by the side that opened its link: two hubs that dialled each other at once hold two.
    """

    def __init__(self) -> None:
        self._holder: tuple[Principal, Side] | None = None
        self._is_filling = False
        self._purses: list[_Purse] = []
        self._at = 0.0  # up to when the purses are paid
        self._waiting: set[Principal] = set()  # who was put off
        self._barred: dict[Principal, float] = {}  # until when others come first

    def claim(self, hub: Principal, side: Side, now: float) -> bool:
        """A session begins. Whether it has the floor; the one that has it already gets no more time by that."""
        self._pass(now)
        if self._holder is not None:
            return self._holder == (hub, side)
        if now < self._barred.get(hub, 0.0) and self._waiting - {hub}:
            return False
        self._waiting.discard(hub)
        self._holder, self._is_filling = (hub, side), False
        self._purses, self._at = [_Purse.full(FILL_GREETING_S)], now
        return True

    def counted(self, hub: Principal, side: Side, ahead: int, now: float) -> None:
        """The greeting of a session says that this hub has so many more actions than we have."""
        self._pass(now)
        if ahead < FILL_ACTIONS_MIN:
            self._waiting.discard(hub)
            self.ended(hub, side, has_more=False)
        elif not self._is_held_by(hub):
            self._waiting.add(hub)
        elif self._holder == (hub, side) and not self._is_filling:
            self._is_filling = True
            self._purses = [
                _Purse.full(FILL_QUIET_S, FILL_BYTES_PER_S_MIN),
                _Purse.full(FILL_SLOW_S, FILL_BYTES_PER_S_GOOD),
            ]

    def brought(self, hub: bytes, size_bytes: int, now: float) -> None:
        """Actions of so many bytes are new in our set, by way of this hub."""
        self._pass(now)
        if self._is_held_by(hub):
            for purse in self._purses:
                purse.left_s = min(purse.most_s, purse.left_s + size_bytes / purse.bytes_per_s)

    def ended(self, hub: Principal, side: Side, *, has_more: bool) -> None:
        """A session is over, or its link. One that has more to bring, and begins again at once, keeps the floor."""
        if self._holder == (hub, side) and not has_more:
            self._holder = None

    def forget(self, hub: Principal) -> None:
        """This hub is not linked any more."""
        self._waiting.discard(hub)

    def waits(self, hub: Principal) -> bool:
        """Whether this hub has much to bring and was put off."""
        return hub in self._waiting

    def is_filled(self, now: float) -> bool:
        """Whether somebody has the floor and is far ahead."""
        self._pass(now)
        return self._holder is not None and self._is_filling

    def is_filled_by(self, source: bytes, now: float) -> bool:
        """Whether it is this hub."""
        return self.is_filled(now) and self._is_held_by(source)

    def _is_held_by(self, hub: bytes) -> bool:
        return self._holder is not None and self._holder[0] == hub

    def _pass(self, now: float) -> None:
        """Pay for the time that has passed; with an empty purse the floor is free."""
        passed_s, self._at = now - self._at, now
        for purse in self._purses:
            purse.left_s -= passed_s
        if self._holder is not None and any(purse.left_s <= 0 for purse in self._purses):
            self._barred = {hub: until for hub, until in self._barred.items() if now < until}
            self._barred[self._holder[0]] = now + FILL_BARRED_S
            self._holder = None
