"""Who goes first where several hubs have an uplink."""

import hashlib
from collections import Counter

from builders import Village

from hubd.relay.lease import LEASE_S, TURNS_MAX, lease_s

VILLAGE = Village(13)
HUBS = [VILLAGE.principal(f"hub {number}") for number in range(6)]
IDS = [hashlib.sha256(b"%d" % number).digest() for number in range(600)]


def test_a_lone_uplink_waits_for_nobody():
    assert {lease_s(id_, HUBS[0], [HUBS[0]]) for id_ in IDS} == {0}
    assert {lease_s(id_, HUBS[0], []) for id_ in IDS} == {0}


def test_exactly_one_hub_goes_first_with_each_action():
    for id_ in IDS:
        assert [lease_s(id_, hub, HUBS) for hub in HUBS].count(0) == 1


def test_the_work_is_shared():
    firsts = Counter(next(hub for hub in HUBS if not lease_s(id_, hub, HUBS)) for id_ in IDS)
    assert min(firsts.values()) > len(IDS) / len(HUBS) / 2


def test_nobody_waits_for_ever():
    assert max(lease_s(id_, hub, HUBS) for id_ in IDS for hub in HUBS) == TURNS_MAX * LEASE_S


def test_when_the_first_hub_goes_it_leaves_the_others_order_as_it_was():
    for id_ in IDS[:50]:
        waits = {hub: lease_s(id_, hub, HUBS[:3]) for hub in HUBS[:3]}
        _, second, third = sorted(waits, key=waits.get)
        assert [lease_s(id_, hub, [second, third]) for hub in (second, third)] == [0, LEASE_S]
