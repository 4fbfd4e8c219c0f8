"""The queue of actions that still need the chain: pauses, changes, crowds and strikes."""

from builders import Village

from hubd.limits import RELAY_BATCH_ACTIONS_MAX, RELAY_NEWCOMER_TRIES_MAX, RELAY_STRIKES_MAX, RELAY_TRIES_MAX
from hubd.relay.queue import EARLY_PAUSE_S, RETRY_S, Queue
from hubd.relay.strikes import STRIKE_PAUSE_S

VILLAGE = Village(9)
LESSON = VILLAGE.thread("ana", "tomas")
BOOK, CONFIRM = LESSON.book, LESSON.confirm


def due(queue, now):
    return {item.action.id for item in queue.due(now)}


def holding(*actions):
    queue = Queue()
    for action in actions:
        queue.add(action, 0)
    return queue


def test_an_action_is_due_when_it_was_gathered():
    queue = Queue()
    queue.add(BOOK, 10)
    assert (due(queue, 9), due(queue, 10)) == (set(), {BOOK.id})


def test_each_failure_doubles_the_pause_until_only_a_change_helps():
    queue, now = holding(BOOK), 0.0
    for tries in range(RELAY_TRIES_MAX - 1):
        queue.fail(BOOK.id, now)
        pause_s = RETRY_S * 2**tries
        assert (due(queue, now + pause_s - 1), due(queue, now + pause_s)) == (set(), {BOOK.id})
        now += pause_s
    queue.fail(BOOK.id, now)
    assert (due(queue, now + 10**9), queue.parked) == (set(), 1)


def test_what_may_only_be_too_early_comes_once_a_day_unless_newcomers_signed_it():
    claim = VILLAGE.seal("ana", "lesson-claim", subject=BOOK)
    queue = holding(claim)
    for _ in range(RELAY_TRIES_MAX + 3):
        queue.fail(claim.id, 0)
    assert (due(queue, EARLY_PAUSE_S - 1), due(queue, EARLY_PAUSE_S)) == (set(), {claim.id})
    queue.fail(claim.id, 0, RELAY_NEWCOMER_TRIES_MAX)
    assert (due(queue, 10**9), queue.parked) == (set(), 1)


def test_what_an_action_is_about_wakes_it():
    queue = holding(BOOK, CONFIRM)
    queue.fail(CONFIRM.id, 0)
    queue.done(BOOK.id, 1)
    assert due(queue, 1) == {CONFIRM.id}


def test_a_sibling_about_the_same_lesson_wakes_it():
    queue = holding(CONFIRM, LESSON.complete)
    queue.fail(LESSON.complete.id, 0)
    queue.done(CONFIRM.id, 1)
    assert due(queue, 1) == {LESSON.complete.id}


def test_the_authors_own_registration_wakes_it():
    register = VILLAGE.register("ana")
    queue = holding(register, BOOK)
    queue.fail(BOOK.id, 0)
    queue.done(register.id, 1)
    assert due(queue, 1) == {BOOK.id}


def test_the_other_persons_registration_wakes_it():
    register = VILLAGE.register("tomas")
    queue = holding(register, BOOK)
    queue.fail(BOOK.id, 0)
    queue.done(register.id, 1)
    assert due(queue, 1) == {BOOK.id}


def test_somebody_elses_news_wakes_nobody():
    queue = holding(BOOK)
    queue.fail(BOOK.id, 0)
    queue.wake([VILLAGE.principal("mira")], 1)
    assert due(queue, 1) == set()


def test_a_change_does_not_hurry_what_is_still_being_gathered():
    queue = Queue()
    queue.add(BOOK, 10)
    queue.wake([BOOK.statement.author], 1)
    assert due(queue, 1) == set()


def test_what_is_finished_does_not_come_back_unless_the_chain_took_it_back():
    queue = holding(BOOK)
    queue.finish(BOOK.id)
    queue.add(BOOK, 0)
    assert BOOK.id not in queue
    queue.forget([BOOK.id])
    queue.add(BOOK, 0)
    assert BOOK.id in queue


def test_crowds_only_shrink_and_end_at_one():
    queue = holding(BOOK)
    [item] = queue.due(0)
    assert item.crowd_max == RELAY_BATCH_ACTIONS_MAX
    for crowd_max, expected in ((25, 25), (50, 25), (0, 1)):
        queue.crowd([BOOK.id], crowd_max)
        assert item.crowd_max == expected


def test_an_author_with_too_many_strikes_pauses_and_others_do_not():
    queue = holding(BOOK, CONFIRM)
    for _ in range(RELAY_STRIKES_MAX):
        queue.strike(BOOK.id, 0)
    assert due(queue, STRIKE_PAUSE_S - 1) == {CONFIRM.id}
    assert due(queue, STRIKE_PAUSE_S) == {CONFIRM.id, BOOK.id}


def test_events_about_actions_that_are_not_here_change_nothing():
    queue = Queue()
    queue.fail(BOOK.id, 0)
    queue.postpone(BOOK.id, 5)
    queue.crowd([BOOK.id], 1)
    queue.strike(BOOK.id, 0)
    queue.done(BOOK.id, 0)
    assert len(queue) == 0
    assert list(queue) == []


def test_an_empty_queue_keeps_no_index():
    queue = holding(*LESSON.actions)
    for action in LESSON.actions:
        queue.done(action.id, 0)
    assert not queue._waiting_for


def test_what_another_hub_says_postpones_an_action_once_and_hurries_none():
    queue = holding(BOOK)
    queue.postpone(BOOK.id, 120)
    queue.postpone(BOOK.id, 240)
    assert (due(queue, 119), due(queue, 120)) == (set(), {BOOK.id})
    queue = holding(BOOK)
    queue.fail(BOOK.id, 0)
    queue.postpone(BOOK.id, 1)
    assert (due(queue, RETRY_S - 1), due(queue, RETRY_S)) == (set(), {BOOK.id})


def test_what_the_chains_own_time_has_passed_is_counted_and_not_due():
    queue = holding(BOOK)
    queue.chain_time_s = BOOK.statement.expires
    assert (due(queue, 0), queue.expired) == ({BOOK.id}, 0)
    queue.chain_time_s = BOOK.statement.expires + 1
    assert (due(queue, 0), queue.expired) == (set(), 1)
