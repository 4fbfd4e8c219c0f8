"""The set of actions in SQLite: the `ActionStore` of a hub and of a native phone.

Appends from all doors queue here and go to disk together: one transaction for whatever waits (group commit), and nobody
is told OK before it is there.
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from hubd.action import cbor
from hubd.action.envelope import Action
from hubd.action.fingerprint import EMPTY
from hubd.action.sip018 import ActionId, Domain
from hubd.errors import FatalError, LocalError, RemoteError
from hubd.gossip.items import Items
from hubd.gossip.sketch import SYMBOL_BYTES
from hubd.limits import APPEND_ACTIONS_MAX, CURSOR_WAIT_S
from hubd.store import sketches, writing
from hubd.store.database import EPOCH_BYTES, Database, locked
from hubd.store.items import Remembered, SqliteItems
from hubd.store.ledger import Ledger
from hubd.store.reading import Reads
from hubd.store.rescue import is_due, rescue
from hubd.store.room import Room
from hubd.store.rows import reopen
from hubd.store.writing import Offer

if TYPE_CHECKING:
    from hubd.ports import GainListener

T = TypeVar("T")

DATABASE_NAME = "hubd.sqlite3"
_ASKED = 16  # actions, of which one at least did not rot


class Store(Reads):
    """The set, durable. Open it with `await Store.open(directory, domain)`; one process at a time."""

    def __init__(self, database: Database, domain: Domain, epoch: bytes, lock: int | None) -> None:
        super().__init__(database, domain, epoch)
        self.room = Room(database.path.parent)
        self._lock_descriptor = lock
        self._writing = asyncio.Lock()
        self._waiting: list[tuple[Offer, asyncio.Future[list[Action]]]] = []
        self._draining: asyncio.Task[None] | None = None
        self.gain_listeners: list[GainListener] = []
        self._cursors: dict[bytes, tuple[int, bytes]] = {}  # kept, and not on disk yet
        self._settling: asyncio.Task[None] | None = None
        self._sketching = asyncio.Lock()
        self._remembered = Remembered()

    @classmethod
    async def open(cls, directory: Path, domain: Domain) -> "Store":
        """Open or make the store in a data directory. Raises `FatalError` in words."""
        lock = await locked(directory)
        try:
            database, epoch = await _opened(directory / DATABASE_NAME, domain)
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
        return await done

    async def change(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """See `Reads`."""
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
                        self.room.give_way()
                    for _, done in batch:
                        if not done.done():
                            done.set_exception(error)
                    continue
                fresh, gained = ({action.id: action for action in each} for each in written)
                for (actions, source), done in batch:
                    own = _own(actions, fresh)
                    if not done.done():  # whoever gave up waiting
                        done.set_result(own)
                    if news := _own([action for action in actions if action.content is not None], gained):
                        for listener in self.gain_listeners:
                            asyncio.get_running_loop().call_soon(listener, news, source)

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

    # --- what outlives one question

    async def over_items(self, work: Callable[[Items], T]) -> T:
        """What `work` returns, done in another thread over the sorted items of one moment."""
        try:
            return await self.database.compare(lambda connection: work(SqliteItems(connection, self._remembered)))
        except LocalError as error:
            if error.code == "database-damaged":
                self.rot_met.set()
            raise

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
                if advanced.is_whole:  # of the moment of reading: a set that grows all the time never stands still
                    return advanced.found.symbols[first * SYMBOL_BYTES : (first + count) * SYMBOL_BYTES]

    async def peer_cursor(self, peer: bytes) -> tuple[int, bytes]:
        """The place in a peer's arrival order that was kept last, (0, b"") for none."""
        if peer in self._cursors:
            return self._cursors[peer]
        rows = await self.database.read("select sequence, mark from peer where principal = ?", (peer,))
        return rows[0] if rows and (type(rows[0][0]), type(rows[0][1])) == (int, bytes) else (0, b"")


async def _opened(path: Path, domain: Domain) -> tuple[Database, bytes]:
    """The database and its epoch; written anew where it is damaged."""
    if is_due(path):
        await asyncio.to_thread(rescue, path, domain)
    try:
        return await _as_it_is(path, domain)
    except (FatalError, LocalError) as error:
        if error.code != "database-damaged":
            raise
    await asyncio.to_thread(rescue, path, domain)
    return await _as_it_is(path, domain)


async def _as_it_is(path: Path, domain: Domain) -> tuple[Database, bytes]:
    database = await Database.open(path)
    try:
        return database, await _identity(database, domain)
    except BaseException:
        await database.close()
        raise


def _own(actions: Iterable[Action], written: dict[ActionId, Action]) -> list[Action]:
    """What was written of these, and was not told to anybody before."""
    mine = [written.pop(action.id, None) for action in actions]
    return [action for action in mine if action is not None]


async def _identity(database: Database, domain: Domain) -> bytes:
    """The database's epoch; checks that it belongs to this mesh. What rotted of it is written anew."""
    mesh = cbor.encode([domain.network.name, domain.mesh])
    rows = {str(row[0]): row[1] for row in await database.read("select key, value from meta where key != 'sketch'")}
    wanted = {"epoch": os.urandom(EPOCH_BYTES), "mesh": mesh, "lthash": EMPTY, "count": 0}
    if type(rows.get("epoch")) is not bytes or len(rows["epoch"]) != EPOCH_BYTES:
        rows.pop("epoch", None)
    if rows.get("mesh", mesh) != mesh and await _is_of(database, domain):
        del rows["mesh"]
    lost = [(key, value) for key, value in wanted.items() if key not in rows]
    if lost:
        sql = "insert or replace into meta (key, value) values (?, ?)"
        await database.write(lambda writer: writer.executemany(sql, lost))
        rows |= lost
    if rows["mesh"] != mesh:
        raise FatalError(
            "wrong-mesh",
            f"the data in {database.path.parent} belongs to another mesh or network",
            hint="use the charter this hub was set up with, or start with an empty data folder",
        )
    return bytes(rows["epoch"])


async def _is_of(database: Database, domain: Domain) -> bool:
    """Whether an action that is here belongs to this mesh, whatever mesh is written beside it: ids say so themselves."""
    for action_id, header in await database.read("select id, header from action order by sequence limit ?", (_ASKED,)):
        with suppress(RemoteError):
            reopen(action_id, header, None, domain)
            return True
    return False
