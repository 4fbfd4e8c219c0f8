"""What the phones' door asks of the views: who a key speaks for, how far it is known, how far an action is settled.

A narrow protocol, so that the door never holds a view for longer than one question.
"""

from collections.abc import Callable, Container
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from hubd.action.audience import ANYBODY, GUESTS, KEY_KINDS, Audience, open_to, party
from hubd.action.envelope import Action, without_content
from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.fold.trust import Circle
from hubd.fold.views import Balance, Views
from hubd.web.quota import Rank

AT_HUB = "at-hub"


class Scope(StrEnum):
    """How much of the set a caller sees."""

    MESH = "mesh"  # anybody: the hubs and stewards, to be checked against the charter
    MINE = "mine"  # any registered person: what it wrote or is named in
    GUEST = "guest"  # any registered person: what all of them see, membership, receipts and everybody's keys
    OWN = "own"  # any registered person: mine and guest together
    VILLAGE = "village"  # a person somebody vouched for, at its home hub: all of it


class Standing(Protocol):
    """The views, as far as this door needs them."""

    def person_of(self, key: Principal) -> Principal | None:
        """The person a live key speaks for, None for a key of nobody."""

    def keys_of(self, person: Principal) -> list[Principal]:
        """The principals under which an action may name this person: its own and its live keys."""

    def home_of(self, person: Principal) -> Principal | None:
        """The person's home hub, None where it named none."""

    def rank(self, key: Principal) -> Rank:
        """How far the author of an action is known."""

    def settlement(self, action_id: ActionId) -> tuple[str, bytes]:
        """How far an action is settled (`AT_HUB` where no receipt speaks of it) and by which transaction."""

    def balance(self, person: Principal, asset: Principal | None) -> Balance | None:
        """What the vault holds for a person, as far as hubs reported it."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who may read, and how much. A stranger has no person and sees the mesh's membership.

    `key` is the one that was proven: what it may see ends with it.
    """

    scope: Scope
    person: Principal | None = None
    key: Principal | None = None

    def is_named_in(self, action: Action, standing: Standing) -> bool:
        """Whether this person wrote the action or is named in it, by whichever of its keys."""
        named = (action.statement.author, action.statement.who)
        return self.person is not None and any(
            key is not None and self.person in (key, standing.person_of(key)) for key in named
        )

    def share(self, action: Action, standing: Standing) -> Action | None:
        """The action as this reader may have it: whole, its header alone, or (None) not at all.

        Of other people's keys a guest gets the headers: the names inside stay in their village.
        """
        if self.scope is Scope.VILLAGE:
            return action
        shown = open_to(action.kind)
        if shown is ANYBODY and self.scope is not Scope.MINE:
            return action
        if self.scope in (Scope.MINE, Scope.OWN) and self.is_named_in(action, standing):
            return action
        if shown is GUESTS and self.scope in (Scope.GUEST, Scope.OWN):
            return without_content(action) if action.kind in KEY_KINDS else action
        return None

    def audiences(self, standing: Standing) -> list[Audience]:
        """Where an index finds what this reader may see; nothing of it leads to a whole village."""
        named = [party(key) for key in standing.keys_of(self.person)] if self.person is not None else []
        return {
            Scope.MESH: [ANYBODY],
            Scope.GUEST: [ANYBODY, GUESTS],
            Scope.MINE: named,
            Scope.OWN: [ANYBODY, GUESTS, *named],
            Scope.VILLAGE: [],
        }[self.scope]


STRANGER = Reader(Scope.MESH)


class ViewsStanding:
    """The answers of the views, always the latest ones."""

    def __init__(self, views: Callable[[], Views], circle: Container[Principal] | None = None) -> None:
        """`circle` is kept up with the views; without it everybody's vouches are looked at when views changed."""
        self._views = views
        self._circle = circle
        self._vouched: tuple[bytes, Container[Principal]] = (b"", ())  # of the views with this digest

    def person_of(self, key: Principal) -> Principal | None:
        """See `Standing`."""
        return self._views().person_of(key)

    def keys_of(self, person: Principal) -> list[Principal]:
        """See `Standing`."""
        found = self._views().persons.get(person)
        return sorted({person, *(found.keys if found is not None else ())})

    def home_of(self, person: Principal) -> Principal | None:
        """See `Standing`."""
        found = self._views().persons.get(person)
        return found.home if found is not None else None

    def rank(self, key: Principal) -> Rank:
        """See `Standing`."""
        views = self._views()
        if key in views.mesh.hubs or key in views.mesh.stewards:
            return Rank.OFFICE
        person = views.person_of(key)
        if person is None or person not in views.persons:
            return Rank.STRANGER
        return Rank.VOUCHED if person in self._vouched_people(views) else Rank.NEWCOMER

    def _vouched_people(self, views: Views) -> Container[Principal]:
        if self._circle is not None:
            return self._circle
        if self._vouched[0] != views.digest:
            self._vouched = (views.digest, Circle.of(views))
        return self._vouched[1]

    def settlement(self, action_id: ActionId) -> tuple[str, bytes]:
        """See `Standing`."""
        found = self._views().settlement.get(action_id)
        return (AT_HUB, b"") if found is None else (found.state.value, found.txid)

    def balance(self, person: Principal, asset: Principal | None) -> Balance | None:
        """See `Standing`."""
        return self._views().balances.get((person, asset))
