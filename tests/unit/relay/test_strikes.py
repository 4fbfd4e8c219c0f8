"""Who is remembered of those whose actions abort transactions."""

from builders import Village

from hubd.limits import RELAY_FEE_USTX_MIN, RELAY_FEES_DAY_USTX_MAX, RELAY_STRIKES_MAX, RELAY_STRUCK_MAX
from hubd.relay.strikes import STRIKE_PAUSE_S, Strikes

VILLAGE = Village(9)
MALLORY = VILLAGE.principal("mallory")


def struck(strikes: Strikes, count: int, now: float) -> None:
    for number in range(count):
        strikes.add(VILLAGE.principal(f"sybil {number}"), now)


def test_nobody_who_pauses_is_forgotten_for_all_that_a_days_fees_can_pay_for() -> None:
    strikes = Strikes()
    for _ in range(RELAY_STRIKES_MAX):
        strikes.add(MALLORY, 0)
    struck(strikes, RELAY_FEES_DAY_USTX_MAX // RELAY_FEE_USTX_MIN - RELAY_STRIKES_MAX, 1)
    assert strikes.is_paused(MALLORY, STRIKE_PAUSE_S - 1)
    assert not strikes.is_paused(MALLORY, STRIKE_PAUSE_S)


def test_whoever_struck_again_lately_outlasts_a_crowd_that_fills_the_table() -> None:
    strikes = Strikes()
    for now in range(RELAY_STRIKES_MAX):
        strikes.add(MALLORY, now)
        struck(strikes, RELAY_STRUCK_MAX - 1, now)
    assert strikes.is_paused(MALLORY, RELAY_STRIKES_MAX)
    struck(strikes, RELAY_STRUCK_MAX + 500, RELAY_STRIKES_MAX)
    assert len(strikes) == RELAY_STRUCK_MAX
    assert not strikes.is_paused(MALLORY, RELAY_STRIKES_MAX), "it struck before all of these"
