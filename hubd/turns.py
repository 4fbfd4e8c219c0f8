"""Whose work is next: lanes take turns, and some lanes come before the others.

A lane is one source of work; within it, work is done in order. Lanes that come first get four turns of five, however
much the others bring, so that neither a flood of many small things nor one large one holds anybody up for long.
"""

from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

from hubd.limits import TURNS_FIRST_MAX

_T = TypeVar("_T")


class Turns(Generic[_T]):
    """Add work to a lane; `take` gives the next piece of work, which goes `back` to its lane's head if more is to do."""

    def __init__(self) -> None:
        self._first: dict[Hashable, deque[_T]] = {}  # in the order of their next turns; none is empty
        self._others: dict[Hashable, deque[_T]] = {}
        self._in_a_row = 0  # turns of first lanes while others waited

    def add(self, lane: Hashable, work: _T, *, is_first: bool) -> None:
        """This comes after all other work of the lane."""
        (self._first if is_first else self._others).setdefault(lane, deque()).append(work)

    def back(self, lane: Hashable, work: _T, *, is_first: bool) -> None:
        """This was taken and is not done yet; the lane has had its turn."""
        lanes = self._first if is_first else self._others
        lanes[lane] = lanes.pop(lane, deque())
        lanes[lane].appendleft(work)

    def take(self, *, only_first: bool = False) -> _T | None:
        """The next piece of work, or None. `only_first`: of the lanes that come first."""
        is_others_turn = not self._first or self._in_a_row >= TURNS_FIRST_MAX
        lanes = self._others if self._others and is_others_turn and not only_first else self._first
        if not lanes:
            return None
        self._in_a_row = self._in_a_row + 1 if lanes is self._first and self._others else 0
        lane = next(iter(lanes))
        queue = lanes.pop(lane)
        work = queue.popleft()
        if queue:
            lanes[lane] = queue
        return work
