"""`./dev bench [--json] [--peers] [--million]`: what the hub costs, each figure beside a raw limit measured in the same run.

Machines differ and are noisy, so ratios are what is compared over time; the figures beside them are only for orientation.
`--peers` does the same work with a program of others as well; `--million` gives the whole hub a million actions.
"""

import json
import sys

from bench import dearest, ladder, large, million, reconcile, scrub, values, whole
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


def main(arguments: list[str]) -> None:
    """Measure and print."""
    hub_actions = million.ACTIONS if "--million" in arguments else _HUB_ACTIONS
    found = measure(with_peers="--peers" in arguments, hub_actions=hub_actions)
    if "--json" in arguments:
        print(json.dumps({name: {key: round(value, 3) for key, value in row.items()} for name, row in found.items()}))
        return
    width = max(map(len, found)) + 2
    for name, row in found.items():
        print(
            f"{name:<{width}}"
            + "  ".join(f"{key} {value:,.3g}" if value < 100 else f"{key} {value:,.0f}" for key, value in row.items())
        )


if __name__ == "__main__":
    main(sys.argv[1:])
