"""Whose actions go first: people whom the village vouches for, and those whom they deal with.

Anybody may register, so keys without a voucher cost nothing to make; fees do (hubd/fold/trust.py).
"""

from hubd.action.principal import Principal
from hubd.fold.trust import vouched_people
from hubd.fold.views import LessonState, Views

_ACCEPTED = frozenset((LessonState.CONFIRMED, LessonState.HELD, LessonState.COMPLETED))


def acquaintances(views: Views) -> frozenset[Principal]:
    """Keys of people who are vouched for, of tutors whom they booked, of students whom they accepted, and admitted hubs."""
    vouched = vouched_people(views)
    people = set(vouched)
    for lesson in views.lessons.values():
        if lesson.student in vouched:
            people.add(lesson.tutor)
        if lesson.tutor in vouched and lesson.state in _ACCEPTED:
            people.add(lesson.student)
    keys = (key for person in people if (known := views.persons.get(person)) is not None for key in known.keys)
    return frozenset(people.union(keys, views.mesh.hubs)) if people else frozenset()
