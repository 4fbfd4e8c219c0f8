"""Whose actions go first: people whom the village vouches for, and those whom they deal with.

Anybody may register, so keys without a voucher cost nothing to make; fees do (hubd/fold/trust.py).
"""

from itertools import islice

from hubd.action.principal import Principal
from hubd.fold.memory import beginning
from hubd.fold.trust import Circle
from hubd.fold.views import Views
from hubd.limits import RELAY_PARTNERS_MAX


class Acquaintances:
    """Keys of people who are vouched for, of tutors whom they booked, of students whom they accepted, and admitted hubs.

    Nobody at all where nobody is vouched for. Each question is a few look-ups in the views as they are now.
    """

    def __init__(self, views: Views, circle: Circle) -> None:
        self._views, self._circle = views, circle

    def __bool__(self) -> bool:
        return bool(self._circle)

    def __contains__(self, key: object) -> bool:
        if not self._circle or not isinstance(key, bytes):
            return False
        principal = Principal(key)
        person = self._views.person_of(principal) or principal
        return key in self._views.mesh.hubs or self._is_known(principal) or self._is_known(person)

    def _is_known(self, person: Principal) -> bool:
        if person in self._circle:
            return True
        partners = (partner for _, partner in beginning(self._views.dealings, person))
        return any(partner in self._circle for partner in islice(partners, RELAY_PARTNERS_MAX))
