"""Links without sockets: real `Link`s, channels and intakes over sets in memory. Time, card and wire are a test's."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from builders import Village
from twins import MemoryStore

from hubd.action.envelope import Action, encode
from hubd.action.principal import Principal
from hubd.errors import LocalError
from hubd.gossip.channel import Channel
from hubd.gossip.link import Link, LinkConfig
from hubd.gossip.peer import InEvent, LinkLost, Member, Side, key_tag
from hubd.intake import SetIntake
from hubd.ports import Door

VILLAGE = Village(seed=8)
TURNS = 60  # of the event loop: whatever waits for nothing but its turn is done


async def turns(count: int = TURNS) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


class Card:
    """A store that answers late while it is held, and not at all while it is broken."""

    def __init__(self, actions: Sequence[Action]) -> None:
        self.whole = MemoryStore(actions)
        self.epoch, self.gain_listeners = self.whole.epoch, self.whole.gain_listeners
        self.code = ""  # of the fault that it has now
        self.is_held = False
        self.faults: Callable[[], str] | None = None  # asked before each answer, for the fault that it has
        self._waiting: list[asyncio.Future[None]] = []

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.whole, name)

        async def in_its_turn(*arguments: Any) -> Any:
            if self.is_held:
                self._waiting.append(asyncio.get_running_loop().create_future())
                await self._waiting[-1]
            await asyncio.sleep(0)
            code = self.faults() if self.faults is not None else self.code
            if code:
                raise LocalError(code, "injected")
            return await method(*arguments)

        return in_its_turn

    @property
    def is_waited_for(self) -> bool:
        """Somebody waits for an answer."""
        return bool(self._waiting)

    def let_go(self, at: int) -> None:
        """One of those who wait has its answer, in any order."""
        if self._waiting:
            self._waiting.pop(at % len(self._waiting)).set_result(None)

    def heal(self) -> None:
        self.code, self.is_held = "", False
        while self._waiting:
            self.let_go(0)


class Wire:
    """In place of the dialler or the acceptor: keeps what is said, and knows no addresses."""

    listener = None

    def __init__(self, house: "House", side: Side) -> None:
        self._house = house
        self._side = side

    def dial(self, *_: object) -> None:
        raise AssertionError("no addresses are known")

    def hang_up(self, hub: Principal) -> None:
        channel = self._house.board.get(hub, self._side)
        if channel is not None:
            self._house.board.drop(hub, self._side, channel)


class House(Link):
    """One hub's link, with one neighbour. `said` is what it sent; `failures` would have stopped it."""

    def __init__(self, name: str, neighbour: str, actions: Sequence[Action]) -> None:
        self.card = Card(actions)
        self.time = 1_000.0
        self.said: deque[bytes] = deque()
        self.tasks: set[asyncio.Task[None]] = set()
        self.failures: list[BaseException] = []
        self.heard: list[InEvent] = []
        self.neighbour = VILLAGE.principal(neighbour)
        self._sleeping: list[tuple[float, asyncio.Future[None]]] = []
        members = [Member(VILLAGE.principal(hub), key_tag(hub.encode())) for hub in (name, neighbour)]
        super().__init__(
            store=self.card,
            intake=SetIntake(self.card, VILLAGE.domain),
            members=lambda: members,
            domain=VILLAGE.domain,
            hub=VILLAGE.principal(name),
            curve_secret=bytes(range(32)),
            clock=lambda: self.time,
            config=LinkConfig(interval_s=30.0),
        )
        self.intake.listeners.append(lambda fresh, _door, source: self.notify(fresh, source))
        self.card.gain_listeners.append(self.gained)
        self.board, self.peers = self._board, self._peers.peers
        self._peers._chance = lambda: 0.5
        self._group = asyncio.TaskGroup()  # never entered: `spawn` is told here
        self._dialler, self._acceptor = Wire(self, Side.DIALLED), Wire(self, Side.ACCEPTED)
        self._refresh()

    def open(self, side: Side) -> Channel:
        def lost(reason: str) -> None:
            self.board.drop(self.neighbour, side, channel)
            self.report(LinkLost(self.neighbour, side, reason))

        def send(raw: bytes) -> str:
            self.said.append(raw)
            return ""

        channel = self.board.connect(self.neighbour, side, send, lost)
        return channel

    def cut(self, side: Side) -> None:
        channel = self.board.get(self.neighbour, side)
        if channel is not None:
            self.board.drop(self.neighbour, side, channel)
            self.report(LinkLost(self.neighbour, side, "cut"))
        self.said.clear()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.failures.append(task.exception())

    def report(self, event: InEvent) -> None:
        self.heard.append(event)
        super().report(event)

    def _wake_at(self, due_at: float) -> None:
        """`pass_time` looks often enough."""

    async def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self._sleeping.append((self.time + seconds, asyncio.get_running_loop().create_future()))
            await self._sleeping[-1][1]

    def pass_time(self, seconds: float) -> None:
        self.time += seconds
        for due, rest in [each for each in self._sleeping if each[0] <= self.time]:
            self._sleeping.remove((due, rest))
            rest.set_result(None)
        self._tick()

    async def offer(self, *actions: Action) -> None:
        await self.intake.offer([encode(action) for action in actions], Door.OWN)


class Pair:
    """Two houses and the wire between them: the first one dialled."""

    def __init__(self, first: House, second: House) -> None:
        self.first, self.second = first, second
        second.time = first.time
        self.channels = (first.open(Side.DIALLED), second.open(Side.ACCEPTED))

    def deliver(self) -> bool:
        """All that is on its way; whether there was anything."""
        is_any = False
        for sender, channel in ((self.first, self.channels[1]), (self.second, self.channels[0])):
            for _ in range(len(sender.said)):
                is_any = True
                channel.take(sender.said.popleft())
        return is_any

    async def go_on(self, steps: int = 0, step_s: float = 1.0) -> None:
        """Let so much time pass, and everything be done that can be."""
        for step in range(steps + 1):
            if step:
                self.first.pass_time(step_s)
                self.second.pass_time(step_s)
            await turns()
            while self.deliver():
                await turns()

    async def is_whole(self) -> bool:
        """Both sets are one, and no content is missing."""
        ours, theirs = [await house.card.whole.summary() for house in (self.first, self.second)]
        return (ours.fingerprint, ours.lacking, theirs.lacking) == (theirs.fingerprint, 0, 0)

    async def until_whole(self, steps_max: int, step_s: float = 1.0) -> None:
        for _ in range(steps_max):
            await self.go_on(1, step_s)
            if await self.is_whole():
                return
        summaries = [await house.card.whole.summary() for house in (self.first, self.second)]
        raise AssertionError(f"they do not become one: {summaries}")
