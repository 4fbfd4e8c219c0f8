"""Whatever a peer says, in whatever order and however often: a machine goes on or ends, and its work stays bounded.

Frames are true to the grammar and lie about everything else; test_wire.py has the bytes that are no frames.
"""

from itertools import product

import pytest
from conversations import MESH, Conversation, TwinSet, envelope, id_of
from hypothesis import given, settings
from hypothesis import strategies as st

from hubd.errors import RemoteError
from hubd.gossip import wire
from hubd.gossip.dialogue import FrameReceived, SendFrame, TimerFired
from hubd.gossip.negentropy import Initiator as Asking
from hubd.gossip.negentropy import Responder as Answering
from hubd.gossip.sketch import SAMPLE_BYTES, SYMBOL_BYTES, sample
from hubd.gossip.wire import NOWHERE, Place
from hubd.limits import LINK_WINDOW_CHUNKS, SESSION_SILENCE_S

seeded = settings(derandomize=True, deadline=None, max_examples=400)

HERE, GONE = TwinSet(envelope(n) for n in range(40)), TwinSet(envelope(n) for n in range(30, 90))
OPENING = Asking().open(HERE.items)
COUNTS = st.sampled_from([0, 1, 40, 2**40])
DIGESTS = st.sampled_from([HERE.summary().fingerprint, bytes(32)])
PLACES = st.sampled_from([NOWHERE, HERE.place(40), HERE.place(3), GONE.place(3), Place(2**62, bytes(8))])
SYMBOLS = st.sampled_from([
    b"", GONE.symbols.slice(0, 40), GONE.symbols.slice(0, 400), bytes(SYMBOL_BYTES), b"\xff" * SYMBOL_BYTES * 1_024,
    GONE.symbols.slice(0, 1) * 30, TwinSet([envelope(7)]).symbols.slice(0, 1) * 64,
])  # fmt: skip
RUDE_FRAMES = [
    wire.Hello(1, MESH, 1, 40, HERE.summary().fingerprint, HERE.place(40), GONE.place(3), 7),
    wire.Hello(1, b"otherone", 1, 40, bytes(32), NOWHERE, NOWHERE, 0),
    wire.Reconcile(1, b"\x61"),
    wire.Reconcile(1, OPENING),
    wire.Reconcile(1, Answering().handle(GONE.items, OPENING)),
    wire.Reconcile(1, b"\x62"),
    wire.Reconcile(1, b"\x61\xff"),
    wire.Want(1, (id_of(envelope(3)),)),
    wire.Want(1, (bytes(32),) * 9),
    wire.Actions(1, (envelope(3),)),
    wire.Actions(1, (b"bad",), Place(9, bytes(8))),
    wire.Actions(1, (envelope(99), envelope(3)), GONE.place(3)),
    wire.Took(1),
    wire.End(1),
    wire.Done(1, 40, HERE.summary().fingerprint, HERE.place(40)),
    wire.AskSketch(1, 0, 0, sample(GONE.symbols.to_bytes())),
    wire.AskSketch(1, 900, 900, b""),
    wire.Sketch(1, 0, GONE.symbols.slice(0, 60)),
    wire.Sketch(1, 0, b"\xff" * SYMBOL_BYTES * 30),
    wire.End(2),
    wire.Push((envelope(5),)),
    wire.Nudge(),
    wire.Ping(),
    wire.Have((bytes(32),)),
    wire.Prune(),
    wire.Fault("x"),
]
FRAMES = st.one_of(
    st.sampled_from(RUDE_FRAMES),
    st.builds(wire.Hello, st.just(1), st.just(MESH), st.just(1), COUNTS, DIGESTS, PLACES, PLACES, st.integers(0, 9)),
    st.builds(wire.AskSketch, st.just(1), st.integers(0, 1_024), st.integers(0, 1_024),
              st.sampled_from([b"", bytes(SAMPLE_BYTES), b"\xff" * SAMPLE_BYTES])),
    st.builds(wire.Sketch, st.just(1), st.sampled_from([0, 1, 16, 40, 1_024]), SYMBOLS),
    st.builds(wire.Done, st.just(1), COUNTS, DIGESTS, PLACES),
)  # fmt: skip


def conversation():
    return Conversation(TwinSet(envelope(n) for n in range(20, 60)), TwinSet(envelope(n) for n in range(40)))


def say(talk, honest, frame):
    """Hand an honest machine a frame of its peer; what it sends is lost."""
    talk.feed(honest, FrameReceived(wire.decode(wire.encode(frame))))
    (talk.b if honest is talk.a else talk.a).inbox.clear()


def answer_all(talk, honest):
    for _ in range(200):
        if not honest.asked:
            return
        talk._answer(honest, 0)
    raise AssertionError("a machine that asks its own store for ever")


@seeded
@given(frames=st.lists(FRAMES, max_size=30), is_dialler_rude=st.booleans(), timing=st.randoms(use_true_random=False))
def test_whatever_a_peer_says_in_whatever_order_a_machine_goes_on_or_ends(frames, is_dialler_rude, timing):
    talk = conversation()
    honest = talk.b if is_dialler_rude else talk.a
    for frame in frames:
        say(talk, honest, frame)
        while honest.asked and timing.random() < 0.7:
            talk._answer(honest, timing.randrange(len(honest.asked)))
    assert len(honest.asked) <= 2 * LINK_WINDOW_CHUNKS
    assert len(honest.twin.here) <= 61 + 1


MET = wire.Hello(1, MESH, 1, 61, bytes(32), NOWHERE, NOWHERE, 3)


@pytest.mark.parametrize("is_dialler_rude", [True, False])
@pytest.mark.parametrize("before", [[], [MET]], ids=["at once", "after a hello"])
def test_all_stories_of_two_rude_frames_end_or_go_on(before, is_dialler_rude):
    """The exhaustive twin. Kills the mutant that takes a `Done` while it owes an `End`, and meets an open assertion."""
    ended = 0
    for frames in product(RUDE_FRAMES, repeat=2):
        talk = conversation()
        honest = talk.b if is_dialler_rude else talk.a
        answer_all(talk, honest)
        for frame in [*before, *frames]:
            say(talk, honest, frame)
            answer_all(talk, honest)
        ended += honest.ended is not None
    assert ended > len(RUDE_FRAMES) ** 2 / 3


@settings(seeded, max_examples=150)
@given(
    seed=st.randoms(use_true_random=False),
    at=st.integers(0, 30),
    kind=st.sampled_from(["cut", "bit", "twice", "late", "swap", "lost"]),
    is_to_dialler=st.booleans(),
)
def test_one_frame_damaged_in_an_honest_talk_costs_at_most_that_session(seed, at, kind, is_to_dialler):
    """Truncated, changed, repeated, replayed, reordered, lost: the next session repairs whatever it left."""
    a, b = TwinSet(envelope(n) for n in range(60)), TwinSet(envelope(n) for n in range(30, 90))
    wanted = {**a.envelopes, **b.envelopes}
    talk = Conversation(a, b)
    victim = talk.a if is_to_dialler else talk.b
    first = b""
    for step in range(10_000):
        choices = talk.choices()
        if not choices:
            break
        if victim.inbox:
            first = first or victim.inbox[0]
            if step >= at and kind:
                damage(victim.inbox, kind, first, seed)
                kind = ""
                continue
        try:
            choices[seed.randrange(len(choices))]()
        except RemoteError as error:
            assert error.code in {"cbor", "frame", "frame-unknown"}
    talk.now = SESSION_SILENCE_S + 1
    for end in (talk.a, talk.b):
        talk.feed(end, TimerFired()) if end.ended is None else None
        assert not end.ended.is_proven or talk.a.summed == talk.b.summed
    for number in (2, 3):
        again = Conversation(a, b, number=number)
        again.run()
    assert again.is_proven
    assert {id_: raw for id_, raw in a.here.items() if id_ in wanted} == wanted


def damage(inbox, kind, first, chance):
    raw = inbox.popleft()
    if kind == "cut":
        inbox.appendleft(raw[: chance.randrange(len(raw))])
    elif kind == "bit":
        at = chance.randrange(len(raw))
        inbox.appendleft(raw[:at] + bytes([raw[at] ^ 1 << chance.randrange(8)]) + raw[at + 1 :])
    elif kind == "twice":
        inbox.extendleft([raw, raw])
    elif kind == "late":
        inbox.extendleft([raw, first])
    elif kind == "swap" and inbox:
        inbox.extendleft([raw, inbox.popleft()])


class Liar:
    """A dialled peer that answers every question wrongly, and never runs out of answers."""

    def __init__(self, chunk, *, ids=(), symbols=b""):
        self.chunk, self.ids, self.symbols = chunk, ids, symbols

    def reply(self, frame):
        match frame:
            case wire.Hello():
                return [wire.Hello(1, MESH, 1, 2**40, bytes(32), NOWHERE, NOWHERE, 7)]
            case wire.AskSketch():
                return [wire.Sketch(1, frame.first, self.symbols)]
            case wire.Reconcile():
                return [wire.Reconcile(1, OPENING)]
            case wire.Want(_, ids):
                return [wire.Actions(1, self.chunk[: len(ids)] or self.chunk), wire.End(1)]
            case wire.Took():
                return [wire.Actions(1, self.chunk)]
            case wire.Done():
                return [wire.Done(1, 2**40, bytes(32), NOWHERE)]
        return []


def against(liar, *, stream=True, frames_max=200_000):
    """An honest initiator against a liar; how many frames the liar could say."""
    talk = conversation()
    said = 0
    for _ in range(frames_max):
        answer_all(talk, talk.a)
        if talk.a.ended is not None:
            return talk, said
        heard = [wire.decode(raw) for raw in talk.b.inbox]
        talk.b.inbox.clear()
        replies = [reply for frame in heard for reply in liar.reply(frame)]
        if any(isinstance(frame, wire.Hello) for frame in heard):
            if stream:
                replies.append(wire.Actions(1, liar.chunk))
            else:
                hello = replies[0]
                replies[0] = wire.Hello(1, MESH, 1, 40, bytes(32), NOWHERE, NOWHERE, wire.SKETCH)
                assert isinstance(hello, wire.Hello)
        if not replies:
            talk.now += SESSION_SILENCE_S + 1
            talk.feed(talk.a, TimerFired())
        for frame in replies:
            said += 1
            talk.feed(talk.a, FrameReceived(frame))
    raise AssertionError("it never ends")


def test_a_stream_of_the_same_actions_over_and_over_comes_to_an_end():
    talk, _ = against(Liar((envelope(25), envelope(26))))
    assert (talk.a.ended.code, talk.a.ended.is_fault) == ("flood", True)


def test_garbage_for_good_ids_comes_to_an_end():
    talk, said = against(Liar((b"bad" + bytes(20),) * 8))
    assert (talk.a.ended.code, talk.a.ended.is_fault) == ("refused", True)
    assert said < 100


@pytest.mark.parametrize("symbols", [b"\xff" * SYMBOL_BYTES * 30, GONE.symbols.slice(0, 1) * 30, bytes(SYMBOL_BYTES)])
def test_symbols_that_lie_lead_to_negentropy_and_ids_that_nobody_has_to_an_unproven_end(symbols):
    talk, said = against(Liar((envelope(25),), symbols=symbols), stream=False)
    assert talk.a.ended is not None
    assert not talk.a.ended.is_proven
    assert said < 400


def test_a_peer_that_says_it_has_what_it_does_not_give_is_counted_out():
    theirs = TwinSet(envelope(n) for n in range(20, 62))

    class Withholding(Liar):
        def reply(self, frame):
            if isinstance(frame, wire.Want):
                return [wire.End(1)]
            return super().reply(frame)

    talk, _ = against(Withholding((envelope(60),), symbols=theirs.symbols.slice(0, 40)), stream=False)
    assert (talk.a.ended.code, talk.a.ended.missing, talk.a.ended.is_fault) == ("missing", 2, False)


def test_a_talk_played_again_to_another_session_is_late_post():
    talk = conversation()
    talk.run()
    heard = list(talk.b.heard)
    again = Conversation(talk.a.twin, talk.b.twin, number=2)
    again.choices()[0]()
    for frame in heard:
        if not isinstance(frame, wire.Hello):
            again.feed(again.b, FrameReceived(frame)) if again.b.machine.number else None
    again.run()
    assert again.is_proven


def test_a_machine_says_nothing_after_its_end():
    talk = conversation()
    say(talk, talk.b, wire.Done(1, 0, bytes(32), NOWHERE))
    assert talk.b.ended is not None
    for frame in RUDE_FRAMES:
        assert talk.b.machine.handle(FrameReceived(frame), 0) == []
    assert not [out for out in talk.b.asked if isinstance(out, SendFrame)]
