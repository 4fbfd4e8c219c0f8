"""The goals of the bench: shown beside their figures, missed by what is worse, and by what was not measured."""

import json

import pytest

from bench import __main__ as command
from bench import line
from bench.goals import MACHINE_RECOVERIES, goals, judged, missed, shown

HUB_ACTIONS = 20_000
GOALS = goals(HUB_ACTIONS)


def figures(factor=1.0):
    """Every figure that has a goal: just met, or worse by this factor."""
    found = {"raw signature recovery": {"per_cpu_s": 2.0 * MACHINE_RECOVERIES}, "something else": {"bytes": 7.0}}
    for goal in GOALS:
        worse = goal.bound / factor if goal.sign == ">=" else goal.bound * factor
        found.setdefault(goal.row, {})[goal.figure] = worse
    return found


def test_every_goal_is_met_at_its_bound_and_missed_beyond_it():
    assert missed(figures(), GOALS) == []
    assert len(missed(figures(1.01), GOALS)) == len(GOALS)


def test_a_figure_that_was_not_measured_is_a_goal_missed():
    found = figures()
    del found[GOALS[0].row]
    assert missed(found, GOALS) == [f"{GOALS[0].row}: {GOALS[0].figure} was not measured, the goal is >= 0.6"]


def test_a_row_with_a_goal_says_so_and_another_one_stays_as_it_was():
    rows = judged(figures(1.01), GOALS)
    assert rows[GOALS[0].row]["goal"] == {"of_raw_recovery": ">= 0.6"}
    assert rows[GOALS[0].row]["met"] == {"of_raw_recovery": False}
    assert shown(rows[GOALS[0].row]) == "of_raw_recovery 0.594 (>= 0.6: MISSED)"
    assert shown(judged(figures(), GOALS)[GOALS[0].row]) == "of_raw_recovery 0.6 (>= 0.6: met)"
    assert rows["something else"] == {"bytes": 7.0}


def test_a_run_says_how_fast_its_machine_is_beside_that_of_the_goals():
    assert judged(figures(), GOALS)["raw signature recovery"]["of_goals_machine"] == 2.0


@pytest.mark.parametrize(("factor", "arguments", "code"), [(1.0, ["--check"], 0), (2.0, ["--check"], 1), (2.0, [], 0)])
def test_the_command_fails_where_a_goal_is_missed_and_that_was_asked(monkeypatch, capsys, factor, arguments, code):
    monkeypatch.setattr(command, "measure", lambda **_options: figures(factor))
    assert command.main([*arguments, "--json"]) == code
    said = capsys.readouterr()
    assert ("missed: " in said.err) == (factor > 1)
    assert json.loads(said.out)[GOALS[0].row]["met"] == {"of_raw_recovery": factor == 1}


def test_an_action_comes_along_the_line_of_hubs_within_its_goal():
    found = line.measure()
    [goal] = [goal for goal in GOALS if goal.row in found]
    assert 1 <= found[goal.row][goal.figure] <= goal.bound
