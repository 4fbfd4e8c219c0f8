"""The outbox: durable, in order, and never emptied before two hubs or the chain have what is in it."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from builders import Village

from hubd.action import envelope
from hubd.action.sip018 import ActionId
from hubd.errors import FatalError
from hubd.phone.outbox import Opening, Outbox
from hubd.ports import Outcome, Verdict

VILLAGE = Village(1)
ONE, TWO, THREE = (VILLAGE.principal(name) for name in ("hub-a", "hub-b", "hub-c"))


@pytest.fixture
async def outbox(tmp_path: Path) -> AsyncIterator[Outbox]:
    opened = await Outbox.open(tmp_path / "outbox.sqlite3")
    yield opened
    await opened.close()


def ok(action_id: ActionId) -> tuple[ActionId, Outcome]:
    return action_id, Outcome(Verdict.OK, action_id)


async def kept(outbox: Outbox) -> list[ActionId]:
    return [item.id for item in await outbox.items(kept_only=True)]


async def test_actions_stay_in_the_order_of_signing(outbox: Outbox) -> None:
    actions = [VILLAGE.request("ana") for _ in range(5)]
    for action in (*actions, actions[0]):
        await outbox.add(action)
    items = await outbox.items()
    assert [item.id for item in items] == [action.id for action in actions]
    assert items[0].envelope == envelope.encode(actions[0])


async def test_two_hubs_are_two_different_hubs(outbox: Outbox) -> None:
    await outbox.add(action := VILLAGE.request("ana"))
    for hub, left in ((ONE, [action.id]), (ONE, [action.id]), (TWO, [])):
        await outbox.answer(hub, [ok(action.id)])
        assert await kept(outbox) == left
    assert (await outbox.items())[0].hubs == {ONE, TWO}, "it is remembered all the same"


async def test_a_deferral_and_a_refusal_are_told_apart(outbox: Outbox) -> None:
    late, never = VILLAGE.request("ana"), VILLAGE.request("ana")
    await outbox.add(late)
    await outbox.add(never)
    await outbox.answer(
        ONE,
        [
            (late.id, Outcome(Verdict.DEFERRED, late.id, "hour")),
            (never.id, Outcome(Verdict.REFUSED, None, "signature")),
        ],
    )
    assert [(item.code, item.is_refused) for item in await outbox.items()] == [("hour", False), ("signature", True)]
    await outbox.answer(ONE, [ok(late.id)])
    assert [item.code for item in await outbox.items()] == ["", "signature"]


async def test_a_hub_that_lost_an_action_is_asked_again(outbox: Outbox) -> None:
    await outbox.add(action := VILLAGE.request("ana"))
    await outbox.answer(ONE, [ok(action.id)])
    await outbox.answer(TWO, [ok(action.id)])
    await outbox.unanswered(ONE, [action.id])
    assert await kept(outbox) == [action.id]
    await outbox.answer(THREE, [ok(action.id)])
    assert await kept(outbox) == []


async def test_what_a_hub_lost_and_defers_waits_for_it_whoever_else_has_it(outbox: Outbox) -> None:
    lost, other = VILLAGE.request("ana"), VILLAGE.request("ana")
    for action in (lost, other):
        await outbox.add(action)
    for hub in (ONE, TWO, THREE):
        await outbox.answer(hub, [ok(lost.id)])
    await outbox.unanswered(ONE, [lost.id])
    await outbox.answer(ONE, [(lost.id, Outcome(Verdict.DEFERRED, lost.id, "rate")), ok(other.id)])
    assert await kept(outbox) == [lost.id, other.id]
    await outbox.answer(TWO, [ok(other.id)])
    assert await kept(outbox) == [lost.id]
    await outbox.answer(ONE, [ok(lost.id)])
    assert await kept(outbox) == []


async def test_what_the_chain_has_is_not_brought_again(outbox: Outbox) -> None:
    await outbox.add(action := VILLAGE.request("ana"))
    await outbox.forget([action.id])
    assert await kept(outbox) == []


async def test_a_rating_and_its_opening_are_kept_together_or_not_at_all(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening = Opening(ActionId(b"l" * 32), 5, 3, b"words")
    await outbox.add(VILLAGE.request("ana"), opening)
    assert await outbox.opening(opening.lesson) == opening
    assert await outbox.opening(ActionId(bytes(32))) is None
    with pytest.raises(sqlite3.IntegrityError):
        await outbox.add(second := VILLAGE.request("ana"), opening)
    assert second.id not in await kept(outbox)


async def test_everything_is_there_after_it_was_opened_again(tmp_path: Path) -> None:
    outbox = await Outbox.open(tmp_path / "o")
    await outbox.add(action := VILLAGE.request("ana"))
    await outbox.answer(ONE, [ok(action.id)])
    await outbox.set_place(ONE, "aa.1.bb")
    await outbox.set_place(ONE, "aa.2.bb")
    await outbox.set_note("name", "Amina")
    await outbox.set_note("contact 01", "Ben")
    await outbox.close()
    outbox = await Outbox.open(tmp_path / "o")
    assert (await outbox.items())[0].hubs == {ONE}
    assert (await outbox.place(ONE), await outbox.place(TWO)) == ("aa.2.bb", None)
    assert (await outbox.note("name"), await outbox.note("none")) == ("Amina", None)
    assert await outbox.notes("contact ") == [("01", "Ben")]
    await outbox.close()


async def test_every_write_is_durable_when_it_returns(outbox: Outbox) -> None:
    [(mode,)] = await outbox._connection.execute_fetchall("pragma synchronous")
    assert mode == 2, "FULL"


async def test_a_file_that_is_no_outbox_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "o").write_bytes(b"something else" * 100)
    with pytest.raises(FatalError) as caught:
        await Outbox.open(tmp_path / "o")
    assert caught.value.code == "outbox"
    assert caught.value.hint


async def test_the_outbox_of_a_newer_phone_is_not_touched(tmp_path: Path) -> None:
    outbox = await Outbox.open(tmp_path / "o")
    await outbox._connection.execute("pragma user_version = 9")
    await outbox.close()
    with pytest.raises(FatalError, match="newer"):
        await Outbox.open(tmp_path / "o")


async def test_a_phone_whose_store_is_another_one_goes_on_from_no_place(outbox: Outbox) -> None:
    await outbox.set_place(ONE, "a place")
    for epoch, place in (("one", "a place"), ("one", "a place"), ("two", None)):
        await outbox.follow(epoch)
        assert await outbox.place(ONE) == place
    await outbox.set_place(ONE, "another")
    await outbox.follow("two")
    assert await outbox.place(ONE) == "another"
