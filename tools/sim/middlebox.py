"""What sits between two hubs and does not do as TCP and CURVE promise: it loses, repeats and swaps single frames.

No transport of ours does that. A broken middlebox, a bug of a library or of our own driver might, and then the machines
meet it. Whether there is one between two hubs, and how bad it is, the seed says once and for all; its lots come from a
chance of its own, so that a story without one is the same as ever.
"""

import random
from dataclasses import dataclass

from tools.sim.clock import Clock

KINDS = ("lost", "repeated", "swapped")


@dataclass(frozen=True)
class Damage:
    """How many of a mesh's links have one, what share of their frames meets with what, and until when."""

    links: float = 0.0
    lost: float = 0.0  # shares of the frames of such a link: half to one and a half times as much
    repeated: float = 0.0
    swapped: float = 0.0  # with the next one of the same direction
    until_s: float = float("inf")


NONE = Damage()


class Middlebox:
    """One for each pair of hubs, across their connections."""

    def __init__(self, clock: Clock, damage: Damage, seed: int, pair: tuple[int, int]) -> None:
        low, high = sorted(pair)
        self.name = f"{low} {high}"
        self._clock = clock
        self._until_s = damage.until_s
        self._chance = random.Random(f"{seed} middlebox {self.name}")  # noqa: S311
        self._is_there = self._chance.random() < damage.links
        self._shares = {kind: getattr(damage, kind) * (0.5 + self._chance.random()) for kind in KINDS}

    def lot(self) -> str:
        """What becomes of the next frame: one of `KINDS`, or nothing ("")."""
        if not self._is_there or self._clock.now >= self._until_s:
            return ""
        drawn = self._chance.random()
        for kind, share in self._shares.items():
            drawn -= share
            if drawn < 0:
                self._clock.note(f"{kind} {self.name}")
                return kind
        return ""
