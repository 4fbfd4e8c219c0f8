"""`SortedItems` answers as a plain sorted list does, however it came to its items."""

import random

import pytest
from reconciliation import PlainItems, numbered_id

from hubd.gossip.items import SortedItems
from hubd.gossip.ranges import INFINITY, START, Bound, key
from hubd.limits import RECONCILE_BLOCK_ITEMS_MAX

PAIRS = [(1000 + number // 5, numbered_id(number)) for number in range(5 * RECONCILE_BLOCK_ITEMS_MAX)]


def filled(pairs):
    items = SortedItems()
    for created, id_ in pairs:
        assert items.add(created, id_)
    return items


def in_any_order(pairs):
    shuffled = list(pairs)
    random.Random(5).shuffle(shuffled)
    return shuffled


@pytest.fixture(
    params=[
        lambda: SortedItems(in_any_order(PAIRS)),
        lambda: SortedItems(PAIRS + PAIRS[::7]),
        lambda: filled(PAIRS),
        lambda: filled(PAIRS[::-1]),
        lambda: filled(in_any_order(PAIRS)),
    ],
    ids=["at once", "with doubles", "newest last", "newest first", "shuffled"],
)
def items(request):
    return request.param()


def test_all_answers_equal_those_of_a_plain_sorted_list(items):
    plain = PlainItems(PAIRS)
    edges = [0, 1, 63, 64, 95, 96, 97, 127, 128, 129, 300, len(PAIRS) - 1, len(PAIRS)]
    spans = [(lower, upper) for lower in edges for upper in edges if lower <= upper]
    bounds = sorted(
        {START, INFINITY}
        | {Bound(key(*pair)[:length]) for pair in PAIRS[::17] for length in (8, 9, 12, 40)}
        | {Bound(key(*pair)[:9] + b"\xff") for pair in PAIRS[::31]}
    )

    assert items.size() == plain.size()
    assert [items.key(position) for position in range(len(PAIRS))] == [plain.key(at) for at in range(len(PAIRS))]
    assert [items.ids(*span) for span in spans] == [plain.ids(*span) for span in spans]
    assert items.fingerprints(spans) == plain.fingerprints(spans)
    assert items.lower_bounds(bounds) == plain.lower_bounds(bounds)


def test_an_empty_set_answers_too():
    items = SortedItems()
    assert items.size() == 0
    assert items.ids(0, 0) == []
    assert items.lower_bounds([START, INFINITY]) == [0, 0]
    assert items.fingerprints([(0, 0)]) == PlainItems([]).fingerprints([(0, 0)])


def test_an_item_is_added_once():
    items = SortedItems(PAIRS[:3])
    assert not items.add(*PAIRS[1])
    assert items.add(*PAIRS[3])
    assert items.size() == 4
