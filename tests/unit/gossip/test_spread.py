"""Webs of hubs in which actions spread: what one costs, how long it takes, and how the tree mends itself."""

import random
from itertools import combinations

import pytest
from webs import DELAY_S, Web, action, full, hub

from hubd.gossip.peer import PushJudged, SendAsk, SendPrune, Side
from hubd.gossip.spread import Spread
from hubd.limits import ASK_AFTER_S, ASK_ANSWER_S, HAVE_GATHER_S

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
