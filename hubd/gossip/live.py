"""The index of the set that sessions reconcile over, kept in step with what becomes new."""

from collections.abc import Callable, Iterable

from hubd.gossip.items import Items, SortedItems
from hubd.ports import ActionStore, SetSummary

_RELOAD_S = 60.0  # the whole index is read again at most so often


class LiveSet:
    """The store's set as (created, id), sorted. `load` before use; then `add` whatever becomes new."""

    def __init__(self, store: ActionStore, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._items = SortedItems()
        self._loaded_at = 0.0
        self._early: list[tuple[int, bytes]] | None = None  # what became new while the index was being read

    @property
    def items(self) -> Items:
        """The set of this moment; it grows."""
        return self._items

    async def load(self) -> None:
        """Read the whole index."""
        self._loaded_at = self._clock()
        early = self._early = []
        self._items = SortedItems([*await self._store.items(), *early])
        self._early = None

    def add(self, pairs: Iterable[tuple[int, bytes]]) -> None:
        """These (created, id) are new."""
        for created, id_ in pairs:
            if self._early is not None:
                self._early.append((created, id_))
            self._items.add(created, id_)

    async def summary(self) -> SetSummary:
        """The store's summary. Where the index disagrees with it, the index is read again."""
        summary = await self._store.summary()
        if summary.count != self._items.size() and self._clock() - self._loaded_at >= _RELOAD_S:
            await self.load()
        return summary
