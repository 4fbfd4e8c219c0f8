"""The set of actions in SQLite: the `ActionStore` of a hub and of a native phone.

Appends from all doors queue here and go to disk together: one transaction for whatever waits (group commit), and nobody
is told OK before it is there.
"""

import asyncio
import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from hubd.action import cbor, envelope
from hubd.action.audience import Audience
from hubd.action.envelope import Action
from hubd.action.fingerprint import EMPTY, fingerprint
from hubd.action.sip018 import ActionId, Domain
from hubd.errors import FatalError, LocalError, RemoteError
from hubd.gossip.items import Items
from hubd.gossip.sketch import SYMBOL_BYTES
from hubd.limits import APPEND_ACTIONS_MAX, CURSOR_WAIT_S, PAGE_WINDOW_ROWS, QUERY_IDS_MAX
from hubd.ports import Cursor, SetSummary
from hubd.store import audience, lacking, sketches, writing
from hubd.store.database import Database, locked
from hubd.store.items import Remembered, SqliteItems
from hubd.store.ledger import Ledger
from hubd.store.room import Room
from hubd.store.writing import BY_KIND, Offer, row_digest

T = TypeVar("T")

DATABASE_NAME = "hubd.sqlite3"
EPOCH_BYTES = 8
ID_PREFIX_BYTES = 8
ID_BYTES = 32
MARK_BYTES = 8
_COLUMNS = "sequence, action.id, header, digest, content.body"
_FROM = "from action left join content on content.id = action.id"
_WINDOW = """
    source is not (select coalesce(max(number), 0) from peer where principal = ?) and sequence <= ? and
"""  # no peer has number 0


class Store:
    """The set, durable. Open it with `await Store.open(directory, domain)`; one process at a time."""

    def __init__(self, database: Database, domain: Domain, epoch: bytes, lock: int | None) -> None:
        self.database = database
        self.epoch = epoch
        self.room = Room(database.path.parent)
        self.domain = domain
        self._lock_descriptor = lock
        self._writing = asyncio.Lock()
        self._waiting: list[tuple[Offer, asyncio.Future[list[Action]]]] = []
        self._draining: asyncio.Task[None] | None = None
        self._cursors: dict[bytes, tuple[int, bytes]] = {}  # kept, and not on disk yet
        self._settling: asyncio.Task[None] | None = None
        self._sketching = asyncio.Lock()
        self.rot_met = asyncio.Event()  # a read met a row that is not as it was written
        self._remembered = Remembered()

    @classmethod
    async def open(cls, directory: Path, domain: Domain) -> "Store":
        """Open or make the store in a data directory. Raises `FatalError` in words."""
        lock = await locked(directory)
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
        if self._settling is not None:
            self._settling.cancel()
            await asyncio.gather(self._settling, return_exceptions=True)
            await self._settle_cursors(0)
        async with self._writing:
            await self.database.close()
        if self._lock_descriptor is not None:
            os.close(self._lock_descriptor)
            self._lock_descriptor = None

    # --- writing

    async def append(self, actions: Sequence[Action], source: bytes = b"") -> list[Action]:
        """Add actions; returns those that were new (or had rotted here), once they are on disk. See `ActionStore`."""
        if not actions:
            return []
        done: asyncio.Future[list[Action]] = asyncio.get_running_loop().create_future()
        self._waiting.append(((actions, source), done))
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self._drain(), name="store-writer")
        return await asyncio.shield(done)

    async def change(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work` in a transaction of the one writer, between two batches."""
        async with self._writing:
            return await self.database.write(work)

    async def keep_cursor(self, peer: bytes, sequence: int, mark: bytes) -> None:
        """Remember a peer's place up to which everything it has is here. On disk with the next actions, or soon.

        One that a power cut takes is a chunk that is sent again; a commit for each would be as many again as for actions.
        """
        self._cursors[peer] = (sequence, mark)
        if self._settling is None or self._settling.done():
            self._settling = asyncio.create_task(self._settle_cursors(CURSOR_WAIT_S), name="store-cursors")

    async def _settle_cursors(self, wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        if self._cursors:
            cursors, self._cursors = self._cursors, {}
            with suppress(LocalError):  # a lost place is asked for again
                await self.change(partial(writing.append, offers=(), cursors=cursors))

    async def _drain(self) -> None:
        """The one writer: whoever gives up waiting, what was queued is written."""
        async with self._writing:
            while self._waiting:
                batch = self._take()
                try:
                    self.room.check()
                    cursors, self._cursors = self._cursors, {}
                    offers = [offer for offer, _ in batch]
                    written = await self.database.write(partial(writing.append, offers=offers, cursors=cursors))
                except Exception as error:  # noqa: BLE001  # told to everybody who waits for this batch
                    if isinstance(error, LocalError) and error.code == "disk-full":
                        self.room.drop_ballast()
                    for _, done in batch:
                        done.set_exception(error)
                    continue
                fresh = {action.id: action for action in written}
                for (actions, _), done in batch:
                    mine = [fresh.pop(action.id, None) for action in actions]
                    done.set_result([action for action in mine if action is not None])

    def _take(self) -> list[tuple[Offer, asyncio.Future[list[Action]]]]:
        taken, size = 0, 0
        while taken < len(self._waiting):
            (actions, _), _ = self._waiting[taken]
            if taken and size + len(actions) > APPEND_ACTIONS_MAX:
                break
            size += len(actions)
            taken += 1
        batch, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return batch

    # --- reading

    async def get(self, ids: Sequence[ActionId]) -> list[Action]:
        """The actions that are here, in the order asked for."""
        found: dict[bytes, Action] = {}
        for start in range(0, len(ids), QUERY_IDS_MAX):
            part = ids[start : start + QUERY_IDS_MAX]
            marks = ", ".join("?" * len(part))
            sql = f"select {_COLUMNS} {_FROM} where action.id in ({marks})"  # marks only
            rows = await self.database.read(sql, part)
            found.update((action.id, action) for _, action in await self._actions(rows))
        return [found[action_id] for action_id in ids if action_id in found]

    async def page(self, after: int, actions_max: int) -> list[tuple[int, Action]]:
        """Actions by arrival, beyond the sequence `after`; fewer than asked for only at the end of the set."""
        return await self._page("", (), after, actions_max)

    async def page_for(
        self, peer: bytes, after: int, until: int, actions_max: int
    ) -> tuple[list[tuple[int, Action]], int]:
        """Actions up to `until` that did not come from this peer, and how far was looked. See `ActionStore`."""
        reached = min(until, after + PAGE_WINDOW_ROWS)
        found = await self._page(_WINDOW, (peer, reached), after, actions_max)
        return found, found[-1][0] if len(found) == actions_max else reached

    async def seen_page(self, names: Sequence[Audience], after: int, actions_max: int) -> list[tuple[int, Action]]:
        """Like `page`, for what any of these audiences sees; costs what it returns."""
        found: list[tuple[int, Action]] = []
        while (wanted := actions_max - len(found)) > 0:  # again only where rows rotted
            seen, values = audience.seen(names, after, wanted)
            rows = await self.database.read(
                f"select {_COLUMNS} from {seen} left join action using (sequence)"
                " left join content on content.id = action.id order by sequence",
                values,
            )
            found += await self._actions(row for row in rows if row[1] is not None)
            if len(rows) < wanted:
                break
            after = rows[-1][0]
        return found

    async def seen_items(
        self, names: Sequence[Audience], after: int, items_max: int
    ) -> list[tuple[int, int, ActionId]]:
        """(sequence, created, id) of what any of these audiences sees, by arrival beyond `after`."""
        seen, values = audience.seen(names, after, items_max)
        return await self.database.read(
            f"select sequence, created, id from action where sequence in {seen} order by sequence", values
        )

    async def page_of_names(self, after: int, actions_max: int) -> list[tuple[int, ActionId, str]]:
        """(sequence, id, kind) by arrival, beyond the sequence `after`: a tenth of the work of `page`."""
        rows = await self.database.read(
            "select sequence, id, kind from action where sequence > ? order by sequence limit ?", (after, actions_max)
        )
        return [(sequence, ActionId(action_id), kind) for sequence, action_id, kind in rows]

    async def page_of_kinds(self, kinds: Sequence[str], after: int, actions_max: int) -> list[tuple[int, Action]]:
        """Like `page`, for some kinds only, of those that have an index (`writing.INDEXED_KINDS`)."""
        assert all(writing.is_indexed(kind) for kind in kinds), f"a kind of {kinds} has no index: none would be found"
        condition = f"kind in ({', '.join('?' * len(kinds))}) and {BY_KIND} and"
        return await self._page(condition, tuple(kinds), after, actions_max)

    async def _page(
        self, condition: str, values: tuple[Any, ...], after: int, actions_max: int
    ) -> list[tuple[int, Action]]:
        sql = f"select {_COLUMNS} {_FROM} where {condition} sequence > ? order by sequence limit ?"
        found: list[tuple[int, Action]] = []
        while (wanted := actions_max - len(found)) > 0:  # again only where rows rotted
            rows = await self.database.read(sql, (*values, after, wanted))
            found += await self._actions(rows)
            if len(rows) < wanted:
                break
            after = rows[-1][0]
        return found

    async def items(self) -> list[tuple[int, ActionId]]:
        """Every (created, id), sorted."""
        rows = await self.database.read("select created, id from action order by created, id")
        return [(created, ActionId(action_id)) for created, action_id in rows]

    async def ids_beginning(self, digits: str, ids_max: int) -> list[ActionId]:
        """Ids whose hexadecimal digits begin with these, at most so many; costs what it returns."""
        bounds = (bytes.fromhex(digits.ljust(2 * ID_BYTES, filler)) for filler in "0f")
        rows = await self.database.read("select id from action where id between ? and ? limit ?", (*bounds, ids_max))
        return [ActionId(row[0]) for row in rows]

    async def over_items(self, work: Callable[[Items], T]) -> T:
        """What `work` returns, done in another thread over the sorted items of one moment."""
        return await self.database.compare(lambda connection: work(SqliteItems(connection, self._remembered)))

    async def sketch_symbols(self, first: int, count: int) -> bytes:
        """The coded symbols [first, first + count) of the whole set (`hubd.gossip.sketch`)."""
        async with self._sketching:
            while True:
                advanced = await self.database.compare(sketches.advance)
                if advanced.is_worth_keeping:
                    try:
                        await self.change(partial(sketches.keep, kept=advanced.found))
                    except LocalError:  # a full card: what was found is right though it does not last
                        if not advanced.is_whole:
                            raise
                if (
                    advanced.is_whole
                ):  # of the moment when it was read: a set that grows all the time never stands still
                    return advanced.found.symbols[first * SYMBOL_BYTES : (first + count) * SYMBOL_BYTES]

    async def summary(self) -> SetSummary:
        """Count, fingerprint and latest place, of one moment."""
        [(count, state, missing, sequence, last)] = await self.database.read(
            "select (select value from meta where key = 'count'), (select value from meta where key = 'lthash'),"
            " (select count(*) from lacking), *"
            " from (select max(sequence), id from action)"
        )
        mark = self._mark(sequence, last) if sequence else b""
        return SetSummary(count, fingerprint(state), sequence or 0, mark, missing)

    async def lacking(self, after: int, actions_max: int) -> list[tuple[int, ActionId]]:
        """(sequence, id) by arrival, beyond the sequence `after`, of actions whose content is missing here."""
        sql = (
            "select sequence, id from lacking join action using (sequence) where sequence > ? order by sequence limit ?"
        )
        return [(sequence, ActionId(id_)) for sequence, id_ in await self.database.read(sql, (after, actions_max))]

    async def mark_of(self, sequence: int) -> bytes:
        """The name of a place in this database's arrival order, b"" where no action has it."""
        rows = await self.database.read("select id from action where sequence = ?", (sequence,))
        return self._mark(sequence, rows[0][0]) if rows else b""

    def _mark(self, sequence: int, action_id: bytes) -> bytes:
        return hashlib.sha256(self.epoch + sequence.to_bytes(8, "big") + action_id).digest()[:MARK_BYTES]

    async def peer_cursor(self, peer: bytes) -> tuple[int, bytes]:
        """The place in a peer's arrival order that was kept last, (0, b"") for none."""
        if peer in self._cursors:
            return self._cursors[peer]
        rows = await self.database.read("select sequence, mark from peer where principal = ?", (peer,))
        return rows[0] if rows else (0, b"")

    async def rotten(self) -> int:
        """How many actions rotted on this card and were not yet given again."""
        [(count,)] = await self.database.read("select count(*) from rotten")
        return int(count)

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

    async def _actions(self, rows: Iterable[Sequence[Any]]) -> list[tuple[int, Action]]:
        """Rows as actions by sequence. Those whose bytes rotted on the card leave the set, and are counted in `rotten`.

        Where the content alone rotted, it alone goes.
        """
        actions, rotten, bare = [], [], []
        for sequence, action_id, header, digest, body in rows:
            try:
                if row_digest(header) != digest:
                    raise RemoteError("rot", "stored bytes changed")
                action = envelope.reopen(ActionId(action_id), header, body, self.domain)
                actions.append((int(sequence), action))
                if action.content != body:
                    bare.append(int(sequence))
            except RemoteError:
                rotten.append(int(sequence))
        if rotten or bare:
            self.rot_met.set()
        if rotten:
            await self.change(partial(writing.set_aside, sequences=rotten))
        if bare:
            await self.change(partial(lacking.rot, sequences=bare))
        return actions


async def _identity(database: Database, domain: Domain) -> bytes:
    """The database's epoch; checks that it belongs to this mesh."""
    mesh = cbor.encode([domain.network.name, domain.mesh])
    rows = {str(row[0]): row[1] for row in await database.read("select key, value from meta where key != 'sketch'")}
    if "epoch" not in rows:
        epoch = os.urandom(EPOCH_BYTES)
        rows_of_new = [("epoch", epoch), ("mesh", mesh), ("lthash", EMPTY), ("count", 0)]
        await database.write(lambda new: new.executemany("insert into meta (key, value) values (?, ?)", rows_of_new))
        return epoch
    if rows["mesh"] != mesh:
        raise FatalError(
            "wrong-mesh",
            f"the data in {database.path.parent} belongs to another mesh or network",
            hint="use the charter this hub was set up with, or start with an empty data folder",
        )
    return bytes(rows["epoch"])
