"""What the figures are to be: the goals, beside the names of what is measured.

A goal that is a ratio, a count or a size holds on every machine. One in milliseconds, or in work per second of CPU, is for
a core that recovers `MACHINE_RECOVERIES` signers a second; how another machine is to be read stands in CONTRIBUTING.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from bench import million, values, whole
from bench.values import Figures

MACHINE_RECOVERIES = 24_700  # per CPU-second, of the machine that the goals were set on
_RECOVERY = "raw signature recovery"
_SESSION = f"session over {million.ACTIONS:,}: "
_KEPT = f"reconcile {million.ACTIONS:,} kept items, {million.DIFFERENT} "
_FILLED = f"{whole.ACTIONS:,} actions to an empty hub"


@dataclass(frozen=True, slots=True)
class Goal:
    """One figure of one row, and what it is to be: at least, or at most."""

    row: str
    figure: str
    sign: str
    bound: float

    def is_met(self, found: float) -> bool:
        """Whether such a figure is good enough."""
        return found >= self.bound if self.sign == ">=" else found <= self.bound

    @property
    def wanted(self) -> str:
        """As people read it."""
        return f"{self.sign} {self.bound:,g}"


def goals(hub_actions: int) -> Iterable[Goal]:
    """Every goal, where the whole hub holds so many actions: what it is to keep with a million, it keeps with fewer."""
    hub = f"whole hub, {hub_actions:,} actions"
    least = {
        (f"ingest, verified and durable, batches of {values.BATCH}", "of_raw_recovery"): 0.6,
        (f"{_FILLED}, receiver", "per_cpu_s"): 10_000,
    }
    most = {
        (f"{_FILLED}, both sides", "wire_of_payload"): 1.15,
        (f"{_SESSION}equal", "bytes"): 350,
        (f"{_SESSION}equal", "round_trips"): 1,
        (f"{_KEPT}newest lacking", "cpu_ms_asking"): 15,
        (f"{_KEPT}newest lacking", "cpu_ms_asked"): 15,
        (f"{_KEPT}newest lacking", "round_trips"): 3,
        (f"{_SESSION}100 newest lacking, by cursor", "round_trips_to_bodies"): 1,
        (f"{_SESSION}100 scattered lacking, by sketch", "bytes_to_differences"): 8_000,
        (f"{_SESSION}100 scattered lacking, by sketch", "round_trips_to_differences"): 2,
        (f"{_KEPT}scattered lacking", "cpu_ms_asking"): 350,
        (f"{_KEPT}scattered lacking", "cpu_ms_asked"): 350,
        (f"ready to compare {million.ACTIONS:,} actions after a start", "cpu_ms"): 20,
        (f"{hub}, start to first session", "wall_ms"): 20,
        (hub, "rss_mb_start"): 80,
        (hub, "rss_mb_fold_scrub"): 80,
        (hub, "rss_mb_session"): 80,
        (hub, "rss_mb_asking"): 80,
        (hub, "rss_mb_phone"): 80,
        ("50 hubs in a line, one new action, simulated", "of_hops_by_delay"): 2,
    }
    signed = chain(((">=", each) for each in least.items()), (("<=", each) for each in most.items()))
    return [Goal(row, figure, sign, bound) for sign, ((row, figure), bound) in signed]


def judged(found: Figures, asked: Iterable[Goal]) -> dict[str, dict[str, Any]]:
    """The rows with the goals of their figures (`goal`), and whether these are met (`met`)."""
    rows: dict[str, dict[str, Any]] = {name: dict(row) for name, row in found.items()}
    for goal in asked:
        if goal.figure in (row := rows.get(goal.row, {})):
            row.setdefault("goal", {})[goal.figure] = goal.wanted
            row.setdefault("met", {})[goal.figure] = goal.is_met(row[goal.figure])
    if _RECOVERY in rows:
        rows[_RECOVERY]["of_goals_machine"] = rows[_RECOVERY]["per_cpu_s"] / MACHINE_RECOVERIES
    return rows


def missed(found: Figures, asked: Iterable[Goal]) -> list[str]:
    """A line for each goal that is not met, or whose figure was not measured."""
    lines = []
    for goal in asked:
        figure = found.get(goal.row, {}).get(goal.figure)
        if figure is None:
            lines.append(f"{goal.row}: {goal.figure} was not measured, the goal is {goal.wanted}")
        elif not goal.is_met(figure):
            lines.append(f"{goal.row}: {goal.figure} is {figure:,.3f}, the goal is {goal.wanted}")
    return lines


def shown(row: Mapping[str, Any]) -> str:
    """The figures of a judged row in a line, each with its goal."""
    wanted, met = row.get("goal", {}), row.get("met", {})
    parts = []
    for key, value in row.items():
        if key in ("goal", "met"):
            continue
        said = f"{key} {value:,.3g}" if value < 100 else f"{key} {value:,.0f}"
        parts.append(said + (f" ({wanted[key]}: {'met' if met[key] else 'MISSED'})" if key in wanted else ""))
    return "  ".join(parts)
