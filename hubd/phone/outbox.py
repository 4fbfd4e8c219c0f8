"""What this phone signed and has to bring to the mesh, kept in a small SQLite file of its own.

An action is written here, durably, before anything else happens with it, and stays until two hubs or the chain have
acknowledged it: one hub may lose its card or lie. Beside it live the places where this phone left off at each hub, and
the openings of ratings that are sealed and not opened yet.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiosqlite

from hubd.action import envelope
from hubd.action.envelope import Action
from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.errors import FatalError
from hubd.ports import Outcome, Verdict

FILE_NAME = "outbox.sqlite3"
ACKNOWLEDGED_BY_HUBS = 2
_SCHEMA_VERSION = 1
_SCHEMA = """
create table item (
    position integer primary key autoincrement,
    id blob not null unique,
    envelope blob not null,
    code text not null default '',      -- why the last hub asked did not take it
    refused integer not null default 0, -- 1: no hub will ever take it
    kept integer not null default 1     -- 0: two hubs or the chain have it
);
create index item_kept on item (kept, position);
create table acknowledgement (
    id blob not null,
    hub blob not null,
    primary key (id, hub)
) without rowid;
create table place (
    hub blob primary key,
    cursor text not null
) without rowid;
create table opening (
    lesson blob primary key,
    stars integer not null,
    tags integer not null,
    content blob
) without rowid;
create table note (
    name text primary key,
    value text not null
) without rowid;
"""
_EPOCH = "epoch"  # the note of the store that the places are of
_PRAGMAS = ("pragma journal_mode = wal", "pragma synchronous = full")


@dataclass(frozen=True, slots=True)
class Item:
    """One action of the outbox: which hubs have it, and why the last one did not take it."""

    id: ActionId
    envelope: bytes
    code: str
    is_refused: bool
    hubs: frozenset[Principal]


@dataclass(frozen=True, slots=True)
class Opening:
    """What a sealed rating says; `content` are the content bytes of its words, if any."""

    lesson: ActionId
    stars: int
    tags: int
    content: bytes | None


class Outbox:
    """The file. Every method is one durable step."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._writing = asyncio.Lock()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[aiosqlite.Connection]:
        """One writer at a time; durable when the block ends."""
        async with self._writing:
            await self._connection.execute("begin immediate")
            try:
                yield self._connection
            except BaseException:
                await self._connection.rollback()
                raise
            await self._connection.commit()

    @classmethod
    async def open(cls, path: Path) -> "Outbox":
        """Open or make it. Raises `FatalError("outbox")`."""
        try:
            connection = await aiosqlite.connect(path, isolation_level=None)
            try:
                for pragma in _PRAGMAS:
                    await connection.execute(pragma)
                [(version,)] = await connection.execute_fetchall("pragma user_version")
                if version == 0:
                    await connection.executescript(f"begin;{_SCHEMA}pragma user_version = {_SCHEMA_VERSION};commit;")
                elif version != _SCHEMA_VERSION:
                    raise sqlite3.DatabaseError(f"schema {version} is of a newer phone")
            except BaseException:
                await connection.close()
                raise
        except sqlite3.Error as error:
            raise FatalError(
                "outbox", f"{path}: {error}", hint="is the phone's memory full, or was its folder changed by hand?"
            ) from error
        return cls(connection)

    async def close(self) -> None:
        """Close the file."""
        await self._connection.close()

    # --- actions

    async def add(self, action: Action, opening: Opening | None = None) -> None:
        """Keep a new action; a rating's seal together with its opening."""
        async with self._transaction() as connection:
            await connection.execute(
                "insert or ignore into item (id, envelope) values (?, ?)", (action.id, envelope.encode(action))
            )
            if opening is not None:
                await connection.execute(
                    "insert into opening (lesson, stars, tags, content) values (?, ?, ?, ?)",
                    (opening.lesson, opening.stars, opening.tags, opening.content),
                )

    async def items(self, *, kept_only: bool = False) -> list[Item]:
        """All of it, or what still has to be brought somewhere, in the order of signing."""
        rows = await self._connection.execute_fetchall(
            "select id, envelope, code, refused from item where kept >= ? order by position", (int(kept_only),)
        )
        hubs: dict[bytes, set[Principal]] = {}
        for action_id, hub in await self._connection.execute_fetchall("select id, hub from acknowledgement"):
            hubs.setdefault(action_id, set()).add(Principal(hub))
        return [
            Item(ActionId(action_id), raw, code, bool(refused), frozenset(hubs.get(action_id, ())))
            for action_id, raw, code, refused in rows
        ]

    async def answer(self, hub: Principal, outcomes: Sequence[tuple[ActionId, Outcome]]) -> None:
        """Note what a hub said to each action."""
        taken = [(action_id, hub) for action_id, outcome in outcomes if outcome.verdict is Verdict.OK]
        others = [
            (outcome.code, outcome.verdict is Verdict.REFUSED, action_id)
            for action_id, outcome in outcomes
            if outcome.verdict is not Verdict.OK
        ]
        async with self._transaction() as connection:
            await connection.executemany("insert or ignore into acknowledgement (id, hub) values (?, ?)", taken)
            await connection.executemany("update item set code = '' where id = ?", [(each,) for each, _ in taken])
            await connection.executemany("update item set code = ?, refused = ? where id = ?", others)
            # Of these alone: what a hub has lost waits for that hub, though two others have it.
            await connection.executemany(
                "update item set kept = 0 where id = ?"
                " and (select count(*) from acknowledgement where acknowledgement.id = item.id) >= ?",
                [(each, ACKNOWLEDGED_BY_HUBS) for each, _ in taken],
            )

    async def forget(self, ids: Sequence[ActionId]) -> None:
        """The chain has these: nobody needs to be asked again."""
        async with self._transaction() as connection:
            await connection.executemany("update item set kept = 0 where id = ?", [(each,) for each in ids])

    async def unanswered(self, hub: Principal, ids: Sequence[ActionId]) -> None:
        """This hub has lost these: it is to be asked again."""
        async with self._transaction() as connection:
            await connection.executemany(
                "delete from acknowledgement where id = ? and hub = ?", [(each, hub) for each in ids]
            )
            await connection.executemany(
                "update item set kept = 1 where id = ? and refused = 0", [(each,) for each in ids]
            )

    # --- places, openings, notes

    async def place(self, hub: Principal) -> str | None:
        """The cursor where this phone left off at a hub."""
        return await self._value("select cursor from place where hub = ?", hub)

    async def has_places(self) -> bool:
        """Whether this phone has taken what some hub had."""
        return bool(await self._connection.execute_fetchall("select 1 from place limit 1"))

    async def set_place(self, hub: Principal, cursor: str) -> None:
        """Everything up to this cursor is in this phone's store."""
        async with self._transaction() as connection:
            await connection.execute("insert or replace into place (hub, cursor) values (?, ?)", (hub, cursor))

    async def follow(self, epoch: str) -> None:
        """Forget all places if this phone's store is another one than before: what the old one had may not be in it."""
        async with self._transaction() as connection:
            await connection.execute(
                "delete from place where exists (select 1 from note where name = ? and value != ?)", (_EPOCH, epoch)
            )
            await connection.execute("insert or replace into note (name, value) values (?, ?)", (_EPOCH, epoch))

    async def opening(self, lesson: ActionId) -> Opening | None:
        """The opening of this phone's rating of a lesson."""
        rows = list(
            await self._connection.execute_fetchall(
                "select stars, tags, content from opening where lesson = ?", (lesson,)
            )
        )
        return Opening(lesson, *rows[0]) if rows else None

    async def note(self, name: str) -> str | None:
        """A fact about this phone that never leaves it, such as its person's name."""
        return await self._value("select value from note where name = ?", name)

    async def notes(self, prefix: str) -> list[tuple[str, str]]:
        """All facts whose name starts so, with the rest of the name."""
        rows = await self._connection.execute_fetchall(
            "select substr(name, ?), value from note where substr(name, 1, ?) = ?",
            (len(prefix) + 1, len(prefix), prefix),
        )
        return [(str(name), str(value)) for name, value in rows]

    async def set_note(self, name: str, value: str) -> None:
        """Keep such a fact."""
        async with self._transaction() as connection:
            await connection.execute("insert or replace into note (name, value) values (?, ?)", (name, value))

    async def _value(self, sql: str, key: bytes | str) -> str | None:
        rows = list(await self._connection.execute_fetchall(sql, (key,)))
        return str(rows[0][0]) if rows else None
