"""What one side of a session owes the other, asked of one machine with a peer spoken by hand: nothing beyond a window or an
order, and no claim before its time. Each test names the mutant that it kills.
"""

from collections.abc import Sequence

import pytest
from conversations import HUB_A, HUB_B, MESH, TwinSet, envelope, id_of

from hubd.gossip import wire
from hubd.gossip.dialogue import (
    Began,
    Ended,
    FrameReceived,
    InEvent,
    KeepCursor,
    Offer,
    OutEvent,
    Parties,
    Rung,
    SendFrame,
)
from hubd.gossip.initiator import Initiator
from hubd.gossip.negentropy import Responder as Reconciler
from hubd.gossip.responder import Responder
from hubd.gossip.session import Session
from hubd.gossip.wire import NOWHERE, STREAM, Place
from hubd.limits import SESSION_KNOWN_SPARE

OURS = [envelope(number) for number in range(3)]
THEIRS = [envelope(number) for number in range(10, 13)]
HERE, THERE = Place(3, b"our mark"), Place(3, b"its mark")


class Side:
    """One machine over a set, whose own store answers at once. `said` are its frames, `kept` the places it noted."""

    def __init__(self, machine: Session, twin: TwinSet) -> None:
        self.machine, self.twin = machine, twin
        self.said: list[wire.Frame] = []
        self.kept: list[Place] = []
        self.ended: Ended | None = None
        self.offers: list[Offer] = []  # not answered yet

    def tell(self, event: InEvent) -> None:
        self._perform(self.machine.handle(event, 0.0))

    def hear(self, *frames: wire.Frame) -> None:
        for frame in frames:
            self.tell(FrameReceived(frame))

    def judge(self) -> None:
        """What was offered is on disk."""
        while self.offers:
            self.tell(self.twin.answer(self.offers.pop(0)))

    def _perform(self, outs: Sequence[OutEvent]) -> None:
        for out in outs:
            match out:
                case SendFrame(frame):
                    self.said.append(frame)
                case KeepCursor(place):
                    self.kept.append(place)
                case Ended():
                    self.ended = out
                case Offer():
                    self.offers.append(out)
                case _ if type(out).__name__ != "Counted":
                    self.tell(self.twin.answer(out))

    @property
    def blamed(self) -> str:
        """With what code it broke off and blamed the peer."""
        return self.ended.code if self.ended is not None and self.ended.is_fault else ""


def hello(theirs: Sequence[bytes], *, cursor: Place = NOWHERE, abilities: int = 0) -> wire.Hello:
    whole = TwinSet(theirs).summary()
    return wire.Hello(1, MESH, 1, whole.count, whole.fingerprint, THERE, cursor, abilities)


def dialled(ours: Sequence[bytes]) -> Side:
    return Side(Responder(Parties(HUB_B, HUB_A, MESH), 0.0), TwinSet(ours))


def asking(ours: Sequence[bytes], theirs: Sequence[bytes]) -> tuple[Side, wire.Want]:
    """A dialler that knows by Negentropy what it lacks, and has asked for it."""
    side = Side(Initiator(1, Parties(HUB_A, HUB_B, MESH), 0.0, Rung.NEGENTROPY), TwinSet(ours))
    side.tell(Began())
    side.hear(hello(theirs))
    answering, there = Reconciler(), TwinSet(theirs)
    while not isinstance(side.said[-1], wire.Want):
        assert isinstance(side.said[-1], wire.Reconcile), side.said
        side.hear(wire.Reconcile(1, answering.handle(there.items, side.said[-1].message)))
    return side, side.said[-1]


@pytest.mark.parametrize(("count", "blamed"), [(3, ""), (4, "order")])
def test_a_hub_may_give_as_many_actions_as_were_asked_for_and_not_one_more(count, blamed):
    """Kills the mutant that never looks how many are still owed."""
    side, want = asking(OURS, [*OURS, *THEIRS])
    assert sorted(want.ids) == sorted(map(id_of, THEIRS))
    side.hear(*[wire.Actions(1, (envelope(number),)) for number in range(10, 10 + count)])
    assert side.blamed == blamed
    assert len(side.offers) == 3


def test_who_gives_what_nobody_wanted_in_one_frame_is_blamed_before_it_is_looked_at():
    side, want = asking(OURS, [*OURS, *THEIRS])
    side.hear(wire.Actions(1, tuple(envelope(number) for number in range(100, 101 + len(want.ids)))))
    assert side.blamed == "order"
    assert side.offers == []


def streaming() -> Side:
    """A dialled side all of whose stream is on its way, and none of it acknowledged."""
    side = dialled(OURS)
    side.hear(hello([], abilities=STREAM))
    assert [type(frame) for frame in side.said] == [wire.Hello, wire.Actions, wire.End]
    return side


def test_who_says_done_before_it_took_what_it_was_given_is_blamed():
    """Kills the mutant that compares sets while its own chunks are on their way."""
    whole = TwinSet(OURS).summary()
    done = wire.Done(1, whole.count, whole.fingerprint, THERE)
    early = streaming()
    early.hear(done)
    assert early.blamed == "order"
    side = streaming()
    side.hear(wire.Took(1, 3), done)
    assert side.ended.is_proven


def test_a_place_is_kept_when_all_up_to_it_is_on_disk():
    side = dialled(OURS)
    side.hear(hello(THEIRS), wire.Actions(1, tuple(THEIRS[:2])), wire.Actions(1, (THEIRS[2],), THERE))
    first, second = side.offers
    side.tell(side.twin.answer(second))
    assert side.kept == [], "the first chunk may be lost yet"
    side.tell(side.twin.answer(first))
    assert side.kept == [THERE]


@pytest.mark.parametrize("bad_at", [0, 1])
def test_no_place_is_kept_beyond_an_action_that_was_refused(bad_at):
    """Kills the mutant that keeps the place all the same: what was refused may be a rotten row that a scrub mends."""
    chunks = [[THEIRS[0]], [THEIRS[1]]]
    chunks[bad_at] = [b"bad" + bytes(30)]
    side = dialled(OURS)
    side.hear(hello(THEIRS))
    for number, chunk in enumerate(chunks, 1):
        side.hear(wire.Actions(1, tuple(chunk), Place(number, THERE.mark)))
        side.judge()
    assert side.kept == [Place(1, THERE.mark)][:bad_at]
    assert side.said[-2:] == [wire.Took(1, bad_at), wire.Took(1, 1 - bad_at)]


def test_the_same_actions_over_and_over_are_a_flood_before_long():
    """Kills the mutant that counts only what is new."""
    side, spare = dialled(OURS), SESSION_KNOWN_SPARE + len(OURS)
    side.hear(hello(THEIRS))
    given = 0
    while side.ended is None:
        side.hear(wire.Actions(1, tuple([OURS[0]] * 256)))
        side.judge()
        given += 256
        assert given <= spare + 256
    assert side.blamed == "flood"
    assert given > spare
