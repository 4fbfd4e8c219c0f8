"""Content that is missing here: asking a peer for it, when it tells that it gained some, and after a proof for all of it.

Ids are proven by sessions; content stands beside them, and may be missing where its header is. A peer that has gained
content tells of it, and whoever lacks it asks at once. What was not told of, or told in vain, is left to proofs: after one
each side that lacks some asks for it by id, one page after the other, each answered by one frame. What was asked for in
vain (it was erased there, or is lost) is not asked for again and again: a page that brings nothing counts, the walk through
all that is missing is remembered, and the next walk comes after a longer time each, or when the peer says that it lacks
more or less.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import islice
from typing import TypeAlias

from hubd.action.sip018 import ActionId
from hubd.errors import RemoteError
from hubd.gossip.dialogue import Ended, Offer, Offered, SendFrame, StoreFailed
from hubd.gossip.wire import AskContent, Content
from hubd.limits import (
    ASK_ANSWER_S,
    ASKS_UNKEPT_MAX,
    CONTENT_AGAIN_S_MAX,
    CONTENT_AGAIN_S_MIN,
    CONTENT_ANSWER_S,
    CONTENT_CLAIMS_MAX,
    CONTENT_IDS_MAX,
    CONTENT_REST_S,
    CONTENT_VAIN_MAX,
    HAVE_REST_S,
    HAVE_TOLD_IDS_MAX,
)
from hubd.ports import Verdict


@dataclass(frozen=True, slots=True)
class LoadLacking:
    """Out: read the next actions beyond this arrival sequence whose content is missing here; answer `LackingLoaded`."""

    after: int
    actions_max: int


@dataclass(frozen=True, slots=True)
class LackingLoaded:
    """In: their sequences and ids, by arrival."""

    rows: Sequence[tuple[int, ActionId]]


@dataclass(frozen=True, slots=True)
class LoadBare:
    """Out: find out which of these are here without their content, and not erased; answer `BareLoaded`."""

    ids: tuple[ActionId, ...]


@dataclass(frozen=True, slots=True)
class BareLoaded:
    """In: these."""

    ids: Sequence[ActionId]


@dataclass(frozen=True, slots=True)
class Told:
    """In: the peer has gained the content of these."""

    ids: Sequence[ActionId]


@dataclass(frozen=True, slots=True)
class Waited:
    """In: about a second has passed."""


InEvent: TypeAlias = Ended | LackingLoaded | BareLoaded | Content | Told | Waited | Offered | StoreFailed
OutEvent: TypeAlias = LoadLacking | LoadBare | SendFrame | Offer


class Claims:
    """What is being asked for because a peer told of it. Shared by all links: no two peers are asked for one at a time."""

    def __init__(self) -> None:
        self._until: dict[ActionId, float] = {}

    def take(self, ids: Iterable[ActionId], now: float) -> tuple[ActionId, ...]:
        """Those of these, a page at most, that nobody is asked for; from now on somebody is, for a while."""
        if len(self._until) > CONTENT_CLAIMS_MAX:  # of links that went before an answer came
            self._until = {id_: until for id_, until in self._until.items() if until > now}
        free = tuple(islice((id_ for id_ in ids if self._until.get(id_, 0.0) <= now), CONTENT_IDS_MAX))
        self._until.update(dict.fromkeys(free, now + ASK_ANSWER_S))
        return free

    def drop(self, ids: Iterable[ActionId]) -> None:
        """Nobody is asked for these any more."""
        for id_ in ids:
            self._until.pop(id_, None)


@dataclass(slots=True)
class Sought:
    """What is remembered of one peer across its links: how far it was asked, and when it will be again."""

    claims: Claims = field(default_factory=Claims)
    unkept: int = 0  # questions about what it told of, in a row, that brought nothing
    deaf_until: float = 0.0  # what it tells of is passed over
    after: int = 0  # it was asked for everything up to this sequence
    is_through: bool = False  # ... which was all
    gained: int = 0  # in this walk
    peer_lacking: int = -1  # as it said when the walk began
    rests_until: float = 0.0
    again_at: float = 0.0
    wait_s: float = CONTENT_AGAIN_S_MIN

    def is_due(self, peer_lacking: int, now: float) -> bool:
        """Whether to ask now, after a proof; begins another walk if there is a reason to."""
        if now < self.rests_until:
            return False
        self.rests_until = now + CONTENT_REST_S
        if self.peer_lacking < 0 or (self.is_through and (peer_lacking != self.peer_lacking or now >= self.again_at)):
            self.after, self.gained, self.is_through, self.peer_lacking = 0, 0, False, peer_lacking
        return True

    def may_ask(self, now: float) -> bool:
        """Whether to ask for what it told of. Who told of three pages and gave nothing is not heard for a while."""
        if self.unkept < ASKS_UNKEPT_MAX:
            self.unkept += 1  # until something comes of it
            return True
        self.unkept, self.deaf_until = 0, now + HAVE_REST_S
        return False

    def ends(self, now: float) -> None:
        """Everything was asked for."""
        if not self.is_through:
            self.is_through = True
            self.wait_s = CONTENT_AGAIN_S_MIN if self.gained else min(CONTENT_AGAIN_S_MAX, 2 * self.wait_s)
            self.again_at = now + self.wait_s


class _State(Enum):
    RESTING = auto()
    LOADING = auto()  # the next page of all that is missing
    LOOKING = auto()  # which of what the peer told of is missing
    ASKING = auto()
    TAKING = auto()  # the answer is judged and written
    COUNTING = auto()  # what of the page is still missing


class Seeker:
    """For one link. Give it every `Ended`, `Told` and `Content`, `Waited` each second, and the answers to what it asks for.

    There is one page at a time: of what the peer told of, or else of all that is missing, where a proof has begun that walk.
    """

    def __init__(self, sought: Sought) -> None:
        self._sought = sought
        self._state = _State.RESTING
        self._page: Sequence[tuple[int, ActionId]] = ()
        self._is_walking = False
        self._vain = 0  # pages of the walk that brought nothing, in a row
        self._told: dict[ActionId, None] = {}
        self._claimed: tuple[ActionId, ...] = ()  # of these, where the page is of them
        self._lost_at = 0.0  # when an open question is taken for lost
        self._overdue = 0  # questions that were, and whose answers may come nevertheless
        self._answer_s = float(CONTENT_ANSWER_S)

    def handle(self, event: InEvent, now: float) -> list[OutEvent]:
        """Take one event; returns what to do. `RemoteError` for an answer that breaks the rules."""
        out = self._take(event, now)
        return out if self._state is not _State.RESTING else [*out, *self._go_on(now)]

    def _take(self, event: InEvent, now: float) -> list[OutEvent]:
        match event:
            case Ended():
                self._proven(event, now)
                return []
            case Told(ids):
                if now >= self._sought.deaf_until:
                    self._told.update(dict.fromkeys(ids[: HAVE_TOLD_IDS_MAX - len(self._told)]))
                return []
            case Waited():
                return []
            case Content():
                return self._answered(event)
            case Offered():
                return self._taken(event)
            case StoreFailed():
                return self._stop()
            case LackingLoaded(rows):
                return self._ask(rows, now)
            case BareLoaded(ids) if self._state is _State.LOOKING:
                return self._ask_for_told(ids, now)
            case BareLoaded(ids):
                return self._judge(len(self._page) - len(ids))

    # --- what to ask for

    def _go_on(self, now: float) -> list[OutEvent]:
        """The next page, if there is one."""
        if self._told and (claimed := self._sought.claims.take(self._told, now)):
            self._state, self._claimed = _State.LOOKING, claimed
            return [LoadBare(claimed)]
        if self._is_walking:
            self._state = _State.LOADING
            return [LoadLacking(self._sought.after, CONTENT_IDS_MAX)]
        return []

    def _proven(self, ended: Ended, now: float) -> None:
        if self._state is _State.ASKING and now > self._lost_at:
            self._answer_s = min(CONTENT_AGAIN_S_MAX, 2 * self._answer_s)
            self._overdue += 1
            self._stop()
        if self._is_walking or not (ended.is_proven and ended.lacking):
            return
        if self._sought.is_due(ended.peer_lacking, now):
            self._is_walking, self._vain = True, 0

    def _ask(self, rows: Sequence[tuple[int, ActionId]], now: float) -> list[OutEvent]:
        if not rows:
            self._sought.ends(now)
            return self._stop()
        self._state, self._page, self._lost_at = _State.ASKING, rows, now + self._answer_s
        return [SendFrame(AskContent(tuple(id_ for _, id_ in rows)))]

    def _ask_for_told(self, bare: Sequence[ActionId], now: float) -> list[OutEvent]:
        self._page = tuple((0, id_) for id_ in bare)
        if not bare:
            return self._done_with(self._claimed)
        if not self._sought.may_ask(now):
            return self._done_with(tuple(self._told))
        for id_ in set(self._claimed).difference(bare):
            del self._told[id_]
        self._state, self._lost_at = _State.ASKING, now + self._answer_s
        return [SendFrame(AskContent(tuple(bare)))]

    # --- what comes of it

    def _answered(self, frame: Content) -> list[OutEvent]:
        fits = self._state is _State.ASKING and len(frame.envelopes) <= frame.through <= len(self._page)
        if not fits and self._is_late():
            return []
        if not fits:
            if self._state is _State.ASKING:
                self._stop()
            raise RemoteError("order", "content that nobody asked for, or more than that")
        self._answer_s = float(CONTENT_ANSWER_S)
        self._page = self._page[: frame.through]
        if not self._page:  # its card can't be read now
            return self._stop()
        if not frame.envelopes:
            return self._judge(0)
        self._state = _State.TAKING
        return [Offer(frame.envelopes, 0)]

    def _is_late(self) -> bool:
        """Whether what does not fit may be the answer to a question that was taken for lost, as one such answer now is."""
        self._overdue, had = max(0, self._overdue - 1), self._overdue
        return had > 0

    def _taken(self, event: Offered) -> list[OutEvent]:
        asked = {id_ for _, id_ in self._page}
        for outcome in event.outcomes:
            if outcome.verdict is Verdict.DEFERRED:
                return self._stop()
            if outcome.id not in asked:
                self._stop()
                if self._is_late():
                    return []
                raise RemoteError("refused", "no content of what was asked for")
        self._state = _State.COUNTING
        return [LoadBare(tuple(asked))]

    def _judge(self, gained: int) -> list[OutEvent]:
        """A page is done with. What came is not missing any more; the rest this peer does not have."""
        if self._claimed:
            self._sought.unkept = 0 if gained else self._sought.unkept
            return self._done_with(tuple(id_ for _, id_ in self._page))
        self._state = _State.RESTING
        self._sought.after = self._page[-1][0]
        self._sought.gained += gained
        self._vain = 0 if gained else self._vain + 1
        self._is_walking = self._vain < CONTENT_VAIN_MAX
        return []

    def _done_with(self, told: Sequence[ActionId]) -> list[OutEvent]:
        """What the peer told of these is forgotten; somebody else may be asked for whatever of the page did not come."""
        self._sought.claims.drop(self._claimed)
        self._state, self._claimed = _State.RESTING, ()
        for id_ in told:
            self._told.pop(id_, None)
        return []

    def _stop(self) -> list[OutEvent]:
        """Something is not as it should be now, here or there; proofs will bring it."""
        self._is_walking = False
        return self._done_with(tuple(self._told))
