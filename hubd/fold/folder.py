"""The fold: from a set of actions to its views, at once (`fold`) or as the set grows (`Folder`).

Both give the same entries and the same digest, for any order and any chunking. The digest is sha256 over the fold's
version and the sum, modulo 2^256, of sha256 over each public entry's canonical CBOR [view, key, fields]: a sum has no
order, and one changed entry costs two hashes.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import Enum
from types import MappingProxyType
from typing import Any

from hubd.action import cbor
from hubd.action.charter import Charter
from hubd.action.envelope import Action
from hubd.fold.agenda import AGENDA_STRATA
from hubd.fold.council import HERE
from hubd.fold.engine import Delta, Engine
from hubd.fold.filing import Shelves
from hubd.fold.membership import MESH
from hubd.fold.memory import Memory
from hubd.fold.plain import Plain
from hubd.fold.settlement import TRANSACTIONS
from hubd.fold.strata import STRATA
from hubd.fold.views import Mesh, SettlementState, Transaction, Views

FOLD_VERSION = 4  # goes up with every change of a rule or an entry: digests of different versions must differ
_MODULUS = 1 << 256
_ATOMS = frozenset((int, bytes, str, bool, type(None)))
_COLUMNS: dict[type, tuple[str, ...]] = {}
_NOBODY = Mesh((), (), (), ())
_PUBLIC = tuple(stratum.name for stratum in STRATA if stratum.public)
_TABLES = tuple(name for name in _PUBLIC if name != "mesh") + tuple(stratum.name for stratum in AGENDA_STRATA)


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a public view after an append; None = it went."""

    view: str
    key: Any
    entry: Any


def _plain(value: Any) -> Any:
    """An entry as CBOR knows it."""
    type_ = type(value)
    if type_ in _ATOMS:
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return [[_plain(key), _plain(value[key])] for key in sorted(value)]
    return [_plain(getattr(value, name)) for name in _columns(type_)]


def _columns(type_: Any) -> tuple[str, ...]:
    known = _COLUMNS.get(type_)
    if known is None:
        known = _COLUMNS[type_] = tuple(column.name for column in fields(type_))
    return known


def _entry_hash(view: str, key: Any, entry: Any) -> int:
    return int.from_bytes(hashlib.sha256(cbor.encode([view, _plain(key), _plain(entry)])).digest(), "big")


def _digest(total: int) -> bytes:
    return hashlib.sha256(cbor.encode([FOLD_VERSION, total.to_bytes(32, "big")])).digest()


def _read_only(entries: Mapping[Any, Any]) -> Mapping[Any, Any]:
    return MappingProxyType(entries) if isinstance(entries, dict) else entries


def _time(transaction: Transaction | None) -> int | None:
    is_confirmed = transaction is not None and transaction.state is SettlementState.CONFIRMED
    return transaction.block_time if transaction is not None and is_confirmed else None


class Folder:
    """The views of a growing set. What it knows lies in `memory`: dicts unless told otherwise."""

    def __init__(self, charter: Charter, memory: Memory | None = None) -> None:
        self._engine = Engine(charter, STRATA, memory)
        self._memory = self._engine.memory
        self._tables = {name: _read_only(self._memory.entries(name)) for name in _TABLES}
        self._views: Views | None = None
        self.settle_members()

    @property
    def views(self) -> Views:
        """The views as of the last append. Mappings are live: copy what must outlast the next append."""
        if self._views is None:
            self._views = Views(
                mesh=self._memory.entry("mesh", HERE) or _NOBODY,
                digest=_digest(self._memory.total % _MODULUS),
                time_s=self._memory.latest_time(),
                **self._tables,
            )
        return self._views

    @property
    def is_settled(self) -> bool:
        """Whether the views are those of all actions that were taken."""
        return self._engine.is_settled

    def __len__(self) -> int:
        return len(self._memory)

    def append(self, actions: Iterable[Action]) -> list[Change]:
        """Add actions to the set, in any order; returns the public entries that differ, by view and key.

        Actions that are known already change nothing. Content matters for anchored kinds only.
        """
        return self._heed(self._engine.append(actions))

    def take(self, actions: Iterable[Action]) -> None:
        """Add actions to the set; `settle` brings them into the views."""
        self._engine.take(actions)

    def settle(self, evaluations_max: int) -> list[Change]:
        """Some of the way to the views of all that was taken; returns what differs so far. See `is_settled`."""
        return self._heed(self._engine.settle(evaluations_max))

    def settle_members(self) -> list[Change]:
        """The membership of all that was taken, whatever else has to wait."""
        return self._heed(self._engine.settle(until=MESH))

    def pause(self) -> None:
        """Leave what `settle` has still to do in the memory."""
        self._engine.pause()

    def _heed(self, deltas: Iterable[Delta]) -> list[Change]:
        changes = []
        memory = self._memory
        for delta in deltas:
            if delta.view is TRANSACTIONS:
                for time_s, sign in ((_time(delta.old), -1), (_time(delta.new), 1)):
                    if time_s is not None:
                        memory.count_time(time_s, sign)
            if not delta.view.public:
                continue
            name = delta.view.name
            if delta.old is not None:
                memory.total -= _entry_hash(name, delta.key, delta.old)
            if delta.new is not None:
                memory.total += _entry_hash(name, delta.key, delta.new)
            changes.append(Change(name, delta.key, delta.new))
        self._views = None
        return sorted(changes, key=lambda change: (_PUBLIC.index(change.view), cbor.encode(_plain(change.key))))


def fold(charter: Charter, actions: Iterable[Action]) -> Views:
    """The views of a set, in the plain way."""
    shelves = Shelves()
    for action in actions:
        shelves.file(action)
    plain = Plain(charter, shelves, shelves.actions())
    entries = {name: plain.table(stratum) for stratum in STRATA if (name := stratum.name) in (*_TABLES, "mesh")}
    total = sum(_entry_hash(name, key, entry) for name in _PUBLIC for key, entry in entries[name].items())
    times = (_time(transaction) for transaction in entries["transactions"].values())
    time_s = max((time for time in times if time is not None), default=None)
    tables = {name: _read_only(entries[name]) for name in _TABLES}
    mesh = entries["mesh"].get(HERE, _NOBODY)
    return Views(mesh=mesh, digest=_digest(total % _MODULUS), time_s=time_s, **tables)
