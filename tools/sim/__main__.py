"""`./dev sim`: play the scenarios, show what came of them, compare with what was accepted, make failures small."""

import argparse
import json
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from tools.sim import report, scenario
from tools.sim.mutants import MUTANTS, planted
from tools.sim.plan import plan_of
from tools.sim.scenario import Scenario
from tools.sim.shrink import Case, read, shrink
from tools.sim.story import Result, run

_FINDINGS_SHOWN = 3
_MISHAPS_SHOWN = 8


def _arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev sim", description="A mesh in virtual time (docs/simulation.md).")
    parser.add_argument("--campaign", action="store_true", help="the long form: larger meshes, more seeds")
    parser.add_argument("--scenario", help="this one only")
    parser.add_argument("--seed", type=int, help="this one only")
    parser.add_argument("--json", action="store_true", help="print figures and findings as JSON")
    parser.add_argument("--accept", action="store_true", help="compare with these figures from now on")
    parser.add_argument("--replay", type=Path, help="a failure that was made small")
    parser.add_argument("--trace", type=Path, help="write everything that happened into this file (one seed)")
    parser.add_argument("--mutant", choices=[mutant.name for mutant in MUTANTS], help="plant a bug and see it found")
    return parser.parse_args(arguments)


def play(case: Case, mutant: str | None = None, **options: Any) -> Result:
    """One story, maybe with a bug in it; `options` are those of `run`."""
    for known in MUTANTS:
        if known.name == mutant:
            with planted(known) as plant:
                return run(case.scenario, case.seed, plan=case.plan, plant=plant, **options)
    return run(case.scenario, case.seed, plan=case.plan, **options)


def _play_seed(chosen: Scenario, seed: int, mutant: str | None, keeps_lines: bool) -> Result:
    return play(Case(chosen, seed, plan_of(chosen, seed)), mutant, keeps_lines=keeps_lines)


def _results(jobs: list[tuple[Scenario, int]], asked: argparse.Namespace) -> Iterator[Result]:
    """Every story, as it is done; the long form uses all processors."""
    if len(jobs) == 1 or not asked.campaign:
        for chosen, seed in jobs:
            yield _play_seed(chosen, seed, asked.mutant, asked.trace is not None)
        return
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        futures = [pool.submit(_play_seed, chosen, seed, asked.mutant, False) for chosen, seed in jobs]
        for future in futures:
            yield future.result()


def _played(jobs: list[tuple[Scenario, int]], asked: argparse.Namespace) -> list[Result]:
    results = []
    started = time.monotonic()
    for result in _results(jobs, asked):
        results.append(result)
        say = "good" if result.is_good else "; ".join(sorted({each.check for each in result.findings}))
        print(
            f"{time.monotonic() - started:7.1f} s  {len(results)}/{len(jobs)}  {result.scenario.name} {result.seed}:"
            f" {say}, {result.figures['virtual_s']:,.0f} virtual s in {result.spent_s:.1f} s",
            file=sys.stderr,
        )
    return results


def _explain(result: Result, asked: argparse.Namespace) -> None:
    """A failure: what was found, how to see it again, and the smallest story in which it shows."""
    again = ["./dev", "sim", "--scenario", result.scenario.name, "--seed", str(result.seed)]
    again += ["--campaign"] if asked.campaign else []
    again += ["--mutant", asked.mutant] if asked.mutant else []
    print(f"\n{result.scenario.name} {result.seed} failed; again: {shlex.join(again)}")
    for finding in result.findings[:_FINDINGS_SHOWN]:
        print(f"  {finding.check}: {finding.text}")
    check = result.findings[0].check
    case, least, runs = shrink(
        result.scenario, result.seed, check, lambda case: play(case, asked.mutant, stop_at=check)
    )
    text = case.text(result.scenario)
    path = Path(tempfile.gettempdir()) / f"hubd-sim-{result.scenario.name}-{result.seed}.json"
    path.write_text(text, "utf-8")
    numbers = scenario.differences(result.scenario, case.scenario)
    print(f"  smallest after {runs} stories: {numbers}, {len(case.plan.writings)} writings, mishaps:")
    for mishap in case.plan.mishaps[:_MISHAPS_SHOWN]:
        print(f"    {mishap.at_s:.1f} s {mishap.kind} for {mishap.for_s:.1f} s")
    print(f"    {least.findings[0].check}: {least.findings[0].text}")
    print(f"  again: ./dev sim --replay {path}" + (f" --mutant {shlex.quote(asked.mutant)}" if asked.mutant else ""))


def main(arguments: list[str]) -> int:
    """Play what was asked for; 1 where something was found or a figure is worse than accepted."""
    asked = _arguments(arguments)
    form = "campaign" if asked.campaign else "quick"
    known = scenario.load(form=form)
    if asked.replay is not None:
        result = play(read(asked.replay.read_text("utf-8"), known), asked.mutant)
        print("\n".join(f"{each.check}: {each.text}" for each in result.findings) or "good")
        return 0 if result.is_good else 1
    chosen = [known[asked.scenario]] if asked.scenario else list(known.values())
    seeds = {each.name: range(each.seeds) if asked.seed is None else [asked.seed] for each in chosen}
    results = _played([(each, seed) for each in chosen for seed in seeds[each.name]], asked)
    if asked.trace is not None:
        asked.trace.write_text("".join(results[0].lines), "utf-8")
    figures = report.summed_up(results)
    is_whole = asked.seed is None and asked.mutant is None
    if asked.accept and is_whole and all(result.is_good for result in results):
        report.accept(form, report.accepted(form) | figures)
    worse = report.worse(figures, report.accepted(form)) if is_whole else []
    failed = [result for result in results if not result.is_good]
    if asked.json:
        stories = [
            {"scenario": each.scenario.name, "seed": each.seed, "trace": each.trace, "figures": each.figures,
             "findings": [vars(finding) for finding in each.findings]}
            for each in results
        ]  # fmt: skip
        print(json.dumps({"form": form, "figures": figures, "worse": worse, "stories": stories}))
        return 1 if failed or worse else 0
    print(report.table(results))
    for line in worse:
        print(f"worse than accepted: {line}")
    if failed:
        _explain(failed[0], asked)
    return 1 if failed or worse else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
