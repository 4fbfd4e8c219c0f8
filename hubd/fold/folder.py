"""The fold: from a set of actions to its views, at once (`fold`) or as the set grows (`Folder`).

Both give the same entries and the same digest, for any order and any chunking. The digest is sha256 over the fold's
version and the sum, modulo 2^256, of sha256 over each public entry's canonical CBOR [view, key, fields]: a sum has no
order, and one changed entry costs two hashes.
"""

import hashlib
from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any

from hubd.action import cbor
from hubd.action.charter import Charter
from hubd.action.envelope import Action
from hubd.fold.council import HERE
from hubd.fold.engine import Engine
from hubd.fold.filing import Shelves
from hubd.fold.plain import Plain
from hubd.fold.settlement import TRANSACTIONS
from hubd.fold.strata import STRATA
from hubd.fold.views import Mesh, SettlementState, Transaction, Views

FOLD_VERSION = 3  # goes up with every change of a rule or an entry: digests of different versions must differ
_MODULUS = 1 << 256
_PUBLIC = tuple(stratum.name for stratum in STRATA if stratum.public)


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a public view after an append; None = it went."""

    view: str
    key: Any
    entry: Any


def _plain(value: Any) -> Any:
    """An entry as CBOR knows it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return [[_plain(key), _plain(value[key])] for key in sorted(value)]
    if is_dataclass(value):
        return [_plain(getattr(value, column.name)) for column in fields(value)]
    return value


def _entry_hash(view: str, key: Any, entry: Any) -> int:
    return int.from_bytes(hashlib.sha256(cbor.encode([view, _plain(key), _plain(entry)])).digest(), "big")


def _digest(total: int) -> bytes:
    return hashlib.sha256(cbor.encode([FOLD_VERSION, total.to_bytes(32, "big")])).digest()


def _time(transaction: Transaction | None) -> int | None:
    is_confirmed = transaction is not None and transaction.state is SettlementState.CONFIRMED
    return transaction.block_time if transaction is not None and is_confirmed else None


def _views(entries: Mapping[str, Mapping[Any, Any]], total: int, time_s: int | None) -> Views:
    tables = {name: MappingProxyType(entries[name]) for name in _PUBLIC if name != "mesh"}
    mesh = entries["mesh"].get(HERE, Mesh((), (), (), ()))
    return Views(mesh=mesh, digest=_digest(total), time_s=time_s, **tables)


class Folder:
    """The views of a growing set."""

    def __init__(self, charter: Charter) -> None:
        self._engine = Engine(charter, STRATA)
        self._total = 0
        self._times: list[int] = []  # block times of confirmed transactions, sorted
        for name in _PUBLIC:
            for key, entry in self._engine.entries[name].items():
                self._total += _entry_hash(name, key, entry)
        self._views = self._read()

    def _read(self) -> Views:
        return _views(self._engine.entries, self._total % _MODULUS, self._times[-1] if self._times else None)

    @property
    def views(self) -> Views:
        """The views as of the last append. Mappings are live: copy what must outlast the next append."""
        return self._views

    def append(self, actions: Iterable[Action]) -> list[Change]:
        """Add actions to the set, in any order; returns the public entries that differ, by view and key.

        Actions that are known already change nothing. Content matters for anchored kinds only.
        """
        changes = []
        for delta in self._engine.append(actions):
            if delta.view is TRANSACTIONS:
                self._retime(_time(delta.old), _time(delta.new))
            if not delta.view.public:
                continue
            name = delta.view.name
            if delta.old is not None:
                self._total -= _entry_hash(name, delta.key, delta.old)
            if delta.new is not None:
                self._total += _entry_hash(name, delta.key, delta.new)
            changes.append(Change(name, delta.key, delta.new))
        self._views = self._read()
        return sorted(changes, key=lambda change: (_PUBLIC.index(change.view), cbor.encode(_plain(change.key))))

    def _retime(self, old: int | None, new: int | None) -> None:
        if old is not None:
            del self._times[bisect_left(self._times, old)]
        if new is not None:
            insort(self._times, new)


def fold(charter: Charter, actions: Iterable[Action]) -> Views:
    """The views of a set, in the plain way."""
    shelves = Shelves()
    for action in actions:
        shelves.file(action)
    plain = Plain(charter, shelves, shelves.actions())
    entries = {name: plain.table(stratum) for stratum in STRATA if (name := stratum.name) in _PUBLIC}
    total = sum(_entry_hash(name, key, entry) for name in _PUBLIC for key, entry in entries[name].items())
    times = (_time(transaction) for transaction in entries["transactions"].values())
    return _views(entries, total % _MODULUS, max((time for time in times if time is not None), default=None))
