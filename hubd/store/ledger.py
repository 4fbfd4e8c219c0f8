"""The relay's write-ahead ledger in SQLite: signed bytes are on disk before any node sees them.

What is read is proven by its seal (`hubd/store/seals.py`), or told apart: `hubd/relay/books.py` looks at it then.
"""

import asyncio
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from hubd.action.sip018 import ActionId
from hubd.limits import QUERY_IDS_MAX, RELAY_FEE_USTX_MAX
from hubd.ports import LedgerEntry, TransactionState
from hubd.store.database import Database
from hubd.store.seals import POSITION, Sealed, seal, state_of, unseal

_COLUMNS = "txid, account_nonce, fee_ustx, raw, function, state, signed_at_s"
_CLOSED = (TransactionState.INCLUDED.value, TransactionState.ABORTED.value, TransactionState.REPLACED.value)
_OPEN = f"state not in ({', '.join('?' * len(_CLOSED))})"  # with the states that rotted
_LATEST = "account_nonce in (select distinct account_nonce from ledger order by account_nonce desc limit ?)"
_RECENT = f"""account_nonce in (select account_nonce from ledger where {_OPEN})
    or txid in (select txid from ledger where {_OPEN}) /* either index may rot */
    or txid in (select txid from ledger order by account_nonce desc limit ?) or ({_LATEST} and signed_at_s >= ?)"""
_ALONE = """select cast(txid as blob), id from ledger_item
    where txid is not null and not exists (select 1 from ledger where ledger.txid = ledger_item.txid)"""
_IS_NAMED = "cast(txid as blob) is ?"  # also a row that is not where a search looks, because its name rotted


class Ledger:
    """See `hubd.ports.RelayLedger`. Shares the store's database and its one writer."""

    def __init__(self, database: Database, writing: asyncio.Lock) -> None:
        self._database = database
        self._writing = writing

    async def record(self, entry: LedgerEntry) -> None:
        """Durable when it returns. The same transaction again changes nothing."""
        async with self._writing:
            await self._database.write(lambda connection: _lay(connection, entry))

    async def amend(self, txid: bytes, entry: LedgerEntry | None) -> None:
        """Write what rotted of an entry anew, which was read under this name; None: nothing proves it any more."""

        def write(connection: sqlite3.Connection) -> None:
            try:
                for name in {txid} if entry is None else {txid, entry.txid}:
                    _take_out(connection, name)
            except sqlite3.IntegrityError as error:  # one search finds a seal, and another one does not
                error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
                raise
            if entry is not None:
                _lay(connection, entry)

        async with self._writing:
            await self._database.write(write)

    async def mark(self, txid: bytes, state: TransactionState) -> None:
        """Note a new state."""
        sql = "update ledger set state = ? where txid = ?"
        async with self._writing:
            await self._database.write(lambda connection: connection.execute(sql, (state.value, txid)))

    async def entries(self, states: Iterable[TransactionState], *, with_raw: bool = True) -> list[LedgerEntry]:
        """Entries in these states, by account nonce, the older first."""
        wanted = [state.value for state in states]
        return await self._entries(f"state in ({', '.join('?' * len(wanted))})", wanted, with_raw=with_raw)

    async def recent(self, closed_max: int, since_s: int, nonces_max: int) -> list[LedgerEntry]:
        """What a start needs: see `hubd.ports.RelayLedger`."""
        alone = await self._database.read(_ALONE)
        for txid, sealed in [(txid, unseal(txid, [value])) for txid, value in alone]:
            if sealed is not None:
                await self.amend(txid, _sealed_entry(txid, sealed, b"", TransactionState.BROADCAST))
        return await self._entries(_RECENT, (*_CLOSED, *_CLOSED, closed_max, nonces_max, since_s), with_raw=False)

    async def _entries(self, condition: str, values: Sequence[Any], *, with_raw: bool) -> list[LedgerEntry]:
        raw = "cast(raw as blob)" if with_raw else "x''"
        sql = f"select cast(txid as blob), {raw}, state, signed_at_s from ledger where {condition}"
        rows = [row for row in await self._database.read(sql, values) if type(row[0]) is bytes]
        kept = await self._kept([row[0] for row in rows])
        found = [_entry(kept.get(row[0], ()), *row) for row in rows]
        return sorted(found, key=lambda entry: (entry.account_nonce, entry.signed_at_s))

    async def _kept(self, txids: Sequence[bytes]) -> dict[bytes, list[Any]]:
        """What lies beside the rows of these."""
        kept: dict[bytes, list[Any]] = {}
        for start in range(0, len(txids), QUERY_IDS_MAX):
            part = txids[start : start + QUERY_IDS_MAX]
            sql = f"select txid, id from ledger_item where txid in ({_places(part)}) order by txid, position"
            for txid, value in await self._database.read(sql, part):
                if txid in part:  # else the search went astray
                    kept.setdefault(txid, []).append(value)
        return kept

    async def own(self, txids: Collection[bytes]) -> dict[bytes, frozenset[ActionId] | None]:
        """Those of these transactions that are this wallet's, with the actions in them; None where that rotted."""
        asked, here = [*txids], set[bytes]()
        for start in range(0, len(asked), QUERY_IDS_MAX):
            part = asked[start : start + QUERY_IDS_MAX]
            rows = await self._database.read(f"select txid from ledger where txid in ({_places(part)})", part)
            here.update(set(part).intersection(row[0] for row in rows))
        kept = await self._kept(asked)
        found = {txid: unseal(txid, kept.get(txid, ())) for txid in here | kept.keys()}
        return {txid: None if sealed is None else frozenset(sealed.ids) for txid, sealed in found.items()}

    async def found(self, txid: bytes) -> LedgerEntry | None:
        """One entry with its signed bytes, wherever rot put it; None where it is not here."""
        condition = (
            "txid = ?" if await self._database.read("select 1 from ledger where txid = ?", (txid,)) else _IS_NAMED
        )
        return next(iter(await self._entries(condition, (txid,), with_raw=True)), None)

    async def fees_between(self, since_s: int, until_s: int, nonces_max: int) -> int:
        """Fees in uSTX of what was signed from `since_s` to `until_s`, both included, of the highest account nonces.

        Replaced transactions pay nothing.
        """
        fee = "max(0, min(cast(fee_ustx as integer), ?))"
        [(total,)] = await self._database.read(
            f"select coalesce(sum({fee}), 0) from ledger where {_LATEST}"
            " and signed_at_s between ? and ? and state != ?",
            (RELAY_FEE_USTX_MAX, nonces_max, since_s, until_s, TransactionState.REPLACED.value),
        )
        return int(total)


def _lay(connection: sqlite3.Connection, entry: LedgerEntry) -> None:
    connection.execute(
        f"insert or ignore into ledger ({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?)",
        (entry.txid, entry.account_nonce, entry.fee_ustx, entry.raw, entry.function, entry.state.value,
         entry.signed_at_s),
    )  # fmt: skip
    values = (entry.txid, POSITION, seal(entry))
    connection.execute("insert or ignore into ledger_item (txid, position, id) values (?, ?, ?)", values)


def _take_out(connection: sqlite3.Connection, txid: bytes) -> None:
    connection.execute("delete from ledger_item where txid = ?", (txid,))
    if not connection.execute("delete from ledger where txid = ?", (txid,)).rowcount:
        connection.execute(f"delete from ledger where {_IS_NAMED}", (txid,))


def _entry(kept: Sequence[Any], txid: bytes, raw: bytes, state: object, signed_at_s: object) -> LedgerEntry:
    """What the seal says; where it is broken, nothing but what the signed bytes may prove."""
    sealed = unseal(txid, kept)
    if sealed is not None:
        return _sealed_entry(txid, sealed, raw, state_of(state))
    at_s = signed_at_s if type(signed_at_s) is int else 0
    return LedgerEntry(txid, 0, 0, raw, "", (), state_of(state), at_s, is_sealed=False)


def _sealed_entry(txid: bytes, sealed: Sealed, raw: bytes, state: TransactionState) -> LedgerEntry:
    nonce, fee_ustx, function, at_s, ids = sealed
    return LedgerEntry(txid, nonce, fee_ustx, raw, function, ids, state, at_s)


def _places(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))
