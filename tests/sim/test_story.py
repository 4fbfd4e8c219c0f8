"""The quick form of `./dev sim`: every scenario with its seeds is good, and no figure is worse than the accepted one."""

import functools
import os
import subprocess
import sys

import pytest

from tools.sim import report, scenario, story
from tools.steps import ROOT

FORM = "campaign" if os.environ.get("HUBD_CAMPAIGN") else "quick"
SCENARIOS = scenario.load(form=FORM)
STORIES = [(name, seed) for name, each in SCENARIOS.items() for seed in range(each.seeds)]


@functools.cache
def played(name, seed):
    return story.run(SCENARIOS[name], seed)


@pytest.mark.parametrize(("name", "seed"), STORIES)
def test_whatever_goes_wrong_calm_makes_all_honest_hubs_one_and_nothing_is_lost(name, seed):
    assert played(name, seed).findings == [], f"again: ./dev sim --scenario {name} --seed {seed}"


def test_no_figure_is_worse_than_the_accepted_one():
    figures = report.summed_up(played(*each) for each in STORIES)
    assert figures.keys() == report.accepted(FORM).keys(), "./dev sim --accept, and say in the commit what changed"
    assert report.worse(figures, report.accepted(FORM)) == []


def test_a_figure_that_is_worse_by_more_than_its_tolerance_is_told():
    was = {"line": dict.fromkeys(report.TOLERANCES, 100.0)}
    now = {"line": dict.fromkeys(report.TOLERANCES, 100.0) | {"bytes": 3_000.0, "settle_s": 50.0}}
    assert report.worse(was, was) == []
    assert report.worse(now, was) == ["line: bytes is 3,000.00, was 100.00"]


@pytest.mark.parametrize("name", ["storm", "garbled"])
def test_one_seed_is_one_trace_in_another_process_with_another_hash_seed(name):
    script = (
        "import sys; from tools.sim import scenario, story; print(story.run(scenario.load()[sys.argv[1]], 1).trace)"
    )
    traces = {
        subprocess.run(
            [sys.executable, "-c", script, name], check=True, capture_output=True, text=True, cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
        ).stdout
        for hash_seed in ("0", "4711")
    }  # fmt: skip
    assert traces == {story.run(scenario.load()[name], 1).trace + "\n"}


def test_two_seeds_are_two_stories():
    assert played("storm", 0).trace != played("storm", 1).trace
