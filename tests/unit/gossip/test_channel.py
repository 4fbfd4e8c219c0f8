"""One end of a link, with its tasks in the test's hands."""

import asyncio
from typing import Any

import pytest
from builders import Village
from twins import MemoryStore

from hubd.action.envelope import encode
from hubd.gossip import wire
from hubd.gossip.channel import Channel
from hubd.gossip.content import Sought
from hubd.gossip.dialogue import Parties
from hubd.gossip.peer import Side
from hubd.intake import SetIntake

VILLAGE = Village(seed=5)
US, PEER = VILLAGE.principal("us"), VILLAGE.principal("peer")


class Home:
    """A house that begins nothing by itself."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.intake = SetIntake(self.store, VILLAGE.domain)
        self.begun: list[Any] = []
        self.spawn = self.begun.append
        self.now = lambda: 0.0
        self.report = lambda _event: None


@pytest.mark.parametrize("is_cut", [True, False])
def test_what_waits_to_be_offered_is_let_go_when_its_hub_is_cut_off(is_cut):
    home = Home()
    parties = Parties(US, PEER, bytes(8))
    channel = Channel(home, Side.ACCEPTED, parties, Sought(), send=lambda _raw: "", lost=lambda _reason: None)
    channel.take(wire.encode(wire.Push((encode(VILLAGE.register("amina")),))))
    assert len(home.begun) == 1
    if is_cut:
        channel.close()
    asyncio.run(home.begun[0])
    assert asyncio.run(home.store.summary()).count == (0 if is_cut else 1)


def test_a_question_that_comes_again_before_its_answer_has_one_too_and_a_third_is_a_fault():
    home, said = Home(), []
    parties = Parties(US, PEER, bytes(8))
    channel = Channel(home, Side.ACCEPTED, parties, Sought(), send=lambda raw: said.append(raw) or "", lost=said.append)
    ids = tuple(VILLAGE.register(name).id for name in ("amina", "bahati", "chiku"))
    for id_ in ids:
        channel.take(wire.encode(wire.AskContent((id_,))))
    assert [wire.decode(raw) for raw in said] == [wire.Fault("order")]
    said.clear()
    home.sleep = asyncio.sleep
    while home.begun:
        asyncio.run(home.begun.pop(0))
    assert [wire.decode(raw) for raw in said] == [wire.Content(1, ())] * 2
