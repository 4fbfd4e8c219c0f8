"""Two honest hubs, and cards that fail, hang and answer in any order: nobody is blamed, and one link is enough for all.

Mutants these are known to kill: a seeker that is not told that its store failed, `_is_giving` left on, a comparison
whose turn a fault does not end, a loaded piece that is not reported when the card can't be read.
"""

import asyncio
import os
from contextlib import suppress
from itertools import count

import pytest
from houses import VILLAGE, House, Pair, turns
from hypothesis import given, settings
from hypothesis import strategies as st

from hubd.action.envelope import without_content
from hubd.errors import LocalError
from hubd.gossip import wire
from hubd.gossip.dialogue import Ended, Rung
from hubd.gossip.peer import FaultSeen, SessionEnded, Side
from hubd.limits import ASK_AFTER_S, ASKS_UNKEPT_MAX, SESSION_STALLED_S_MAX

EXAMPLES = 5_000 if os.environ.get("HUBD_CAMPAIGN") else 100
seeded = settings(derandomize=True, deadline=None, max_examples=EXAMPLES)

TEXTS = [VILLAGE.seal(f"writer-{number}", "profile-set", text={"text": "x" * 40}) for number in range(6)]
COMMON = [VILLAGE.register(f"both-{number}") for number in range(8)]
FIRST = [*COMMON, *TEXTS[:3], *[without_content(each) for each in TEXTS[3:]]]
SECOND = [*COMMON, *[without_content(each) for each in TEXTS[:3]], *TEXTS[3:], VILLAGE.register("second")]
NEWS = [VILLAGE.register(f"news-{number}") for number in range(6)]

MOVES = st.tuples(
    st.sampled_from([0, 1]),
    st.one_of(
        st.tuples(st.just("break"), st.sampled_from(["database", "disk-full"])),
        st.tuples(st.sampled_from(["heal", "hold", "prune"]), st.just(0)),
        st.tuples(st.just("let go"), st.integers(0, 9)),
        st.tuples(st.just("turns"), st.sampled_from([1, 7, 60])),
        st.tuples(st.just("deliver"), st.just(0)),
        st.tuples(st.just("deliver"), st.just(0)),
        st.tuples(st.just("go on"), st.sampled_from([1, 2, 5])),
        st.tuples(st.just("news"), st.sampled_from(NEWS)),
    ),
)


def prune(pair):
    """Both ends of the link call it lazy: ids are announced, and bodies asked for."""
    for channel in pair.channels:
        channel.take(wire.encode(wire.Prune()))


async def move(pair, house, name, value):
    match name:
        case "break":
            house.card.code = value
        case "heal":
            house.card.heal()
        case "hold":
            house.card.is_held = True
        case "let go":
            house.card.let_go(value)
        case "prune":
            prune(pair)
        case "turns":
            await turns(value)
        case "deliver":
            pair.deliver()
        case "go on":
            await pair.go_on(value)
        case "news" if not house.card.code and not house.card.is_held:
            await house.offer(value)


async def end_well(pair, channels):
    """Both cards are whole again: over the very same link both sets become one, and nobody is blamed for anything."""
    houses = (pair.first, pair.second)
    for house in houses:
        house.card.heal()
    await pair.until_whole(3 * SESSION_STALLED_S_MAX // 10, 10.0)
    await pair.go_on(4, 10.0)
    assert all(house.board.get(house.neighbour, side) is channel for house, side, channel in channels)
    for house in houses:
        assert house.failures == []
        assert not house.tasks
        assert not [event for event in house.heard if isinstance(event, FaultSeen)]
        ended = [event.ended for event in house.heard if isinstance(event, SessionEnded)]
        assert {each.detail for each in ended if each.is_fault or each.code == "remote-fault"} <= {"deferred"}
    for house, name in zip(houses, ("last-a", "last-b"), strict=True):
        prune(pair)
        await house.offer(VILLAGE.register(name))
        await pair.go_on(4)
        assert await pair.is_whole()


async def story(moves):
    first, second = House("here", "there", FIRST), House("there", "here", SECOND)
    pair = Pair(first, second)
    channels = [(first, Side.DIALLED, pair.channels[0]), (second, Side.ACCEPTED, pair.channels[1])]
    for at, (name, value) in moves:
        await move(pair, (first, second)[at], name, value)
    await end_well(pair, channels)


@seeded
@given(moves=st.lists(MOVES, max_size=40))
def test_whatever_the_cards_of_two_hubs_do_one_link_serves_both_when_they_are_whole(moves):
    asyncio.run(story(moves))


async def one_fault(at, step, code, rung):
    first, second = House("here", "there", FIRST), House("there", "here", SECOND)
    first.peers[first.neighbour].last = Ended(False, "busy", rung=rung)
    pair = Pair(first, second)
    channels = [(first, Side.DIALLED, pair.channels[0]), (second, Side.ACCEPTED, pair.channels[1])]
    questions = count()
    failing = (first, second)[at].card
    failing.faults = lambda: code if next(questions) == step else ""
    await pair.go_on(25)
    prune(pair)
    for house, news in zip((first, second), NEWS, strict=False):
        with suppress(LocalError):
            await house.offer(news)
    await pair.go_on(35)
    failing.faults = None
    await first.card.whole.append([VILLAGE.register("unheard")])  # and not pushed: a session must tell it
    first.peers[first.neighbour].last = Ended(False, "busy", rung=rung)
    await end_well(pair, channels)
    return next(questions) > step


@pytest.mark.parametrize("rung", [Rung.HELLO, Rung.CURSOR, Rung.SKETCH])
@pytest.mark.parametrize("code", ["database", "disk-full"])
@pytest.mark.parametrize("at", [0, 1])
def test_any_one_answer_of_a_store_may_fail(at, code, rung):
    """The exhaustive twin: the first, the second, ... question to one card is not answered, on each way down the ladder."""
    step = 0
    while asyncio.run(one_fault(at, step, code, rung)):
        step += 1
    assert step > 10


async def test_a_hub_whose_card_can_not_be_read_asks_all_the_same_for_what_it_heard_of():
    """Else who told of it would be taken for one that does not give what it announces, and not be heard for a minute."""
    house = House("here", "there", COMMON)
    channel = house.open(Side.ACCEPTED)
    house.card.code = "database"
    for news in NEWS[:ASKS_UNKEPT_MAX]:
        house.said.clear()
        channel.take(wire.encode(wire.Have((news.id,))))
        house.pass_time(ASK_AFTER_S + 0.1)
        await turns()
        assert wire.encode(wire.Ask((news.id,))) in house.said
    assert channel.traffic.counters["database"] == ASKS_UNKEPT_MAX
