"""What one message may cost a hub with a large set: each bucket read once at most, and nothing behind a full answer."""

import sqlite3

import pytest
from reconciliation import UNBOUNDED_BYTES, is_recorded, numbered_id, recorded_pairs, transcripts

from hubd.gossip.negentropy import Initiator, Responder
from hubd.gossip.ranges import CREATED_BYTES, INFINITY, Bound, Writer
from hubd.limits import BUCKET_LOAD_QUESTIONS, RECONCILE_FRAME_BYTES_MIN, RECONCILE_LINK_BYTES_MAX
from hubd.store import buckets
from hubd.store.items import Remembered, SqliteItems
from hubd.store.migrations import migrations

COUNT = 12_000


class Counted:
    """The store's tables in memory, and how many rows and statements a comparison took."""

    def __init__(self, pairs):
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        for _, script in migrations():
            self.connection.executescript(script)
        self.connection.executemany(
            "insert into action (id, created, kind, author, header, digest) values (?, ?, '', '', '', '')",
            [(id_, created) for created, id_ in pairs],
        )
        buckets.recount(self.connection)
        self.statements = 0
        self.steps = 0

    def items(self):
        return SqliteItems(self.connection, Remembered())

    def cost(self, work):
        """Statements, and steps of SQLite's machine: about five for a row."""
        self.statements = self.steps = 0
        items = self.items()
        self.connection.set_trace_callback(lambda _: setattr(self, "statements", self.statements + 1))
        self.connection.set_progress_handler(lambda: setattr(self, "steps", self.steps + 100), 100)
        try:
            work(items)
        finally:
            self.connection.set_trace_callback(None)
            self.connection.set_progress_handler(None, 0)
        return self.statements, self.steps

    @property
    def buckets(self):
        return self.connection.execute("select count(*) from bucket").fetchone()[0]


@pytest.fixture(scope="module")
def counted():
    return Counted([(1_000 + number, numbered_id(number)) for number in range(COUNT)])


def bound(position):
    return Bound((1_000 + position).to_bytes(CREATED_BYTES, "big"))


def right(writer, items, lower, upper):
    writer.fingerprint(bound(upper), items.fingerprints([(lower, upper)])[0])


def right_or_skip(writer, items, lower, upper):
    if upper % 2:
        writer.skip(bound(upper))
    else:
        right(writer, items, lower, upper)


def nothing(writer, _items, _lower, upper):
    writer.id_list(bound(upper), [])


def message(counted, write):
    writer, items = Writer(), counted.items()
    for upper in range(1, COUNT):
        write(writer, items, upper - 1, upper)
    writer.skip(INFINITY)
    return writer.message()


@pytest.mark.parametrize("write", [right, right_or_skip])
def test_a_message_full_of_ranges_reads_each_bucket_once(counted, write):
    said = message(counted, write)
    assert len(said) > 8 * COUNT
    for machine in (Responder(0, message_bytes_max=UNBOUNDED_BYTES), Initiator(0, message_bytes_max=UNBOUNDED_BYTES)):
        statements, steps = counted.cost(lambda items, machine=machine: machine.handle(items, said))
        assert statements <= counted.buckets
        assert steps < 15 * COUNT


def test_lists_of_nothing_read_each_bucket_once_and_its_neighbourhood_a_few_times(counted):
    said = message(counted, nothing)
    asking = Initiator(message_bytes_max=UNBOUNDED_BYTES)
    statements, _ = counted.cost(lambda items: asking.handle(items, said))
    assert statements <= counted.buckets * (BUCKET_LOAD_QUESTIONS + 1)


def test_what_stands_behind_a_full_answer_is_not_looked_up(counted):
    writer = Writer()
    for upper in range(1, COUNT):
        writer.fingerprint(bound(upper), bytes(16))
    said = writer.message()
    asked = Responder(RECONCILE_FRAME_BYTES_MIN, message_bytes_max=UNBOUNDED_BYTES)
    statements, steps = counted.cost(lambda items: asked.handle(items, said))
    assert statements < 40
    assert steps < 2 * COUNT


def test_skips_one_after_the_other_are_looked_up_as_one(counted):
    writer = Writer()
    for upper in range(1, COUNT):
        writer.skip(bound(upper))
    assert len(writer) < RECONCILE_LINK_BYTES_MAX
    asked = Responder(message_bytes_max=RECONCILE_LINK_BYTES_MAX)
    statements, _ = counted.cost(lambda items: asked.handle(items, writer.message()))
    assert statements <= 1


@pytest.mark.parametrize("case", transcripts(), ids=lambda case: case["name"])
def test_a_set_on_disk_answers_as_the_reference_to_the_byte(case):
    responder = Responder(case["frame_size_limit_b"], message_bytes_max=UNBOUNDED_BYTES)
    items = Counted(recorded_pairs(case["b"])).items()
    words = case["messages"]
    for asked, answer in zip(words[::2], words[1::2], strict=True):
        if asked[1] is not None:
            assert is_recorded(responder.handle(items, bytes.fromhex(asked[1])), answer)


def filled(batches):
    """Buckets by their counts, after batches of items by their numbers."""
    counted = Counted([])
    for batch in batches:
        items = [(1_000 + number, numbered_id(number)) for number in batch]
        counted.connection.executemany(
            "insert into action (id, created, kind, author, header, digest) values (?, ?, '', '', '', '')",
            [(id_, created) for created, id_ in items],
        )
        buckets.add(counted.connection, items)
    return counted


def test_the_newest_items_begin_a_bucket_where_the_last_one_is_full_and_no_other_is_read():
    counted = filled([range(500), range(500, 600), range(600, 700)])
    assert counted.connection.execute("select count from bucket order by low").fetchall() == [(500,), (200,)]
    whole = [counted.items().fingerprints([(0, 700), (450, 650)]), counted.items().ids(0, 700)]
    buckets.recount(counted.connection)
    assert [counted.items().fingerprints([(0, 700), (450, 650)]), counted.items().ids(0, 700)] == whole


@pytest.mark.parametrize("late", [range(499, 601), range(100), (*range(50), *range(600, 650)), [599]])
def test_items_that_are_not_all_the_newest_part_a_full_bucket(late):
    first = sorted(set(range(600)) - set(late))
    counted = filled([first[:256], first[256:], list(late)])
    counts = [count for (count,) in counted.connection.execute("select count from bucket")]
    assert max(counts) <= 512
    assert sum(counts) == len({*first, *late})
    whole = counted.items().fingerprints([(0, sum(counts)), (3, 500)])
    buckets.recount(counted.connection)
    assert counted.items().fingerprints([(0, sum(counts)), (3, 500)]) == whole
