"""Account nonces with an open transaction, and the ones that closed lately."""

from dataclasses import replace
from itertools import islice

from hubd.limits import RELAY_WATCHED_MAX
from hubd.ports import LedgerEntry, TransactionState
from hubd.relay.slots import Slots

ONE, TWO, THREE = (bytes([number]) * 32 for number in (1, 2, 3))


def entry(nonce, fee=3_000, ids=(ONE,), state=TransactionState.SIGNED):
    return LedgerEntry(b"%d %d" % (nonce, fee), nonce, fee, b"", "submit-batch", tuple(ids), state, 0)


def test_what_stands_in_any_transaction_of_a_slot_is_under_way():
    slots = Slots()
    slots.put(entry(4, 3_000, (ONE, TWO)), 0)
    slots.put(entry(4, 4_000, (ONE,)), 1)
    assert (ONE in slots, TWO in slots, THREE in slots) == (True, True, False)
    slots.close(4, None)
    assert (ONE in slots, TWO in slots) == (False, False)


def test_an_action_in_two_slots_is_under_way_until_both_are_closed():
    slots = Slots()
    slots.put(entry(4), 0)
    slots.put(entry(5), 0)
    slots.close(4, entry(4))
    assert ONE in slots
    slots.close(5, entry(5))
    assert ONE not in slots


def test_the_same_transaction_again_changes_nothing():
    slots = Slots()
    slots.put(entry(4), 0)
    slots.open[4].send_s = None
    slots.put(entry(4), 9)
    assert (len(slots.open[4].entries), slots.open[4].send_s) == (1, None)


def test_the_ledger_is_read_by_nonce_and_fee():
    replaced, open_ = (
        entry(4, 3_000, state=TransactionState.REPLACED),
        entry(4, 3_751, state=TransactionState.BROADCAST),
    )
    lone, closed = entry(2, state=TransactionState.REPLACED), entry(3, state=TransactionState.INCLUDED)
    slots = Slots()
    slots.read([open_, closed, lone, replaced], 0)
    assert slots.open[4].entries == [replaced, open_]
    assert (list(slots.open), list(slots.closed)) == ([4], [3])


def test_beside_what_was_mined_nothing_is_open_whatever_its_state_became():
    rotten, winner = entry(4, state=TransactionState.BROADCAST), entry(4, 3_751, state=TransactionState.INCLUDED)
    slots = Slots()
    slots.read([rotten, winner], 0)
    assert (list(slots.open), slots.closed[4].txid) == ([], winner.txid)


def test_vacancies_are_spoiled_slots_gaps_and_what_lies_above():
    slots = Slots()
    for nonce in (4, 5, 7):
        slots.put(entry(nonce), 0)
    slots.open[5].is_spoiled = True
    slots.closed[8] = entry(8)
    assert list(islice(slots.vacancies(4), 4)) == [5, 6, 9, 10]


def test_a_fork_reopens_what_closed_above_it_and_nothing_that_is_open():
    slots = Slots()
    for nonce in (3, 4, 5):
        slots.put(entry(nonce), 0)
    for nonce in (3, 4):
        slots.close(nonce, entry(nonce))
    assert slots.reopen(4, 9) == [entry(4)]
    assert (sorted(slots.open), list(slots.closed)) == ([4, 5], [3])


def test_only_so_many_closed_transactions_are_remembered_and_the_oldest_goes():
    slots = Slots()
    slots.read([entry(nonce, state=TransactionState.INCLUDED) for nonce in range(RELAY_WATCHED_MAX + 5)], 0)
    assert len(slots.closed) == RELAY_WATCHED_MAX
    assert min(slots.closed) == 5


def test_a_replacement_is_the_one_to_be_mined_and_is_sent_at_once():
    slots = Slots()
    slots.put(entry(4), 0)
    slots.open[4].is_spoiled = True
    raised = replace(entry(4), fee_ustx=4_000, txid=b"other")
    slots.put(raised, 7)
    slot = slots.open[4]
    assert (slot.entry, slot.fee_ustx, slot.send_s, slot.is_spoiled) == (raised, 4_000, 7, False)
    assert slots.of(b"other") is slots.of(entry(4).txid) is slot
    assert slots.of(b"never") is None
