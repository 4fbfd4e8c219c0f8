"""A hub's phone door for tests: real store, real intake, real door, in process. The views are the fold's own.

async with phone_hub(tmp_path) as hub:
    answer = await hub.http.get("/v1/status")
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from builders import Village

from hubd.action import cbor, charter, envelope
from hubd.action.envelope import Action
from hubd.action.principal import Principal
from hubd.fold.folder import Folder
from hubd.intake import SetIntake
from hubd.phone.phone import Phone
from hubd.ports import Door
from hubd.store.actions import Store
from hubd.web.door import PhoneDoor, Ports
from hubd.web.http import build
from hubd.web.proofs import authorize, request_digest
from hubd.web.server import PhoneServer
from hubd.web.standing import ViewsStanding

_READER = "test-reader"


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class PhoneHub:
    """One hub, seen from its phones' side."""

    village: Village
    name: str
    store: Store
    intake: SetIntake
    folder: Folder
    door: PhoneDoor
    app: Any
    http: httpx.AsyncClient
    clock: Clock

    async def take(self, *actions: Action) -> None:
        """Put actions into the set as if a neighbour hub had brought them."""
        await self.intake.offer([envelope.encode(action) for action in actions], Door.PEER)

    async def challenge(self) -> bytes:
        return cbor.decode((await self.http.get("/v1/challenge")).content)[0]

    async def auth(self, person: str) -> dict[str, str]:
        """Headers by which `http` proves a person's key for the request that carries them."""
        return {_READER: f"{person}/{(await self.challenge()).hex()}/{self.door.hub.hex()}"}

    async def sign(self, request: httpx.Request) -> None:
        """Put the proof in the place of such headers."""
        if reader := request.headers.pop(_READER, None):
            person, challenge, hub = reader.split("/")
            question = request_digest(request.method, request.url.raw_path, await request.aread())
            signer = self.village.signer(person)
            given = authorize(
                signer, self.village.charter, Principal(bytes.fromhex(hub)), bytes.fromhex(challenge), question
            )
            request.headers["Authorization"] = given.header()

    async def post(self, *actions: Action | bytes) -> list[list[Any]]:
        raws = [action if isinstance(action, bytes) else envelope.encode(action) for action in actions]
        answer = await self.http.post("/v1/actions", content=cbor.encode(raws))
        assert answer.status_code == 200, answer.content
        return cbor.decode(answer.content, bytes_max=1 << 20, items_max=4096)

    async def read(self, person: str | None = None, **query: str) -> list[Action]:
        """Every action that a person (None: a stranger) sees, page by page."""
        found: list[Action] = []
        headers = await self.auth(person) if person else {}
        while True:
            answer = await self.http.get("/v1/actions", params=query, headers=headers)
            assert answer.status_code == 200, cbor.decode(answer.content)
            envelopes, query["after"], more = cbor.decode(answer.content, bytes_max=1 << 20, items_max=4096)
            found += [envelope.parse(raw, self.village.domain) for raw in envelopes]
            if not more:
                return found


@asynccontextmanager
async def phone_hub(directory: Path, village: Village | None = None, name: str = "hub-a") -> AsyncIterator[PhoneHub]:
    """A hub that is admitted by its village's stewards."""
    village = village or Village(1)
    store = await Store.open(directory / name, village.domain)
    intake = SetIntake(store, village.domain)
    folder = Folder(village.charter)
    clock = Clock()
    door = PhoneDoor(
        Ports(
            store=store,
            intake=intake,
            standing=ViewsStanding(lambda: folder.views),
            signer=village.signer(name),
            charter=village.charter,
            charter_file=charter.write(village.charter),
            clock=clock,
            name=name,
        )
    )

    def learn(actions: list[Action], _door: Any, _source: bytes) -> None:
        folder.append(actions)
        door.notify(actions)

    intake.listeners.append(learn)
    store.gain_listeners.append(door.gained)
    app = build(door)
    transport = httpx.ASGITransport(app)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as http:
            hub = PhoneHub(village, name, store, intake, folder, door, app, http, clock)
            http.event_hooks = {"request": [hub.sign]}
            await hub.take(*village.found(name))
            yield hub
    finally:
        await store.close()


@asynccontextmanager
async def peopled_hub(directory: Path) -> AsyncIterator[PhoneHub]:
    """Such a hub, at which Ana is at home; Bo's home is another. A steward vouches for both."""
    async with phone_hub(directory) as hub:
        village = hub.village
        await hub.take(village.register("ana", home="hub-a"), village.register("bo", home="hub-b"))
        await hub.take(village.vouch("steward-1", "ana", 4), village.vouch("steward-1", "bo", 4))
        yield hub


@asynccontextmanager
async def served(hub: PhoneHub, **settings: Any) -> AsyncIterator[str]:
    """The hub's application on a real socket of this machine; gives its base URL."""
    server = PhoneServer(hub.app, "127.0.0.1", 0, **settings)
    task = asyncio.create_task(server.run())
    try:
        yield f"{'https' if server.certificate else 'http'}://127.0.0.1:{server.port}"
    finally:
        task.cancel()
        await asyncio.wait([task])


def principal(village: Village, name: str) -> Principal:
    return village.principal(name)


@asynccontextmanager
async def phone_of(directory: Path, village: Village, name: str = "amina") -> AsyncIterator[Phone]:
    """A native phone of the village, nobody registered on it yet."""
    phone = await Phone.create(directory / name, charter.write(village.charter))
    try:
        yield phone
    finally:
        await phone.close()


def said(answer: Any) -> Any:
    """What an answer over HTTP says."""
    return cbor.decode(answer.content, bytes_max=1 << 20, items_max=4_096)


async def populate(hub: PhoneHub) -> dict[str, Any]:
    """Ana and Tomas at home here, Bo at another hub; a lesson of Ana and Tomas, and one of Bo and Tomas."""
    village = hub.village
    acts = {
        "ana": village.register("ana", home="hub-a"),
        "tomas": village.register("tomas"),
        "bo": village.register("bo", home="hub-b"),
        "lesson": village.book("ana", "tomas"),
        "bo's": village.book("bo", "tomas"),
        "receipt": village.receipt("hub-a", []),
        "ana's vouch": village.vouch("steward-1", "ana", 4),
        "tomas's vouch": village.vouch("bo", "tomas"),
    }
    await hub.take(*acts.values())
    return acts
