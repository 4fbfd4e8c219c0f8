"""Who of the waiting has a place in the queue, where a set holds more than memory can.

People whom the village knows come before newcomers, and what may travel before what waits for something else to change.
What is left out stays in the set and is read again in a later round (hubd/relay/gathering.py); what is about it waits with
it, and what is under way always has its place.
"""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from hubd.action.envelope import Action
from hubd.action.sip018 import ActionId
from hubd.limits import RELAY_LEFT_MAX
from hubd.relay.batch import needed_by
from hubd.relay.queue import Queue
from hubd.relay.slots import Slots

if TYPE_CHECKING:
    from hubd.action.principal import Principal
    from hubd.relay.events import Known

_AT_ONCE = 100  # let go together: to look for them costs a walk through the queue


class Room:
    """The queue's places. `is_short` says whether anything open was left out since the last round began."""

    def __init__(self, queue: Queue, slots: Slots) -> None:
        self.is_short = False
        self._queue, self._slots = queue, slots
        self._known: Known | frozenset[Principal] = frozenset()
        self._strangers: set[Principal] = set()  # authors of waiting actions who were newcomers when it was said last
        self._left: dict[ActionId, None] = {}

    def know(self, keys: "Known | frozenset[Principal]", now: float) -> None:
        """These keys' actions go first from now on. Whoever was a newcomer and is none goes at once."""
        self._known = keys
        self._queue.wake([author for author in self._strangers if author in keys], now)
        self._strangers = {author for author in self._queue.authors if author not in keys}

    def is_newcomer(self, author: "Principal | None") -> bool:
        """Whether somebody is known, and this one is not."""
        return bool(self._known) and author not in self._known

    def take(self, action: Action, due_s: float) -> None:
        """Queue an action, in the place of one that may come later where there is no other, or leave it out."""
        if action.id not in self._slots and not self._has_place(action):
            self._leave(action.id)
            return
        self._queue.add(action, due_s)

    def _has_place(self, action: Action) -> bool:
        if needed_by(action) in self._left:
            return False
        if self._queue.room > 0 or action.id in self._queue:
            return True
        return not self.is_newcomer(action.statement.author) and self._make()

    def _make(self) -> bool:
        for id_ in list(islice(self._spare(), _AT_ONCE)):
            for gone in self._queue.let_go(id_, self._slots):
                self._leave(gone)
        return self._queue.room > 0

    def _spare(self) -> Iterator[ActionId]:
        """What may come later, what is missed the least first."""
        free = [item for item in self._queue.items if item.action.id not in self._slots]
        strange = {item.action.id for item in free if self._known and item.action.statement.author in self._strangers}
        yield from strange
        yield from (item.action.id for item in free if item.due_s is None and item.action.id not in strange)

    def has_for(self, count: int) -> bool:
        """Whether so many actions of known people would all find a place."""
        lacking = count - self._queue.room
        return lacking <= 0 or sum(1 for _ in islice(self._spare(), lacking)) == lacking

    def _leave(self, id_: ActionId) -> None:
        self.is_short = True
        self._left[id_] = None
        if len(self._left) > RELAY_LEFT_MAX:
            del self._left[next(iter(self._left))]

    def begin_round(self) -> None:
        """The whole set is read again: nothing is left out yet."""
        self.is_short = False
        self._left.clear()
