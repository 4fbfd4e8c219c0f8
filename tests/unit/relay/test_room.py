"""Who has a place in a full queue: the known before newcomers, what may travel before what waits."""

import pytest
from builders import Village

from hubd.action.principal import contract
from hubd.limits import RELAY_STRIKES_MAX, RELAY_TRIES_MAX
from hubd.ports import LedgerEntry, TransactionState
from hubd.relay import queue as queues
from hubd.relay import room as rooms
from hubd.relay.queue import Queue
from hubd.relay.room import Room
from hubd.relay.slots import Slots

VILLAGE = Village(9)
LONG_AGO_S = 1_767_000_000
KNOWN, STRANGE = VILLAGE.principal("ana"), VILLAGE.principal("stranger")


@pytest.fixture
def room(monkeypatch):
    """A room of three places."""
    monkeypatch.setattr(queues, "RELAY_WAITING_MAX", 3)
    made = Room(Queue(), Slots())
    made.know(frozenset([KNOWN]), 0)
    return made


def take(room, *actions):
    for action in actions:
        room.take(action, 0, 0)
    room.know(frozenset([KNOWN]), 0)
    return set(room._queue)


def requests(name, count=1):
    return [VILLAGE.request(name) for _ in range(count)]


def park(room, action):
    for _ in range(RELAY_TRIES_MAX):
        room._queue.fail(action.id, 0)


def test_a_newcomer_takes_a_free_place_and_no_other():
    queue = Queue()
    assert take(Room(queue, Slots()), *requests("stranger")) == set(queue)


def test_in_a_full_queue_a_newcomer_is_left_out_and_makes_place_for_who_is_known(room):
    strange, late = requests("stranger", 3), requests("stranger")
    assert take(room, *strange, *late) == {action.id for action in strange}
    assert room.is_short
    [known] = requests("ana")
    assert known.id in take(room, known)
    assert room.has_for(2, 0)


def test_what_waits_for_a_change_makes_place_and_what_may_travel_does_not(room):
    first, second, third, fourth = requests("ana", 4)
    take(room, first, second, third)
    assert not room.has_for(1, 0)
    assert fourth.id not in take(room, fourth)
    park(room, second)
    assert room.has_for(1, 0)
    [fifth] = requests("ana")
    assert take(room, fifth) == {first.id, third.id, fifth.id}


def test_what_is_about_an_action_that_is_let_go_goes_with_it_and_waits_for_it(room):
    thread = VILLAGE.thread("ana", "tomas")
    [other] = requests("ana")
    take(room, thread.book, thread.confirm, other)
    park(room, thread.book)
    [new] = requests("ana")
    assert take(room, new) == {other.id, new.id}
    assert take(room, thread.confirm) == {other.id, new.id}
    room.begin_round()
    assert thread.confirm.id in take(room, thread.confirm)


def test_what_is_under_way_always_has_its_place(room):
    thread = VILLAGE.thread("ana", "tomas")
    entry = LedgerEntry(b"t" * 32, 0, 1, b"", "submit-batch", (thread.book.id,), TransactionState.SIGNED, 0)
    room._slots.put(entry, 0)
    rest = requests("ana", 3)
    assert take(room, *rest, thread.book) == {thread.book.id, *(action.id for action in rest)}
    park(room, thread.book)
    [late] = requests("ana")
    assert late.id not in take(room, late)


def test_a_newcomer_takes_the_place_of_one_that_was_tried_and_not_of_a_known_persons(room):
    (tried,), (known,), (fresh,), (late,) = requests("stranger"), requests("ana"), requests("other"), requests("third")
    take(room, tried, known, fresh)
    park(room, tried)
    park(room, known)
    assert take(room, late) == {known.id, fresh.id, late.id}
    [later] = requests("third")
    assert take(room, later) == {known.id, fresh.id, late.id}


def test_what_was_tried_keeps_its_tries_and_takes_no_newcomers_place_in_the_next_round(room):
    (tried,), rest = requests("stranger"), requests("other", 2)
    take(room, tried, *rest)
    park(room, tried)
    [late] = requests("third")
    take(room, late)
    room.begin_round()
    park(room, late)
    assert tried.id not in take(room, tried)
    room.begin_round()
    room._queue.finish(late.id)
    assert tried.id in take(room, tried)
    [item] = [item for item in room._queue.items if item.action.id == tried.id]
    assert item.tries == RELAY_TRIES_MAX


def test_what_spoiled_a_batch_travels_with_as_few_others_when_it_comes_again(room):
    (spoiler,), rest = requests("stranger"), requests("other", 2)
    take(room, spoiler, *rest)
    room._queue.crowd([spoiler.id], 3)
    assert spoiler.id not in take(room, *requests("ana", 3))
    for id_ in list(room._queue):
        room._queue.finish(id_)
    room.begin_round()
    take(room, spoiler)
    [item] = room._queue.items
    assert (item.tries, item.crowd_max) == (0, 3)


def fill_with_barred(room):
    """One that is expired, one paid in a token that nobody knows, one by an author who pauses."""
    expired = VILLAGE.request("ana", expires=LONG_AGO_S)
    unknown = VILLAGE.withdraw("ana", 1, asset=contract(VILLAGE.principal("x"), "coin"))
    [paused] = requests("tomas")
    take(room, expired, unknown, paused)
    for _ in range(RELAY_STRIKES_MAX):
        room._queue.strike(paused.id, 0)
    room._queue.chain_time_s = LONG_AGO_S + 1


def test_what_may_not_travel_makes_place_for_a_newcomer_too_and_takes_nobodys(room):
    fill_with_barred(room)
    assert room.has_for(3, 0)
    [new], [late] = requests("stranger"), requests("tomas")
    assert late.id not in take(room, late)
    assert take(room, new) == {new.id}


def test_what_is_about_something_that_may_not_travel_counts_with_it(room):
    expired = VILLAGE.request("ana", expires=LONG_AGO_S)
    take(room, expired, VILLAGE.match_offer("ana", expired), VILLAGE.match_offer("tomas", expired))
    room._queue.chain_time_s = LONG_AGO_S + 1
    assert room.has_for(3, 0)


def test_no_more_is_remembered_of_what_was_left_than_its_bound(room, monkeypatch):
    monkeypatch.setattr(rooms, "RELAY_LEFT_MAX", 5)
    take(room, *requests("ana", 3), *requests("stranger", 20))
    assert len(room._left) == 5
