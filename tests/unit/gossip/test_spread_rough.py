"""Peers that flood, lie and lag: what spreading remembers of them is bounded, and their harm ends with them."""

from itertools import count, pairwise

from webs import action, hub

from hubd.gossip.peer import LoadAsked, PushJudged, SendHave, SendPush, Side
from hubd.gossip.spread import FellBehind, Spread
from hubd.limits import (
    ASK_AFTER_S,
    ASK_ANSWER_S,
    ASKS_UNKEPT_MAX,
    HAVE_GATHER_S,
    HAVE_IDS_MAX,
    HAVE_QUEUE_IDS_MAX,
    HAVE_REST_S,
    HAVE_TOLD_IDS_MAX,
    SPREAD_RECENT_IDS_MAX,
)


def linked(*, is_lazy: bool = False) -> Spread:
    spread = Spread()
    spread.opened(hub(1), Side.ACCEPTED)
    if is_lazy:
        spread.pruned(hub(1))
    return spread


def test_a_peer_that_announces_what_it_never_gives_is_not_listened_to_for_a_while():
    spread, asked_at = linked(), []
    for now in range(0, 20 * ASKS_UNKEPT_MAX + int(HAVE_REST_S), 10):
        spread.told(hub(1), [action(now)], now)
        asked_at += [now] * len(spread.tick(now + 9))
    rests = [later - earlier for earlier, later in pairwise(asked_at)]
    assert rests == [*[10] * (ASKS_UNKEPT_MAX - 1), 20 + HAVE_REST_S, *[10] * (len(rests) - ASKS_UNKEPT_MAX)]


def test_a_flood_of_announcements_is_remembered_up_to_a_limit_and_then_forgotten():
    spread = linked()
    numbers = count()
    outs = [spread.told(hub(1), [action(next(numbers)) for _ in range(HAVE_IDS_MAX)], 0) for _ in range(1_000)]
    assert outs[-1] == [FellBehind(hub(1))]
    assert len(spread._missing) == HAVE_TOLD_IDS_MAX
    spread.tick(ASK_AFTER_S)
    spread.tick(ASK_AFTER_S + ASK_ANSWER_S)
    assert spread._missing == {}
    assert spread.due_at == float("inf")


def test_a_peer_gets_by_asking_only_what_was_announced_to_it_and_that_once():
    spread = linked(is_lazy=True)
    assert spread.asked(hub(1), [action(1)]) == [], "not announced"
    spread.pruned(hub(1))
    spread.appended([action(1)], [b"x"], b"", 0)
    assert spread.tick(HAVE_GATHER_S) == [SendHave(hub(1), Side.ACCEPTED, (action(1),))]
    assert spread.asked(hub(1), [action(1)] * 9) == [LoadAsked(hub(1), Side.ACCEPTED, (action(1),))]
    assert spread.loaded(hub(1), [b"x"]) == [SendPush(hub(1), Side.ACCEPTED, (b"x",))]
    assert spread.asked(hub(1), [action(1)]) == []


def test_a_peer_that_asks_for_much_and_acknowledges_nothing_costs_a_bounded_queue():
    spread, behind = linked(is_lazy=True), 0
    for number in range(50):
        spread.pruned(hub(1))
        ids = [action(number * 1_000 + n) for n in range(500)]
        spread.appended(ids, [b"x"] * 500, b"", number)
        spread.tick(number + HAVE_GATHER_S)
        behind += spread.asked(hub(1), ids).count(FellBehind(hub(1)))
    [neighbour] = spread._neighbours.values()
    assert len(neighbour.asked) <= HAVE_QUEUE_IDS_MAX
    assert behind


def test_more_news_than_a_lazy_link_carries_is_left_to_a_session():
    spread = linked(is_lazy=True)
    ids = [action(number) for number in range(HAVE_QUEUE_IDS_MAX + 1)]
    assert spread.appended(ids, [b"x"] * len(ids), b"", 0) == [FellBehind(hub(1))]
    assert spread.due_at == float("inf")


def test_what_is_remembered_of_the_way_of_actions_is_bounded():
    spread = linked()
    for number in range(10 * SPREAD_RECENT_IDS_MAX):
        spread.appended([action(number)], [b"x"], hub(1), number)
    assert len(spread._recent) == SPREAD_RECENT_IDS_MAX


def test_frames_of_peers_that_are_not_linked_do_nothing():
    spread = Spread()
    outs = [
        *spread.told(hub(1), [action(1)], 0),
        *spread.asked(hub(1), [action(1)]),
        *spread.loaded(hub(1), [b"x"]),
        *spread.taken(hub(1), Side.DIALLED),
        *spread.judged(PushJudged(hub(1), [action(1)], [])),
        *spread.tick(1_000),
    ]
    spread.pruned(hub(1))
    assert outs == []
