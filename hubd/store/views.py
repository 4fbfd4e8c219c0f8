"""The fold's memory in a file of its own: a `Memory` for sets that are larger than a hub's RAM.

Headers are not kept twice: actions come from the set's own file, through `Source` (hubd/store/headers.py). What the file
is and whether it fits: hubd/store/viewfile.py.
"""

import sqlite3
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

from hubd import log
from hubd.action.content import is_anchored
from hubd.action.envelope import Action, without_content
from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.errors import LocalError
from hubd.fold.filing import Place, lacks_content, places
from hubd.fold.memory import After, Work
from hubd.fold.trace import Node
from hubd.limits import (
    VIEWS_ACTIONS_CACHED,
    VIEWS_CELLS_CACHED,
    VIEWS_READERS_PAGE,
    VIEWS_SHELF_ROWS_MAX,
    VIEWS_WAITING_MAX,
)
from hubd.store import viewfile
from hubd.store.cells import CHECK_MASK, NAME_BITS, NAME_MASK, Cache, Cells, Names, Pairs, moment_check
from hubd.store.entries import decode, encode, pack, unpack
from hubd.store.places import Places
from hubd.store.viewfile import FAULTS, Checks, checks_of, met

HERE: Final = ""  # the view of which actions are here: True, or False where its anchored content is lacking
_NONE: Final[frozenset[int]] = frozenset()


def _pack(reads: frozenset[int]) -> bytes:
    return array("q", sorted(reads)).tobytes()


def _unpack(raw: bytes) -> frozenset[int]:
    return frozenset(array("q", raw))


class _Entries(Mapping[Any, Any]):
    """The entries of one view: looked up one by one at the cost of a read, walked through page by page."""

    def __init__(self, memory: "SqliteMemory", view: str) -> None:
        self._memory, self._view = memory, view

    def __getitem__(self, key: Any) -> Any:
        found = self._memory.entry(self._view, key)
        if found is None:
            raise KeyError(key)
        return found

    def __contains__(self, key: object) -> bool:
        return self._memory.entry(self._view, key) is not None

    def __iter__(self) -> Iterator[Any]:
        return self._memory.keys(self._view)

    def beginning(self, first: bytes) -> Iterator[Any]:
        """Keys that begin with this: see `hubd.fold.memory.beginning`."""
        return self._memory.beginning(self._view, first)

    def beyond(self, after: Any | None, keys_max: int) -> list[Any]:
        """Keys that come after this one: see `hubd.fold.memory.beyond`."""
        return self._memory.beyond(self._view, after, keys_max)

    def __len__(self) -> int:
        return self._memory.sizes.get(self._view, 0)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and dict(self.items()) == dict(other.items())

    __hash__ = None  # type: ignore[assignment]  # live, as a dict is


class SqliteMemory:
    """See `hubd.fold.memory.Memory`. `actions` finds an action of the set by its id."""

    def __init__(
        self, connection: sqlite3.Connection, actions: Callable[[ActionId], Action | None], cells: int
    ) -> None:
        self._connection = connection
        self._action = actions
        facts = dict(connection.execute("select key, value from fact"))
        self._kept: dict[str, Any] = {key: decode(value) for key, value in facts.items()}
        checks = checks_of(self._kept)
        self.total: int = int.from_bytes(self._kept.get("total", b""), "big", signed=True)
        self.sizes: dict[str, int] = self._kept.get("sizes", {})
        self._count: int = self._kept.get("count", 0)
        self._titles: list[str] = list(self._kept.get("titles", (HERE,)))
        self._codes = {title: code << NAME_BITS for code, title in enumerate(self._titles)}
        self._nodes = Cache(cells)  # numbers of (view or shelf, key): asked for thirty times an action
        self._names = Names(connection, encode, decode, cells)
        self._entries = Cells(self._names, connection, "entry", (pack, unpack), cells)
        self._sums = Cells(self._names, connection, "sum", (pack, unpack), cells)
        self._reads = Cells(self._names, connection, "reads", (_pack, _unpack), cells)
        self._pairs = Pairs(self._names, connection, self.flush, VIEWS_READERS_PAGE)
        self._places = Places(
            self._names, connection, self.flush, size=cells, rows_max=min(cells, VIEWS_SHELF_ROWS_MAX)
        )
        self._actions = Cache(min(cells, VIEWS_ACTIONS_CACHED))
        self._names.check, self._pairs.check, self._places.check = checks.names, checks.pairs, checks.places
        self._moments, self._sums_count = checks.moments, checks.sums
        self.on_fault: Callable[[Exception], None] = lambda _: None

    @classmethod
    def open(
        cls,
        path: Path,
        stamp: bytes,
        actions: Callable[[ActionId], Action | None],
        cells: int = VIEWS_CELLS_CACHED,
    ) -> "SqliteMemory":
        """Open the file, or begin it anew where it is of another set, charter or version, or can't be read."""
        try:
            return cls._opened(path, stamp, actions, cells)
        except FAULTS as error:
            fold = log.get("fold")
            tell = fold.info if isinstance(error, viewfile.OutdatedError) else fold.warning
            tell("views-anew", detail=str(error))
            viewfile.discard(path)
            return cls._opened(path, stamp, actions, cells)

    @classmethod
    def _opened(
        cls, path: Path, stamp: bytes, actions: Callable[[ActionId], Action | None], cells: int
    ) -> "SqliteMemory":
        connection = viewfile.connect(path, stamp)
        try:
            return cls(connection, actions, cells)
        except BaseException:
            connection.close()
            raise

    # --- nodes

    def _code(self, title: str) -> int:
        code = self._codes.get(title)
        if code is None:
            code = self._codes[title] = len(self._titles) << NAME_BITS
            self._titles.append(title)
        return code

    def _node(self, title: str, key: Any) -> int:
        found: int | None = self._nodes.young.get((title, key))
        if found is None:
            found = self._code(title) | self._names.number(key)
            self._nodes.put((title, key), found)
        return found

    def _named(self, node: int) -> Node:
        return self._titles[node >> NAME_BITS], self._names.key(node & NAME_MASK)

    # --- the set

    def __len__(self) -> int:
        return self._count

    @met
    def is_news(self, action: Action) -> bool:
        """See `Memory`."""
        here = self._entries.get(self._node(HERE, action.id))
        return here is None or (here is False and action.content is not None)

    @met
    def file(self, action: Action) -> list[Place]:
        """See `Memory`."""
        node = self._node(HERE, action.id)
        here = self._entries.get(node)
        if here or (here is False and action.content is None):
            return []
        known = self.action(action.id) if here is False else None
        filed = dict(places(known)) if known is not None else {}
        self._count += here is None
        self._entries.put(node, not lacks_content(action))
        self._actions.put(action.id, action if is_anchored(action.kind) else without_content(action))
        changed = []
        for place, rank in places(action):
            if place not in filed:
                self._places.add(self._node(*place), action.statement.author, rank, action.id)
            changed.append(place)
        return changed

    @met
    def action(self, action_id: ActionId) -> Action | None:
        """See `Memory`."""
        found: Action | None = self._actions.get(action_id)
        if found is not None:
            return found
        number = self._names.find(action_id)
        here = None if number is None else self._entries.get(number)
        if here is None:
            return None
        found = self._action(action_id)
        if found is None:
            raise LocalError("views", f"{action_id.hex()[:16]} is in the views and not in the set")
        found = found if is_anchored(found.kind) else without_content(found)
        self._actions.put(action_id, found)
        return found

    def filed(self, shelf: str, key: bytes, author: Principal) -> Iterator[Action]:
        """See `Memory`."""
        try:
            for action_id in self._places.filed(self._node(shelf, key), author):
                action = self.action(action_id)
                if action is None:
                    raise LocalError("views", f"{action_id.hex()[:16]} stands on a shelf and is not here")
                yield action
        except FAULTS as error:
            raise self.fault(error) from error

    @met
    def authors(self, shelf: str, key: bytes) -> Sequence[Principal]:
        """See `Memory`."""
        return self._places.authors(self._node(shelf, key))

    def fault(self, error: Exception) -> LocalError:
        """Something in the file is not what was written: whoever works with it is told, and has it made anew."""
        told = error if isinstance(error, LocalError) else LocalError("views", f"{type(error).__name__}: {error}")
        self.on_fault(told)
        return told

    # --- entries and sums

    @met
    def entry(self, view: str, key: Any) -> Any:
        """See `Memory`."""
        node = self._nodes.young.get((view, key))
        if node is None:
            number = self._names.find(key)
            if number is None:
                return None
            node = self._code(view) | number
            self._nodes.put((view, key), node)
        return self._entries.get(node)

    @met
    def keep(self, view: str, key: Any, entry: Any) -> None:
        """See `Memory`."""
        node = self._node(view, key)
        self.sizes[view] = self.sizes.get(view, 0) + (entry is not None) - (self._entries.get(node) is not None)
        self._entries.put(node, entry)

    def entries(self, view: str) -> Mapping[Any, Any]:
        """See `Memory`."""
        return _Entries(self, view)

    def keys(self, view: str) -> Iterator[Any]:
        """The keys of a view's entries."""
        try:
            self.flush()
            code = self._code(view)
            for node in self._entries.nodes(code, code + NAME_MASK, VIEWS_READERS_PAGE):
                yield self._names.key(node & NAME_MASK)
        except FAULTS as error:
            raise self.fault(error) from error

    def beginning(self, view: str, first: bytes) -> Iterator[Any]:
        """Those of them that begin with this."""
        try:
            self.flush()
            code = self._code(view)
            yield from (key for no, key in self._names.beginning(first) if self._entries.get(code | no) is not None)
        except FAULTS as error:
            raise self.fault(error) from error

    @met
    def beyond(self, view: str, after: Any | None, keys_max: int) -> list[Any]:
        """Some of them after one key (None: from the first), in the order in which they were first heard of."""
        self.flush()
        code = self._code(view)
        found = self._entries.nodes(code | (self._names.find(after) or 0), code + NAME_MASK, keys_max)
        return [self._names.key(node & NAME_MASK) for node in islice(found, keys_max)]

    @met
    def sums(self, tally: str, key: Any) -> tuple[int, ...] | None:
        """See `Memory`."""
        found: tuple[int, ...] | None = self._sums.get(self._node(tally, key))
        return found

    @met
    def keep_sums(self, tally: str, key: Any, sums: tuple[int, ...] | None) -> None:
        """See `Memory`."""
        node = self._node(tally, key)
        self._sums_count += (sums is not None) - (self._sums.get(node) is not None)
        self._sums.put(node, sums)

    # --- the trace

    @met
    def readers(self, node: Node, after: After | None = None) -> tuple[Iterable[Node], After | None]:
        """See `Memory`."""
        found, beyond = self._pairs.readers(self._node(*node), after)
        return [self._named(reader) for reader in found], beyond

    @met
    def remember(self, node: Node, reads: set[Node]) -> None:
        """See `Memory`."""
        reader = self._node(*node)
        before: frozenset[int] = self._reads.get(reader) or _NONE
        now = frozenset([self._node(title, key) for title, key in reads])
        if now == before:
            return
        for read in now - before:
            self._pairs.add(read, reader)
        for read in before - now:
            self._pairs.drop(read, reader)
        self._reads.put(reader, now or None)

    # --- time

    def count_time(self, time_s: int, sign: int) -> None:
        """See `Memory`."""
        self._begin()
        self._moments += sign * moment_check(time_s)
        self._connection.execute(
            "insert into moment (time_s, count) values (?, ?) on conflict do update set count = count + excluded.count",
            (time_s, sign),
        )
        self._connection.execute("delete from moment where time_s = ? and count = 0", (time_s,))

    @met
    def latest_time(self) -> int | None:
        """See `Memory`."""
        latest: int | None = self._connection.execute("select max(time_s) from moment").fetchone()[0]
        return latest

    # --- what lasts

    def work(self) -> Work | None:
        """See `Memory`."""
        left = self._kept.get("work")
        return None if left is None else ([*left[0]], dict(left[1]))

    def keep_work(self, work: Work) -> None:
        """See `Memory`."""
        self._kept["work"] = (tuple(work[0]), tuple(work[1].items()))

    @property
    def covered(self) -> tuple[int, bytes]:
        """The place (sequence and mark) in the set's order of arrival up to which every action is here."""
        place: tuple[int, bytes] = self._kept.get("covered", (0, b""))
        return place

    def commit(self, covered: tuple[int, bytes] | None) -> None:
        """Make all of it last, in one transaction; `covered` where it is known anew."""
        if covered is not None:
            self._kept["covered"] = covered
        self.flush()
        size = (self.total.bit_length() + 8) // 8
        self._kept |= {
            "total": self.total.to_bytes(size, "big", signed=True),
            "sizes": dict(self.sizes),
            "count": self._count,
            "titles": tuple(self._titles),
        }
        sums = (self._names.check, self._pairs.check, self._places.check, self._moments)
        facts = tuple(sorted(set(self._kept) - {"stamp", "checks"}))
        names, pairs, places, moments = (each & CHECK_MASK for each in sums)
        self._kept["checks"] = Checks(names, pairs, places, moments, self._sums_count, facts)
        self._connection.executemany(
            "insert or replace into fact (key, value) values (?, ?)",
            [(key, encode(value)) for key, value in self._kept.items() if key != "stamp"],
        )
        self._connection.execute("commit")

    def flush(self) -> None:
        """Hand what changed to the database; it lasts with the next `commit`."""
        self._begin()
        for part in (self._names, self._entries, self._sums, self._reads, self._pairs, self._places):
            part.flush()

    def relieve(self) -> None:
        """Hand over what changed where it is much, so that no commit takes long."""
        if len(self._entries) + len(self._reads) > VIEWS_WAITING_MAX:
            self.flush()

    def _begin(self) -> None:
        if not self._connection.in_transaction:
            self._connection.execute("begin")

    def abandon(self) -> None:
        """Give up what was not committed, so that the file may be opened again; what is looked up meanwhile is old."""
        self._connection.rollback()

    def close(self) -> None:
        """Close the file; what was not committed is gone, and folded again."""
        self._connection.close()
