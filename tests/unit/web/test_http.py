"""The phone API over HTTP, in process: who may see what, page by page, and who proves it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from phone_hubs import PhoneHub, phone_hub, populate, said

from hubd.action import cbor, charter, envelope
from hubd.action.envelope import Action, without_content
from hubd.errors import RemoteError
from hubd.limits import CHALLENGE_LIFE_S, PHONE_POST_BYTES_MAX
from hubd.web.frames import parse_cursor
from hubd.web.proofs import hub_of_answer, request_digest
from hubd.web.standing import Reader, Scope


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[PhoneHub]:
    async with phone_hub(tmp_path) as opened:
        yield opened


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
        hub.http.get("/v1/balances"),
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


async def test_away_from_home_a_person_is_told_its_own_money_and_nobody_elses(hub: PhoneHub) -> None:
    await populate(hub)
    rows = [("ana", None, 7, 0), ("bo", None, 9, 1), ("bo", hub.village.hours, 60, 30)]
    await hub.take(hub.village.balance("hub-a", rows))
    told = said(await hub.http.get("/v1/balances", headers=await hub.auth("bo")))
    assert [row[:4] for row in told] == [[None, 9, 1, 900], [hub.village.hours, 60, 30, 900]]
    assert said(await hub.http.get("/v1/balances", headers=await hub.auth("tomas"))) == []
    assert (await hub.http.get("/v1/balances", headers=await hub.auth("nobody here"))).status_code == 403


async def test_of_what_a_phone_has_bare_it_is_given_what_is_here_and_what_it_may_read(hub: PhoneHub) -> None:
    village = hub.village
    await populate(hub)
    named = village.register("carla", text={"name": b"sealed"})
    words = [village.seal("bo", "profile-set", text={"text": text}) for text in ("one", "two")]
    others = village.seal("ana", "profile-set", text={"text": "three"})
    await hub.take(named, words[0], without_content(words[1]), others)
    asked = cbor.encode([each.id for each in (named, *words, others)])

    async def given(person: str) -> list[Action]:
        envelopes, looked_at = said(await hub.http.post("/v1/content", content=asked, headers=await hub.auth(person)))
        assert looked_at == 4
        return [envelope.parse(raw, village.domain) for raw in envelopes]

    assert await given("bo") == [words[0]]
    assert await given("ana") == [named, words[0], others]
    assert (await hub.http.post("/v1/content", content=asked)).status_code == 401


async def test_a_person_is_told_whether_hubs_enough_agree_on_its_money(hub: PhoneHub) -> None:
    await populate(hub)
    await hub.take(
        *(each for at, name in enumerate(("one", "two"), 2) for each in hub.village.found(name, at, uplink=True))
    )

    async def agreed() -> list[bool]:
        return [row[4] for row in said(await hub.http.get("/v1/balances", headers=await hub.auth("bo")))]

    await hub.take(hub.village.balance("one", [("bo", None, 9, 1)]))
    assert await agreed() == [False], "one operator's word, where another could have looked"
    await hub.take(hub.village.balance("two", [("bo", None, 9, 1)]))
    assert await agreed() == [True]


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


async def test_while_the_views_lag_a_key_of_nobody_is_told_to_come_again(
    hub: PhoneHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    await populate(hub)
    monkeypatch.setattr(hub.door, "_ports", replace(hub.door._ports, is_late=lambda: True))
    answer = await hub.http.get("/v1/actions", headers=await hub.auth("nobody"))
    assert (answer.status_code, said(answer)["code"]) == (429, "busy")
    assert await hub.read("ana"), "whom the views have met already is served"
    lost = Reader(Scope.OWN, hub.village.principal("nobody"), hub.village.principal("nobody"))
    with pytest.raises(RemoteError) as told:
        hub.door.still(lost)
    assert told.value.code == "busy"


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
