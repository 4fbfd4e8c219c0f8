"""How what is new here reaches every hub once: pushed over the links of a tree, announced over all others.

After Leitao, Pereira and Rodrigues, *Epidemic Broadcast Trees* (2007). Every link begins *eager*: whatever is new goes
over it at once, as `Push`. Who is pushed an action that another peer's push brought before answers `Prune`, and both ends
of that link become *lazy*: it carries only ids, as `Have`, gathered for a moment. What the eager links leave is a tree, so
one action costs about one body a hub. Who hears of an id and does not get it for a while says `Ask`: that brings the
action, and makes the link eager again. So the tree mends itself when a link of it goes.

Nothing of this is a promise. Every memory here is bounded; what does not fit is dropped, and `FellBehind` asks for a
session, which is the truth. A peer that announces what it never gives is not listened to for a while.

No clock and no chance: `now` comes with each call, and `due_at` says when `tick` would have something to do.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeAlias

from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.errors import RemoteError
from hubd.gossip.peer import LoadAsked, PushJudged, SendAsk, SendHave, SendPrune, SendPush, Side
from hubd.gossip.push import PushQueue
from hubd.limits import (
    ASK_AFTER_S,
    ASK_ANSWER_S,
    ASKS_UNKEPT_MAX,
    HAVE_GATHER_S,
    HAVE_IDS_MAX,
    HAVE_QUEUE_IDS_MAX,
    HAVE_REST_S,
    HAVE_TOLD_IDS_MAX,
    SPREAD_RECENT_IDS_MAX,
)

_NEVER = float("inf")
_NOBODY = Principal(b"")


@dataclass(frozen=True, slots=True)
class FellBehind:
    """Something for or from this peer was dropped: only a session will bring it."""

    hub: Principal


@dataclass(frozen=True, slots=True)
class Overdrew:
    """The peer acknowledged a push that was never sent."""

    hub: Principal


OutEvent: TypeAlias = SendPush | SendHave | SendAsk | SendPrune | LoadAsked | FellBehind | Overdrew


@dataclass(slots=True)
class _Neighbour:
    """One linked peer."""

    hub: Principal
    queues: dict[Side, PushQueue] = field(default_factory=dict)
    is_eager: bool = True
    announce_at: float = _NEVER
    waiting: dict[ActionId, None] = field(default_factory=dict)  # to be announced
    announced: dict[ActionId, None] = field(default_factory=dict)  # may be asked for, once each; the oldest go first
    asked: deque[ActionId] = field(default_factory=deque)  # by the peer, not yet loaded
    is_loading: bool = False
    told: dict[ActionId, None] = field(default_factory=dict)  # by the peer, and not here yet
    is_asked: bool = False  # by us: when it brings something new, the link is eager again
    unkept: int = 0  # our asks that brought nothing, in a row
    deaf_until: float = 0.0

    @property
    def side(self) -> Side:
        """Where its frames go: over the link we dialled, or else over the one we were dialled on."""
        return Side.DIALLED if Side.DIALLED in self.queues else Side.ACCEPTED


@dataclass(slots=True)
class _Missing:
    """An id that we heard of and do not have."""

    first: Principal  # who told of it first
    due: float
    asked: Principal | None = None


class Spread:
    """See the module. `opened` and `lost` for links, `appended` for what is new; the others are frames of peers."""

    def __init__(self) -> None:
        self._neighbours: dict[Principal, _Neighbour] = {}
        self._missing: dict[ActionId, _Missing] = {}
        self._missing_due = _NEVER  # no id is due before
        self._recent: dict[ActionId, Principal] = {}  # new here lately, and whose push brought it, if one did

    @property
    def due_at(self) -> float:
        """The moment of the next thing to do by `tick`; infinite if there is none."""
        return min([self._missing_due, *(each.announce_at for each in self._neighbours.values())])

    def is_eager(self, hub: Principal) -> bool:
        """Whether what is new goes to this peer at once."""
        neighbour = self._neighbours.get(hub)
        return neighbour is not None and neighbour.is_eager

    # --- links

    def opened(self, hub: Principal, side: Side) -> None:
        """A link is up; the first one to a peer begins eager."""
        self._neighbours.setdefault(hub, _Neighbour(hub)).queues[side] = PushQueue()

    def lost(self, hub: Principal, side: Side) -> bool:
        """A link is gone, and what was pushed over it maybe lost. Whether there was one."""
        neighbour = self._neighbours.get(hub)
        if neighbour is None or neighbour.queues.pop(side, None) is None:
            return False
        if not neighbour.queues:
            del self._neighbours[hub]
            for missing in self._missing.values():
                if missing.asked == hub:
                    missing.asked, missing.due, self._missing_due = None, 0.0, 0.0
        return True

    # --- what is new here

    def appended(
        self,
        ids: Sequence[ActionId],
        envelopes: Sequence[bytes],
        source: bytes,
        now: float,
        *,
        is_told: bool = True,
    ) -> list[OutEvent]:
        """These are new in our set; `source` is the peer they came from. Where they are no news, nobody is told."""
        for id_ in ids:
            self._recent.setdefault(id_, _NOBODY)
            self._missing.pop(id_, None)
        for id_ in list(islice(self._recent, max(0, len(self._recent) - SPREAD_RECENT_IDS_MAX))):
            del self._recent[id_]
        out: list[OutEvent] = []
        for neighbour in self._neighbours.values():
            news = [pair for pair in zip(ids, envelopes, strict=True) if pair[0] not in neighbour.told]
            for id_ in ids:
                neighbour.told.pop(id_, None)
            if not is_told or neighbour.hub == source or not news:
                continue
            if neighbour.is_eager:
                out += _push(neighbour, [envelope for _, envelope in news])
            else:
                out += _announce_later(neighbour, [id_ for id_, _ in news], now)
        return out

    def judged(self, event: PushJudged) -> list[OutEvent]:
        """A push of this peer is on disk. Answers `Prune` where most of it was no news.

        That is what another peer's push had brought before, and, unless this is the only eager link, what has been here
        for long: a newcomer that is being filled pushes all that comes to it.
        """
        neighbour = self._neighbours.get(event.hub)
        for id_ in event.new:
            if id_ in self._recent:
                self._recent[id_] = event.hub
        if neighbour is None:
            return []
        if event.new:
            neighbour.unkept = 0
            neighbour.is_eager |= neighbour.is_asked
            neighbour.is_asked = False
        is_spare = any(each.is_eager for each in self._neighbours.values() if each is not neighbour)
        brought = (self._recent.get(id_) for id_ in event.known)
        stale = sum(is_spare if by is None else by not in {_NOBODY, event.hub} for by in brought)
        if stale <= len(event.new):
            return []
        neighbour.is_eager = False
        return [SendPrune(event.hub, neighbour.side)]

    def taken(self, hub: Principal, side: Side) -> list[OutEvent]:
        """The peer has one push on its disk."""
        neighbour = self._neighbours.get(hub)
        queue = neighbour.queues.get(side) if neighbour is not None else None
        if neighbour is None or queue is None:
            return []
        try:
            queue.acknowledge()
        except RemoteError:
            return [Overdrew(hub)]
        return [*_due(neighbour, side), *_load(neighbour)]

    def proven(self, hub: Principal, side: Side, now: float) -> list[OutEvent]:
        """A session over this link found both sets to be one."""
        neighbour = self._neighbours.get(hub)
        queue = neighbour.queues.get(side) if neighbour is not None else None
        if neighbour is None or queue is None:
            return []
        queue.proven(now)
        return [*_due(neighbour, side), *_load(neighbour)]

    # --- lazy links

    def pruned(self, hub: Principal) -> None:
        """The peer gets its news from elsewhere."""
        if hub in self._neighbours:
            self._neighbours[hub].is_eager = False

    def told(self, hub: Principal, ids: Sequence[ActionId], now: float) -> list[OutEvent]:
        """The peer has these."""
        neighbour = self._neighbours.get(hub)
        if neighbour is None or now < neighbour.deaf_until:
            return []
        unknown = [id_ for id_ in ids if id_ not in self._recent]
        places = HAVE_TOLD_IDS_MAX - len(neighbour.told)
        for id_ in unknown[:places]:
            neighbour.told[id_] = None
            self._missing.setdefault(id_, _Missing(hub, now + ASK_AFTER_S))
        if unknown:
            self._missing_due = min(self._missing_due, now + ASK_AFTER_S)
        return [FellBehind(hub)] if len(unknown) > places else []

    def known(self, ids: Iterable[ActionId]) -> None:
        """These, which we were about to ask for, are in our set already."""
        for id_ in ids:
            self._forget(id_)

    def asked(self, hub: Principal, ids: Sequence[ActionId]) -> list[OutEvent]:
        """The peer wants these, and from now on everything at once. It can ask for what we announced, once."""
        neighbour = self._neighbours.get(hub)
        if neighbour is None:
            return []
        neighbour.is_eager = True
        wanted = [id_ for id_ in dict.fromkeys(ids) if id_ in neighbour.announced]
        places = HAVE_QUEUE_IDS_MAX - len(neighbour.asked)
        for id_ in wanted:
            del neighbour.announced[id_]
        neighbour.asked.extend(wanted[:places])
        out = _load(neighbour)
        return [*out, FellBehind(hub)] if len(wanted) > places else out

    def loaded(self, hub: Principal, envelopes: Sequence[bytes]) -> list[OutEvent]:
        """The answer to `LoadAsked`."""
        neighbour = self._neighbours.get(hub)
        if neighbour is None:
            return []
        neighbour.is_loading = False
        return [*_push(neighbour, envelopes), *_load(neighbour)]

    # --- time

    def tick(self, now: float) -> list[OutEvent]:
        """Announce what was gathered, ask for what did not come."""
        out: list[OutEvent] = []
        for neighbour in self._neighbours.values():
            if now >= neighbour.announce_at:
                out += _announce(neighbour)
        if now >= self._missing_due:
            out += self._ask(now)
        return out

    def _ask(self, now: float) -> list[OutEvent]:
        due = [id_ for id_, missing in self._missing.items() if now >= missing.due]
        self._note_unkept(due, now)
        asks: dict[Principal, list[ActionId]] = {}
        for id_ in due:
            missing = self._missing[id_]
            teller = self._teller(id_, missing, now)
            if teller is None:
                self._forget(id_)
                continue
            missing.asked, missing.due = teller.hub, now + ASK_ANSWER_S
            asks.setdefault(teller.hub, []).append(id_)
        self._missing_due = min((missing.due for missing in self._missing.values()), default=_NEVER)
        return [out for hub, ids in asks.items() for out in self._ask_of(self._neighbours[hub], ids)]

    def _note_unkept(self, due: Sequence[ActionId], now: float) -> None:
        """Whom we asked for these and who gave nothing: not asked for them again, and not heard for a while at last."""
        broke: dict[Principal, None] = {}
        for id_ in due:
            neighbour = self._neighbours.get(self._missing[id_].asked or _NOBODY)
            if neighbour is not None:
                neighbour.told.pop(id_, None)
                broke[neighbour.hub] = None
        for neighbour in (self._neighbours[hub] for hub in broke):
            neighbour.unkept += 1
            if neighbour.unkept >= ASKS_UNKEPT_MAX:
                neighbour.unkept, neighbour.deaf_until = 0, now + HAVE_REST_S
                neighbour.told.clear()

    def _teller(self, id_: ActionId, missing: _Missing, now: float) -> _Neighbour | None:
        tellers = {each.hub: each for each in self._neighbours.values() if id_ in each.told and now >= each.deaf_until}
        return tellers.get(missing.first) or next(iter(tellers.values()), None)

    def _ask_of(self, neighbour: _Neighbour, ids: Sequence[ActionId]) -> Iterator[OutEvent]:
        neighbour.is_asked = True
        for start in range(0, len(ids), HAVE_IDS_MAX):
            yield SendAsk(neighbour.hub, neighbour.side, tuple(ids[start : start + HAVE_IDS_MAX]))

    def _forget(self, id_: ActionId) -> None:
        self._missing.pop(id_, None)
        for neighbour in self._neighbours.values():
            neighbour.told.pop(id_, None)


def _push(neighbour: _Neighbour, envelopes: Sequence[bytes]) -> list[OutEvent]:
    queue = neighbour.queues[neighbour.side]
    queue.add(envelopes)
    out = _due(neighbour, neighbour.side)
    return [*out, FellBehind(neighbour.hub)] if queue.shed() else out


def _due(neighbour: _Neighbour, side: Side) -> list[OutEvent]:
    return [SendPush(neighbour.hub, side, chunk) for chunk in neighbour.queues[side].due()]


def _load(neighbour: _Neighbour) -> list[OutEvent]:
    """The next piece of what the peer asked for, when nothing else waits for it: its own credit sets the pace."""
    if not neighbour.asked or neighbour.is_loading or not neighbour.queues[neighbour.side].is_empty:
        return []
    neighbour.is_loading = True
    piece = tuple(islice(neighbour.asked, HAVE_IDS_MAX))
    for _ in piece:
        neighbour.asked.popleft()
    return [LoadAsked(neighbour.hub, neighbour.side, piece)]


def _announce_later(neighbour: _Neighbour, ids: Sequence[ActionId], now: float) -> list[OutEvent]:
    if not neighbour.waiting:
        neighbour.announce_at = now + HAVE_GATHER_S
    neighbour.waiting.update(dict.fromkeys(ids))
    if len(neighbour.waiting) <= HAVE_QUEUE_IDS_MAX:
        return []
    neighbour.waiting.clear()
    neighbour.announce_at = _NEVER
    return [FellBehind(neighbour.hub)]


def _announce(neighbour: _Neighbour) -> Iterator[OutEvent]:
    ids = tuple(neighbour.waiting)
    neighbour.waiting.clear()
    neighbour.announce_at = _NEVER
    neighbour.announced.update(dict.fromkeys(ids))
    for id_ in list(islice(neighbour.announced, max(0, len(neighbour.announced) - HAVE_QUEUE_IDS_MAX))):
        del neighbour.announced[id_]
    for start in range(0, len(ids), HAVE_IDS_MAX):
        yield SendHave(neighbour.hub, neighbour.side, ids[start : start + HAVE_IDS_MAX])
