"""Ratings: only of held lessons, only as sealed, once per lesson and rater; and their sums."""

import pytest
from builders import Village, opening_digest

from hubd.fold.folder import fold
from hubd.fold.reputation import seal_digest
from hubd.fold.views import Reputation


class Held:
    """A lesson that Ana and Tomas held, with nothing rated yet."""

    def __init__(self) -> None:
        self.village = Village(7)
        thread = self.village.thread("ana", "tomas")
        self.book, self.confirm, self.attends = thread.book, thread.confirm, thread.attends
        self.people = [self.village.register(name) for name in ("ana", "tomas", "lou")]
        self.base = [*self.people, self.book, self.confirm, *self.attends]

    def rate(self, stars: int, rater: str = "ana", other: str = "tomas", **fields):
        opening = self.village.rating_open(rater, self.book, other, stars, **fields)
        return self.village.rating_seal(rater, opening), opening

    def views(self, *actions, base=None):
        return fold(self.village.charter, [*(self.base if base is None else base), *actions])

    def reputation(self, *actions, of: str = "tomas", base=None):
        found = self.views(*actions, base=base).reputation.get(self.village.principal(of))
        return found and (found.count, found.total, found.sealed)


def test_a_rating_counts_sealed_and_then_opened():
    held = Held()
    seal, opening = held.rate(4)
    assert held.reputation() is None
    assert held.reputation(seal) == (0, 0, 1)
    assert held.reputation(seal, opening) == (1, 4, 0)
    assert held.reputation(opening) is None


def test_an_opening_that_differs_from_its_seal_counts_for_nothing():
    held = Held()
    seal, _ = held.rate(4)
    for other in (held.rate(5), held.rate(4, tags=1), held.rate(4, text={"words": "good"})):
        assert held.reputation(seal, other[1]) == (0, 0, 1)


def test_of_several_seals_one_counts_and_no_other_can_be_opened():
    held = Held()
    ratings = [held.rate(stars) for stars in (1, 2, 3, 4, 5)]
    seals, openings = zip(*ratings, strict=True)
    stars = seals.index(min(seals, key=lambda seal: seal.id)) + 1
    assert held.reputation(*seals, *openings) == (1, stars, 0)
    kept = [opening for opening in openings if opening.statement.amount != stars]
    assert held.reputation(*seals, *kept) == (0, 0, 1)


def test_the_seal_that_the_chain_took_counts_before_smaller_ids():
    held = Held()
    ratings = [held.rate(stars) for stars in (1, 2, 3)]
    taken = max(ratings, key=lambda rating: rating[0].id)
    hub = [*held.village.found("hub", uplink=True), held.village.receipt("hub", [(taken[0], 0)])]
    assert held.reputation(*(action for rating in ratings for action in rating), *hub)[1] == taken[1].statement.amount


def test_a_lesson_that_was_not_held_rates_nobody():
    held = Held()
    rating = held.rate(5)
    for missing in (held.confirm, *held.attends):
        base = [action for action in held.base if action is not missing]
        assert held.reputation(*rating, base=base) is None


def test_only_the_two_rate_and_only_each_other():
    held = Held()
    by_lou, of_lou, of_self = held.rate(1, "lou"), held.rate(1, "ana", "lou"), held.rate(5, "tomas", "tomas")
    actions = [*by_lou, *of_lou, *of_self]
    views = held.views(*actions)
    assert not views.reputation
    assert [views.void[action.id].reason for action in actions] == ["not-party"] * 2 + ["who"] * 4


@pytest.mark.parametrize("stars", [6, 2**63 - 1])
def test_stars_go_from_one_to_five(stars):
    held = Held()
    rating = held.rate(stars)
    assert held.views(*rating).void[rating[1].id].reason == "stars"
    assert held.reputation(*rating) == (0, 0, 1)


def test_both_sides_are_rated_apart_and_lessons_add_up():
    held = Held()
    first = [*held.rate(5), *held.rate(3, "tomas", "ana")]
    thread = held.village.thread("lou", "tomas", stars=(2, 1))
    views = held.views(*first, *thread.actions)
    by_name = {name: views.reputation[held.village.principal(name)] for name in ("ana", "tomas", "lou")}
    assert {name: (entry.count, entry.total) for name, entry in by_name.items()} == {
        "ana": (1, 3),
        "tomas": (2, 7),
        "lou": (1, 1),
    }
    assert isinstance(by_name["ana"], Reputation)


def test_a_lesson_shows_who_sealed_and_who_opened():
    held = Held()
    mine, theirs = held.rate(5), held.rate(3, "tomas", "ana")
    lesson = held.views(*mine, theirs[0]).lessons[held.book.id]
    assert (lesson.sealed, lesson.rated) == ((True, True), (True, False))


def test_the_digest_of_a_seal_is_the_builders():
    held = Held()
    opening = held.rate(4, tags=9, text={"words": "clear"})[1]
    assert seal_digest(opening.statement) == opening_digest(opening.statement)
