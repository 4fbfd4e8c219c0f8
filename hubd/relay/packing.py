"""What travels next, in which company and for what fee: the outbox's choice of actions for one account nonce.

Sans-IO, like the outbox that asks: it knows what waits (queue, room), what is under way (slots) and what may be spent today.
"""

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from hubd.action.sip018 import ActionId
from hubd.limits import (
    RELAY_BATCH_ACTIONS,
    RELAY_CANDIDATES_MAX,
    RELAY_FEE_USTX_MAX,
    RELAY_FEE_USTX_MIN,
    RELAY_FEES_DAY_USTX_MAX,
)
from hubd.relay import events as ev
from hubd.relay.batch import Batch, Candidate, Venue, build, choose, has_venue
from hubd.relay.budget import Budget, raised
from hubd.relay.queue import Item, Queue
from hubd.relay.room import Room
from hubd.relay.slots import Slots
from hubd.relay.tx import Transaction, size_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

GAP = "gap"  # the ledger's word for a transaction that only fills an account nonce


@dataclass(frozen=True, slots=True)
class Terms:
    """What the operator decides, and how long to gather actions before a batch leaves."""

    actions_max: int = RELAY_BATCH_ACTIONS
    fee_ustx_per_byte: int = 2
    fees_day_ustx_max: int = RELAY_FEES_DAY_USTX_MAX
    gather_s: float = 10.0


class Packing:
    """Packs transactions. `actions_max` is what batches hold at present, at most the terms'; `trouble` is the code of what a
    person should look at, or "".
    """

    def __init__(self, venue: Venue, terms: Terms, queue: Queue, slots: Slots, room: Room) -> None:
        self.venue, self.terms = venue, terms
        self.actions_max = terms.actions_max
        self.budget = Budget()
        self.trouble = ""
        self._queue, self._slots, self._room = queue, slots, room

    def shrink(self, count: int) -> None:
        """A batch of so many was too heavy: none is larger than half of it for a while."""
        self.actions_max = max(1, count // 2)

    def grow(self) -> None:
        """A batch was mined: the next one may hold one more."""
        self.actions_max = min(self.actions_max + 1, self.terms.actions_max)

    def next(self, nonce: int, taken: set[ActionId], now: float) -> ev.Sign | None:
        """What this account nonce is for: newcomers travel apart, when nobody else does and their share has room."""
        actions_max = min(self.actions_max, self.terms.actions_max)
        if chosen := choose(self._candidates(nonce, taken, now, are_newcomers=False), actions_max):
            return self._sign(nonce, build(chosen, self.venue))
        if chosen := choose(self._candidates(nonce, taken, now, are_newcomers=True), actions_max):
            request = self._sign(nonce, build(chosen, self.venue), are_newcomers=True)
            if request is not None:
                return request
        is_gap = any(other > nonce for other in self._slots.open)  # it would hold up what follows
        return self._sign(nonce, build((), self.venue)) if is_gap else None

    def _free(self, nonce: int, taken: set[ActionId], now: float, *, are_newcomers: bool) -> "Iterator[Item]":
        own = self._slots.open[nonce].ids if nonce in self._slots.open else frozenset()
        for item in self._queue.due(now):
            id_, is_newcomer = item.action.id, self._room.is_newcomer(item.action.statement.author)
            is_free = id_ not in taken and (id_ in own or id_ not in self._slots)
            if is_newcomer == are_newcomers and is_free and has_venue(item.action, self.venue.tokens):
                yield item

    def _candidates(self, nonce: int, taken: set[ActionId], now: float, *, are_newcomers: bool) -> list[Candidate]:
        """What may travel now with this account nonce: what is under way nowhere else, the longest here first.

        An action whose parent is queued and may not travel yet waits with it.
        """
        free = self._free(nonce, taken, now, are_newcomers=are_newcomers)
        free = self._queue.few(free, (taken, self._slots)) if are_newcomers else free
        looked_at: dict[ActionId, Item] = {item.action.id: item for item in islice(free, RELAY_CANDIDATES_MAX)}
        return [
            Candidate(item.action, item.crowd_max)
            for item in looked_at.values()
            if (parent := item.action.statement.subject) in looked_at
            or parent in taken
            or parent in self._slots
            or parent not in self._queue
        ]

    def _sign(self, nonce: int, batch: Batch, *, are_newcomers: bool = False) -> ev.Sign | None:
        unpriced = Transaction(batch.call, nonce, fee_ustx=0, conditions=batch.conditions)
        fee_ustx = max(RELAY_FEE_USTX_MIN, size_bytes(unpriced) * self.terms.fee_ustx_per_byte)
        slot = self._slots.open.get(nonce)
        if slot is not None:
            fee_ustx = max(fee_ustx, raised(slot.fee_ustx))
        fee_ustx = min(fee_ustx, RELAY_FEE_USTX_MAX)
        if are_newcomers and not self.budget.may_newcomers(fee_ustx, self.terms.fees_day_ustx_max):
            return None
        if not self.afford(fee_ustx, are_newcomers=are_newcomers):
            return None
        transaction = Transaction(batch.call, nonce, fee_ustx, conditions=batch.conditions)
        return ev.Sign(transaction, batch.call.function if batch.ids else GAP, batch.ids, are_newcomers)

    def afford(self, fee_ustx: int, *, are_newcomers: bool = False) -> bool:
        """Whether today's budget has room; takes it at once."""
        has_room = self.budget.take(fee_ustx, self.terms.fees_day_ustx_max, are_newcomers=are_newcomers)
        self.trouble = "" if has_room else "fees-day"
        return has_room
