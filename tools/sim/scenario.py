"""Scenarios: what tests/sim/scenarios.toml says, read strictly.

A table is one scenario. Its sub-tables `quick` and `campaign` change it for the two forms, `expect` bounds what comes of
it, `damage` is what befalls single frames, and each `[[NAME.faults]]` is something that goes wrong again and again until
`calm_s`.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from tools.sim.middlebox import NONE, Damage
from tools.steps import ROOT

PATH = ROOT / "tests" / "sim" / "scenarios.toml"
SHAPES = ("line", "star", "mesh", "web", "islands")
FAULTS = ("partition", "crash", "restore", "break", "battery")


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong every `every_s` seconds or so, and lasts `for_s` or so."""

    kind: str
    every_s: float
    for_s: float = 0.0


@dataclass(frozen=True)
class Expect:
    """Bounds of what comes of a story; one at 0 is not asked for."""

    settle_s_max: float = 0.0  # from the calm, or from the last new action, until all honest hubs hold the same
    spread_s_max: float = 0.0  # from its first hub to its last, of the slowest action
    mended_spread_s_max: float = 0.0  # ... of those that came when links had been mended for a while
    delivery_bytes_max: float = 0.0  # on the wire, for one action at one more hub
    prove_s_max: float = 0.0  # until every hub that is linked has proven it
    wire_max: float = 0.0  # bytes on the wire for each byte of actions that were new somewhere
    junk_max: float = 0.0  # actions of strangers that came in


@dataclass(frozen=True)
class Scenario:
    """One story without its seed. Times are virtual seconds."""

    name: str
    about: str
    shape: str
    hubs: int
    end_s: float  # when patience ends
    calm_s: float = 0.0  # when faults end
    islands: int = 1
    degree: int = 4  # of a hub in a web
    phones: int = 0
    visit_s: float = 60.0  # between two visits of a phone
    reads: bool = False  # whether phones take the village's actions home
    wrong_clocks: bool = False  # every third phone believes it is 1970, or ten years later
    mules: int = 0
    hop_s: float = 300.0  # of a mule, from one island to the next
    contact_breaks: float = 0.0  # share of messages between a visitor and a hub at which the contact breaks
    prior: int = 0  # actions that all hubs but the newcomers hold from the beginning
    bare: float = 0.0  # share whose text is missing, at each hub another; one in ten is erased, the first hub knows
    newcomers: int = 0
    retire_s: float = 0.0  # when a steward retires the last hub; membership is what the set says then
    admit_s: float = 0.0  # when a steward admits the hub before it, which was none of the mesh
    actions: int = 0  # written by the phones, in turn
    letters: int = 0  # of the text that goes with each of them
    write_from_s: float = 5.0
    write_s: float = 0.0  # how long they go on writing
    liars: int = 0
    withholders: int = 0
    misers: int = 0
    sybils: int = 0  # strangers who register and write, at all doors
    interval_s: float = 30.0
    tick_s: float = 1.0
    latency_s: float = 0.02
    jitter_s: float = 0.0
    bytes_per_s: float = 2_000_000.0
    views: bool = False  # whether the views of all hubs are folded and compared in the end
    seeds: int = 1
    damage: Damage = NONE  # of single frames, as a broken middlebox does it
    faults: tuple[Fault, ...] = ()
    expect: Expect = Expect()

    def __post_init__(self) -> None:
        assert self.shape in SHAPES, self.shape
        assert all(fault.kind in FAULTS for fault in self.faults), self.faults
        assert self.newcomers < self.honest, "somebody is honest and holds something"
        assert (self.retire_s > 0) == (self.admit_s > 0), "membership turns over both ways"
        assert self.hubs > 3 or not self.retire_s, "somebody stays"
        assert self.islands > 0, "every hub is somewhere"
        assert self.phones or not self.actions, "phones write"

    @property
    def honest(self) -> int:
        """How many hubs are honest. They come first, and of them the newcomers last."""
        return self.hubs - self.liars - self.withholders - self.misers


def load(path: Path = PATH, form: str = "quick") -> dict[str, Scenario]:
    """The scenarios of a file in one of the forms."""
    return {name: _scenario(name, table, form) for name, table in tomllib.loads(path.read_text("utf-8")).items()}


def _scenario(name: str, table: Mapping[str, Any], form: str) -> Scenario:
    plain = {key: value for key, value in table.items() if key not in ("quick", "campaign", "expect", "faults")}
    merged = plain | table.get(form, {})
    expect = table.get("expect", {}) | merged.pop("expect", {})
    merged["damage"] = Damage(**merged.get("damage", {}))
    return Scenario(
        name=name, faults=tuple(Fault(**fault) for fault in table.get("faults", ())), expect=Expect(**expect), **merged
    )


def smaller(scenario: Scenario, **numbers: Any) -> Scenario:
    """The same scenario with other numbers."""
    return replace(scenario, **numbers)


def differences(scenario: Scenario, other: Scenario) -> dict[str, Any]:
    """The fields of `other` that are not as in `scenario`."""
    return {
        each.name: getattr(other, each.name)
        for each in fields(Scenario)
        if getattr(scenario, each.name) != getattr(other, each.name)
    }
