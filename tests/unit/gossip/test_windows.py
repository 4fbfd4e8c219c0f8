"""The windows of one link, held against a peer that keeps to none. Each test names the mutant that it kills."""

import asyncio
from typing import Any

import pytest
from builders import Village
from twins import MemoryStore

from hubd.action.envelope import encode
from hubd.gossip import wire
from hubd.gossip.channel import Channel
from hubd.gossip.content import Sought
from hubd.gossip.dialogue import Parties, Rung
from hubd.gossip.negentropy import Initiator as Asking
from hubd.gossip.peer import FaultSeen, Side
from hubd.gossip.push import PushQueue
from hubd.gossip.wire import NOWHERE
from hubd.intake import SetIntake
from hubd.limits import (
    LINK_CHUNK_BYTES_MAX,
    LINK_PING_S,
    LINK_PUSH_OPEN_CHUNKS_MAX,
    LINK_PUSH_QUEUE_ACTIONS_MAX,
    LINK_PUSH_QUEUE_BYTES_MAX,
    LINK_PUSH_WINDOW_CHUNKS,
    LINK_SILENCE_S,
    LINK_TASKS_MAX,
)

VILLAGE = Village(seed=5)
US, PEER = VILLAGE.principal("us"), VILLAGE.principal("peer")
MESH = bytes(8)
TURNS_MAX = 3  # of two ends that answer each other, a second


class Home:
    """A house in which nothing that takes time is done before the test says so, and time passes where it rests."""

    def __init__(self) -> None:
        self.store = MemoryStore([VILLAGE.register("amina")])
        self.intake = SetIntake(self.store, VILLAGE.domain)
        self.begun: list[Any] = []
        self.spawn = self.begun.append
        self.time = 1_000.0
        self.rests_s: list[float] = []
        self.heard: list[Any] = []
        self.report = self.heard.append
        self.admits_session = self.admits_word = lambda _hub: True
        self.rests = lambda _hub: False
        self.takes_fill = lambda _hub, _side: True
        self.first_rung = lambda _hub: Rung.CURSOR

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.rests_s.append(seconds)
        self.time += seconds

    @property
    def faults(self) -> list[str]:
        return [event.code for event in self.heard if isinstance(event, FaultSeen)]

    def do(self) -> None:
        """All that was begun."""
        while self.begun:
            asyncio.run(self.begun.pop(0))


class End:
    """One end of a link, and the peer's frames by hand."""

    def __init__(self, side: Side = Side.ACCEPTED) -> None:
        self.home = Home()
        self.said: list[wire.Frame] = []
        self.losses: list[str] = []
        self.heard_of = 0  # of what was said
        self.channel = Channel(
            self.home, side, Parties(US, PEER, MESH), Sought(), send=self._send, lost=self.losses.append
        )

    def _send(self, raw: bytes) -> str:
        self.said.append(wire.decode(raw))
        return ""

    def hear(self, *frames: wire.Frame) -> None:
        for frame in frames:
            self.channel.take(wire.encode(frame))

    def close(self) -> None:
        self.channel.close()
        self.home.do()


def push(name: str) -> wire.Push:
    return wire.Push((encode(VILLAGE.register(name)),))


def hello(number: int) -> wire.Hello:
    return wire.Hello(1, MESH, number, 1, bytes(32), NOWHERE, NOWHERE, 0)


# --- pushes


def test_as_many_pushes_may_wait_for_our_card_as_the_window_says_and_the_next_is_a_fault():
    """Kills the mutant that takes every push."""
    end = End()
    names = [f"push-{number}" for number in range(LINK_PUSH_OPEN_CHUNKS_MAX + 1)]
    end.hear(*map(push, names[:-1]))
    assert (end.home.faults, len(end.home.begun)) == ([], LINK_PUSH_OPEN_CHUNKS_MAX)
    end.hear(push(names[-1]))
    assert end.home.faults == ["credit"]
    assert end.said == [wire.Fault("credit")]
    assert len(end.home.begun) == LINK_PUSH_OPEN_CHUNKS_MAX, "it is not offered to the card"
    end.home.do()
    assert end.said[1:] == [wire.Took(0)] * LINK_PUSH_OPEN_CHUNKS_MAX
    end.hear(push("later"))
    assert end.home.faults == ["credit"], "there is room again"
    end.close()


def test_what_waits_for_a_peer_that_takes_nothing_is_bounded_in_bytes_however_few_actions_it_is():
    """Kills the mutant that counts actions alone."""
    queue, size = PushQueue(), LINK_CHUNK_BYTES_MAX
    fits = LINK_PUSH_QUEUE_BYTES_MAX // size
    assert fits < LINK_PUSH_QUEUE_ACTIONS_MAX
    queue.add([bytes(size)] * LINK_PUSH_WINDOW_CHUNKS)
    assert len(queue.due()) == LINK_PUSH_WINDOW_CHUNKS
    for _ in range(fits):
        queue.add([bytes(size)])
        assert queue.due() == []
        assert not queue.shed()
    queue.add([b"x"])
    assert queue.due() == []
    assert queue.shed()
    assert queue.is_empty
    assert not queue.shed(), "what was dropped is not counted any more"
    queue.acknowledge()
    queue.add([bytes(size)] * fits)
    assert [len(chunk) for chunk in queue.due()] == [1]
    assert not queue.shed(), "what was sent is not counted either"


# --- what our own store is asked for


def test_a_peer_that_asks_for_more_than_all_windows_together_allow_is_at_fault():
    """Kills the mutant that begins every work that it is asked for."""
    end = End()
    end.hear(*map(hello, range(1, LINK_TASKS_MAX + 1)))
    assert (end.home.faults, len(end.home.begun)) == ([], LINK_TASKS_MAX)
    end.hear(hello(LINK_TASKS_MAX + 1))
    assert end.home.faults == ["flood"]
    assert len(end.home.begun) == LINK_TASKS_MAX, "it is not begun"
    end.hear(wire.Ping())
    assert end.home.faults == ["flood", "flood"], "nothing is heard until some of it is done"
    end.home.do()
    end.said.clear()
    end.hear(wire.Ping())
    assert end.said == [wire.Ping()]
    end.close()


@pytest.mark.parametrize("took_s", [0.0, 0.3])
def test_a_comparison_is_followed_by_as_long_a_rest_as_it_took(took_s):
    """Kills the mutant without the rest: a peer that asks without end would have the whole processor."""
    end = End()

    async def slow(work):
        end.home.time += took_s
        return work(end.home.store_items)

    end.home.store_items = asyncio.run(end.home.store.over_items(lambda items: items))
    end.home.store.over_items = slow
    end.hear(hello(1))
    end.home.do()
    began = end.home.time
    end.hear(wire.Reconcile(1, Asking().open(end.home.store_items)))
    end.home.do()
    assert end.home.rests_s == [pytest.approx(took_s)]
    assert end.home.time - began == pytest.approx(2 * took_s)
    assert isinstance(end.said[-1], wire.Reconcile), "the answer is on its way before the rest"
    end.close()


# --- silence


@pytest.mark.parametrize("side", Side)
def test_a_link_is_given_up_after_so_long_a_silence_and_any_frame_is_a_sign_of_life(side):
    """Kills the mutant that waits for ever."""
    end = End(side)
    end.home.time += LINK_SILENCE_S
    end.channel.tick()
    assert end.losses == []
    end.hear(wire.Prune())
    end.home.time += LINK_SILENCE_S
    end.channel.tick()
    assert end.losses == []
    end.home.time += 0.1
    end.channel.tick()
    end.channel.tick()
    assert end.losses == ["silent"], "told once"
    end.close()


def idle_pings(hours: int) -> int:
    """How often two ends of a link on which nothing happens ask each other for a sign of life."""
    ends = dialler, accepter = End(Side.DIALLED), End(Side.ACCEPTED)
    for _ in range(hours * 3_600):
        for end in ends:
            end.home.time += 1
            end.channel.tick()
        for _ in range(TURNS_MAX):
            for end, other in (ends, ends[::-1]):
                said, end.heard_of = end.said[end.heard_of :], len(end.said)
                other.hear(*said)
    assert not dialler.losses + accepter.losses
    assert {type(frame) for frame in dialler.said + accepter.said} == {wire.Ping}
    assert len(accepter.said) == len(dialler.said), "each has its answer"
    return len(dialler.said)


def test_on_an_idle_link_one_side_asks_for_a_sign_of_life_as_often_as_its_limit_says_and_the_other_answers_once():
    """Kills the mutants that answer an answer, and that ask on both sides."""
    assert idle_pings(hours=1) == 3_600 // LINK_PING_S
