"""Who of the waiting has a place in the queue, where a set holds more than memory can.

People whom the village knows come before newcomers, and what may travel before what waits for something else to change.
What may not travel at all comes last. What is left out stays in the set and is read again in a later round
(hubd/relay/gathering.py); what is about it waits with it, and what is under way always has its place.
"""

from collections.abc import Collection, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from hubd.action.envelope import Action
from hubd.action.sip018 import ActionId
from hubd.limits import RELAY_LEFT_MAX
from hubd.relay.batch import has_venue, needed_by
from hubd.relay.queue import NO_PAST, Item, Past, Queue
from hubd.relay.slots import Slots

if TYPE_CHECKING:
    from hubd.action.principal import Principal
    from hubd.relay.events import Known

_AT_ONCE = 100  # let go together: to look for them costs a walk through the queue


class Room:
    """The queue's places. `is_short` says whether anything open was left out since the last round began.

    `tokens` are the ones that the vault pays out.
    """

    def __init__(self, queue: Queue, slots: Slots) -> None:
        self.is_short = False
        self.tokens: Collection[Principal] = ()
        self._queue, self._slots = queue, slots
        self._known: Known | frozenset[Principal] = frozenset()
        self._strangers: set[Principal] = set()  # authors of waiting actions who were newcomers when it was said last
        self._left: dict[ActionId, None] = {}
        self._past: dict[ActionId, Past] = {}  # of those that had to make way
        self._is_packed = False  # newcomers find no place until the next time that something was read

    def know(self, keys: "Known | frozenset[Principal]", now: float) -> None:
        """These keys' actions go first from now on. Whoever was a newcomer and is none goes at once."""
        self._known, self._is_packed = keys, False
        self._queue.wake([author for author in self._strangers if author in keys], now)
        self._strangers = {author for author in self._queue.authors if author not in keys}

    def is_newcomer(self, author: "Principal | None") -> bool:
        """Whether somebody is known, and this one is not."""
        return bool(self._known) and author not in self._known

    def take(self, action: Action, due_s: float, now: float) -> None:
        """Queue an action, in the place of one that may come later where there is no other, or leave it out."""
        if action.id not in self._slots and not self._has_place(action, now):
            self._leave(action.id)
            return
        self._queue.add(action, due_s, self._past.pop(action.id, NO_PAST))

    def _has_place(self, action: Action, now: float) -> bool:
        if needed_by(action) in self._left:
            return False
        if self._queue.room > 0 or action.id in self._queue:
            return True
        if self._is_barred(action, now):
            return False
        if not self.is_newcomer(action.statement.author):
            return self._make(now)
        if not self._is_packed and not self._past.get(action.id, NO_PAST).tries:
            self._is_packed = not self._make(now, for_newcomers=True)
            return not self._is_packed
        return False

    def _is_barred(self, action: Action, now: float) -> bool:
        return self._queue.is_barred(action, now) or not has_venue(action, self.tokens)

    def _make(self, now: float, *, for_newcomers: bool = False) -> bool:
        for id_ in list(islice(self._spare(now, for_newcomers=for_newcomers), _AT_ONCE)):
            for gone in self._queue.let_go(id_, self._slots):
                self._leave(gone.action.id, gone.past)
        return self._queue.room > 0

    def _spare(self, now: float, *, for_newcomers: bool) -> Iterator[ActionId]:
        """What may come later, what is missed the least first, each with what is about it."""
        seen = set[ActionId]()
        for item in self._spare_items(now, for_newcomers=for_newcomers):
            for about in self._queue.about(item.action.id, self._slots):
                if about.action.id not in seen:
                    seen.add(about.action.id)
                    yield about.action.id

    def _spare_items(self, now: float, *, for_newcomers: bool) -> Iterator[Item]:
        free = [item for item in self._queue.items if item.action.id not in self._slots]
        yield from (item for item in free if self._is_barred(item.action, now))
        strange = [item for item in free if self._known and item.action.statement.author in self._strangers]
        yield from (item for item in strange if item.due_s is None)
        if not for_newcomers:
            yield from strange
            yield from (item for item in free if item.due_s is None)

    def has_for(self, count: int, now: float) -> bool:
        """Whether so many actions of known people would all find a place."""
        lacking = count - self._queue.room
        return lacking <= 0 or sum(1 for _ in islice(self._spare(now, for_newcomers=False), lacking)) == lacking

    def _leave(self, id_: ActionId, past: Past = NO_PAST) -> None:
        self.is_short = True
        self._left[id_] = None
        if past != NO_PAST:
            self._past[id_] = past
        for kept in (self._left, self._past):
            if len(kept) > RELAY_LEFT_MAX:
                del kept[next(iter(kept))]

    def begin_round(self) -> None:
        """The whole set is read again: nothing is left out yet."""
        self.is_short = False
        self._left.clear()
