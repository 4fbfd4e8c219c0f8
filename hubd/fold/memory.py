"""What the evaluator remembers between two appends, behind one protocol.

Plain dicts serve phones, tests and small folds (`DictMemory`); a hub's memory lies in a file (`hubd/store/views.py`). Both
pass one suite of tests, and whichever is asked, the entries are the same: nothing here decides anything.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol, TypeAlias, TypeVar

from hubd.action.envelope import Action
from hubd.fold.filing import Place, Shelves
from hubd.fold.read import Source
from hubd.fold.trace import Node, Trace

K = TypeVar("K")
After: TypeAlias = Any  # where the next page of a node's readers begins; only the memory knows what it means


class Memory(Source, Protocol):
    """Shelves, entries, sums and the trace of one fold, and what is still to be computed anew."""

    total: int  # the digest's sum over all public entries (hubd/fold/folder.py)

    def __len__(self) -> int:
        """How many actions were filed."""

    def is_news(self, action: Action) -> bool:
        """Whether an action is not here, or brings the anchored content that the one here lacks."""

    def file(self, action: Action) -> list[Place]:
        """Add an action; returns the places that changed, none where it is no news."""

    def entry(self, view: str, key: Any) -> Any:
        """The entry of a view, None where there is none."""

    def keep(self, view: str, key: Any, entry: Any) -> None:
        """Set an entry; None takes it away."""

    def entries(self, view: str) -> Mapping[Any, Any]:
        """All entries of a view, read-only and live. Walking through them may take long."""

    def sums(self, tally: str, key: Any) -> tuple[int, ...] | None:
        """The sums of a tally under a key, None where they are all zero."""

    def keep_sums(self, tally: str, key: Any, sums: tuple[int, ...] | None) -> None:
        """Set them."""

    def readers(self, node: Node, after: After | None = None) -> tuple[Iterable[Node], After | None]:
        """Some who read a node when last evaluated, and where the next ones begin: None after the last."""

    def remember(self, node: Node, reads: set[Node]) -> None:
        """A node was evaluated, and read these."""

    def count_time(self, time_s: int, sign: int) -> None:
        """One transaction more (`sign` 1) or less (-1) is confirmed in a block of this time."""

    def latest_time(self) -> int | None:
        """The highest of these times."""

    def work(self) -> "Work | None":
        """What is to be computed anew, as it was left; None in a memory that never held anything."""

    def keep_work(self, work: "Work") -> None:
        """Leave it."""


Work: TypeAlias = tuple[list[Node], dict[Node, After]]  # dirty nodes; nodes whose further readers are dirty


class DictMemory(Shelves):
    """A `Memory` of plain dicts: as fast as it gets, 1.7 kB an action."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0
        self._entries: dict[str, dict[Any, Any]] = {}
        self._sums: dict[tuple[str, Any], tuple[int, ...]] = {}
        self._trace = Trace()
        self._times: list[int] = []  # sorted
        self._work: Work | None = None

    def entry(self, view: str, key: Any) -> Any:
        """See `Memory`."""
        return self._entries[view].get(key) if view in self._entries else None

    def keep(self, view: str, key: Any, entry: Any) -> None:
        """See `Memory`."""
        if entry is None:
            self._entries[view].pop(key, None)
        else:
            self._entries.setdefault(view, {})[key] = entry

    def entries(self, view: str) -> Mapping[Any, Any]:
        """See `Memory`."""
        return self._entries.setdefault(view, {})

    def sums(self, tally: str, key: Any) -> tuple[int, ...] | None:
        """See `Memory`."""
        return self._sums.get((tally, key))

    def keep_sums(self, tally: str, key: Any, sums: tuple[int, ...] | None) -> None:
        """See `Memory`."""
        if sums is None:
            self._sums.pop((tally, key), None)
        else:
            self._sums[tally, key] = sums

    def readers(self, node: Node, after: After | None = None) -> tuple[Iterable[Node], After | None]:
        """See `Memory`. All of them, always."""
        assert after is None
        return self._trace.readers(node), None

    def remember(self, node: Node, reads: set[Node]) -> None:
        """See `Memory`."""
        self._trace.remember(node, reads)

    def count_time(self, time_s: int, sign: int) -> None:
        """See `Memory`."""
        if sign > 0:
            insort(self._times, time_s)
        else:
            del self._times[bisect_left(self._times, time_s)]

    def latest_time(self) -> int | None:
        """See `Memory`."""
        return self._times[-1] if self._times else None

    def work(self) -> Work | None:
        """See `Memory`."""
        return self._work

    def keep_work(self, work: Work) -> None:
        """See `Memory`."""
        self._work = work


def beyond(entries: Mapping[K, Any], after: K | None, keys_max: int) -> list[K]:
    """Some keys of a view that come after this one, in whatever order the view has. None: the first ones."""
    find = getattr(entries, "beyond", None)
    if find is not None:
        found: list[K] = find(after, keys_max)
        return found
    keys = list(entries)
    start = keys.index(after) + 1 if after in entries else 0  # type: ignore[arg-type]  # None is no key
    return keys[start : start + keys_max]


def beginning(entries: Mapping[tuple[Any, Any], Any], first: Any) -> Iterator[tuple[Any, Any]]:
    """Keys of a view that begin with this. A view in a file finds them by an index; another one is walked through."""
    find = getattr(entries, "beginning", None)
    return find(first) if find is not None else (key for key in entries if key[0] == first)
