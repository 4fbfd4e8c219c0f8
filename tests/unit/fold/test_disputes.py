"""Disputes: what the two would settle for, and how it ended on the chain."""

import itertools

import pytest
from builders import Village

from hubd.fold.folder import fold
from hubd.fold.lesson_views import DisputeState
from hubd.fold.views import LessonState, Payment
from hubd.limits import DISPUTE_OFFERS_MAX


class Quarrel:
    """A lesson that was confirmed and locked, and Ana disputes it. The chain has all that, and `done` says what else."""

    def __init__(self):
        self.v = Village(32)
        self.thread = self.v.thread("ana", "tomas")
        self.book = self.thread.book
        self.opening = self.v.dispute("ana", self.book, 7)
        self.signed = [
            *map(self.v.register, ("ana", "tomas", "elder", "sage", "mzee")),
            *self.v.found("hub", uplink=True),
            self.book,
            self.thread.confirm,
            self.opening,
        ]
        self.agreed = [self.book, self.thread.confirm, self.opening]

    def views(self, *actions, done=()):
        receipt = self.v.receipt("hub", [(action, 0) for action in (*self.agreed, *done)])
        return fold(self.v.charter, [*self.signed, *actions, receipt])

    def ended(self, *actions, done=()):
        views = self.views(*actions, done=done)
        dispute, lesson = views.disputes[self.book.id], views.lessons[self.book.id]
        return dispute.state, dispute.points, lesson.state, lesson.payment

    @property
    def still_open(self):
        return DisputeState.OPEN, None, LessonState.DISPUTED, Payment.DISPUTED


def test_a_dispute_names_its_opener_and_holds_the_price():
    quarrel = Quarrel()
    dispute = quarrel.views().disputes[quarrel.book.id]
    assert (dispute.opener, dispute.reason, dispute.opening) == (quarrel.v.principal("ana"), 7, quarrel.opening.id)
    assert quarrel.ended() == quarrel.still_open


def test_before_the_chain_has_it_the_price_is_where_it_was():
    quarrel = Quarrel()
    quarrel.agreed.pop()
    lesson = quarrel.views().lessons[quarrel.book.id]
    assert (lesson.state, lesson.payment) == (LessonState.DISPUTED, Payment.LOCKED)
    assert quarrel.views(*quarrel.thread.attends).lessons[quarrel.book.id].state is LessonState.DISPUTED
    whole = quarrel.views(*quarrel.thread.attends, quarrel.thread.complete)
    assert whole.lessons[quarrel.book.id].state is LessonState.COMPLETED


def test_a_dispute_that_the_chain_refused_is_none():
    quarrel = Quarrel()
    quarrel.agreed.pop()
    refused = quarrel.v.receipt("hub", [(quarrel.opening, 5)], txid=b"\x02" * 32)
    views = quarrel.views(refused)
    assert quarrel.book.id not in views.disputes
    assert views.lessons[quarrel.book.id].state is LessonState.CONFIRMED


@pytest.mark.parametrize(
    ("points", "payment"), [(10_000, Payment.RELEASED), (0, Payment.RETURNED), (2_500, Payment.SPLIT)]
)
def test_taking_the_others_offer_ends_it_and_says_where_the_price_went(points, payment):
    quarrel = Quarrel()
    offer = quarrel.v.dispute_offer("tomas", quarrel.book, points)
    accept = quarrel.v.dispute_accept("ana", offer)
    assert quarrel.ended(offer, accept) == quarrel.still_open, "no receipt, no end"
    settled = (DisputeState.SETTLED, points, LessonState.DECIDED, payment)
    assert quarrel.ended(offer, accept, done=(offer, accept)) == settled
    assert quarrel.views(offer, accept, done=(offer, accept)).lessons[quarrel.book.id].settled


def test_nobody_takes_their_own_offer_and_no_stranger_any():
    quarrel = Quarrel()
    offer = quarrel.v.dispute_offer("tomas", quarrel.book, 1)
    takes = [quarrel.v.dispute_accept(name, offer) for name in ("tomas", "elder")]
    views = quarrel.views(offer, *takes)
    assert [views.void[take.id].reason for take in takes] == ["self", "not-party"]


def test_a_share_beyond_the_whole_is_void():
    quarrel = Quarrel()
    wrong = [quarrel.v.dispute_offer("ana", quarrel.book, 10_001), quarrel.v.dispute_vote("sage", quarrel.book, 10_001)]
    assert [quarrel.views(*wrong).void[each.id].reason for each in wrong] == ["bounds", "bounds"]


def test_the_mediators_offer_is_shown_when_the_chain_took_it_and_ends_it_when_both_did():
    quarrel = Quarrel()
    offer = quarrel.v.dispute_offer("elder", quarrel.book, 4_000)
    takes = [quarrel.v.dispute_accept(name, offer) for name in ("ana", "tomas")]
    assert quarrel.views(offer).disputes[quarrel.book.id].offers == ()
    shown = quarrel.views(offer, done=(offer,)).disputes[quarrel.book.id].offers
    assert [(each.by, each.points) for each in shown] == [(quarrel.v.principal("elder"), 4_000)]
    for one in takes:
        assert quarrel.ended(offer, *takes, done=(offer, one)) == quarrel.still_open
    ended = (DisputeState.SETTLED, 4_000, LessonState.DECIDED, Payment.SPLIT)
    assert quarrel.ended(offer, *takes, done=(offer, *takes)) == ended


@pytest.mark.parametrize(
    ("votes", "points"),
    [((5,), None), ((5, 6), None), ((6, 6), 6), ((9, 1, 5), 5), ((0, 10_000, 0), 0)],
)
def test_votes_decide_when_no_further_one_can_change_the_median(votes, points):
    quarrel = Quarrel()
    cast = [quarrel.v.dispute_vote(name, quarrel.book, vote) for name, vote in zip(("elder", "sage", "mzee"), votes)]  # noqa: B905  # as many as there are votes
    assert quarrel.ended(*cast)[:2] == (DisputeState.OPEN, None)
    assert quarrel.ended(*cast, done=cast)[1] == points


def test_time_decides_and_the_balances_tell_how():
    quarrel = Quarrel()
    settle = quarrel.v.dispute_settle("stranger", quarrel.book)
    assert quarrel.ended(settle) == quarrel.still_open
    assert quarrel.ended(settle, done=(settle,)) == (
        DisputeState.SETTLED,
        None,
        LessonState.DECIDED,
        Payment.SPLIT,
    )


def test_an_agreement_says_more_than_that_time_decided():
    quarrel = Quarrel()
    offer, settle = quarrel.v.dispute_offer("tomas", quarrel.book, 1), quarrel.v.dispute_settle("lou", quarrel.book)
    accept = quarrel.v.dispute_accept("ana", offer)
    done = (offer, accept, settle)
    for order in itertools.permutations(done):
        assert quarrel.ended(*order, done=done)[1] == 1


def test_of_a_persons_offers_the_newest_is_shown_and_any_that_the_chain_took_settles():
    quarrel = Quarrel()
    first = quarrel.v.dispute_offer("tomas", quarrel.book, 9_000)
    second = quarrel.v.dispute_offer("tomas", first, 8_000)
    accept = quarrel.v.dispute_accept("ana", second)
    for order in itertools.permutations((first, second, accept)):
        views = quarrel.views(*order)
        assert [each.id for each in views.disputes[quarrel.book.id].offers] == [second.id]
        assert not {each.id for each in order} & set(views.void)
        assert quarrel.ended(*order, done=order)[:2] == (DisputeState.SETTLED, 8_000)
    refused = quarrel.v.receipt("hub", [(second, 917)], txid=b"\x02" * 32)
    assert [each.id for each in quarrel.views(first, second, refused).disputes[quarrel.book.id].offers] == [first.id]


def test_the_mediators_old_offer_is_shown_until_the_chain_took_the_new_one():
    quarrel = Quarrel()
    first = quarrel.v.dispute_offer("elder", quarrel.book, 4_000)
    second = quarrel.v.dispute_offer("elder", first, 5_000)
    for done, shown in (((first,), 4_000), ((first, second), 5_000)):
        offers = quarrel.views(first, second, done=done).disputes[quarrel.book.id].offers
        assert [each.points for each in offers] == [shown]


def test_nobody_replaces_somebody_elses_offer():
    quarrel = Quarrel()
    offer = quarrel.v.dispute_offer("tomas", quarrel.book, 9_000)
    wrong = [quarrel.v.dispute_offer(name, offer, 1) for name in ("ana", "elder")]
    views = quarrel.views(offer, *wrong)
    assert [views.void[each.id].reason for each in wrong] == ["subject", "subject"]
    assert [each.id for each in views.disputes[quarrel.book.id].offers] == [offer.id]


def test_an_acceptance_of_a_later_offer_is_a_sides_word_all_the_same():
    quarrel = Quarrel()
    offer = quarrel.v.dispute_offer("tomas", quarrel.v.dispute_offer("tomas", quarrel.book, 1), 2)
    stranger = quarrel.v.dispute_accept("elder", offer)
    assert stranger.id not in quarrel.views(offer, stranger).void, "what leads to the lesson isn't here yet"
    own = quarrel.v.dispute_accept("tomas", offer)
    first = quarrel.v.dispute_offer("tomas", quarrel.book, 1)
    last = quarrel.v.dispute_offer("tomas", first, 2)
    late = quarrel.v.dispute_accept("elder", last)
    views = quarrel.views(first, last, late, offer, own)
    assert (views.void[late.id].reason, views.void[own.id].reason) == ("not-party", "self")


def test_a_flood_of_offers_shows_a_few():
    quarrel = Quarrel()
    flood = [quarrel.v.dispute_offer("tomas", quarrel.book, points) for points in range(DISPUTE_OFFERS_MAX + 5)]
    assert len(quarrel.views(*flood).disputes[quarrel.book.id].offers) == DISPUTE_OFFERS_MAX


def test_only_the_two_of_a_lesson_dispute_it():
    quarrel = Quarrel()
    wrong = quarrel.v.dispute("elder", quarrel.book)
    views = quarrel.views(wrong)
    assert views.void[wrong.id].reason == "not-party"
    assert views.disputes[quarrel.book.id].opening == quarrel.opening.id
