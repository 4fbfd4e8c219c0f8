"""The outbox after a block: what becomes of batches, of single actions, of forks and of lost account nonces."""

import itertools

from outboxes import LESSON, PEOPLE, VILLAGE, many, states, uplink_with
from relay_twin import TERMS, venue_of

from hubd.action.sip018 import ActionId
from hubd.limits import RELAY_LOOKS_MAX, RELAY_STRIKES_MAX, RELAY_TRIES_MAX
from hubd.ports import LedgerEntry, TransactionState
from hubd.relay import events as ev
from hubd.relay.budget import raised
from hubd.relay.chain import Account, Seen, Standing
from hubd.relay.outbox import CLAIM_S, LOST_S, Outbox
from hubd.relay.packing import GAP, Terms
from hubd.relay.queue import RETRY_S
from hubd.relay.strikes import STRIKE_PAUSE_S

BROADCAST = TransactionState.BROADCAST


# --- outcomes


def test_a_poisoned_batch_comes_again_in_halves_until_the_culprit_travels_alone():
    actions = many(16)
    poison = actions[11].id
    uplink = uplink_with(actions, poison=frozenset([poison]))
    for _ in range(30):
        uplink.tick()
        uplink.chain.mine()
    assert uplink.chain.spent == {action.id for action in actions} - {poison}
    aborted = [mined for mined in uplink.chain.mined if mined.standing is Standing.ABORTED]
    assert aborted[-1].entry.ids == (poison,)
    assert uplink.receipts[poison] == 10_000
    assert poison not in uplink.outbox.queue


def test_an_author_whose_actions_abort_whole_batches_pauses_for_a_day():
    poison = many(RELAY_STRIKES_MAX + 1, "mallory")
    uplink = uplink_with(poison, Terms(actions_max=1, gather_s=0), poison=frozenset(action.id for action in poison))
    for action in poison[:-1]:
        uplink.outbox.queue.strike(action.id, uplink.now)
    uplink.tick()
    assert not uplink.ledger
    uplink.tick(STRIKE_PAUSE_S)
    assert uplink.ledger


def test_a_batch_too_heavy_for_a_block_comes_in_halves_and_the_next_ones_are_smaller():
    uplink = uplink_with(many(40), items_max=12)
    for _ in range(20):
        uplink.tick()
        uplink.chain.mine()
    assert len(uplink.chain.spent) == 40
    uplink.react(ev.ActionsAppended(tuple(many(30))))
    uplink.tick()
    assert max(len(slot.entry.ids) for slot in uplink.outbox.slots.open.values()) <= 20


def test_batches_grow_again_after_each_that_was_mined():
    uplink = uplink_with(many(40), items_max=30)
    for _ in range(12):
        uplink.tick()
        uplink.chain.mine()
    smallest = uplink.outbox.packing.actions_max
    for _ in range(4):
        uplink.react(ev.ActionsAppended(tuple(many(1))))
        uplink.tick()
        uplink.chain.mine()
        uplink.tick()
    assert uplink.outbox.packing.actions_max == smallest + 4


def test_the_second_half_of_a_heavy_batch_waits_until_the_account_nonce_is_used():
    actions = many(8)
    uplink = uplink_with(actions, items_max=4)
    uplink.tick()
    uplink.chain.mine()
    uplink.tick()
    uplink.tick()
    [slot] = uplink.outbox.slots.open.values()
    assert (len(slot.entries), len(slot.entry.ids), len(slot.ids)) == (2, 4, 8)


def test_a_gap_below_open_transactions_is_filled_with_an_empty_batch():
    heavy, light = many(2), many(1, "tomas")
    uplink = uplink_with(heavy)
    uplink.tick()
    uplink.react(ev.ActionsAppended(tuple(light)))
    uplink.tick()
    first = uplink.outbox.slots.open[0].entry
    for action in heavy:
        uplink.react(ev.ActionSettled(action.id, 0))  # another hub was faster
    uplink.react(ev.TransactionSeen(first.txid, Seen(Standing.TOO_HEAVY)))
    uplink.tick()
    gap = uplink.chain.mempool[0]
    assert (gap.function, gap.ids, gap.fee_ustx) == (GAP, (), raised(first.fee_ustx))
    assert [entry.function for entry in uplink.ledger.values()].count(GAP) == 1


def test_an_action_that_came_too_early_goes_when_what_it_needs_is_done():
    uplink = uplink_with([LESSON.confirm])
    uplink.chain.parents = {LESSON.confirm.id: LESSON.book.id}
    uplink.tick()
    uplink.chain.mine()
    uplink.tick(1)
    assert uplink.receipts == {LESSON.confirm.id: 601}
    uplink.react(ev.ActionsAppended((LESSON.book,)))
    uplink.tick(1)
    uplink.chain.mine()
    uplink.tick(1)
    uplink.tick(1)
    uplink.chain.mine()
    uplink.tick(1)
    assert uplink.receipts == {LESSON.confirm.id: 0, LESSON.book.id: 0}


def test_retries_grow_apart_and_end_in_waiting_for_a_change():
    uplink = uplink_with([LESSON.confirm])
    uplink.chain.parents = {LESSON.confirm.id: LESSON.book.id}
    sent_s = []
    for _ in range(60 * 60):
        before = len(uplink.ledger)
        uplink.tick(1)
        uplink.chain.mine()
        if len(uplink.ledger) > before:
            sent_s.append(uplink.now)
    assert len(sent_s) == RELAY_TRIES_MAX
    pauses = [later - earlier for earlier, later in itertools.pairwise(sent_s)]
    assert pauses == sorted(pauses)
    assert pauses[0] >= RETRY_S
    assert uplink.outbox.queue.parked == 1
    uplink.react(ev.PeopleChanged((VILLAGE.principal("tomas"),)))
    uplink.tick(1)
    assert len(uplink.ledger) == RELAY_TRIES_MAX + 1


def test_what_another_hub_settled_is_not_sent():
    uplink = uplink_with(PEOPLE)
    for action in PEOPLE:
        uplink.react(ev.ActionSettled(action.id, 0))
    uplink.tick()
    assert not uplink.ledger


def test_what_another_hub_claims_is_given_time_to_be_confirmed():
    uplink = uplink_with(PEOPLE)
    uplink.react(ev.ActionsClaimed(tuple(action.id for action in PEOPLE)))
    uplink.tick(CLAIM_S - 1)
    assert not uplink.ledger
    uplink.tick(1)
    assert uplink.ledger


def test_fresh_claims_about_the_same_action_do_not_hold_it_up_again():
    uplink = uplink_with(PEOPLE)
    for _ in range(3):
        uplink.react(ev.ActionsClaimed(tuple(action.id for action in PEOPLE)))
        uplink.tick(CLAIM_S / 2)
    assert uplink.ledger


def test_an_action_that_the_chains_time_has_passed_is_not_sent():
    outbox = Outbox(venue_of(VILLAGE), TERMS)
    outbox.handle(ev.AccountSeen(Account(0, 10**9)), 0)
    outbox.handle(ev.ActionsAppended((PEOPLE[0],)), 0)
    expires = PEOPLE[0].statement.expires
    assert outbox.handle(ev.TimerFired(0, chain_time_s=expires + 1), 1) == []
    assert len(outbox.handle(ev.TimerFired(0, chain_time_s=expires), 2)) == 1


def test_an_action_that_is_refused_for_good_is_not_sent_again():
    uplink = uplink_with(PEOPLE, refused=frozenset([PEOPLE[0].id]))
    for _ in range(5):
        uplink.tick()
        uplink.chain.mine()
    assert [entry.ids for entry in uplink.ledger.values() if PEOPLE[0].id in entry.ids] != []
    assert len(uplink.ledger) == 1


def test_the_same_action_appended_again_changes_nothing():
    uplink = uplink_with(PEOPLE)
    uplink.tick()
    uplink.react(ev.ActionsAppended(tuple(PEOPLE)))
    uplink.tick()
    uplink.chain.mine()
    uplink.tick()
    uplink.react(ev.ActionsAppended(tuple(PEOPLE)))
    uplink.tick()
    assert len(uplink.ledger) == 1


# --- forks, lost nonces


def test_what_a_fork_takes_back_is_under_way_again():
    uplink = uplink_with(PEOPLE)
    uplink.tick()
    uplink.chain.mine()
    uplink.tick()
    uplink.chain.fork(1)
    uplink.tick()
    [slot] = uplink.outbox.slots.open.values()
    assert set(slot.ids) == {action.id for action in PEOPLE}
    assert all(action.id in uplink.outbox.queue for action in PEOPLE)
    assert states(uplink) == ["broadcast"]


def test_after_a_fork_an_action_may_end_otherwise_and_is_not_lost():
    uplink = uplink_with(PEOPLE)
    uplink.tick()
    uplink.chain.mine()
    uplink.tick()
    uplink.chain.fork(1)
    uplink.tick()
    uplink.chain.drop(Standing.TOO_HEAVY)
    for _ in range(6):
        uplink.tick()
        uplink.chain.mine()
    assert uplink.chain.spent == {action.id for action in PEOPLE}
    assert not len(uplink.outbox.queue)


def test_a_used_nonce_that_no_node_can_explain_is_settled_by_the_gateway_in_the_end():
    uplink = uplink_with(PEOPLE)
    uplink.tick()
    uplink.chain.mine()
    uplink.chain.seen = lambda _: Seen(Standing.UNKNOWN)
    uplink.tick()
    assert uplink.outbox.slots.open
    uplink.tick(LOST_S)
    assert (states(uplink), len(uplink.outbox.queue)) == (["included"], 0)
    assert uplink.receipts == dict.fromkeys((action.id for action in PEOPLE), 0)


def test_few_used_account_nonces_are_looked_up_at_once_and_they_hold_up_nothing():
    count = 3 * RELAY_LOOKS_MAX
    entries = [
        LedgerEntry(bytes([n]) * 32, n, 3_000, b"", "submit-batch", (ActionId(bytes([n]) * 32),), BROADCAST, 0)
        for n in range(count)
    ]
    outbox = Outbox(venue_of(VILLAGE), TERMS)
    outbox.handle(ev.LedgerRead(tuple(entries)), 0)
    outbox.handle(ev.AccountSeen(Account(count, 10**9)), 0)
    outbox.handle(ev.ActionsAppended(tuple(PEOPLE)), 0)
    looked_up = set()
    for now in range(1, 4):
        requests = outbox.handle(ev.TimerFired(0), now)
        lookups = [request.txid for request in requests if isinstance(request, ev.LookUp)]
        assert (len(lookups), len(requests)) == (RELAY_LOOKS_MAX, RELAY_LOOKS_MAX + 1)
        for txid in lookups:
            outbox.handle(ev.TransactionSeen(txid, Seen(Standing.UNKNOWN)), now)
        looked_up.update(lookups)
    assert len(looked_up) == count


def test_without_an_index_the_gateway_is_asked_at_once():
    uplink = uplink_with(PEOPLE, has_index=False)
    uplink.tick()
    uplink.chain.mine()
    uplink.tick()
    assert states(uplink) == ["included"]


def test_a_nonce_that_another_program_used_gives_its_actions_back():
    uplink = uplink_with(PEOPLE)
    uplink.tick()
    [entry] = uplink.ledger.values()
    uplink.react(ev.SpentSeen(entry.txid, frozenset()))
    assert states(uplink) == ["replaced"]
    assert all(action.id in uplink.outbox.queue for action in PEOPLE)


def test_answers_about_transactions_that_are_long_closed_change_nothing():
    uplink = uplink_with(PEOPLE)
    uplink.tick()
    [entry] = uplink.ledger.values()
    uplink.chain.mine()
    uplink.tick()
    for late in (
        ev.BroadcastTaken(entry.txid),
        ev.BroadcastRefused(entry.txid, "BadNonce"),
        ev.TransactionSeen(entry.txid, Seen(Standing.PENDING)),
        ev.SpentSeen(entry.txid, frozenset()),
    ):
        assert uplink.outbox.handle(late, uplink.now) == []
