"""One new action along a line of hubs, in virtual time, beside the hops and the delay of their links alone."""

from bench.values import Figures
from tools.sim import scenario, story

SCENARIO = "line"


def measure() -> Figures:
    """Figures by name: the slowest of the scenario's seeds."""
    line = scenario.load()[SCENARIO]
    results = [story.run(line, seed) for seed in range(line.seeds)]
    assert all(result.is_good for result in results), "it came to every hub"
    spread_s = max(result.figures["spread_s"] for result in results)
    alone_s = (line.hubs - 1) * line.latency_s
    return {
        f"{line.hubs} hubs in a line, one new action, simulated": {
            "spread_s": spread_s, "hops_by_delay_s": alone_s, "of_hops_by_delay": spread_s / alone_s,
        },
    }  # fmt: skip
