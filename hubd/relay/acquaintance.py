"""Whose actions go first: people whom the village vouches for, and those whom they deal with.

Anybody may register, so keys without a voucher cost nothing to make; fees do. Trust begins with stewards: who has a
steward's vouch, and whoever they vouch for in turn. Keys that vouch for one another in a circle lead nowhere.
"""

from hubd.action.principal import Principal
from hubd.fold.views import LessonState, Views

_ACCEPTED = frozenset((LessonState.CONFIRMED, LessonState.HELD, LessonState.COMPLETED))


def acquaintances(views: Views) -> frozenset[Principal]:
    """Keys of the people who are vouched for, of the tutors whom they booked, and of the students whom they accepted."""
    vouched = _vouched(views)
    people = set(vouched)
    for lesson in views.lessons.values():
        if lesson.student in vouched:
            people.add(lesson.tutor)
        if lesson.tutor in vouched and lesson.state in _ACCEPTED:
            people.add(lesson.student)
    keys = (key for person in people if (known := views.persons.get(person)) is not None for key in known.keys)
    return frozenset(people.union(keys))


def _vouched(views: Views) -> set[Principal]:
    given: dict[Principal, list[Principal]] = {}
    for vouch in views.vouches.values():
        given.setdefault(vouch.voucher, []).append(vouch.person)
    reached = {vouch.person for vouch in views.vouches.values() if vouch.by_steward}
    waiting = list(reached)
    while waiting:
        found = set(given.get(waiting.pop(), ())) - reached
        reached |= found
        waiting += found
    return reached
