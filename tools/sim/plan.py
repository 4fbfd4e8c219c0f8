"""What is to happen in a story, decided beforehand: every fault and every writing, with its time.

Each list has a chance of its own, so that leaving one entry out changes no other: that is what makes a failing story
small (`shrink`). Entries name hubs and phones by a share of them, so that they still mean something in a smaller mesh.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from tools.sim.scenario import Fault, Scenario


@dataclass(frozen=True)
class Mishap:
    """One fault. `picks` choose whom it strikes and how."""

    at_s: float
    kind: str
    for_s: float
    picks: tuple[float, ...]


@dataclass(frozen=True)
class Writing:
    """One action that somebody writes."""

    at_s: float
    pick: float


@dataclass(frozen=True)
class Plan:
    """All of it, in the order of time."""

    mishaps: tuple[Mishap, ...]
    writings: tuple[Writing, ...]


def plan_of(scenario: Scenario, seed: int) -> Plan:
    """The plan of a scenario with a seed."""
    mishaps = [
        mishap
        for position, fault in enumerate(scenario.faults)
        for mishap in _mishaps(fault, scenario.calm_s, random.Random(f"{seed} {position} {fault.kind}"))  # noqa: S311
    ]
    chance = random.Random(f"{seed} writings")  # noqa: S311
    writings = [
        Writing(scenario.write_from_s + chance.random() * scenario.write_s, chance.random())
        for _ in range(scenario.actions)
    ]
    return Plan(
        tuple(sorted(mishaps, key=lambda mishap: mishap.at_s)), tuple(sorted(writings, key=lambda each: each.at_s))
    )


def _mishaps(fault: Fault, until_s: float, chance: random.Random) -> Iterator[Mishap]:
    at_s = fault.every_s * chance.random()
    while at_s < until_s:
        for_s = min(fault.for_s * (0.5 + chance.random()), until_s - at_s)
        yield Mishap(at_s, fault.kind, for_s, tuple(chance.random() for _ in range(3)))
        at_s += fault.every_s * (0.5 + chance.random())
