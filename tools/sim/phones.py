"""Phones and mules: who comes by a hub now and then, and may be gone in the middle of it.

The doors behind are real (`Putting` with its quotas, the pages of the set); the phone itself is a model of `hubd.phone`:
an outbox from which an action goes when two hubs acknowledged it, a place at each hub, everything durable in one step.
A mule is a phone or a stick that carries everything it meets. A contact may break between any two messages, so that what
was asked is done and the answer never comes; then it all happens again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from hubd.action.envelope import Action
from hubd.action.sip018 import ActionId
from hubd.limits import PHONE_ENVELOPES_MAX
from hubd.phone.outbox import ACKNOWLEDGED_BY_HUBS
from hubd.ports import Cursor, Door, Outcome, Verdict
from tools.sim import actions
from tools.sim.actions import Person
from tools.sim.clock import Clock, Signal, Wait
from tools.sim.hub import Hub

_COMMIT_S = 0.02  # of a phone's flash
_PATIENCE_S = 60.0  # with a hub that does not answer any more
_MESSAGE_S = 0.03  # one way, over a village's Wi-Fi


class Watcher(Protocol):
    """Who looks on."""

    def acknowledged(self, phone: "Phone", hub: Hub, action_id: ActionId) -> None:
        """This hub said OK to this action, and the phone knows it."""


@dataclass
class Item:
    """One action of an outbox."""

    action: Action
    raw: bytes
    hubs: set[int] = field(default_factory=set)


class Visitor:
    """What phones and mules share: a contact with one hub at a time, which may break, and a life that may end."""

    def __init__(self, clock: Clock, name: str, break_share: float) -> None:
        self.name = name
        self.places: dict[int, Cursor] = {}
        self.is_early = False  # plants the bug of a place that is kept before what leads to it
        self._clock = clock
        self._break_share = break_share
        self._lives = 0  # visits and empty batteries so far: whatever began before the latest is over
        self.is_busy = False

    def visit(self, hub: Hub) -> None:
        """Come by; nothing comes of it where the last contact is not over or the hub is off."""
        if self.is_busy or not hub.is_up:
            return
        self._lives += 1
        life, self.is_busy = self._lives, True
        self._clock.note(f"visit {self.name} {hub.number}")
        self._clock.spawn(self._contact(hub), lambda: self._lives == life)
        self._clock.after(_PATIENCE_S, self._leave, life)

    def die(self) -> None:
        """The battery is empty: what was not committed is gone, and the person switches it on again."""
        self._clock.note(f"die {self.name}")
        self._lives += 1
        self.is_busy = False

    def _leave(self, life: int) -> None:
        if life == self._lives and self.is_busy:
            self._lives += 1
            self.is_busy = False

    async def _contact(self, hub: Hub) -> None:
        await self._talk(hub)
        self.is_busy = False

    async def _talk(self, hub: Hub) -> None:
        raise NotImplementedError

    async def _ask(self, hub: Hub, work: Callable[[], Any]) -> Any:
        """One request and its answer; where the contact breaks, neither or only the request has arrived."""
        chance = self._clock.chance
        await Wait(_MESSAGE_S)
        answer = Signal(self._clock)
        is_broken = chance.random() < self._break_share
        if hub.is_up and not (is_broken and chance.random() < 0.5):
            hub.ask(work, Signal(self._clock) if is_broken else answer, _MESSAGE_S)
        return await answer  # never, where it broke: the visit ends when the person walks on

    async def _pull(self, hub: Hub, keep: Callable[[Sequence[Action]], None]) -> None:
        """Take what is new at this hub, page by page."""
        while True:
            place = self.places.get(hub.number)
            page, reached = await self._ask(hub, lambda place=place: hub.give(place, PHONE_ENVELOPES_MAX))
            if not page:
                return
            if self.is_early:
                self.places[hub.number] = reached
            await Wait(_COMMIT_S)
            keep(page)
            self.places[hub.number] = reached


class Phone(Visitor):
    """One person's phone. `reads` phones take the village's actions home, too."""

    def __init__(  # noqa: PLR0913  # options of one phone, each by name
        self,
        clock: Clock,
        person: Person,
        watcher: Watcher,
        *,
        break_share: float = 0.0,
        reads: bool = False,
        letters: int = 0,
    ) -> None:
        super().__init__(clock, person.name, break_share)
        self.person = person
        self.outbox: dict[ActionId, Item] = {}
        self.held: set[ActionId] = set()
        self.copies = ACKNOWLEDGED_BY_HUBS
        self._reads = reads
        self._letters = letters
        self._watcher = watcher

    def write(self) -> Action:
        """The person does something; the phone signs it."""
        raw = actions.made(self.person, len(self.outbox), self._clock.now, letters=self._letters)
        action = actions.parsed(raw)
        self.outbox[action.id] = Item(action, raw)
        self._clock.note(f"write {self.name} {action.id[:4].hex()}")
        return action

    def keeps(self, item: Item) -> bool:
        """Whether it still has to be brought somewhere."""
        return len(item.hubs) < self.copies

    async def _talk(self, hub: Hub) -> None:
        await self._bring(hub)
        if self._reads:
            await self._pull(hub, lambda page: self.held.update(action.id for action in page))

    async def _bring(self, hub: Hub) -> None:
        waiting = [item for item in self.outbox.values() if self.keeps(item) and hub.number not in item.hubs]
        for start in range(0, len(waiting), PHONE_ENVELOPES_MAX):
            batch = waiting[start : start + PHONE_ENVELOPES_MAX]
            raws = [item.raw for item in batch]
            outcomes: list[Outcome] = await self._ask(hub, lambda raws=raws: hub.take_in(raws, self.name))
            await Wait(_COMMIT_S)
            for item, outcome in zip(batch, outcomes, strict=True):
                if outcome.verdict is Verdict.OK:
                    item.hubs.add(hub.number)
                    self._watcher.acknowledged(self, hub, item.action.id)


class Mule(Visitor):
    """Carries between hubs that never meet: a stick, or a phone that takes post along. `bag` is in order of coming in."""

    def __init__(self, clock: Clock, name: str, *, break_share: float = 0.0, bag_max: int = 20_000) -> None:
        super().__init__(clock, name, break_share)
        self.bag: dict[ActionId, Action] = {}
        self._bag_max = bag_max
        self._given: dict[int, set[ActionId]] = {}

    async def _talk(self, hub: Hub) -> None:
        given = self._given.setdefault(hub.number, set())
        waiting = [action for id_, action in self.bag.items() if id_ not in given]
        for start in range(0, len(waiting), PHONE_ENVELOPES_MAX):
            part = waiting[start : start + PHONE_ENVELOPES_MAX]
            raws = [actions.bytes_of(action) for action in part]
            await self._ask(hub, lambda raws=raws: hub.intake.offer(raws, Door.BUNDLE))
            await Wait(_COMMIT_S)
            given.update(action.id for action in part)
        await self._pull(hub, lambda page: self._pack(given, page))

    def _pack(self, given: set[ActionId], page: Sequence[Action]) -> None:
        for action in page:
            given.add(action.id)
            self.bag.setdefault(action.id, action)
        while len(self.bag) > self._bag_max:
            self.bag.pop(next(iter(self.bag)))
