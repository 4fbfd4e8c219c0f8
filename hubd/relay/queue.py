"""The actions that still need the chain, and when each may travel next.

An action leaves the queue when the chain has it or has refused it for good. What failed for want of something else comes
again with growing pauses, at most `RELAY_TRIES_MAX` times by the clock; after that, and sooner where it can, it comes
when something about it changes: the action it is about, another one about the same, or one of its author's is done. What
may only be too early comes once a day besides, by whoever is no newcomer.
"""

from collections import Counter
from collections.abc import Collection, Container, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubd.action.envelope import Action
from hubd.action.sip018 import NO_ID, ActionId
from hubd.limits import (
    RELAY_BATCH_ACTIONS_MAX,
    RELAY_FINISHED_MAX,
    RELAY_NEWCOMER_ACTIONS_MAX,
    RELAY_TRIES_MAX,
    RELAY_WAITING_MAX,
)
from hubd.relay.batch import BY_TIME, needed_by
from hubd.relay.strikes import Strikes

if TYPE_CHECKING:
    from hubd.action.principal import Principal

RETRY_S = 30  # the first pause; each further one is twice as long
EARLY_PAUSE_S = 86_400  # for what may only be too early: grace periods last weeks


@dataclass(frozen=True, slots=True)
class Past:
    """What became of an action so far: how often it was tried, and with how many others it may share a transaction."""

    tries: int = 0
    crowd_max: int = RELAY_BATCH_ACTIONS_MAX


NO_PAST = Past()


@dataclass(slots=True)
class Item:
    """An action in the queue. `due_s` None: it waits for a change, not for the clock."""

    action: Action
    due_s: float | None
    tries: int = 0
    crowd_max: int = RELAY_BATCH_ACTIONS_MAX
    is_postponed: bool = False

    @property
    def past(self) -> Past:
        """What is to be remembered of it where it has to make way."""
        return Past(self.tries, self.crowd_max)


def _keys(action: Action) -> Iterator[bytes]:
    """What an action depends on: changes under these keys wake it."""
    statement = action.statement
    yield statement.author
    if statement.who is not None:
        yield statement.who
    if statement.subject != NO_ID:
        yield statement.subject


class Queue:
    """Waiting actions by id, with an index of what wakes them."""

    def __init__(self) -> None:
        self.chain_time_s = 0  # as far as it is known
        self._items: dict[ActionId, Item] = {}
        self._waiting_for: dict[bytes, set[ActionId]] = {}
        self._finished: dict[ActionId, None] = {}
        self._strikes = Strikes()

    def __contains__(self, id_: ActionId) -> bool:
        return id_ in self._items

    def __len__(self) -> int:
        return len(self._items)

    def author(self, id_: ActionId) -> "Principal | None":
        """Who signed it, None where it is not here."""
        item = self._items.get(id_)
        return None if item is None else item.action.statement.author

    def __iter__(self) -> Iterator[ActionId]:
        return iter(self._items)

    @property
    def items(self) -> "Iterable[Item]":
        """The waiting ones, the longest here first."""
        return self._items.values()

    @property
    def room(self) -> int:
        """How many more it may hold."""
        return RELAY_WAITING_MAX - len(self._items)

    @property
    def authors(self) -> "Iterator[Principal]":
        """Who signed the waiting ones; some several times."""
        return (item.action.statement.author for item in self._items.values())

    @property
    def parked(self) -> int:
        """How many wait for a change."""
        return sum(item.due_s is None and not self._is_expired(item) for item in self._items.values())

    def add(self, action: Action, due_s: float, past: Past = NO_PAST) -> None:
        """Take an action in, unless it is here or was. `past` is from when it was here before and had to make way."""
        if action.id in self._items or action.id in self._finished:
            return
        self._items[action.id] = Item(action, due_s, past.tries, past.crowd_max)
        for key in _keys(action):
            self._waiting_for.setdefault(key, set()).add(action.id)

    def forget(self, ids: Iterable[ActionId]) -> None:
        """The chain took back what it said about these: they may be added again."""
        for id_ in ids:
            self._finished.pop(id_, None)

    def finish(self, id_: ActionId) -> None:
        """The chain has it, or will never take it."""
        self._finished[id_] = None
        if len(self._finished) > RELAY_FINISHED_MAX:
            del self._finished[next(iter(self._finished))]
        self._remove(id_)

    def _remove(self, id_: ActionId) -> None:
        item = self._items.pop(id_, None)
        if item is None:
            return
        for key in _keys(item.action):
            waiting = self._waiting_for.get(key, set())
            waiting.discard(id_)
            if not waiting:
                self._waiting_for.pop(key, None)

    def about(self, id_: ActionId, under_way: Container[ActionId]) -> Iterator[Item]:
        """An action and what is about it, as far as that is here and not under way."""
        about = [id_]
        while about:
            next_id = about.pop()
            if next_id in self._items and next_id not in under_way:
                about += self._waiting_for.get(next_id, ())
                yield self._items[next_id]

    def let_go(self, id_: ActionId, under_way: Container[ActionId]) -> list[Item]:
        """Hold an action no longer, nor what is about it, as far as that is not under way; returns what went."""
        gone = list(self.about(id_, under_way))
        for item in gone:
            self._remove(item.action.id)
        return gone

    def done(self, id_: ActionId, now: float) -> None:
        """The chain has it: finish it, and wake what may have waited for it."""
        item = self._items.get(id_)
        self.finish(id_)
        self.wake([id_], now)
        if item is not None:
            self.wake([item.action.statement.author, item.action.statement.subject], now)

    def wake(self, keys: Iterable[bytes], now: float) -> None:
        """Something changed under these keys: what failed before may go at once."""
        for key in keys:
            for id_ in self._waiting_for.get(key, ()):
                if self._items[id_].tries:
                    self._items[id_].due_s = now

    def fail(self, id_: ActionId, now: float, tries_max: int = RELAY_TRIES_MAX) -> None:
        """It could not be done now. It comes again after a pause, or when something changes."""
        item = self._items.get(id_)
        if item is not None:
            item.tries = min(item.tries + 1, RELAY_TRIES_MAX)
            is_early = item.action.kind in BY_TIME and tries_max == RELAY_TRIES_MAX
            later_s = now + EARLY_PAUSE_S if is_early else None
            item.due_s = now + RETRY_S * 2 ** (item.tries - 1) if item.tries < tries_max else later_s

    def postpone(self, id_: ActionId, due_s: float) -> None:
        """Not before `due_s`, once: another hub's word may hold an action up, and not for ever. No pause gets shorter."""
        item = self._items.get(id_)
        if item is not None and item.due_s is not None and not item.is_postponed:
            item.due_s, item.is_postponed = max(item.due_s, due_s), True

    def crowd(self, ids: Iterable[ActionId], crowd_max: int) -> None:
        """These may share a transaction with fewer others from now on: one of them spoiled it for all."""
        for id_ in ids:
            if id_ in self._items:
                item = self._items[id_]
                item.crowd_max = max(1, min(crowd_max, item.crowd_max))

    def strike(self, id_: ActionId, now: float) -> None:
        """It aborted its transaction, alone. An author who does so often pauses for a day."""
        item = self._items.get(id_)
        if item is not None:
            self._strikes.add(item.action.statement.author, now)

    @property
    def expired(self) -> int:
        """How many the chain would refuse, because its time has passed their end."""
        return sum(self._is_expired(item) for item in self._items.values())

    def _is_expired(self, item: Item) -> bool:
        return item.action.statement.expires < self.chain_time_s

    def is_barred(self, action: Action, now: float) -> bool:
        """Whether it may not travel, due or not: its time is over, or its author pauses."""
        statement = action.statement
        return statement.expires < self.chain_time_s or self._strikes.is_paused(statement.author, now)

    def due(self, now: float) -> Iterator[Item]:
        """Items that may travel now."""
        for item in self._items.values():
            if item.due_s is not None and item.due_s <= now and not self.is_barred(item.action, now):
                yield item

    def few(self, items: Iterable[Item], under_way: Collection[Container[ActionId]]) -> Iterator[Item]:
        """Of these at most so many of each author, and none before what it is about is under way."""
        count: Counter[Principal] = Counter()
        for item in items:
            parent, author = needed_by(item.action), item.action.statement.author
            is_early = parent in self and not any(parent in place for place in under_way)
            if not is_early and count[author] < RELAY_NEWCOMER_ACTIONS_MAX:
                count[author] += 1
                yield item
