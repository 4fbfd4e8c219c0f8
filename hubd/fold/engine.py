"""The incremental evaluator: after an append, only what the new actions could have changed is computed anew.

Every evaluation of a rule records what it read: places on shelves, single actions, entries of other views. A new action
dirties the entries that read its places, and the keys its roots name. Dirty entries are computed view by view in the
order of the strata; one that comes out equal stops there, one that differs dirties its readers, which are never in an
earlier stratum. What rules read of one another can't run in a ring, so this ends, and it ends at the one solution of the
equations "entry = rule(what it reads)", whatever the order of arrival. `hubd.fold.plain` finds it in the plain way.

On the way a rule may meet entries of its own view that are not computed yet: rules answer whatever they read, and are
asked again.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hubd.action.charter import Charter
from hubd.action.envelope import Action
from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.errors import LocalError
from hubd.fold.filing import Shelves, lacks_content
from hubd.fold.read import E, K, Stratum, Tally, View, added
from hubd.fold.trace import Node, Trace

_ROOTS = "?"  # the node (view + "?", id) stands for the roots of one action in one view


@dataclass(frozen=True, slots=True)
class Delta:
    """One entry that an append changed; None = there is no entry."""

    view: Stratum
    key: Any
    old: Any
    new: Any


class _Tracer:
    """A `Read` that notes what it was asked."""

    __slots__ = ("_entries", "_shelves", "charter", "reads")

    def __init__(self, charter: Charter, shelves: Shelves, entries: dict[str, dict[Any, Any]]) -> None:
        self.charter = charter
        self._shelves = shelves
        self._entries = entries
        self.reads: set[Node] = set()

    def action(self, action_id: ActionId) -> Action | None:
        found = self._shelves.action(action_id)
        if found is None or lacks_content(found):  # one that is here whole stays as it is
            self.reads.add(("", action_id))
        return found

    def filed(self, shelf: str, key: bytes, author: Principal) -> Iterator[Action]:
        self.reads.add((shelf, key))
        return self._shelves.filed(shelf, key, author)

    def authors(self, shelf: str, key: bytes) -> Sequence[Principal]:
        self.reads.add((shelf, key))
        return self._shelves.authors(shelf, key)

    def entry(self, view: View[K, E] | Tally[K, E], key: K) -> E | None:
        self.reads.add((view.name, key))
        found: E | None = self._entries[view.name].get(key)
        return found


class Engine:
    """Entries of all strata, kept up to date with a growing set."""

    def __init__(self, charter: Charter, strata: Sequence[Stratum]) -> None:
        self._charter = charter
        self._strata = tuple(strata)
        self._shelves = Shelves()
        self.entries: dict[str, dict[Any, Any]] = {stratum.name: {} for stratum in strata}
        self._sums: dict[str, dict[Any, tuple[int, ...]]] = {}
        self._tallies: dict[str, list[Tally[Any, Any]]] = {}
        self._level: dict[str, int] = {}  # node name -> index of its stratum
        self._by_kind: dict[str, list[View[Any, Any]]] = {}
        self._trace = Trace()
        self._dirty: list[dict[Node, None]] = [{} for _ in strata]
        for level, stratum in enumerate(strata):
            name = stratum.name
            assert "-" not in name, "shelves are called after kinds, which have a dash; views must not"
            self._level[name] = self._level[name + _ROOTS] = level
            if isinstance(stratum, Tally):
                self._sums[stratum.name] = {}
                self._tallies.setdefault(stratum.source.name, []).append(stratum)
                continue
            for kind in stratum.roots:
                self._by_kind.setdefault(kind, []).append(stratum)
            self._dirty[level].update({(name, key): None for key in stratum.always})
        self._settle({})

    def append(self, actions: Iterable[Action]) -> list[Delta]:
        """Add actions to the set; returns the entries that differ afterwards. Known actions are passed over."""
        for action in actions:
            if self._shelves.is_news(action):
                self._arrive(action)
        changed: dict[Node, tuple[Stratum, Any]] = {}
        self._settle(changed)
        return list(self._deltas(changed))

    def _arrive(self, action: Action) -> None:
        for place in self._shelves.file(action):
            self._touch(place, 0)
        self._touch(("", action.id), 0)
        for kind in (action.kind, "*"):
            for view in self._by_kind.get(kind, ()):
                self._dirty[self._level[view.name]][view.name + _ROOTS, action.id] = None

    def _touch(self, node: Node, level: int) -> None:
        for reader in self._trace.readers(node):
            if self._level[reader[0]] < level:
                raise LocalError("fold", f"{reader[0]} reads {node[0]}, which comes after it")
            self._dirty[self._level[reader[0]]][reader] = None

    def _settle(self, changed: dict[Node, tuple[Stratum, Any]]) -> None:
        for level, stratum in enumerate(self._strata):
            dirty = self._dirty[level]
            while dirty:
                node, _ = dirty.popitem()
                if node[0].endswith(_ROOTS):
                    self._plant(stratum, node)
                else:
                    self._compute(stratum, node, changed)

    def _plant(self, view: Stratum, node: Node) -> None:
        action = self._shelves.action(node[1])
        if not isinstance(view, View) or action is None:
            raise LocalError("fold", "roots of no action")
        tracer = _Tracer(self._charter, self._shelves, self.entries)
        for kind in (action.kind, "*"):
            if kind in view.roots:
                for key in view.roots[kind](action, tracer):
                    self._dirty[self._level[view.name]][view.name, key] = None
        self._trace.remember(node, tracer.reads)

    def _compute(self, stratum: Stratum, node: Node, changed: dict[Node, tuple[Stratum, Any]]) -> None:
        key = node[1]
        if isinstance(stratum, Tally):
            sums = self._sums[stratum.name].get(key)
            new = None if sums is None else stratum.means(key, sums)
        else:
            tracer = _Tracer(self._charter, self._shelves, self.entries)
            new = stratum.rule(key, tracer)
            self._trace.remember(node, tracer.reads)
        entries = self.entries[stratum.name]
        old = entries.get(key)
        if new == old:
            return
        changed.setdefault(node, (stratum, old))
        if new is None:
            del entries[key]
        else:
            entries[key] = new
        self._count(stratum, old, new)
        self._touch(node, self._level[stratum.name])

    def _count(self, stratum: Stratum, old: Any, new: Any) -> None:
        for tally in self._tallies.get(stratum.name, ()):
            sums = self._sums[tally.name]
            for entry, sign in ((old, -1), (new, 1)):
                for key, terms in tally.adds(entry) if entry is not None else ():
                    total = added(sums.get(key), terms, sign)
                    if any(total):
                        sums[key] = total
                    else:
                        sums.pop(key, None)
                    self._dirty[self._level[tally.name]][tally.name, key] = None

    def _deltas(self, changed: dict[Node, tuple[Stratum, Any]]) -> Iterator[Delta]:
        for (_, key), (stratum, old) in changed.items():
            new = self.entries[stratum.name].get(key)
            if new != old:
                yield Delta(stratum, key, old, new)
