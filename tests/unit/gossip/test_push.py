"""What waits for one peer, and the places of those pushes that it never acknowledges."""

import pytest
from desks import DIALLED, LOW, PROVEN, Desk, hub, member, news

from hubd.errors import RemoteError
from hubd.gossip.peer import PushTaken, SendPush, SessionEnded
from hubd.gossip.push import PushQueue
from hubd.limits import LINK_PUSH_LOST_S, LINK_PUSH_WINDOW_CHUNKS


def pushes(queue: PushQueue) -> bool:
    """Whether one more goes on its way."""
    queue.add([b"x"])
    return bool(queue.due())


def at(number: int) -> float:
    """When one proof after the other comes, so that each of them counts."""
    return 1_000 + number * LINK_PUSH_LOST_S


def full() -> PushQueue:
    """As many are on their way as may be, and one waits."""
    queue = PushQueue()
    assert [pushes(queue) for _ in range(LINK_PUSH_WINDOW_CHUNKS + 1)].count(True) == LINK_PUSH_WINDOW_CHUNKS
    return queue


def test_what_is_open_from_one_proof_to_the_next_was_lost_and_gives_its_place_back():
    queue = full()
    queue.proven(at(0))
    assert queue.due() == [], "it may be on its way"
    queue.proven(at(1))
    assert queue.due() == [(b"x",)]


def test_proofs_in_a_hurry_give_no_place_back_while_a_peer_is_busy_writing():
    queue = full()
    for moment in (0.0, 0.1, LINK_PUSH_LOST_S - 0.1):
        queue.proven(1_000 + moment)
        assert queue.due() == []
    queue.proven(1_000 + LINK_PUSH_LOST_S)
    assert queue.due() == [(b"x",)]


def test_what_was_pushed_after_the_first_proof_keeps_its_place_at_the_second():
    queue = PushQueue()
    queue.proven(at(0))
    queue.add([b"x"])
    queue.due()
    queue.proven(at(1))
    queue.acknowledge()
    with pytest.raises(RemoteError, match="credit"):
        queue.acknowledge()


def test_what_is_acknowledged_between_two_proofs_was_not_lost():
    queue = full()
    queue.proven(at(0))
    for _ in range(LINK_PUSH_WINDOW_CHUNKS):
        queue.acknowledge()
    sent = queue.due()
    queue.proven(at(1))
    assert len(sent) == 1
    queue.acknowledge()
    with pytest.raises(RemoteError, match="credit"):
        queue.acknowledge()


def test_what_was_lost_is_found_though_later_pushes_come_and_go():
    """Kills the mutant that takes an acknowledgement for one of the oldest push."""
    queue = PushQueue()
    assert pushes(queue), "and is lost"
    for number in range(2):
        queue.proven(at(number))
        for _ in range(5):
            assert pushes(queue)
            queue.acknowledge()
    queue.proven(at(2))
    assert [pushes(queue) for _ in range(LINK_PUSH_WINDOW_CHUNKS + 1)] == [True] * LINK_PUSH_WINDOW_CHUNKS + [False]


def test_late_acknowledgements_of_what_was_given_up_are_no_fault_and_one_more_is():
    queue = full()
    for number in range(3):
        queue.proven(at(number))
    for _ in range(LINK_PUSH_WINDOW_CHUNKS):
        queue.acknowledge()
    with pytest.raises(RemoteError, match="credit"):
        queue.acknowledge()


def test_a_link_on_which_four_acknowledgements_were_lost_pushes_again_after_two_proofs():
    """Kills the mutant that never takes a place back."""
    desk = Desk(member(LOW, "a:1"))
    desk.up(LOW)
    for number in range(LINK_PUSH_WINDOW_CHUNKS):
        assert desk.tell(news(bytes([number])))
    assert desk.tell(news(b"waits")) == []
    for _ in range(2):
        assert desk.tell(SessionEnded(hub(LOW), DIALLED, PROVEN)) == []
        desk.now += LINK_PUSH_LOST_S
    assert desk.tell(SessionEnded(hub(LOW), DIALLED, PROVEN)) == [SendPush(hub(LOW), DIALLED, (b"waits",))]
    assert desk.tell(news(b"next")) == [SendPush(hub(LOW), DIALLED, (b"next",))]
    assert desk.tell(PushTaken(hub(LOW), DIALLED)) == []
