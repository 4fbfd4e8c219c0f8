"""Several hubs' links in one process over real sockets and real CURVE, and a wire between them that a test can cut."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from builders import Village

from hubd.action.envelope import Action, encode
from hubd.action.sip018 import Domain
from hubd.gossip.link import Link, LinkConfig
from hubd.gossip.peer import Member
from hubd.gossip.sockets import CurveKeys, curve_keypair
from hubd.intake import SetIntake
from hubd.ports import Door

SOON_S = 15.0
VILLAGE = Village(seed=5)


async def until(condition: Callable[[], Any], within_s: float = SOON_S) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


def registrations(names: str, count: int) -> list[Action]:
    return [VILLAGE.register(f"{names}-{number}") for number in range(count)]


@dataclass
class Hub:
    """A real link over a real intake, and a member list of its own."""

    name: str
    store: Any
    keys: CurveKeys = field(default_factory=curve_keypair)
    members: dict[str, Member] = field(default_factory=dict)
    peers: tuple[str, ...] = ()
    interval_s: float = 0.2
    port: int = 0
    host: str = "127.0.0.1"
    domain: Domain = VILLAGE.domain
    doubts: int = 0  # sessions that hinted at rot

    def __post_init__(self) -> None:
        self.principal = VILLAGE.principal(self.name)
        self.intake = SetIntake(self.store, VILLAGE.domain)
        self.intake.listeners.append(lambda fresh, _door, source: self.link.notify(fresh, source))
        self.store.gain_listeners.append(self._gained)
        self.running: asyncio.Task[None] | None = None
        self.link = self._link()

    def _link(self) -> Link:
        return Link(
            store=self.store,
            intake=self.intake,
            members=lambda: list(self.members.values()),
            domain=self.domain,
            hub=self.principal,
            curve_secret=self.keys.secret,
            clock=time.monotonic,
            config=LinkConfig(self.host, self.port, self.peers, self.interval_s),
            doubted=self._doubt,
        )

    def _gained(self, news: Sequence[Action], source: bytes) -> None:
        self.link.gained(news, source)

    def _doubt(self) -> None:
        self.doubts += 1

    async def start(self) -> None:
        self.link = self._link()
        self.running = asyncio.create_task(self.link.run())
        await until(lambda: self.link.port or self.running.done())
        if self.running.done():
            self.running.result()

    async def stop(self) -> None:
        if self.running is not None:
            self.running.cancel()
            with suppress(asyncio.CancelledError):
                await self.running
            self.running = None

    async def offer(self, actions: list[Action]) -> None:
        await self.intake.offer([encode(action) for action in actions], Door.OWN)

    async def summary(self) -> tuple[int, bytes]:
        found = await self.store.summary()
        return found.count, found.fingerprint

    def state(self, other: "Hub") -> str:
        return next((status.state for status in self.link.status() if status.hub == other.principal), "unknown")

    def address(self) -> str:
        return f"127.0.0.1:{self.link.port}"

    @property
    def proven(self) -> int:
        return self.link.counters["proven"]


class Mesh:
    """Hubs by name. Who is admitted, and at which address, each hub knows for itself."""

    def __init__(self, make_store: Callable[[str], Awaitable[Any]]) -> None:
        self._make_store = make_store
        self.hubs: dict[str, Hub] = {}

    async def hub(self, name: str, **options: Any) -> Hub:
        self.hubs[name] = Hub(name, await self._make_store(name), **options)
        return self.hubs[name]

    async def hubs_that_know_each_other(self, *names: str, **options: Any) -> list[Hub]:
        made = [await self.hub(name, **options) for name in names]
        for one in made:
            for other in made:
                one.members[other.name] = Member(other.principal, other.keys.public, (), other.name)
        return made

    async def start(self, *hubs: Hub) -> None:
        for hub in hubs:
            await hub.start()

    async def stop(self) -> None:
        for hub in self.hubs.values():
            await hub.stop()


def tell_address(dialler: Hub, dialled: Hub, address: str = "") -> None:
    """From now on the dialler knows where the other is."""
    known = dialler.members[dialled.name]
    dialler.members[dialled.name] = Member(known.hub, known.curve_key, (address or dialled.address(),), known.name)


async def are_equal(*hubs: Hub, count: int, within_s: float = SOON_S) -> None:
    """Wait until all hubs hold the same set of `count` actions."""
    deadline = time.monotonic() + within_s
    while True:
        found = [await hub.summary() for hub in hubs]
        if len(set(found)) == 1 and found[0][0] == count:
            return
        assert time.monotonic() < deadline, [summary[0] for summary in found]
        await asyncio.sleep(0.02)


class Cable:
    """A TCP relay to one port: it can be cut (connections end), stalled (nothing more passes) and mended."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._server: asyncio.Server | None = None
        self._streams: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.is_whole = True
        self.bytes_left: int | None = None  # it cuts itself when so many bytes have passed
        self.passed_bytes = 0  # both ways
        self.flows = asyncio.Event()
        self.flows.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def address(self) -> str:
        assert self._server is not None
        return f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def cut(self) -> None:
        self.is_whole = False
        for writer in self._streams:
            writer.transport.abort()
        self._streams.clear()

    def mend(self) -> None:
        self.is_whole = True
        self.bytes_left = None
        self.flows.set()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.is_whole:
            writer.transport.abort()
            return
        with suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
            self._streams += [writer, far_writer]
            for source, target in ((reader, far_writer), (far_reader, writer)):
                task = asyncio.create_task(self._pump(source, target))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while raw := await reader.read(4_096):
                await self.flows.wait()
                self.passed_bytes += len(raw)
                if self.bytes_left is not None:
                    self.bytes_left -= len(raw)
                    if self.bytes_left < 0:
                        self.cut()
                        return
                writer.write(raw)
                await writer.drain()
        writer.transport.abort()
