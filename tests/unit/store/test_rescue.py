"""Bits flip anywhere in a database's file: it is put right, written anew, or refused in words, and never lies."""

import os
import random
import shutil
import sqlite3
import time
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from rotting import (
    ACTIONS,
    DOMAIN,
    IDS,
    LATE,
    VILLAGE,
    heads,
    in_words,
    is_whole,
    lived_through,
    opened,
    row_with,
    whole_file,
)
from structlog.testing import capture_logs

from hubd.action import cbor
from hubd.errors import FatalError, LocalError
from hubd.limits import RESCUE_KEPT_S
from hubd.ports import Cursor, LedgerEntry, TransactionState
from hubd.store import migrations, rescue
from hubd.store.actions import DATABASE_NAME
from hubd.store.aside import set_aside
from hubd.store.database import MARK_NAME
from hubd.store.room import KEPT_NAME, Level, Room

FLIPS = 20_000 if os.environ.get("HUBD_CAMPAIGN") else 120
MEMORY = Path("/dev/shm")
PAGE_BYTES = 4_096  # the first page holds the schema's own words: a large file has no more of them
ENTRY = LedgerEntry(b"\1" * 32, 7, 180, b"signed", "do", (ACTIONS[3].id,), TransactionState.SIGNED, 5)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of a database that holds `ACTIONS`."""
    return whole_file(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def path(whole):
    """A copy of it, in memory where that can be: hundreds of hubs that start need no card."""
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        (Path(folder) / "hub").mkdir()
        (Path(folder) / "hub" / DATABASE_NAME).write_bytes(whole)
        yield Path(folder) / "hub" / DATABASE_NAME


def flipped(path, whole, at, bit):
    """The file with one bit that flipped, in a folder that has nothing else."""
    shutil.rmtree(path.parent)
    path.parent.mkdir()
    raw = bytearray(whole)
    raw[at] ^= 1 << bit
    path.write_bytes(raw)


def a_row_unreadable(path, whole):
    """The type of an id says that it is longer than its page."""
    flipped(path, whole, row_with(whole, ACTIONS[12].signature).types[1], 7)


async def test_every_bit_of_what_sqlite_keeps_beside_a_row_may_flip_and_a_neighbour_makes_the_set_whole(path, whole):
    cell, ends = row_with(whole, ACTIONS[12].signature), Counter()
    for at in range(cell.size, cell.body):
        for bit in range(8):
            flipped(path, whole, at, bit)
            ends[await lived_through(path.parent)] += 1
    assert ends.total() == ends["mended"] + ends["written anew"]
    assert min(ends["mended"], ends["written anew"]) > 0


async def test_any_bit_of_the_file_may_flip_and_the_set_is_whole_again_or_the_hub_says_what_is_wrong(path, whole):
    chance, ends, known = random.Random(26), Counter(), [*heads(whole)]
    for number in range(FLIPS):
        at = chance.choice(known) if number % 3 else chance.randrange(PAGE_BYTES, len(whole))
        bit = chance.randrange(8)
        flipped(path, whole, at, bit)
        ended = await lived_through(path.parent)
        assert ended in ("mended", "written anew"), (at, bit)
        ends[ended] += 1
    assert min(ends["mended"], ends["written anew"]) > 0


async def test_what_a_database_says_of_itself_may_rot_and_it_is_read_by_the_words_it_was_made_with(path, whole):
    chance, ends = random.Random(26), Counter()
    for _ in range(FLIPS // 2):
        flipped(path, whole, chance.randrange(PAGE_BYTES), chance.randrange(8))
        ends[await lived_through(path.parent)] += 1
    assert ends["damaged for ever"] == 0
    assert ends["mended"] > FLIPS // 4, "there is no second copy of where the pages are"


def test_a_table_with_other_columns_than_it_was_made_with_is_noticed_before_it_is_read(path, whole):
    flipped(path, whole, whole.rindex(b"digest blob not null,") + 2, 1)
    with sqlite3.connect(path) as raw, pytest.raises(sqlite3.DatabaseError, match="not the words"):
        migrations.check_schema(raw)
    raw.close()


async def test_what_the_chain_may_have_been_asked_for_and_the_places_of_arrival_are_kept(path, whole):
    store, _ = await opened(path.parent)
    await store.ledger().record(ENTRY)
    await store.change(lambda writer: set_aside(writer, [len(ACTIONS)]))
    before, epoch = await store.page(0, 99), store.epoch
    await store.close()
    path.with_name(MARK_NAME).write_text("by hand")
    with capture_logs() as logs:
        store, _ = await opened(path.parent)
    assert [(log["event"], log["count"], log["items"]) for log in logs] == [("database-rescued", len(ACTIONS) - 1, 0)]
    assert store.epoch == epoch
    assert await store.page(0, 99) == before
    assert await store.ledger().entries(TransactionState) == [ENTRY]
    await store.append(ACTIONS[-1:])
    assert (await store.page(0, 99))[-1] == (len(ACTIONS) + 1, ACTIONS[-1]), "no place is given twice"
    await store.close()
    assert not path.with_name(MARK_NAME).exists()
    assert {each.name for each in path.parent.iterdir()} <= {DATABASE_NAME, KEPT_NAME, "lock"}


ROTS = {
    "in the middle": "update action set header = zeroblob(9) where sequence = 12",
    "at the end": f"update action set header = zeroblob(9) where sequence > {len(ACTIONS) - 3}",
    "uncounted": "update meta set value = value - 1 where key = 'count'",
    "another": "update meta set value = zeroblob(2048) where key = 'lthash'",
    "last place": "update meta set value = x'00' where key = 'left'",
}


@pytest.mark.parametrize("sql", ROTS.values(), ids=ROTS)
async def test_a_set_that_is_another_one_afterwards_knows_no_place_of_the_old_one(path, sql):
    store, _ = await opened(path.parent)
    places, marks = [await store.cursor()], {await store.mark_of(each + 1) for each in range(len(ACTIONS))}
    before = await store.page(0, 99)
    places += [Cursor(store.epoch, sequence, action.id[:8]) for sequence, action in before]
    await store.close()
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("pragma writable_schema = on")
        raw.execute(sql)
    path.with_name(MARK_NAME).write_text("by hand")
    store, _ = await opened(path.parent)
    await store.append([LATE, *ACTIONS])
    assert (await store.summary()).count == len(ACTIONS) + 1
    assert [await store.resume(place) for place in places] == [None] * len(places)
    assert marks.isdisjoint({await store.mark_of(sequence) for sequence, _ in await store.page(0, 99)})
    await store.close()


@pytest.mark.parametrize("bits", [3, 8], ids=["the next one's", "an earlier one's"])
async def test_two_rows_that_claim_one_place_are_both_kept_and_no_place_of_old_is_known(path, whole, bits):
    store, _ = await opened(path.parent)
    epoch = store.epoch
    await store.close()
    raw, at = bytearray(path.read_bytes()), row_with(whole, ACTIONS[12].signature).rowid
    assert raw[at] == 13
    raw[at] ^= bits
    path.write_bytes(raw)
    store, _ = await rescued(path)
    assert {action.id for _, action in await store.page(0, 99)} == set(IDS)
    assert store.epoch != epoch
    await store.close()


def kept_in(path):
    return path.with_name(KEPT_NAME)


async def rescued(path):
    path.with_name(MARK_NAME).write_text("by hand")
    return await opened(path.parent)


async def test_the_damaged_file_is_kept_for_a_week_and_till_the_new_one_was_read_to_its_end(path, whole):
    a_row_unreadable(path, whole)
    before = path.read_bytes()
    store, scrubber = await rescued(path)
    assert kept_in(path).read_bytes()[PAGE_BYTES:] == before[PAGE_BYTES:]
    for age_s, stays in ((RESCUE_KEPT_S - 60, True), (60 - RESCUE_KEPT_S, True), (RESCUE_KEPT_S + 60, False)):
        then = time.time() - age_s
        os.utime(kept_in(path), (then, then))
        await scrubber.scrub()
        assert kept_in(path).exists() == stays
    await store.close()


async def test_of_two_damaged_files_the_later_one_is_kept(path):
    store, _ = await rescued(path)
    await store.append([LATE])
    await store.close()
    store, _ = await rescued(path)
    await store.close()
    with closing(sqlite3.connect(kept_in(path))) as raw:
        assert raw.execute("select count(*) from action").fetchone() == (len(ACTIONS) + 1,)


async def test_a_card_that_fills_up_keeps_no_damaged_file(path, monkeypatch):
    monkeypatch.setattr(Room, "level", Level.LOW)
    store, _ = await rescued(path)
    assert not kept_in(path).exists()
    await store.close()


async def test_where_a_file_has_one_name_only_nothing_is_kept_and_all_else_is_done(path, monkeypatch):
    def refuse(*_):
        raise OSError

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    store, _ = await rescued(path)
    assert (await store.summary()).count == len(ACTIONS)
    assert not kept_in(path).exists()
    await store.close()


async def test_what_was_erased_stays_erased(path):
    offer = next(action for action in ACTIONS if action.kind == "offer-set")
    store, _ = await opened(path.parent)
    await store.append([VILLAGE.seal("person 0", "content-erase", subject=offer.id)])
    wanted = await store.get([offer.id])
    assert wanted[0].content is None
    await store.close()
    path.with_name(MARK_NAME).write_text("by hand")
    store, scrubber = await opened(path.parent)
    await store.append(ACTIONS)
    assert await store.get([offer.id]) == wanted
    assert not (await scrubber.scrub()).damaged
    await store.close()


async def test_whoever_meets_what_cannot_be_read_leaves_a_mark_and_the_scrub_ends_the_hub(path, whole):
    a_row_unreadable(path, whole)
    store, scrubber = await opened(path.parent)
    with pytest.raises(LocalError, match="database-damaged"):
        await store.page(0, 99)
    assert path.with_name(MARK_NAME).exists()
    with pytest.raises(FatalError, match="database-damaged") as caught:
        await scrubber.run()
    assert "start hubd again" in caught.value.hint
    await store.close()


@pytest.mark.parametrize("table", ["ledger", "ledger_item", "ledger_by_state", "ledger_by_account_nonce"])
async def test_of_a_ledger_that_cannot_be_read_the_other_place_of_each_transaction_tells(path, table):
    store, _ = await opened(path.parent)
    entries = [replace(ENTRY, txid=bytes([number]) * 32, account_nonce=number) for number in range(1, 99)]
    for entry in entries:
        await store.ledger().record(entry)
    await store.close()
    with sqlite3.connect(path) as connection:
        [(page,)] = connection.execute("select rootpage from sqlite_schema where name = ?", (table,))
    connection.close()
    raw = bytearray(path.read_bytes())
    raw[(page - 1) * PAGE_BYTES] ^= 8  # what kind of page it is
    path.write_bytes(raw)
    path.with_name(MARK_NAME).write_text("by hand")
    store, _ = await opened(path.parent)
    found = await store.ledger().entries(TransactionState)
    if table == "ledger":  # the bytes are gone, and the state is looked up
        entries = [replace(entry, raw=b"", state=TransactionState.BROADCAST) for entry in entries]
    if table == "ledger_item":  # the bytes tell it
        entries = [
            replace(entry, account_nonce=0, fee_ustx=0, function="", ids=(), is_sealed=False) for entry in entries
        ]
    assert sorted(found, key=lambda entry: entry.txid) == entries
    await store.close()


async def test_a_database_of_another_mesh_is_not_emptied(path, whole):
    with sqlite3.connect(path) as raw:
        raw.execute("update meta set value = ? where key = 'mesh'", (cbor.encode(["mainnet", "another"]),))
        raw.execute("update action set id = randomblob(32), header = randomblob(200)")
    raw.close()
    path.with_name(MARK_NAME).write_text("by hand")
    before = path.read_bytes()
    with pytest.raises(FatalError, match="no action can be read"):
        await opened(path.parent)
    assert path.read_bytes() == before


async def test_without_room_for_it_nothing_is_written_anew(path, monkeypatch):
    path.with_name(MARK_NAME).write_text("by hand")
    monkeypatch.setattr(Room, "free_bytes", 9)
    with pytest.raises(FatalError, match="too little room") as caught:
        await opened(path.parent)
    assert "MB on the card" in caught.value.hint


async def test_a_power_cut_while_it_is_written_anew_costs_nothing_but_time(path, monkeypatch):
    path.with_name(MARK_NAME).write_text("by hand")
    before = path.read_bytes()

    def cut(*_):
        raise KeyboardInterrupt

    for step in ("_copy", "_settle"):
        with monkeypatch.context() as patch:
            patch.setattr(rescue, step, cut)
            patch.setattr(rescue, "_remove", lambda _: None)  # nobody is there to do it
            with pytest.raises(KeyboardInterrupt):
                rescue.rescue(path, DOMAIN)
        assert path.read_bytes() == before
    store, scrubber = await opened(path.parent)
    await store.append([LATE])
    await scrubber.scrub()
    assert await is_whole(store)
    await store.close()


async def test_a_mark_beside_a_file_that_was_moved_away_is_no_hindrance(path):
    path.with_name(MARK_NAME).write_text("by hand")
    path.rename(path.with_name("kept"))
    store, _ = await opened(path.parent)
    await in_words(store.append(ACTIONS))
    assert (await store.summary()).count == len(ACTIONS)
    await store.close()
