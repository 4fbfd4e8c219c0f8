"""Down the ladder: which rung makes two sets one, what it costs, and what is tried when it did not."""

import pytest
from conversations import HUB_A, HUB_B, MESH, Conversation, TwinSet, envelope, id_of

from hubd.gossip import wire
from hubd.gossip.dialogue import (
    Began,
    Counted,
    Ended,
    FrameReceived,
    LoadSummary,
    Offer,
    Parties,
    Rung,
    SummaryLoaded,
    first_rung,
    hints_at_rot,
)
from hubd.gossip.initiator import Initiator
from hubd.gossip.sketch import SYMBOL_BYTES
from hubd.gossip.wire import NOWHERE, Place
from hubd.limits import FILL_ACTIONS_MIN, STREAM_ANYWAY_ACTIONS

ASKING = {wire.AskSketch, wire.Reconcile}


def numbers(start, count, **size):
    return [envelope(number, **size) for number in range(start, start + count)]


def scattered(common, differences):
    """Two sets with every so many-th action at one side alone."""
    step = common // differences
    kept = [numbers(at, step) for at in range(0, common, step)]
    return (
        TwinSet(raw for at, group in enumerate(kept) for raw in group[at % 2 :]),
        TwinSet(raw for at, group in enumerate(kept) for raw in group[(at + 1) % 2 :]),
    )


def proven(a, b, **options):
    talk = Conversation(a, b, **options)
    talk.run()
    assert talk.is_proven, (talk.a.ended, talk.b.ended)
    assert a.here == b.here
    return talk


def met(count=100):
    """Two sets that were proven equal, so that each side has a cursor of the other."""
    a, b = TwinSet(numbers(0, count)), TwinSet(reversed(numbers(0, count)))
    proven(a, b)
    return a, b


def test_equal_sets_keep_the_other_sides_place_as_a_cursor():
    a, b = met()
    assert (a.cursor, b.cursor) == (b.place(100), a.place(100))


def test_who_met_before_streams_both_ways_at_once_and_asks_for_nothing():
    a, b = met()
    a.add(numbers(1_000, STREAM_ANYWAY_ACTIONS))
    b.add(numbers(2_000, 92))
    talk = proven(a, b)
    assert not talk.kinds & {*ASKING, wire.Want}
    assert talk.a.ended.rung is talk.b.ended.rung is Rung.CURSOR
    assert (talk.a.ended.received, talk.a.ended.sent) == (92, STREAM_ANYWAY_ACTIONS)
    assert (a.cursor, b.cursor) == (b.place(200), a.place(200))


def test_a_hundred_newest_are_there_after_one_round_trip():
    a, b = met()
    b.add(numbers(1_000, 100))
    talk = Conversation(a, b)
    while len(a.here) < 200:
        talk.choices()[0]()
    assert {type(frame) for frame in talk.b.heard} == {wire.Hello}
    assert {type(frame) for frame in talk.a.heard} <= {wire.Hello, wire.Actions, wire.End}


def test_what_both_were_pushed_meanwhile_is_not_streamed():
    """Both sides grew by what a third one pushed to them, and each lacks two of it."""
    a, b = met()
    pushed = numbers(1_000, 300)
    a.add(pushed[2:])
    b.add(pushed[:-2])
    talk = proven(a, b)
    assert talk.a.ended.rung is Rung.SKETCH
    assert (talk.a.ended.received, talk.a.ended.sent) == (2, 2)
    assert talk.bytes_said < 3_000


@pytest.mark.parametrize(
    ("grown", "size"), [((100, 100), 40), ((90, 110), 40), ((3_000, 3_000), 40), ((70, 70), 15_000)]
)
def test_two_that_grew_while_no_link_was_up_stream_both_ways_and_ask_for_nothing(grown, size):
    """Kills the mutant that tells by the counts alone what is new to the other."""
    a, b = met()
    a.add(numbers(1_000, grown[0], size=size))
    b.add(numbers(9_000, grown[1], size=size))
    talk = proven(a, b)
    assert not talk.kinds & {*ASKING, wire.Want}
    assert talk.a.ended.rung is talk.b.ended.rung is Rung.CURSOR
    sent = sum(len(frame.envelopes) for frame in talk.frames if isinstance(frame, wire.Actions))
    assert sent == sum(grown) + 2 * STREAM_ANYWAY_ACTIONS
    assert (talk.a.ended.received, talk.a.ended.sent) == (grown[1], grown[0])
    assert (a.cursor, b.cursor) == (b.place(len(b.envelopes)), a.place(len(a.envelopes)))


def test_only_a_links_first_session_tries_a_sample():
    a, b = met()
    shared = numbers(1_000, 100)
    a.add([*shared, *numbers(2_000, 3)])
    b.add([*shared, *numbers(3_000, 3)])
    talk = proven(a, b, number=2)
    assert [len(frame.envelopes) for frame in talk.frames if isinstance(frame, wire.Actions)] == [3, 3]


@pytest.mark.parametrize("which", ["ours", "theirs"])
def test_a_sample_that_is_known_stops_that_sides_stream_alone_and_a_sketch_finds_the_rest(which):
    a, b = met()
    shared = numbers(1_000, 300)
    first, second = (a, b) if which == "ours" else (b, a)
    first.add([*shared, *numbers(5_000, 100)])
    second.add([*shared, *numbers(9_000, 320)])
    talk = proven(a, b)
    assert talk.a.ended.rung is Rung.SKETCH
    moved = {"ours": (320, 100), "theirs": (100, 620)}[which]
    assert (talk.a.ended.received, talk.a.ended.sent) == moved


def test_what_arrives_while_a_stream_runs_is_left_to_the_pushes():
    a, b = met()
    b.add(numbers(1_000, 300))
    talk = Conversation(a, b)
    while not any(isinstance(frame, wire.Hello) for frame in talk.a.heard):
        talk.choices()[0]()
    b.add(numbers(5_000, 50))
    talk.run()
    assert talk.a.ended.code == "busy"
    assert talk.b.machine._transfer.sent == 300


def test_a_stream_goes_on_past_any_number_of_actions_that_the_peer_itself_brought():
    a, b = met()
    pushed = numbers(1_000, 60)
    a.add(pushed)
    b.add(pushed[:30], from_peer=True)
    b.add(numbers(2_000, 20))
    b.add(pushed[30:], from_peer=True)
    b.add(numbers(3_000, 20))
    b.window_rows = 7
    talk = proven(a, b)
    assert wire.Want not in talk.kinds
    assert (talk.a.ended.received, talk.b.ended.sent) == (40, 40)


def test_what_came_from_a_peer_is_not_streamed_back_to_it():
    a, b = met()
    a.add(numbers(1_000, 5))
    proven(a, b)
    b.add(numbers(2_000, 5))
    talk = proven(a, b)
    assert [len(frame.envelopes) for frame in talk.frames if isinstance(frame, wire.Actions)] == [5]


def test_a_broken_stream_goes_on_behind_its_last_chunk():
    a, b = met()
    b.add(numbers(1_000, 3_000, size=1_200))
    sent = []
    for number, cut in enumerate([40, 40, 100_000], 2):
        talk = Conversation(a, b, number=number)
        talk.run(steps_max=cut)
        sent.append(talk.b.machine._transfer.sent)
    assert talk.is_proven
    assert talk.a.ended.rung is Rung.CURSOR
    assert len(a.here) == 3_100
    assert all(sent)
    assert sum(sent) < 3_000 + 2 * 5 * 54, "no more than what was on its way comes twice"


def test_a_cursor_moves_only_over_chunks_that_are_on_disk_in_their_order():
    """Kills the mutant that keeps the place of whichever chunk landed last."""
    a, b = met()
    b.add(numbers(1_000, 600))
    talk = Conversation(a, b)
    while [type(asked) for asked in talk.a.asked[:2]] != [Offer, Offer]:
        offers_wait = not [asked for asked in talk.a.asked if not isinstance(asked, Offer)]
        talk.choices()[len(talk.a.asked) if offers_wait else 0]()
    before = a.cursor
    talk._answer(talk.a, 1)
    assert a.cursor == before
    talk._answer(talk.a, 0)
    assert a.cursor.sequence > before.sequence


@pytest.mark.parametrize("whose", ["ours", "theirs"])
def test_a_restored_database_voids_a_cursor_and_a_sketch_finds_what_it_lost(whose):
    a, b = met()
    a.add(numbers(1_000, 3))
    b.add(numbers(2_000, 4))
    lost, other = (a, b) if whose == "ours" else (b, a)
    lost.lose(envelope(50))
    lost.epoch = b"another epoch"
    talk = proven(a, b)
    assert talk.a.ended.rung is Rung.SKETCH
    assert wire.Reconcile not in talk.kinds
    assert envelope(50) in lost.here.values()
    assert other.cursor == lost.place(len(lost.envelopes))


def test_what_a_worn_card_lost_is_found_by_the_session_after_the_one_that_failed():
    a, b = met()
    a.lose(envelope(50))
    b.add(numbers(2_000, 4))
    first = Conversation(a, b, number=2)
    first.run()
    assert not first.is_proven
    assert first.a.ended.rung is Rung.CURSOR
    again = proven(a, b, number=3, start=first_rung(first.a.ended))
    assert again.a.ended.rung is Rung.SKETCH
    assert envelope(50) in a.here.values()


@pytest.mark.parametrize("count", [2, 10, 100, 400])
def test_scattered_differences_are_told_by_a_sketch(count):
    a, b = scattered(4_000, count)
    talk = proven(a, b)
    assert talk.a.ended.rung is talk.b.ended.rung is Rung.SKETCH
    assert wire.Reconcile not in talk.kinds
    said = sum(len(frame.symbols) for frame in talk.frames if isinstance(frame, wire.Sketch))
    assert said <= (count * 2 + 40) * SYMBOL_BYTES


def test_a_hundred_scattered_differences_cost_two_round_trips_and_eight_thousand_bytes():
    talk = proven(*scattered(4_000, 100))
    asked = [frame for frame in talk.b.heard if not isinstance(frame, (wire.Want, wire.Actions, wire.Took, wire.Done))]
    told = [frame for frame in talk.a.heard if isinstance(frame, (wire.Hello, wire.Sketch))]
    assert [type(frame) for frame in asked] == [wire.Hello, wire.AskSketch]
    assert sum(len(wire.encode(frame)) for frame in [*asked, *told]) <= 8_000


def test_more_differences_than_a_sketch_can_tell_are_told_by_negentropy():
    a, b = scattered(6_000, 1_500)
    talk = proven(a, b)
    assert talk.a.ended.rung is Rung.NEGENTROPY
    assert sum(len(frame.symbols) for frame in talk.frames if isinstance(frame, wire.Sketch)) == 0


def test_where_the_counts_say_it_no_sketch_is_asked_for():
    a, b = TwinSet(numbers(0, 2_000)), TwinSet(numbers(0, 1_000))
    assert proven(a, b).kinds & ASKING == {wire.Reconcile}


def test_a_sketch_that_contradicts_itself_is_nobodys_fault_and_negentropy_does_the_work():
    a, b = TwinSet(numbers(0, 40)), TwinSet(numbers(30, 40))
    b.symbols.add([id_of(envelope(50))])  # twice in it, as if two ids had been ground to look like one
    talk = proven(a, b)
    assert talk.a.ended.rung is Rung.NEGENTROPY


@pytest.mark.parametrize("is_a_empty", [True, False])
def test_an_empty_side_is_streamed_to_without_asking(is_a_empty):
    full = numbers(0, 1_500)
    a, b = (TwinSet(), TwinSet(full)) if is_a_empty else (TwinSet(full), TwinSet())
    talk = proven(a, b)
    assert not talk.kinds & ASKING
    assert len(a.envelopes) == len(b.envelopes) == 1_500


@pytest.mark.parametrize("is_a_new", [True, False])
def test_a_newcomer_with_a_few_actions_of_its_own_is_streamed_to_and_then_gives_them(is_a_new):
    full, few = TwinSet(numbers(0, 1_500)), TwinSet(numbers(1_495, 8))
    talk = proven(few, full) if is_a_new else proven(full, few)
    assert talk.a.ended.rung is Rung.SKETCH
    assert wire.Reconcile not in talk.kinds


def greeted(theirs, *, abilities, ours=None):
    """An initiator that has heard a hello with these abilities, and what it asks of the store and of the peer."""
    ours = ours or TwinSet(numbers(0, 3))
    initiator = Initiator(1, Parties(HUB_A, HUB_B, MESH), 0)
    initiator.handle(Began(), 0)
    initiator.handle(SummaryLoaded(ours.summary()), 0)
    whole = theirs.summary()
    hello = wire.Hello(1, MESH, 1, whole.count, whole.fingerprint, NOWHERE, NOWHERE, abilities)
    ahead = Counted(whole.count - len(ours.here))
    assert initiator.handle(FrameReceived(hello), 0) == [ahead, LoadSummary(NOWHERE)]
    [asked] = initiator.handle(SummaryLoaded(ours.summary()), 0)
    return initiator.handle(ours.answer(asked), 0)


def test_a_peer_that_tells_no_sketch_is_reconciled_with():
    [sent] = greeted(TwinSet(numbers(2, 3)), abilities=0x8000)
    assert isinstance(sent.frame, wire.Reconcile)
    [sent] = greeted(TwinSet(numbers(2, 3)), abilities=wire.SKETCH)
    assert isinstance(sent.frame, wire.AskSketch)


def test_a_peer_that_takes_no_stream_is_asked_what_it_lacks():
    [sent] = greeted(TwinSet(), abilities=wire.SKETCH, ours=TwinSet(numbers(0, 30)))
    assert isinstance(sent.frame, wire.AskSketch)


@pytest.mark.parametrize(
    ("last", "rung"),
    [
        (None, Rung.CURSOR),
        (Ended(is_proven=True, rung=Rung.NEGENTROPY), Rung.CURSOR),
        (Ended(False, "busy", rung=Rung.CURSOR), Rung.SKETCH),
        (Ended(False, "busy", rung=Rung.SKETCH, received=3), Rung.SKETCH),
        (Ended(False, "missing", rung=Rung.SKETCH), Rung.NEGENTROPY),
        (Ended(False, "refused", rung=Rung.NEGENTROPY), Rung.NEGENTROPY),
        (Ended(False, "silent", rung=Rung.SKETCH), Rung.CURSOR),
        (Ended(False, "order", is_fault=True, rung=Rung.CURSOR), Rung.CURSOR),
    ],
)
def test_a_session_starts_one_rung_below_the_last_that_moved_nothing_and_proved_nothing(last, rung):
    assert first_rung(last) is rung


def test_a_session_that_starts_further_down_uses_no_cursor():
    a, b = met()
    a.add(numbers(1_000, 3))
    b.add(numbers(2_000, 3))
    talk = proven(a, b, start=Rung.SKETCH)
    assert [frame.cursor for frame in talk.b.heard if isinstance(frame, wire.Hello)] == [NOWHERE]
    assert not [frame for frame in talk.frames if isinstance(frame, wire.Actions) and frame.place != NOWHERE]


def test_a_place_is_told_only_where_a_page_ends():
    a, b = met()
    b.add(numbers(1_000, 200, size=1_200))
    places = [frame.place for frame in proven(a, b).a.heard if isinstance(frame, wire.Actions)]
    assert Place(228, b.place(228).mark) in places
    assert places[-1] == b.place(300)


def test_only_a_whole_comparison_that_finds_nothing_and_proves_nothing_hints_at_rot():
    found = {
        (code, rung, moved)
        for code in ("", "busy", "missing", "silent", "refused", "later")
        for rung in Rung
        for moved in (0, 1)
        if hints_at_rot(Ended(is_proven=not code, code=code, rung=rung, received=moved))
    }
    assert found == {("busy", Rung.NEGENTROPY, 0), ("missing", Rung.NEGENTROPY, 0)}


@pytest.mark.parametrize("side", ["a", "b"])
def test_who_takes_no_fill_puts_off_a_hub_that_is_far_ahead_before_a_body_travels(side):
    few, many = TwinSet(numbers(0, 10)), TwinSet(numbers(0, 10 + FILL_ACTIONS_MIN))
    talk = Conversation(*((few, many) if side == "a" else (many, few)), full=side)
    talk.run()
    assert [talk.a.ended.code, talk.b.ended.code] == ["later", "later"]
    assert talk.kinds <= {wire.Hello, wire.Fault}
    assert talk.bytes_said < 250
    assert getattr(talk, side).ahead == FILL_ACTIONS_MIN


@pytest.mark.parametrize("side", ["a", "b"])
def test_who_takes_no_fill_takes_small_differences_and_gives_everything(side):
    shared = numbers(0, 400)
    for ours, theirs in ((10, FILL_ACTIONS_MIN), (2_000, 0), (0, 5)):
        one = TwinSet([*shared, *numbers(1_000, ours)])
        other = TwinSet([*shared, *numbers(5_000, theirs)])
        talk = Conversation(*((one, other) if side == "a" else (other, one)), full=side)
        talk.run()
        assert talk.is_proven
        assert len(one.here) == len(other.here) == 400 + ours + theirs
