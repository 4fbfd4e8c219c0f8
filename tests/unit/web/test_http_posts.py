"""The phone API over HTTP, in process: what is taken of phones, and what is said when not."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from phone_hubs import PhoneHub, phone_hub, populate, said

from hubd.action import cbor, envelope
from hubd.errors import FatalError
from hubd.limits import PHONE_POST_BYTES_MAX, PHONE_REQUESTS_BURST
from hubd.web.http import ROUTES


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[PhoneHub]:
    async with phone_hub(tmp_path) as opened:
        yield opened


# --- what phones bring


async def test_each_envelope_gets_its_own_answer_in_order(hub: PhoneHub) -> None:
    village = hub.village
    register, request = village.register("ana"), village.request("ana")
    broken = bytearray(envelope.encode(village.request("ana")))
    broken[-1] ^= 2
    answers = await hub.post(register, b"no cbor", bytes(broken), request, village.request("nobody"))
    assert [row[1] for row in answers] == ["ok", "refused", "refused", "ok", "deferred"]
    assert [row[2] for row in answers] == ["", "cbor", "signature", "", "unregistered"]
    assert [row[0] for row in answers][:4] == [register.id, None, None, request.id]


async def test_the_same_action_again_is_ok_again_and_new_once(hub: PhoneHub) -> None:
    register = hub.village.register("ana")
    for _ in range(3):
        assert await hub.post(register, register) == [[register.id, "ok", ""]] * 2
    assert (await hub.store.summary()).count == 3
    assert hub.door.counters["ok"] == 1
    assert hub.door.counters["known"] == 5


async def test_a_known_action_is_ok_whatever_the_quota_says(hub: PhoneHub) -> None:
    request = hub.village.request("nobody")
    await hub.take(request)
    assert await hub.post(request) == [[request.id, "ok", ""]]


async def test_an_action_of_another_mesh_is_refused(hub: PhoneHub) -> None:
    from builders import Village

    assert (await hub.post(Village(2).register("ana")))[0][1:] == ["refused", "author"]


async def test_an_early_action_waits_for_its_authors_registration(hub: PhoneHub) -> None:
    village = hub.village
    early = [village.request("ana") for _ in range(3)]
    assert {row[2] for row in await hub.post(*early)} == {"unregistered"}
    await hub.post(village.register("ana"))
    await _settle(hub, 6)
    assert len(await hub.store.get([action.id for action in early])) == 3


async def test_the_quarantine_of_one_author_is_small_and_says_when_it_is_full(hub: PhoneHub) -> None:
    codes = [row[2] for row in await hub.post(*(hub.village.request("ana") for _ in range(10)))]
    assert codes == ["unregistered"] * 8 + ["unregistered-full"] * 2
    assert (await hub.store.summary()).count == 2, "nothing of it is in the set"


async def test_a_call_for_help_carries_a_page_at_most(hub: PhoneHub) -> None:
    calls = [hub.village.seal("nobody", "safety-post", text={"note": "x" * size}) for size in (3_000, 5_000)]
    assert [row[1:] for row in await hub.post(*calls)] == [["ok", ""], ["deferred", "too-large"]]


async def _settle(hub: PhoneHub, count: int) -> None:
    """Wait for the tasks that the door started by itself."""
    import asyncio

    async with asyncio.timeout(5):
        while (await hub.store.summary()).count < count:
            await asyncio.sleep(0.01)


async def test_no_ok_is_said_when_the_disk_fails(hub: PhoneHub, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object) -> list[Any]:
        raise FatalError("disk-full", "no space", hint="free some space")

    register = hub.village.register("ana")
    with monkeypatch.context() as patch:
        patch.setattr(hub.store, "append", full)
        answer = await hub.http.post("/v1/actions", content=cbor.encode([envelope.encode(register)]))
    assert answer.status_code == 503
    assert said(answer) == {"code": "disk-full", "hint": "free some space"}
    assert not await hub.store.get([register.id])
    assert await hub.post(register) == [[register.id, "ok", ""]], "the hub goes on"


async def test_ok_is_said_only_after_the_write_returned(hub: PhoneHub, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    written = asyncio.Event()
    append = hub.store.append

    async def slow(*offered: Any) -> Any:
        fresh = await append(*offered)
        await written.wait()
        return fresh

    monkeypatch.setattr(hub.store, "append", slow)
    posting = asyncio.create_task(hub.post(hub.village.register("ana")))
    await asyncio.sleep(0.05)
    assert not posting.done()
    written.set()
    assert (await posting)[0][1] == "ok"


# --- errors


async def test_errors_are_cbor_or_json_as_asked_for(hub: PhoneHub) -> None:
    assert said(await hub.http.get("/v1/actions"))["code"] == "authorization"
    assert (await hub.http.get("/v1/actions", headers={"accept": "application/json"})).json()["hint"]
    assert said(await hub.http.get("/v1/nothing")) == {"code": "not-found", "hint": ""}
    assert said(await hub.http.delete("/v1/actions")) == {"code": "method", "hint": ""}


@pytest.mark.parametrize("path", sorted({path for method, path in ROUTES if method == "POST"}))
async def test_a_body_beyond_the_limit_is_refused(hub: PhoneHub, path: str) -> None:
    await populate(hub)
    answer = await hub.http.post(path, content=bytes(PHONE_POST_BYTES_MAX + 1), headers=await hub.auth("ana"))
    assert (answer.status_code, said(answer)["code"]) == (413, "too-large")


@pytest.mark.parametrize("body", [b"", b"\x80\x80", b"\xa0", b"\x81\x01", b"\x81\x40", cbor.encode([b"e"] * 257)])
async def test_a_body_of_another_shape_is_refused(hub: PhoneHub, body: bytes) -> None:
    answer = await hub.http.post("/v1/actions", content=body)
    assert answer.status_code == 400
    assert said(answer)["code"] in ("cbor", "frame")


async def test_a_stranger_who_floods_is_told_to_wait(hub: PhoneHub) -> None:
    transport = httpx.ASGITransport(hub.app, client=("192.0.2.7", 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as http:
        codes = [(await http.get("/v1/status")).status_code for _ in range(PHONE_REQUESTS_BURST + 5)]
        assert codes == [200] * PHONE_REQUESTS_BURST + [429] * 5
        hub.clock.now += 10
        junk = cbor.encode([b"x"] * 256)
        answers = [await http.post("/v1/actions", content=junk) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200] * 4 + [429]
        assert said(answers[-1])["code"] == "rate"
        assert hub.door.counters["refused:cbor"] == 4 * 256, "nothing of the last message was looked at"
    assert (await hub.http.get("/v1/status")).status_code == 200, "this machine itself is no stranger"
