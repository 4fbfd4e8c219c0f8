"""What a peer tells of is asked for at once, of one peer at a time; who only tells is not heard for long."""

import pytest
from shelves import Shelf, Talk, proof

from hubd.gossip.content import Claims, LoadBare, Sought, Told, Waited
from hubd.gossip.dialogue import StoreFailed
from hubd.gossip.wire import Content
from hubd.limits import (
    ASK_ANSWER_S,
    ASKS_UNKEPT_MAX,
    CONTENT_CLAIMS_MAX,
    CONTENT_IDS_MAX,
    HAVE_REST_S,
    HAVE_TOLD_IDS_MAX,
)


def test_what_a_peer_tells_of_is_asked_for_at_once_if_it_is_missing_and_was_not_erased():
    ours = Shelf(9, [1, 2, 3], erased=[2])
    talk = Talk(ours, Shelf(9))
    talk.tell(0, 1, 2, 3, 4)
    assert talk.asked == [(ours.order[1], ours.order[3])]
    talk.answer()
    assert (ours.bare, talk.asked) == (set(), [])


def test_more_than_an_answer_holds_and_than_a_page_is_asked_for_until_it_is_here():
    ours = Shelf(2 * CONTENT_IDS_MAX, range(2 * CONTENT_IDS_MAX))
    talk = Talk(ours, Shelf(2 * CONTENT_IDS_MAX))
    talk.theirs.fits = 100
    talk.tell(*range(300))
    pages = []
    while talk.asked:
        pages.append(len(talk.asked[0]))
        talk.answer()
    assert pages == [256, 200, 100]
    assert ours.bare == set(ours.order[300:])


def test_two_peers_are_not_asked_for_the_same_and_the_second_one_is_if_the_first_gives_nothing():
    ours, claims = Shelf(9, range(4)), Claims()
    first, second = Talk(ours, Shelf(9), Sought(claims)), Talk(ours, Shelf(9), Sought(claims))
    first.tell(0, 1)
    second.tell(0, 1, 2)
    assert second.asked == [(ours.order[2],)]
    second.answer()
    first.answer(twist=lambda _frame: Content(2, ()))
    second.hear(Waited(), 1.0)
    assert second.asked == [(ours.order[0], ours.order[1])]
    second.answer(1.0)
    assert ours.bare == {ours.order[3]}
    first.hear(Waited(), 2.0)
    assert first.asked == []


def test_a_peer_that_tells_and_never_answers_keeps_it_from_others_for_a_moment_and_costs_nothing_more():
    """Kills the mutant whose claims last."""
    ours, claims = Shelf(5_000, range(5_000)), Claims()
    silent, honest = Talk(ours, Shelf(5_000), Sought(claims)), Talk(ours, Shelf(5_000), Sought(claims))
    silent.tell(0, 1)
    honest.tell(0, 1)
    honest.hear(Waited(), ASK_ANSWER_S - 1)
    assert (len(silent.asked), honest.asked) == (1, [])
    honest.hear(Waited(), ASK_ANSWER_S)
    honest.answer(ASK_ANSWER_S)
    assert not ours.bare & set(ours.order[:2])
    for start in range(0, 5_000, 100):
        silent.tell(*range(start, start + 100), now=60.0)
    assert len(silent.asked) == 1
    assert len(silent.seeker._told) <= HAVE_TOLD_IDS_MAX
    honest.tell(2, 3, now=60.0)
    assert honest.asked == [(ours.order[2], ours.order[3])], "what it tells of now is claimed by nobody"


def test_a_peer_that_does_not_answer_after_a_proof_leaves_it_to_the_next_one():
    ours, claims = Shelf(9, range(9)), Claims()
    silent, honest = Talk(ours, Shelf(9), Sought(claims)), Talk(ours, Shelf(9), Sought(claims))
    silent.hear(proof(ours, silent.theirs))
    honest.hear(proof(ours, honest.theirs))
    while honest.asked:
        honest.answer()
    assert (len(silent.asked), ours.bare) == (1, set())


@pytest.mark.parametrize("relinks", [False, True], ids=["over one link", "over a new link each time"])
def test_a_peer_that_tells_and_gives_nothing_is_asked_three_times_and_then_not_heard_for_a_minute(relinks):
    ours, sought = Shelf(9, range(9)), Sought()
    talk, asked = Talk(ours, Shelf(9), sought), 0
    for at in range(0, 600, 10):
        if relinks:
            talk = Talk(ours, Shelf(9), sought)
        talk.tell(0, 1, now=float(at))
        asked += len(talk.asked)
        if not relinks and talk.asked:
            talk.answer(float(at), twist=lambda frame: Content(2, tuple(b"bare" + raw for raw in frame.envelopes)))
    assert ASKS_UNKEPT_MAX < asked <= ASKS_UNKEPT_MAX * (600 / HAVE_REST_S + 1)


def test_who_keeps_its_word_now_and_then_is_heard():
    ours = Shelf(99, range(99))
    talk = Talk(ours, Shelf(99, range(0, 99, 2)))
    for number in range(99):
        talk.tell(number, now=float(number))
        talk.answer(float(number))
    assert ours.bare == talk.theirs.bare


def test_what_a_peer_tells_of_in_the_middle_of_a_long_walk_comes_with_the_next_page():
    count = 3 * CONTENT_IDS_MAX
    ours = Shelf(count, range(count))
    talk = Talk(ours, Shelf(count))
    talk.theirs.fits = CONTENT_IDS_MAX
    talk.hear(proof(ours, talk.theirs))
    talk.tell(count - 1)
    talk.answer()
    assert talk.asked == [(ours.order[-1],)]
    while talk.asked:
        talk.answer()
    assert ours.bare == set(), "and then the walk goes on"


@pytest.mark.parametrize("trouble", ["our card is full", "our card can't be read", "theirs can't be read"])
def test_a_card_in_trouble_ends_it_and_the_next_telling_begins_anew(trouble):
    ours = Shelf(9, range(9))
    talk = Talk(ours, Shelf(9))
    if trouble == "our card can't be read":
        [load] = talk.seeker.handle(Told(ours.order[:2]), 0.0)
        assert isinstance(load, LoadBare)
        assert talk.seeker.handle(StoreFailed(), 0.0) == []
    else:
        talk.tell(0, 1)
        ours.is_full = trouble == "our card is full"
        talk.answer(twist=lambda frame: frame if ours.is_full else Content(0, ()))
    assert talk.asked == []
    ours.is_full = False
    talk.tell(0, 1, now=1.0)
    talk.answer(1.0)
    assert ours.bare == set(ours.order[2:])


def test_claims_of_links_that_went_are_forgotten():
    claims = Claims()
    for number in range(3 * CONTENT_CLAIMS_MAX):
        claims.take([number.to_bytes(32, "big")], float(number))
    assert len(claims._until) <= CONTENT_CLAIMS_MAX + 1
