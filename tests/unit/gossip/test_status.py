"""What is said of a neighbour is never more than was proven, and names what lacks."""

from dataclasses import replace

import pytest

from hubd.action.network import TESTNET
from hubd.action.principal import standard
from hubd.cli.status import _lacking_here, _neighbour_lines
from hubd.daemon import _peer
from hubd.gossip.dialogue import Ended, Rung
from hubd.gossip.house import Traffic
from hubd.gossip.peer import Member, Peer
from hubd.gossip.status import peer_status
from hubd.ports import SetSummary

HUB = standard(TESTNET.single_sig, bytes(20))
ONE, OTHER = b"\x01" * 32, b"\x02" * 32
PROVEN = Ended(is_proven=True, count=5, rung=Rung.CURSOR, fingerprint=ONE, peer_count=5)
NOW = 1_000.0


def said(*ended: Ended, count: int = 5, fingerprint: bytes = ONE) -> str:
    """The lines about a neighbour after these sessions, ten seconds apart, with such a set of our own."""
    peer = Peer(Member(HUB, bytes(32), name="mlima"))
    for number, each in enumerate(ended):
        peer.last, peer.last_at = each, NOW + 10 * number
        if each.is_proven:
            peer.proven, peer.proven_at = each, peer.last_at
    status = peer_status(peer, Traffic(), NOW + 10 * len(ended))
    return "\n".join(_neighbour_lines(_peer(status, SetSummary(count, fingerprint, count))))


def test_a_neighbour_that_was_proven_the_same_is_said_to_be_with_words_age_and_way():
    assert "holds the same 5 actions, bebe-bebe-bebe-bebe, " in said(PROVEN)
    assert said(PROVEN).endswith("compared 10 s ago after what had arrived since")


def test_what_is_said_of_a_neighbour_claims_no_more_than_its_own_word():
    for lines in (said(PROVEN), said(PROVEN, count=8, fingerprint=OTHER)):
        assert "by its own word h" in lines
        assert "proven" not in lines


@pytest.mark.parametrize(
    ("ended", "ours", "expected"),
    [
        ((), {}, "not compared yet"),
        ((PROVEN,), {"count": 8, "fingerprint": OTHER}, "; 3 here are newer"),
        ((PROVEN,), {"count": 5, "fingerprint": OTHER}, "not proven of what is here now"),
        ((PROVEN, Ended(False, "silent")), {}, "not proven of what is here now"),
        ((Ended(False, "busy", count=5, peer_count=9),), {}, "5 actions here and 9 there"),
        ((Ended(False, "missing", missing=4),), {}, "4 that it has were asked for in vain"),
        ((Ended(False, "refused", refused=2),), {}, "2 that it gave were refused here"),
    ],
)
def test_a_neighbour_is_not_called_the_same_where_that_is_not_proven(ended, ours, expected):
    lines = said(*ended, **ours)
    assert "holds the same" not in lines
    assert expected in lines


def test_missing_texts_are_said_apart_from_the_set_that_is_proven():
    assert [_lacking_here(texts) for texts in (0, 1, 12)] == [
        "",
        " (1 text is missing here)",
        " (12 texts are missing here)",
    ]
    assert "holds the same 5 actions (2 texts are missing there), bebe" in said(replace(PROVEN, peer_lacking=2))
