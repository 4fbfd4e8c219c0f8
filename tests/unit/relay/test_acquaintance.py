"""Whose actions go first, read from the real fold."""

from builders import Village

from hubd.fold.folder import fold
from hubd.fold.trust import Circle
from hubd.relay.acquaintance import Acquaintances

VILLAGE = Village(12)
STEWARD = "steward-1"
NAMES = ("ana", "tomas", "mira", "one", "two")


def acquaintances(views):
    return Acquaintances(views, Circle.of(views))


PEOPLE = [VILLAGE.register(name) for name in NAMES]


def known(*actions):
    found = acquaintances(fold(VILLAGE.charter, [*PEOPLE, *actions]))
    return {name for name in NAMES if VILLAGE.principal(name) in found}


def test_trust_begins_with_a_steward_and_is_passed_on():
    assert known() == set()
    assert known(VILLAGE.vouch(STEWARD, "ana")) == {"ana"}
    assert known(VILLAGE.vouch(STEWARD, "ana"), VILLAGE.vouch("ana", "tomas")) == {"ana", "tomas"}


def test_people_who_vouch_for_one_another_are_newcomers_all_the_same():
    circle = [VILLAGE.vouch("one", "two"), VILLAGE.vouch("two", "one")]
    assert known(VILLAGE.vouch(STEWARD, "ana"), *circle) == {"ana"}


def test_whom_a_vouched_student_books_is_known():
    assert known(VILLAGE.vouch(STEWARD, "ana"), VILLAGE.book("ana", "mira")) == {"ana", "mira"}


def test_who_books_a_vouched_tutor_is_known_when_the_tutor_accepts():
    book = VILLAGE.book("one", "ana")
    assert known(VILLAGE.vouch(STEWARD, "ana"), book) == {"ana"}
    assert known(VILLAGE.vouch(STEWARD, "ana"), book, VILLAGE.confirm("ana", book)) == {"ana", "one"}


def test_a_second_key_of_a_known_person_is_known():
    add = VILLAGE.key_add("ana", "ana phone", PEOPLE[0])
    views = fold(VILLAGE.charter, [*PEOPLE, VILLAGE.vouch(STEWARD, "ana"), add, VILLAGE.key_accept("ana phone", add)])
    assert VILLAGE.principal("ana phone") in acquaintances(views)


def test_an_admitted_hub_is_known_where_anybody_is():
    hub, found = VILLAGE.principal("hub"), VILLAGE.found("hub")
    assert not acquaintances(fold(VILLAGE.charter, [*PEOPLE, *found]))
    assert hub not in acquaintances(fold(VILLAGE.charter, [*PEOPLE, *found]))
    views = fold(VILLAGE.charter, [*PEOPLE, *found, VILLAGE.vouch(STEWARD, "ana")])
    assert hub in acquaintances(views)
    assert VILLAGE.principal("another hub") not in acquaintances(views)
