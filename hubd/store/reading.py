"""What is read of the set: actions by id, by arrival, by audience and by kind, and places in the order of arrival.

A row whose bytes rotted on the card is no answer: it leaves the set, and the next neighbour that has the action gives it.
"""

import asyncio
import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

from hubd.action.audience import Audience
from hubd.action.envelope import Action
from hubd.action.fingerprint import STATE_BYTES, fingerprint
from hubd.action.sip018 import ActionId, Domain
from hubd.errors import RemoteError
from hubd.limits import PAGE_WINDOW_ROWS, QUERY_IDS_MAX
from hubd.ports import Cursor, SetSummary
from hubd.store import audience, lacking, writing
from hubd.store.aside import set_aside
from hubd.store.database import Database, damage
from hubd.store.rows import is_id, reopen, row_digest
from hubd.store.writing import BY_KIND

T = TypeVar("T")

ID_PREFIX_BYTES = 8
ID_BYTES = 32
MARK_BYTES = 8
_COLUMNS = "sequence, action.id, header, digest, content.body"
_FROM = "from action left join content on content.id = action.id"
_WINDOW = """
    source is not (select coalesce(max(number), 0) from peer where principal = ?) and sequence <= ? and
"""  # no peer has number 0


class Reads:
    """The set as it is read. `change` does a piece of work in the one writer."""

    def __init__(self, database: Database, domain: Domain, epoch: bytes) -> None:
        self.database = database
        self.domain = domain
        self.epoch = epoch
        self.rot_met = asyncio.Event()  # a read met a row that is not as it was written

    async def change(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work` in a transaction of the one writer, between two batches."""
        return await self.database.write(work)

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
        rows = await self._named(
            f"select sequence, id, created from action where sequence in {seen} order by sequence", values, int
        )
        return [(sequence, created, action_id) for sequence, action_id, created in rows]

    async def page_of_names(self, after: int, actions_max: int) -> list[tuple[int, ActionId, str]]:
        """(sequence, id, kind) by arrival, beyond the sequence `after`: a tenth of the work of `page`."""
        return await self._named(
            "select sequence, id, kind from action where sequence > ? order by sequence limit ?",
            (after, actions_max),
            str,
        )

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
        return [(created, action_id) for created, action_id in rows if type(created) is int and is_id(action_id)]

    async def ids_beginning(self, digits: str, ids_max: int) -> list[ActionId]:
        """Ids whose hexadecimal digits begin with these, at most so many; costs what it returns."""
        bounds = (bytes.fromhex(digits.ljust(2 * ID_BYTES, filler)) for filler in "0f")
        rows = await self.database.read("select id from action where id between ? and ? limit ?", (*bounds, ids_max))
        return [row[0] for row in rows if is_id(row[0])]

    async def summary(self) -> SetSummary:
        """Count, fingerprint and latest place, of one moment. Raises `LocalError` where the first two rotted."""
        rows = await self._named(
            "select sequence, id, (select value from meta where key = 'count'),"
            " (select value from meta where key = 'lthash'), (select count(*) from lacking)"
            " from (select 1) left join (select sequence, id from action order by sequence desc limit 1)",
        )
        found: Sequence[Any] = rows[0] if rows else [None] * 5
        sequence, last, count, state, missing = found
        if type(count) is not int or type(state) is not bytes or len(state) != STATE_BYTES:
            self.rot_met.set()
            raise damage("what is counted of the set")
        mark = self._mark(sequence, last) if sequence else b""
        return SetSummary(count, fingerprint(state), sequence or 0, mark, missing)

    async def count_after(self, sequence: int) -> int:
        """How many actions arrived beyond this sequence. Rows that rotted left gaps, so sequences tell too many."""
        [(count,)] = await self.database.read("select count(*) from action where sequence > ?", (sequence,))
        return int(count)

    async def lacking(self, after: int, actions_max: int) -> list[tuple[int, ActionId]]:
        """(sequence, id) by arrival, beyond the sequence `after`, of actions whose content is missing here."""
        sql = (
            "select sequence, id from lacking join action using (sequence) where sequence > ? order by sequence limit ?"
        )
        return await self._named(sql, (after, actions_max))

    async def lacking_of(self, ids: Sequence[ActionId]) -> list[ActionId]:
        """Those of these actions whose content is missing here; at most `QUERY_IDS_MAX`."""
        sql = (
            f"select id from action where id in ({', '.join('?' * len(ids))})"  # marks only
            " and exists (select 1 from lacking where lacking.sequence = action.sequence)"
        )
        return [ActionId(id_) for (id_,) in await self.database.read(sql, tuple(ids))]

    async def mark_of(self, sequence: int) -> bytes:
        """The name of a place in this database's arrival order, b"" where no action has it."""
        rows = await self._named("select sequence, id from action where sequence = ?", (sequence,))
        return self._mark(*rows[0]) if rows else b""

    def _mark(self, sequence: int, action_id: bytes) -> bytes:
        return hashlib.sha256(self.epoch + sequence.to_bytes(8, "big") + action_id).digest()[:MARK_BYTES]

    async def rotten(self) -> int:
        """How many actions rotted on this card and were not yet given again."""
        [(count,)] = await self.database.read("select count(*) from rotten")
        return int(count)

    async def aside(self) -> int:
        """How many actions ever left this database's set because they rotted, whatever came back."""
        rows = await self.database.read("select cast(value as integer) from meta where key = 'aside'")
        return int(rows[0][0] or 0) if rows else 0

    async def cursor(self) -> Cursor:
        """The end of the set, as a place to come back to."""
        rows = await self._named("select sequence, id from action order by sequence desc limit 1")
        sequence, action_id = rows[0] if rows else (0, b"")
        return Cursor(self.epoch, sequence, action_id[:ID_PREFIX_BYTES])

    async def resume(self, cursor: Cursor) -> int | None:
        """The sequence to go on after, or None where the cursor is void."""
        if cursor.epoch != self.epoch:
            return None
        if cursor.sequence == 0:
            return 0
        rows = await self._named("select sequence, id from action where sequence = ?", (cursor.sequence,))
        return cursor.sequence if rows and rows[0][1][:ID_PREFIX_BYTES] == cursor.id_prefix else None

    async def _named(self, sql: str, values: Sequence[Any] = (), third: type | None = None) -> list[Any]:
        """The rows (sequence, id, ...) of a query, asked again without those that are of other types than these."""
        while True:
            rows = await self.database.read(sql, values)
            if _are_whole(rows, third) or not (
                rotten := [row[0] for row in rows if row[0] is not None and not _are_whole([row], third)]
            ):
                return rows
            if not await self._leave(rotten):  # a row that is where no search finds it
                return [row for row in rows if row[0] not in rotten]

    async def _leave(self, rotten: Sequence[int]) -> int:
        """Take rows out of the set, so that a neighbour is asked for them. How many went."""
        self.rot_met.set()
        return await self.change(partial(set_aside, sequences=rotten))

    async def _actions(self, rows: Iterable[Sequence[Any]]) -> list[tuple[int, Action]]:
        """Rows as actions by sequence. Those whose bytes rotted on the card leave the set, and are counted in `rotten`.

        Where the content alone rotted, it alone goes.
        """
        actions, rotten, bare = [], [], []
        for sequence, action_id, header, digest, body in rows:
            try:
                action = reopen(action_id, header, body, self.domain)
                if row_digest(action.header) != digest:
                    raise RemoteError("rot", "stored bytes changed")
                actions.append((int(sequence), action))
                if action.content != body:
                    bare.append(int(sequence))
            except RemoteError:
                rotten.append(int(sequence))
        if rotten:
            await self._leave(rotten)
        if bare:
            self.rot_met.set()
            await self.change(partial(lacking.rot, sequences=bare))
        return actions


def _are_whole(rows: Sequence[Sequence[Any]], third: type | None) -> bool:
    try:
        ids_bytes = len(b"".join([row[1] for row in rows]))  # the cheapest look at the types of many
    except TypeError:
        return False
    return ids_bytes == ID_BYTES * len(rows) and (third is None or {type(row[2]) for row in rows} <= {third})
