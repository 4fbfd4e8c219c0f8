"""What a rule may look at, and what a view is.

A view is a *rule*: a pure function from a key and a `Read` to the entry of that key, or None where there is none. Through
`Read` a rule sees the charter, actions by the shelves they are filed on (`hubd.fold.filing`), and entries of views that
come before its own (its own view's too, as long as that ends: only downward along `subject`, which no one can close into
a ring because ids are hashes). A rule never sees "all actions", so whoever evaluates it knows exactly what it depends on.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from hubd.action.charter import Charter
from hubd.action.envelope import Action
from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId

K = TypeVar("K")
E = TypeVar("E")
S = TypeVar("S")


class Source(Protocol):
    """Indexed access to a set of actions. In memory now; a table `(shelf, key, author, rank, id)` serves it as well."""

    def action(self, action_id: ActionId) -> Action | None:
        """The action, if it is in the set."""

    def filed(self, shelf: str, key: bytes, author: Principal) -> Iterator[Action]:
        """One author's actions on a shelf under a key, best rank first, ties by id; lazily, for who takes the first."""

    def authors(self, shelf: str, key: bytes) -> Sequence[Principal]:
        """Who has actions on a shelf under a key, sorted."""


class Read(Source, Protocol):
    """A rule's only window."""

    @property
    def charter(self) -> Charter:
        """The mesh's charter."""

    def entry(self, view: "View[K, E] | Tally[K, E]", key: K) -> E | None:
        """The entry of another view, or of the same one further down."""


@dataclass(frozen=True, eq=False)
class View(Generic[K, E]):
    """A view's name, rule and roots.

    `roots` says, for each kind of action ("*" = any), under which keys an action may bring an entry about; for a key that
    no action names as a root the rule's answer is None. `always` are keys that exist before any action. A view that is not
    public serves other rules only and is no part of the digest.
    """

    name: str
    rule: Callable[[K, Read], E | None]
    roots: Mapping[str, Callable[[Action, Read], Iterable[K]]] = field(default_factory=dict)
    always: tuple[K, ...] = ()
    public: bool = True


@dataclass(frozen=True, eq=False)
class Tally(Generic[K, E]):
    """Sums over another view's entries: what one entry adds, and what the sums under a key mean.

    A sum does not care about order, and changes in constant time however many entries are behind it.
    """

    name: str
    source: View[Any, Any]
    adds: Callable[[Any], Iterable[tuple[K, tuple[int, ...]]]]
    means: Callable[[K, tuple[int, ...]], E | None]
    public: bool = True


Stratum: TypeAlias = View[Any, Any] | Tally[Any, Any]


def added(sums: tuple[int, ...] | None, terms: tuple[int, ...], sign: int = 1) -> tuple[int, ...]:
    """Sums after one contribution came (`sign` 1) or went (-1)."""
    if sums is None:
        return tuple(sign * term for term in terms)
    return tuple(total + sign * term for total, term in zip(sums, terms, strict=True))
