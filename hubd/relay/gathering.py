"""What of the set and its views the outbox has to hear of: open actions, what receipts say of them, what claims to look up.

A set of years holds a million actions, and a hub 80 MB: whatever is kept here has a bound. The set itself is the queue for
what finds no place in the outbox's; it is read on when there is room, and from its beginning once in `RELAY_ROUND_S` where
anything was left out. Which transactions are this wallet's, the ledger is asked.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.fold.memory import beyond
from hubd.fold.trust import Circle
from hubd.fold.views import Views
from hubd.limits import PAGE_ACTIONS, RELAY_CLAIMS_PAGE, RELAY_PAGE_ACTIONS, RELAY_ROUND_S
from hubd.ports import ActionStore, Intake, RelayLedger
from hubd.relay import events as ev
from hubd.relay.acquaintance import Acquaintances
from hubd.relay.batch import KINDS_CARRIED
from hubd.relay.books import Books
from hubd.relay.ends import KINDS_SAID, Ends
from hubd.relay.lease import lease_s, uplinks
from hubd.relay.node import Node
from hubd.relay.outbox import Outbox
from hubd.relay.receipts import Receipts
from hubd.relay.settled import Settled

if TYPE_CHECKING:
    from hubd.action.envelope import Action


@dataclass(frozen=True, slots=True)
class Links:
    """What the relay works on: the hub's set and ledger, its fold, and the chain. Clocks are in seconds."""

    store: ActionStore
    ledger: RelayLedger
    intake: Intake
    views: Callable[[], Views]  # the fold's present ones
    node: Node
    circle: Circle | None = None  # kept up with the views; without it the relay looks for itself
    is_late: Callable[[], bool] = lambda: False  # whether views lag: what is settled long since would be paid for again
    wall_s: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic


class Gathering:
    """Reads set and views for one outbox. `react` hands it an event and performs what it asks for."""

    def __init__(  # noqa: PLR0913  # what it reads, and what it tells, by name
        self,
        links: Links,
        books: Books,
        hub: Principal,
        *,
        outbox: Outbox,
        receipts: Receipts,
        react: Callable[[ev.InEvent], Awaitable[None]],
    ) -> None:
        self.settled = Settled()
        self.ends = Ends(hub)
        self.trouble = ""  # a code, while actions of the set wait unread for a place in the queue
        self._links, self._books, self._hub = links, books, hub
        self._outbox, self._receipts, self._react = outbox, receipts, react
        self._sequence = 0  # read so far
        self._heard = 0  # the same of what time alone decides
        self._round_s = links.monotonic()
        self._claims: list[bytes | None] = [None, None]  # the newest seen, and where the round through all of them is

    def acquaintances(self) -> Acquaintances:
        """Whose actions go first."""
        views = self._links.views()
        return Acquaintances(views, Circle.of(views) if self._links.circle is None else self._links.circle)

    async def take_in(self) -> Acquaintances | None:
        """New actions of the set, and what receipts say of the ones that wait; later, where the views lag.

        Returns who goes first, where the set had news.
        """
        if self._links.is_late():
            return None
        known = await self._read_on()
        views, waiting = self._links.views(), list(self._outbox.queue)
        if redeemed := self.settled.redeemed(views):
            await self._admit(redeemed)
        claims = self._some_claims(views)
        self.settled.own = await self._books.own(self.settled.named(waiting, views) | claims)
        reading = self.settled.read(waiting, claims, views)
        self.settled.watched(self._receipts.claim(reading.claims))
        for event in reading.events:
            await self._react(event)
        return known

    async def _read_on(self) -> Acquaintances | None:
        store, before = self._links.store, (self._sequence, self._heard)
        while said := await store.page_of_kinds(tuple(KINDS_SAID), self._heard, PAGE_ACTIONS):
            self.ends.hear([action for _, action in said], self._links.views())
            self._heard = said[-1][0]
        while has_room := self._outbox.room.has_for(RELAY_PAGE_ACTIONS, self._links.monotonic()):
            page = await store.page_of_names(self._sequence, RELAY_PAGE_ACTIONS)
            if not page:
                self._begin_round()
                break
            await self._admit([id_ for _, id_, kind in page if kind in KINDS_CARRIED])
            self._sequence = page[-1][0]
        is_full = not has_room and bool(await store.page_of_names(self._sequence, 1))
        self.trouble = "queue-full" if is_full else ""
        if (self._sequence, self._heard) == before:
            return None
        known = self.acquaintances()
        await self._react(ev.PeopleKnown(known))
        return known

    def _begin_round(self) -> None:
        """The end was reached: from the beginning again, where something was left out and time has passed."""
        now, is_short = self._links.monotonic(), self._outbox.room.is_short or self.settled.is_short
        if is_short and now - self._round_s >= RELAY_ROUND_S:
            self._round_s, self._sequence = now, 0
            self._outbox.room.begin_round()
            self.settled.begin_round()

    async def _admit(self, ids: Sequence[ActionId]) -> None:
        """Hand those that are open to the outbox, each with the time that it is left to the hubs which go first."""
        views = self._links.views()
        self.settled.own = await self._books.own(self.settled.named(ids, views))
        wanted = [id_ for id_ in ids if self.settled.is_open(id_, views) and id_ not in self._outbox.queue]
        actions = self.settled.admit(await self._links.store.get(wanted), views) if wanted else ()
        hubs = uplinks(views)
        leases: dict[float, list[Action]] = {}
        for action in actions:
            leases.setdefault(lease_s(action.id, self._hub, hubs), []).append(action)
        for seconds, leased in leases.items():
            await self._react(ev.ActionsAppended(tuple(leased), seconds))

    def _some_claims(self, views: Views) -> set[bytes]:
        """Claims that are new, and some of the others in turn."""
        found = set[bytes]()
        for turn, last in enumerate(self._claims):
            page = beyond(views.claims, last, RELAY_CLAIMS_PAGE)
            found.update(page)
            if page:
                self._claims[turn] = page[-1]
            elif turn:
                self._claims[turn] = None
        return found
