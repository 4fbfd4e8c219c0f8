"""The server under the phone API: its bounds hold at the transport, before a byte is understood."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import httpx
import pytest
from knocks import HEAD, is_alive, is_closed, limited, opened, spoken
from phone_hubs import PhoneHub, phone_hub, served
from websockets.asyncio.client import connect

from hubd.errors import FatalError
from hubd.phone.socket_link import SocketLink
from hubd.web.client import ClientWire, dial
from hubd.web.frames import SOCKET_PATH
from hubd.web.places import Places
from hubd.web.proofs import authorize
from hubd.web.server import PhoneServer
from hubd.web.standing import Scope

IS_CAMPAIGN = bool(os.environ.get("HUBD_CAMPAIGN"))
HALF_OPEN = 2_000 if IS_CAMPAIGN else 400


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[PhoneHub]:
    async with phone_hub(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("said", [b"", b"G", HEAD, HEAD + b"x-slow: 1\r\n"])
async def test_a_head_that_never_ends_is_let_go(hub: PhoneHub, said: bytes) -> None:
    places = Places(open_s=0.2)
    async with served(hub, places=places) as url:
        reader, writer = await opened(url)
        writer.write(said)
        assert await is_closed(reader)
        writer.close()
        assert await is_alive(url)
    assert places.let_go == 1


async def test_a_second_head_that_never_ends_is_let_go(hub: PhoneHub) -> None:
    async with served(hub, places=Places(idle_s=0.2)) as url:
        reader, writer = await opened(url)
        writer.write(HEAD + b"\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.write(HEAD)
        assert await is_closed(reader)
        writer.close()


async def test_a_socket_outlives_the_deadline_of_its_head(hub: PhoneHub) -> None:
    async with (
        served(hub, places=Places(open_s=0.1)) as url,
        connect(url.replace("http", "ws") + "/v1/ws", subprotocols=["hubd.v1"]) as phone,
    ):
        await asyncio.sleep(0.3)
        await (await phone.ping())


async def test_one_address_has_its_places_and_others_theirs(hub: PhoneHub) -> None:
    places = limited(per_address_max=3)
    async with served(hub, places=places) as url:
        held = [await opened(url) for _ in range(3)]
        reader, writer = await opened(url)
        assert await is_closed(reader)
        writer.close()
        assert places.turned_away == 1
        held[0][1].close()
        await held[0][1].wait_closed()
        await asyncio.sleep(0.05)
        reader, writer = await opened(url)
        assert not await is_closed(reader, 0.1)
        for _, each in (*held, (reader, writer)):
            each.close()


async def test_a_websocket_keeps_the_place_of_its_connection(hub: PhoneHub) -> None:
    places = limited(per_address_max=1)
    async with served(hub, places=places) as url:
        for _ in range(3):
            async with connect(url.replace("http", "ws") + "/v1/ws", subprotocols=["hubd.v1"]):
                assert places.taken.total() == 1
                reader, writer = await opened(url)
                assert await is_closed(reader)
                writer.close()
            async with asyncio.timeout(2):
                while places.taken:
                    await asyncio.sleep(0.01)


async def test_many_half_open_connections_leave_no_trace(hub: PhoneHub) -> None:
    places = Places(open_s=0.5, total_max=64)
    async with served(hub, places=places) as url:
        held = await asyncio.gather(*(opened(url) for _ in range(200)))
        for _, writer in held[:50]:
            writer.write(b"GET")
        async with asyncio.timeout(5):
            while places.taken:
                await asyncio.sleep(0.05)
        assert places.turned_away + places.let_go + places.gave_way == 200
        assert await is_alive(url)
        for _, writer in held:
            writer.close()


async def test_garbage_is_answered_with_400_and_the_server_lives(hub: PhoneHub) -> None:
    async with served(hub) as url:
        for said in (b"\x00\xff\r\n\r\n", b"GET /\xff HTTP/1.1\r\n\r\n", b"A" * 20_000 + b"\r\n\r\n"):
            reader, writer = await opened(url)
            writer.write(said)
            assert b" 4" in (await reader.read(64))[:14]
            writer.close()
        assert await is_alive(url)


async def test_a_port_in_use_is_said_at_once_and_in_words(hub: PhoneHub) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(FatalError) as caught:
        PhoneServer(hub.app, "127.0.0.1", taken.getsockname()[1])
    assert caught.value.code == "port"
    assert "another" in caught.value.hint


async def test_it_can_be_run_again_on_the_same_port(hub: PhoneHub) -> None:
    server = PhoneServer(hub.app, "127.0.0.1", 0)
    for _ in range(2):
        task = asyncio.create_task(server.run())
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as http:
            for _ in range(50):
                try:
                    assert (await http.get("/v1/status")).status_code == 200
                    break
                except httpx.ConnectError:
                    await asyncio.sleep(0.02)
            else:
                pytest.fail("the server did not come up")
        task.cancel()
        await asyncio.wait([task])


async def test_an_answer_is_not_held_back_by_the_kernel(hub: PhoneHub) -> None:
    async with served(hub) as url, httpx.AsyncClient(base_url=url) as http:
        await http.get("/v1/challenge")
        start = asyncio.get_running_loop().time()
        for _ in range(10):
            await http.get("/v1/challenge")
        assert asyncio.get_running_loop().time() - start < 0.3, "ten answers that each wait for an ACK take 0.4 s"


# --- when all places are taken


async def test_a_newcomer_gets_the_place_of_the_stranger_who_came_first(hub: PhoneHub) -> None:
    places = Places(total_max=3, stranger_s=0.0)
    async with served(hub, places=places) as url:
        held = [await spoken(url) for _ in range(3)]
        held.append(await spoken(url))
        assert await is_closed(held[0][0])
        assert not await is_closed(held[1][0], 0.1)
        assert (places.gave_way, places.turned_away, places.taken.total()) == (1, 0, 3)
        for _, writer in held:
            writer.close()


async def test_where_strangers_hold_most_places_whoever_comes_gets_one_however_new_they_are(hub: PhoneHub) -> None:
    places = Places(total_max=2, stranger_s=60)
    async with served(hub, places=places) as url:
        held = [await spoken(url) for _ in range(12)]
        assert (places.gave_way, places.turned_away, places.taken.total()) == (10, 0, 2)
        for _, each in held:
            each.close()


@pytest.mark.parametrize(("size", "is_answered"), [(8_000, True), (13_000, False)])
async def test_a_head_has_eight_kilobytes_and_never_more_than_twelve(
    hub: PhoneHub, size: int, *, is_answered: bool
) -> None:
    async with served(hub) as url:
        reader, writer = await opened(url)
        writer.write(HEAD + b"x-large: " + b"x" * (size - len(HEAD) - 13) + b"\r\n\r\n")
        assert (await reader.read(64)).startswith(b"HTTP/1.1 200") is is_answered
        writer.close()


async def test_a_page_from_the_internet_may_call_a_hub_in_the_wifi(hub: PhoneHub) -> None:
    asked = {
        "origin": "https://app.example",
        "access-control-request-method": "POST",
        "access-control-request-private-network": "true",
    }
    answer = await hub.http.options("/v1/actions", headers=asked)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-private-network"] == "true"


async def test_whoever_proved_a_key_does_not_give_way_to_strangers(hub: PhoneHub) -> None:
    village = hub.village
    await hub.take(village.register("ana", home="hub-a"))
    places = Places(total_max=3, stranger_s=0.0)
    async with (
        served(hub, places=places) as url,
        dial(url.replace("http", "ws") + "/v1/ws") as socket,
        httpx.AsyncClient(base_url=url, event_hooks={"request": [hub.sign]}) as http,
    ):
        link = SocketLink(ClientWire(socket), village.charter)
        await link.identify()
        await link.authorize(partial(authorize, village.signer("ana"), village.charter))
        await link.end(Scope.OWN)
        assert (await http.get("/v1/cursor", params={"scope": "own"}, headers=await hub.auth("ana"))).status_code == 200
        strangers = [await spoken(url) for _ in range(20)]
        assert places.gave_way == 19
        assert await link.end(Scope.OWN)
        assert (await http.get("/v1/cursor", params={"scope": "own"}, headers=await hub.auth("ana"))).status_code == 200
        assert places.gave_way == 19, "neither had to come again"
        for _, writer in strangers:
            writer.close()


async def live(stack: AsyncExitStack, hub: PhoneHub, url: str, name: str) -> SocketLink:
    """A phone that has proven its key and stays."""
    socket = await stack.enter_async_context(dial(url.replace("http", "ws") + SOCKET_PATH))
    link = SocketLink(ClientWire(socket), hub.village.charter)
    await link.identify()
    await link.authorize(partial(authorize, hub.village.signer(name), hub.village.charter))
    await link.end(Scope.OWN)
    return link


async def test_thirty_two_known_persons_with_eight_phones_each_lock_nobody_out(hub: PhoneHub) -> None:
    village = hub.village
    names = [*(f"rogue {number}" for number in range(32)), *(f"honest {number}" for number in range(8))]
    await hub.take(*(village.register(name) for name in names))
    await hub.take(*(village.vouch("steward-1", name, 4) for name in names))
    places = Places(stranger_s=0.0)
    async with served(hub, places=places) as url, AsyncExitStack() as stack:
        for number in range(places.total_max):
            await live(stack, hub, url, f"rogue {number % 32}")
        assert (places.taken.total(), places.gave_way) == (256, 0)
        honest = [await live(stack, hub, url, f"honest {number}") for number in range(8)]
        for number in range(8):
            await live(stack, hub, url, f"rogue {number}")
        assert (places.gave_way, places.turned_away) == (16, 0)
        for link in honest:
            assert await link.end(Scope.OWN), "no honest phone had to come again"


async def test_half_open_connections_by_the_thousand_are_closed_in_time_and_phones_are_served_meanwhile(
    hub: PhoneHub,
) -> None:
    places = Places() if IS_CAMPAIGN else Places(open_s=1, stranger_s=1)
    async with served(hub, places=places) as url:
        start = asyncio.get_running_loop().time()
        waits: list[float] = []

        async def half_open(number: int) -> bool:
            try:
                reader, writer = await opened(url)
            except ConnectionError:
                return True
            try:
                writer.write(HEAD[: number % len(HEAD)])
                return await is_closed(reader, 12)
            finally:
                writer.close()

        async def honest() -> None:
            while len(waits) < (5 if IS_CAMPAIGN else 1):
                begun = asyncio.get_running_loop().time()
                while not await answered(url):
                    await asyncio.sleep(0.2)
                waits.append(asyncio.get_running_loop().time() - begun)
                await asyncio.sleep(1)

        asking = asyncio.create_task(honest())
        assert all(await asyncio.gather(*(half_open(number) for number in range(HALF_OPEN))))
        took = asyncio.get_running_loop().time() - start
        await asking
        assert took < 12
        assert max(waits) < 8, "somebody who comes again and again gets through"
        assert not places.taken


async def answered(url: str) -> bool:
    try:
        return await is_alive(url)
    except httpx.HTTPError:
        return False
