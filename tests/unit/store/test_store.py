"""The set on the disk: what was acknowledged stays, what was erased does not return, and whose the file is."""

import asyncio
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from stores import DOMAIN, ME, NEIGHBOUR, OTHER, action, answers, changed, item

from hubd.action import cbor, content, envelope
from hubd.action.fingerprint import EMPTY, extend, fingerprint
from hubd.action.network import TESTNET
from hubd.action.principal import contract
from hubd.action.sip018 import Domain
from hubd.errors import FatalError, LocalError
from hubd.gossip.items import SortedItems
from hubd.limits import DATABASE_CACHE_KIB, DATABASE_READ_CACHE_KIB
from hubd.ports import Cursor
from hubd.store.actions import DATABASE_NAME, Store
from hubd.store.migrations import migrations

FIXTURES = Path(__file__).parent.parent.parent / "fixtures"


@pytest.fixture
async def store(tmp_path):
    opened = await Store.open(tmp_path / "data", DOMAIN)
    yield opened
    await opened.close()


async def test_new_actions_come_back_once_and_the_summary_follows(store):
    actions = [action(number) for number in range(5)]
    assert await store.append(actions) == actions
    assert await store.append(actions[::-1]) == []
    summary = await store.summary()
    assert (summary.count, summary.sequence) == (5, 5)
    assert summary.fingerprint == fingerprint(extend(EMPTY, [a.id for a in actions]))
    assert [found for _, found in await store.page(0, 100)] == actions
    assert await store.items() == sorted((a.statement.created, a.id) for a in actions)


async def test_the_same_action_offered_twice_at_once_is_new_once(store):
    one = action(1)
    results = await asyncio.gather(*(store.append([one, one]) for _ in range(20)))
    assert sorted(map(len, results)) == [0] * 19 + [1]
    assert (await store.summary()).count == 1


async def test_equal_sets_have_equal_fingerprints_whatever_the_order(tmp_path):
    actions = [action(number) for number in range(30)]
    prints = set()
    for name, order in (("a", actions), ("b", actions[::-1])):
        store = await Store.open(tmp_path / name, DOMAIN)
        for start in range(0, 30, 7):
            await store.append(order[start : start + 7])
        prints.add((await store.summary()).fingerprint)
        await store.close()
    assert len(prints) == 1


async def test_a_caller_who_gives_up_waiting_loses_nothing(store):
    waiting = asyncio.create_task(store.append([action(1)]))
    await asyncio.sleep(0)
    waiting.cancel()
    assert await store.append([action(2)]) == [action(2)]
    assert (await store.summary()).count == 2


async def test_a_write_that_fails_is_told_to_who_still_waits_and_the_next_one_is_done(store):
    trigger = "create trigger no before insert on action begin select raise(abort, 'no'); end"
    await store.database.write(lambda writer: writer.execute(trigger))
    gone, waiting = (asyncio.create_task(store.append([action(number)])) for number in (1, 2))
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(LocalError):
        await asyncio.wait_for(waiting, 5)
    await store.database.write(lambda writer: writer.execute("drop trigger no"))
    assert await asyncio.wait_for(store.append([action(3)]), 5) == [action(3)]


async def test_content_that_comes_later_joins_its_header(store):
    body = content.seal_content({"note": "here"}, bytes(16))
    full = action(1, "offer-set", body)
    await store.append([envelope.without_content(full)])
    assert (await store.get([full.id]))[0].content is None
    assert await store.append([full]) == []
    assert await store.get([full.id]) == [full]


@pytest.mark.parametrize("erasure_first", [False, True])
async def test_erased_content_goes_and_never_returns_whichever_came_first(tmp_path, erasure_first):
    store = await Store.open(tmp_path / "data", DOMAIN)
    body = content.seal_content({"note": "a name"}, bytes(16))
    full = action(1, "offer-set", body)
    erase = action(2, "content-erase", subject=full.id)
    for batch in ([erase], [full]) if erasure_first else ([full], [erase]):
        await store.append(batch)
    await store.append([full])
    assert await store.get([full.id]) == [envelope.without_content(full)]
    await store.close()
    for path in (tmp_path / "data").iterdir():
        assert b"a name" not in path.read_bytes(), path.name


async def test_nobody_erases_what_another_wrote(store):
    body = content.seal_content({"note": "mine"}, bytes(16))
    full = action(1, "offer-set", body)
    await store.append([full, action(2, "content-erase", signer=OTHER, subject=full.id)])
    assert await store.get([full.id]) == [full]


@pytest.mark.parametrize("erasure_first", [False, True])
async def test_anchored_content_is_never_erased_whichever_came_first(store, erasure_first):
    body = content.seal_content({"note": "hub"}, bytes(16))
    full = action(1, "hub-admit", body)
    erase = action(2, "content-erase", subject=full.id)
    for batch in ([erase], [full]) if erasure_first else ([full], [erase]):
        await store.append(batch)
    assert await store.get([full.id]) == [full]


async def test_a_cursor_holds_across_a_restart_and_not_across_another_database(tmp_path):
    store = await Store.open(tmp_path / "a", DOMAIN)
    await store.append([action(1), action(2)])
    cursor = await store.cursor()
    await store.close()
    store = await Store.open(tmp_path / "a", DOMAIN)
    assert await store.resume(cursor) == 2
    assert await store.resume(Cursor(cursor.epoch, 2, b"another!")) is None
    assert await store.resume(Cursor(cursor.epoch, 3, cursor.id_prefix)) is None
    assert await store.resume(Cursor(bytes(8), 2, cursor.id_prefix)) is None
    assert await store.resume(Cursor(store.epoch, 0, b"")) == 0
    await store.close()


async def test_a_second_process_is_told_that_the_data_are_in_use(store):
    with pytest.raises(FatalError) as fatal:
        await Store.open(store.database.path.parent, DOMAIN)
    assert fatal.value.code == "data-in-use"
    assert fatal.value.hint


async def test_the_data_of_another_mesh_are_not_touched(tmp_path):
    await (await Store.open(tmp_path, DOMAIN)).close()
    with pytest.raises(FatalError) as fatal:
        await Store.open(tmp_path, Domain(TESTNET, contract(ME, "other")))
    assert fatal.value.code == "wrong-mesh"
    await (await Store.open(tmp_path, DOMAIN)).close()


async def test_a_database_of_a_newer_hubd_is_left_alone(tmp_path):
    await (await Store.open(tmp_path, DOMAIN)).close()
    with sqlite3.connect(tmp_path / DATABASE_NAME) as connection:
        connection.execute("pragma user_version = 999")
    connection.close()
    with pytest.raises(FatalError) as fatal:
        await Store.open(tmp_path, DOMAIN)
    assert fatal.value.code == "schema-newer"


async def test_a_file_that_is_no_database_is_said_in_words(tmp_path):
    (tmp_path / DATABASE_NAME).write_bytes(b"not a database at all" * 100)
    with pytest.raises(FatalError) as fatal:
        await Store.open(tmp_path, DOMAIN)
    assert fatal.value.code == "database-damaged"


async def test_every_connection_is_full_and_the_directory_is_private(store):
    directory = store.database.path.parent
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    for asked, is_so in (("pragma synchronous", 2), ("pragma journal_mode", "wal")):
        assert await store.database.read(asked) == [(is_so,)]
        for run in (store.database.write, store.database.compare):
            assert await run(lambda connection, asked=asked: connection.execute(asked).fetchall()) == [(is_so,)]


async def test_who_writes_keeps_more_pages_at_hand_than_who_reads(store):
    asked = "pragma cache_size"
    assert await store.database.read(asked) == [(-DATABASE_READ_CACHE_KIB,)]
    for run, size_kib in (
        (store.database.compare, DATABASE_READ_CACHE_KIB),
        (store.database.write, DATABASE_CACHE_KIB),
    ):
        assert await run(lambda connection: connection.execute(asked).fetchall()) == [(-size_kib,)]


async def test_a_failed_write_is_told_to_everybody_and_the_next_one_works(store):
    await changed(
        store, "create trigger no before insert on action when new.created = 13 begin select raise(abort, 'no'); end"
    )
    results = await asyncio.gather(store.append([action(12)]), store.append([action(13)]), return_exceptions=True)
    assert all(isinstance(result, LocalError) for result in results)
    assert (await store.summary()).count == 0
    assert await store.append([action(12)]) == [action(12)]


KILLED = """
import asyncio, sys
sys.path[:0] = {path!r}
from test_store import *
async def main():
    store = await Store.open(Path({data!r}), DOMAIN)
    for number in range(10_000):
        await store.append([action(number)])
        print(number, flush=True)
asyncio.run(main())
"""


async def test_what_was_acknowledged_before_a_kill_is_there_after_it(tmp_path):
    script = KILLED.format(path=[str(Path(__file__).parent), *sys.path], data=str(tmp_path))
    for acknowledged in (1, 7, 40):
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as writer:
            last = -1
            while last < acknowledged:
                last = int(writer.stdout.readline())
            writer.kill()
        store = await Store.open(tmp_path, DOMAIN)
        assert len(await store.get([action(number).id for number in range(last + 1)])) == last + 1
        summary = await store.summary()
        ids = [action_id for _, action_id in await store.items()]
        assert (summary.count, summary.fingerprint) == (len(ids), fingerprint(extend(EMPTY, ids)))
        assert await store.over_items(answers) == answers(SortedItems(await store.items()))
        await store.close()


@pytest.mark.parametrize("number", [number for number, _ in migrations()])
async def test_a_database_of_every_earlier_schema_opens_with_all_it_held(tmp_path, number):
    raw = (FIXTURES / f"schema-{number}.sqlite3").read_bytes()
    (tmp_path / DATABASE_NAME).write_bytes(raw)
    store = await Store.open(tmp_path, DOMAIN)
    assert [found for _, found in await store.page(0, 10)] == [action(1), action(2)]
    assert (await store.summary()).count == 2
    assert await store.append([action(1), action(3)], NEIGHBOUR) == [action(3)]
    assert await store.over_items(answers) == answers(SortedItems(await store.items()))
    await store.close()


async def test_a_full_database_of_schema_1_is_counted_into_buckets_when_it_opens(tmp_path):
    numbers = range(2_000)
    with sqlite3.connect(tmp_path / DATABASE_NAME) as old:
        old.executescript(migrations()[0][1] + "pragma user_version = 1;")
        mesh = cbor.encode([DOMAIN.network.name, DOMAIN.mesh])
        ids = [action_id for _, action_id in map(item, numbers)]
        meta = {"epoch": bytes(8), "mesh": mesh, "lthash": extend(EMPTY, ids), "count": len(ids)}
        old.executemany("insert into meta values (?, ?)", meta.items())
        old.executemany(
            "insert into action (id, created, kind, author, header, digest) values (?, ?, '', '', '', '')",
            [(action_id, created) for created, action_id in map(item, numbers)],
        )
    old.close()
    store = await Store.open(tmp_path, DOMAIN)
    assert await store.over_items(answers) == answers(SortedItems(map(item, numbers)))
    assert len(await store.database.read("select low from bucket where count <= 512")) > 4
    await store.close()


async def test_a_full_partition_is_told_and_what_is_there_stays_readable(store):
    await store.append([action(1)])
    [(pages,)] = await store.database.read("pragma page_count")
    await changed(store, f"pragma max_page_count = {pages}")
    body = content.seal_content({"note": "x" * 12_000}, bytes(16))
    with pytest.raises(LocalError) as full:
        await store.append([action(number, "offer-set", body) for number in range(9)])
    assert full.value.code == "disk-full"
    assert [found for _, found in await store.page(0, 9)] == [action(1)]
    assert (await store.summary()).count == 1


if __name__ == "__main__":
    # Writes the fixture of the newest schema; run once when a migration is added, with PYTHONPATH=tests.

    async def write() -> None:
        number = migrations()[-1][0]
        folder = FIXTURES / "new"
        store = await Store.open(folder, DOMAIN)
        await store.append([action(1), action(2)])
        await store.close()
        (folder / DATABASE_NAME).replace(FIXTURES / f"schema-{number}.sqlite3")

    asyncio.run(write())
