"""`./dev bench [--json] [--check] [--peers] [--million]`: what the hub costs, beside raw limits and goals.

Machines differ and are noisy, so ratios are what is compared over time; the figures beside them are only for orientation.
`--check` ends with 1 where a goal is missed. `--peers` does the same work with a program of others as well; `--million`
gives the whole hub a million actions.
"""

import json
import sys
from typing import Any

from bench import dearest, ladder, large, line, million, reconcile, scrub, values, whole
from bench.goals import goals, judged, missed, shown
from bench.values import Figures

_HUB_ACTIONS = 20_000  # made, folded and scrubbed within the minute that the whole bench may take


def measure(*, with_peers: bool, hub_actions: int = _HUB_ACTIONS) -> Figures:
    """Every figure, by name. Says on stderr what is being measured."""
    found: Figures = {}
    for name, section in (
        ("single actions", values.measure),
        ("reconciliation", reconcile.measure),
        ("the dearest messages", dearest.measure),
        ("a million actions", million.measure),
        ("sessions over a million actions", ladder.measure),
        ("a line of hubs", line.measure),
    ):
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        found |= section()
    print(f"measuring a hub of {hub_actions:,} actions ...", file=sys.stderr, flush=True)
    found |= large.measure(hub_actions)
    print(f"measuring the scrub of {hub_actions:,} actions ...", file=sys.stderr, flush=True)
    found |= scrub.measure(hub_actions)
    print("measuring whole hubs ...", file=sys.stderr, flush=True)
    filled, bytes_each = whole.measure()
    found |= filled
    if with_peers:
        print("measuring Automerge ...", file=sys.stderr, flush=True)
        found |= whole.peers(bytes_each)
    return found


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {key: round(value, 3) if isinstance(value, float) else value for key, value in row.items()}


def main(arguments: list[str]) -> int:
    """Measure and print. 1 where a goal is missed and that was asked for."""
    hub_actions = million.ACTIONS if "--million" in arguments else _HUB_ACTIONS
    found = measure(with_peers="--peers" in arguments, hub_actions=hub_actions)
    asked = goals(hub_actions)
    rows, lacking = judged(found, asked), missed(found, asked)
    if "--json" in arguments:
        print(json.dumps({name: _rounded(row) for name, row in rows.items()}))
    else:
        width = max(map(len, rows)) + 2
        for name, row in rows.items():
            print(f"{name:<{width}}{shown(row)}")
    for each in lacking:
        print(f"missed: {each}", file=sys.stderr)
    return 1 if lacking and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
