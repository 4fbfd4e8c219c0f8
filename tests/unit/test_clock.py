"""Who is believed about the clock: all small mixtures of witnesses, and each one's limits."""

from itertools import product

import pytest

from hubd.clock import Brought, Clock, KeepMark, Looked, Now, State, Tell, Verdict, Witness
from hubd.limits import (
    CLOCK_CHAIN_S,
    CLOCK_MARK_S,
    CLOCK_OLDER_S,
    CLOCK_PERSONS_MAX,
    CLOCK_WORD_S,
    CLOCKS_APART_S,
)

T = 1_767_225_600  # what the clock shows in most of these
DAY_S = 86_400
NOW = Now(T, 1_000.0)
UNCONFIRMED = Verdict(State.UNCONFIRMED)
ALONE, SERVED = Looked(is_synchronised=False, chain_s=None), Looked(is_synchronised=True, chain_s=None)


def person(number: int) -> bytes:
    return number.to_bytes(21, "big")


def heard(*created_s: int, clock: Clock | None = None, now: Now = NOW) -> Clock:
    """A clock to which so many persons brought something signed then."""
    clock = clock or Clock()
    for number, each in enumerate(created_s):
        assert clock.handle(Brought(person(number), each), now) == []
    return clock


def states(clock: Clock, now: Now = NOW) -> tuple[State, Witness]:
    verdict = clock.verdict(now)
    return verdict.state, verdict.by


def test_a_clock_of_which_nobody_spoke_is_not_confirmed():
    assert Clock().verdict(NOW) == UNCONFIRMED
    assert Clock().handle(ALONE, NOW) == [Tell(UNCONFIRMED)]


BEHIND, RIGHT, LATE, OLD = T + DAY_S, T - 100, T - DAY_S, T - CLOCK_OLDER_S - DAY_S
MEANT = {BEHIND: State.BEHIND, RIGHT: State.CONFIRMED, OLD: State.AHEAD}


@pytest.mark.parametrize("count", range(7))
def test_every_mixture_of_phones_is_judged_by_the_largest_group_of_three(count):
    for said in product((BEHIND, RIGHT, LATE, OLD), repeat=count):
        groups = {created_s: said.count(created_s) for created_s in MEANT}
        largest = max(groups, key=lambda each: groups[each])
        is_alone = list(groups.values()).count(groups[largest]) == 1
        expected = MEANT[largest] if groups[largest] >= 3 and is_alone else State.UNCONFIRMED
        assert heard(*said).verdict(NOW).state is expected, said


def test_one_liar_changes_nothing_whatever_it_says():
    for lie in (0, OLD, BEHIND, 2**62):
        assert heard(lie).verdict(NOW) == UNCONFIRMED
        assert states(heard(lie, RIGHT, RIGHT, RIGHT)) == (State.CONFIRMED, Witness.PHONES)
        clock = heard(T - 1)
        for number in range(1_000):
            clock.handle(Brought(person(0), lie + number), NOW)
        assert clock.verdict(NOW) == UNCONFIRMED, "a thousand words of one person are one"


def test_a_distance_is_believed_as_far_as_three_persons_go():
    assert heard(T + 1_000, T + 5_000, T + 3_000, 2**62).verdict(NOW).off_s == 3_000
    older = heard(OLD, OLD - 500, OLD - 900, 0).verdict(NOW)
    assert (older.state, older.off_s) == (State.AHEAD, T - OLD + 900)


def test_the_bounds_of_the_groups_are_exact():
    apart, older = CLOCKS_APART_S, CLOCK_OLDER_S
    for created_s, state in (
        (T + apart + 1, State.BEHIND),
        (T + apart, State.CONFIRMED),
        (T - apart, State.CONFIRMED),
        (T - apart - 1, State.UNCONFIRMED),
        (T - older, State.UNCONFIRMED),
        (T - older - 1, State.AHEAD),
    ):
        assert heard(*[created_s] * 3).verdict(NOW).state is state


def test_what_waited_on_a_phone_is_no_word_against_what_the_same_phone_just_signed():
    clock = heard(T, T, T)
    assert states(heard(OLD, LATE, OLD, clock=clock)) == (State.CONFIRMED, Witness.PHONES)


def test_setting_the_clock_right_is_seen_at_once():
    clock = heard(BEHIND, BEHIND, BEHIND)
    assert states(clock) == (State.BEHIND, Witness.PHONES)
    assert states(clock, Now(BEHIND + 60, NOW.steady_s + 60)) == (State.CONFIRMED, Witness.PHONES)


def test_a_word_counts_for_two_weeks_and_the_latest_few_are_kept():
    clock = heard(T, T, T)
    for age_s, state in ((CLOCK_WORD_S - 1, State.CONFIRMED), (CLOCK_WORD_S, State.UNCONFIRMED)):
        assert clock.verdict(Now(T + age_s, NOW.steady_s + age_s)).state is state
    crowd = heard(T, T, T, *[LATE] * CLOCK_PERSONS_MAX)
    assert crowd.verdict(NOW) == UNCONFIRMED
    assert len(crowd._phones) == CLOCK_PERSONS_MAX


def test_time_servers_outrank_everybody_else():
    clock = heard(BEHIND, BEHIND, BEHIND, clock=Clock(mark_s=T + DAY_S, charter_s=T + DAY_S))
    [keep, tell] = clock.handle(Looked(is_synchronised=True, chain_s=T + DAY_S), NOW)
    assert keep == KeepMark(T), "a mark that proves wrong goes back"
    assert tell == Tell(Verdict(State.CONFIRMED, Witness.NTP, 0, 0))


def test_the_word_of_time_servers_outlives_the_network_until_the_clock_is_set():
    clock = Clock()
    clock.handle(SERVED, NOW)
    later = Now(T + DAY_S, NOW.steady_s + DAY_S)
    assert clock.handle(ALONE, later) == []
    assert clock.verdict(later) == Verdict(State.CONFIRMED, Witness.NTP, 0, DAY_S)
    for set_by_s, state in ((-3_600, State.BEHIND), (3_600, State.AHEAD)):
        moved = Now(later.wall_s + set_by_s, later.steady_s)
        assert clock.verdict(moved) == Verdict(state, Witness.NTP, 3_600, DAY_S)
    assert states(clock, Now(T + CLOCK_WORD_S, NOW.steady_s + CLOCK_WORD_S)) == (State.UNCONFIRMED, Witness.NOBODY)


def test_the_chain_and_the_mark_are_bounds_below_and_confirm_nothing():
    clock = Clock()
    for chain_s, expected in (
        (None, UNCONFIRMED),
        (T, UNCONFIRMED),
        (T - 10 * 365 * DAY_S, UNCONFIRMED),
        (T + CLOCK_CHAIN_S + CLOCKS_APART_S, UNCONFIRMED),
        (T + CLOCK_CHAIN_S + DAY_S, Verdict(State.BEHIND, Witness.CHAIN, DAY_S)),
    ):
        clock.handle(Looked(is_synchronised=False, chain_s=chain_s), NOW)
        assert clock.verdict(NOW) == expected
    assert Clock(mark_s=T + CLOCKS_APART_S).verdict(NOW) == UNCONFIRMED
    assert Clock(mark_s=T + DAY_S).verdict(NOW) == Verdict(State.BEHIND, Witness.MARK, DAY_S)


def test_phones_are_weaker_than_what_was_certain_and_stronger_than_a_charter():
    assert states(heard(T, T, T, clock=Clock(mark_s=T + DAY_S))) == (State.BEHIND, Witness.MARK)
    assert states(heard(T, T, T, clock=Clock(charter_s=T + DAY_S))) == (State.CONFIRMED, Witness.PHONES)
    assert states(Clock(charter_s=T + DAY_S)) == (State.BEHIND, Witness.CHARTER)


def test_only_what_time_servers_confirm_becomes_the_mark_once_an_hour():
    clock = heard(T, T, T)
    assert [type(out) for out in clock.handle(ALONE, NOW)] == [Tell]
    kept = []
    for minute in range(0, 2 * CLOCK_MARK_S, 60):
        kept += [out for out in clock.handle(SERVED, Now(T + minute, 1_000.0 + minute)) if isinstance(out, KeepMark)]
    assert kept == [KeepMark(T), KeepMark(T + CLOCK_MARK_S)]


def test_a_change_is_told_once():
    clock = Clock()
    looks = [ALONE, ALONE, SERVED, SERVED, ALONE]
    told = [out.verdict.state for look in looks for out in clock.handle(look, NOW) if isinstance(out, Tell)]
    assert told == [State.UNCONFIRMED, State.CONFIRMED]
