"""What can still be read of the relay's ledger in a damaged database.

A transaction lies in two places, its row and its seal (`hubd/store/seals.py`), and either tells enough for the relay to ask
the chain what became of it. What both lost is forgotten: the contracts still know which actions were done, so that it costs
a fee at most and moves no money.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from hubd.ports import TransactionState
from hubd.store.seals import unseal

_ROW = """select cast(txid as blob), coalesce(cast(account_nonce as integer), 0), coalesce(cast(fee_ustx as integer), 0),
    coalesce(cast(raw as blob), x''), coalesce(cast(function as text), ''), coalesce(cast(state as text), ''),
    coalesce(cast(signed_at_s as integer), 0) from ledger"""
_SEAL = "select cast(txid as blob), position, id from ledger_item"
_INSERT = "insert or ignore into ledger values (?, ?, ?, ?, ?, ?, ?)"
_INSERT_SEAL = "insert or ignore into ledger_item select ?, ?, ? where exists (select 1 from ledger where txid = ?)"


def copy(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    """Lay down all that either place tells."""
    for row in _read(old, _ROW):
        new.execute(_INSERT, row)
    for txid, position, value in _read(old, _SEAL):
        if new.execute("select 1 from ledger where txid = ?", (txid,)).fetchone() is None:
            _lay_again(old, new, txid, value)
        new.execute(_INSERT_SEAL, (txid, position, value, txid))
    for (txid,) in new.execute("select txid from ledger where txid not in (select txid from ledger_item)").fetchall():
        for _, position, value in _asked(old, f"{_SEAL} where txid = ?", txid):
            new.execute(_INSERT_SEAL, (txid, position, value, txid))


def _lay_again(old: sqlite3.Connection, new: sqlite3.Connection, txid: bytes, value: object) -> None:
    """The row of a seal: as it can be found by its name, else without the bytes that were signed."""
    for row in _asked(old, f"{_ROW} where txid = ?", txid):
        new.execute(_INSERT, row)
    if (said := unseal(txid, [value])) is not None:
        state = TransactionState.BROADCAST.value
        new.execute(_INSERT, (txid, said.account_nonce, said.fee_ustx, b"", said.function, state, said.signed_at_s))


def _read(old: sqlite3.Connection, sql: str) -> Iterator[tuple[Any, ...]]:
    """The rows from the first on up to damage, and from the last one back to it."""
    for order in ("asc", "desc"):
        with suppress(sqlite3.DatabaseError):
            for row in old.execute(f"{sql} order by txid {order}"):
                if type(row[0]) is bytes:
                    yield row
            return


def _asked(old: sqlite3.Connection, sql: str, txid: bytes) -> list[Any]:
    try:
        return old.execute(sql, (txid,)).fetchall()
    except sqlite3.DatabaseError:
        return []
