"""Newcomers with several neighbours: each byte comes about once, and nobody keeps them waiting."""

import pytest

from hubd.limits import FILL_QUIET_S
from tools.sim import story
from tools.sim.scenario import Scenario

SEEDS = range(4)
FILL_S = 6  # of 3,000 actions at 100 kB/s
BEGIN_S = 4  # hubs start within two seconds, and look around every second


def filled(seed, **numbers):
    options = {"shape": "mesh", "end_s": 300.0, "prior": 3_000, "newcomers": 1, "bytes_per_s": 100_000.0} | numbers
    result = story.run(Scenario(name="filling", about="", **options), seed)
    assert result.is_good, result.findings
    return result.figures


@pytest.mark.parametrize("seed", SEEDS)
def test_four_neighbours_together_send_a_newcomer_what_one_would(seed):
    figures = filled(seed, hubs=5)
    assert figures["wire"] <= 1.1
    assert figures["settle_s"] <= FILL_S + BEGIN_S


@pytest.mark.parametrize("seed", SEEDS)
def test_two_that_promise_everything_and_give_nothing_cost_ten_seconds_each(seed):
    figures = filled(seed, hubs=5, misers=2)
    assert figures["wire"] <= 1.1
    assert figures["settle_s"] <= 2 * (FILL_QUIET_S + BEGIN_S) + FILL_S + BEGIN_S


@pytest.mark.parametrize("seed", SEEDS)
def test_two_newcomers_do_not_wait_for_each_other(seed):
    figures = filled(seed, hubs=5, newcomers=2)
    assert figures["wire"] <= 1.3
    assert figures["settle_s"] <= 2 * FILL_S + BEGIN_S


@pytest.mark.parametrize("seed", SEEDS)
def test_newcomers_in_a_row_are_filled_one_through_the_other(seed):
    figures = filled(seed, shape="line", hubs=5, newcomers=3)
    assert figures["settle_s"] <= 90


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_written_meanwhile_reaches_a_newcomer_before_it_is_full(seed):
    options = {"phones": 8, "visit_s": 2.0, "actions": 20, "write_from_s": 4.0, "write_s": 6.0}
    figures = filled(seed, hubs=5, bytes_per_s=20_000.0, **options)
    assert figures["spread_s"] <= 5
    assert figures["wire"] <= 1.3
