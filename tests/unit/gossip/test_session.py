"""A session's two machines against each other, and against a peer that breaks the rules."""

from itertools import product

import pytest
from conversations import HUB_A, HUB_B, MESH, Conversation, TwinSet, envelope, id_of

from hubd.errors import LocalError
from hubd.gossip import wire
from hubd.gossip.dialogue import (
    Ended,
    FrameReceived,
    LoadSummary,
    Offer,
    Offered,
    Parties,
    Rung,
    SendFrame,
    StoreFailed,
    SummaryLoaded,
    TimerFired,
)
from hubd.gossip.responder import Responder
from hubd.gossip.session import State
from hubd.gossip.sketch import SAMPLE_BYTES
from hubd.gossip.wire import NOWHERE
from hubd.limits import (
    LINK_WINDOW_CHUNKS,
    RECONCILE_LINK_ROUNDS_MAX,
    SESSION_IDS_MAX,
    SESSION_REFUSED_MAX,
    SESSION_SILENCE_S,
    SESSION_WANTED_MAX,
    SKETCH_ASKS_MAX,
    WANT_IDS_MAX,
)
from hubd.ports import Outcome, SetSummary, Verdict

SOMEBODY = Parties(HUB_B, HUB_A, MESH)


def spread(where):
    """Two sets: item n is at neither, a, b or both, as `where[n]` says."""
    a = TwinSet(envelope(n) for n, place in enumerate(where) if place in ("a", "both"))
    b = TwinSet(envelope(n) for n, place in enumerate(where) if place in ("b", "both"))
    return a, b


def union(a, b):
    return {**a.envelopes, **b.envelopes}


def numbers(start, count, **size):
    return [envelope(number, **size) for number in range(start, start + count)]


@pytest.mark.parametrize("start", [Rung.CURSOR, Rung.SKETCH, Rung.NEGENTROPY])
@pytest.mark.parametrize("where", list(product(["none", "a", "b", "both"], repeat=3)), ids="-".join)
def test_all_small_sets_become_one_and_both_sides_prove_it(where, start):
    a, b = spread(where)
    wanted = union(a, b)
    talk = Conversation(a, b, start=start)
    talk.run()
    assert a.envelopes == b.envelopes == wanted
    assert talk.is_proven


def test_a_link_cut_after_any_step_loses_nothing_and_the_next_session_finishes_the_work():
    """Kills the mutant that asks for proof before the last chunk was acknowledged."""
    cuts = 0
    for where in product(["a", "b", "both"], repeat=4):
        steps = Conversation(*spread(where)).run()
        for cut in range(steps):
            a, b = spread(where)
            had_a, had_b, wanted = set(a.envelopes), set(b.envelopes), union(a, b)
            Conversation(a, b).run(steps_max=cut)
            assert had_a <= set(a.envelopes) <= set(wanted)
            assert had_b <= set(b.envelopes) <= set(wanted)
            again = Conversation(a, b, number=2)
            again.run()
            assert a.envelopes == b.envelopes == wanted
            assert again.is_proven
            cuts += 1
    assert cuts > 500


def test_equal_sets_cost_one_round_trip_and_less_than_350_bytes():
    talk = Conversation(TwinSet(numbers(0, 500)), TwinSet(numbers(0, 500)))
    talk.run()
    assert talk.is_proven
    assert [type(frame) for frame in talk.a.heard + talk.b.heard] == [wire.Hello, wire.Hello]
    assert sum(len(wire.encode(frame)) for frame in talk.a.heard + talk.b.heard) == 136


def test_large_bodies_travel_in_chunks_and_never_more_of_them_than_the_window():
    a = TwinSet(numbers(0, 120, size=16_000))
    b = TwinSet(numbers(1_000, 120, size=16_000))
    talk = Conversation(a, b, start=Rung.NEGENTROPY)
    talk.run(choose=lambda count: count - 1)  # what was asked last is answered first, frames before answers
    assert talk.is_proven
    assert talk.in_flight_max == LINK_WINDOW_CHUNKS
    assert max(len(wire.encode(frame)) for frame in talk.a.heard + talk.b.heard) < 66_000


def test_more_ids_than_one_want_holds_are_asked_for_one_frame_after_the_other():
    a, b = TwinSet(numbers(0, 400)), TwinSet(numbers(399, WANT_IDS_MAX * 2 + 10))
    talk = Conversation(a, b)
    talk.run()
    assert talk.is_proven
    assert [len(frame.ids) for frame in talk.b.heard if isinstance(frame, wire.Want)] == [
        WANT_IDS_MAX,
        WANT_IDS_MAX,
        9,
    ]


def test_a_session_works_on_a_bounded_number_of_differences_and_the_next_one_on_the_rest(monkeypatch):
    monkeypatch.setattr("hubd.gossip.initiator.SESSION_IDS_MAX", 500)
    assert SESSION_IDS_MAX > 500
    a, b = TwinSet(numbers(0, 2_000, size=12)), TwinSet(numbers(0, 10_000, size=12))
    counts = [2_000]
    for number in range(1, 100):
        talk = Conversation(a, b, number=number, start=Rung.NEGENTROPY)
        talk.run()
        assert talk.a.ended.received == len(a.envelopes) - counts[-1]
        counts.append(len(a.envelopes))
        if talk.is_proven:
            break
        assert talk.a.ended.code == "busy"
        assert counts[-1] > counts[-2]
    assert talk.is_proven
    assert len(counts) > 3


def test_sets_that_grow_while_they_talk_are_not_called_equal():
    a, b = TwinSet(numbers(0, 50)), TwinSet(numbers(25, 50))
    talk = Conversation(a, b)
    grown = False
    while talk.choices():
        if talk.a.machine.state is State.SETTLING and not grown:
            b.add([envelope(999)])
            grown = True
        talk.choices()[0]()
    assert grown
    assert [talk.a.ended.is_proven, talk.b.ended.is_proven] == [False, False]
    assert [talk.a.ended.code, talk.b.ended.code] == ["busy", "busy"]


def test_a_peer_that_lacks_what_it_said_it_had_leaves_the_session_unproven():
    a, b = TwinSet(numbers(0, 2)), TwinSet(numbers(0, 5))
    b.rotten.add(id_of(envelope(4)))
    talk = Conversation(a, b)
    talk.run()
    assert talk.a.ended.code == "missing"
    assert len(a.envelopes) == 4


def test_invalid_actions_are_counted_and_their_neighbours_arrive():
    a, b = TwinSet(), TwinSet([*numbers(0, 3), b"bad" + bytes(30)])
    talk = Conversation(a, b)
    talk.run()
    assert (talk.a.ended.code, talk.a.ended.refused, talk.a.ended.is_fault) == ("refused", 1, False)
    assert len(a.envelopes) == 3


def test_a_flood_of_invalid_actions_is_a_fault():
    junk = [b"bad" + number.to_bytes(4, "big") for number in range(SESSION_REFUSED_MAX + 1)]
    talk = Conversation(TwinSet(), TwinSet(junk))
    talk.run()
    assert (talk.a.ended.code, talk.a.ended.is_fault) == ("refused", True)
    assert talk.b.ended.code == "remote-fault"


def test_a_store_that_takes_nothing_ends_the_session_without_blaming_the_peer():
    a = TwinSet()
    a.is_full = True
    talk = Conversation(a, TwinSet(numbers(0, 3)))
    talk.run()
    assert (talk.a.ended.code, talk.a.ended.is_fault) == ("deferred", False)
    assert (talk.b.ended.code, talk.b.ended.detail, talk.b.ended.is_fault) == ("remote-fault", "deferred", False)


@pytest.mark.parametrize("steps", range(12))
def test_a_store_that_can_not_be_read_puts_the_session_off_and_blames_nobody(steps):
    a, b = TwinSet([envelope(1)]), TwinSet([envelope(2)])
    talk = Conversation(a, b)
    for _ in range(steps):
        talk.choices()[0]()
    said = talk.b.machine.handle(StoreFailed(), 0.0)
    assert said == [] or [type(out) for out in said] == [SendFrame, Ended]
    for out in said:
        if isinstance(out, SendFrame):
            assert out.frame == wire.Fault("later")
            [ended] = talk.a.machine.handle(FrameReceived(out.frame), 0.0) or [Ended(is_proven=False, code="later")]
            assert (ended.code, ended.is_fault) == ("later", False)
        else:
            assert (out.code, out.is_fault, out.is_proven) == ("database", False, False)


def test_a_silent_peer_is_given_up():
    talk = Conversation(TwinSet(), TwinSet(numbers(0, 3)))
    talk.choices()[0]()  # the hello is on its way, and stays there
    talk.now = SESSION_SILENCE_S
    talk.feed(talk.a, TimerFired())
    assert talk.a.ended is None
    talk.now += 1
    talk.feed(talk.a, TimerFired())
    assert talk.a.ended.code == "silent"


def test_late_post_of_an_earlier_session_is_passed_over():
    a, b = TwinSet(numbers(0, 3)), TwinSet(numbers(2, 3))
    talk = Conversation(a, b, number=7)
    talk.choices()[0]()
    for late in (wire.Done(6, 0, bytes(32), NOWHERE), wire.End(6), wire.Took(6), wire.Actions(6, (envelope(9),))):
        talk.feed(talk.a, FrameReceived(late))
    talk.run()
    assert talk.is_proven
    assert len(a.envelopes) == 5


def test_an_ended_machine_does_nothing_whatever_comes():
    talk = Conversation(TwinSet(), TwinSet())
    talk.run()
    for event in (FrameReceived(wire.Fault("order")), SummaryLoaded(TwinSet().summary()), Offered([], 1), TimerFired()):
        assert talk.a.machine.handle(event, 1e9) == []


def hello(count=0, *, mesh=MESH, abilities=0):
    return wire.Hello(1, mesh, 1, count, bytes(32), NOWHERE, NOWHERE, abilities)


def done(count=0):
    return wire.Done(1, count, bytes(32), NOWHERE)


def responder_after_hello(b):
    responder = Responder(SOMEBODY, 0)
    assert responder.handle(FrameReceived(hello(2)), 0) == [LoadSummary()]
    responder.handle(SummaryLoaded(b.summary()), 0)
    return responder


def end_of(out):
    assert isinstance(out[-1], Ended), out
    return out[-1]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (hello(mesh=b"otherone"), "mesh"),
        (done(), "order"),
        (wire.Actions(1, (b"x",)), "order"),
    ],
)
def test_a_first_frame_that_breaks_the_rules_ends_the_session_and_says_why(frame, code):
    out = Responder(SOMEBODY, 0).handle(FrameReceived(frame), 0)
    assert out[0] == SendFrame(wire.Fault(code))
    assert (end_of(out).code, end_of(out).is_fault) == (code, True)


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([wire.Took(1)], "credit"),
        ([wire.Actions(1, (envelope(n),)) for n in range(LINK_WINDOW_CHUNKS + 1)], "credit"),
        ([wire.Want(1, (id_of(b""),)), wire.Want(1, (id_of(b""),))], "order"),
        ([hello(1)], "order"),
        ([wire.Reconcile(1, b"\x61")] * 2, "order"),
        ([wire.Reconcile(1, b"\x61"), wire.Want(1, (id_of(b""),))], "order"),
        ([wire.AskSketch(1, 0, 16, b"")] * 2, "order"),
        ([wire.AskSketch(1, 0, 0, b"")], "order"),
        ([wire.AskSketch(1, 16, 0, bytes(SAMPLE_BYTES))], "order"),
        ([wire.AskSketch(1, 1_000, 25, b"")], "order"),
        ([wire.Sketch(1, 0, b"")], "order"),
        ([wire.End(1)], "order"),
        ([wire.Push((b"x",))], "order"),
    ],
)
def test_a_dialler_that_breaks_the_rules_is_refused_with_a_code(frames, code):
    responder = responder_after_hello(TwinSet(numbers(0, 3)))
    out = []
    for frame in frames:
        assert not any(isinstance(event, Ended) for event in out), "refused too early"
        out = responder.handle(FrameReceived(frame), 0)
    assert out[0] == SendFrame(wire.Fault(code))
    assert (end_of(out).code, end_of(out).is_fault) == (code, True)


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([done(), done()], "order"),
        ([wire.Reconcile(1, b"\x61")] * (RECONCILE_LINK_ROUNDS_MAX + 1), "rounds"),
        ([wire.Reconcile(1, b"\x61\xff")], "reconcile"),
        ([wire.AskSketch(1, 0, 16, b"")] * (SKETCH_ASKS_MAX + 1), "order"),
        ([wire.Want(1, (bytes(32),) * WANT_IDS_MAX)] * (SESSION_WANTED_MAX // WANT_IDS_MAX + 1), "flood"),
    ],
)
def test_a_dialler_that_asks_without_end_is_refused_with_a_code(frames, code):
    twin = TwinSet(numbers(0, 3))
    responder = responder_after_hello(twin)
    out = []
    for frame in frames:
        assert not any(isinstance(event, Ended) for event in out), "refused too early"
        out = responder.handle(FrameReceived(frame), 0)
        while out and not isinstance(out[0], (SendFrame, Ended)) and not isinstance(frame, wire.Done):
            out = responder.handle(twin.answer(out[0]), 0)
    assert out[0] == SendFrame(wire.Fault(code))
    assert (end_of(out).code, end_of(out).is_fault) == (code, True)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (wire.Actions(1, (b"x",)), "order"),
        (wire.End(1), "order"),
        (wire.Took(1), "credit"),
        (wire.AskSketch(1, 0, 1, b""), "order"),
        (wire.Sketch(1, 0, b""), "order"),
    ],
)
def test_a_dialled_side_that_breaks_the_rules_is_refused_with_a_code(frame, code):
    talk = Conversation(TwinSet(numbers(0, 3)), TwinSet(numbers(2, 3)))
    while talk.a.machine.state is not State.MOVING or talk.a.machine._is_owed:
        talk.choices()[0]()
        if talk.a.machine.state is State.MOVING and talk.a.machine._is_owed:
            talk.a.machine._is_owed = False  # as if nothing had been asked for
    talk.a.machine._transfer.in_flight = 0
    talk.feed(talk.a, FrameReceived(frame))
    assert (talk.a.ended.code, talk.a.ended.is_fault) == (code, True)


def test_a_fault_is_never_answered_by_a_fault():
    responder = responder_after_hello(TwinSet(numbers(0, 3)))
    out = responder.handle(FrameReceived(wire.Fault("order")), 0)
    assert [type(event) for event in out] == [Ended]
    assert (end_of(out).code, end_of(out).detail) == ("remote-fault", "order")


def test_proof_waits_for_the_intake():
    """Kills the mutant that compares sets while chunks are still being verified."""
    b = TwinSet()
    responder = responder_after_hello(b)
    [offer] = responder.handle(FrameReceived(wire.Actions(1, (envelope(1),))), 0)
    assert isinstance(offer, Offer)
    whole = TwinSet([envelope(1)]).summary()
    assert responder.handle(FrameReceived(wire.Done(1, whole.count, whole.fingerprint, NOWHERE)), 0) == []
    out = responder.handle(b.answer(offer), 0)
    assert out == [SendFrame(wire.Took(1, 1)), LoadSummary()]
    out = responder.handle(SummaryLoaded(b.summary()), 0)
    assert end_of(out).is_proven


def test_an_answer_that_nobody_asked_for_is_our_own_bug():
    responder = responder_after_hello(TwinSet())
    with pytest.raises(LocalError):
        responder.handle(SummaryLoaded(SetSummary(0, bytes(32), 0)), 0)


def test_what_was_known_already_is_not_counted_as_received():
    talk = Conversation(TwinSet(numbers(0, 1)), TwinSet(numbers(0, 3)))
    talk.a.twin.judge = lambda raw: Outcome(Verdict.OK, id_of(raw), "", is_new=talk.a.twin.add([raw])[0])
    while talk.choices():
        if talk.a.asked and isinstance(talk.a.asked[0], Offer):
            talk.a.twin.add(talk.a.asked[0].envelopes[:1])  # came by a push meanwhile
        talk.choices()[0]()
    assert talk.a.ended.received == 1


def test_a_session_that_is_put_off_ends_without_blaming_anybody():
    responder = responder_after_hello(TwinSet(numbers(0, 3)))
    ended = end_of(responder.handle(FrameReceived(wire.Fault("later")), 0))
    assert (ended.code, ended.is_fault, ended.is_proven) == ("later", False, False)
