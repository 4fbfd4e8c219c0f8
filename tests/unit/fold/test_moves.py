"""Moves: one side proposes another time, the other agrees, and the lesson is then."""

import itertools

from builders import START_S, Village

from hubd.action.kinds import MINUTES_MASK
from hubd.fold.folder import fold
from hubd.fold.views import LessonState
from hubd.limits import LESSON_MOVES_MAX

LATER, EVENING = START_S + 3_600, START_S + 7_200
TX2 = b"\x02" * 32


class Two:
    """Ana booked a lesson with Tomas; a hub has the only uplink."""

    def __init__(self):
        self.v = Village(30)
        self.people = [*map(self.v.register, ("ana", "tomas", "lou")), *self.v.found("hub", uplink=True)]
        self.book = self.v.book("ana", "tomas")

    def views(self, *actions):
        return fold(self.v.charter, [*self.people, self.book, *actions])

    def when(self, *actions):
        lesson = self.views(*actions).lessons[self.book.id]
        return lesson.start, lesson.minutes, lesson.version


def test_a_proposal_binds_nobody_and_agreeing_moves_the_lesson():
    two = Two()
    move = two.v.move("tomas", two.book, LATER)
    assert two.when(move) == (START_S, 60, two.book.id)
    assert two.when(move, two.v.agree("ana", move)) == (LATER, 60, move.id)
    assert two.when(move, two.v.agree("tomas", move)) == (START_S, 60, two.book.id)
    assert two.when(two.v.agree("ana", move)) == (START_S, 60, two.book.id), "what was agreed to has not arrived"


def test_an_agreement_repeats_start_and_minutes():
    two = Two()
    move = two.v.move("tomas", two.book, LATER, 30)
    assert two.when(move, two.v.move("ana", move, LATER, 0)) == (START_S, 60, two.book.id)
    assert two.when(move, two.v.move("ana", move, LATER + 1, 30)) == (START_S, 60, two.book.id)
    assert two.when(move, two.v.move("ana", move, LATER, 30)) == (LATER, 30, move.id)


def test_a_moved_lesson_is_moved_again_from_where_it_is():
    two = Two()
    first = two.v.move("tomas", two.book, LATER)
    second = two.v.move("ana", first, EVENING, 45)
    thread = [first, two.v.agree("ana", first), second, two.v.agree("tomas", second)]
    assert two.when(*thread) == (EVENING, 45, second.id)
    assert two.when(*thread[1:]) == (START_S, 60, two.book.id)
    stale = two.v.move("ana", two.book, EVENING)
    assert two.when(*thread[:2], stale, two.v.agree("tomas", stale))[2] in (first.id, stale.id)


def test_of_two_moves_that_both_agreed_on_the_chains_counts_else_the_smaller_id():
    two = Two()
    moves = [two.v.move("tomas", two.book, LATER), two.v.move("ana", two.book, EVENING)]
    answers = [two.v.agree("ana", moves[0]), two.v.agree("tomas", moves[1])]
    both = [*moves, *answers]
    assert two.when(*both)[2] == min(move.id for move in moves)
    for move, answer in zip(moves, answers, strict=True):
        assert two.when(*both, two.v.receipt("hub", [(answer, 0)]))[2] == move.id


def test_agreeing_is_no_proposal_of_its_own():
    two = Two()
    move = two.v.move("tomas", two.book, LATER)
    agreed = two.v.agree("ana", move)
    views = two.views(move, agreed, two.v.agree("tomas", agreed))
    assert set(views.moves) == {move.id}
    assert views.moves[move.id].agreed
    assert views.lessons[two.book.id].version == move.id


def test_the_view_of_moves_tells_who_wants_which_version_replaced():
    two = Two()
    first = two.v.move("tomas", two.book, LATER)
    second = two.v.move("ana", first, EVENING)
    views = two.views(first, two.v.agree("ana", first), second)
    entry = views.moves[second.id]
    assert (entry.by, entry.start, entry.minutes) == (two.v.principal("ana"), EVENING, 0)
    assert (entry.lesson, entry.version, entry.agreed) == (two.book.id, first.id, False)


def test_ones_own_proposal_is_replaced_and_the_new_one_agreed_to():
    two = Two()
    first = two.v.move("tomas", two.book, LATER, 45)
    second = two.v.move("tomas", first, EVENING)
    third = two.v.move("tomas", second, EVENING, 30)
    views = two.views(first, second, third)
    assert [views.moves[move.id].replaced for move in (first, second, third)] == [True, True, False]
    assert {views.moves[move.id].version for move in (first, second, third)} == {two.book.id}
    assert two.when(first, second, third) == (START_S, 60, two.book.id)
    assert two.when(first, second, third, two.v.agree("ana", third)) == (EVENING, 30, third.id)
    assert two.when(first, second, two.v.agree("ana", second)) == (EVENING, 60, second.id), "minutes as booked"


def test_what_is_said_about_an_agreed_proposal_builds_on_it_until_the_chain_says_otherwise():
    two = Two()
    first = two.v.move("tomas", two.book, LATER)
    second = two.v.move("tomas", first, EVENING)
    agreed = two.v.agree("ana", first)
    thread = [first, second, agreed]
    assert two.when(*thread)[2] == first.id
    assert two.views(*thread).moves[second.id].version == first.id
    before = two.v.receipt("hub", [(first, 0), (second, 0), (agreed, 619)])
    assert two.when(*thread, before)[2] == two.book.id, "a replaced proposal is never agreed to"
    views = two.views(*thread, before)
    assert (views.moves[first.id].replaced, views.moves[first.id].agreed) == (True, False)
    assert views.moves[second.id].version == two.book.id
    assert two.when(*thread, before, two.v.agree("ana", second))[2] == second.id
    assert two.when(*thread, two.v.receipt("hub", [(first, 0), (agreed, 0), (second, 0)]))[2] == first.id


def test_more_replacements_than_moves_are_not_followed():
    two = Two()
    moves = [two.v.move("tomas", two.book, LATER)]
    for _ in range(LESSON_MOVES_MAX + 2):
        moves.append(two.v.move("tomas", moves[-1], LATER))
    assert two.when(*moves, two.v.agree("ana", moves[-1])) == (START_S, 60, two.book.id)


def test_a_stranger_moves_nothing():
    two = Two()
    move = two.v.move("lou", two.book, LATER)
    other = two.v.move("tomas", two.book, LATER)
    views = two.views(move, two.v.agree("ana", move), other, two.v.agree("lou", other))
    assert views.lessons[two.book.id].version == two.book.id
    assert views.void[move.id].reason == "not-party"


def test_a_length_beyond_a_days_is_void():
    two = Two()
    move = two.v.move("tomas", two.book, minutes=MINUTES_MASK + 1)
    assert two.views(move).void[move.id].reason == "bounds"


def test_the_tutor_confirms_the_time_as_it_is_or_was():
    two = Two()
    move = two.v.move("tomas", two.book, LATER)
    moved = [move, two.v.agree("ana", move)]
    at_first, later, never = (two.v.confirm("tomas", two.book, moment=at) for at in (START_S, LATER, EVENING))
    for actions, state in (
        ([at_first], LessonState.CONFIRMED),
        ([later], LessonState.BOOKED),
        ([*moved, at_first], LessonState.CONFIRMED),
        ([*moved, later], LessonState.CONFIRMED),
        ([*moved, never], LessonState.BOOKED),
    ):
        assert two.views(*actions).lessons[two.book.id].state is state


def test_a_lesson_is_moved_so_often_and_no_further():
    two = Two()
    thread, version = [], two.book
    for count in range(LESSON_MOVES_MAX + 1):
        version = two.v.move("tomas", version, START_S + count)
        thread += [version, two.v.agree("ana", version)]
    assert two.when(*thread)[0] == START_S + LESSON_MOVES_MAX - 1


def test_every_order_of_a_quarrel_about_time_ends_at_the_same_time():
    two = Two()
    first, rival = two.v.move("tomas", two.book, LATER), two.v.move("ana", two.book, EVENING)
    actions = [first, rival, two.v.agree("ana", first), two.v.agree("tomas", rival), two.v.move("ana", first, 5)]
    assert len({two.when(*order) for order in itertools.permutations(actions)}) == 1
