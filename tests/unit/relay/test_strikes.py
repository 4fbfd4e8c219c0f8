"""Who is remembered of those whose actions abort transactions."""

from builders import Village

from hubd.limits import RELAY_STRIKES_MAX, RELAY_STRUCK_MAX
from hubd.relay.strikes import STRIKE_PAUSE_S, Strikes

VILLAGE = Village(9)
MALLORY = VILLAGE.principal("mallory")


def struck(strikes: Strikes, count: int, now: float) -> None:
    for number in range(count):
        strikes.add(VILLAGE.principal(f"sybil {number}"), now)


def test_an_author_pauses_a_day_from_its_third_on() -> None:
    strikes = Strikes()
    for now in range(RELAY_STRIKES_MAX):
        assert not strikes.is_paused(MALLORY, now)
        strikes.add(MALLORY, now)
    assert strikes.is_paused(MALLORY, RELAY_STRIKES_MAX + STRIKE_PAUSE_S - 2)
    assert not strikes.is_paused(MALLORY, RELAY_STRIKES_MAX + STRIKE_PAUSE_S - 1)


def test_nobody_who_pauses_is_forgotten_however_many_strikes_a_day_pays_for() -> None:
    strikes = Strikes()
    for _ in range(RELAY_STRIKES_MAX):
        strikes.add(MALLORY, 0)
    for now in range(1, 4 * RELAY_STRUCK_MAX):
        strikes.add(VILLAGE.principal(f"sybil {now}"), now)
    assert len(strikes) == RELAY_STRUCK_MAX
    assert strikes.is_paused(MALLORY, STRIKE_PAUSE_S - 1)


def test_a_table_full_of_those_who_pause_remembers_nobody_new_until_a_pause_is_over() -> None:
    strikes = Strikes()
    for _ in range(RELAY_STRIKES_MAX):
        struck(strikes, RELAY_STRUCK_MAX, 0)
    for now in (1, STRIKE_PAUSE_S):
        for _ in range(RELAY_STRIKES_MAX):
            strikes.add(MALLORY, now)
        assert len(strikes) == RELAY_STRUCK_MAX
        assert strikes.is_paused(MALLORY, now) == (now == STRIKE_PAUSE_S)


def test_of_those_who_do_not_pause_the_one_whose_last_strike_is_the_oldest_is_forgotten() -> None:
    strikes = Strikes()
    strikes.add(MALLORY, 0)
    struck(strikes, RELAY_STRUCK_MAX - 1, 1)
    for now in range(2, RELAY_STRIKES_MAX):
        strikes.add(MALLORY, now)
    strikes.add(VILLAGE.principal("one more"), 10)
    assert len(strikes) == RELAY_STRUCK_MAX
    strikes.add(MALLORY, 11)
    assert strikes.is_paused(MALLORY, 12), "its first ones count still"
    for _ in range(RELAY_STRIKES_MAX - 1):
        strikes.add(VILLAGE.principal("sybil 0"), 11)
    assert not strikes.is_paused(VILLAGE.principal("sybil 0"), 12), "its first one was forgotten"
