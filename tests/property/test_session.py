"""Sessions in any timing, over any sets, with sets that grow and links that are cut: nothing is lost, and a proof holds.

The exhaustive twins are in tests/unit/gossip/test_session.py (all small sets; a cut after every step).
"""

from conversations import HUB_A, HUB_B, MESH, Conversation, TwinSet, envelope, id_of
from hypothesis import given, settings
from hypothesis import strategies as st

from hubd.gossip import wire
from hubd.gossip.negentropy import Initiator as Asking
from hubd.gossip.session import FrameReceived
from hubd.limits import LINK_MESSAGE_BYTES_MAX, LINK_WINDOW_CHUNKS

seeded = settings(derandomize=True, deadline=None, max_examples=150)

NUMBERS = st.sets(st.integers(0, 400), max_size=120)
SIZES = st.sampled_from([12, 300, 16_000])


@st.composite
def pairs_of_sets(draw):
    size, common = draw(SIZES), draw(NUMBERS)
    return tuple(TwinSet(envelope(n, size) for n in sorted(draw(NUMBERS) | common)) for _ in "ab")


@seeded
@given(sets=pairs_of_sets(), timing=st.randoms(use_true_random=False))
def test_in_any_timing_two_sets_become_their_union_and_both_prove_it(sets, timing):
    a, b = sets
    wanted = {**a.envelopes, **b.envelopes}
    talk = Conversation(a, b)
    talk.run(choose=timing.randrange)
    assert a.envelopes == b.envelopes == wanted
    assert talk.is_proven
    assert talk.in_flight_max <= LINK_WINDOW_CHUNKS


@seeded
@given(
    sets=pairs_of_sets(),
    timing=st.randoms(use_true_random=False),
    cut=st.integers(0, 120),
    growth=st.lists(st.tuples(st.integers(0, 100), st.booleans()), max_size=6),
)
def test_sets_that_grow_over_links_that_are_cut_are_proven_equal_only_when_they_were(sets, timing, cut, growth):
    """Kills the mutant that takes equal counts for a proof."""
    a, b = sets
    everything = {*a.envelopes.values(), *b.envelopes.values()}
    due = dict(growth)
    for number, steps_max in enumerate([cut, 1_000_000], 1):
        talk = Conversation(a, b, number=number)
        for step in range(steps_max):
            if step in due:
                grown = envelope(10_000 + step)
                everything.add(grown)
                (a if due.pop(step) else b).add([grown])
            choices = talk.choices()
            if not choices:
                break
            choices[timing.randrange(len(choices))]()
        for end in (talk.a, talk.b):
            assert end.ended is None or not end.ended.is_fault
            if end.ended is not None and end.ended.is_proven:
                assert talk.a.summed == talk.b.summed
        assert all(len(raw) <= LINK_MESSAGE_BYTES_MAX for raw in (*talk.a.inbox, *talk.b.inbox))
    quiet = Conversation(a, b, number=3)
    quiet.run()
    assert set(a.envelopes.values()) == set(b.envelopes.values()) == everything
    assert quiet.is_proven


HERE, GONE = TwinSet(envelope(n) for n in range(40)), TwinSet()
COUNTS = st.sampled_from([0, 1, 40])
RUDE_FRAMES = st.one_of(
    st.builds(wire.Hello, st.just(1), st.just(MESH), st.sampled_from([HUB_A, HUB_B]), st.just(1), COUNTS,
              st.sampled_from([HERE.summary().fingerprint, bytes(32)]), st.sampled_from([(), ("fill",)])),
    st.builds(wire.Reconcile, st.just(1), st.sampled_from([b"\x61", Asking().open(HERE.items), b"\x62", b"\x61\xff"])),
    st.builds(wire.Want, st.just(1), st.sampled_from([(id_of(envelope(3)),), (bytes(32),) * 9])),
    st.builds(wire.Actions, st.just(1), st.sampled_from([(envelope(3),), (b"bad",), (envelope(99), envelope(3))])),
    st.builds(wire.Done, st.just(1), COUNTS, st.just(bytes(32))),
    st.sampled_from([wire.Fill(1), wire.Took(1), wire.End(1), wire.End(2), wire.Nudge(), wire.Ping(), wire.Fault("x")]),
)  # fmt: skip


@settings(seeded, max_examples=400)
@given(
    frames=st.lists(RUDE_FRAMES, max_size=30), is_dialler_rude=st.booleans(), timing=st.randoms(use_true_random=False)
)
def test_whatever_a_peer_says_in_whatever_order_a_machine_goes_on_or_ends(frames, is_dialler_rude, timing):
    talk = Conversation(TwinSet(envelope(n) for n in range(20, 60)), TwinSet(envelope(n) for n in range(40)))
    honest, rude = (talk.b, talk.a) if is_dialler_rude else (talk.a, talk.b)
    for frame in frames:
        talk.feed(honest, FrameReceived(frame))
        rude.inbox.clear()
        while honest.asked and timing.random() < 0.7:
            talk._answer(honest, timing.randrange(len(honest.asked)))
    assert len(honest.asked) <= 2 * LINK_WINDOW_CHUNKS
    assert len(honest.twin.envelopes) <= 61 + 1
