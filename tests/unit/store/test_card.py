"""A really mounted small card fills up under a store, step by step, and gets room again."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cards import Card

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What the story tells (`tests/card_story.py`), by name."""
    with Card(tmp_path_factory.mktemp("cards") / "card") as card:
        command = [*card.command, sys.executable, str(ROOT / "tests" / "card_story.py"), str(card.folder)]
        path = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}
        ended = subprocess.run(command, env=path, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    return dict(json.loads(line) for line in ended.stdout.splitlines())


@pytest.mark.parametrize(("percent", "level"), [("50 %", "plenty"), ("91 %", "low"), ("96 %", "short")])
def test_below_the_last_watermark_the_set_grows_and_the_level_is_told(told, percent, level):
    assert told[percent] == [level, "ok"]


def test_above_the_last_watermark_the_set_grows_no_more_and_the_ballast_goes(told):
    assert told["ballast is laid down"]
    assert told["98.5 %"] == ["full", "disk-full", False]
    assert told["after the ballast"] == ["plenty", "ok"]


def test_what_is_left_above_it_is_for_the_ledger(told):
    assert told["98.5 % again"] == ["full", "disk-full", "ok"]


def test_without_one_block_left_what_is_there_is_read_and_what_comes_is_refused_in_words(told):
    assert told["the last block"] == ["disk-full", True]
    assert told["the ledger then"] == "disk-full"


def test_with_room_again_everything_is_taken_without_a_restart(told):
    assert told["room again"] == ["plenty", "ok", "ok"]


def test_the_set_takes_its_own_share_of_a_card_and_leaves_the_rest(told):
    assert told["up to its own share"] == ["disk-full", "ok"]
    assert told["left for others"]


def test_whatever_was_acknowledged_is_there_after_it_all_and_nothing_else(told):
    assert told["whole after a restart"] == [True, "ok", [1, 3]]
