"""The fold in a file: whatever is forgotten, cut off or left half done, the views are those of the plain fold.

The memory is the hub's own with the smallest caches, three readers a page and three young names, so that every page ends in
the midst of something. Hypothesis tells stories of work, commits and deaths; the exhaustive twin takes rivals in all orders
and leaves its work half done after each, with a death before every commit. The long form is the campaign's.
"""

import functools
import itertools
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from soup import Soup
from soups import SOUPS

from hubd.errors import LocalError
from hubd.fold.engine import Engine
from hubd.fold.folder import Folder, fold
from hubd.store import cells
from hubd.store import views as module
from hubd.store.views import SqliteMemory

AREAS = sorted(SOUPS)
IS_LONG = bool(os.environ.get("HUBD_CAMPAIGN"))
ORDERS = list(itertools.permutations(range(5)))[:: 1 if IS_LONG else 23]


@functools.cache
def _soup(area: str) -> Soup:
    return SOUPS[area]()


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch):
    monkeypatch.setattr(module, "VIEWS_READERS_PAGE", 3)
    monkeypatch.setattr(cells, "VIEWS_NAMES_YOUNG", 3)


class Hub:
    """A set and its fold in a file. The set outlives whatever happens to the fold's process."""

    def __init__(self, soup: Soup, path: Path) -> None:
        self.soup, self.path = soup, path
        self.set = []  # in the order of arrival
        self.covered = 0  # so many of them are in the file that was committed
        self.taken = 0
        self._known = {}
        self._open()

    def _open(self) -> None:
        self.memory = SqliteMemory.open(self.path, b"stamp", self._known.get, 1)
        self.folder = Folder(self.soup.village.charter, self.memory)
        self.covered = self.taken = self.memory.covered[0]

    def arrive(self, actions) -> None:
        """New actions are in the set, and in no view."""
        fresh = {action.id: action for action in actions if action.id not in self._known}
        self.set += fresh.values()
        self._known |= fresh

    def take(self, count: int) -> None:
        """The next page of the set is filed."""
        self.folder.take(self.set[self.taken : self.taken + count])
        self.taken = min(len(self.set), self.taken + count)

    def commit(self) -> None:
        """What is done lasts, with what is left to do."""
        self.folder.pause()
        self.memory.commit((self.taken, b"mark"))

    def die(self) -> None:
        """The process ends; what was not committed is gone, and the next one goes on from there."""
        self.memory.close()
        self._open()

    def settle(self) -> bytes:
        """To the end of the set; the digest there."""
        self.take(len(self.set))
        while not self.folder.is_settled:
            self.folder.settle(3)
            self.memory.flush()
        return self.folder.views.digest


# --- stories


class Story(RuleBasedStateMachine):
    """A hub's fold as time, power and other work let it go on."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(prefix="hubd-fold-")

    @initialize(area=st.sampled_from(AREAS), chance=st.randoms(use_true_random=False))
    def begin(self, area, chance):
        soup = _soup(area)
        self.coming = list(soup.actions)
        chance.shuffle(self.coming)
        self.hub = Hub(soup, Path(self._folder.name) / "views.sqlite3")

    @precondition(lambda self: self.coming)
    @rule(count=st.integers(1, 9))
    def actions_arrive(self, count):
        self.hub.arrive(self.coming[:count])
        del self.coming[:count]

    @rule(count=st.integers(1, 6))
    def a_page_is_filed(self, count):
        self.hub.take(count)

    @rule(evaluations=st.integers(1, 12))
    def some_is_evaluated(self, evaluations):
        self.hub.folder.settle(evaluations)

    @rule()
    def membership_is_settled(self):
        self.hub.folder.settle_members()

    @rule()
    def changes_go_to_the_database(self):
        self.hub.memory.flush()

    @rule()
    def the_work_is_kept(self):
        self.hub.commit()

    @rule()
    def the_power_goes(self):
        self.hub.die()

    @rule()
    def the_hub_is_stopped_and_started(self):
        self.hub.commit()
        self.hub.die()

    @rule()
    def calm(self):
        assert self.hub.settle() == fold(self.hub.soup.village.charter, self.hub.set).digest

    def teardown(self):
        try:
            if hasattr(self, "hub"):
                self.calm()
                assert self.hub.folder.views == fold(self.hub.soup.village.charter, self.hub.set)
                self.hub.memory.close()
        finally:
            self._folder.cleanup()


def test_whatever_becomes_of_the_process_the_views_are_those_of_the_plain_fold():
    run_state_machine_as_test(
        Story,
        settings=settings(
            max_examples=1_500 if IS_LONG else 25,
            stateful_step_count=60 if IS_LONG else 30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


# --- all orders


@functools.cache
def _expected(area: str) -> bytes:
    soup = _soup(area)
    return fold(soup.village.charter, soup.base + soup.rivals[:5]).digest


def _check_order(area: str, order: tuple[int, ...], path: Path) -> None:
    """Base before and after five rivals; after each the work is left half done, kept, and lost once on the way."""
    soup = _soup(area)
    rivals = [soup.rivals[number] for number in order]
    for number, actions in enumerate((soup.base + rivals, rivals + soup.base)):
        hub = Hub(soup, path / f"{number}-{''.join(map(str, order))}.sqlite3")
        for position, action in enumerate(actions):
            hub.arrive([action])
            hub.take(1)
            hub.folder.settle(2)
            if position % 3 == 0:
                hub.memory.flush()
                hub.die()  # between two pages: this one is filed again
                hub.take(1)
                hub.folder.settle(1)
            hub.commit()
            if position % 2:
                hub.die()  # in the midst of a page's work
        assert hub.settle() == _expected(area)
        hub.memory.close()
        hub.path.unlink()


@pytest.mark.parametrize("area", AREAS)
def test_every_order_of_five_rivals_half_done_and_lost_on_the_way_gives_the_same_views(area, tmp_path):
    for order in ORDERS:
        _check_order(area, order, tmp_path)


@pytest.mark.parametrize("area", AREAS if IS_LONG else AREAS[::4])
def test_a_file_grows_to_the_plain_fold_action_by_action(area, tmp_path):
    soup = _soup(area)
    for number, actions in enumerate((soup.actions, soup.actions[::-1])):
        hub = Hub(soup, tmp_path / f"{number}.sqlite3")
        for count, action in enumerate(actions, 1):
            hub.arrive([action])
            assert hub.settle() == fold(soup.village.charter, actions[:count]).digest
        hub.memory.close()


# --- mutants: changes of the code that these tests are known to notice


def _is_noticed(area: str, path: Path) -> bool:
    try:
        _check_order(area, ORDERS[0], path)
    except (AssertionError, LocalError):
        return True
    return False


@pytest.mark.parametrize("area", ["chain", "identity", "market"])
def test_work_that_is_not_left_for_the_next_process_is_noticed(area, tmp_path, monkeypatch):
    monkeypatch.setattr(Engine, "pause", lambda engine: engine.memory.keep_work(([], {})))
    assert _is_noticed(area, tmp_path)


def test_readers_beyond_a_page_that_are_forgotten_at_an_end_are_noticed(tmp_path, monkeypatch):
    def pause(engine):
        engine.memory.keep_work(([node for level in engine._dirty for node in level], {}))

    monkeypatch.setattr(Engine, "pause", pause)
    assert any(_is_noticed(area, tmp_path) for area in AREAS)


def test_a_file_that_takes_what_is_on_disk_for_lacking_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(cells.Written, "note", lambda *_: None)
    assert _is_noticed("chain", tmp_path)
