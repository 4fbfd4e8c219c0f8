"""The incremental evaluator: after an append, only what the new actions could have changed is computed anew.

Every evaluation of a rule records what it read: places on shelves, single actions, entries of other views. A new action
dirties the entries that read its places, and the keys its roots name. Dirty entries are computed view by view in the
order of the strata; one that comes out equal stops there, one that differs dirties its readers, which are never in an
earlier stratum. What rules read of one another can't run in a ring, so this ends, and it ends at the one solution of the
equations "entry = rule(what it reads)", whatever the order of arrival. `hubd.fold.plain` finds it in the plain way.

On the way a rule may meet entries of its own view that are not computed yet: rules answer whatever they read, and are
asked again. For the same reason the work may stop anywhere and go on later: what is dirty stays so until it was computed.
A node with very many readers (the membership, which every receipt reads) hands them out in pages, one after the other.

What the evaluator knows lies in a `Memory`: dicts, or a file.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hubd.action.charter import Charter
from hubd.action.content import is_anchored
from hubd.action.envelope import Action
from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.errors import LocalError
from hubd.fold.filing import lacks_content
from hubd.fold.memory import After, DictMemory, Memory
from hubd.fold.read import E, K, Stratum, Tally, View, added
from hubd.fold.trace import Node

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

    __slots__ = ("_entries", "_memory", "charter", "reads")

    def __init__(self, charter: Charter, memory: Memory) -> None:
        self.charter = charter
        self._memory = memory
        self.reads: set[Node] = set()
        self._entries: dict[Node, Any] = {}  # nothing changes while one rule is asked

    def action(self, action_id: ActionId) -> Action | None:
        found = self._memory.action(action_id)
        if found is None or lacks_content(found):  # one that is here whole stays as it is
            self.reads.add(("", action_id))
        return found

    def filed(self, shelf: str, key: bytes, author: Principal) -> Iterator[Action]:
        self.reads.add((shelf, key))
        return self._memory.filed(shelf, key, author)

    def authors(self, shelf: str, key: bytes) -> Sequence[Principal]:
        self.reads.add((shelf, key))
        return self._memory.authors(shelf, key)

    def entry(self, view: View[K, E] | Tally[K, E], key: K) -> E | None:
        node = (view.name, key)
        if node in self._entries:
            known: E | None = self._entries[node]
            return known
        self.reads.add(node)
        found: E | None = self._memory.entry(view.name, key)
        self._entries[node] = found
        return found


class Engine:
    """Entries of all strata, kept up to date with a growing set."""

    def __init__(self, charter: Charter, strata: Sequence[Stratum], memory: Memory | None = None) -> None:
        self._charter = charter
        self._strata = tuple(strata)
        self.memory: Memory = DictMemory() if memory is None else memory
        self._tallies: dict[str, list[Tally[Any, Any]]] = {}
        self._level: dict[str, int] = {}  # node name -> index of its stratum
        self._by_kind: dict[str, list[View[Any, Any]]] = {}
        self._dirty: list[dict[Node, None]] = [{} for _ in strata]
        self._idle = _Tracer(charter, self.memory)  # one that has read nothing
        self._sweeps: dict[Node, After] = {}  # nodes that changed, and from where on their readers were not told
        for level, stratum in enumerate(strata):
            name = stratum.name
            assert "-" not in name, "shelves are called after kinds, which have a dash; views must not"
            self._level[name] = self._level[name + _ROOTS] = level
            if isinstance(stratum, Tally):
                self._tallies.setdefault(stratum.source.name, []).append(stratum)
                continue
            for kind in stratum.roots:
                self._by_kind.setdefault(kind, []).append(stratum)
        self._resume()

    def _resume(self) -> None:
        left = self.memory.work()
        if left is None:
            left = [(view.name, key) for view in self._strata if isinstance(view, View) for key in view.always], {}
        for node in left[0]:
            self._soil(node)
        self._sweeps.update(left[1])

    @property
    def is_settled(self) -> bool:
        """Whether every entry is what its rule says."""
        return not self._sweeps and not any(self._dirty)

    def pause(self) -> None:
        """Leave the rest of the work in the memory, for whoever takes it up."""
        self.memory.keep_work(([node for dirty in self._dirty for node in dirty], dict(self._sweeps)))

    def append(self, actions: Iterable[Action]) -> list[Delta]:
        """Add actions to the set; returns the entries that differ afterwards. Known actions are passed over."""
        self.take(actions)
        return self.settle()

    def take(self, actions: Iterable[Action]) -> None:
        """Add actions to the set, and compute nothing yet."""
        for action in actions:
            if self.memory.is_news(action):
                self._arrive(action)

    def settle(self, evaluations_max: int | None = None, *, until: Stratum | None = None) -> list[Delta]:
        """Compute what is dirty, at most so much, and not beyond the stratum `until`; returns the entries that differ."""
        changed: dict[Node, tuple[Stratum, Any]] = {}
        levels = len(self._strata) if until is None else self._level[until.name] + 1
        left = -1 if evaluations_max is None else evaluations_max
        while (left := self._pass(levels, left, changed)) and self._sweeps and until is None:
            self._sweep()
        return list(self._deltas(changed))

    def _pass(self, levels: int, left: int, changed: dict[Node, tuple[Stratum, Any]]) -> int:
        """Go through the strata once, a later one only when the earlier ones are done; returns how much may still be."""
        for stratum, dirty in zip(self._strata[:levels], self._dirty, strict=False):
            while dirty and left:
                node, _ = dirty.popitem()
                if node[0].endswith(_ROOTS):
                    self._plant(stratum, node)
                else:
                    self._compute(stratum, node, changed)
                left -= 1
        return left

    def _arrive(self, action: Action) -> None:
        for place in self.memory.file(action):
            self._touch(place, 0)
        self._touch(("", action.id), 0)
        for kind in (action.kind, "*"):
            for view in self._by_kind.get(kind, ()):
                node = (view.name + _ROOTS, action.id)
                if is_anchored(action.kind):  # here before, maybe, without its content
                    self._dirty[self._level[view.name]][node] = None
                elif reads := self._rooted(view, action):
                    self.memory.remember(node, reads)

    def _rooted(self, view: View[Any, Any], action: Action) -> set[Node]:
        """Soil what an action is a root of; returns what that was read from, nothing for most."""
        tracer = self._idle
        for kind in (action.kind, "*"):
            if kind in view.roots:
                for key in view.roots[kind](action, tracer):
                    self._soil((view.name, key))
        if tracer.reads:
            self._idle = _Tracer(self._charter, self.memory)
        return tracer.reads

    def _soil(self, node: Node) -> None:
        self._dirty[self._level[node[0]]][node] = None

    def _touch(self, node: Node, level: int) -> None:
        readers, after = self.memory.readers(node)
        for reader in readers:
            if self._level[reader[0]] < level:
                raise LocalError("fold", f"{reader[0]} reads {node[0]}, which comes after it")
            self._dirty[self._level[reader[0]]][reader] = None
        if after is not None:
            self._sweeps[node] = after

    def _sweep(self) -> None:
        """Tell some further readers of one node that it changed."""
        node = next(iter(self._sweeps))
        readers, after = self.memory.readers(node, self._sweeps.pop(node))
        for reader in readers:
            self._soil(reader)
        if after is not None:
            self._sweeps[node] = after

    def _plant(self, view: Stratum, node: Node) -> None:
        action = self.memory.action(node[1])
        if not isinstance(view, View) or action is None:
            raise LocalError("fold", "roots of no action")
        self.memory.remember(node, self._rooted(view, action))

    def _compute(self, stratum: Stratum, node: Node, changed: dict[Node, tuple[Stratum, Any]]) -> None:
        name, key = node
        if isinstance(stratum, Tally):
            sums = self.memory.sums(name, key)
            new = None if sums is None else stratum.means(key, sums)
        else:
            tracer = _Tracer(self._charter, self.memory)
            new = stratum.rule(key, tracer)
            self.memory.remember(node, tracer.reads)
        old = self.memory.entry(name, key)
        if new == old:
            return
        changed.setdefault(node, (stratum, old))
        self.memory.keep(name, key, new)
        if name in self._tallies:
            self._count(name, old, new)
        self._touch(node, self._level[name])

    def _count(self, source: str, old: Any, new: Any) -> None:
        for tally in self._tallies[source]:
            for entry, sign in ((old, -1), (new, 1)):
                for key, terms in tally.adds(entry) if entry is not None else ():
                    total = added(self.memory.sums(tally.name, key), terms, sign)
                    self.memory.keep_sums(tally.name, key, total if any(total) else None)
                    self._soil((tally.name, key))

    def _deltas(self, changed: dict[Node, tuple[Stratum, Any]]) -> Iterator[Delta]:
        for (name, key), (stratum, old) in changed.items():
            new = self.memory.entry(name, key)
            if new != old:
                yield Delta(stratum, key, old, new)
