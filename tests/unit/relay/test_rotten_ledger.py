"""A bit of the relay's ledger flips on the card: what is proven is known, and the relay asks the chain for all else.

The long form flips every bit of the ledger's pages. The exhaustive twin flips every bit of every value and looks at what is
read then; mutants that it is known to kill are at the end.
"""

import os
import random
import sqlite3
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import pytest
from relay_rot import VILLAGE, Moment, moment, outcome, places

from hubd.ports import TransactionState
from hubd.relay import books
from hubd.relay.books import Books
from hubd.store import seals
from hubd.store.actions import DATABASE_NAME, Store

IS_LONG = bool(os.environ.get("HUBD_CAMPAIGN"))
FLIPS = 40
MEMORY = Path("/dev/shm")
MOMENTS = {
    "signed": {"signed": False, "mined": 0, "told": 0},
    "at a node": {"signed": True, "mined": 0, "told": 0},
    "mined": {"signed": True, "mined": 2, "told": 0},
    "told": {"signed": True, "mined": 1, "told": 1},
    "in halves": {"signed": True, "mined": 1, "told": 9, "items_max": 1},
}
ALL = tuple(TransactionState)


@pytest.fixture
def folder():
    """In memory where that can be: hundreds of hubs that start need no card."""
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        yield Path(name)


@pytest.mark.parametrize("name", MOMENTS)
async def test_any_bit_of_the_ledger_may_flip_at_any_moment_of_a_transactions_life(folder, name):
    made = await moment(folder, **MOMENTS[name])
    bits = [(at, bit) for at in places(made) for bit in range(8)]
    for number, (at, bit) in enumerate(bits if IS_LONG else random.Random(name).sample(bits, FLIPS)):
        (folder / str(number)).mkdir()
        assert await outcome(folder / str(number), made, at, bit) == "", (at, bit)


async def test_an_index_that_rotted_hides_no_transaction_from_who_might_pay_for_it_again(folder):
    made = await moment(folder, **MOMENTS["in halves"])
    bits = [(at, bit) for at in places(made, "ledger_by%") for bit in range(8)]
    for number, (at, bit) in enumerate(bits if IS_LONG else random.Random(5).sample(bits, 3 * FLIPS)):
        (folder / str(number)).mkdir()
        assert await outcome(folder / str(number), made, at, bit) == "", (at, bit)


# --- every bit of every value


def flips(value):
    """The value with each of its bits changed; a text may be none any more."""
    raw = value.to_bytes(8, "big") if type(value) is int else value.encode() if type(value) is str else value
    for at in range(8 * len(raw)):
        changed = bytearray(raw)
        changed[at // 8] ^= 1 << at % 8
        yield int.from_bytes(changed, "big", signed=True) if type(value) is int else bytes(changed)


TYPES = {"txid": "blob", "raw": "blob", "id": "blob", "function": "text", "state": "text"}


class Ledgers:
    """A ledger in a file, and how to let its values rot there."""

    def __init__(self, folder: Path, made: Moment) -> None:
        self.path, self.made = folder / DATABASE_NAME, made
        self.raw = sqlite3.connect(self.path, isolation_level=None)

    async def __aenter__(self) -> Self:
        self.store = await Store.open(self.path.parent, VILLAGE.domain)
        self.ledger = self.store.ledger()
        self.books = Books(self.ledger, VILLAGE.signer("wallet"), VILLAGE.charter)
        self.whole = await self.books.recent(99, 0, 99)
        self.rows = {
            table: self.raw.execute(f"select * from {table}").fetchall() for table in ("ledger", "ledger_item")
        }
        return self

    async def __aexit__(self, *_: object) -> None:
        self.raw.close()
        await self.store.close()

    def values(self, txid):
        """(table, column, value) of one transaction."""
        for table in self.rows:
            cursor = self.raw.execute(f"select * from {table} where txid = ?", (txid,))
            for row in cursor.fetchall():
                yield from ((table, each[0], value) for each, value in zip(cursor.description, row, strict=True))

    def plant(self, txid, table, column, value):
        self.raw.execute(
            f"update {table} set {column} = cast(? as {TYPES.get(column, 'integer')}) where txid = ?", (value, txid)
        )

    def restore(self):
        self.raw.execute("delete from ledger_item")
        self.raw.execute("delete from ledger")
        for table, rows in self.rows.items():
            self.raw.executemany(f"insert into {table} values ({', '.join('?' * len(rows[0]))})", rows)


async def wrong_values(folder, name="told", step=1):
    """Which values, with one bit changed, make the books say something else than what was signed."""
    made, wrong = await moment(folder, **MOMENTS[name]), set()
    async with Ledgers(folder, made) as ledgers:
        entry = ledgers.whole[0]
        for table, column, value in list(ledgers.values(entry.txid)):
            for number, changed in enumerate(flips(value)):
                if number % (31 if column == "raw" else step):
                    continue
                ledgers.plant(entry.txid, table, column, changed)
                own = await ledgers.books.own([entry.txid])
                found = await ledgers.books.recent(99, 0, 99)
                raw = await ledgers.books.raw(entry)
                is_right = found == ledgers.whole or (
                    column in ("state", "signed_at_s")
                    and [replace(each, state=None, signed_at_s=0) for each in found]
                    == [replace(each, state=None, signed_at_s=0) for each in ledgers.whole]
                    and found[0].state in (TransactionState.BROADCAST, entry.state)
                )
                if not is_right or own != {entry.txid: frozenset(entry.ids)} or raw not in (b"", made.entries[0].raw):
                    wrong.add((table, column))
                ledgers.restore()
    return wrong


async def test_every_bit_of_every_value_may_flip_and_the_books_say_what_was_signed(folder):
    assert await wrong_values(folder, step=1 if IS_LONG else 3) == set()


async def test_bytes_that_rotted_are_never_given_out(folder):
    made = await moment(folder, **MOMENTS["at a node"])
    async with Ledgers(folder, made) as ledgers:
        [entry, *_] = ledgers.whole
        for changed in list(flips(made.entries[0].raw))[:: 1 if IS_LONG else 97]:
            ledgers.plant(entry.txid, "ledger", "raw", changed)
            assert await ledgers.books.raw(entry) == b""


async def test_a_ledger_of_an_earlier_hubd_has_no_seals_and_is_told_by_its_bytes(folder):
    made = await moment(folder, **MOMENTS["told"])
    async with Ledgers(folder, made) as ledgers:
        ledgers.raw.execute("delete from ledger_item")
        for entry in made.entries:
            rows = [(entry.txid, position, action_id) for position, action_id in enumerate(entry.ids)]
            ledgers.raw.executemany("insert into ledger_item values (?, ?, ?)", rows)
        assert not any(entry.is_sealed for entry in await ledgers.ledger.entries(ALL))
        assert await ledgers.books.recent(99, 0, 99) == ledgers.whole
        assert await ledgers.ledger.entries(ALL) == made.entries, "and they are sealed now"


async def test_what_nothing_proves_is_forgotten(folder):
    made = await moment(folder, **MOMENTS["told"])
    async with Ledgers(folder, made) as ledgers:
        txid = ledgers.whole[0].txid
        ledgers.plant(txid, "ledger", "raw", b"")
        ledgers.plant(txid, "ledger_item", "id", b"")
        assert await ledgers.books.own([txid]) == {}
        assert await ledgers.books.recent(99, 0, 99) == ledgers.whole[1:]


# --- mutants


MUTANTS = {
    "a seal without a check": (seals, "_check", lambda _txid, _body: bytes(8)),
    "bytes given out unseen": (books, "is_signed", lambda _raw, _txid: True),
}


@pytest.mark.parametrize("name", MUTANTS)
async def test_a_ledger_that_is_believed_unseen_is_noticed(folder, name, monkeypatch):
    monkeypatch.setattr(*MUTANTS[name])
    assert await wrong_values(folder, step=17)
