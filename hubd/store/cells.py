"""Small cached tables of one SQLite file: what is asked for often lies in memory, what changed goes to disk together.

Everything the fold remembers hangs on a *name*: an action, a person, a pair of both. Names are numbered as they come, so
what belongs to one lesson lies side by side on the card. A *node* is a table's number above a name's number.

What rots on the card is met where it is read: a value carries a check that knows its node, and a name is asked both ways.
What is missing no read can tell, so it is told beside the tables what they add up to (`check`), and
`hubd/store/viewcheck.py` adds it up again.

Nothing here is thread-safe, and nothing is on disk before the owner commits.
"""

import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from hubd.errors import LocalError
from hubd.limits import VIEWS_NAMES_YOUNG

NAME_BITS: Final = 40
NAME_MASK: Final = (1 << NAME_BITS) - 1
_MISSING: Final = object()
_CHECK_BYTES: Final = 4
_ODD: Final = 0x9E37_79B9_7F4A_7C15  # whichever bit of a number changes, its product does
_OTHER: Final = 0xC2B2_AE3D_27D4_EB4F
CHECK_MASK: Final = (1 << 64) - 1
_SAME_NAME = "(select other.key from name other where other.no = name.no)"
_SAME_NUMBER = "(select other.no from name other where other.key = name.key)"


def sealed(node: int, body: bytes) -> bytes:
    """The bytes of a value behind their check, which those of another node don't pass."""
    return zlib.crc32(body, (node ^ node >> 32) & 0xFFFF_FFFF).to_bytes(_CHECK_BYTES, "big") + body


def unsealed(node: int, raw: Any) -> bytes:
    """The bytes of a node's value. Raises `LocalError("views")` where they are not what was written there."""
    if type(raw) is not bytes or sealed(node, body := raw[_CHECK_BYTES:]) != raw:
        raise LocalError("views", "a stored value changed")
    return body


def name_check(number: int, raw: bytes) -> int:
    """What a name adds to its table's check."""
    return number * _ODD + zlib.crc32(raw)


def pair_check(read: int, reader: int) -> int:
    """What a pair adds to its table's check."""
    return read * _ODD + reader * _OTHER


def moment_check(time_s: int) -> int:
    """What one transaction's block time adds to its table's check."""
    return zlib.crc32(b"%d" % time_s) * _ODD


class Cache:
    """A bounded dict that forgets what was not asked for since it filled up twice.

    Whoever asks a hundred thousand times a second looks into `young` first.
    """

    __slots__ = ("_old", "_size", "young")

    def __init__(self, size: int) -> None:
        self._size = size
        self.young: dict[Any, Any] = {}
        self._old: dict[Any, Any] = {}

    def get(self, key: Any, default: Any = None) -> Any:
        """What is known under a key."""
        found = self.young.get(key, _MISSING)
        if found is _MISSING:
            found = self._old.get(key, _MISSING)
            if found is _MISSING:
                return default
            self.put(key, found)
        return found

    def put(self, key: Any, value: Any) -> None:
        """Know this, for a while."""
        self.young[key] = value
        if len(self.young) > self._size:
            self._old, self.young = self.young, {}

    def drop(self, key: Any) -> None:
        """Forget this."""
        self.young.pop(key, None)
        self._old.pop(key, None)


class Written:
    """Which nodes of young names are in one table: what was numbered lately is asked for often, and mostly in vain."""

    def __init__(self, names: "Names") -> None:
        self._names = names
        self._nodes: set[int] = set()
        self._since = names.first_young

    def lacks(self, node: int) -> bool:
        """Whether nothing of a node can be on disk."""
        return node & NAME_MASK >= self._names.first_young and node not in self._nodes

    def note(self, nodes: Iterable[int]) -> None:
        """These are on disk now."""
        self._nodes.update(nodes)
        if self._since != (first := self._names.first_young):
            self._since = first
            self._nodes = {node for node in self._nodes if node & NAME_MASK >= first}


class Names:
    """Numbers for keys. Keys are bytes, text or tuples; those that begin alike are found together."""

    def __init__(
        self, connection: sqlite3.Connection, encode: Callable[[Any], bytes], decode: Callable[[bytes], Any], size: int
    ) -> None:
        self._connection = connection
        self._encode, self._decode = encode, decode
        self._numbers, self._keys = Cache(size), Cache(size)
        self.check = 0
        self._fresh: dict[Any, int] = {}
        self._by_fresh: dict[int, Any] = {}
        [(last,)] = connection.execute("select coalesce(max(no), 0) from name")
        self._next: int = last + 1
        self.first_fresh: int = self._next  # from here on no name is on disk
        self.first_young: int = self._next  # from here on `Written` knows what is

    def _bytes(self, key: Any) -> bytes:
        if type(key) is bytes:
            return b"b" + key
        if type(key) is tuple and type(key[0]) is bytes:
            return self._prefix(key[0]) + self._encode(key[1:])
        return b"v" + self._encode(key)

    def _prefix(self, first: bytes) -> bytes:
        return b"t" + len(first).to_bytes(2, "big") + first

    def _key(self, raw: bytes) -> Any:
        if raw[:1] == b"b":
            return raw[1:]
        if raw[:1] == b"v":
            return self._decode(raw[1:])
        end = 3 + int.from_bytes(raw[1:3], "big")
        return (raw[3:end], *self._decode(raw[end:]))

    def beginning(self, first: bytes) -> Iterator[tuple[int, Any]]:
        """Numbers and keys of the pairs on disk that begin with this."""
        prefix = self._prefix(first)
        bounds = prefix, prefix + b"\xff" * 8  # a check and a list follow, and no list begins with 0xff
        sql = f"select no, key, {_SAME_NAME} from name where key >= ? and key < ?"
        for number, raw, named in self._connection.execute(sql, bounds):
            if raw != named:
                raise LocalError("views", "a stored name changed")
            yield number, self._key(raw)

    def find(self, key: Any) -> int | None:
        """The number of a key, None where it has none."""
        found: int | None = self._numbers.young.get(key) or self._fresh.get(key) or self._numbers.get(key)
        if found is None:
            sql = f"select no, key, {_SAME_NAME} from name where key = ?"
            row = self._connection.execute(sql, (self._bytes(key),)).fetchone()
            if row is not None:
                if row[1] != row[2]:
                    raise LocalError("views", "a stored name changed")
                found = row[0]
                self._numbers.put(key, found)
        return found

    def number(self, key: Any) -> int:
        """The number of a key, a new one where it has none."""
        found = self.find(key)
        if found is None:
            found = self._next
            self._next += 1
            self._fresh[key] = found
            self._by_fresh[found] = key
        return found

    def key(self, number: int) -> Any:
        """The key that has a number."""
        if number >= self.first_fresh:
            return self._by_fresh[number]
        found = self._keys.get(number, _MISSING)
        if found is _MISSING:
            sql = f"select key, {_SAME_NUMBER} from name where no = ?"
            row = self._connection.execute(sql, (number,)).fetchone()
            if row is None or type(row[0]) is not bytes or row[1] != number:
                raise LocalError("views", "a stored name changed")
            found = self._key(row[0])
            self._keys.put(number, found)
        return found

    def flush(self) -> None:
        """Write what is new."""
        rows = [(number, self._bytes(key)) for key, number in self._fresh.items()]
        self.check += sum(name_check(*row) for row in rows)
        self._connection.executemany("insert into name (no, key) values (?, ?)", rows)
        for key, number in self._fresh.items():
            self._numbers.put(key, number)
            self._keys.put(number, key)
        self._fresh, self._by_fresh = {}, {}
        self.first_fresh = self._next
        if self._next - self.first_young > 2 * VIEWS_NAMES_YOUNG:
            self.first_young = self._next - VIEWS_NAMES_YOUNG


class Cells:
    """One value for each node."""

    def __init__(
        self,
        names: Names,
        connection: sqlite3.Connection,
        table: str,
        codec: tuple[Callable[[Any], bytes], Callable[[bytes], Any]],
        size: int,
    ) -> None:
        self._names, self._connection = names, connection
        self._encode, self._decode = codec
        self._cache = Cache(size)
        self._written = Written(names)
        self._dirty: dict[int, Any] = {}
        self._select = f"select body from {table} where node = ?"
        self._keys = f"select node from {table} where node > ? and node < ? order by node limit ?"
        self._replace = f"insert or replace into {table} (node, body) values (?, ?)"
        self._delete = f"delete from {table} where node = ?"

    def __len__(self) -> int:
        """How many values are not handed to the database yet."""
        return len(self._dirty)

    def get(self, node: int) -> Any:
        """The value, None where there is none."""
        found = self._dirty.get(node, _MISSING)
        if found is _MISSING:
            found = self._cache.young.get(node, _MISSING)
        if found is _MISSING and self._written.lacks(node):
            return None
        if found is _MISSING:
            found = self._cache.get(node, _MISSING)
        if found is _MISSING:
            found = self._load(node)
            self._cache.put(node, found)
        return found

    def _load(self, node: int) -> Any:
        row = self._connection.execute(self._select, (node,)).fetchone()
        return None if row is None else self._decode(unsealed(node, row[0]))

    def put(self, node: int, value: Any) -> None:
        """Set a value; None takes it away."""
        self._dirty[node] = value

    def nodes(self, first: int, end: int, page: int) -> Iterator[int]:
        """The nodes between two, both left out, that have a value on disk; read by and by."""
        while rows := self._connection.execute(self._keys, (first, end, page)).fetchall():
            yield from (row[0] for row in rows)
            first = rows[-1][0]

    def flush(self) -> None:
        """Write what changed."""
        dirty, self._dirty = self._dirty, {}
        encode = self._encode
        self._connection.executemany(
            self._replace, [(node, sealed(node, encode(value))) for node, value in dirty.items() if value is not None]
        )
        self._connection.executemany(self._delete, [(node,) for node, value in dirty.items() if value is None])
        self._written.note(dirty)
        for node, value in dirty.items():
            self._cache.put(node, value)


class Pairs:
    """Who reads what: pairs of nodes, looked up by the first. `flush_all` writes every table: names tell what is fresh."""

    def __init__(self, names: Names, connection: sqlite3.Connection, flush_all: Callable[[], None], page: int) -> None:
        self._names, self._connection, self._page = names, connection, page
        self._flush_all = flush_all
        self.check = 0
        self._written = Written(names)
        self._added: dict[int, set[int]] = {}
        self._dropped: set[tuple[int, int]] = set()

    def add(self, read: int, reader: int) -> None:
        """A reader more."""
        self.check += pair_check(read, reader)
        if (read, reader) in self._dropped:
            self._dropped.discard((read, reader))
        else:
            self._added.setdefault(read, set()).add(reader)

    def drop(self, read: int, reader: int) -> None:
        """A reader less."""
        self.check -= pair_check(read, reader)
        added = self._added.get(read)
        if added is not None and reader in added:
            added.discard(reader)
        else:
            self._dropped.add((read, reader))

    def readers(self, read: int, after: int | None) -> tuple[list[int], int | None]:
        """A page of readers beyond `after`, in order, and where the next one begins."""
        if after is None:
            added = self._added.get(read, ())
            rows = [] if self._written.lacks(read) else self._rows(read, 0)
            if len(rows) + len(added) <= self._page:
                kept = [row for row in rows if (read, row) not in self._dropped] if self._dropped else rows
                return [*kept, *added], None
        self._flush_all()
        rows = self._rows(read, after or 0)
        return rows[: self._page], rows[self._page - 1] if len(rows) > self._page else None

    def _rows(self, read: int, after: int) -> list[int]:
        sql = "select reader from reader where read = ? and reader > ? order by reader limit ?"
        return [row[0] for row in self._connection.execute(sql, (read, after, self._page + 1))]

    def flush(self) -> None:
        """Write what changed."""
        rows = ((read, reader) for read, readers in self._added.items() for reader in readers)
        self._connection.executemany("insert into reader (read, reader) values (?, ?)", rows)
        self._connection.executemany("delete from reader where read = ? and reader = ?", self._dropped)
        self._written.note(self._added)
        self._added, self._dropped = {}, set()
