import itertools

import pytest
from builders import Village

from hubd.fold.folder import Folder, fold
from hubd.fold.trust import Circle, vouched_people

VILLAGE = Village(seed=11)
NAMES = ("ana", "bo", "cleo")
PEOPLE = [VILLAGE.register(name) for name in NAMES]


def known(*vouches):
    """The names that are known after these vouches: (voucher, person)."""
    actions = [VILLAGE.vouch(voucher, person, 4 if voucher.startswith("steward") else 1) for voucher, person in vouches]
    people = vouched_people(fold(VILLAGE.charter, [*PEOPLE, *actions]))
    return {name for name in NAMES if VILLAGE.principal(name) in people}


@pytest.mark.parametrize("size", range(7))
def test_who_is_known_is_whom_a_path_of_vouches_leads_to_from_a_steward(size):
    every = [("steward-1", "ana"), *itertools.permutations(NAMES, 2)]
    for vouches in itertools.combinations(every, size):
        reached = {"steward-1"}
        for _ in NAMES:
            reached |= {person for voucher, person in vouches if voucher in reached}
        assert known(*vouches) == reached - {"steward-1"}


def test_invented_people_who_vouch_for_each_other_are_nobody():
    assert known(("bo", "cleo"), ("cleo", "bo")) == set()
    assert known(("bo", "cleo"), ("cleo", "bo"), ("steward-1", "ana"), ("ana", "bo")) == set(NAMES)


def test_a_circle_that_is_kept_up_equals_one_that_is_drawn_anew():
    every = [("steward-1", "ana"), *itertools.permutations(NAMES, 2)]
    vouches = [VILLAGE.vouch(voucher, person, 4 if voucher.startswith("steward") else 1) for voucher, person in every]
    steps = [*vouches, *(VILLAGE.vouch_withdraw(*pair) for pair in zip([v for v, _ in every], vouches, strict=True))]
    for actions in (steps, steps[::-1]):
        folder, circle = Folder(VILLAGE.charter), Circle()
        circle.heed(folder.append(PEOPLE))
        for action in actions:
            circle.heed(folder.append([action]))
            expected = vouched_people(folder.views)
            assert {name for name in NAMES if VILLAGE.principal(name) in circle} == {
                name for name in NAMES if VILLAGE.principal(name) in expected
            }
            assert bool(circle) == bool(expected)
