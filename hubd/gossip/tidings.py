"""Content that was gained here after its header: every linked hub is told of it at once, and who lacks it asks for it.

Most neighbours have it already, so it is told by its ids alone, and the text itself goes where it is asked for
(`hubd.gossip.content`). A hub gains a content once, when it comes to its disk, and tells of it once: so it travels as far
as hubs lack it, and nothing goes in circles. What does not fit is left to the proofs of sessions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.gossip.peer import SendHaveContent, Side
from hubd.limits import HAVE_GATHER_S, HAVE_IDS_MAX, HAVE_QUEUE_IDS_MAX

_NEVER = float("inf")


@dataclass(slots=True)
class _Neighbour:
    """One linked peer."""

    sides: set[Side] = field(default_factory=set)
    waiting: dict[ActionId, None] = field(default_factory=dict)  # to be told
    rests_until: float = 0.0  # what comes before then travels together

    @property
    def side(self) -> Side:
        """Where it is told: over the link we dialled, or else over the one we were dialled on."""
        return Side.DIALLED if Side.DIALLED in self.sides else Side.ACCEPTED


class Tidings:
    """`opened` and `lost` for links, `gained` for content. `due_at` says when `tick` would have something to do."""

    def __init__(self) -> None:
        self._neighbours: dict[Principal, _Neighbour] = {}

    @property
    def due_at(self) -> float:
        """The moment of the next thing to do by `tick`; infinite if there is none."""
        return min((each.rests_until for each in self._neighbours.values() if each.waiting), default=_NEVER)

    def opened(self, hub: Principal, side: Side) -> None:
        """A link is up."""
        self._neighbours.setdefault(hub, _Neighbour()).sides.add(side)

    def lost(self, hub: Principal, side: Side) -> None:
        """A link is gone."""
        neighbour = self._neighbours.get(hub)
        if neighbour is not None:
            neighbour.sides.discard(side)
            if not neighbour.sides:
                del self._neighbours[hub]

    def gained(self, ids: Sequence[ActionId], source: bytes, now: float) -> list[SendHaveContent]:
        """The content of these came to our disk; `source` is the peer that gave it."""
        for hub, neighbour in self._neighbours.items():
            if hub != source:
                places = HAVE_QUEUE_IDS_MAX - len(neighbour.waiting)
                neighbour.waiting.update(dict.fromkeys(ids[:places]))
        return self.tick(now)

    def tick(self, now: float) -> list[SendHaveContent]:
        """Tell what waits for whoever was not told of anything a moment ago."""
        return [
            out
            for hub, neighbour in self._neighbours.items()
            if neighbour.waiting and now >= neighbour.rests_until
            for out in _told(hub, neighbour, now)
        ]


def _told(hub: Principal, neighbour: _Neighbour, now: float) -> Iterator[SendHaveContent]:
    ids = tuple(neighbour.waiting)
    neighbour.waiting.clear()
    neighbour.rests_until = now + HAVE_GATHER_S
    for start in range(0, len(ids), HAVE_IDS_MAX):
        yield SendHaveContent(hub, neighbour.side, ids[start : start + HAVE_IDS_MAX])
