"""A folder that works in steps: membership first, the rest as time allows, and never another answer."""

import pytest
from builders import Village
from soups import SOUPS

from hubd.fold.folder import Folder, fold


@pytest.mark.parametrize("area", sorted(SOUPS))
def test_steps_of_any_size_end_at_the_views_of_the_plain_fold(area):
    soup = SOUPS[area]()
    for evaluations_max in (1, 5):
        folder = Folder(soup.village.charter)
        for start in range(0, len(soup.actions), 3):
            folder.take(soup.actions[start : start + 3])
            folder.settle(evaluations_max)
        while not folder.is_settled:
            folder.settle(evaluations_max)
        assert folder.views == fold(soup.village.charter, soup.actions)


def test_an_admission_is_seen_while_everything_else_waits():
    village = Village(3)
    folder, lesson = Folder(village.charter), village.thread("ana", "tomas")
    folder.take([village.register("ana"), *lesson.actions, *village.found("hub")])
    folder.settle_members()
    assert folder.views.mesh.hubs == (village.principal("hub"),)
    assert not folder.views.lessons
    assert not folder.is_settled


def test_changes_of_steps_replayed_give_the_views():
    soup = SOUPS["lesson"]()
    folder, replayed = Folder(soup.village.charter), {}
    folder.take(soup.actions)
    while not folder.is_settled:
        for change in folder.settle(2):
            replayed[change.view, change.key] = change.entry
    lessons = {key: entry for (view, key), entry in replayed.items() if view == "lessons" and entry is not None}
    assert lessons == folder.views.lessons
