"""The relay's write-ahead ledger in SQLite: signed bytes are on disk before any node sees them."""

import asyncio
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from hubd.action.sip018 import ActionId
from hubd.limits import QUERY_IDS_MAX
from hubd.ports import LedgerEntry, TransactionState
from hubd.store.database import Database

_COLUMNS = "txid, account_nonce, fee_ustx, raw, function, state, signed_at_s"
_WITHOUT_RAW = _COLUMNS.replace("raw", "x''")
_OPEN = (TransactionState.SIGNED.value, TransactionState.BROADCAST.value, TransactionState.DROPPED.value)
_RECENT = """account_nonce in (select account_nonce from ledger where state in (?, ?, ?))
    or account_nonce > (select max(account_nonce) from ledger) - ? or signed_at_s >= ?"""


class Ledger:
    """See `hubd.ports.RelayLedger`. Shares the store's database and its one writer."""

    def __init__(self, database: Database, writing: asyncio.Lock) -> None:
        self._database = database
        self._writing = writing

    async def record(self, entry: LedgerEntry) -> None:
        """Durable when it returns. The same transaction again changes nothing."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                f"insert or ignore into ledger ({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?)",
                (entry.txid, entry.account_nonce, entry.fee_ustx, entry.raw, entry.function, entry.state.value,
                 entry.signed_at_s),
            )  # fmt: skip
            connection.executemany(
                "insert or ignore into ledger_item (txid, position, id) values (?, ?, ?)",
                [(entry.txid, position, action_id) for position, action_id in enumerate(entry.ids)],
            )

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

    async def recent(self, closed_max: int, since_s: int) -> list[LedgerEntry]:
        """What a start needs: see `hubd.ports.RelayLedger`."""
        values = (*_OPEN, closed_max, since_s)
        return await self._entries(_RECENT, values, with_raw=False)

    async def _entries(self, condition: str, values: Sequence[Any], *, with_raw: bool) -> list[LedgerEntry]:
        columns = _COLUMNS if with_raw else _WITHOUT_RAW
        sql = f"select {columns} from ledger where {condition} order by account_nonce, signed_at_s"
        rows = await self._database.read(sql, values)
        ids = await self._ids([row[0] for row in rows])
        return [
            LedgerEntry(
                txid, account_nonce, fee, raw, function, tuple(ids.get(txid, ())), TransactionState(state), at_s
            )
            for txid, account_nonce, fee, raw, function, state, at_s in rows
        ]

    async def _ids(self, txids: Sequence[bytes]) -> dict[bytes, list[ActionId]]:
        ids: dict[bytes, list[ActionId]] = {}
        for start in range(0, len(txids), QUERY_IDS_MAX):
            part = txids[start : start + QUERY_IDS_MAX]
            sql = (
                f"select txid, id from ledger_item where txid in ({', '.join('?' * len(part))}) order by txid, position"
            )
            for txid, action_id in await self._database.read(sql, part):
                ids.setdefault(txid, []).append(ActionId(action_id))
        return ids

    async def own(self, txids: Collection[bytes]) -> dict[bytes, frozenset[ActionId]]:
        """Those of these transactions that are this wallet's, with the actions in them."""
        return {txid: frozenset(ids) for txid, ids in (await self._ids([*txids])).items()}

    async def raw(self, txid: bytes) -> bytes:
        """The signed bytes of a transaction that is here."""
        [(raw,)] = await self._database.read("select raw from ledger where txid = ?", (txid,))
        return bytes(raw)

    async def highest_account_nonce(self) -> int | None:
        """The highest account nonce signed, None for a fresh wallet."""
        [(highest,)] = await self._database.read("select max(account_nonce) from ledger")
        return int(highest) if highest is not None else None

    async def fees_between(self, since_s: int, until_s: int) -> int:
        """Fees in uSTX of what was signed from `since_s` to `until_s`, both included; replaced transactions pay nothing."""
        [(total,)] = await self._database.read(
            "select coalesce(sum(fee_ustx), 0) from ledger where signed_at_s between ? and ? and state != ?",
            (since_s, until_s, TransactionState.REPLACED.value),
        )
        return int(total)
