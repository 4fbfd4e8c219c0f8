"""Same set, same views: whatever the order, the chunks, the process, and whatever else strangers throw in.

Hypothesis stirs; its exhaustive twin permutes five rivals of each area. Mutants that the twin is known to kill stand at the
end: measured, stirring alone missed a tie-order mutant in one run of five.
"""

import functools
import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest
from builders import Village, erased
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from soup import Soup
from soups import PEOPLE, SOUPS, stir

from hubd.action.content import is_anchored
from hubd.action.kinds import KINDS
from hubd.fold import engine, filing
from hubd.fold.anchored import READERS
from hubd.fold.engine import Engine
from hubd.fold.filing import Shelves
from hubd.fold.folder import Folder, fold
from hubd.fold.plain import Plain
from hubd.fold.read import added
from hubd.fold.strata import STRATA
from hubd.fold.trace import Trace
from hubd.fold.views import Views, Void
from hubd.fold.void import REASONS

AREAS = sorted(SOUPS)


@functools.cache
def _soup(area: str) -> Soup:
    return SOUPS[area]()


@functools.cache
def _expected(area: str) -> bytes:
    soup = _soup(area)
    return fold(soup.village.charter, soup.base + soup.rivals[:5]).digest


def _check_permutations(area: str) -> None:
    """All orders of five rivals, one append each, with the base before and with it after them."""
    soup, expected = _soup(area), _expected(area)
    for order in itertools.permutations(soup.rivals[:5]):
        before, after = Folder(soup.village.charter), Folder(soup.village.charter)
        before.append(soup.base)
        for action in order:
            before.append([action])
            after.append([action])
        after.append(soup.base)
        assert before.views.digest == after.views.digest == expected


@pytest.mark.parametrize("area", AREAS)
def test_every_order_of_five_rivals_gives_the_same_views(area):
    _check_permutations(area)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.data_too_large])
@given(st.data())
def test_any_order_and_any_chunks_of_any_part_give_the_views_of_the_plain_fold(data):
    soup = _soup(data.draw(st.sampled_from(AREAS)))
    stirred = data.draw(st.permutations(soup.actions))
    taken = stirred[: data.draw(st.integers(0, len(stirred)))]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(taken)), max_size=8)))
    folder = Folder(soup.village.charter)
    for start, end in itertools.pairwise([0, *cuts, len(taken)]):
        folder.append(taken[start:end])
    assert folder.views == fold(soup.village.charter, taken)
    assert folder.append(taken[:3]) == []


_DRAWN = st.lists(
    st.tuples(
        st.sampled_from(sorted(KINDS)),
        st.sampled_from(PEOPLE),
        st.integers(0, 9),
        st.sampled_from(PEOPLE),
        st.integers(1, 3),
        st.integers(0, 3),
        st.integers(0, 1),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(_DRAWN, st.randoms(use_true_random=False))
def test_whatever_people_sign_the_fold_answers_and_order_is_nothing(drawn, chance):
    village = Village(17)
    actions = [*village.found("hub", uplink=True), village.register("ana"), village.register("tomas")]
    actions += stir(village, drawn)
    expected = fold(village.charter, actions)
    chance.shuffle(actions)
    folder = Folder(village.charter)
    for action in actions:
        folder.append([action])
    assert folder.views == expected
    assert set(expected.void.values()) <= {Void(reason) for reason in REASONS}


@pytest.mark.parametrize("area", [area for area in AREAS if area not in ("identity", "recovery")])
def test_void_actions_have_no_effect_at_all(area):
    """But for keys: whoever ever was one may end others, even if what made it one is void by now."""
    soup = _soup(area)
    for start in range(len(soup.actions)):
        actions = soup.actions[start:] + soup.actions[: start // 2]
        whole = fold(soup.village.charter, actions)
        rest = fold(soup.village.charter, [action for action in actions if action.id not in whole.void])
        for view in {field.name for field in fields(Views)} - {"digest", "void", "erased"}:
            assert getattr(rest, view) == getattr(whole, view), view


@pytest.mark.parametrize("area", AREAS)
def test_entries_stand_only_under_keys_that_some_action_names(area):
    soup = _soup(area)
    shelves = Shelves()
    for action in soup.actions:
        shelves.file(action)
    plain = Plain(soup.village.charter, shelves, soup.actions)
    tables = {stratum.name: plain.table(stratum) for stratum in STRATA}
    for (view, key), entry in plain._memo.items():
        assert tables[view].get(key) == entry


def _check_growth(area: str) -> None:
    """Forwards and backwards, one append each: after each the views are the plain fold's."""
    soup = _soup(area)
    for actions in (soup.actions, soup.actions[::-1]):
        folder = Folder(soup.village.charter)
        for count, action in enumerate(actions, 1):
            folder.append([action])
            assert folder.views == fold(soup.village.charter, actions[:count])


@pytest.mark.parametrize("area", AREAS)
def test_a_soup_grows_to_the_plain_fold_action_by_action(area):
    _check_growth(area)


@pytest.mark.parametrize("area", AREAS)
def test_content_that_is_not_anchored_is_never_looked_at(area):
    soup = _soup(area)
    bare = [action if is_anchored(action.kind) else erased(action) for action in soup.actions]
    assert fold(soup.village.charter, bare).digest == fold(soup.village.charter, soup.actions).digest


@pytest.mark.parametrize("area", AREAS)
def test_anchored_actions_without_content_crash_nothing_and_views_are_those_of_whatever_content_came(area):
    soup = _soup(area)
    bare = [erased(action) for action in soup.actions]
    folder, views = Folder(soup.village.charter), fold(soup.village.charter, bare)
    for action in reversed(bare):
        folder.append([action])
    assert folder.views == views
    assert {views.void[a.id].reason for a in bare if a.kind in READERS} <= {"content", "columns"}
    for action in soup.actions:
        folder.append([action])
    folder.append(bare)
    assert folder.views == fold(soup.village.charter, soup.actions) == fold(soup.village.charter, bare + soup.actions)


_IN_ANOTHER_PROCESS = """
import sys
from soups import SOUPS
from hubd.fold.folder import Folder, fold
for area in sorted(SOUPS):
    soup = SOUPS[area]()
    folder = Folder(soup.village.charter)
    for action in soup.actions:
        folder.append([action])
    print(area, folder.views.digest.hex(), fold(soup.village.charter, soup.actions).digest.hex())
"""


def test_another_process_with_another_hash_seed_finds_the_same_views():
    def run(seed: str) -> str:
        root = Path(__file__).parents[2]
        path = os.pathsep.join([str(root), str(root / "tests")])
        return subprocess.run(
            [sys.executable, "-c", _IN_ANOTHER_PROCESS],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    here = "".join(
        f"{area} {digest} {digest}\n"
        for area in AREAS
        for digest in [fold(_soup(area).village.charter, _soup(area).actions).digest.hex()]
    )
    assert run("1") == run("4242") == here


# --- mutants: changes of the code that these tests are known to notice


def _noticed_by(check: Callable[[str], None]) -> set[str]:
    """The areas in which a check notices what is wrong."""
    noticed = set()
    for area in AREAS:
        try:
            check(area)
        except AssertionError:
            noticed.add(area)
    return noticed


def test_shelves_without_an_order_among_ties_are_noticed(monkeypatch):
    def file_in_order_of_arrival(row, place):
        row.append(place)
        row.sort(key=lambda filed: filed[:2])

    expected = {area: _expected(area) for area in AREAS}
    monkeypatch.setattr(filing, "insort", file_in_order_of_arrival)
    assert len(expected) == len(AREAS)
    assert "chain" in _noticed_by(_check_permutations)


def test_a_folder_that_forgets_late_parents_is_noticed(monkeypatch):
    touch = Engine._touch
    monkeypatch.setattr(Engine, "_touch", lambda self, node, level: node[0] and touch(self, node, level))
    assert {"identity", "market", "mesh"} <= _noticed_by(_check_growth)


def test_a_folder_that_plants_its_roots_only_once_is_noticed(monkeypatch):
    remember = Trace.remember
    monkeypatch.setattr(Trace, "remember", lambda self, node, reads: node[0][-1] == "?" or remember(self, node, reads))
    assert "identity" in _noticed_by(_check_growth)


def test_a_tally_that_never_takes_back_is_noticed(monkeypatch):
    monkeypatch.setattr(engine, "added", lambda sums, terms, _sign=1: added(sums, terms))
    assert "lesson" in _noticed_by(_check_growth)


class _NaiveShelves(Shelves):
    """The shelves by their definition: a look at every action."""

    def file(self, action):
        self._actions[action.id] = action
        return []

    def filed(self, shelf, key, author):
        found = [
            (rank, action.id, action)
            for action in self._actions.values()
            for place, rank in filing.places(action)
            if place == (shelf, key) and action.statement.author == author
        ]
        return (action for _, _, action in sorted(found, key=lambda row: row[:2]))

    def authors(self, shelf, key):
        return sorted(
            {
                a.statement.author
                for a in self._actions.values()
                for place, _ in filing.places(a)
                if place == (shelf, key)
            }
        )


@pytest.mark.parametrize("area", AREAS)
def test_the_shelves_hold_what_a_look_at_every_action_finds(area, monkeypatch):
    soup = _soup(area)
    expected = fold(soup.village.charter, soup.actions)
    monkeypatch.setattr("hubd.fold.folder.Shelves", _NaiveShelves)
    assert fold(soup.village.charter, soup.actions) == expected
