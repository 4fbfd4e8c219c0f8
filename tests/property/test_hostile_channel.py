"""Whatever bytes a linked peer sends, and whatever the card does meanwhile: a hub goes on, and keeps nothing from others.

Real channels over the real link's machines (tests/houses.py). Sessions' machines alone are in test_hostile_peer.py.
Mutants these are known to kill: `_is_giving` left on after a fault of the card, `_pushes_open` not given back, a
responder that takes `Done` and an initiator that takes another answer while our own store still reads.
"""

import asyncio
import os
from itertools import product

import pytest
from houses import VILLAGE, House, Pair, turns
from hypothesis import given, settings
from hypothesis import strategies as st
from twins import MemoryStore

from hubd.action.envelope import encode, without_content
from hubd.gossip import wire
from hubd.gossip.items import SortedItems
from hubd.gossip.negentropy import Initiator as Asking
from hubd.gossip.peer import FaultSeen, Side
from hubd.gossip.sketch import SAMPLE_BYTES, SYMBOL_BYTES, Symbols, sample
from hubd.gossip.wire import NOWHERE, Place
from hubd.limits import CONTENT_AGAIN_S_MAX, LINK_PUSH_WINDOW_CHUNKS, LINK_TASKS_MAX, PEER_BAN_S

EXAMPLES = 3_000 if os.environ.get("HUBD_CAMPAIGN") else 60
seeded = settings(derandomize=True, deadline=None, max_examples=EXAMPLES)

TEXTS = [VILLAGE.seal(f"text-{number}", "profile-set", text={"text": "x" * 40}) for number in range(6)]
COMMON = [VILLAGE.register(f"common-{number}") for number in range(8)]
OURS = [*COMMON, *TEXTS[:3], *[without_content(each) for each in TEXTS[3:]]]
THEIRS = [*COMMON, *[without_content(each) for each in TEXTS[:3]], *TEXTS[3:]]
MORE = [VILLAGE.register(f"more-{number}") for number in range(4)]
LATER = [VILLAGE.register(f"later-{number}") for number in range(2)]
MESH = wire.mesh_tag(VILLAGE.domain)
SET = asyncio.run(MemoryStore(OURS).summary())
SYMBOLS = Symbols()
SYMBOLS.add([each.id for each in [*THEIRS, *MORE]])
ITEMS = SortedItems([(each.statement.created, each.id) for each in [*THEIRS, *MORE]])

ALL = [*OURS, *MORE]
ID = st.sampled_from([*[each.id for each in ALL], bytes(32)])
IDS = st.lists(ID, min_size=1, max_size=6).map(tuple)
BODY = st.sampled_from([*[encode(each) for each in [*TEXTS, *ALL]], b"bad"])
BODIES = st.lists(BODY, max_size=5).map(tuple)
NUMBERS = st.sampled_from([1, 1, 1, 2])
COUNTS = st.sampled_from([0, SET.count, SET.count, SET.count + 1, 2**40])
DIGESTS = st.sampled_from([SET.fingerprint, bytes(32)])
PLACES = st.sampled_from([NOWHERE, Place(3, bytes(8)), Place(2**60, b"\xff" * 8)])
LACK = st.integers(0, 5)
FRAMES = {
    wire.Hello: st.builds(
        wire.Hello, st.just(1), st.sampled_from([MESH, MESH, b"otherone"]), NUMBERS, COUNTS, DIGESTS, PLACES, PLACES,
        st.integers(0, 7), LACK,
    ),
    wire.Reconcile: st.builds(wire.Reconcile, NUMBERS, st.sampled_from([b"\x61", b"\x61\xff", Asking().open(ITEMS)])),
    wire.Want: st.builds(wire.Want, NUMBERS, IDS),
    wire.Actions: st.builds(wire.Actions, NUMBERS, BODIES.filter(bool), PLACES),
    wire.Took: st.builds(wire.Took, st.sampled_from([0, 1]), st.integers(0, 2)),
    wire.End: st.builds(wire.End, NUMBERS),
    wire.Done: st.builds(wire.Done, NUMBERS, COUNTS, DIGESTS, PLACES, LACK),
    wire.Push: st.builds(wire.Push, BODIES.filter(bool)),
    wire.Nudge: st.just(wire.Nudge()),
    wire.Ping: st.just(wire.Ping()),
    wire.Fault: st.builds(wire.Fault, st.sampled_from(["later", "order", "x"])),
    wire.AskSketch: st.builds(
        wire.AskSketch, NUMBERS, st.sampled_from([0, 0, 40]), st.sampled_from([0, 0, 16]),
        st.sampled_from([b"", sample(SYMBOLS.to_bytes()), bytes(SAMPLE_BYTES)]),
    ),
    wire.Sketch: st.builds(
        wire.Sketch, NUMBERS, st.sampled_from([0, 40]),
        st.sampled_from([b"", SYMBOLS.slice(0, 40), SYMBOLS.slice(0, 16), b"\xff" * SYMBOL_BYTES * 30]),
    ),
    wire.Have: st.builds(wire.Have, IDS),
    wire.Ask: st.builds(wire.Ask, IDS),
    wire.Prune: st.just(wire.Prune()),
    wire.AskContent: st.builds(wire.AskContent, IDS),
    wire.Content: st.builds(wire.Content, st.integers(0, 4), BODIES),
    wire.HaveContent: st.builds(wire.HaveContent, IDS),
}  # fmt: skip
EQUAL = wire.Hello(1, MESH, 1, SET.count, SET.fingerprint, NOWHERE, NOWHERE, 3, 1)
FAULTS = ("database", "disk-full")
SAID = st.one_of(st.just(EQUAL), *FRAMES.values()).map(wire.encode)
OF_THE_CARD = st.one_of(
    st.tuples(st.just("break"), st.sampled_from(FAULTS)),
    st.tuples(st.sampled_from(["heal", "hold"]), st.just(0)),
    st.tuples(st.just("let go"), st.integers(0, 9)),
)
MOVES = st.one_of(
    st.tuples(st.just("say"), SAID),
    st.tuples(st.just("say"), SAID),
    st.tuples(st.just("say"), SAID),
    st.tuples(st.just("say"), st.binary(max_size=40)),
    st.tuples(st.just("cut"), st.tuples(SAID, st.integers(0, 200))),
    st.tuples(st.just("again"), st.tuples(st.integers(0, 20), st.integers(1, 40))),
    OF_THE_CARD,
    st.tuples(st.just("pass"), st.sampled_from([1, 5, 40])),
    st.tuples(st.just("turns"), st.sampled_from([1, 60])),
    st.tuples(st.just("new"), st.sampled_from(MORE)),
)
POLITE = (
    wire.Push,
    wire.Ping,
    wire.Have,
    wire.Ask,
    wire.Prune,
    wire.AskContent,
    wire.HaveContent,
    wire.Hello,
    wire.Want,
)
FAIR_MOVES = st.one_of(*[FRAMES[kind].map(lambda frame: ("say", wire.encode(frame))) for kind in POLITE], OF_THE_CARD)
TASKS_SPARE = 8  # what one frame, and the hub itself, may begin beside them


class Rude:
    """A house and what its peer says to it; every frame is followed by what must hold after it."""

    def __init__(self, side):
        self.house, self.side = House("here", "there", OURS), side
        self.channel = self.house.open(side)
        self.told = []

    def say(self, raw):
        self.told.append(raw)
        self.house.said.clear()
        faults, asked = self.faults, len(self.house.tasks)
        is_open = self.house.board.get(self.house.neighbour, self.side) is self.channel
        self.channel.take(raw)
        answers = [wire.decode(each) for each in self.house.said]
        assert len(answers) <= 8
        if is_open and not _is_frame(raw):
            assert self.faults == faults + 1
            assert [type(each) for each in answers] == [wire.Fault]
        assert len(self.house.tasks) <= max(asked, LINK_TASKS_MAX + TASKS_SPARE)
        assert self.house.failures == []

    @property
    def faults(self):
        return sum(isinstance(event, FaultSeen) for event in self.house.heard)

    async def move(self, name, value):
        card = self.house.card
        match name:
            case "say":
                self.say(value)
            case "cut":
                self.say(value[0][: value[1] % len(value[0])])
            case "again":
                for raw in self.told[-value[0] - 1 :][:1] * value[1]:
                    self.say(raw)
            case "break":
                card.code = value
            case "heal":
                card.heal()
            case "hold":
                card.is_held = True
            case "let go":
                card.let_go(value)
            case "pass":
                self.house.pass_time(value)
            case "turns":
                await turns(value)
            case "new" if not card.code and not card.is_held:
                await self.house.offer(value)

    async def rest(self):
        """The card is whole again, and all that was begun comes to its end."""
        self.house.card.heal()
        for _ in range(3):
            await turns()
            self.house.pass_time(1)
        await turns()
        for _ in range(20):  # an answer rests for as long as it took
            if self.house.tasks:
                self.channel.take(wire.encode(wire.Ping()))
                self.house.pass_time(5)
                await turns()
        assert self.house.failures == []
        assert not self.house.tasks

    async def still_serves(self):
        """The same channel, if the peer was not let go: whatever was said before, an honest question has its answer."""
        if self.house.board.get(self.house.neighbour, self.side) is not self.channel:
            return
        self.house.said.clear()
        self.channel.take(wire.encode(wire.AskContent((TEXTS[0].id,))))
        for _ in range(LINK_PUSH_WINDOW_CHUNKS):
            self.channel.take(wire.encode(wire.Push((encode(COMMON[0]),))))
        await self.rest()
        answers = [wire.decode(each) for each in self.house.said]
        assert wire.Content(1, (encode(TEXTS[0]),)) in answers
        assert answers.count(wire.Took(0)) == LINK_PUSH_WINDOW_CHUNKS
        assert wire.Fault("credit") not in answers

    async def serves_anew(self):
        """An honest peer comes over another link, when whatever the rude one earned is over."""
        self.house.cut(self.side)
        self.house.pass_time(PEER_BAN_S + CONTENT_AGAIN_S_MAX)
        honest = House("there", "here", [*THEIRS, *MORE])
        pair = Pair(honest, self.house) if self.side is Side.ACCEPTED else Pair(self.house, honest)
        await pair.until_whole(120)
        for house, news in zip((self.house, honest), LATER, strict=True):
            await house.offer(news)
        await pair.go_on(2)
        assert await pair.is_whole()
        assert honest.failures == self.house.failures == []
        assert FaultSeen not in {type(event) for event in honest.heard}


def _is_frame(raw):
    try:
        wire.decode(raw)
    except wire.RemoteError:
        return False
    return True


async def story(side, moves):
    rude = Rude(side)
    for move in moves:
        await rude.move(*move)
    await rude.rest()
    await rude.still_serves()
    await rude.serves_anew()


def test_every_kind_of_frame_is_said():
    assert set(FRAMES) == {frame for frame, _ in wire._FRAMES.values()}


@seeded
@given(
    side=st.sampled_from(Side),
    moves=st.one_of(st.lists(MOVES, min_size=5, max_size=60), st.lists(FAIR_MOVES, max_size=20)),
)
def test_whatever_a_peer_says_a_hub_goes_on_and_serves_it_and_others(side, moves):
    asyncio.run(story(side, moves))


MET = wire.Hello(1, MESH, 1, SET.count, bytes(32), NOWHERE, NOWHERE, 3)
RUDE = [
    EQUAL,
    MET,
    wire.Reconcile(1, b"\x61"),
    wire.Reconcile(1, Asking().open(ITEMS)),
    wire.Want(1, (MORE[0].id, COMMON[0].id)),
    wire.Actions(1, (encode(MORE[0]),)),
    wire.Actions(1, (b"bad",), Place(3, bytes(8))),
    wire.Took(1, 1),
    wire.Took(0),
    wire.End(1),
    wire.Done(1, SET.count, SET.fingerprint, NOWHERE, 3),
    wire.Push((encode(MORE[1]),)),
    wire.Fault("later"),
    wire.AskSketch(1, 0, 0, sample(SYMBOLS.to_bytes())),
    wire.Sketch(1, 0, SYMBOLS.slice(0, 40)),
    wire.Sketch(1, 0, b""),
    wire.Have((MORE[2].id,)),
    wire.Ask((COMMON[0].id,)),
    wire.Prune(),
    wire.AskContent((TEXTS[0].id, TEXTS[4].id)),
    wire.Content(1, (encode(TEXTS[4]),)),
    wire.Content(0, ()),
    wire.HaveContent((TEXTS[4].id, TEXTS[0].id)),
]
BEGINNINGS = {
    "at once": [],
    "met": [MET],
    "equal": [EQUAL],
    "told nothing by a sketch": [MET, wire.Sketch(1, 0, b"")],
}


async def all_pairs(side, beginning, together):
    failed = []
    for pair in product(RUDE, repeat=2):
        rude = Rude(side)
        await turns(12)
        try:
            for frame in beginning:
                rude.say(wire.encode(frame))
                await turns(12)
            for frame in pair:
                rude.say(wire.encode(frame))
                await turns(0 if together else 12)
            await rude.rest()
        except AssertionError:
            failed.append((pair, rude.house.failures))
    return failed


@pytest.mark.parametrize("together", [True, False], ids=["at once", "one by one"])
@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_all_stories_of_two_rude_frames_leave_nothing_undone(side, beginning, together):
    """The exhaustive twin. Kills the mutant that takes a `Done` while its own answer is being read."""
    assert asyncio.run(all_pairs(side, BEGINNINGS[beginning], together)) == []


CARDS = {
    "was broken": [("break", "database")],
    "was full": [("break", "disk-full")],
    "breaks meanwhile": [("hold", 0)],
}


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("card", CARDS)
def test_after_one_frame_and_one_fault_of_the_card_the_same_channel_serves_again(side, card):
    """Kills the mutant that leaves `_is_giving` on after such a fault."""

    async def all_frames():
        for frame in RUDE:
            rude = Rude(side)
            await turns(12)
            for move in CARDS[card]:
                await rude.move(*move)
            rude.say(wire.encode(frame))
            await turns(12)
            rude.house.card.code = rude.house.card.code or "database"
            while rude.house.card.is_waited_for:
                rude.house.card.let_go(0)
                await turns(12)
            await rude.rest()
            await rude.still_serves()

    asyncio.run(all_frames())
