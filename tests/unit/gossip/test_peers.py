"""Whom to dial when, what to push, whom to leave alone: the peers machine under a clock of the test's own."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from hubd.action.network import TESTNET
from hubd.action.principal import Principal, standard
from hubd.action.sip018 import ActionId
from hubd.gossip.dialogue import Ended
from hubd.gossip.peer import (
    AddressHeard,
    Appended,
    BeginSession,
    Dial,
    FaultSeen,
    HangUp,
    LinkLost,
    LinkOpened,
    Member,
    MembersChanged,
    NetworkChanged,
    NudgeReceived,
    PeerCounted,
    PushJudged,
    PushTaken,
    SendNudge,
    SendPush,
    SessionEnded,
    Side,
    TimerFired,
    key_tag,
)
from hubd.gossip.peers import Peers
from hubd.limits import (
    DIAL_ROUND_MAX,
    DIAL_WAIT_S_MAX,
    FILL_QUIET_S,
    HINT_DIAL_GAP_S,
    HINT_LIFE_S,
    HINTS_MAX,
    HINTS_PER_KEY_MAX,
    LINK_PEERS_MAX,
    LINK_PUSH_QUEUE_ACTIONS_MAX,
    LINK_PUSH_WINDOW_CHUNKS,
    PEER_BAN_S,
    PEER_FAULTS_MAX,
    PEER_FAULTS_S,
    SESSION_AGAIN_S,
    SESSION_REFUSED_MAX,
    SESSION_STALLED_S_MAX,
    SESSIONS_BURST_MAX,
    SESSIONS_PER_S_MAX,
)

PROVEN = Ended(is_proven=True, count=5)
DIALLED, ACCEPTED = Side.DIALLED, Side.ACCEPTED


def hub(number: int) -> Principal:
    return standard(TESTNET.single_sig, number.to_bytes(20, "big"))


def member(number: int, *addresses: str, key: int | None = None) -> Member:
    return Member(hub(number), (number if key is None else key).to_bytes(32, "big"), addresses, f"hub {number}")


US = 50
LOW, HIGH = 1, 99  # neighbours with lesser and greater principals than ours


def news(*envelopes: bytes, source: bytes = b"") -> Appended:
    return Appended([ActionId(number.to_bytes(32, "big")) for number in range(len(envelopes))], envelopes, source)


class Desk:
    """The machine, a clock, and chance in the middle."""

    def __init__(self, *members: Member, configured: Sequence[str] = (), chance: float = 0.5) -> None:
        self.now = 1_000.0
        self.peers = Peers(hub(US), interval_s=60, chance=lambda: chance, configured=configured)
        self.tell(MembersChanged([*members, member(US, "me:1")]))

    def tell(self, event):
        return self.peers.handle(event, self.now)

    def after(self, seconds: float):
        self.now += seconds
        return self.tell(TimerFired())

    def up(self, number: int, side: Side = DIALLED):
        """A link is up and its first session is over."""
        out = self.tell(LinkOpened(hub(number), side))
        if side is DIALLED:
            out += self.tell(SessionEnded(hub(number), side, PROVEN))
        return out

    def peer(self, number: int):
        return self.peers.peers[hub(number)]


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


def test_sessions_that_our_own_card_could_not_be_read_for_come_more_and_more_seldom_until_a_proof():
    desk, unread = Desk(member(LOW, "a:1")), Ended(is_proven=False, code="database", received=3)
    desk.up(LOW)
    waits = []
    for _ in range(12):
        desk.tell(SessionEnded(hub(LOW), DIALLED, unread))
        waits.append(max(desk.peer(LOW).session_at, desk.peer(LOW).stalled_until) - desk.now)
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


@pytest.mark.parametrize(("chance", "factor"), [(0.0, 0.5), (0.5, 1.0), (0.999, 1.499)])
def test_failures_double_the_wait_up_to_a_limit_with_jitter(chance, factor):
    desk = Desk(member(LOW, "a:1"), chance=chance)
    waits = []
    for _ in range(12):
        assert isinstance(desk.after(0)[0], Dial)
        desk.tell(LinkLost(hub(LOW), DIALLED, "unreachable"))
        waits.append(desk.peer(LOW).dial_at - desk.now)
        assert desk.after(waits[-1] - 0.01) == []
        desk.now += 0.02
    expected = [min(2.0**n, DIAL_WAIT_S_MAX) * factor for n in range(12)]
    assert waits == pytest.approx(expected)
    assert desk.peer(LOW).reason == "unreachable"


def test_success_forgets_the_failures():
    desk = Desk(member(LOW, "a:1"))
    for _ in range(5):
        desk.after(1_000)
        desk.tell(LinkLost(hub(LOW), DIALLED, "unreachable"))
    desk.after(1_000)
    desk.up(LOW)
    assert desk.peer(LOW).failures == 0


def test_addresses_take_turns():
    desk = Desk(member(LOW, "a:1", "b:2"), configured=["c:3"])
    tried = []
    for _ in range(6):
        [dial] = desk.after(1_000)
        tried.append(dial.address)
        desk.tell(LinkLost(hub(LOW), DIALLED, "handshake"))
    assert tried == ["a:1", "b:2", "c:3"] * 2


def test_all_addresses_are_tried_before_a_pause():
    desk = Desk(member(LOW, "a:1", "b:2", "c:3"))
    for address in ("a:1", "b:2", "c:3"):
        assert [dial.address for dial in desk.after(0)] == [address]
        desk.tell(LinkLost(hub(LOW), DIALLED, "unreachable"))
    assert desk.after(0.4) == []
    assert [dial.address for dial in desk.after(DIAL_WAIT_S_MAX)] == ["a:1"]


def test_a_link_that_was_up_is_dialled_first_where_it_is_announced_first():
    desk = Desk(member(LOW, "a:1", "b:2"))
    desk.after(0)
    desk.tell(LinkLost(hub(LOW), DIALLED, "unreachable"))
    assert desk.after(0)[0].address == "b:2"
    desk.tell(LinkOpened(hub(LOW), DIALLED))
    desk.tell(LinkLost(hub(LOW), DIALLED, "closed"))
    assert desk.after(0) == []
    assert desk.after(2)[0].address == "a:1"


def test_a_round_is_bounded_whatever_is_announced_and_heard():
    desk = Desk(member(LOW, *(f"a:{number}" for number in range(DIAL_ROUND_MAX + 9))))
    for _ in range(DIAL_ROUND_MAX):
        assert len(desk.after(0)) == 1
        desk.tell(LinkLost(hub(LOW), DIALLED, "unreachable"))
    assert desk.after(0.4) == []


def test_a_round_whose_last_address_is_taken_meanwhile_ends_in_a_pause():
    desk = Desk(member(LOW, "a:1"), member(HIGH))
    desk.tell(AddressHeard("h:1", key_tag(member(LOW).curve_key)))
    desk.after(0)
    desk.tell(LinkLost(hub(LOW), DIALLED, "unreachable"))
    desk.now += HINT_LIFE_S
    assert desk.after(0) == []
    assert [dial.address for dial in desk.after(2)] == ["a:1"]


def test_on_another_network_whoever_could_not_be_reached_is_dialled_at_once():
    desk = Desk(member(LOW, "a:1"), member(HIGH, "b:2"))
    desk.up(HIGH)
    for _ in range(10):
        desk.after(1_000)
        desk.tell(LinkLost(hub(LOW), DIALLED, "unreachable"))
    assert desk.after(1) == []
    desk.tell(NetworkChanged())
    assert [each.address for each in desk.after(0) if isinstance(each, Dial)] == ["a:1"]


def test_a_configured_address_is_tried_with_one_hub_after_the_other():
    desk = Desk(member(LOW), member(HIGH), configured=["c:3"])
    tried = set()
    for _ in range(4):
        [dial] = desk.after(1_000)
        tried.add(dial.member.hub)
        desk.tell(LinkLost(dial.member.hub, DIALLED, "handshake"))
    assert tried == {hub(LOW), hub(HIGH)}


def test_a_hint_is_dialled_for_the_hub_whose_key_it_names_and_then_rests():
    desk = Desk(member(LOW), member(HIGH))
    desk.tell(AddressHeard("h:1", key_tag(member(HIGH).curve_key)))
    [dial] = desk.after(0)
    assert (dial.member.hub, dial.address) == (hub(HIGH), "h:1")
    desk.tell(LinkLost(hub(HIGH), DIALLED, "handshake"))
    assert desk.after(HINT_DIAL_GAP_S - 1) == []
    desk.tell(AddressHeard("h:1", key_tag(member(HIGH).curve_key)))
    assert desk.after(0) == [], "hearing it again does not make it fresh"
    assert len(desk.after(1)) == 1


def test_a_new_hint_shortens_a_long_wait():
    desk = Desk(member(LOW, "a:1"))
    for _ in range(10):
        desk.after(1_000)
        desk.tell(LinkLost(hub(LOW), DIALLED, "unreachable"))
    desk.tell(AddressHeard("h:1", key_tag(member(LOW).curve_key)))
    assert len(desk.after(0)) == 1


def test_a_hint_of_a_key_that_nobody_was_admitted_with_is_never_dialled():
    desk = Desk(member(LOW))
    desk.tell(AddressHeard("h:1", key_tag(bytes(32))))
    desk.tell(AddressHeard("h:2", key_tag(member(US).curve_key)))
    assert desk.after(1_000) == []


def test_a_flood_of_hints_is_forgotten_oldest_first():
    desk = Desk(member(LOW))
    for number in range(1_000):
        desk.tell(AddressHeard(f"h:{number}", key_tag(member(LOW).curve_key)))
    assert len(desk.peers._callbook.hints) == HINTS_PER_KEY_MAX
    assert desk.after(0)[0].address == f"h:{1_000 - HINTS_PER_KEY_MAX}"


def test_a_flood_of_hints_for_one_hub_hides_no_other():
    desk = Desk(member(LOW), member(HIGH))
    desk.tell(AddressHeard("honest:1", key_tag(member(LOW).curve_key)))
    for number in range(1_000):
        desk.tell(AddressHeard(f"h:{number}", key_tag(member(HIGH).curve_key)))
        desk.tell(AddressHeard("honest:1", key_tag(member(HIGH).curve_key)))
    assert ("honest:1", hub(LOW)) in {(dial.address, dial.member.hub) for dial in desk.after(0)}


def test_hints_for_many_hubs_are_bounded_together():
    desk = Desk(member(LOW))
    for number in range(1_000):
        desk.tell(AddressHeard("h:1", number.to_bytes(8, "big")))
    assert len(desk.peers._callbook.hints) == HINTS_MAX


def test_a_hint_that_is_told_no_more_is_dialled_no_more():
    desk = Desk(member(LOW))
    desk.tell(AddressHeard("h:1", key_tag(member(LOW).curve_key)))
    assert desk.after(HINT_LIFE_S) == []
    desk.tell(AddressHeard("h:1", key_tag(member(LOW).curve_key)))
    assert len(desk.after(0)) == 1


def test_an_address_rests_whichever_hub_it_is_said_to_be():
    desk = Desk(member(LOW), member(HIGH))
    for number in (LOW, HIGH):
        desk.tell(AddressHeard("h:1", key_tag(member(number).curve_key)))
    [dial] = desk.after(0)
    desk.tell(LinkLost(dial.member.hub, DIALLED, "handshake"))
    assert desk.after(HINT_DIAL_GAP_S - 1) == []
    assert len(desk.after(1)) == 1


def test_no_more_links_are_dialled_than_the_limit():
    desk = Desk(*(member(number, f"a:{number}") for number in range(100, 140)))
    first = desk.after(0)
    assert len(first) == LINK_PEERS_MAX
    assert desk.after(1) == []
    desk.tell(LinkLost(first[0].member.hub, DIALLED, "unreachable"))
    assert len(desk.after(0)) == 1


def test_hubs_choose_different_neighbours_first():
    def order(us: int) -> list[Principal]:
        peers = Peers(hub(us), interval_s=60, chance=lambda: 0.5)
        peers.handle(MembersChanged([member(number, f"a:{number}") for number in range(100, 140)]), 0)
        return [out.member.hub for out in peers.handle(TimerFired(), 0)]

    assert set(order(1)) != set(order(2))
    assert order(1) == order(1)


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


def test_what_is_new_is_pushed_to_every_linked_peer_but_its_source():
    desk = Desk(member(LOW, "a:1"), member(2), member(HIGH))
    desk.up(LOW)
    desk.up(HIGH, ACCEPTED)
    assert desk.tell(news(b"x", source=hub(HIGH))) == [SendPush(hub(LOW), DIALLED, (b"x",))]
    assert desk.tell(news(b"y")) == [SendPush(hub(LOW), DIALLED, (b"y",)), SendPush(hub(HIGH), ACCEPTED, (b"y",))]


def test_a_peer_gets_no_more_pushes_than_it_acknowledges():
    desk = Desk(member(LOW, "a:1"))
    desk.up(LOW)
    sent = [out for n in range(20) for out in desk.tell(news(bytes([n])))]
    assert len(sent) == LINK_PUSH_WINDOW_CHUNKS
    [rest] = desk.tell(PushTaken(hub(LOW), DIALLED))
    assert len(rest.envelopes) == 20 - LINK_PUSH_WINDOW_CHUNKS, "what waited goes together"


def test_acknowledging_what_was_never_sent_is_a_fault():
    desk = Desk(member(LOW, "a:1"))
    desk.up(LOW)
    for _ in range(PEER_FAULTS_MAX):
        out = desk.tell(PushTaken(hub(LOW), DIALLED))
    assert out == [HangUp(hub(LOW), DIALLED)]


def test_a_peer_too_slow_for_pushes_is_reconciled_with_soon():
    desk = Desk(member(LOW, "a:1"))
    desk.up(LOW)
    for _ in range(LINK_PUSH_WINDOW_CHUNKS):
        desk.tell(news(b"x"))
    assert desk.tell(news(*[b"y"] * (LINK_PUSH_QUEUE_ACTIONS_MAX + 1))) == []
    assert desk.after(SESSION_AGAIN_S) == [BeginSession(hub(LOW))]
    assert desk.tell(PushTaken(hub(LOW), DIALLED)) == [], "what was dropped is not sent any more"


def test_many_actions_at_once_are_pushed_as_long_as_the_window_takes_them():
    desk = Desk(member(LOW, "a:1"))
    desk.up(LOW)
    sent = desk.tell(news(*[bytes(200)] * 1_000))
    assert sum(len(out.envelopes) for out in sent) == 1_000


def test_a_dialled_side_that_lost_pushes_asks_for_a_session():
    desk = Desk(member(LOW))
    desk.up(LOW, ACCEPTED)
    for _ in range(LINK_PUSH_WINDOW_CHUNKS):
        desk.tell(news(b"x"))
    desk.tell(news(*[b"y"] * (LINK_PUSH_QUEUE_ACTIONS_MAX + 1)))
    assert desk.after(SESSION_AGAIN_S) == [SendNudge(hub(LOW))]
    assert desk.after(SESSION_AGAIN_S) == []


def test_a_nudge_brings_the_next_session_forward():
    desk = Desk(member(LOW, "a:1"))
    desk.up(LOW)
    desk.tell(NudgeReceived(hub(LOW)))
    assert desk.after(SESSION_AGAIN_S) == [BeginSession(hub(LOW))]


def test_pushes_on_a_lost_link_do_not_hold_up_the_next_link():
    desk = Desk(member(LOW, "a:1"))
    desk.up(LOW)
    for _ in range(LINK_PUSH_WINDOW_CHUNKS):
        desk.tell(news(b"x"))
    desk.tell(LinkLost(hub(LOW), DIALLED, "closed"))
    desk.after(10)
    desk.up(LOW)
    assert desk.tell(news(b"y")) == [SendPush(hub(LOW), DIALLED, (b"y",))]


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


# --- one neighbour at a time brings much


def far_ahead(desk: Desk, number: int, side: Side = DIALLED):
    """A session begins, and its greeting says that the hub has a thousand actions more."""
    takes_fill = desk.peers.takes_fill(hub(number), side, desk.now)
    desk.tell(PeerCounted(hub(number), side, 1_000))
    if not takes_fill:
        desk.tell(SessionEnded(hub(number), side, Ended(is_proven=False, code="later")))
    return takes_fill


def fill_of_three(side: Side) -> Desk:
    """Three neighbours that are far ahead; the first of them brings it."""
    desk = Desk(*(member(number, f"{number}:1") for number in (1, 2, 3)))
    for number in (1, 2, 3):
        desk.tell(LinkOpened(hub(number), side))
    assert [far_ahead(desk, number, side) for number in (1, 2, 3)] == [True, False, False]
    return desk


@pytest.mark.parametrize(("side", "turn"), [(DIALLED, BeginSession), (ACCEPTED, SendNudge)])
def test_hubs_that_are_far_ahead_have_their_turns_one_by_one(side, turn):
    desk = fill_of_three(side)
    for _ in range(5):
        desk.tell(news(b"much" * 9_000, source=hub(1)))
        assert desk.after(2) == []
    desk.tell(SessionEnded(hub(1), side, Ended(is_proven=True, received=9)))
    assert [out for out in desk.after(1) if isinstance(out, turn)] == [turn(hub(2))]
    assert desk.peers.takes_fill(hub(2), side, desk.now)
    desk.tell(PeerCounted(hub(2), side, 3))
    assert turn(hub(3)) in desk.after(1)


def test_a_hub_that_promises_and_gives_nothing_holds_up_the_others_for_ten_seconds():
    desk = fill_of_three(DIALLED)
    assert desk.after(FILL_QUIET_S - 1) == []
    assert desk.after(1) == [BeginSession(hub(2))]


def test_a_hub_that_is_gone_holds_up_nobody():
    desk = fill_of_three(DIALLED)
    desk.tell(LinkLost(hub(1), DIALLED, "closed"))
    assert BeginSession(hub(2)) in desk.after(1)


def fourth(desk: Desk) -> None:
    """One more neighbour, which has about what we have."""
    desk.tell(MembersChanged([*(member(number, f"{number}:1") for number in (1, 2, 3, 4)), member(US, "me:1")]))
    assert desk.tell(LinkOpened(hub(4), DIALLED)) == [BeginSession(hub(4))]
    assert not desk.peers.takes_fill(hub(4), DIALLED, desk.now)
    desk.tell(PeerCounted(hub(4), DIALLED, 5))
    desk.tell(SessionEnded(hub(4), DIALLED, PROVEN))


def test_small_differences_wait_for_nobody():
    desk = fill_of_three(DIALLED)
    fourth(desk)
    desk.tell(NudgeReceived(hub(4)))
    assert desk.after(SESSION_AGAIN_S) == [BeginSession(hub(4))]


def test_what_fills_us_is_no_news_and_who_was_not_told_is_compared_with_afterwards():
    desk = fill_of_three(DIALLED)
    fourth(desk)
    assert desk.tell(news(b"old", source=hub(1))) == []
    assert {out.hub for out in desk.tell(news(b"new", source=hub(2)))} == {hub(1), hub(3), hub(4)}
    assert desk.after(1) == []
    desk.tell(SessionEnded(hub(1), DIALLED, PROVEN))
    assert {out.hub for _ in range(2) for out in desk.after(1)} == {hub(2), hub(4)}


def test_a_hub_that_is_not_admitted_has_no_floor():
    assert not Desk().peers.takes_fill(hub(LOW), DIALLED, 0.0)
