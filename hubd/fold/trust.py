"""Who is known: people whom a live steward vouches for, and whoever they vouch for in turn.

Anybody may register, so keys cost nothing to make, and keys that vouch for one another in a circle lead nowhere.
"""

from collections.abc import Iterable
from typing import Any

from hubd.action.principal import Principal
from hubd.fold.views import Views, Vouch


class Circle:
    """The persons that a chain of vouches connects with a steward, kept up as vouches come and go.

    A further vouch costs what it connects; one that is taken back costs a walk through all, at the next question.
    """

    def __init__(self) -> None:
        self._given: dict[Principal, dict[Principal, bool]] = {}  # voucher -> person -> as a steward
        self._known: set[Principal] = set()
        self._is_stale = False

    @classmethod
    def of(cls, views: Views) -> "Circle":
        """The circle of these views."""
        circle = cls()
        for key, vouch in views.vouches.items():
            circle.put(key, vouch)
        return circle

    def put(self, key: tuple[Principal, Principal], vouch: Vouch | None) -> None:
        """A vouch is there now, or no longer."""
        voucher, person = key
        given = self._given.get(voucher, {})
        was = given.get(person)
        if vouch is None:
            given.pop(person, None)
            self._is_stale = self._is_stale or was is not None
            return
        self._given.setdefault(voucher, given)[person] = vouch.by_steward
        if was and not vouch.by_steward:
            self._is_stale = True
        elif vouch.by_steward or voucher in self._known:
            self._reach(person)

    def heed(self, changes: Iterable[Any]) -> None:
        """Entries of views changed (`hubd.fold.folder.Change`)."""
        for change in changes:
            if change.view == "vouches":
                self.put(change.key, change.entry)

    def _reach(self, person: Principal) -> None:
        waiting = [person]
        while waiting:
            found = waiting.pop()
            if found not in self._known:
                self._known.add(found)
                waiting += self._given.get(found, ())

    def _refresh(self) -> None:
        if self._is_stale:
            self._known, self._is_stale = set(), False
            for given in self._given.values():
                for person, by_steward in given.items():
                    if by_steward:
                        self._reach(person)

    def __contains__(self, person: object) -> bool:
        self._refresh()
        return person in self._known

    def __bool__(self) -> bool:
        self._refresh()
        return bool(self._known)


def vouched_people(views: Views) -> frozenset[Principal]:
    """The circle of these views as a set. Costs time in proportion to all vouches."""
    circle = Circle.of(views)
    return frozenset(person for _, person in views.vouches if person in circle)
