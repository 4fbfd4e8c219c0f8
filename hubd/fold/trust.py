"""Who is known: people whom a live steward vouches for, and whoever they vouch for in turn.

Anybody may register, so keys cost nothing to make, and keys that vouch for one another in a circle lead nowhere.
"""

from hubd.action.principal import Principal
from hubd.fold.views import Views


def vouched_people(views: Views) -> frozenset[Principal]:
    """The persons that a chain of vouches connects with a steward. Costs time in proportion to all vouches."""
    given: dict[Principal, list[Principal]] = {}
    for vouch in views.vouches.values():
        given.setdefault(vouch.voucher, []).append(vouch.person)
    reached = {vouch.person for vouch in views.vouches.values() if vouch.by_steward}
    waiting = list(reached)
    while waiting:
        found = set(given.get(waiting.pop(), ())) - reached
        reached |= found
        waiting += found
    return frozenset(reached)
