"""Asking for content that is missing: what is there comes, what is not costs little, and whoever lies is let go."""

from itertools import pairwise, product

import pytest
from conversations import envelope
from shelves import Shelf, Talk, proof, seek

from hubd.errors import RemoteError
from hubd.gossip.content import Seeker, Sought
from hubd.gossip.dialogue import Ended
from hubd.gossip.wire import AskContent, Content
from hubd.limits import (
    CONTENT_AGAIN_S_MAX,
    CONTENT_AGAIN_S_MIN,
    CONTENT_ANSWER_S,
    CONTENT_IDS_MAX,
    CONTENT_REST_S,
    CONTENT_VAIN_MAX,
)


def test_where_nothing_is_missing_or_nothing_was_proven_nothing_is_said():
    bare = Shelf(3, [0])
    for ours, ended in ((Shelf(3), None), (bare, Ended(is_proven=False, lacking=1)), (bare, Ended(is_proven=True))):
        assert seek(Seeker(Sought()), ours, Shelf(3), ended=ended) == []


PLACES = ["both", "only a", "only b", "neither", "erased"]


@pytest.mark.parametrize("where", list(product(PLACES, repeat=3)), ids="-".join)
def test_all_small_shelves_come_to_hold_whatever_one_of_them_does_and_nothing_that_was_erased(where):
    """The exhaustive twin of the simulation's check."""
    erased = [number for number, place in enumerate(where) if place == "erased"]
    a = Shelf(3, [number for number, place in enumerate(where) if place in {"only b", "neither"}], erased)
    b = Shelf(3, [number for number, place in enumerate(where) if place in {"only a", "neither"}], erased)
    for ours, theirs in ((a, b), (b, a)):
        assert len(seek(Seeker(Sought()), ours, theirs)) <= 1
    lost = {a.order[number] for number, place in enumerate(where) if place == "neither"}
    assert a.bare == b.bare == lost
    assert not {id_ for ids in a.asked + b.asked for id_ in ids} & a.erased


def test_more_than_a_page_and_than_an_answer_holds_comes_after_one_proof():
    ours, theirs = Shelf(2 * CONTENT_IDS_MAX + 10, range(2 * CONTENT_IDS_MAX + 5)), Shelf(2 * CONTENT_IDS_MAX + 10)
    theirs.fits = 100
    asked = seek(Seeker(Sought()), ours, theirs)
    assert ours.bare == set()
    assert [len(frame.ids) for frame in asked] == [256, 256, 256, 217, 117, 17]


def test_what_a_peer_does_not_have_is_passed_over_and_the_rest_comes():
    ours, theirs = Shelf(1_000, range(1_000)), Shelf(1_000, range(0, 1_000, 2))
    seek(Seeker(Sought()), ours, theirs)
    assert ours.bare == theirs.bare


def test_what_nobody_has_is_asked_for_a_few_times_a_day():
    """Kills the mutant that asks after every proof."""
    ours, theirs, sought = Shelf(100, range(100)), Shelf(100, range(100)), Sought()
    day = [len(seek(Seeker(sought), ours, theirs, at)) for at in range(0, 86_400, 30)]
    assert sum(day) <= 14
    assert CONTENT_AGAIN_S_MIN * 2**9 > CONTENT_AGAIN_S_MAX
    assert sum(len(seek(Seeker(sought), ours, theirs, 86_400.0 + at)) for at in range(0, 86_400, 30)) == 4


def test_a_long_walk_in_vain_is_a_few_questions_after_each_proof_and_goes_on_over_other_links():
    count = CONTENT_IDS_MAX * CONTENT_VAIN_MAX * 3
    ours, theirs, sought = Shelf(count, range(count)), Shelf(count, range(count - 1)), Sought()
    asked = [len(seek(Seeker(sought), ours, theirs, 30.0 * number)) for number in range(4)]
    assert asked == [CONTENT_VAIN_MAX] * 3 + [0]
    assert ours.bare == theirs.bare


def test_a_peer_that_found_some_of_it_is_asked_again_soon():
    ours, theirs, sought = Shelf(9, range(9)), Shelf(9, range(9)), Sought()
    assert len(seek(Seeker(sought), ours, theirs, 0.0)) == 1
    assert seek(Seeker(sought), ours, theirs, 30.0) == []
    theirs.bare.pop()
    assert seek(Seeker(sought), ours, theirs, 30.0 + CONTENT_REST_S - 1) == [], (
        "so that saying other numbers costs little"
    )
    assert len(seek(Seeker(sought), ours, theirs, 60.0)) == 1
    assert ours.bare == theirs.bare


def test_of_what_newly_lacks_only_that_is_asked_for():
    ours, theirs, sought = Shelf(9, range(5)), Shelf(9, range(5)), Sought()
    seek(Seeker(sought), ours, theirs, 0.0)
    ours.bare.add(ours.order[8])
    [frame] = seek(Seeker(sought), ours, theirs, 30.0)
    assert frame == AskContent((ours.order[8],))
    assert ours.bare == theirs.bare


def test_a_question_that_was_lost_is_asked_anew_after_a_minute_and_one_that_is_open_is_not():
    """Kills the mutant that waits for ever."""
    ours, theirs = Shelf(3, [1]), Shelf(3)
    seeker = Seeker(Sought())
    [load] = seeker.handle(proof(ours, theirs), 0.0)
    [lost] = seeker.handle(ours.answer(load), 0.0)
    assert seek(seeker, ours, theirs, CONTENT_ANSWER_S) == []
    assert seek(seeker, ours, theirs, CONTENT_ANSWER_S + CONTENT_REST_S) == [lost.frame]
    assert ours.bare == set()


def test_an_answer_that_was_only_slow_is_taken_and_the_one_to_the_second_question_blames_nobody():
    talk = Talk(Shelf(3, [1]), Shelf(3))
    talk.hear(proof(talk.ours, talk.theirs))
    talk.hear(proof(talk.ours, talk.theirs), CONTENT_ANSWER_S + CONTENT_REST_S)
    first, second = talk.asked
    assert first == second
    talk.hear(talk.theirs.give(first))
    assert talk.ours.bare == set()
    talk.hear(talk.theirs.give(second))
    with pytest.raises(RemoteError, match="order"):
        talk.hear(talk.theirs.give(second))


def test_a_card_that_takes_nothing_now_blames_nobody():
    ours, theirs, sought = Shelf(9, range(9)), Shelf(9), Sought()
    ours.is_full = True
    assert len(seek(Seeker(sought), ours, theirs, 0.0)) == 1
    ours.is_full = False
    seek(Seeker(sought), ours, theirs, 30.0)
    assert ours.bare == set()


def test_a_peer_whose_card_cannot_be_read_now_is_asked_for_the_same_after_the_next_proof():
    ours, theirs, sought = Shelf(9, range(9)), Shelf(9), Sought()
    assert len(seek(Seeker(sought), ours, theirs, 0.0, twist=lambda _frame: Content(0, ()))) == 1
    assert len(seek(Seeker(sought), ours, theirs, 30.0)) == 3
    assert ours.bare == set()


# --- peers that lie


def test_content_that_nobody_asked_for_breaks_the_rules():
    seeker = Seeker(Sought())
    with pytest.raises(RemoteError) as refused:
        seeker.handle(Content(1, (envelope(1),)), 0.0)
    assert refused.value.code == "order"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Content(6, ()), "order"),
        (Content(1, (envelope(0), envelope(1))), "order"),
        (Content(0, (envelope(0),)), "order"),
        (Content(5, (b"bad" + bytes(20),)), "refused"),
        (Content(5, (envelope(77),)), "refused"),
        (Content(1, (envelope(3),)), "refused"),
    ],
    ids=[
        "beyond what was asked",
        "more than it tells",
        "some of none",
        "no valid action",
        "another action",
        "one of a later answer",
    ],
)
def test_an_answer_that_is_none_is_refused_and_the_next_proof_asks_again(answer, code):
    ours, sought = Shelf(9, range(5)), Sought()
    seeker = Seeker(sought)
    with pytest.raises(RemoteError) as refused:
        seek(seeker, ours, Shelf(9), twist=lambda _frame: answer)
    assert refused.value.code == code
    seek(seeker, ours, Shelf(9), 30.0)
    assert not ours.bare & set(ours.order[:3])


def test_headers_without_the_content_that_was_asked_for_are_answers_in_vain():
    count = CONTENT_IDS_MAX * 10
    ours, theirs = Shelf(count, range(count)), Shelf(count)

    def strip(frame):
        return Content(len(frame.envelopes), tuple(b"bare" + raw for raw in frame.envelopes))

    assert len(seek(Seeker(Sought()), ours, theirs, twist=strip)) == CONTENT_VAIN_MAX
    assert len(ours.bare) == count


def test_a_peer_that_says_something_else_each_time_is_asked_a_bounded_number_of_times():
    ours, theirs, sought = Shelf(100, range(100)), Shelf(100, range(100)), Sought()
    asked = [
        len(seek(Seeker(sought), ours, theirs, at / 2, ended=Ended(is_proven=True, lacking=100, peer_lacking=at)))
        for at in range(2 * 3_600)
    ]
    assert sum(asked) <= 3_600 / CONTENT_REST_S


def test_a_peer_that_never_answers_is_asked_more_and_more_seldom():
    ours, theirs, sought = Shelf(9, range(9)), Shelf(9), Sought()
    seeker, asked_at = Seeker(sought), []
    for at in range(0, 86_400, 30):
        for load in seeker.handle(proof(ours, theirs), at):
            asked_at += [at] * len(seeker.handle(ours.answer(load), at))
    rests = [later - earlier for earlier, later in pairwise(asked_at)]
    assert rests[:4] == [90, 150, 270, 510]
    assert len(asked_at) <= 14
    assert len(seek(Seeker(sought), ours, theirs, 86_400.0)) == 3, "and on the next link at once"
