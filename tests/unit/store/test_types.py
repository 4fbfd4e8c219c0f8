"""SQLite keeps the type of a value beside it, and that byte rots as others do: no reader stumbles over what it finds."""

import os
import sqlite3

import pytest
from rotting import ACTIONS, DOMAIN, LATE, READERS, in_words, is_whole, opened, row_with, whole_file

from hubd.action import envelope
from hubd.action.fingerprint import EMPTY, extend, fingerprint
from hubd.errors import RemoteError
from hubd.store.actions import DATABASE_NAME
from hubd.store.headers import Headers

COLUMNS = ("id", "created", "kind", "author", "header", "digest")
VALUES = ("null", "7", "-1.5", "x''", "x'ff'", "'words'", "cast(x'ff00' as text)")
FROM_AN_INDEX = ("ids", "fingerprints")  # which says the same here as the row
SHARE = 1 if os.environ.get("HUBD_CAMPAIGN") else 6  # of all who may be the first to meet it
OF_THE_SET = {
    "count": "update meta set value = 'x' where key = 'count'",
    "lthash": "update meta set value = cast(value as text) where key = 'lthash'",
    "sketch": "insert or replace into meta values ('sketch', 7)",
    "bucket's count": "update bucket set count = 'x'",
    "bucket's sum": "update bucket set sum = 7",
    "bucket's low": "update bucket set low = cast(low as text)",
    "no bucket": "delete from bucket",
    "reader": "update audience set sequence = 'x' where sequence = 9",
    "name of a reader": "update or ignore audience set name = x'00' where sequence = 9",
    "peer": "update peer set sequence = 'x', mark = 7",
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of a database that holds `ACTIONS`."""
    return whole_file(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def path(tmp_path, whole):
    """A copy of it."""
    (tmp_path / DATABASE_NAME).write_bytes(whole)
    return tmp_path / DATABASE_NAME


def planted(path, column, value):
    """As rot does it, whatever the schema demands, in the row and in the indexes."""
    with sqlite3.connect(path) as raw:
        [(schema,)] = raw.execute("select sql from sqlite_schema where name = 'action'")
    raw.close()
    for sql in (schema.replace(" not null", ""), None, schema):
        with sqlite3.connect(path) as raw:
            raw.execute("pragma writable_schema = on")
            if sql is None:
                raw.execute(f"update action set {column} = {value} where sequence = 9")
            else:
                raw.execute("update sqlite_schema set sql = ? where name = 'action'", (sql,))
        raw.close()


async def is_whole_again(store, scrubber):
    await store.append([*ACTIONS, LATE])
    await scrubber.scrub()
    await store.append([*ACTIONS, LATE])
    found = await scrubber.scrub()
    assert (found.damaged, found.counted_again) == (0, False)
    assert await is_whole(store)
    assert await store.database.read("pragma integrity_check") == [("ok",)]
    assert await store.rotten() == 0


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("value", VALUES)
async def test_no_reader_stumbles_over_a_value_of_another_type_and_a_neighbour_makes_the_set_whole(path, column, value):
    planted(path, column, value)
    start = COLUMNS.index(column) + VALUES.index(value)
    for first in list(READERS)[start % SHARE :: SHARE]:  # whichever meets it first
        (path.parent / first).mkdir()
        (path.parent / first / DATABASE_NAME).write_bytes(path.read_bytes())
        store, scrubber = await opened(path.parent / first)
        await in_words(READERS[first](store))
        for name, read in READERS.items():
            await (in_words(read(store)) if name in FROM_AN_INDEX else read(store))
        await is_whole_again(store, scrubber)
        await store.close()


@pytest.mark.parametrize("sql", OF_THE_SET.values(), ids=OF_THE_SET)
async def test_what_is_kept_of_the_set_may_be_of_any_type_too(path, sql):
    store, scrubber = await opened(path.parent)
    await store.keep_cursor(b"a neighbour", 9, b"mark")
    await store.append([LATE])
    await store.database.write(lambda writer: writer.execute(sql))
    for read in READERS.values():
        await in_words(read(store))
    assert await store.peer_cursor(b"a neighbour") in ((9, b"mark"), (0, b""))
    await is_whole_again(store, scrubber)
    await store.close()


@pytest.mark.parametrize("column", [1, 3, 4, 5, 6], ids=lambda at: COLUMNS[at - 1])
async def test_a_blob_that_became_a_text_is_put_right_without_a_neighbour(path, whole, column):
    raw, cell = bytearray(whole), row_with(whole, ACTIONS[12].signature)
    raw[cell.types[column + 1] - 1] ^= 1  # even types are blobs, odd ones texts
    path.write_bytes(raw)
    store, scrubber = await opened(path.parent)
    found = await scrubber.scrub()
    assert (found.damaged, found.set_aside) == (1, 0)
    assert (await store.summary()).count == len(ACTIONS)
    await is_whole_again(store, scrubber)
    await store.close()


@pytest.mark.parametrize("value", VALUES)
async def test_the_rules_are_told_of_rot_when_they_ask_for_one_action_again(path, value):
    planted(path, "header", value)
    headers = Headers(path, DOMAIN)
    with pytest.raises(RemoteError):
        headers(ACTIONS[8].id)
    headers.close()


@pytest.mark.parametrize("reader", ["page", "page_for"])
@pytest.mark.parametrize("bit", [0, 77, 255])
async def test_a_row_that_its_indexes_know_by_another_name_leaves_the_set_under_that_one(path, whole, reader, bit):
    raw, cell = bytearray(whole), row_with(whole, ACTIONS[12].signature)
    raw[cell.body + bit // 8] ^= 1 << bit % 8  # its id comes first: `sequence` takes no room
    path.write_bytes(raw)
    store, scrubber = await opened(path.parent)
    await READERS[reader](store)
    rest = [*ACTIONS[:12], *ACTIONS[13:]]
    summary = await store.summary()
    assert (summary.count, summary.fingerprint) == (len(rest), fingerprint(extend(EMPTY, [each.id for each in rest])))
    assert set(await store.over_items(lambda items: items.ids(0, items.size()))) == {each.id for each in rest}
    assert await store.database.read("pragma integrity_check") == [("ok",)]
    assert await store.rotten() == 1
    await store.append([ACTIONS[12]])
    assert await store.rotten() == 0
    found = await scrubber.scrub()
    assert (found.damaged, found.counted_again) == (0, False)
    await store.close()


@pytest.mark.parametrize("value", VALUES[1:])
async def test_the_rules_are_told_an_action_without_content_that_rotted(path, value):
    planted_body = f"update content set body = {value} where id = ?"
    with sqlite3.connect(path) as raw:
        raw.execute(planted_body, (ACTIONS[-1].id,))
    raw.close()
    headers = Headers(path, DOMAIN)
    assert headers(ACTIONS[-1].id) == envelope.without_content(ACTIONS[-1])
    headers.close()
