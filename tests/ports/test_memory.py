"""What every memory of the fold must do: dicts, and a file with large and with tiny caches."""

import sqlite3

import pytest
from builders import Village, erased
from soups import SOUPS

from hubd.fold.folder import Folder, fold
from hubd.fold.memory import DictMemory, beginning, beyond
from hubd.store import cells, viewfile
from hubd.store.views import SqliteMemory

A, B, C = ("a", b"1"), ("b", (b"2", None)), ("c", "three")


class Kept:
    """A memory, and how to find it again after its process ended. `actions` is the set."""

    def __init__(self, form, path) -> None:
        self.form, self.path, self.actions = form, path, {}
        self.now = self.open()

    def open(self):
        if self.form == "dicts":
            return DictMemory()
        return SqliteMemory.open(self.path, b"stamp", self.actions.get, 1 if self.form == "tiny" else 1_000)

    def again(self) -> None:
        """Close it, and open it anew: what was committed is there."""
        if self.form != "dicts":
            self.now.commit(None)
            self.now.close()
            self.now = self.open()

    def file(self, action):
        self.actions[action.id] = action
        return self.now.file(action)


@pytest.fixture(params=["dicts", "file", "tiny"])
def kept(request, tmp_path, monkeypatch):
    if request.param == "tiny":
        monkeypatch.setattr(cells, "VIEWS_NAMES_YOUNG", 3)
    made = Kept(request.param, tmp_path / "views.sqlite3")
    yield made
    if request.param != "dicts":
        made.now.close()


def test_entries_are_kept_changed_and_taken_away(kept):
    kept.now.keep("keys", b"ana", 1)
    kept.now.keep("keys", (b"ana", None), (2, b"x", None, True, "text"))
    kept.now.keep("taken", b"ana", 3)
    kept.again()
    kept.now.keep("keys", b"ana", 4)
    assert kept.now.entry("keys", b"ana") == 4
    assert kept.now.entry("keys", b"tomas") is None
    assert dict(kept.now.entries("keys")) == {b"ana": 4, (b"ana", None): (2, b"x", None, True, "text")}
    kept.now.keep("keys", b"ana", None)
    kept.again()
    assert b"ana" not in kept.now.entries("keys")
    assert (len(kept.now.entries("keys")), len(kept.now.entries("taken")), len(kept.now.entries("void"))) == (1, 1, 0)
    with pytest.raises(KeyError):
        kept.now.entries("keys")[b"ana"]


def test_keys_that_begin_alike_are_found_together(kept):
    pairs = [(b"ana", b"tomas"), (b"ana", None), (b"anatole", b"tomas"), (b"tomas", b"ana")]
    for pair in pairs:
        kept.now.keep("dealings", pair, 1)
    kept.now.keep("other", (b"ana", b"mira"), 1)
    kept.again()
    kept.now.keep("dealings", (b"ana", b"late"), 1)
    kept.now.keep("dealings", (b"ana", None), None)
    assert set(beginning(kept.now.entries("dealings"), b"ana")) == {(b"ana", b"tomas"), (b"ana", b"late")}


def test_keys_are_walked_through_a_few_at_a_time_while_entries_come_and_go(kept):
    for number in range(10):
        kept.now.keep("claims", b"%d" % number, 1)
        kept.now.keep("other", b"x%d" % number, 1)
    kept.again()
    seen, after = [], None
    while page := beyond(kept.now.entries("claims"), after, 3):
        seen += page
        after = page[-1]
        if page[0] != after:
            kept.now.keep("claims", page[0], None)
    assert (len(seen), set(seen)) == (10, {b"%d" % number for number in range(10)})
    kept.now.keep("claims", b"late", 1)
    assert beyond(kept.now.entries("claims"), after, 9) == [b"late"]
    assert beyond(kept.now.entries("void"), None, 9) == []


def test_sums_are_kept_and_gone_when_nothing_is_left(kept):
    kept.now.keep_sums("reputation", b"ana", (1, -(2**70)))
    kept.again()
    assert kept.now.sums("reputation", b"ana") == (1, -(2**70))
    kept.now.keep_sums("reputation", b"ana", None)
    kept.again()
    assert kept.now.sums("reputation", b"ana") is None


def _readers(memory, node):
    found, after = [], None
    while True:
        page, after = memory.readers(node, after)
        found += page
        if after is None:
            assert len(set(found)) == len(found)
            return set(found)


def test_a_node_is_read_by_whom_its_last_evaluation_says(kept):
    kept.now.remember(A, {C, B})
    kept.now.remember(B, {C})
    assert _readers(kept.now, C) == {A, B}
    kept.again()
    assert _readers(kept.now, C) == {A, B}
    kept.now.remember(A, {B})
    assert _readers(kept.now, C) == {B}
    kept.now.remember(A, {B, C})
    assert _readers(kept.now, C) == {A, B}
    kept.now.remember(B, set())
    kept.again()
    assert (_readers(kept.now, C), _readers(kept.now, B), _readers(kept.now, A)) == ({A}, {A}, set())


def test_many_readers_are_told_page_by_page(kept, monkeypatch):
    if kept.form != "dicts":
        monkeypatch.setattr(kept.now._pairs, "_page", 3)
    for number in range(10):
        kept.now.remember(("a", b"%d" % number), {C})
        if number == 6 and kept.form != "dicts":
            kept.now.flush()
    assert _readers(kept.now, C) == {("a", b"%d" % number) for number in range(10)}


def test_the_latest_time_goes_when_its_last_transaction_goes(kept):
    assert kept.now.latest_time() is None
    for time_s in (5, 9, 9):
        kept.now.count_time(time_s, 1)
    kept.now.count_time(9, -1)
    kept.again()
    assert kept.now.latest_time() == 9
    kept.now.count_time(9, -1)
    assert kept.now.latest_time() == 5


def test_what_is_to_be_done_is_left_and_found(kept):
    assert kept.now.work() is None
    kept.now.keep_work(([A, B], {C: 7}))
    kept.again()
    assert kept.now.work() == ([A, B], {C: 7})


def test_actions_stand_where_they_were_filed_in_order(kept):
    village = Village(4)
    book = village.book("ana", "tomas")
    attends = [village.attend(name, book, "tomas") for name in ("ana", "tomas", "ana", "ana")]
    assert [kept.file(action) for action in (book, *attends)] == [[]] + [[("lesson-attend", book.id)]] * 4
    assert not kept.now.is_news(book)
    kept.again()
    ana = village.principal("ana")
    expected = sorted(action.id for action in attends if action.statement.author == ana)
    assert [action.id for action in kept.now.filed("lesson-attend", book.id, ana)] == expected
    assert kept.now.authors("lesson-attend", book.id) == sorted({ana, village.principal("tomas")})
    assert kept.now.file(attends[0]) == []
    assert (len(kept.now), kept.now.action(book.id), kept.now.action(b"\x01" * 32)) == (5, book, None)


def test_ranks_come_before_ids_and_a_place_may_be_large(kept):
    village = Village(4)
    receipts = [village.receipt("hub", [], burn_height=900 + n % 7, level=n % 3) for n in range(80)]
    for receipt in receipts:
        kept.file(receipt)
    hub, txid = village.principal("hub"), receipts[0].statement.subject
    expected = sorted(receipts, key=lambda a: (-a.statement.amount, -a.statement.bits, a.id))
    assert [action.id for action in kept.now.filed("relay-receipt", txid, hub)] == [a.id for a in expected]
    kept.again()
    kept.file(late := village.receipt("hub", [], burn_height=999))
    assert next(kept.now.filed("relay-receipt", txid, hub)) == late
    assert kept.now.authors("relay-receipt", txid) == [hub]
    assert list(kept.now.filed("relay-receipt", txid, village.principal("ana"))) == []


def test_anchored_content_that_comes_later_is_news_once(kept):
    village = Village(4)
    whole = village.balance("hub", [("ana", None, 1, 0)])
    bare = erased(whole)
    kept.file(bare)
    kept.again()
    assert (kept.now.is_news(bare), kept.now.is_news(whole)) == (False, True)
    assert len(kept.file(whole)) == 2
    kept.again()
    assert (kept.now.is_news(bare), kept.now.is_news(whole), len(kept.now)) == (False, False, 1)
    assert kept.now.action(whole.id) == whole


@pytest.mark.parametrize("area", sorted(SOUPS))
def test_every_soup_folds_to_the_views_of_the_plain_fold_whatever_is_forgotten_on_the_way(kept, area):
    soup = SOUPS[area]()
    charter = soup.village.charter
    folder = Folder(charter, kept.now)
    for start in range(0, len(soup.actions), 4):
        kept.actions |= {action.id: action for action in soup.actions[start : start + 4]}
        folder.append(soup.actions[start : start + 4])
        folder.pause()
        if start % 16 == 0:
            kept.again()
            folder = Folder(charter, kept.now)
    assert folder.views == fold(charter, soup.actions)
    assert len(folder) == len(soup.actions)


# --- the file alone


def test_what_cannot_be_on_disk_is_not_asked_for(tmp_path):
    soup, asked = SOUPS["lesson"](), []
    known = {action.id: action for action in soup.actions}
    memory = SqliteMemory.open(tmp_path / "views.sqlite3", b"stamp", known.get, 1)
    memory._connection.set_trace_callback(asked.append)
    folder = Folder(soup.village.charter, memory)
    for action in soup.actions:
        folder.append([action])
        memory.flush()
    assert folder.views == fold(soup.village.charter, soup.actions)
    memory._connection.set_trace_callback(None)
    reads = [sql for sql in asked if "from reads" in sql]
    assert reads
    assert all(memory._connection.execute(sql).fetchone() for sql in reads)
    memory.close()


def _open(path, stamp=b"stamp"):
    return SqliteMemory.open(path, stamp, {}.get)


def _held(path, stamp=b"stamp"):
    memory = _open(path, stamp)
    found = memory.entry("keys", b"ana"), memory.covered
    memory.close()
    return found


@pytest.fixture
def path(tmp_path):
    """A file that holds one entry, and covers the set up to 7."""
    path = tmp_path / "views.sqlite3"
    memory = _open(path)
    memory.keep("keys", b"ana", 1)
    memory.commit((7, b"mark"))
    memory.close()
    return path


def test_what_was_not_committed_is_gone_with_the_place_that_it_covers(path):
    memory = _open(path)
    memory.keep("keys", b"ana", 2)
    memory.flush()
    memory.close()
    assert _held(path) == (1, (7, b"mark"))


def test_a_file_of_another_set_charter_or_version_is_begun_anew(path, monkeypatch):
    assert _held(path, b"another") == (None, (0, b""))
    assert _held(path) == (None, (0, b""))
    monkeypatch.setattr(viewfile, "_FORMAT", 99)
    assert _held(path) == (None, (0, b""))


@pytest.mark.parametrize("ruin", [b"", b"no database at all", b"SQLite format 3\x00" + bytes(200)])
def test_a_file_that_is_none_is_begun_anew(path, ruin):
    path.write_bytes(ruin)
    assert _held(path) == (None, (0, b""))


def test_an_entry_that_rotted_is_noticed(path):
    with sqlite3.connect(path) as connection:
        [(body,)] = connection.execute("select body from entry")
        connection.execute("update entry set body = ?", (body[:-1] + bytes([body[-1] ^ 1]),))
    connection.close()
    memory = _open(path)
    with pytest.raises(Exception, match="a stored value changed"):
        memory.entry("keys", b"ana")
    memory.close()


def test_an_action_that_left_the_set_is_noticed(path):
    village = Village(4)
    memory = SqliteMemory.open(path, b"stamp", {}.get, 1)
    requests = [village.request("ana") for _ in range(4)]
    for request in requests:
        memory.file(request._replace())
    with pytest.raises(Exception, match="not in the set"):
        memory.action(requests[0].id)
    memory.close()


def test_the_file_is_for_its_user_alone(path):
    assert path.stat().st_mode & 0o077 == 0
