"""Whose work is next."""

from itertools import pairwise

from hubd.limits import TURNS_FIRST_MAX
from hubd.turns import Turns


def drained(turns):
    taken = []
    while (work := turns.take()) is not None:
        taken.append(work)
    return taken


def test_lanes_take_turns_and_each_keeps_its_order():
    turns = Turns()
    for lane in "abc":
        for number in range(3):
            turns.add(lane, f"{lane}{number}", is_first=False)
    assert drained(turns) == ["a0", "b0", "c0", "a1", "b1", "c1", "a2", "b2", "c2"]
    assert turns.take() is None


def test_work_that_goes_back_is_its_lanes_next_after_the_others_turns():
    turns = Turns()
    for work in ("a0", "a1", "b0"):
        turns.add(work[0], work, is_first=False)
    assert turns.take() == "a0"
    turns.back("a", "a0 again", is_first=False)
    assert drained(turns) == ["b0", "a0 again", "a1"]


def test_first_lanes_come_first_but_never_alone():
    turns = Turns()
    for number in range(100):
        turns.add("bulk", "bulk", is_first=False)
        turns.add(("phone", number % 7), "phone", is_first=True)
    taken = drained(turns)
    assert taken[0] == "phone"
    turns_of_others = [at for at, work in enumerate(taken[:120]) if work == "bulk"]
    assert {later - earlier for earlier, later in pairwise(turns_of_others)} == {TURNS_FIRST_MAX + 1}


def test_only_first_lanes_are_asked_when_there_is_room_for_no_more():
    turns = Turns()
    turns.add("bulk", "bulk", is_first=False)
    assert turns.take(only_first=True) is None
    turns.add("phone", "phone", is_first=True)
    assert turns.take(only_first=True) == "phone"
    assert drained(turns) == ["bulk"]


def test_a_lane_that_comes_late_waits_for_one_turn_of_each_other():
    turns = Turns()
    for lane in range(9):
        for _ in range(50):
            turns.add(lane, lane, is_first=False)
    for _ in range(30):
        turns.take()
    turns.add("late", "late", is_first=False)
    assert "late" in [turns.take() for _ in range(10)]
