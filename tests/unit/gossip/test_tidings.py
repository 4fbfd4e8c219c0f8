"""Who is told of content that came after its header: every neighbour but its source, at once, and never more than fits."""

from hubd.action.principal import Principal
from hubd.gossip.peer import SendHaveContent, Side
from hubd.gossip.tidings import Tidings
from hubd.limits import HAVE_GATHER_S, HAVE_IDS_MAX, HAVE_QUEUE_IDS_MAX

ANA, BEN = Principal(b"ana"), Principal(b"ben")
DIALLED, ACCEPTED = Side.DIALLED, Side.ACCEPTED


def ids(*numbers):
    return tuple(number.to_bytes(32, "big") for number in numbers)


def tidings(*links):
    told = Tidings()
    for link in links or [(ANA, DIALLED), (BEN, ACCEPTED)]:
        told.opened(*link)
    return told


def test_all_neighbours_but_the_one_that_gave_it_are_told_at_once():
    told = tidings()
    assert told.gained(ids(1, 2), ANA, 5.0) == [SendHaveContent(BEN, ACCEPTED, ids(1, 2))]
    assert told.gained(ids(3), b"", 5.0) == [SendHaveContent(ANA, DIALLED, ids(3))]


def test_what_comes_a_moment_later_is_told_together_when_the_moment_is_over():
    told = tidings((ANA, DIALLED))
    told.gained(ids(1), b"", 5.0)
    assert told.gained(ids(2), b"", 5.1) == told.gained(ids(3), b"", 5.15) == []
    assert told.due_at == 5.0 + HAVE_GATHER_S
    assert told.tick(told.due_at) == [SendHaveContent(ANA, DIALLED, ids(2, 3))]
    assert told.due_at == float("inf")


def test_of_two_links_to_a_neighbour_the_one_we_dialled_is_used_while_it_lasts():
    told = tidings((ANA, ACCEPTED), (ANA, DIALLED))
    assert told.gained(ids(1), b"", 5.0) == [SendHaveContent(ANA, DIALLED, ids(1))]
    told.lost(ANA, DIALLED)
    assert told.gained(ids(2), b"", 6.0) == [SendHaveContent(ANA, ACCEPTED, ids(2))]
    told.lost(ANA, ACCEPTED)
    told.lost(ANA, ACCEPTED)
    assert told.gained(ids(3), b"", 7.0) == []


def test_what_waits_for_one_neighbour_is_bounded_and_a_frame_holds_no_more_than_it_may():
    told = tidings((ANA, DIALLED))
    told.gained(ids(0), b"", 5.0)
    for start in range(1, 5_001, 50):
        told.gained(ids(*range(start, start + 50)), b"", 5.0)
    sent = told.tick(6.0)
    assert [len(out.ids) for out in sent] == [HAVE_IDS_MAX] * (HAVE_QUEUE_IDS_MAX // HAVE_IDS_MAX)
