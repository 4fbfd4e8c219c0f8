"""Links over real sockets and real CURVE, over every store: what two and three hubs do to each other."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from builders import Village
from twins import MemoryStore

from hubd.action.envelope import Action, encode
from hubd.gossip import sockets
from hubd.gossip.link import Link, LinkConfig
from hubd.gossip.peer import Member
from hubd.gossip.sockets import CurveKeys, curve_keypair
from hubd.intake import SetIntake
from hubd.ports import Door
from hubd.store.actions import Store

SOON_S = 10.0
VILLAGE = Village(seed=5)


@dataclass
class Hub:
    """One hub in this process: a real link over a real intake."""

    name: str
    keys: CurveKeys
    store: Any
    members: dict[str, Member]
    interval_s: float = 0.2
    link: Link = field(init=False)
    intake: SetIntake = field(init=False)
    running: "asyncio.Task[None] | None" = None

    def __post_init__(self) -> None:
        self.principal = VILLAGE.principal(self.name)
        self.intake = SetIntake(self.store, VILLAGE.domain)
        self.make_link()
        self.intake.listeners.append(lambda fresh, _door, source: self.link.notify(fresh, source))

    def make_link(self, port: int = 0) -> None:
        self.link = Link(
            store=self.store,
            intake=self.intake,
            members=lambda: list(self.members.values()),
            domain=VILLAGE.domain,
            hub=self.principal,
            curve_secret=self.keys.secret,
            clock=time.monotonic,
            config=LinkConfig(host="127.0.0.1", port=port, interval_s=self.interval_s),
        )

    async def start(self) -> None:
        self.running = asyncio.create_task(self.link.run())
        await until(lambda: self.link.port or self.running.done())
        if self.running.done():
            self.running.result()

    async def stop(self) -> None:
        if self.running is not None:
            self.running.cancel()
            with suppress(asyncio.CancelledError):
                await self.running

    async def offer(self, actions: list[Action], door: Door = Door.OWN) -> None:
        await self.intake.offer([encode(action) for action in actions], door)

    async def summary(self) -> tuple[int, bytes]:
        found = await self.store.summary()
        return found.count, found.fingerprint

    def proven(self) -> int:
        return self.link.counters["proven"]


async def until(condition: Callable[[], Any], within_s: float = SOON_S) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


async def equal(*hubs: Hub, count: int | None = None, within_s: float = SOON_S) -> None:
    """Wait until all hubs hold the same set, of `count` actions if given."""
    deadline = time.monotonic() + within_s
    while True:
        found = [await hub.summary() for hub in hubs]
        if len(set(found)) == 1 and count in (None, found[0][0]):
            return
        assert time.monotonic() < deadline, [summary[0] for summary in found]
        await asyncio.sleep(0.02)


class Mesh:
    """Hubs that may be admitted to each other; `connect` tells one the address of another."""

    def __init__(self, make_store: Callable[[str], Any]) -> None:
        self.make_store = make_store
        self.hubs: dict[str, Hub] = {}

    async def hub(self, name: str, **options: Any) -> Hub:
        self.hubs[name] = Hub(name, curve_keypair(), await self.make_store(name), {}, **options)
        return self.hubs[name]

    def admit(self, *names: str) -> None:
        """These know each other as admitted; nobody else is."""
        members = {name: Member(hub.principal, hub.keys.public, (), name) for name, hub in self.hubs.items()}
        for name in names:
            for other in names:
                self.hubs[name].members.setdefault(other, members[other])

    def connect(self, dialler: Hub, dialled: Hub, port: int | None = None) -> None:
        known = dialler.members[dialled.name]
        address = f"127.0.0.1:{port or dialled.link.port}"
        dialler.members[dialled.name] = Member(known.hub, known.curve_key, (address,), known.name)


@pytest.fixture(params=["memory", "sqlite"])
async def mesh(request: Any, tmp_path: Any) -> AsyncIterator[Mesh]:
    opened = []

    async def make_store(name: str) -> Any:
        if request.param == "memory":
            return MemoryStore()
        opened.append(await Store.open(tmp_path / name, VILLAGE.domain))
        return opened[-1]

    mesh = Mesh(make_store)
    yield mesh
    for hub in mesh.hubs.values():
        await hub.stop()
    for store in opened:
        await store.close()


def registrations(names: str, count: int) -> list[Action]:
    return [VILLAGE.register(f"{names}-{number}") for number in range(count)]


async def test_two_hubs_with_different_sets_end_with_one_and_the_proof_of_it(mesh: Mesh) -> None:
    a, b = await mesh.hub("a"), await mesh.hub("b")
    mesh.admit("a", "b")
    shared = registrations("both", 40)
    await a.offer(shared + registrations("a", 70))
    await b.offer(shared + registrations("b", 90))
    await b.start()
    mesh.connect(a, b)
    await a.start()
    await equal(a, b, count=200)
    await until(lambda: a.proven() and b.proven())
    assert [peer.state for peer in a.link.status()] == ["connected"]
    assert a.link.status()[0].last_code == ""


async def test_an_empty_hub_is_filled_whichever_side_dials(mesh: Mesh) -> None:
    a, b, c = await mesh.hub("a"), await mesh.hub("b"), await mesh.hub("c")
    mesh.admit("a", "b", "c")
    await b.offer(registrations("b", 300))
    await b.start()
    await c.start()
    mesh.connect(a, b)
    mesh.connect(b, c)
    await a.start()
    await equal(a, b, c, count=300)
