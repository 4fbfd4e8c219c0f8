"""What came of many stories: a table, and the comparison with the figures that were accepted last."""

import json
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import TypeAlias

from tools.sim.story import Result
from tools.steps import ROOT

BASELINE = ROOT / "tests" / "sim" / "baseline.json"
Figures: TypeAlias = dict[str, float]

# What is compared, and how much worse it may be: a share of the accepted figure, and something for small ones.
TOLERANCES = {
    "settle_s": (0.3, 2.0),
    "prove_s": (0.3, 5.0),
    "spread_s": (0.3, 2.0),
    "rounds": (0.2, 0.2),
    "sessions": (0.3, 5.0),
    "frames": (0.2, 50.0),
    "bytes": (0.15, 2_000.0),
    "delivery_bytes": (0.15, 10.0),
    "held": (0.5, 64.0),
}
_COLUMNS = (
    ("settle_s", "settled s", 10), ("prove_s", "proven s", 9), ("spread_s", "spread s", 9), ("sessions", "sessions", 9),
    ("rounds", "rounds", 7), ("frames", "frames", 9), ("bytes", "bytes", 12), ("delivery_bytes", "B/delivery", 11),
    ("held", "held", 6),
)  # fmt: skip


def summed_up(results: Iterable[Result]) -> dict[str, Figures]:
    """By scenario, the mean of each figure over the seeds."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.scenario.name, []).append(result)
    return {
        name: {figure: round(fmean(each.figures[figure] for each in group), 3) for figure in TOLERANCES}
        for name, group in groups.items()
    }


def table(results: Sequence[Result]) -> str:
    """Rounds, bytes and times, a line a scenario."""
    lines = [f"{'scenario':<14}{'seeds':>6}{'good':>6}" + "".join(f"{title:>{wide}}" for _, title, wide in _COLUMNS)]
    for name, figures in summed_up(results).items():
        group = [result for result in results if result.scenario.name == name]
        cells = "".join(
            f"{figures[figure]:>{wide},.2f}" if figures[figure] < 100 else f"{figures[figure]:>{wide},.0f}"
            for figure, _, wide in _COLUMNS
        )
        lines.append(f"{name:<14}{len(group):>6}{sum(result.is_good for result in group):>6}{cells}")
    return "\n".join(lines)


def accepted(form: str) -> dict[str, Figures]:
    """The figures accepted last, of one form."""
    if not BASELINE.exists():
        return {}
    found: dict[str, dict[str, Figures]] = json.loads(BASELINE.read_text("utf-8"))
    return found.get(form, {})


def accept(form: str, figures: Mapping[str, Figures]) -> None:
    """From now on these are what changes are compared with."""
    known = json.loads(BASELINE.read_text("utf-8")) if BASELINE.exists() else {}
    known[form] = {name: figures[name] for name in sorted(figures)}
    BASELINE.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", "utf-8")


def worse(figures: Mapping[str, Figures], baseline: Mapping[str, Figures]) -> list[str]:
    """Every figure that is worse than the accepted one by more than its tolerance."""
    found = []
    for name, row in figures.items():
        for figure, (share, some) in TOLERANCES.items():
            was, now = baseline.get(name, {}).get(figure), row[figure]
            if was is not None and now > was * (1 + share) + some:
                found.append(f"{name}: {figure} is {now:,.2f}, was {was:,.2f}")
    return found
