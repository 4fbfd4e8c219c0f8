"""Two hubs for tests of post: real stores, real intakes, real offices, in process, with no link between them."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import nacl.public
from builders import Village

from hubd.action import charter, envelope
from hubd.action.envelope import Action
from hubd.fold.folder import Folder
from hubd.intake import SetIntake
from hubd.limits import PHONE_MESSAGE_BYTES_MAX
from hubd.phone.http_link import HttpLink
from hubd.phone.socket_link import SocketLink
from hubd.ports import Door, Outcome
from hubd.post.bundle import Reader, Report, Writer
from hubd.post.desk import PocketDesk
from hubd.post.exchange import Exchange, Visit
from hubd.post.office import PostOffice, PostPorts, Tally
from hubd.post.stick import FOLDER, Stick
from hubd.post.thread import Patience
from hubd.post.writing import Writing
from hubd.store.actions import Store
from hubd.web.conversation import Conversation
from hubd.web.door import PhoneDoor, Ports
from hubd.web.http import build
from hubd.web.putting import Putting
from hubd.web.standing import ViewsStanding


def box_of(name: str) -> nacl.public.PrivateKey:
    return nacl.public.PrivateKey(hashlib.sha256(f"box secret {name}".encode()).digest())


def found(village: Village, name: str) -> list[Action]:
    """A hub's announcement with its real box key, and its admission."""
    return village.found(name, box=bytes(box_of(name).public_key))


_READ = {"accept": "application/cbor", "accept-encoding": "identity"}


def door_of(hub: "PostHub") -> PhoneDoor:
    return PhoneDoor(
        Ports(
            store=hub.store,
            intake=hub.intake,
            standing=hub.standing,
            signer=hub.village.signer(hub.name),
            charter=hub.village.charter,
            charter_file=charter.write(hub.village.charter),
            clock=lambda: hub.now,
            name=hub.name,
            desk=PocketDesk(hub.office),
        )
    )


@asynccontextmanager
async def carried_between(hub: "PostHub") -> AsyncIterator[HttpLink]:
    """A phone's link to the hub's door, in process, over HTTP."""
    transport = httpx.ASGITransport(build(door_of(hub)))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test", headers=_READ) as client:
        yield HttpLink(client, hub.village.charter)


class _End:
    """One end of a socket in memory."""

    def __init__(self, coming: asyncio.Queue[bytes | None], going: asyncio.Queue[bytes | None]) -> None:
        self._coming, self._going = coming, going

    async def receive(self) -> bytes | None:
        return await self._coming.get()

    async def send(self, message: bytes) -> None:
        assert len(message) <= PHONE_MESSAGE_BYTES_MAX
        await self._going.put(message)

    async def close(self) -> None:
        await self._going.put(None)


@asynccontextmanager
async def carried_by_socket(hub: "PostHub", door: PhoneDoor | None = None) -> AsyncIterator[SocketLink]:
    """The same over messages, whoever dialled."""
    up, down = asyncio.Queue[bytes | None](), asyncio.Queue[bytes | None]()
    talk = asyncio.create_task(Conversation(door or door_of(hub), _End(up, down), "").run())
    yield SocketLink(_End(down, up), hub.village.charter)
    up.put_nowait(None)
    await talk


@dataclass
class PostHub:
    """One hub, as far as post goes."""

    village: Village
    name: str
    store: Store
    intake: SetIntake
    folder: Folder
    office: PostOffice
    standing: ViewsStanding
    now: float = 1_000.0

    async def take(self, *actions: Action) -> None:
        await self.intake.offer([envelope.encode(action) for action in actions], Door.PEER)

    async def bundle(self, since: int = 0, room_bytes: int = 1 << 30) -> tuple[bytes, Writing]:
        writing = Writing(Writer(await self.office.seal()), since, room_bytes)
        pieces = [piece async for piece in writing.pieces(self.office.page, self.office.urgent_page)]
        return b"".join(pieces), writing

    async def read(self, raw: bytes) -> tuple[Tally, Report]:
        reader, tally = Reader(self.office.charter, self.office.box_key, self.office.unseal), Tally()
        for opened in reader.feed(raw) + reader.end():
            tally.add(await self.office.take(opened))
        if reader.wants_again:
            reader.again()
            for opened in reader.feed(raw) + reader.end():
                tally.add(await self.office.take(opened))
        await self.office.settle()
        return tally, reader.report

    async def proof(self) -> tuple[int, bytes]:
        summary = await self.store.summary()
        return summary.count, summary.fingerprint


@asynccontextmanager
async def post_hub(
    directory: Path, village: Village, name: str, knows: Sequence[Action] = ()
) -> AsyncIterator[PostHub]:
    """A hub with its folder; opened again, it goes on with what it had."""
    store = await Store.open(directory / name, village.domain)
    try:
        intake, folder = SetIntake(store, village.domain), Folder(village.charter)
        for _, action in await store.page(0, 10_000):
            folder.append([action])
        intake.listeners.append(lambda actions, _door, _source: folder.append(actions))
        standing = ViewsStanding(lambda: folder.views)
        putting = Putting(store, intake, standing, village.charter, lambda: 1_000.0, door=Door.BUNDLE)

        async def strangers(envelopes: Sequence[bytes]) -> list[Outcome]:
            return await putting.put(envelopes, "post")

        office = PostOffice(
            PostPorts(
                store=store,
                intake=intake,
                strangers=strangers,
                boxes=lambda: {each: folder.views.hubs[each].box for each in folder.views.mesh.hubs},
                signer=village.signer(name),
                box=box_of(name),
                charter=village.charter,
                path=directory / name / "post.cbor",
            )
        )
        await office.load()
        hub = PostHub(village, name, store, intake, folder, office, standing)
        await hub.take(*knows)
        yield hub
    finally:
        await store.close()


@asynccontextmanager
async def hubs(directory: Path, *names: str, village: Village | None = None) -> AsyncIterator[list[PostHub]]:
    """Hubs that know each other from the beginning, and never meet."""
    village = village or Village(1)
    founding = [action for name in names for action in found(village, name)]
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(post_hub(directory, village, name, founding)) for name in names]


async def plug(hub: "PostHub", place: Path, bytes_max: int = 1 << 30) -> Visit:
    """One visit to a stick."""
    place.mkdir(exist_ok=True)
    patience = Patience(20)
    stick = Stick.open(place)
    assert stick is not None
    try:
        names = {hub.village.principal(name): name for name in ("hub-a", "hub-b", "hub-c")}
        return await Exchange(hub.office, stick, patience, bytes_max, lambda each: names.get(each, "?")).run()
    finally:
        stick.close()
        patience.stop()


def words(place: Path) -> str:
    """What RECEIPT.txt on a stick says."""
    return (place / FOLDER / "RECEIPT.txt").read_text()
