"""Sessions in any timing, over any sets, with sets that grow and links that are cut: nothing is lost, and a proof holds.

The exhaustive twins are in tests/unit/gossip/test_session.py (all small sets; a cut after every step). What a hostile peer
may say is in test_hostile_peer.py.
"""

from conversations import Conversation, TwinSet, envelope
from hypothesis import given, settings
from hypothesis import strategies as st

from hubd.gossip.dialogue import Rung, first_rung
from hubd.limits import LINK_MESSAGE_BYTES_MAX, LINK_WINDOW_CHUNKS

seeded = settings(derandomize=True, deadline=None, max_examples=150)

NUMBERS = st.sets(st.integers(0, 400), max_size=120)
SIZES = st.sampled_from([12, 300, 16_000])
STARTS = st.sampled_from([Rung.CURSOR, Rung.SKETCH, Rung.NEGENTROPY])


@st.composite
def pairs_of_sets(draw):
    size, common = draw(SIZES), draw(NUMBERS)
    return tuple(TwinSet(envelope(n, size) for n in sorted(draw(NUMBERS) | common)) for _ in "ab")


@seeded
@given(sets=pairs_of_sets(), timing=st.randoms(use_true_random=False), start=STARTS)
def test_in_any_timing_from_any_rung_two_sets_become_their_union_and_both_prove_it(sets, timing, start):
    a, b = sets
    wanted = {**a.envelopes, **b.envelopes}
    talk = Conversation(a, b, start=start)
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
    quiet = Conversation(a, b, number=3, start=first_rung(talk.a.ended))
    quiet.run()
    assert set(a.envelopes.values()) == set(b.envelopes.values()) == everything
    assert quiet.is_proven


@seeded
@given(
    story=st.lists(
        st.tuples(
            st.sampled_from(
                ["a grows", "b grows", "a loses", "b loses", "a is restored", "they talk", "the link breaks"]
            ),
            st.integers(0, 60),
        ),
        max_size=14,
    ),
    timing=st.randoms(use_true_random=False),
)
def test_whatever_happened_to_cursors_before_two_sessions_more_make_one_set_of_two(story, timing):
    """Kills the mutant that takes a cursor of another database for one of its own."""
    a, b = TwinSet(envelope(n) for n in range(30)), TwinSet(envelope(n) for n in range(20, 50))
    fresh = iter(range(100, 10_000))
    last = None
    for number, (what, steps) in enumerate(story, 1):
        twin = a if what.startswith("a") else b
        if what.endswith("grows"):
            twin.add(envelope(next(fresh)) for _ in range(steps % 7))
        elif what.endswith("loses"):
            twin.lose(list(twin.here.values())[steps % len(twin.here)])
        elif what == "a is restored":
            kept = TwinSet(list(a.here.values())[: 10 + steps])
            kept.epoch, kept.cursor = a.epoch + b"'", a.cursor
            a = kept
        else:
            talk = Conversation(a, b, number=number, start=first_rung(last))
            talk.run(choose=timing.randrange, steps_max=steps if what == "the link breaks" else 1_000_000)
            last = talk.a.ended
    wanted = set(a.here) | set(b.here)
    for number in range(100, 102):
        talk = Conversation(a, b, number=number, start=first_rung(last))
        talk.run(choose=timing.randrange)
        last = talk.a.ended
        if talk.is_proven:
            break
    assert talk.is_proven
    assert set(a.here) == set(b.here) == wanted
