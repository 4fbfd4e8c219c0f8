"""Content that is missing here: asking a peer for it, once both sets are proven to be one.

Ids are proven by sessions; content stands beside them, and may be missing where its header is. So after a proof each side
that lacks some asks for it by id, one page after the other, each answered by one frame. What was asked for in vain (it was
erased there, or is lost) is not asked for again and again: a page that brings nothing counts, the walk through all that is
missing is remembered, and the next walk comes after a longer time each, or when the peer says that it lacks more or less.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from hubd.action.sip018 import ActionId
from hubd.errors import RemoteError
from hubd.gossip.dialogue import Ended, Offer, Offered, SendFrame, StoreFailed
from hubd.gossip.wire import AskContent, Content
from hubd.limits import (
    CONTENT_AGAIN_S_MAX,
    CONTENT_AGAIN_S_MIN,
    CONTENT_ANSWER_S,
    CONTENT_IDS_MAX,
    CONTENT_REST_S,
    CONTENT_VAIN_MAX,
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


InEvent: TypeAlias = Ended | LackingLoaded | Content | Offered | StoreFailed
OutEvent: TypeAlias = LoadLacking | SendFrame | Offer


@dataclass(slots=True)
class Sought:
    """What is remembered of one peer across its links: how far it was asked, and when it will be again."""

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

    def ends(self, now: float) -> None:
        """Everything was asked for."""
        if not self.is_through:
            self.is_through = True
            self.wait_s = CONTENT_AGAIN_S_MIN if self.gained else min(CONTENT_AGAIN_S_MAX, 2 * self.wait_s)
            self.again_at = now + self.wait_s


class _State(Enum):
    RESTING = auto()
    LOADING = auto()  # the next page
    ASKING = auto()
    TAKING = auto()  # the answer is judged and written
    COUNTING = auto()  # what of the page is still missing


class Seeker:
    """For one link. Give it every `Ended`, every `Content`, and the answers to what it asks for."""

    def __init__(self, sought: Sought) -> None:
        self._sought = sought
        self._state = _State.RESTING
        self._page: Sequence[tuple[int, ActionId]] = ()
        self._vain = 0  # pages that brought nothing, in a row
        self._lost_at = 0.0  # when an open question is taken for lost
        self._answer_s = float(CONTENT_ANSWER_S)

    def handle(self, event: InEvent, now: float) -> list[OutEvent]:
        """Take one event; returns what to do. `RemoteError` for an answer that breaks the rules."""
        match event:
            case Ended():
                return self._proven(event, now)
            case Content():
                return self._answered(event)
            case Offered():
                return self._taken(event)
            case StoreFailed():
                self._state = _State.RESTING
                return []
            case LackingLoaded(rows) if self._state is _State.COUNTING:
                still = {sequence for sequence, _ in rows}
                return self._judge(sum(sequence not in still for sequence, _ in self._page))
            case LackingLoaded(rows):
                return self._ask(rows, now)

    def _proven(self, ended: Ended, now: float) -> list[OutEvent]:
        if self._state is _State.ASKING and now > self._lost_at:
            self._state, self._answer_s = _State.RESTING, min(CONTENT_AGAIN_S_MAX, 2 * self._answer_s)
        if not (ended.is_proven and ended.lacking) or self._state is not _State.RESTING:
            return []
        if not self._sought.is_due(ended.peer_lacking, now):
            return []
        self._vain = 0
        return self._load()

    def _load(self) -> list[OutEvent]:
        self._state = _State.LOADING
        return [LoadLacking(self._sought.after, CONTENT_IDS_MAX)]

    def _ask(self, rows: Sequence[tuple[int, ActionId]], now: float) -> list[OutEvent]:
        if not rows:
            self._state = _State.RESTING
            self._sought.ends(now)
            return []
        self._state, self._page, self._lost_at = _State.ASKING, rows, now + self._answer_s
        return [SendFrame(AskContent(tuple(id_ for _, id_ in rows)))]

    def _answered(self, frame: Content) -> list[OutEvent]:
        if self._state is not _State.ASKING:
            raise RemoteError("order", "content that nobody asked for")
        self._answer_s = CONTENT_ANSWER_S
        self._page = self._page[: frame.through]
        if len(self._page) < max(frame.through, len(frame.envelopes)):
            self._state = _State.RESTING
            raise RemoteError("order", "more content than was asked for")
        if not self._page:  # its card can't be read now
            self._state = _State.RESTING
            return []
        if not frame.envelopes:
            return self._judge(0)
        self._state = _State.TAKING
        return [Offer(frame.envelopes, 0)]

    def _taken(self, event: Offered) -> list[OutEvent]:
        self._state = _State.RESTING
        asked = {id_ for _, id_ in self._page}
        for outcome in event.outcomes:
            if outcome.verdict is Verdict.DEFERRED:
                return []
            if outcome.id not in asked:
                raise RemoteError("refused", "no content of what was asked for")
        self._state = _State.COUNTING
        return [LoadLacking(self._sought.after, CONTENT_IDS_MAX)]

    def _judge(self, gained: int) -> list[OutEvent]:
        """A page is done with. What came is not missing any more; the rest this peer does not have."""
        self._sought.after = self._page[-1][0]
        self._sought.gained += gained
        self._vain = 0 if gained else self._vain + 1
        if self._vain < CONTENT_VAIN_MAX:
            return self._load()
        self._state = _State.RESTING
        return []
