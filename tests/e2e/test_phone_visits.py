"""A phone that a hub found and dials, and what fakes, floods and stalling callers cost either side."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from builders import Village
from phone_hubs import PhoneHub, phone_hub, phone_of
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import WebSocketException

from hubd.action import envelope
from hubd.errors import RemoteError
from hubd.limits import VISITS_REMEMBERED_MAX
from hubd.phone.phone import Phone
from hubd.phone.serve import VisitedPhone
from hubd.phone.sync import SyncReport
from hubd.ports import Door
from hubd.web import visit
from hubd.web.client import dial
from hubd.web.visit import Visitor

Told = list[SyncReport | RemoteError]


@asynccontextmanager
async def visited(phone: Phone, told: Callable[[SyncReport | RemoteError], None]) -> AsyncIterator[int]:
    server = VisitedPhone(phone, "127.0.0.1", 0, told)
    task = asyncio.create_task(server.run())
    try:
        yield server.port
    finally:
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def found(directory: Path) -> AsyncIterator[tuple[PhoneHub, Phone, int, Told]]:
    """A hub, a phone that waits to be found, its port, and what it is told of visits."""
    village, told = Village(1), Told()
    async with (
        phone_hub(directory, village) as hub,
        phone_of(directory, village) as phone,
        visited(phone, told.append) as port,
    ):
        yield hub, phone, port, told


@asynccontextmanager
async def visiting(visitor: Visitor) -> AsyncIterator[None]:
    """Its rounds, meanwhile."""
    running = asyncio.create_task(visitor.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])


async def test_a_phone_that_was_found_syncs_unasked(tmp_path: Path) -> None:
    async with found(tmp_path) as (hub, phone, port, told):
        await hub.take(hub.village.register("ben"), hub.village.request("ben"))
        await phone.register("Amina", 1)
        visitor = Visitor(hub.door, pause_s=0.05)
        visitor.seen("127.0.0.1", port)
        async with visiting(visitor):
            async with asyncio.timeout(5):
                while len(told) < 1:
                    await asyncio.sleep(0.05)
                    hub.clock.now += 1
            assert isinstance(told[0], SyncReport)
            assert (told[0].acknowledged, told[0].received) == (1, 1)
            await hub.take(hub.village.vouch("steward-1", phone.principal, 4))
            late = hub.village.request("ben")
            await hub.take(late)
            async with asyncio.timeout(5):
                while late.id not in phone.views.requests or hub.door.counters["visit:ok"] < 2:
                    await asyncio.sleep(0.05)
                    hub.clock.now += 1
        assert (await phone._replica.store.summary()).fingerprint == (await hub.store.summary()).fingerprint


async def test_a_visitor_that_is_no_admitted_hub_learns_nothing(tmp_path: Path) -> None:
    async with found(tmp_path) as (hub, phone, port, told):
        action = await phone.register("Amina", 1)
        await hub.take(hub.village.retire("steward-1", (await hub.read(area="mesh"))[1]))
        await Visitor(hub.door).visit("127.0.0.1", port)
        assert isinstance(told[0], RemoteError)
        assert told[0].code == "hub-not-admitted"
        assert not await hub.store.get([action.id])


async def test_a_visited_phone_reconciles_with_a_hub_that_lost_its_database(tmp_path: Path) -> None:
    village = Village(1)
    told: Told = []
    async with phone_of(tmp_path, village) as phone, visited(phone, told.append) as port:
        registered = await phone.register("Amina", 1)
        async with phone_hub(tmp_path, village) as hub:
            await Visitor(hub.door).visit("127.0.0.1", port)
        shutil.rmtree(tmp_path / "hub-a")
        async with phone_hub(tmp_path, village) as hub:
            await hub.intake.offer([envelope.encode(registered)], Door.PEER)
            await hub.take(village.register("ben"))
            request = await phone.do("request-open", subjects="reading", ceiling="5")
            await Visitor(hub.door).visit("127.0.0.1", port)
            assert isinstance(told[-1], SyncReport), told[-1]
            assert told[-1].reconciled
            assert await hub.store.get([request.id])
            assert (await phone._replica.store.summary()).count >= (await hub.store.summary()).count


@asynccontextmanager
async def fakes(count: int) -> AsyncIterator[list[int]]:
    """Ports where something opens a socket and then says nothing."""
    stalled: list[Any] = []

    async def stall(socket: Any) -> None:
        stalled.append(socket)
        await socket.wait_closed()

    async with AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(serve(stall, "127.0.0.1", 0, subprotocols=["hubd.v1"]))
            for _ in range(count)
        ]
        yield [next(iter(server.sockets)).getsockname()[1] for server in servers]


async def test_stalling_fakes_hold_up_a_phone_for_a_few_turns_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visit, "VISIT_PROOF_S", 0.3)
    async with (
        found(tmp_path) as (hub, phone, port, told),
        fakes(8) as ports,
    ):
        await phone.register("Amina", 1)
        visitor = Visitor(hub.door, pause_s=0.05)
        for fake in ports:
            visitor.seen("127.0.0.1", fake)
        visitor.seen("127.0.0.1", port)
        async with visiting(visitor), asyncio.timeout(10):
            while len(told) < 2:  # the second time before fakes that wait as long
                await asyncio.sleep(0.05)
                hub.clock.now += 0.05
        assert all(isinstance(report, SyncReport) for report in told)
        assert hub.door.counters["visit:failed"] > 0


async def test_a_flood_of_places_drives_out_no_phone_that_has_proven_its_key(tmp_path: Path) -> None:
    async with found(tmp_path) as (hub, phone, port, _):
        await phone.register("Amina", 1)
        visitor = Visitor(hub.door, pause_s=0.05)
        visitor.seen("127.0.0.1", port)
        await visitor._call_on("127.0.0.1", port, visitor._candidates["127.0.0.1", port])
        for fake in range(1, 200):
            visitor.seen("127.0.0.1", fake)
            if fake < 70 and ("127.0.0.1", fake) in visitor._candidates:
                await visitor._call_on("127.0.0.1", fake, visitor._candidates["127.0.0.1", fake])
        assert len(visitor._candidates) == VISITS_REMEMBERED_MAX
        assert visitor._candidates["127.0.0.1", port].is_proven


async def test_who_dials_a_waiting_phone_and_stalls_holds_up_no_hub(tmp_path: Path) -> None:
    async with (
        found(tmp_path) as (hub, phone, port, told),
        dial(f"ws://127.0.0.1:{port}/v1/visit"),
        dial(f"ws://127.0.0.1:{port}/v1/visit"),
    ):
        await phone.register("Amina", 1)
        async with asyncio.timeout(3):
            assert await Visitor(hub.door).visit("127.0.0.1", port)
        assert isinstance(told[0], SyncReport)


async def test_places_where_no_phone_is_are_forgotten(tmp_path: Path) -> None:
    async with phone_hub(tmp_path) as hub:
        visitor = Visitor(hub.door, pause_s=0.001)
        for port in range(1, 200):
            visitor.seen("127.0.0.1", port)
        assert len(visitor._candidates) == 64
        assert not await visitor.visit("127.0.0.1", 9)
        assert hub.door.counters["visit:failed"] == 1


async def test_places_that_lead_to_one_phone_are_one_and_keep_no_other_phone_out(tmp_path: Path) -> None:
    village = Village(1)
    told: list[SyncReport | RemoteError] = []
    async with (
        phone_hub(tmp_path, village) as hub,
        phone_of(tmp_path, village) as phone,
        visited(phone, told.append) as port,
    ):
        await phone.register("Amina", 1)
        visitor = Visitor(hub.door, pause_s=0.05)
        for number in range(VISITS_REMEMBERED_MAX):
            place = (f"127.0.0.{number + 2}", port)
            visitor.seen(*place, ["127.0.0.1"])
            await visitor._call_on(*place, visitor._candidates[place])
        assert all(each.is_proven for each in visitor._candidates.values())
        visitor.seen("127.0.0.1", 9_999)
        assert ("127.0.0.1", 9_999) in visitor._candidates
        assert ("127.0.0.2", port) in visitor._candidates, "the phone itself has a place"


async def test_idle_callers_of_one_address_keep_no_hub_from_a_phone(tmp_path: Path) -> None:
    told: Told = []
    village = Village(1)
    async with phone_hub(tmp_path, village) as hub, phone_of(tmp_path, village) as phone, AsyncExitStack() as stack:
        await phone.register("Amina", 1)
        server = VisitedPhone(phone, "127.0.0.1", 0, told.append)
        server._server.places.is_own = lambda _host: False
        serving = asyncio.create_task(server.run())
        for _ in range(8):
            with suppress(OSError, WebSocketException):
                await stack.enter_async_context(
                    connect(
                        f"ws://127.0.0.1:{server.port}/v1/visit", subprotocols=["hubd.v1"], local_addr=("127.0.0.2", 0)
                    )
                )
        assert await Visitor(hub.door).visit("127.0.0.1", server.port) == phone.principal
        assert isinstance(told[0], SyncReport)
        serving.cancel()
        await asyncio.wait([serving])
