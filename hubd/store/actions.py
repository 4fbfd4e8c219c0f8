"""The set of actions in SQLite: the `ActionStore` of a hub and of a native phone.

Appends from all doors queue here and go to disk together: one transaction for whatever waits (group commit), and nobody
is told OK before it is there.
"""

import asyncio
import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubd.action import cbor, envelope
from hubd.action.content import is_anchored
from hubd.action.envelope import Action
from hubd.action.fingerprint import EMPTY, extend, fingerprint, without
from hubd.action.kinds import KINDS
from hubd.action.sip018 import ActionId, Domain
from hubd.errors import FatalError, RemoteError
from hubd.limits import APPEND_ACTIONS_MAX, LOCK_POLL_S, LOCK_WAIT_S, QUERY_IDS_MAX
from hubd.ports import Cursor, SetSummary
from hubd.store.database import Database, lock_directory
from hubd.store.ledger import Ledger

if TYPE_CHECKING:
    import aiosqlite

DATABASE_NAME = "hubd.sqlite3"
EPOCH_BYTES = 8
ID_PREFIX_BYTES = 8
ROW_DIGEST_BYTES = 8
_COLUMNS = "sequence, action.id, header, digest, content.body"
_FROM = "from action left join content on content.id = action.id"
MESH_KINDS = tuple(sorted(name for name, kind in KINDS.items() if kind.area == "mesh"))


class Store:
    """The set, durable. Open it with `await Store.open(directory, domain)`; one process at a time."""

    def __init__(self, database: Database, domain: Domain, epoch: bytes, lock: int | None) -> None:
        self.database = database
        self.epoch = epoch
        self.rotten: set[ActionId] = set()
        self._domain = domain
        self._lock_descriptor = lock
        self._writing = asyncio.Lock()
        self._waiting: list[tuple[Sequence[Action], asyncio.Future[list[Action]]]] = []
        self._draining: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, directory: Path, domain: Domain) -> "Store":
        """Open or make the store in a data directory. Raises `FatalError` in words."""
        lock = await _lock(directory)
        try:
            database = await Database.open(directory / DATABASE_NAME)
            try:
                epoch = await _identity(database, domain)
            except BaseException:
                await database.close()
                raise
        except BaseException:
            os.close(lock)
            raise
        return cls(database, domain, epoch, lock)

    def ledger(self) -> Ledger:
        """The relay's ledger in the same file, behind the same one writer."""
        return Ledger(self.database, self._writing)

    async def close(self) -> None:
        """Close the files and give the directory's lock back."""
        if self._draining is not None:
            await self._draining
        async with self._writing:
            await self.database.close()
        if self._lock_descriptor is not None:
            os.close(self._lock_descriptor)
            self._lock_descriptor = None

    # --- writing

    async def append(self, actions: Sequence[Action]) -> list[Action]:
        """Add actions; returns those that were new (or had rotted here), once they are on disk. See `ActionStore`."""
        if not actions:
            return []
        done: asyncio.Future[list[Action]] = asyncio.get_running_loop().create_future()
        self._waiting.append((actions, done))
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self._drain(), name="store-writer")
        return await asyncio.shield(done)

    async def _drain(self) -> None:
        """The one writer: whoever gives up waiting, what was queued is written."""
        async with self._writing:
            while self._waiting:
                batch = self._take()
                try:
                    fresh = {action.id for action in await self._write([a for actions, _ in batch for a in actions])}
                except Exception as error:  # noqa: BLE001  # told to everybody who waits for this batch
                    for _, done in batch:
                        done.set_exception(error)
                    continue
                for actions, done in batch:
                    mine = {action.id: action for action in actions if action.id in fresh}
                    fresh.difference_update(mine)
                    done.set_result(list(mine.values()))

    def _take(self) -> list[tuple[Sequence[Action], asyncio.Future[list[Action]]]]:
        taken, size = 0, 0
        while taken < len(self._waiting) and (taken == 0 or size + len(self._waiting[taken][0]) <= APPEND_ACTIONS_MAX):
            size += len(self._waiting[taken][0])
            taken += 1
        batch, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return batch

    async def _write(self, actions: Iterable[Action]) -> list[Action]:
        offered: dict[ActionId, Action] = {}
        for action in actions:
            if action.id not in offered or offered[action.id].content is None:
                offered[action.id] = action
        async with self.database.transaction() as connection:
            known = await _known(connection, list(offered))
            fresh = [action for action in offered.values() if action.id not in known]
            await connection.executemany(
                "insert into action (id, created, kind, author, header, digest) values (?, ?, ?, ?, ?, ?)",
                [(a.id, a.statement.created, a.kind, a.statement.author, *_checked(a)) for a in fresh],
            )
            healed = [action for action in offered.values() if action.id in self.rotten]
            await connection.executemany(
                "update action set header = ?, digest = ? where id = ?", [(*_checked(a), a.id) for a in healed]
            )
            await connection.executemany("delete from content where id = ?", [(a.id,) for a in healed])
            await self._write_content(connection, list(offered.values()), fresh)
            if fresh:
                [(state,)] = await connection.execute_fetchall("select value from meta where key = 'lthash'")
                state = extend(state, (action.id for action in fresh))
                await connection.execute("update meta set value = ? where key = 'lthash'", (state,))
                await connection.execute(
                    "update meta set value = value + ? where key = 'count'",
                    (len(fresh),),
                )
        self.rotten.difference_update(offered)
        return fresh + healed

    async def _write_content(
        self, connection: "aiosqlite.Connection", offered: list[Action], fresh: list[Action]
    ) -> None:
        """Content beside the headers, less what its author erased; erasures themselves take effect here."""
        bodies = [action for action in offered if action.content is not None]
        await connection.executemany(
            "insert or ignore into content (id, body) values (?, ?)",
            [(action.id, action.content) for action in bodies if is_anchored(action.kind)],
        )
        await connection.executemany(
            "insert or ignore into content (id, body) select ?, ?"
            " where not exists (select 1 from erasure where id = ? and author = ?)",
            [(a.id, a.content, a.id, a.statement.author) for a in bodies if not is_anchored(a.kind)],
        )
        erasures = [(a.statement.subject, a.statement.author) for a in fresh if a.kind == "content-erase"]
        if erasures:
            await connection.executemany("insert or ignore into erasure (id, author) values (?, ?)", erasures)
            for subject, author in erasures:
                rows = await connection.execute_fetchall(
                    "select kind from action where id = ? and author = ?", (subject, author)
                )
                if any(not is_anchored(kind) for (kind,) in rows):
                    await connection.execute("delete from content where id = ?", (subject,))

    # --- reading

    async def get(self, ids: Sequence[ActionId]) -> list[Action]:
        """The actions that are here, in the order asked for."""
        found: dict[bytes, Action] = {}
        for start in range(0, len(ids), QUERY_IDS_MAX):
            part = ids[start : start + QUERY_IDS_MAX]
            marks = ", ".join("?" * len(part))
            sql = f"select {_COLUMNS} {_FROM} where action.id in ({marks})"  # marks only
            rows = await self.database.read(sql, part)
            found.update((action.id, action) for _, action in self._actions(rows))
        return [found[action_id] for action_id in ids if action_id in found]

    async def page(self, after: int, actions_max: int) -> list[tuple[int, Action]]:
        """Actions by arrival, beyond the sequence `after`; fewer than asked for only at the end of the set."""
        return await self._page("", (), after, actions_max)

    async def mesh_page(self, after: int, actions_max: int) -> list[tuple[int, Action]]:
        """Like `page`, for the kinds of the area `mesh` only: public on every hub."""
        return await self._page(f"kind in ({', '.join('?' * len(MESH_KINDS))}) and", MESH_KINDS, after, actions_max)

    async def _page(
        self, condition: str, values: tuple[str, ...], after: int, actions_max: int
    ) -> list[tuple[int, Action]]:
        sql = f"select {_COLUMNS} {_FROM} where {condition} sequence > ? order by sequence limit ?"
        found: list[tuple[int, Action]] = []
        while (wanted := actions_max - len(found)) > 0:  # again only where rows rotted
            rows = await self.database.read(sql, (*values, after, wanted))
            found += self._actions(rows)
            if len(rows) < wanted:
                break
            after = rows[-1][0]
        return found

    async def items(self) -> list[tuple[int, ActionId]]:
        """Every (created, id), sorted; what rotted here is left out, so that a neighbour gives it again."""
        rows = await self.database.read("select created, id from action order by created, id")
        return [(created, ActionId(action_id)) for created, action_id in rows if action_id not in self.rotten]

    async def summary(self) -> SetSummary:
        """Count, fingerprint and latest sequence, of one moment; less what rotted here."""
        [(count, state, sequence)] = await self.database.read(
            "select (select value from meta where key = 'count'), (select value from meta where key = 'lthash'),"
            " (select coalesce(max(sequence), 0) from action)"
        )
        return SetSummary(count - len(self.rotten), fingerprint(without(state, self.rotten)), sequence)

    async def cursor(self) -> Cursor:
        """The end of the set, as a place to come back to."""
        rows = await self.database.read("select sequence, id from action order by sequence desc limit 1")
        sequence, action_id = rows[0] if rows else (0, b"")
        return Cursor(self.epoch, sequence, action_id[:ID_PREFIX_BYTES])

    async def resume(self, cursor: Cursor) -> int | None:
        """The sequence to go on after, or None where the cursor is void."""
        if cursor.epoch != self.epoch:
            return None
        if cursor.sequence == 0:
            return 0
        rows = await self.database.read("select id from action where sequence = ?", (cursor.sequence,))
        return cursor.sequence if rows and rows[0][0][:ID_PREFIX_BYTES] == cursor.id_prefix else None

    def _actions(self, rows: Iterable[Sequence[Any]]) -> list[tuple[int, Action]]:
        """Rows as actions by sequence. Bytes that rotted on the card are left out and remembered in `rotten`."""
        actions = []
        for sequence, action_id, header, digest, body in rows:
            try:
                if hashlib.sha256(header).digest()[:ROW_DIGEST_BYTES] != digest:
                    raise RemoteError("rot", "stored bytes changed")
                actions.append((int(sequence), envelope.reopen(ActionId(action_id), header, body, self._domain)))
            except RemoteError:
                self.rotten.add(ActionId(action_id))
        return actions


def _checked(action: Action) -> tuple[bytes, bytes]:
    """An action's header and the row's check of it."""
    header = envelope.header(action)
    return header, hashlib.sha256(header).digest()[:ROW_DIGEST_BYTES]


async def _known(connection: "aiosqlite.Connection", ids: list[ActionId]) -> set[bytes]:
    known: set[bytes] = set()
    for start in range(0, len(ids), QUERY_IDS_MAX):
        part = ids[start : start + QUERY_IDS_MAX]
        marks = ", ".join("?" * len(part))
        rows = await connection.execute_fetchall(f"select id from action where id in ({marks})", part)
        known.update(row[0] for row in rows)
    return known


async def _lock(directory: Path) -> int:
    """The directory's lock. Waits a little for a command that is about to finish, or a hub that is about to stop."""
    deadline = asyncio.get_running_loop().time() + LOCK_WAIT_S
    while True:
        try:
            return lock_directory(directory)
        except FatalError as error:
            if error.code != "data-in-use" or asyncio.get_running_loop().time() >= deadline:
                raise
        await asyncio.sleep(LOCK_POLL_S)


async def _identity(database: Database, domain: Domain) -> bytes:
    """The database's epoch; checks that it belongs to this mesh."""
    mesh = cbor.encode([domain.network.name, domain.mesh])
    rows = {str(row[0]): row[1] for row in await database.read("select key, value from meta")}
    if "epoch" not in rows:
        epoch = os.urandom(EPOCH_BYTES)
        async with database.transaction() as connection:
            await connection.executemany(
                "insert into meta (key, value) values (?, ?)",
                [("epoch", epoch), ("mesh", mesh), ("lthash", EMPTY), ("count", 0)],
            )
        return epoch
    if rows["mesh"] != mesh:
        raise FatalError(
            "wrong-mesh",
            f"the data in {database.path.parent} belongs to another mesh or network",
            hint="use the charter this hub was set up with, or start with an empty data folder",
        )
    return bytes(rows["epoch"])
