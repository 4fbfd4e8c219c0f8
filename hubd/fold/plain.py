"""The plain fold: the same rules asked top down over a finished set. Slower per append and hard to get wrong.

It is the meaning of the views; `hubd.fold.engine` is the fast way to the same entries, and tests hold the two together.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from hubd.action.charter import Charter
from hubd.action.envelope import Action
from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.fold.read import E, K, Source, Stratum, Tally, View, added


class Plain:
    """A `Read` that computes what it is asked, and remembers it."""

    def __init__(self, charter: Charter, source: Source, actions: Iterable[Action]) -> None:
        self.charter = charter
        self._source = source
        self._actions = tuple(actions)
        self._memo: dict[tuple[str, Any], Any] = {}
        self._tables: dict[str, dict[Any, Any]] = {}

    def action(self, action_id: ActionId) -> Action | None:
        """As the source has it."""
        return self._source.action(action_id)

    def filed(self, shelf: str, key: bytes, author: Principal) -> Iterator[Action]:
        """As the source has it."""
        return self._source.filed(shelf, key, author)

    def authors(self, shelf: str, key: bytes) -> Sequence[Principal]:
        """As the source has it."""
        return self._source.authors(shelf, key)

    def entry(self, view: View[K, E] | Tally[K, E], key: K) -> E | None:
        """The entry, computed at first asking."""
        found: E | None
        if isinstance(view, Tally):
            found = self.table(view).get(key)
            return found
        node = (view.name, key)
        if node not in self._memo:
            self._memo[node] = view.rule(key, self)
        found = self._memo[node]
        return found

    def table(self, stratum: Stratum) -> dict[Any, Any]:
        """Every entry of a view."""
        if stratum.name not in self._tables:
            made = self._sum(stratum) if isinstance(stratum, Tally) else self._collect(stratum)
            self._tables[stratum.name] = {key: entry for key, entry in made.items() if entry is not None}
        return self._tables[stratum.name]

    def _collect(self, view: View[Any, Any]) -> dict[Any, Any]:
        keys = dict.fromkeys(view.always)
        for action in self._actions:
            for kind in (action.kind, "*"):
                if kind in view.roots:
                    keys.update(dict.fromkeys(view.roots[kind](action, self)))
        return {key: self.entry(view, key) for key in keys}

    def _sum(self, tally: Tally[Any, Any]) -> dict[Any, Any]:
        sums: dict[Any, tuple[int, ...]] = {}
        for entry in self.table(tally.source).values():
            for key, terms in tally.adds(entry):
                sums[key] = added(sums.get(key), terms)
        return {key: tally.means(key, total) for key, total in sums.items() if any(total)}
