"""Who may bring many actions at once, under a clock of the test's own."""

import pytest

from hubd.action.network import TESTNET
from hubd.action.principal import standard
from hubd.gossip.floor import Floor
from hubd.gossip.peer import Side
from hubd.limits import (
    FILL_ACTIONS_MIN,
    FILL_BARRED_S,
    FILL_BYTES_PER_S_GOOD,
    FILL_BYTES_PER_S_MIN,
    FILL_GREETING_S,
    FILL_QUIET_S,
    FILL_SLOW_S,
)

ANNA, BIRGER, CARL = (standard(TESTNET.single_sig, bytes([number]) * 20) for number in range(3))
DIALLED, ACCEPTED = Side.DIALLED, Side.ACCEPTED
MUCH = FILL_ACTIONS_MIN


def filled_by(hub, *others, now=0.0):
    """A floor that this hub has and uses, while others were put off."""
    floor = Floor()
    assert floor.claim(hub, DIALLED, now)
    floor.counted(hub, DIALLED, MUCH, now)
    for other in others:
        assert not floor.claim(other, DIALLED, now)
        floor.counted(other, DIALLED, MUCH, now)
    return floor


def kept_s(floor, hub, *, bytes_per_s, until_s, step_s=0.5):
    """For how long a hub that brings so much keeps the floor."""
    now = 0.0
    while now < until_s and floor.claim(hub, DIALLED, now):
        now += step_s
        floor.brought(hub, int(bytes_per_s * step_s), now)
    return now


def test_one_has_the_floor_and_the_others_have_it_one_by_one_after_it():
    floor = filled_by(ANNA, BIRGER, CARL)
    assert floor.waits(BIRGER)
    assert floor.waits(CARL)
    floor.ended(ANNA, DIALLED, has_more=False)
    assert floor.claim(BIRGER, DIALLED, 1.0)
    assert not floor.waits(BIRGER)
    assert not floor.claim(CARL, DIALLED, 1.0)


def test_who_is_not_far_ahead_gives_it_back_when_it_greets():
    floor = Floor()
    floor.claim(ANNA, DIALLED, 0.0)
    floor.counted(ANNA, DIALLED, MUCH - 1, 0.1)
    assert floor.claim(BIRGER, DIALLED, 0.1)


def test_who_is_not_far_ahead_is_never_put_off():
    floor = filled_by(ANNA)
    floor.counted(BIRGER, DIALLED, MUCH - 1, 0.0)
    assert not floor.waits(BIRGER)


def test_who_has_the_floor_and_never_greets_loses_it_in_seconds():
    floor = Floor()
    floor.claim(ANNA, DIALLED, 0.0)
    assert not floor.claim(BIRGER, DIALLED, FILL_GREETING_S - 0.1)
    assert floor.claim(BIRGER, DIALLED, FILL_GREETING_S)


def test_who_promises_much_and_gives_nothing_loses_it_in_ten_seconds_and_comes_last_then():
    floor = filled_by(ANNA, BIRGER, CARL)
    assert not floor.claim(BIRGER, DIALLED, FILL_QUIET_S - 0.1)
    assert not floor.claim(ANNA, DIALLED, FILL_QUIET_S)
    assert floor.claim(BIRGER, DIALLED, FILL_QUIET_S)
    floor.ended(BIRGER, DIALLED, has_more=False)
    assert not floor.claim(ANNA, DIALLED, FILL_QUIET_S + FILL_BARRED_S - 0.1), "Carl still waits"
    assert floor.claim(ANNA, DIALLED, FILL_QUIET_S + FILL_BARRED_S)


def test_who_lost_it_and_is_the_only_one_may_try_again_at_once():
    floor = filled_by(ANNA)
    floor.counted(ANNA, DIALLED, MUCH, FILL_QUIET_S)
    assert floor.waits(ANNA)
    assert floor.claim(ANNA, DIALLED, FILL_QUIET_S)


@pytest.mark.parametrize(
    ("bytes_per_s", "at_least_s", "at_most_s"),
    [
        (FILL_BYTES_PER_S_GOOD, 7_200, 7_200),
        (FILL_BYTES_PER_S_GOOD / 2, 2 * FILL_SLOW_S - 1, 2 * FILL_SLOW_S + 1),
        (FILL_BYTES_PER_S_MIN, FILL_SLOW_S, FILL_SLOW_S / 0.9 + 1),
        (FILL_BYTES_PER_S_MIN / 2, FILL_QUIET_S, 2 * FILL_QUIET_S + 1),
        (0, FILL_QUIET_S, FILL_QUIET_S),
    ],
)
def test_the_slower_it_comes_the_sooner_the_floor_is_another_ones(bytes_per_s, at_least_s, at_most_s):
    kept = kept_s(filled_by(ANNA, BIRGER), ANNA, bytes_per_s=bytes_per_s, until_s=7_200)
    assert at_least_s <= kept <= at_most_s


def test_a_chunk_every_ten_seconds_is_enough_on_a_slow_link():
    floor = filled_by(ANNA, BIRGER)
    for number in range(1, 20):
        assert floor.claim(ANNA, DIALLED, 9.5 * number)
        floor.brought(ANNA, 64 * 1024, 9.5 * number)


def test_beginning_again_and_again_gives_no_more_time():
    floor = filled_by(ANNA, BIRGER)
    for tenths in range(100):
        floor.ended(ANNA, DIALLED, has_more=True)
        assert floor.claim(ANNA, DIALLED, tenths / 10)
        floor.counted(ANNA, DIALLED, MUCH, tenths / 10)
    assert not floor.claim(ANNA, DIALLED, FILL_QUIET_S + 0.1)


def test_what_others_bring_meanwhile_gives_no_more_time():
    floor = filled_by(ANNA, BIRGER)
    floor.brought(BIRGER, 10**6, 5.0)
    floor.brought(b"", 10**6, 6.0)
    assert floor.claim(BIRGER, DIALLED, FILL_QUIET_S)


def test_who_has_more_to_bring_keeps_the_floor_between_two_sessions():
    floor = filled_by(ANNA, BIRGER)
    floor.ended(ANNA, DIALLED, has_more=True)
    assert not floor.claim(BIRGER, DIALLED, 1.0)
    assert floor.claim(ANNA, DIALLED, 1.0)


def test_of_two_sessions_with_one_hub_one_has_the_floor_and_its_hub_waits_for_nothing():
    floor = filled_by(ANNA)
    assert not floor.claim(ANNA, ACCEPTED, 0.1)
    floor.counted(ANNA, ACCEPTED, MUCH, 0.1)
    floor.ended(ANNA, ACCEPTED, has_more=False)
    assert not floor.waits(ANNA)
    assert floor.claim(ANNA, DIALLED, 0.2)
    floor.ended(ANNA, DIALLED, has_more=False)
    assert floor.claim(BIRGER, DIALLED, 0.3)


def test_a_hub_that_is_gone_neither_waits_nor_is_waited_for():
    floor = filled_by(ANNA, BIRGER)
    floor.forget(BIRGER)
    assert not floor.waits(BIRGER)
    floor.ended(ANNA, DIALLED, has_more=False)
    floor.forget(ANNA)
    assert floor.claim(CARL, DIALLED, 0.0)


def test_it_is_known_who_fills_us_until_that_is_over():
    floor = Floor()
    floor.claim(ANNA, DIALLED, 0.0)
    assert not floor.is_filled(0.0)
    floor.counted(ANNA, DIALLED, MUCH, 0.0)
    assert floor.is_filled_by(ANNA, 0.0)
    assert not floor.is_filled_by(BIRGER, 0.0)
    assert not floor.is_filled_by(b"", 0.0)
    assert not floor.is_filled(FILL_QUIET_S)
