"""Whoever stands between a phone and a hub, or dials a waiting phone, can listen and can end it, and nothing else."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import websockets
from builders import Village
from phone_hubs import PhoneHub, phone_hub, served

from hubd.action import cbor, charter, envelope
from hubd.errors import RemoteError
from hubd.phone.http_link import HttpLink
from hubd.phone.phone import Phone
from hubd.phone.serve import VisitedPhone
from hubd.ports import Outcome, Verdict
from hubd.web import frames
from hubd.web.frames import FROM_HUB, FROM_PHONE, SUBPROTOCOL

if TYPE_CHECKING:
    from hubd.phone.sync import SyncReport

_PROOF_BYTES = 65


class Swap(httpx.AsyncBaseTransport):
    """Puts actions which the hub knows already in the place of those that the phone brings."""

    def __init__(self, hub: PhoneHub, known: bytes) -> None:
        self._hub, self._known = httpx.ASGITransport(hub.app), known

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if (request.method, request.url.path) == ("POST", "/v1/actions"):
            count = len(cbor.decode(await request.aread()))
            headers = {name: value for name, value in request.headers.items() if name != "content-length"}
            content = cbor.encode([self._known] * count)
            request = httpx.Request("POST", request.url, headers=headers, content=content)
        return await self._hub.handle_async_request(request)


@asynccontextmanager
async def registered(directory: Path, hub: PhoneHub) -> AsyncIterator[Phone]:
    """A phone whose person the hub knows, with one more action to bring."""
    phone = await Phone.create(directory / "p", charter.write(hub.village.charter))
    try:
        await phone.register("Amina", 1)
        async with served(hub) as url:
            await phone.sync(url)
        await phone.do("request-open", subjects="reading", ceiling="5")
        yield phone
    finally:
        await phone.close()


async def believed(phone: Phone) -> list[int]:
    """How many hubs the phone believes to have each of its actions."""
    return [len(item.hubs) for item in await phone._replica.outbox.items()]


async def test_an_ok_for_other_actions_is_none(tmp_path: Path) -> None:
    village = Village(1)
    async with phone_hub(tmp_path, village) as hub, registered(tmp_path, hub) as phone:
        announce = envelope.encode((await hub.store.page(0, 1))[0][1])
        async with httpx.AsyncClient(transport=Swap(hub, announce), base_url="http://hub") as client:
            with pytest.raises(RemoteError, match="hub-proof"):
                await phone.sync_over(HttpLink(client, phone.charter))
        assert await believed(phone) == [1, 0]


async def test_a_hub_that_acknowledges_other_ids_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    village = Village(1)
    async with phone_hub(tmp_path, village) as hub, registered(tmp_path, hub) as phone:
        put = hub.door.put

        async def lie(envelopes: list[bytes], address: str) -> Any:
            announce = envelope.encode((await hub.store.page(0, 1))[0][1])
            return await put([announce] * len(envelopes), address)

        monkeypatch.setattr(hub.door, "put", lie)
        report = await phone.sync_over(HttpLink(hub.http, phone.charter))
        assert (report.acknowledged, await believed(phone)) == (0, [1, 0])


async def test_a_hub_that_refuses_what_is_valid_keeps_it_from_no_other_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    village = Village(1)
    async with (
        phone_hub(tmp_path, village, "hub-a") as censor,
        phone_hub(tmp_path, village, "hub-b") as honest,
        registered(tmp_path, censor) as phone,
    ):

        async def refuse(envelopes: list[bytes], _address: str) -> list[Outcome]:
            return [Outcome(Verdict.REFUSED, code="signature") for _ in envelopes]

        monkeypatch.setattr(censor.door, "put", refuse)
        await honest.take(*village.found("hub-a"))
        await censor.take(*village.found("hub-b"))
        report = await phone.sync_over(HttpLink(censor.http, phone.charter))
        assert (report.refused, report.deferred) == (0, 1)
        report = await phone.sync_over(HttpLink(honest.http, phone.charter))
        assert (report.acknowledged, await believed(phone)) == (2, [2, 1])


Tamper = Callable[[Any], Any]


async def relayed_visit(phone: Phone, hub: PhoneHub, said: Tamper, heard: Tamper) -> tuple[Any, list[bytes]]:
    """Dial the waiting phone and pass everything on to the hub; how the visit went, and the messages of the phone.

    `said` and `heard` take each message of the phone and of the hub; what they return goes on, None does not.
    """
    told: list[SyncReport | RemoteError] = []
    overheard: list[bytes] = []
    visited = VisitedPhone(phone, "127.0.0.1", 0, told.append)
    serving = asyncio.create_task(visited.run())
    try:
        async with (
            served(hub) as url,
            websockets.connect(url.replace("http", "ws") + "/v1/ws", subprotocols=[SUBPROTOCOL]) as real,
            websockets.connect(f"ws://127.0.0.1:{visited.port}/v1/visit", subprotocols=[SUBPROTOCOL]) as caught,
        ):

            async def down() -> None:
                with suppress(websockets.ConnectionClosed):
                    async for message in real:
                        if (changed := heard(message)) is not None:
                            await caught.send(changed)

            listening = asyncio.create_task(down())
            with suppress(websockets.ConnectionClosed):
                async for message in caught:
                    overheard.append(message)
                    if (changed := said(message)) is not None:
                        await real.send(changed)
            listening.cancel()
        return told[0], overheard
    finally:
        serving.cancel()
        await asyncio.wait([serving])


def passed(message: bytes) -> bytes:
    return message


async def test_whoever_passes_a_visit_on_unchanged_does_no_harm(tmp_path: Path) -> None:
    async with phone_hub(tmp_path) as hub, registered(tmp_path, hub) as phone:
        report, _ = await relayed_visit(phone, hub, passed, passed)
        assert (report.acknowledged, await believed(phone)) == (1, [1, 1])


async def test_whoever_dials_a_phone_cannot_acknowledge_in_a_hubs_name(tmp_path: Path) -> None:
    async with phone_hub(tmp_path) as hub, registered(tmp_path, hub) as phone:
        ids = [item.id for item in await phone._replica.outbox.items()]
        ok = frames.encode(frames.Ok([[each, "at-hub"] for each in ids]))
        announce = envelope.encode((await hub.store.page(0, 1))[0][1])

        def swap(message: bytes) -> bytes:
            is_put = isinstance(frames.decode(message, FROM_PHONE), frames.Put)
            return frames.encode(frames.Put([announce])) if is_put else message

        def forge(message: bytes) -> bytes:
            is_ok = isinstance(frames.decode(message[:-_PROOF_BYTES], FROM_HUB), frames.Ok)
            return ok + message[-_PROOF_BYTES:] if is_ok else message

        for said, heard in ((swap, passed), (passed, forge), (swap, forge)):
            error, _ = await relayed_visit(phone, hub, said, heard)
            assert isinstance(error, RemoteError)
            assert (error.code, await believed(phone)) == ("hub-proof", [1, 0])


async def test_no_news_can_be_left_out(tmp_path: Path) -> None:
    async with phone_hub(tmp_path) as hub, registered(tmp_path, hub) as phone:
        place = await phone._replica.outbox.place(hub.door.hub)
        await hub.take(hub.village.register("ben"))

        def withhold(message: bytes) -> bytes | None:
            frame = frames.decode(message[:-_PROOF_BYTES], FROM_HUB)
            return None if isinstance(frame, frames.Actions) and len(frame.envelopes) == 2 else message

        error, _ = await relayed_visit(phone, hub, passed, withhold)
        assert isinstance(error, RemoteError)
        assert error.code == "hub-proof"
        assert await phone._replica.outbox.place(hub.door.hub) == place


async def test_what_a_phone_signed_in_a_visit_opens_nothing_else(tmp_path: Path) -> None:
    async with phone_hub(tmp_path) as hub, registered(tmp_path, hub) as phone:
        _, overheard = await relayed_visit(phone, hub, passed, passed)
        greetings = [frames.decode(message, FROM_PHONE) for message in overheard]
        [fields] = [each.authorization for each in greetings if isinstance(each, frames.Hello) and each.authorization]
        header = {"authorization": "Hubd " + _base64url(cbor.encode(fields))}
        answer = await hub.http.get("/v1/actions", headers=header)
        assert (answer.status_code, cbor.decode(answer.content)["code"]) == (401, "authorization")


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
