"""Each check of the simulation catches a bug that was planted for it, and a failing story is made small."""

import json
import re
from dataclasses import replace

import pytest

from tools.sim import __main__ as command
from tools.sim import checks, scenario, shrink
from tools.sim.checks import Finding
from tools.sim.mutants import MUTANTS
from tools.sim.plan import plan_of
from tools.sim.shrink import Case
from tools.sim.story import Result
from tools.steps import ROOT

SCENARIOS = scenario.load()


def case(name, seed):
    return Case(SCENARIOS[name], seed, plan_of(SCENARIOS[name], seed))


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_a_planted_bug_is_caught_by_its_check(mutant):
    result = command.play(case(mutant.scenario, mutant.seed), mutant.name, stop_at=mutant.check)
    assert mutant.check in {finding.check for finding in result.findings}


def test_every_check_has_a_bug_that_it_catches():
    told = re.findall(r"^([a-z]+)  +\S", checks.__doc__, re.MULTILINE)
    assert {mutant.check for mutant in MUTANTS} == set(told)
    page = (ROOT / "docs" / "simulation.md").read_text("utf-8").partition("\n## What is checked\n")[2]
    assert re.findall(r"^\| ([a-z]+) \| \w", page.partition("\n## ")[0], re.MULTILINE) == told


def test_a_failing_story_is_made_small_and_fails_again_from_what_was_written_down():
    early = next(mutant.name for mutant in MUTANTS if mutant.check == "lost")
    storm = SCENARIOS["storm"]
    least, result, _ = shrink.shrink(storm, 1, "lost", lambda each: command.play(each, early, stop_at="lost"))
    assert result.findings[0].check == "lost"
    assert least.scenario.hubs <= 2
    assert len(least.plan.mishaps) <= 3
    assert len(least.plan.writings) <= 3
    again = shrink.read(json.dumps(json.loads(least.text(storm))), SCENARIOS)
    assert command.play(again, early, stop_at="lost").findings == result.findings
    assert command.play(again).is_good


def test_of_the_damage_to_frames_only_what_the_failure_needs_is_left():
    def play(each):
        findings = [Finding("lost", "")] if each.scenario.damage.swapped else []
        return Result(each.scenario, each.seed, findings, {}, "", spent_s=0.0)

    garbled = SCENARIOS["garbled"]
    least, _, _ = shrink.shrink(garbled, 0, "lost", play)
    assert least.scenario.damage == replace(garbled.damage, lost=0.0, repeated=0.0)
    assert shrink.read(least.text(garbled), SCENARIOS) == least


def test_the_command_tells_how_to_see_a_failure_again(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(command.tempfile, "gettempdir", lambda: str(tmp_path))
    bug = "proves by the count alone"
    assert command.main(["--scenario", "flapping", "--seed", "0", "--mutant", bug]) == 1
    told = capsys.readouterr().out
    assert f"again: ./dev sim --scenario flapping --seed 0 --mutant '{bug}'" in told
    assert command.main(["--replay", str(tmp_path / "hubd-sim-flapping-0.json"), "--mutant", bug]) == 1
    assert "proof:" in capsys.readouterr().out
