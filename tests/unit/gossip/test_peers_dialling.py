"""Where to dial and how soon again: addresses, hints and waits of the peers machine."""

import pytest
from desks import ACCEPTED, DIALLED, HIGH, LOW, US, Desk, hub, member

from hubd.action.principal import Principal
from hubd.gossip.peer import (
    AddressHeard,
    Dial,
    LinkLost,
    LinkOpened,
    MembersChanged,
    NetworkChanged,
    TimerFired,
    key_tag,
)
from hubd.gossip.peers import Peers
from hubd.limits import (
    DIAL_ROUND_MAX,
    DIAL_WAIT_S_MAX,
    HINT_DIAL_GAP_S,
    HINT_LIFE_S,
    HINTS_MAX,
    HINTS_PER_KEY_MAX,
    LINK_PEERS_MAX,
)


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


def test_a_hub_that_many_dial_refuses_none_and_dials_no_more_itself():
    numbers = range(100, 140)
    desk = Desk(*(member(number, f"a:{number}") for number in numbers))
    for number in numbers[: 2 * LINK_PEERS_MAX]:
        assert desk.peers.welcomes(hub(number), desk.now)
        desk.tell(LinkOpened(hub(number), ACCEPTED))
    assert desk.after(1_000) == []
    assert sum(peer.is_up for peer in desk.peers.peers.values()) == 2 * LINK_PEERS_MAX


def test_hubs_choose_different_neighbours_first():
    def order(us: int) -> list[Principal]:
        peers = Peers(hub(us), interval_s=60, chance=lambda: 0.5)
        peers.handle(MembersChanged([member(number, f"a:{number}") for number in range(100, 140)]), 0)
        return [out.member.hub for out in peers.handle(TimerFired(), 0)]

    assert set(order(1)) != set(order(2))
    assert order(1) == order(1)
