"""Reconciliation finds exactly the difference of any two sets and ends; hostile bytes end in `RemoteError`.

The exhaustive twin takes all pairs of subsets of five items among common ones; it kills the mutant that leaves the
order of items of equal time to chance, in every run.
"""

import random
from functools import cache
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reconciliation import PlainItems, finds_the_difference, numbered_id, talk, transcripts

from hubd.errors import RemoteError
from hubd.gossip.items import SortedItems
from hubd.gossip.negentropy import Initiator, Responder

UNIVERSE = range(5)
SUBSETS = [chosen for size in range(6) for chosen in combinations(UNIVERSE, size)]
COMMON = range(5, 65)  # enough that ranges are parted before they are listed
TIMES = {
    "all at once": lambda _: 1000,
    "one after another": lambda number: 1000 + number * 37 % 65,
    "in crowds": lambda number: 1000 + number % 3,
    "at the beginning of time": lambda number: number % 2,
}

seeded = settings(derandomize=True, deadline=None, max_examples=60)


@pytest.mark.parametrize("time_of", TIMES.values(), ids=TIMES)
@pytest.mark.parametrize("common", [range(0), COMMON], ids=["alone", "among common items"])
def test_all_pairs_of_small_sets_reconcile_to_exactly_their_difference(time_of, common):
    @cache
    def side(chosen):
        pairs = [(time_of(number), numbered_id(number)) for number in (*chosen, *common)]
        return SortedItems(pairs), pairs

    for mine in SUBSETS:
        for other in SUBSETS:
            (ours, our_pairs), (theirs, their_pairs) = side(mine), side(other)
            spoken = talk(ours, theirs, rounds_max=3)
            assert finds_the_difference(spoken, our_pairs, their_pairs), (mine, other)


def test_items_of_equal_time_in_order_of_arrival_would_not_reconcile():
    """The mutant: both sides sort by `created` alone, and what is equal lies as it came."""
    pairs = [(1000 + number % 3, numbered_id(number)) for number in (*UNIVERSE, *COMMON)]

    def reconciles(order):
        try:
            spoken = talk(PlainItems(pairs, order), PlainItems(pairs[::-1], order), rounds_max=3)
        except RemoteError:
            return False
        return finds_the_difference(spoken, pairs, pairs)

    assert reconciles(lambda pair: (pair[0], pair[1]))
    assert not reconciles(lambda pair: pair[0])


@st.composite
def two_sets(draw):
    """A common part with differences scattered or in runs, times spread or crowded, all from one drawn seed."""
    chance = random.Random(draw(st.integers(0, 2**32)))
    count = draw(st.sampled_from([40, 300, 1200, 2500]))
    crowd = draw(st.sampled_from([1, 3, 50, 10_000]))
    pairs = [(1_700_000_000 + number // crowd, chance.randbytes(32)) for number in range(count)]
    sides = []
    for _ in range(2):
        kept = set(range(count))
        for _ in range(draw(st.integers(0, 6))):
            start, length = chance.randrange(count), draw(st.sampled_from([1, 7, 40, 400]))
            kept -= {at for at in range(start, start + length) if chance.random() < draw(st.sampled_from([0.5, 1.0]))}
        sides.append([pairs[at] for at in sorted(kept)])
    return sides


frames = st.sampled_from([0, 4096, 4097, 5000, 65536])


@seeded
@given(two_sets(), frames, frames)
def test_any_two_sets_reconcile_in_bounded_rounds_whatever_the_frames(sets, our_frame, their_frame):
    ours, theirs = sets
    smallest = min(frame or 10**9 for frame in (our_frame, their_frame))
    rounds_max = 6 + 100 * (len(ours) + len(theirs)) // (smallest - 200)  # each full frame settles part of what is left
    spoken = talk(SortedItems(ours), SortedItems(theirs), our_frame, their_frame, rounds_max=rounds_max)
    assert finds_the_difference(spoken, ours, theirs)


def answered_or_refused(message):
    """Both sides take any bytes: an answer of a bounded size, or a `RemoteError`."""
    items = SortedItems((1000 + number // 2, numbered_id(number)) for number in range(100))
    refused = 0
    for side in (Initiator(4096), Responder(4096)):
        try:
            answer = side.handle(items, message)
        except RemoteError:
            refused += 1
        else:
            reply = answer if isinstance(answer, bytes) else answer.reply
            assert reply is None or 1 <= len(reply) <= 4096
    return refused


@settings(seeded, max_examples=300)
@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_answered_or_refused(tail, of_our_version):
    answered_or_refused(b"\x61" + tail if of_our_version else tail)


RECORDED = [bytes.fromhex(entry[1]) for case in transcripts() for entry in case["messages"] if entry[1] is not None]


def damaged(message, chance):
    """One fault: a bit, a byte, a cut, a piece doubled, a piece lost, or a piece of another message put in."""
    raw = bytearray(message)
    at, length = chance.randrange(len(raw)), chance.randrange(1, 40)
    fault = chance.randrange(6)
    if fault == 0:
        raw[at] ^= 1 << chance.randrange(8)
    elif fault == 1:
        raw[at] = chance.choice([0, 1, 2, 0x20, 0x21, 0x7F, 0x80, 0xFF])
    elif fault == 2:
        del raw[at:]
    elif fault == 3:
        raw[at:at] = raw[at : at + length]
    elif fault == 4:
        del raw[at : at + length]
    else:
        raw[at:at] = chance.choice(RECORDED)[:length]
    return bytes(raw)


def test_damaged_messages_of_the_reference_are_answered_or_refused():
    chance = random.Random(20)
    outcomes = [answered_or_refused(damaged(chance.choice(RECORDED), chance)) for _ in range(1500)]
    assert outcomes.count(2) > 300, "most faults are seen"
    assert outcomes.count(0) > 100, "and some leave a message that is well formed"
