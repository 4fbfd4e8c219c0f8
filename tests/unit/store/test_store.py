import asyncio
import hashlib
import sqlite3
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from hubd.action import cbor, content, envelope
from hubd.action.fingerprint import EMPTY, extend, fingerprint
from hubd.action.network import TESTNET
from hubd.action.principal import contract
from hubd.action.signature import Signer
from hubd.action.sip018 import Domain
from hubd.action.statement import Statement
from hubd.errors import FatalError, LocalError
from hubd.gossip.items import SortedItems
from hubd.ports import Cursor, LedgerEntry, SetSummary, TransactionState
from hubd.store.actions import DATABASE_NAME, Store
from hubd.store.migrations import migrations

SIGNER, OTHER = Signer(b"\x05" * 32), Signer(b"\x06" * 32)
NEIGHBOUR, OTHER_NEIGHBOUR = b"a neighbour's principal", b"another's"
ME = SIGNER.principal(TESTNET)
DOMAIN = Domain(TESTNET, contract(ME, "access"))
FIXTURES = Path(__file__).parent.parent.parent / "fixtures"


def item(number):
    """A pair (created, id) in no order of arrival."""
    return number * 7 % 13, hashlib.sha256(b"item %d" % number).digest()


def action(number, kind="vouch-give", body=None, signer=SIGNER, **fields):
    statement = Statement(kind, signer.principal(TESTNET), number, number + 9, number.to_bytes(8, "big"), **fields)
    return envelope.seal(statement, signer, DOMAIN, body)


def answers(items):
    """What a set of items says of itself."""
    size = items.size()
    spans = [(0, size), *((at, min(at + 7, size)) for at in range(0, size, 5))]
    return size, items.fingerprints(spans), items.ids(0, size), [items.key(at) for at in range(size)]


async def changed(store, sql, values=()):
    """Run one statement in the store's own file."""
    await store.database.write(lambda writer: writer.execute(sql, values))


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


async def test_a_failed_write_is_told_to_everybody_and_the_next_one_works(store):
    await changed(
        store, "create trigger no before insert on action when new.created = 13 begin select raise(abort, 'no'); end"
    )
    results = await asyncio.gather(store.append([action(12)]), store.append([action(13)]), return_exceptions=True)
    assert all(isinstance(result, LocalError) for result in results)
    assert (await store.summary()).count == 0
    assert await store.append([action(12)]) == [action(12)]


async def test_a_page_of_names_goes_by_arrival_and_ends_with_the_set(store):
    await store.append([action(3), action(1)])
    names = [(1, action(3).id, action(3).kind), (2, action(1).id, action(1).kind)]
    assert [await store.page_of_names(after, 1) for after in (0, 1, 2)] == [names[:1], names[1:], []]
    assert await store.page_of_names(0, 9) == names


async def test_the_ledger_keeps_signed_bytes_and_their_ids_in_order(store):
    ledger = store.ledger()
    entry = LedgerEntry(
        b"t" * 32, 7, 500, b"raw", "submit-batch", (action(2).id, action(1).id), TransactionState.SIGNED, 100
    )
    await ledger.record(entry)
    await ledger.record(entry)
    assert await ledger.entries([TransactionState.SIGNED]) == [entry]
    assert await ledger.entries([TransactionState.SIGNED], with_raw=False) == [replace(entry, raw=b"")]
    assert await ledger.raw(entry.txid) == b"raw"
    await ledger.mark(entry.txid, TransactionState.REPLACED)
    assert await ledger.entries([TransactionState.SIGNED]) == []
    assert await ledger.highest_account_nonce() == 7
    assert await ledger.fees_between(0, 200) == 0


async def test_a_start_reads_what_is_open_or_recent_of_the_ledger_and_asks_whose_a_transaction_is(store):
    ledger, states = store.ledger(), {3: TransactionState.BROADCAST, 4: TransactionState.REPLACED}
    for number in range(20):
        state = states.get(number, TransactionState.INCLUDED)
        at_s = 900 if number == 7 else 100
        nonce = 3 if number == 4 else number
        await ledger.record(
            LedgerEntry(bytes([number]) * 32, nonce, 500, b"raw", "x", (action(number).id,), state, at_s)
        )
    found = await ledger.recent(5, 900)
    assert [entry.txid[0] for entry in found] == [3, 4, 7, 15, 16, 17, 18, 19]
    assert {entry.raw for entry in found} == {b""}
    assert found[0].ids == (action(3).id,)
    assert await ledger.own([bytes([2]) * 32, b"?" * 32]) == {bytes([2]) * 32: {action(2).id}}


async def test_fees_are_those_of_the_time_asked_for_and_not_of_a_clock_that_was_ahead(store):
    ledger = store.ledger()
    for number, signed_at_s in enumerate((99, 100, 200, 201 + 10 * 365 * 86_400)):
        txid = bytes([number]) * 32
        await ledger.record(LedgerEntry(txid, number, 500, b"", "gap", (), TransactionState.BROADCAST, signed_at_s))
    assert await ledger.fees_between(100, 200) == 1_000


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


async def test_a_place_in_the_order_of_arrival_has_a_name_that_no_other_database_gives(store, tmp_path):
    assert await store.summary() == SetSummary(0, fingerprint(EMPTY), 0, b"")
    await store.append([action(1), action(2)])
    summary = await store.summary()
    assert (summary.sequence, summary.mark) == (2, await store.mark_of(2))
    named = hashlib.sha256(store.epoch + (1).to_bytes(8, "big") + action(1).id).digest()[:8]
    assert [await store.mark_of(sequence) for sequence in (0, 1, 3)] == [b"", named, b""]
    other = await Store.open(tmp_path / "other", DOMAIN)
    await other.append([action(1), action(2)])
    assert await other.mark_of(2) != summary.mark
    await other.close()


async def test_a_page_for_a_peer_leaves_out_what_came_from_it(store):
    await store.append([action(1)], NEIGHBOUR)
    await store.append([action(2)])
    await store.append([action(3), action(1)], OTHER_NEIGHBOUR)
    assert await store.page_for(NEIGHBOUR, 0, 9, 9) == ([(2, action(2)), (3, action(3))], 9)
    assert await store.page_for(OTHER_NEIGHBOUR, 0, 9, 9) == ([(1, action(1)), (2, action(2))], 9)
    assert await store.page_for(b"a stranger", 0, 2, 9) == ([(1, action(1)), (2, action(2))], 2)
    assert await store.page_for(b"a stranger", 0, 9, 1) == ([(1, action(1))], 1)


async def test_a_page_for_a_peer_looks_at_so_many_actions_and_goes_on_from_there(store, monkeypatch):
    monkeypatch.setattr("hubd.store.actions.PAGE_WINDOW_ROWS", 3)
    await store.append([action(number) for number in range(1, 8)], NEIGHBOUR)
    await store.append([action(8)])
    assert await store.page_for(NEIGHBOUR, 0, 8, 9) == ([], 3)
    assert await store.page_for(NEIGHBOUR, 3, 8, 9) == ([], 6)
    assert await store.page_for(NEIGHBOUR, 6, 8, 9) == ([(8, action(8))], 8)


async def test_the_place_reached_with_a_peer_is_kept_across_a_restart(tmp_path):
    store = await Store.open(tmp_path, DOMAIN)
    assert await store.peer_cursor(NEIGHBOUR) == (0, b"")
    await store.keep_cursor(NEIGHBOUR, 7, b"a place.")
    await store.append([action(1)], NEIGHBOUR)
    await store.keep_cursor(NEIGHBOUR, 9, b"further.")
    assert await store.peer_cursor(NEIGHBOUR) == (9, b"further.")
    await store.close()
    store = await Store.open(tmp_path, DOMAIN)
    assert await store.peer_cursor(NEIGHBOUR) == (9, b"further.")
    assert await store.peer_cursor(OTHER_NEIGHBOUR) == (0, b"")
    await store.close()


async def test_the_place_reached_with_a_peer_goes_to_disk_with_the_next_actions_and_else_by_itself(store):
    async def on_disk():
        return await store.database.read("select sequence from peer where principal = ?", (NEIGHBOUR,))

    await store.keep_cursor(NEIGHBOUR, 7, b"a place.")
    assert await on_disk() == []
    await store.append([action(1)])
    assert await on_disk() == [(7,)]
    await store.keep_cursor(NEIGHBOUR, 9, b"further.")
    async with asyncio.timeout(30):
        while await on_disk() != [(9,)]:
            await asyncio.sleep(0.05)


async def test_a_comparison_sees_one_moment_and_the_next_one_sees_what_was_written(store):
    await store.append([action(1)])
    before, at_work = threading.Event(), threading.Event()

    def slowly(items):
        first = items.size()
        at_work.set()
        before.wait(5)
        return first, items.size(), items.ids(0, 1)

    comparing = asyncio.create_task(store.over_items(slowly))
    await asyncio.to_thread(at_work.wait, 5)
    await store.append([action(0), action(2)])
    before.set()
    assert await comparing == (1, 1, [action(1).id])
    assert await store.over_items(answers) == answers(SortedItems(await store.items()))


async def test_rotten_bytes_are_left_out_of_the_set_until_a_neighbour_gives_them_again(store):
    await store.append([action(1), action(2)])
    await changed(
        store,
        "update action set header = cast(substr(header, 1, 20) || x'ff' || substr(header, 22) as blob)"
        " where created = 1",
    )
    assert [found for _, found in await store.page(0, 2)] == [action(2)]
    assert await store.rotten() == 1
    assert await store.items() == [(2, action(2).id)]
    summary = await store.summary()
    assert (summary.count, summary.fingerprint) == (1, fingerprint(extend(EMPTY, [action(2).id])))
    assert await store.append([action(1)]) == [action(1)], "so that views and neighbours hear of it"
    assert await store.rotten() == 0
    assert [found for _, found in await store.page(0, 2)] == [action(2), action(1)]
    assert (await store.summary()).fingerprint == fingerprint(extend(EMPTY, [action(1).id, action(2).id]))


async def test_every_bit_of_a_stored_header_is_watched_the_signature_too(store):
    await store.append([action(1)])
    size = len(action(1).header)
    for at in range(1, size + 1, 7):
        await changed(
            store,
            "update action set header = cast(substr(header, 1, ?) || x'ee' || substr(header, ?) as blob)",
            (at - 1, at + 1),
        )
        assert await store.page(0, 1) == [], at
        assert await store.append([action(1)]) == [action(1)]


async def test_a_page_is_short_at_the_end_of_the_set_only(store):
    await store.append([action(number) for number in range(6)])
    await changed(store, "update action set digest = x'00' where created < 3")
    assert [found for _, found in await store.page(0, 2)] == [action(3), action(4)]


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


@pytest.mark.parametrize(("kind", "stays"), [("offer-set", True), ("hub-admit", False)])
async def test_rotten_content_goes_alone_unless_the_action_needs_it(store, kind, stays):
    body = content.seal_content({"note": "here"}, bytes(16))
    full = action(1, kind, body)
    await store.append([full])
    await changed(store, "update content set body = x'a0'")
    assert await store.get([full.id]) == ([envelope.without_content(full)] if stays else [])
    await store.append([full])
    assert await store.get([full.id]) == [full]


if __name__ == "__main__":  # writes the fixture of the newest schema; run once when a migration is added

    async def write() -> None:
        number = migrations()[-1][0]
        folder = FIXTURES / "new"
        store = await Store.open(folder, DOMAIN)
        await store.append([action(1), action(2)])
        await store.close()
        (folder / DATABASE_NAME).replace(FIXTURES / f"schema-{number}.sqlite3")

    asyncio.run(write())
