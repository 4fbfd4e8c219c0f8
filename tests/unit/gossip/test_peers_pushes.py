"""What is new goes to the neighbours, and one neighbour at a time brings much: pushes and fills of the peers machine."""

import pytest
from desks import ACCEPTED, DIALLED, HIGH, LOW, PROVEN, US, Desk, hub, member, news

from hubd.gossip.dialogue import Ended
from hubd.gossip.peer import (
    BeginSession,
    Gained,
    HangUp,
    LinkLost,
    LinkOpened,
    MembersChanged,
    NudgeReceived,
    PeerCounted,
    PushTaken,
    SendHaveContent,
    SendNudge,
    SendPush,
    SessionEnded,
    Side,
)
from hubd.limits import (
    FILL_QUIET_S,
    LINK_PUSH_QUEUE_ACTIONS_MAX,
    LINK_PUSH_WINDOW_CHUNKS,
    PEER_FAULTS_MAX,
    SESSION_AGAIN_S,
)


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


def test_pushes_on_a_lost_link_do_not_hold_up_the_next_link():
    desk = Desk(member(LOW, "a:1"))
    desk.up(LOW)
    for _ in range(LINK_PUSH_WINDOW_CHUNKS):
        desk.tell(news(b"x"))
    desk.tell(LinkLost(hub(LOW), DIALLED, "closed"))
    desk.after(10)
    desk.up(LOW)
    assert desk.tell(news(b"y")) == [SendPush(hub(LOW), DIALLED, (b"y",))]


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


def test_content_that_came_after_its_header_is_told_to_whoever_is_linked_and_did_not_bring_it():
    desk = Desk(member(LOW, "a:1"), member(2), member(HIGH))
    desk.up(LOW)
    desk.up(HIGH, ACCEPTED)
    [first, second] = news(b"x", b"y").ids
    assert desk.tell(Gained([first], hub(HIGH))) == [SendHaveContent(hub(LOW), DIALLED, (first,))]
    assert desk.tell(Gained([second])) == [SendHaveContent(hub(HIGH), ACCEPTED, (second,))]
    assert desk.peers.due_at <= desk.now + 1
    assert desk.after(1) == [SendHaveContent(hub(LOW), DIALLED, (second,))]
    desk.tell(LinkLost(hub(LOW), DIALLED, "gone"))
    assert desk.tell(Gained([first], hub(HIGH))) == []
