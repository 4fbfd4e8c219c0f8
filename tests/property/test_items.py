"""Items kept in SQLite answer as items in memory do, whatever came in whatever order and in whatever batches.

The exhaustive twin inserts six items in all orders into buckets of two; it kills the mutant whose parted buckets forget
their sums, in every run.
"""

import sqlite3
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reconciliation import numbered_id

from hubd.gossip.items import SortedItems
from hubd.gossip.ranges import INFINITY, START, Bound, key
from hubd.store import buckets
from hubd.store.items import Remembered, SqliteItems
from hubd.store.migrations import migrations

seeded = settings(derandomize=True, deadline=None, max_examples=60)
LAST = 2**63 - 1
TIMES = st.one_of(st.integers(0, 3), st.integers(1_000, 1_200), st.just(LAST))


class Database:
    """The tables of the store in memory, and a connection that stays for all comparisons."""

    def __init__(self):
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        for number, script in migrations():
            self.connection.executescript(script)
            if number == 2:
                buckets.recount(self.connection)

    def insert(self, pairs, most):
        self.connection.executemany(
            "insert into action (id, created, kind, author, header, digest) values (?, ?, '', '', '', '')",
            [(id_, created) for created, id_ in pairs],
        )
        buckets.add(self.connection, pairs, most)

    def delete(self, created, id_):
        self.connection.execute("delete from action where id = ?", (id_,))
        buckets.remove(self.connection, created, id_)

    def items(self):
        return SqliteItems(self.connection, Remembered())


def alike(kept, pairs):
    """Whether all answers are those of the plain items: at every position and on both sides of every key."""
    plain = SortedItems(pairs)
    size = plain.size()
    keys = [plain.key(position) for position in range(size)]
    bounds = sorted(
        {START, INFINITY, *keys, *(Bound(each[:9]) for each in keys), *(Bound(each + b"\0") for each in keys)}
    )
    spans = [(lower, upper) for lower in range(0, size + 1, 3) for upper in (lower, (lower + size) // 2, size)]
    return (
        kept.size() == size
        and kept.lower_bounds(bounds) == plain.lower_bounds(bounds)
        and kept.fingerprints(spans) == plain.fingerprints(spans)
        and [kept.key(position) for position in range(size)] == keys
        and all(kept.ids(lower, upper) == plain.ids(lower, upper) for lower, upper in spans)
        and all(kept.lower_bounds([bound]) == plain.lower_bounds([bound]) for bound in bounds[::7])
        and all(kept.fingerprints([span]) == plain.fingerprints([span]) for span in spans[::7])
        and all(kept.ids(position, position + 1) == plain.ids(position, position + 1) for position in range(size))
    )


@seeded
@given(
    st.lists(st.lists(TIMES, max_size=25), max_size=6),
    st.integers(1, 12),
    st.randoms(use_true_random=False),
)
def test_any_items_in_any_order_and_batches_answer_as_they_do_in_memory(batches, most, chance):
    database, pairs = Database(), []
    for times in batches:
        fresh = [(created, numbered_id(len(pairs) + number)) for number, created in enumerate(times)]
        database.insert(fresh, most)
        pairs += fresh
    for gone in chance.sample(pairs, len(pairs) // 4):
        database.delete(*gone)
        pairs.remove(gone)
    assert alike(database.items(), pairs)
    counts = database.connection.execute("select max(count) from bucket").fetchone()
    assert counts[0] <= max(most, 1)
    buckets.recount(database.connection)
    assert alike(database.items(), pairs)


SIX = [(1_000 + number // 2, numbered_id(number)) for number in range(6)]  # equal times, in pairs


def every_order_is_alike():
    for order in permutations(SIX):
        database = Database()
        for at in range(0, 6, 2):
            database.insert(order[at : at + 2], 2)
        if not alike(database.items(), SIX):
            return False
    return True


def test_six_items_in_all_orders_answer_as_they_do_in_memory():
    assert every_order_is_alike()


def test_buckets_that_forget_their_sums_when_they_are_parted_would_be_found(monkeypatch):
    part = buckets._part

    def forgets(connection, low, high, *rest):
        part(connection, low, high, *rest)
        connection.execute("update bucket set sum = zeroblob(32) where low > ? and low < ?", (low, high))

    monkeypatch.setattr(buckets, "_part", forgets)
    assert not every_order_is_alike()


def test_a_comparison_notices_what_was_written_since_the_last_one(tmp_path):
    pairs = [(number, numbered_id(number)) for number in range(40)]
    database, remembered = Database(), Remembered()
    database.connection.execute("vacuum into ?", (str(tmp_path / "on disk"),))
    database.connection.close()
    database.connection = sqlite3.connect(tmp_path / "on disk", isolation_level=None)
    comparer = sqlite3.connect(tmp_path / "on disk", isolation_level=None)
    for upto in range(8, 41, 8):
        database.insert(pairs[upto - 8 : upto], 5)
        comparer.execute("begin")
        assert alike(SqliteItems(comparer, remembered), pairs[:upto])
        comparer.execute("commit")
    database.delete(*pairs.pop(3))
    assert alike(SqliteItems(comparer, remembered), pairs)
    comparer.close()
    database.connection.close()


@pytest.mark.parametrize(
    "bound", [START, INFINITY, Bound(key(LAST, b"\xff" * 32)), Bound((2**64 - 2).to_bytes(8, "big"))]
)
def test_an_empty_set_has_no_position_but_zero(bound):
    items = Database().items()
    assert (items.size(), items.lower_bounds([bound]), items.ids(0, 0)) == (0, [0], [])
    assert items.fingerprints([(0, 0)]) == SortedItems().fingerprints([(0, 0)])
