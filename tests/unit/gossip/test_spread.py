"""Webs of hubs in which actions spread: what one costs, how long it takes, and how the tree mends itself."""

import random
from collections import Counter
from collections.abc import Iterable
from heapq import heappop, heappush
from itertools import combinations, count, pairwise

import pytest

from hubd.action.network import TESTNET
from hubd.action.principal import Principal, standard
from hubd.action.sip018 import ActionId
from hubd.gossip.peer import LoadAsked, PushJudged, SendAsk, SendHave, SendPrune, SendPush, Side
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

DELAY_S = 0.05


def hub(number: int) -> Principal:
    return standard(TESTNET.single_sig, number.to_bytes(20, "big"))


def action(number: int) -> ActionId:
    return ActionId(number.to_bytes(32, "big"))


class Web:
    """Spreading machines, their sets, and wires that take time. An envelope is its id."""

    def __init__(self, hubs: int, wires: Iterable[tuple[int, int]], *, seed: int = 0, jitter: float = 0.0) -> None:
        self.now = 100.0
        self.spreads = [Spread() for _ in range(hubs)]
        self.sets: list[dict[ActionId, float]] = [{} for _ in range(hubs)]
        self.sent: Counter[str] = Counter()
        self.wires: set[tuple[int, int]] = set()
        self._chance = random.Random(seed)
        self._jitter = jitter
        self._post: list[tuple[float, int, int, int, object]] = []
        self._order = count()
        for one, other in wires:
            self.join(one, other)

    def join(self, one: int, other: int) -> None:
        self.wires.add((one, other))
        self.spreads[one].opened(hub(other), Side.DIALLED)
        self.spreads[other].opened(hub(one), Side.ACCEPTED)

    def cut(self, one: int, other: int) -> None:
        self.wires.remove((one, other))
        self.spreads[one].lost(hub(other), Side.DIALLED)
        self.spreads[other].lost(hub(one), Side.ACCEPTED)
        self._post = [entry for entry in self._post if {entry[2], entry[3]} != {one, other}]

    def publish(self, where: int, id_: ActionId, source: bytes = b"") -> None:
        self.sets[where][id_] = self.now
        self._perform(where, self.spreads[where].appended([id_], [id_], source, self.now))

    def run(self, seconds: float) -> None:
        until = self.now + seconds
        while True:
            due_at = min(spread.due_at for spread in self.spreads)
            next_at = min(due_at, self._post[0][0] if self._post else until)
            if next_at > until or (next_at == until and not self._post):
                break
            self.now = max(self.now, next_at)
            if due_at <= self.now:
                for number, spread in enumerate(self.spreads):
                    self._perform(number, spread.tick(self.now))
                continue
            _, _, sender, receiver, what = heappop(self._post)
            self._deliver(sender, receiver, what)
        self.now = until

    def reached(self, id_: ActionId) -> int:
        return sum(id_ in each for each in self.sets)

    def last_at(self, id_: ActionId) -> float:
        return max(each[id_] for each in self.sets)

    def tree(self) -> set[tuple[int, int]]:
        return {
            (one, other)
            for one, other in self.wires
            if self.spreads[one].is_eager(hub(other)) and self.spreads[other].is_eager(hub(one))
        }

    def _perform(self, here: int, outs: list) -> None:
        for out in outs:
            there = int.from_bytes(out.hub[1:21], "big")
            match out:
                case LoadAsked(_, _, ids):
                    envelopes = [id_ for id_ in ids if id_ in self.sets[here]]
                    self._perform(here, self.spreads[here].loaded(out.hub, envelopes))
                case SendAsk(_, side, ids):
                    known = [id_ for id_ in ids if id_ in self.sets[here]]
                    self.spreads[here].known(known)
                    missing = tuple(id_ for id_ in ids if id_ not in known)
                    self._send(here, there, SendAsk(out.hub, side, missing)) if missing else None
                case SendPush() | SendHave() | SendPrune():
                    self._send(here, there, out)
                case FellBehind():
                    self.sent["behind"] += 1

    def _send(self, here: int, there: int, what: object) -> None:
        self.sent[type(what).__name__] += 1
        delay_s = DELAY_S * (1 + self._jitter * self._chance.random())
        heappush(self._post, (self.now + delay_s, next(self._order), here, there, what))

    def _deliver(self, sender: int, here: int, what: object) -> None:
        spread, peer = self.spreads[here], hub(sender)
        match what:
            case SendPush(_, side, envelopes):
                self.sent["bodies"] += len(envelopes)
                new = [id_ for id_ in envelopes if id_ not in self.sets[here]]
                self.sets[here].update(dict.fromkeys(new, self.now))
                self._perform(here, spread.appended(new, new, peer, self.now) if new else [])
                self._perform(here, spread.judged(PushJudged(peer, new, [e for e in envelopes if e not in new])))
                self._perform(sender, self.spreads[sender].taken(hub(here), side))
            case SendHave(_, _, ids):
                self._perform(here, spread.told(peer, ids, self.now))
            case SendAsk(_, _, ids):
                self._perform(here, spread.asked(peer, ids))
            case SendPrune():
                spread.pruned(peer)


def full(hubs: int) -> Web:
    return Web(hubs, combinations(range(hubs), 2))


# --- what it costs and how long it takes


def test_fifty_hubs_in_a_line_have_a_new_action_within_twice_the_hops():
    web = Web(50, ((number, number + 1) for number in range(49)))
    began = web.now
    web.publish(0, action(1))
    web.run(2 * 49 * DELAY_S)
    assert web.reached(action(1)) == 50
    assert web.last_at(action(1)) - began <= 2 * 49 * DELAY_S
    assert web.sent["bodies"] == 49


def test_among_sixteen_hubs_that_all_are_linked_an_action_costs_one_body_a_hub():
    web = full(16)
    web.publish(0, action(0))
    web.run(10)
    assert web.sent["bodies"] > 100, "the first action finds the tree"
    assert len(web.tree()) == 15
    for number in range(1, 33):
        web.publish(number % 16, action(number))
        web.run(10)
    web.sent.clear()
    for number in range(33, 65):
        web.publish(number % 16, action(number))
        web.run(10)
        assert web.reached(action(number)) == 16
    assert web.sent["bodies"] == 32 * 15
    assert web.sent["SendPrune"] == web.sent["SendAsk"] == web.sent["behind"] == 0


def test_a_lazy_link_carries_the_ids_of_a_moment_in_one_frame():
    web = full(3)
    web.publish(0, action(0))
    web.run(5)
    web.sent.clear()
    for number in range(1, 11):
        web.publish(0, action(number))
    web.run(5)
    assert web.sent["bodies"] == 20
    assert web.sent["SendHave"] <= 2


@pytest.mark.parametrize("seed", range(8))
def test_a_random_web_stays_cheap_and_whole_though_links_come_and_go(seed):
    chance = random.Random(seed)
    ring = [(number, (number + 1) % 20) for number in range(20)]
    chords = [pair for pair in combinations(range(20), 2) if chance.random() < 0.2 and pair not in ring]
    web = Web(20, {*ring, *chords} - {(19, 0)} | {(0, 19)}, seed=seed, jitter=1.0)
    published = 0
    for _ in range(30):
        victim = chance.choice(sorted(web.tree() or web.wires))
        web.cut(*victim)
        for _ in range(3):
            published += 1
            web.publish(chance.randrange(20), action(published))
        web.run(8 * (ASK_AFTER_S + HAVE_GATHER_S + 1))
        web.join(*victim)
    assert all(web.reached(action(number)) == 20 for number in range(1, published + 1))
    for number in range(published + 1, published + 41):
        web.publish(chance.randrange(20), action(number))
        web.run(5)
    web.sent.clear()
    for number in range(published + 41, published + 81):
        web.publish(chance.randrange(20), action(number))
        web.run(5)
        assert web.reached(action(number)) == 20
    assert web.sent["bodies"] <= 40 * 19 * 1.1


def test_a_newcomer_that_is_filled_does_not_push_the_whole_set_at_everybody():
    web = full(5)
    for number in range(5_000):
        for each in range(4):
            web.sets[each][action(number)] = 0.0
    for number in range(5_000):
        web.sets[4][action(number)] = web.now
    for start in range(0, 5_000, 100):
        ids = [action(number) for number in range(start, start + 100)]
        web._perform(4, web.spreads[4].appended(ids, ids, hub(0), web.now))
        web.run(2 * DELAY_S)
    assert web.sent["bodies"] <= 3 * 300
    web.run(60)
    web.publish(0, action(9_999))
    web.run(10)
    assert web.reached(action(9_999)) == 5


def test_old_news_over_the_only_eager_link_leaves_it_eager():
    spread = Spread()
    spread.opened(hub(1), Side.DIALLED)
    assert spread.judged(PushJudged(hub(1), [], [action(1)])) == []
    spread.opened(hub(2), Side.DIALLED)
    assert spread.judged(PushJudged(hub(1), [], [action(1)])) == [SendPrune(hub(1), Side.DIALLED)]


# --- how the tree mends itself


def test_when_a_link_of_the_tree_goes_an_announcement_brings_the_action_and_a_new_link_of_the_tree():
    web = full(3)
    web.publish(0, action(0))
    web.run(5)
    [spare] = web.wires - web.tree()
    web.cut(*min(web.tree()))
    began = web.now
    web.publish(0, action(1))
    web.run(5)
    assert web.reached(action(1)) == 3
    assert web.last_at(action(1)) - began <= HAVE_GATHER_S + ASK_AFTER_S + 4 * DELAY_S
    assert spare in web.tree()
    web.sent.clear()
    web.publish(1, action(2))
    web.run(5)
    assert web.reached(action(2)) == 3
    assert web.sent["bodies"] == 2


def test_an_action_that_a_person_brought_to_both_ends_of_a_link_leaves_it_eager():
    web = Web(2, [(0, 1)])
    web.publish(0, action(1))
    web.publish(1, action(1))
    web.run(5)
    assert web.sent["bodies"] == 2
    assert web.tree() == {(0, 1)}


def test_what_a_session_brought_prunes_no_link():
    spread = Spread()
    for number in (1, 2):
        spread.opened(hub(number), Side.DIALLED)
    spread.appended([action(1)], [b"x"], hub(1), 0)
    assert spread.judged(PushJudged(hub(2), [], [action(1)])) == []
    spread.appended([action(2)], [b"x"], hub(1), 0)
    spread.judged(PushJudged(hub(1), [action(2)], []))
    assert spread.judged(PushJudged(hub(2), [], [action(2)])) == [SendPrune(hub(2), Side.DIALLED)]


def test_a_peer_that_told_of_an_action_is_not_sent_it():
    spread = Spread()
    spread.opened(hub(1), Side.DIALLED)
    spread.told(hub(1), [action(1)], 0)
    assert spread.appended([action(1)], [b"x"], b"", 0.1) == []


def test_whoever_told_first_is_asked_and_then_the_next():
    spread = Spread()
    for number in (1, 2, 3):
        spread.opened(hub(number), Side.ACCEPTED)
    spread.told(hub(2), [action(1)], 0)
    spread.told(hub(1), [action(1)], 0.1)
    assert spread.tick(ASK_AFTER_S) == [SendAsk(hub(2), Side.ACCEPTED, (action(1),))]
    assert spread.tick(ASK_AFTER_S + 1) == []
    assert spread.tick(ASK_AFTER_S + ASK_ANSWER_S) == [SendAsk(hub(1), Side.ACCEPTED, (action(1),))]


def test_when_the_asked_peer_is_lost_the_next_is_asked_at_once():
    spread = Spread()
    for number in (1, 2):
        spread.opened(hub(number), Side.ACCEPTED)
        spread.told(hub(number), [action(1)], 0)
    spread.tick(ASK_AFTER_S)
    spread.lost(hub(1), Side.ACCEPTED)
    assert spread.tick(ASK_AFTER_S + 0.1) == [SendAsk(hub(2), Side.ACCEPTED, (action(1),))]


# --- rough treatment


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
