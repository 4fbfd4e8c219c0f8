"""Frames that no window bounds, and frames of sessions that are over: a busy hub may say many, a flood is a fault."""

from itertools import count

import pytest
from houses import VILLAGE, House, turns

from hubd.action.sip018 import ActionId
from hubd.gossip import wire
from hubd.gossip.peer import Side
from hubd.limits import (
    HAVE_GATHER_S,
    HAVE_IDS_MAX,
    HAVE_QUEUE_IDS_MAX,
    LINK_LATE_FRAMES_MAX,
    LINK_WINDOW_CHUNKS,
    LINK_WORDS_BURST_MAX,
    LINK_WORDS_PER_S_MAX,
    PEER_FAULTS_MAX,
)

NUMBERS = count()
MESH = wire.mesh_tag(VILLAGE.domain)
ENOUGH = 10_000


def ids(many: int) -> tuple[ActionId, ...]:
    return tuple(ActionId(next(NUMBERS).to_bytes(32, "big")) for _ in range(many))


class Talker:
    """A hub with one neighbour, and the neighbour's words in the test's hands."""

    def __init__(self, side: Side = Side.ACCEPTED) -> None:
        self.house = House("us", "talker", [VILLAGE.register("amina")])
        self.side = side
        self.open()
        self.sessions = count(1)

    def open(self) -> None:
        self.channel = self.house.open(self.side)

    def say(self, frame: wire.Frame) -> None:
        self.channel.take(wire.encode(frame))

    def greet(self) -> int:
        number = next(self.sessions)
        self.say(wire.Hello(1, MESH, number, 1, bytes(32), wire.NOWHERE, wire.NOWHERE, 0))
        return number

    @property
    def faults(self) -> int:
        return len(self.house.peers[self.house.neighbour].faults)

    @property
    def is_banned(self) -> bool:
        return self.house.status()[0].state == "banned"

    def floods(self, *frames: wire.Frame) -> int:
        """How many of these it says until it is left alone."""
        for said in range(ENOUGH):
            if self.is_banned:
                return said
            self.say(frames[said % len(frames)])
        return ENOUGH


WORDS = [
    wire.Ping(),
    wire.Prune(),
    wire.Nudge(),
    wire.Have(ids(HAVE_IDS_MAX)),
    wire.Ask(ids(HAVE_IDS_MAX)),
    wire.HaveContent(ids(1)),
    wire.Fault("order"),
]


@pytest.mark.parametrize("word", WORDS, ids=lambda word: type(word).__name__)
async def test_a_flood_of_words_that_no_window_bounds_ends_with_a_hub_that_is_left_alone(word):
    talker = Talker(Side.DIALLED)
    assert talker.floods(word) <= LINK_WORDS_BURST_MAX + PEER_FAULTS_MAX
    counters = talker.house.status()[0].counters
    assert counters["flood"] == PEER_FAULTS_MAX


async def test_a_fault_is_never_answered_by_a_fault():
    talker = Talker()
    talker.floods(wire.Fault("order"))
    assert not talker.house.said


async def test_who_comes_back_over_another_link_has_no_more_words_than_before():
    talker = Talker()
    for _ in range(LINK_WORDS_BURST_MAX):
        talker.say(wire.Ping())
    assert talker.faults == 0
    talker.house.cut(talker.side)
    talker.open()
    talker.say(wire.Ping())
    assert talker.faults == 1


async def test_a_hub_that_has_as_much_to_tell_as_any_can_breaks_no_rule_however_long():
    talker = Talker(Side.DIALLED)
    seconds = 600
    for _ in range(int(seconds / HAVE_GATHER_S)):
        for _ in range(HAVE_QUEUE_IDS_MAX // HAVE_IDS_MAX):
            talker.say(wire.Have(ids(1)))
            talker.say(wire.Ask(ids(1)))
            talker.say(wire.HaveContent(ids(1)))
        talker.house.time += HAVE_GATHER_S
        talker.house.said.clear()
    assert talker.faults == 0
    assert 3 * HAVE_QUEUE_IDS_MAX / HAVE_IDS_MAX / HAVE_GATHER_S <= LINK_WORDS_PER_S_MAX


# --- frames of sessions that are over


def all_that_may_be_on_its_way(number: int) -> list[wire.Frame]:
    chunks = [wire.Actions(number, (b"x",))] * LINK_WINDOW_CHUNKS
    return [*chunks, *[wire.Took(number, 1)] * LINK_WINDOW_CHUNKS, wire.End(number), wire.Want(number, ids(1))]


async def test_what_was_on_its_way_when_a_session_ended_breaks_no_rule():
    talker = Talker()
    for _ in range(20):
        number = talker.greet()
        await turns()
        talker.say(wire.Fault("deferred"))
        for frame in all_that_may_be_on_its_way(number):
            talker.say(frame)
        talker.greet()
        for frame in all_that_may_be_on_its_way(number):
            talker.say(frame)
        await turns()
        talker.house.pass_time(20)
    assert talker.faults == 0
    assert talker.house.status()[0].counters["late"] > 100


@pytest.mark.parametrize("is_in_session", [True, False])
async def test_a_flood_of_frames_of_sessions_that_are_over_ends_with_a_hub_that_is_left_alone(is_in_session):
    talker = Talker()
    talker.greet()
    if not is_in_session:
        talker.say(wire.Fault("deferred"))
    assert talker.floods(*all_that_may_be_on_its_way(77)) <= LINK_LATE_FRAMES_MAX + PEER_FAULTS_MAX


async def test_frames_of_another_session_keep_none_alive():
    talker = Talker()
    talker.greet()
    await turns()
    for _ in range(35):
        talker.say(wire.Took(77, 1))
        talker.house.pass_time(1)
        talker.say(wire.Ping())
    assert talker.house.status()[0].last_code == "silent"
