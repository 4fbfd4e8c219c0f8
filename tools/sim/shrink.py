"""The smallest story that still fails: fewer hubs and phones, less damage, then fewer mishaps and writings (ddmin).

Every step plays the story again and keeps what still ends in the same check. Source of the second part: Zeller and
Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from tools.sim.middlebox import KINDS, Damage
from tools.sim.plan import Mishap, Plan, Writing, plan_of
from tools.sim.scenario import Scenario, differences, smaller
from tools.sim.story import Result

RUNS_MAX = 400
SPENT_S_MAX = 60.0  # of processor time, for one failure
_NUMBERS = ("hubs", "phones", "mules", "sybils", "prior", "newcomers", "liars", "withholders", "misers", "islands")
_BEFORE_S = (5.0, 15.0, 45.0)
_T = TypeVar("_T")


@dataclass(frozen=True)
class Case:
    """A scenario, a seed and a plan: all that a story is made of."""

    scenario: Scenario
    seed: int
    plan: Plan

    def text(self, original: Scenario) -> str:
        """As JSON, for `./dev sim --replay`."""
        return json.dumps(
            {
                "scenario": original.name,
                "seed": self.seed,
                "numbers": differences(original, replace(self.scenario, damage=original.damage)),
                "damage": asdict(self.scenario.damage),
                "mishaps": [asdict(each) for each in self.plan.mishaps],
                "writings": [asdict(each) for each in self.plan.writings],
            }
        )


def read(text: str, scenarios: dict[str, Scenario]) -> Case:
    """The case of such a JSON."""
    table: dict[str, Any] = json.loads(text)
    scenario = smaller(scenarios[table["scenario"]], **table["numbers"], damage=Damage(**table["damage"]))
    mishaps = tuple(Mishap(**(each | {"picks": tuple(each["picks"])})) for each in table["mishaps"])
    return Case(scenario, table["seed"], Plan(mishaps, tuple(Writing(**each) for each in table["writings"])))


def shrink(scenario: Scenario, seed: int, check: str, play: Callable[[Case], Result]) -> tuple[Case, Result, int]:
    """The smallest case found that ends in this check, what came of it, and how many stories were played for it."""
    search = _Search(Case(scenario, seed, plan_of(scenario, seed)), check, play)
    search.numbers()
    search.damage()
    search.entries()
    search.numbers()
    assert search.result is not None, "the story failed before"
    return search.case, search.result, search.runs


class _Search:
    def __init__(self, case: Case, check: str, play: Callable[[Case], Result]) -> None:
        self.case = case
        self.runs = 0
        self.result: Result | None = None
        self._spent_s = 0.0
        self._check = check
        self._play = play
        self._try(case)

    @property
    def is_tired(self) -> bool:
        """Whether it is small enough for what it costs."""
        return self.runs >= RUNS_MAX or self._spent_s >= SPENT_S_MAX

    def _try(self, case: Case) -> bool:
        """Whether this one fails, too; then it is the one to go on from."""
        if self.is_tired:
            return False
        self.runs += 1
        result = self._play(case)
        self._spent_s += result.spent_s
        if all(finding.check != self._check for finding in result.findings):
            return False
        self.case, self.result = case, result
        return True

    def numbers(self) -> None:
        """Smaller numbers, one after another: none at all, else half, else one less."""
        for name in _NUMBERS:
            while (number := getattr(self.case.scenario, name)) > 0:
                if not any(self._try(case) for case in self._with_less(name, number)):
                    break

    def damage(self) -> None:
        """Without each kind of damage to frames."""
        for kind in KINDS:
            damage = self.case.scenario.damage
            if getattr(damage, kind):
                less = replace(damage, **{kind: 0.0})
                self._try(replace(self.case, scenario=replace(self.case.scenario, damage=less)))

    def _with_less(self, name: str, number: int) -> Iterator[Case]:
        for less in sorted({0, number // 2, number - 1} - {number}):
            try:
                yield replace(self.case, scenario=smaller(self.case.scenario, **{name: less}))
            except AssertionError:
                continue  # no scenario any more, such as one without hubs

    def entries(self) -> None:
        """Fewer mishaps and fewer writings."""
        self._minimise(self.case.plan.mishaps, lambda kept: replace(self.case.plan, mishaps=tuple(kept)))
        for before_s in _BEFORE_S:
            if self._try(self._written_before(before_s)):
                break
        self._minimise(self.case.plan.writings, lambda kept: replace(self.case.plan, writings=tuple(kept)))

    def _written_before(self, before_s: float) -> Case:
        """Only what was written shortly before something went wrong."""
        plan = self.case.plan
        near = [
            writing
            for writing in plan.writings
            if any(mishap.at_s - before_s <= writing.at_s <= mishap.at_s for mishap in plan.mishaps)
        ]
        return replace(self.case, plan=replace(plan, writings=tuple(near)))

    def _minimise(self, entries: Sequence[_T], plan_with: Callable[[Sequence[_T]], Plan]) -> None:
        kept, parts = list(entries), 2
        if kept and self._try(replace(self.case, plan=plan_with([]))):
            return
        while len(kept) >= 2 and not self.is_tired:
            size = -(-len(kept) // parts)
            for start in range(0, len(kept), size):
                rest = kept[:start] + kept[start + size :]
                if self._try(replace(self.case, plan=plan_with(rest))):
                    kept, parts = rest, max(2, parts - 1)
                    break
            else:
                if size == 1:
                    return
                parts = min(len(kept), 2 * parts)
