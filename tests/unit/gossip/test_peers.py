"""Whom to talk to when, which link to keep, whom to leave alone: the peers machine under a clock of the test's own."""

from dataclasses import replace

import pytest
from desks import ACCEPTED, DIALLED, HIGH, LOW, PROVEN, US, Desk, hub, member, news

from hubd.gossip.dialogue import Ended
from hubd.gossip.peer import (
    BeginSession,
    Dial,
    FaultSeen,
    HangUp,
    LinkLost,
    LinkOpened,
    MembersChanged,
    NudgeReceived,
    PushJudged,
    PushTaken,
    SendNudge,
    SessionEnded,
)
from hubd.limits import (
    PEER_BAN_S,
    PEER_FAULTS_MAX,
    PEER_FAULTS_S,
    SESSION_AGAIN_S,
    SESSION_REFUSED_MAX,
    SESSION_STALLED_S_MAX,
    SESSIONS_BURST_MAX,
    SESSIONS_PER_S_MAX,
)


def test_an_admitted_hub_is_dialled_at_its_address_with_its_key_and_we_are_not():
    assert Desk(member(LOW, "a:1")).after(0) == [Dial(member(LOW, "a:1"), "a:1")]


def test_a_hub_without_a_known_address_waits():
    assert Desk(member(LOW)).after(1_000) == []


def test_a_dialled_hub_is_talked_to_at_once_and_then_in_intervals():
    desk = Desk(member(LOW, "a:1"))
    desk.after(0)
    assert desk.tell(LinkOpened(hub(LOW), DIALLED)) == [BeginSession(hub(LOW))]
    assert desk.after(100) == [], "one session at a time"
    desk.tell(SessionEnded(hub(LOW), DIALLED, PROVEN))
    assert desk.after(59) == []
    assert desk.after(1) == [BeginSession(hub(LOW))]


def test_who_takes_everything_and_does_not_grow_is_given_it_more_and_more_seldom_until_a_proof():
    desk = Desk(member(LOW, "a:1"))
    desk.up(LOW)
    drops = SessionEnded(hub(LOW), DIALLED, Ended(is_proven=False, code="busy", sent=1_000, peer_grew=3))
    waits = []
    for _ in range(12):
        desk.tell(drops)
        desk.tell(NudgeReceived(hub(LOW)))
        began = desk.now
        while desk.after(1) != [BeginSession(hub(LOW))]:
            assert desk.peers.rests(hub(LOW), desk.now), "nor may it begin one itself"
        waits.append(desk.now - began)
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600]
    desk.tell(SessionEnded(hub(LOW), DIALLED, PROVEN))
    desk.tell(SessionEnded(hub(LOW), DIALLED, replace(drops.ended, peer_grew=900)))
    assert not desk.peers.rests(hub(LOW), desk.now)
    assert desk.after(SESSION_AGAIN_S) == [BeginSession(hub(LOW))]


def test_who_is_put_off_gains_nothing_by_hanging_up_and_being_dialled_again():
    desk = Desk(member(LOW, "a:1"))
    desk.up(LOW)
    for _ in range(5):
        desk.tell(SessionEnded(hub(LOW), DIALLED, Ended(is_proven=False, code="busy", sent=1_000)))
    desk.tell(LinkLost(hub(LOW), DIALLED, "closed"))
    assert desk.after(2) == [Dial(member(LOW, "a:1"), "a:1")]
    assert desk.tell(LinkOpened(hub(LOW), DIALLED)) == []
    assert desk.after(20) == []
    assert desk.after(20) == [BeginSession(hub(LOW))]


def test_sessions_that_our_own_card_could_not_be_read_for_come_more_and_more_seldom_until_a_proof():
    desk, unread = Desk(member(LOW, "a:1")), Ended(is_proven=False, code="database", received=3)
    desk.up(LOW)
    waits = []
    for _ in range(12):
        desk.tell(SessionEnded(hub(LOW), DIALLED, unread))
        waits.append(max(desk.peer(LOW).session_at, desk.peer(LOW).giving.rests_until) - desk.now)
        assert desk.peers.rests(hub(LOW), desk.now)
        desk.now += waits[-1]
    assert waits == sorted(waits)
    assert waits[-1] == SESSION_STALLED_S_MAX
    desk.tell(SessionEnded(hub(LOW), DIALLED, PROVEN))
    assert not desk.peers.rests(hub(LOW), desk.now)


def test_a_session_that_moved_something_and_proved_nothing_is_followed_by_another_soon():
    desk = Desk(member(LOW, "a:1"))
    desk.up(LOW)
    desk.tell(SessionEnded(hub(LOW), DIALLED, Ended(is_proven=False, code="busy", received=3)))
    assert desk.after(SESSION_AGAIN_S) == [BeginSession(hub(LOW))]


@pytest.mark.parametrize("ended", [
    Ended(is_proven=False, code="missing"),
    Ended(is_proven=False, code="deferred", sent=3),
    Ended(is_proven=False, code="remote-fault", sent=3),
])  # fmt: skip
def test_a_session_that_moved_nothing_or_was_refused_is_not_repeated_in_haste(ended):
    desk = Desk(member(LOW, "a:1"))
    desk.up(LOW)
    desk.tell(SessionEnded(hub(LOW), DIALLED, ended))
    assert desk.after(SESSION_AGAIN_S) == []


def test_a_hub_that_dialled_us_is_not_dialled():
    desk = Desk(member(LOW, "a:1"))
    desk.tell(LinkOpened(hub(LOW), ACCEPTED))
    assert desk.after(1_000) == []
    desk.tell(LinkLost(hub(LOW), ACCEPTED, "closed"))
    assert desk.after(0) == [Dial(member(LOW, "a:1"), "a:1")]


@pytest.mark.parametrize("first", [DIALLED, ACCEPTED])
def test_of_two_links_with_one_hub_the_greater_principal_drops_its_own(first):
    second = ACCEPTED if first is DIALLED else DIALLED
    greater, lesser = Desk(member(LOW, "a:1")), Desk(member(HIGH, "a:1"))
    greater.up(LOW, first)
    assert HangUp(hub(LOW), DIALLED) in greater.up(LOW, second)
    assert set(greater.peer(LOW).links) == {ACCEPTED}
    lesser.up(HIGH, first)
    assert not any(isinstance(out, HangUp) for out in lesser.up(HIGH, second))
    assert set(lesser.peer(HIGH).links) == {DIALLED, ACCEPTED}


def test_the_surplus_link_is_dropped_only_when_its_session_is_over():
    desk = Desk(member(LOW, "a:1"))
    desk.after(0)
    assert desk.tell(LinkOpened(hub(LOW), DIALLED)) == [BeginSession(hub(LOW))]
    assert desk.tell(LinkOpened(hub(LOW), ACCEPTED)) == []
    assert desk.tell(SessionEnded(hub(LOW), DIALLED, PROVEN)) == [HangUp(hub(LOW), DIALLED)]


def test_what_was_pushed_over_a_surplus_link_is_asked_for_soon_over_the_other():
    desk = Desk(member(LOW, "a:1"))
    desk.up(LOW, DIALLED)
    desk.tell(news(b"an action"))
    assert HangUp(hub(LOW), DIALLED) in desk.up(LOW, ACCEPTED)
    assert SendNudge(hub(LOW)) in desk.after(SESSION_AGAIN_S + 1)


def test_a_link_is_no_surplus_any_more_once_the_other_is_lost():
    desk = Desk(member(LOW, "a:1"))
    desk.tell(LinkOpened(hub(LOW), DIALLED))
    desk.tell(LinkOpened(hub(LOW), ACCEPTED))
    desk.tell(LinkLost(hub(LOW), ACCEPTED, "closed"))
    assert desk.tell(SessionEnded(hub(LOW), DIALLED, PROVEN)) == []


def test_a_retired_hub_is_cut_off_at_once_on_every_side():
    desk = Desk(member(LOW, "a:1"), member(HIGH, "b:1"))
    desk.up(HIGH, DIALLED)
    desk.up(HIGH, ACCEPTED)
    assert desk.tell(MembersChanged([member(LOW, "a:1"), member(US)])) == [
        HangUp(hub(HIGH), DIALLED),
        HangUp(hub(HIGH), ACCEPTED),
    ]
    assert not desk.peers.welcomes(hub(HIGH), desk.now)
    assert desk.peers.welcomes(hub(LOW), desk.now)
    assert desk.tell(LinkOpened(hub(HIGH), ACCEPTED)) == []


def test_a_dial_to_a_hub_that_is_retired_meanwhile_is_called_off():
    desk = Desk(member(LOW, "a:1"))
    desk.after(0)
    assert desk.tell(MembersChanged([])) == [HangUp(hub(LOW), DIALLED)]


def test_a_hub_that_announces_another_key_is_cut_off_and_met_anew():
    desk = Desk(member(LOW, "a:1"))
    desk.up(LOW)
    renewed = member(LOW, "a:1", key=7)
    assert desk.tell(MembersChanged([renewed])) == [HangUp(hub(LOW), DIALLED)]
    assert desk.after(0) == [Dial(renewed, "a:1")]


def test_a_new_address_of_a_known_hub_leaves_its_link_alone():
    desk = Desk(member(LOW, "a:1"))
    desk.up(LOW)
    assert desk.tell(MembersChanged([member(LOW, "b:2")])) == []
    assert desk.peer(LOW).is_up


def test_we_do_not_welcome_ourselves():
    assert not Desk(member(LOW)).peers.welcomes(hub(US), 0)


def test_faults_in_a_short_time_ban_a_hub_and_the_ban_expires():
    desk = Desk(member(LOW, "a:1"))
    desk.up(LOW)
    for _ in range(PEER_FAULTS_MAX - 1):
        assert desk.tell(FaultSeen(hub(LOW), "frame")) == []
    assert desk.tell(FaultSeen(hub(LOW), "frame")) == [HangUp(hub(LOW), DIALLED)]
    assert not desk.peers.welcomes(hub(LOW), desk.now)
    assert desk.after(PEER_BAN_S - 1) == []
    assert desk.after(1) == [Dial(member(LOW, "a:1"), "a:1")]
    assert desk.peers.welcomes(hub(LOW), desk.now)


@pytest.mark.parametrize("goes", [False, True], ids=["announces another key", "is no member for a moment"])
def test_a_ban_outlives_whatever_a_hub_can_do_about_its_membership(goes):
    desk = Desk(member(LOW, "a:1"))
    desk.up(LOW)
    for _ in range(PEER_FAULTS_MAX):
        desk.tell(FaultSeen(hub(LOW), "frame"))
    if goes:
        desk.tell(MembersChanged([]))
    desk.tell(MembersChanged([member(LOW, "a:1", key=7)]))
    assert not desk.peers.welcomes(hub(LOW), desk.now)
    assert desk.after(PEER_BAN_S - 1) == []
    assert desk.after(1) == [Dial(member(LOW, "a:1", key=7), "a:1")]


@pytest.mark.parametrize("goes", [False, True], ids=["announces another key", "is no member for a moment"])
def test_neither_faults_nor_sessions_nor_what_it_was_given_are_forgotten_for_another_key(goes):
    desk = Desk(member(LOW, "a:1"))
    desk.up(LOW)
    for _ in range(PEER_FAULTS_MAX - 1):
        desk.tell(FaultSeen(hub(LOW), "frame"))
    while desk.peers.admits_session(hub(LOW), desk.now):
        pass
    desk.tell(SessionEnded(hub(LOW), DIALLED, Ended(is_proven=False, code="busy", sent=1_000)))
    if goes:
        desk.tell(MembersChanged([]))
    desk.tell(MembersChanged([member(LOW, "a:1", key=7)]))
    assert desk.peers.rests(hub(LOW), desk.now)
    assert not desk.peers.admits_session(hub(LOW), desk.now)
    desk.up(LOW)
    assert desk.tell(FaultSeen(hub(LOW), "frame")) == [HangUp(hub(LOW), DIALLED)]


def test_ten_thousand_sessions_of_one_peer_are_no_more_than_the_limit_and_later_ones_go_on():
    desk = Desk(member(LOW), member(HIGH))
    admitted = sum(desk.peers.admits_session(hub(LOW), desk.now) for _ in range(10_000))
    assert admitted == SESSIONS_BURST_MAX
    assert desk.peers.admits_session(hub(HIGH), desk.now), "another one's are its own"
    desk.now += 10
    assert sum(desk.peers.admits_session(hub(LOW), desk.now) for _ in range(100)) == 10 * SESSIONS_PER_S_MAX
    assert not desk.peers.admits_session(hub(77), desk.now)


def test_invalid_actions_pushed_are_a_fault_for_each_sixty_four_of_them():
    desk = Desk(member(LOW, "a:1"))
    desk.up(LOW)
    out = []
    for _ in range(PEER_FAULTS_MAX * (SESSION_REFUSED_MAX + 1)):
        assert out == []
        out = desk.tell(PushJudged(hub(LOW), [], [], refused=1))
    assert out == [HangUp(hub(LOW), DIALLED)]


def test_faults_far_apart_are_forgiven():
    desk = Desk(member(LOW, "a:1"))
    desk.up(LOW, ACCEPTED)
    for _ in range(PEER_FAULTS_MAX * 3):
        desk.now += PEER_FAULTS_S / (PEER_FAULTS_MAX - 1)
        assert desk.tell(FaultSeen(hub(LOW), "frame")) == []


def test_sessions_that_end_in_faults_count_as_faults():
    desk = Desk(member(LOW, "a:1"))
    desk.up(LOW)
    out = []
    for _ in range(PEER_FAULTS_MAX):
        out = desk.tell(SessionEnded(hub(LOW), DIALLED, Ended(is_proven=False, code="order", is_fault=True)))
    assert out == [HangUp(hub(LOW), DIALLED)]


def test_a_peer_that_falls_silent_is_hung_up_on_and_dialled_again_later():
    desk = Desk(member(LOW, "a:1"))
    desk.up(LOW)
    assert desk.tell(SessionEnded(hub(LOW), DIALLED, Ended(is_proven=False, code="silent"))) == [
        HangUp(hub(LOW), DIALLED)
    ]
    assert desk.after(0.5) == []
    assert desk.after(1) == [Dial(member(LOW, "a:1"), "a:1")]


def test_a_nudge_brings_the_next_session_forward():
    desk = Desk(member(LOW, "a:1"))
    desk.up(LOW)
    desk.tell(NudgeReceived(hub(LOW)))
    assert desk.after(SESSION_AGAIN_S) == [BeginSession(hub(LOW))]


def test_events_about_strangers_do_nothing():
    desk = Desk(member(LOW))
    stranger = hub(77)
    for event in (
        LinkOpened(stranger, ACCEPTED),
        LinkLost(stranger, DIALLED, "x"),
        SessionEnded(stranger, DIALLED, PROVEN),
        PushTaken(stranger, DIALLED),
        NudgeReceived(stranger),
        FaultSeen(stranger, "frame"),
    ):
        assert desk.tell(event) == []
