"""The phone API over HTTP, in process: who may see what, what is taken, and what is said when not."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from phone_hubs import PhoneHub, phone_hub

from hubd.action import cbor, charter, envelope
from hubd.errors import FatalError
from hubd.limits import CHALLENGE_LIFE_S, PHONE_POST_BYTES_MAX, PHONE_REQUESTS_BURST
from hubd.web.frames import parse_cursor
from hubd.web.http import ROUTES
from hubd.web.proofs import hub_of_answer, request_digest


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[PhoneHub]:
    async with phone_hub(tmp_path) as opened:
        yield opened


def said(answer: Any) -> Any:
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


# --- what anybody may see


async def test_the_status_is_public_and_tells_nothing_of_people(hub: PhoneHub) -> None:
    await populate(hub)
    answer = await hub.http.get("/v1/status")
    status = answer.json()
    assert (status["name"], status["mesh"], status["count"], status["network"]) == ("hub-a", "Village 1", 10, "testnet")
    assert set(status) == {"name", "mesh", "mesh_digest", "network", "hub", "version", "protocol", "count",
                           "fingerprint", "chain_age_s"}  # fmt: skip
    assert said(await hub.http.get("/v1/status", headers={"accept": "application/cbor"})) == status


async def test_the_charter_is_public_and_is_the_file(hub: PhoneHub) -> None:
    answer = await hub.http.get("/v1/charter")
    assert charter.read(answer.content).digest == hub.village.charter.digest


async def test_a_stranger_sees_hubs_and_stewards_and_no_person(hub: PhoneHub) -> None:
    await populate(hub)
    await hub.take(hub.village.steward_add("steward-1", "zoe"))
    kinds = {action.kind for action in await hub.read(area="mesh")}
    assert kinds == {"hub-announce", "hub-admit", "steward-add"}
    assert [action.kind for action in await hub.read(scope="mesh")] == ["hub-announce", "hub-admit", "steward-add"]


async def test_a_stranger_may_not_read_on(hub: PhoneHub) -> None:
    for request in (
        hub.http.get("/v1/actions"),
        hub.http.get("/v1/actions", params={"scope": "village"}),
        hub.http.get("/v1/cursor"),
        hub.http.post("/v1/get", content=cbor.encode([])),
        hub.http.post("/v1/reconcile", content=b"a"),
    ):
        answer = await request
        assert (answer.status_code, said(answer)["code"]) == (401, "authorization")


# --- who is asking


async def test_a_registered_person_reads_its_village_at_home(hub: PhoneHub) -> None:
    acts = await populate(hub)
    assert len(await hub.read("ana")) == 10
    assert {action.id for action in await hub.read("tomas")} >= {acts["bo's"].id, acts["lesson"].id}


async def test_a_guest_reads_its_own_and_what_names_it(hub: PhoneHub) -> None:
    acts = await populate(hub)
    seen = {action.id for action in await hub.read("bo")}
    assert acts["bo's"].id in seen
    assert acts["lesson"].id not in seen
    assert acts["receipt"].id in seen, "a guest learns what was settled"
    assert {action.id for action in await hub.read("tomas", scope="own")} == seen | {acts["lesson"].id}


async def test_how_much_money_people_hold_is_shown_at_home_only(hub: PhoneHub) -> None:
    acts = await populate(hub)
    told = hub.village.balance("hub-a", [("ana", None, 7, 0), ("bo", None, 9, 1)])
    await hub.take(told)
    assert told.id in {action.id for action in await hub.read("ana")}
    for scope in ("guest", "own", "mine"):
        assert told.id not in {action.id for action in await hub.read("bo", scope=scope)}
    asked = cbor.encode([told.id, acts["receipt"].id])
    envelopes, _ = said(await hub.http.post("/v1/get", content=asked, headers=await hub.auth("bo")))
    assert [envelope.parse(raw, hub.village.domain).id for raw in envelopes] == [acts["receipt"].id]


async def test_what_any_key_of_a_person_wrote_or_is_named_in_is_its_own(hub: PhoneHub) -> None:
    village = hub.village
    acts = await populate(hub)
    early = village.request("bo's other phone")  # it came here before anybody knew whose key this is
    add = village.key_add("bo", "bo's other phone", acts["bo"])
    await hub.take(early, add)
    assert early.id not in {action.id for action in await hub.read("bo", scope="mine")}
    late = village.vouch("ana", village.principal("bo's other phone"))
    accept = village.key_accept("bo's other phone", add)
    await hub.take(accept, late)
    for key in ("bo", "bo's other phone"):
        seen = {action.id for action in await hub.read(key, scope="mine")}
        assert seen >= {early.id, add.id, accept.id, late.id, acts["bo's"].id}
        assert acts["lesson"].id not in seen
    await hub.take(village.key_revoke("bo", "bo's other phone", add))
    assert early.id not in {action.id for action in await hub.read("bo", scope="mine")}


async def test_a_guest_gets_the_keys_of_others_without_what_is_written_beside_them(hub: PhoneHub) -> None:
    acts = await populate(hub)
    named = hub.village.register("carla", text={"name": b"sealed"})
    vouch = hub.village.vouch("ana", "tomas")
    await hub.take(named, vouch)
    seen = {action.id: action for action in await hub.read("bo")}
    assert seen[named.id].content is None
    assert acts["ana"].id in seen
    assert vouch.id not in seen
    envelopes, _ = said(await hub.http.post("/v1/get", content=cbor.encode([named.id]), headers=await hub.auth("bo")))
    assert envelope.parse(envelopes[0], hub.village.domain).content is None
    assert {action.id: action for action in await hub.read("ana")}[named.id].content is not None


async def test_who_only_registered_reads_its_own_until_somebody_vouches(hub: PhoneHub) -> None:
    acts = await populate(hub)
    mine = hub.village.register("zed", home="hub-a")
    assert (await hub.post(mine))[0][1] == "ok"
    seen = {action.id: action for action in await hub.read("zed")}
    assert mine.id in seen
    assert not {acts["lesson"].id, acts["bo's"].id, acts["ana's vouch"].id} & set(seen)
    answer = await hub.http.get("/v1/actions", params={"scope": "village"}, headers=await hub.auth("zed"))
    assert said(answer)["code"] == "scope"
    vouch = hub.village.vouch("ana", "zed")
    await hub.take(vouch)
    assert len(await hub.read("zed")) == 12
    await hub.take(hub.village.vouch_withdraw("ana", vouch))
    assert acts["lesson"].id not in {action.id for action in await hub.read("zed")}


async def test_a_guest_may_not_ask_for_the_village(hub: PhoneHub) -> None:
    await populate(hub)
    answer = await hub.http.get("/v1/actions", params={"scope": "village"}, headers=await hub.auth("bo"))
    assert (answer.status_code, said(answer)["code"]) == (403, "scope")
    assert "scope=own" in said(answer)["hint"]


async def test_an_unknown_scope_or_area_is_refused(hub: PhoneHub) -> None:
    await populate(hub)
    for query, code in (({"scope": "all"}, "scope"), ({"area": "money"}, "query")):
        answer = await hub.http.get("/v1/actions", params=query, headers=await hub.auth("ana"))
        assert (answer.status_code // 100, said(answer)["code"]) == (4, code)


async def test_a_key_of_nobody_may_not_read(hub: PhoneHub) -> None:
    answer = await hub.http.get("/v1/actions", headers=await hub.auth("nobody"))
    assert (answer.status_code, said(answer)["code"]) == (403, "unregistered")


async def test_a_revoked_key_may_not_read(hub: PhoneHub) -> None:
    village = hub.village
    register = village.register("ana")
    add = village.key_add("ana", "ana's second phone", register)
    await hub.take(register, add, village.key_accept("ana's second phone", add))
    assert await hub.read("ana's second phone")
    await hub.take(village.key_revoke("ana", "ana's second phone", add))
    answer = await hub.http.get("/v1/actions", headers=await hub.auth("ana's second phone"))
    assert said(answer)["code"] == "unregistered"


async def test_a_proof_is_of_no_use_later_elsewhere_or_to_somebody_else(hub: PhoneHub, tmp_path: Path) -> None:
    await populate(hub)
    headers = await hub.auth("ana")
    assert (await hub.http.get("/v1/actions", headers=headers)).status_code == 200
    async with phone_hub(tmp_path, hub.village, "hub-b") as other:
        await other.take(hub.village.register("ana"))
        answer = await other.http.get("/v1/actions", headers=headers)
        assert (answer.status_code, said(answer)["code"]) == (401, "challenge")
    hub.clock.now += CHALLENGE_LIFE_S + 1
    answer = await hub.http.get("/v1/actions", headers=headers)
    assert (answer.status_code, said(answer)["code"]) == (401, "challenge")


async def test_a_proof_opens_the_one_request_it_was_signed_for(hub: PhoneHub) -> None:
    await populate(hub)
    answer = await hub.http.get("/v1/actions", params={"scope": "own"}, headers=await hub.auth("ana"))
    assert answer.status_code == 200
    overheard = {"Authorization": answer.request.headers["Authorization"]}
    for request in (
        hub.http.get("/v1/actions", headers=overheard),
        hub.http.get("/v1/actions", params={"scope": "village"}, headers=overheard),
        hub.http.get("/v1/cursor", params={"scope": "own"}, headers=overheard),
        hub.http.post("/v1/get", content=cbor.encode([]), headers=overheard),
    ):
        answer = await request
        assert (answer.status_code, said(answer)["code"]) == (401, "authorization")


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


# --- pages, cursors, single actions


async def test_pages_are_bounded_and_lose_nothing(hub: PhoneHub) -> None:
    await populate(hub)
    await hub.take(*(hub.village.request("ana", text={"note": "x" * 3_000}) for _ in range(60)))
    answer = await hub.http.get("/v1/actions", headers=await hub.auth("ana"))
    envelopes, _, more = said(answer)
    assert more
    assert sum(map(len, envelopes)) <= 60 * 1024
    seen = await hub.read("ana")
    assert len(seen) == len({action.id for action in seen}) == 70


async def test_the_cursor_goes_on_where_it_was(hub: PhoneHub) -> None:
    await populate(hub)
    _, cursor, more = said(await hub.http.get("/v1/actions", headers=await hub.auth("ana")))
    assert not more
    assert said(await hub.http.get("/v1/cursor", headers=await hub.auth("ana"))) == cursor
    assert await hub.read("ana", after=cursor) == []
    late = hub.village.request("ana")
    await hub.take(late)
    assert await hub.read("ana", after=cursor) == [late]


async def test_a_cursor_of_another_database_is_void(hub: PhoneHub) -> None:
    await populate(hub)
    cursor = said(await hub.http.get("/v1/cursor", headers=await hub.auth("ana")))
    epoch, sequence, prefix = cursor.split(".")
    for other in (f"{'00' * 8}.{sequence}.{prefix}", f"{epoch}.{sequence}.{'00' * 8}", f"{epoch}.999.{prefix}"):
        assert parse_cursor(other)
        answer = await hub.http.get("/v1/actions", params={"after": other}, headers=await hub.auth("ana"))
        assert (answer.status_code, said(answer)["code"]) == (409, "cursor-void")


async def test_single_actions_come_in_pages_and_in_scope(hub: PhoneHub) -> None:
    acts = await populate(hub)
    ids = [acts["bo"].id, bytes(32), acts["lesson"].id]
    envelopes, looked_at = said(await hub.http.post("/v1/get", content=cbor.encode(ids), headers=await hub.auth("bo")))
    assert [envelope.parse(raw, hub.village.domain) for raw in envelopes] == [acts["bo"]]
    assert looked_at == 3
    large = [hub.village.request("ana", text={"note": "x" * 9_000}) for _ in range(10)]
    await hub.take(*large)
    found = said(await hub.http.post(
        "/v1/get", content=cbor.encode([action.id for action in large]), headers=await hub.auth("ana")
    ))  # fmt: skip
    assert (len(found[0]), found[1]) == (6, 6)


# --- answers that a stranger's box cannot make


async def test_every_answer_carries_the_hubs_proof_on_demand(hub: PhoneHub) -> None:
    import base64

    nonce = b"n" * 16
    headers = {"hubd-nonce": base64.urlsafe_b64encode(nonce).decode()}
    for method, target, body in (
        ("GET", "/v1/status", b""),
        ("GET", "/v1/actions?after=a%20b&scope=mesh", b""),
        ("POST", "/v1/actions", b"junk"),
    ):
        answer = await hub.http.request(method, target, content=body, headers=headers)
        proof = base64.urlsafe_b64decode(answer.headers["hubd-proof"] + "==")
        question = request_digest(method, target.encode(), body)
        assert hub_of_answer(proof, hub.village.charter, nonce, question, answer.content) == hub.door.hub
    answer = await hub.http.post("/v1/actions", content=bytes(PHONE_POST_BYTES_MAX + 1), headers=headers)
    assert "hubd-proof" not in answer.headers, "nobody can answer what was not read to its end"
    assert "hubd-proof" not in (await hub.http.get("/v1/status")).headers
    answer = await hub.http.get("/v1/status", headers={"hubd-nonce": "short"})
    assert (answer.status_code, said(answer)["code"]) == (400, "nonce")


async def test_a_page_of_any_origin_may_call(hub: PhoneHub) -> None:
    answer = await hub.http.options(
        "/v1/actions",
        headers={
            "origin": "http://10.42.0.1",
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization, hubd-nonce",
        },
    )
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


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


async def test_reconciliation_finds_what_a_reader_lacks_and_no_more(hub: PhoneHub) -> None:
    from hubd.gossip.items import SortedItems
    from hubd.gossip.negentropy import Initiator

    acts = await populate(hub)
    everything = {action_id for _, action_id in await hub.store.items()}
    mine = {acts["bo"].id, acts["bo's"].id, acts["tomas's vouch"].id}
    others = {acts["lesson"].id, acts["ana's vouch"].id}
    for person, scope, seen in (
        ("ana", "village", everything),
        ("bo", "mine", mine),
        ("bo", "guest", everything - mine - others | {acts["bo"].id}),
    ):
        initiator, none = Initiator(), SortedItems()
        answer = await hub.http.post(
            "/v1/reconcile", content=initiator.open(none), params={"scope": scope}, headers=await hub.auth(person)
        )
        assert set(initiator.handle(none, answer.content).need) == seen, scope
    answer = await hub.http.post("/v1/reconcile", content=initiator.open(none), headers=await hub.auth("bo"))
    assert said(answer)["code"] == "scope", "a guest's two parts are compared one after the other"
    late = hub.village.request("ana")
    await hub.take(late)
    initiator, none = Initiator(), SortedItems()
    answer = await hub.http.post("/v1/reconcile", content=initiator.open(none), headers=await hub.auth("ana"))
    assert late.id in initiator.handle(none, answer.content).need


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
