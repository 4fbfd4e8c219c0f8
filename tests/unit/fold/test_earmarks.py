"""Earmarks and classes: what is set aside for one tutor, and what many learners were in."""

import pytest
from builders import START_S, Village

from hubd.action.kinds import DRAWS_ON_EARMARK
from hubd.fold.folder import fold
from hubd.fold.lesson_views import EarmarkState
from hubd.fold.views import Payment

TX2 = b"\x02" * 32


class Set:
    """Ana set 100 aside for Tomas."""

    def __init__(self):
        self.v = Village(34)
        self.earmark = self.v.earmark("ana", "tomas", 100)
        self.base = [*map(self.v.register, ("ana", "tomas", "bibi")), *self.v.found("hub", uplink=True)]

    def views(self, *actions):
        return fold(self.v.charter, [*self.base, *actions])

    def shown(self, *actions):
        entry = self.views(self.earmark, *actions).earmarks[self.earmark.id]
        return entry.state, entry.left

    def done(self, *actions, **fields):
        return self.v.receipt("hub", [(action, 0) for action in actions], **fields)

    def draw(self, price):
        return self.v.book("ana", "tomas", price, bits=60 | DRAWS_ON_EARMARK, subject=self.earmark.id)


def test_an_earmark_is_safe_when_the_chain_has_it():
    aside = Set()
    assert aside.shown() == (EarmarkState.PROMISED, 100)
    assert aside.shown(aside.done(aside.earmark)) == (EarmarkState.SAFE, 100)
    refused = aside.v.receipt("hub", [(aside.earmark, 5)])
    assert aside.shown(refused) == (EarmarkState.FAILED, 0)


def test_what_lessons_drew_is_gone_until_it_comes_back():
    aside = Set()
    book = aside.draw(60)
    safe = aside.done(aside.earmark, book)
    assert aside.shown(book, aside.done(aside.earmark)) == (EarmarkState.SAFE, 100)
    assert aside.shown(book, safe) == (EarmarkState.SAFE, 40)
    cancel = aside.v.cancel("tomas", book)
    assert aside.shown(book, safe, cancel, aside.done(cancel, txid=TX2)) == (EarmarkState.SAFE, 100)


def test_a_lesson_that_draws_on_an_earmark_is_locked_and_names_it():
    aside = Set()
    book = aside.draw(60)
    lesson = aside.views(aside.earmark, book, aside.done(aside.earmark, book)).lessons[book.id]
    assert (lesson.payment, lesson.payer, lesson.match, lesson.locks) == (Payment.LOCKED, aside.earmark.id, None, False)


def test_what_is_left_goes_back_when_the_chain_says_so():
    aside = Set()
    back = aside.v.give_back("tomas", aside.earmark)
    safe = aside.done(aside.earmark)
    assert aside.shown(safe, back) == (EarmarkState.SAFE, 100)
    assert aside.shown(safe, back, aside.done(back, txid=TX2)) == (EarmarkState.RETURNED, 0)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda v: v.earmark("ana", "ana"), "self"),
        (lambda v: v.lock("ana", 5, 2), "who"),
        (lambda v: v.lock("ana", 5, 1), "who"),
        (lambda v: v.lock("ana", 5, 1, who="bibi"), "subject"),
        (lambda v: v.lock("ana", 5, 0), "subject"),
        (lambda v: v.lock("ana", 5, 3, who="bibi"), "bits"),
    ],
)
def test_money_is_set_aside_for_something(make, reason):
    aside = Set()
    wrong = make(aside.v)
    assert aside.views(wrong).void[wrong.id].reason == reason
    assert wrong.id not in aside.views(wrong).earmarks


def test_only_earmarks_are_given_back():
    aside = Set()
    lock = aside.v.lock("ana", 5, 1, b"\x07" * 32, who="bibi")
    back = aside.v.give_back("bibi", lock)
    assert aside.views(lock, back).void[back.id].reason == "subject"


# --- classes


def test_each_learner_of_a_class_counts_once():
    aside = Set()
    taught = aside.v.class_open("tomas", b"\x07" * 32, 5)
    there = [aside.v.class_attend(name, taught) for name in ("ana", "ana", "bibi")]
    seen = [aside.v.class_attend("tomas", taught, who=name) for name in ("ana", "bibi", "bibi")]
    entry = aside.views(taught, *there, *seen, aside.done(there[1], seen[0])).classes[taught.id]
    assert (entry.tutor, entry.price, entry.start, entry.minutes) == (aside.v.principal("tomas"), 5, START_S, 60)
    assert (entry.attended, entry.settled, entry.pool, entry.waiting) == (2, 1, b"\x07" * 32, ())


def test_an_attendance_counts_when_learner_and_tutor_said_it():
    aside = Set()
    taught = aside.v.class_open("tomas", b"\x07" * 32, 5)
    theirs = [aside.v.class_attend(name, taught) for name in ("ana", "bibi")]
    seen = [aside.v.class_attend("tomas", taught, who=name) for name in ("ana", "chi")]
    entry = aside.views(taught, *theirs, *seen, aside.done(theirs[0])).classes[taught.id]
    assert (entry.attended, entry.settled, entry.waiting) == (1, 0, (aside.v.principal("bibi"),))
    assert aside.views(taught, *theirs, *seen, aside.done(*theirs, *seen)).classes[taught.id].settled == 1


def test_a_tutor_is_no_learner_of_the_own_class_and_a_class_has_a_length():
    aside = Set()
    taught, short = aside.v.class_open("tomas"), aside.v.class_open("tomas", bits=1 << 12)
    own, foreign = aside.v.class_attend("tomas", taught), aside.v.class_attend("ana", taught, who="bibi")
    views = aside.views(taught, short, own, foreign)
    assert [views.void[each.id].reason for each in (own, foreign, short)] == ["self", "who", "bits"]
    assert set(views.classes) == {taught.id}
    assert views.classes[taught.id].attended == 0
