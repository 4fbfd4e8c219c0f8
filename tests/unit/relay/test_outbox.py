"""The outbox: what travels when, and what becomes of it. The twin chain answers; `tests/property` has the chaos."""

import itertools

import pytest
from builders import Village
from relay_twin import TERMS, TwinChain, TwinUplink, parents_of, venue_of

from hubd.action.sip018 import ActionId
from hubd.limits import (
    RELAY_FEE_USTX_MIN,
    RELAY_IN_FLIGHT_MAX,
    RELAY_LOOKS_MAX,
    RELAY_NEWCOMER_ACTIONS_MAX,
    RELAY_NEWCOMERS_PERCENT_MAX,
    RELAY_REPLACEMENTS_MAX,
    RELAY_STRIKES_MAX,
    RELAY_TRIES_MAX,
)
from hubd.ports import LedgerEntry, TransactionState
from hubd.relay import events as ev
from hubd.relay.budget import raised
from hubd.relay.chain import Account, Seen, Standing
from hubd.relay.outbox import CLAIM_S, GAP, LOST_S, RESEND_S, STUCK_S, Outbox, Terms
from hubd.relay.queue import RETRY_S, STRIKE_PAUSE_S

VILLAGE = Village(6)
BROADCAST = TransactionState.BROADCAST
PEOPLE = [VILLAGE.register("ana"), VILLAGE.register("tomas")]
LESSON = VILLAGE.thread("ana", "tomas")


def uplink_with(actions, terms=TERMS, **chain):
    return TwinUplink(VILLAGE, actions, TwinChain(parents=parents_of(actions), **chain), terms)


def states(uplink):
    return sorted(entry.state.value for entry in uplink.ledger.values())


def many(count, author="ana"):
    return [VILLAGE.book(author, "tomas", price=0) for _ in range(count)]


# --- signing


def test_what_waits_travels_together_and_is_done_when_it_was_mined():
    uplink = uplink_with([*PEOPLE, *LESSON.actions])
    uplink.tick()
    [entry] = uplink.ledger.values()
    assert set(entry.ids) == {action.id for action in [*PEOPLE, *LESSON.actions]}
    uplink.chain.mine()
    uplink.tick()
    assert (states(uplink), len(uplink.outbox.queue), uplink.outbox.slots.open) == (["included"], 0, {})


def test_actions_are_gathered_before_a_batch_leaves():
    uplink = uplink_with(PEOPLE, Terms(gather_s=30))
    uplink.tick(29)
    assert not uplink.ledger
    uplink.tick(1)
    assert len(uplink.ledger) == 1


def test_nothing_is_signed_before_a_node_told_the_account_nonce():
    outbox = Outbox(venue_of(VILLAGE), TERMS)
    outbox.handle(ev.ActionsAppended(tuple(PEOPLE)), 0)
    assert outbox.handle(ev.TimerFired(0), 1) == []


def test_at_most_so_many_account_nonces_are_open_at_once():
    uplink = uplink_with(many(10), Terms(actions_max=1, gather_s=0))
    uplink.tick()
    uplink.tick()
    assert sorted(uplink.outbox.slots.open) == list(range(RELAY_IN_FLIGHT_MAX))


def test_the_fee_follows_the_size_and_never_falls_below_the_floor():
    small, large = uplink_with(PEOPLE[:1]), uplink_with(many(40))
    small.tick()
    large.tick()
    [entry] = small.ledger.values()
    assert entry.fee_ustx == RELAY_FEE_USTX_MIN
    [entry] = large.ledger.values()
    assert entry.fee_ustx > 2 * 400 * 40


def test_a_spent_budget_stops_signing_and_says_so():
    outbox = Outbox(venue_of(VILLAGE), Terms(gather_s=0, fees_day_ustx_max=RELAY_FEE_USTX_MIN + 10))
    outbox.handle(ev.AccountSeen(Account(0, 10**9)), 0)
    outbox.handle(ev.ActionsAppended((PEOPLE[0],)), 0)
    assert outbox.handle(ev.TimerFired(11), 1) == []
    assert outbox.trouble == "fees-day"
    [request] = outbox.handle(ev.TimerFired(10), 2)
    assert (request.transaction.fee_ustx, outbox.trouble) == (RELAY_FEE_USTX_MIN, "")


def test_an_action_whose_parent_may_not_travel_yet_waits_with_it():
    uplink = uplink_with([LESSON.book, LESSON.confirm])
    uplink.outbox.queue.postpone(LESSON.book.id, uplink.now + 10_000)
    uplink.tick()
    assert not uplink.ledger


def test_a_child_may_follow_its_parent_in_the_very_next_transaction():
    uplink = uplink_with([LESSON.book, LESSON.confirm], Terms(actions_max=1, gather_s=0))
    uplink.tick()
    assert [slot.entry.ids for slot in uplink.outbox.slots.open.values()] == [(LESSON.book.id,), (LESSON.confirm.id,)]


def test_a_nonce_that_was_just_used_is_not_signed_for_again_before_the_account_was_seen():
    uplink = uplink_with(PEOPLE)
    uplink.tick()
    [entry] = uplink.ledger.values()
    uplink.chain.mine()
    uplink.react(ev.TransactionSeen(entry.txid, uplink.chain.seen(entry.txid)))
    uplink.react(ev.ActionsAppended((LESSON.book,)))
    uplink.react(ev.TimerFired(0))
    assert list(uplink.outbox.slots.open) == [1]


def test_withdrawals_leave_in_transactions_of_their_own():
    hours, stx = VILLAGE.withdraw("ana", 3), VILLAGE.withdraw("ana", 4, asset=None)
    uplink = uplink_with([hours, *PEOPLE, stx])
    uplink.tick()
    functions = [entry.function for entry in sorted(uplink.ledger.values(), key=lambda entry: entry.account_nonce)]
    assert sorted(functions[1:]) == ["submit-batch", "submit-token-batch"]
    assert functions[0] == "submit-batch"


def test_a_token_that_became_known_travels():
    uplink = uplink_with([VILLAGE.withdraw("ana", 3)])
    uplink.react(ev.TokensSeen({}))
    uplink.tick()
    assert not uplink.ledger
    uplink.react(ev.TokensSeen({VILLAGE.hours: "hour-credit"}))
    uplink.tick()
    assert len(uplink.ledger) == 1


# --- newcomers


def with_known(actions, *names, terms=TERMS, **chain):
    uplink = uplink_with(actions, terms, **chain)
    uplink.react(ev.PeopleKnown(frozenset(VILLAGE.principal(name) for name in names)))
    return uplink


def test_those_who_are_vouched_for_go_first_and_newcomers_after_them():
    newcomer, known = many(1, "stranger"), many(1, "ana")
    uplink = with_known([*newcomer, *known], "ana")
    uplink.tick()
    assert [slot.entry.ids for slot in uplink.outbox.slots.open.values()] == [(known[0].id,), (newcomer[0].id,)]


def test_newcomers_together_have_a_share_of_the_days_fees_and_the_rest_is_for_the_others():
    newcomer, known = many(1, "stranger"), many(1, "ana")
    uplink = with_known([*newcomer], "ana")
    share_ustx = TERMS.fees_day_ustx_max * RELAY_NEWCOMERS_PERCENT_MAX // 100
    outbox = uplink.outbox
    outbox.handle(ev.AccountSeen(uplink.chain.account), uplink.now)
    assert outbox.handle(ev.TimerFired(share_ustx, share_ustx - RELAY_FEE_USTX_MIN + 1), uplink.now + 1) == []
    assert outbox.trouble == ""
    outbox.handle(ev.ActionsAppended(tuple(known)), uplink.now)
    [request] = outbox.handle(ev.TimerFired(share_ustx, share_ustx), uplink.now + 1)
    assert (request.ids, request.is_newcomers) == ((known[0].id,), False)
    [request] = outbox.handle(ev.TimerFired(0, share_ustx - RELAY_FEE_USTX_MIN - 9_000), uplink.now + 1)[1:]
    assert (request.ids, request.is_newcomers) == ((newcomer[0].id,), True)


def test_a_newcomers_action_that_came_too_early_is_tried_once_and_waits_for_a_change():
    uplink = with_known([LESSON.confirm], "mira")
    uplink.chain.parents = {LESSON.confirm.id: LESSON.book.id}
    for _ in range(60):
        uplink.tick()
        uplink.chain.mine()
    assert (len(uplink.ledger), uplink.outbox.queue.parked) == (1, 1)
    uplink.react(ev.PeopleKnown(frozenset([LESSON.confirm.statement.author])))
    uplink.tick()
    assert len(uplink.ledger) == 2


def test_one_newcomer_does_not_fill_a_transaction():
    crowd, single = many(3 * RELAY_NEWCOMER_ACTIONS_MAX, "stranger"), many(1, "other")
    uplink = with_known([*crowd, *single], "ana")
    uplink.tick()
    ids = uplink.outbox.slots.open[0].entry.ids
    assert (len(ids), single[0].id in ids) == (RELAY_NEWCOMER_ACTIONS_MAX + 1, True)


def test_a_newcomers_actions_that_wait_for_an_earlier_one_do_not_keep_it_from_going():
    books = many(2, "stranger")
    children = [VILLAGE.complete("stranger", book) for book in books for _ in range(5)]
    uplink = with_known([*children, *books], "ana")
    for _ in range(10):
        uplink.tick()
        uplink.chain.mine()
    assert uplink.chain.spent == {action.id for action in [*children, *books]}


def test_where_nobody_is_vouched_for_nobody_is_a_newcomer():
    uplink = with_known(many(20, "stranger"))
    uplink.tick()
    assert len(uplink.outbox.slots.open[0].entry.ids) == 20


# --- broadcasting


def test_the_identical_bytes_are_sent_again_after_a_restart():
    uplink = uplink_with(PEOPLE)
    uplink.faults = iter(["", "lose"])
    uplink.tick()
    [entry] = uplink.ledger.values()
    assert entry.state is TransactionState.SIGNED
    uplink.restart()
    uplink.tick()
    assert len(uplink.ledger) == 1
    assert uplink.chain.mempool[0].txid == entry.txid


def test_what_the_ledger_holds_open_is_read_from_the_set_again():
    uplink = uplink_with(PEOPLE)
    uplink.tick()
    outbox = Outbox(venue_of(VILLAGE), TERMS)
    [request] = outbox.handle(ev.LedgerRead(tuple(uplink.ledger.values())), 0)
    assert request == ev.Fetch(tuple(sorted(action.id for action in PEOPLE)))


def test_a_transaction_that_a_node_lost_is_sent_again():
    uplink = uplink_with(PEOPLE)
    uplink.tick()
    uplink.chain.drop(Standing.UNKNOWN)
    uplink.tick()
    uplink.tick()
    assert len(uplink.chain.mempool) == 1


def test_a_stuck_transaction_gets_a_higher_fee_with_the_same_account_nonce():
    uplink = uplink_with(PEOPLE)
    uplink.tick()
    uplink.tick(STUCK_S)
    old, new = sorted(uplink.ledger.values(), key=lambda entry: entry.fee_ustx)
    assert new.fee_ustx == raised(old.fee_ustx)
    assert (new.account_nonce, new.ids) == (old.account_nonce, old.ids)
    assert (old.state, new.state) == (TransactionState.REPLACED, TransactionState.BROADCAST)


def test_only_the_lowest_account_nonce_is_worth_a_higher_fee():
    uplink = uplink_with(many(3), Terms(actions_max=1, gather_s=0))
    uplink.tick()
    uplink.tick(STUCK_S)
    assert [len(slot.entries) for slot in uplink.outbox.slots.open.values()] == [2, 1, 1]


def test_fees_are_raised_only_so_often():
    uplink = uplink_with(PEOPLE)
    uplink.tick()
    for _ in range(3 * RELAY_REPLACEMENTS_MAX):
        uplink.tick(STUCK_S + RESEND_S)
    assert len(uplink.ledger) == RELAY_REPLACEMENTS_MAX + 1


def test_when_the_replaced_transaction_is_mined_after_all_it_counts():
    uplink = uplink_with(PEOPLE)
    uplink.tick()
    [first] = uplink.ledger.values()
    uplink.tick(STUCK_S)
    uplink.chain.mempool[0] = first
    uplink.chain.mine()
    uplink.tick()
    assert uplink.ledger[first.txid].state is TransactionState.INCLUDED
    assert states(uplink) == ["included", "replaced"]
    assert not len(uplink.outbox.queue)


def test_after_a_restart_a_replaced_transaction_may_still_be_the_one_that_was_mined():
    uplink = uplink_with(PEOPLE)
    uplink.tick()
    [first] = uplink.ledger.values()
    uplink.tick(STUCK_S)
    uplink.chain.mempool[0] = first
    uplink.chain.mine()
    uplink.restart()
    uplink.tick()
    assert uplink.ledger[first.txid].state is TransactionState.INCLUDED
    assert not uplink.outbox.slots.open


@pytest.mark.parametrize(
    ("reason", "trouble"), [("NotEnoughFunds", "wallet-empty"), ("NoSuchContract", "contracts-missing")]
)
def test_what_a_person_must_mend_halts_signing_until_a_node_takes_a_transaction(reason, trouble):
    uplink = uplink_with(PEOPLE)
    [entry] = [request for request in _sign(uplink) if isinstance(request, ev.Broadcast)]
    uplink.react(ev.BroadcastRefused(entry.entry.txid, reason))
    assert uplink.outbox.trouble == trouble
    uplink.react(ev.ActionsAppended(tuple(LESSON.actions)))
    uplink.tick()
    assert len(uplink.ledger) == 1
    uplink.tick(RESEND_S)
    assert uplink.outbox.trouble == ""
    uplink.tick()
    assert len(uplink.ledger) == 2


def test_a_wallet_that_was_filled_sends_with_the_next_look_at_the_chain():
    uplink = uplink_with(PEOPLE)
    [request] = [request for request in _sign(uplink) if isinstance(request, ev.Broadcast)]
    uplink.react(ev.BroadcastRefused(request.entry.txid, "NotEnoughFunds"))
    held = uplink.chain.account
    uplink.now += 1
    uplink.react(ev.AccountSeen(held))
    assert uplink.outbox.trouble == "wallet-empty"
    uplink.react(ev.AccountSeen(Account(held.account_nonce, held.balance_ustx + 1)))
    assert uplink.outbox.trouble == ""
    sent = [out for out in uplink.react(ev.TimerFired(0)) if isinstance(out, ev.Broadcast)]
    assert [out.entry.txid for out in sent] == [request.entry.txid]


def _sign(uplink):
    """Sign and record, but reach no node."""
    uplink.faults = iter(["", "close"])
    uplink.now += 60
    uplink.react(ev.AccountSeen(uplink.chain.account))
    return uplink.react(ev.TimerFired(0))


def test_a_fee_that_is_too_low_is_raised_to_what_the_node_wants():
    uplink = uplink_with(PEOPLE)
    [request] = [request for request in _sign(uplink) if isinstance(request, ev.Broadcast)]
    uplink.react(ev.BroadcastRefused(request.entry.txid, "FeeTooLow", 9_000))
    assert uplink.chain.mempool[0].fee_ustx == 9_001


def test_a_reason_nobody_knows_is_waited_for():
    uplink = uplink_with(PEOPLE)
    [request] = [request for request in _sign(uplink) if isinstance(request, ev.Broadcast)]
    uplink.react(ev.BroadcastRefused(request.entry.txid, "SomethingNew"))
    uplink.tick()
    assert not uplink.chain.mempool
    uplink.tick(RESEND_S)
    assert uplink.chain.mempool[0].txid == request.entry.txid


def test_a_refused_argument_is_found_by_halving():
    actions = many(8)
    uplink = uplink_with(actions)
    culprit = actions[5].id
    broadcast = uplink.chain.broadcast
    uplink.chain.broadcast = lambda entry: ("BadFunctionArgument", None) if culprit in entry.ids else broadcast(entry)
    for _ in range(40):
        uplink.tick()
        uplink.chain.mine()
    assert uplink.chain.spent == {action.id for action in actions} - {culprit}
    assert culprit in uplink.outbox.queue


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
    smallest = uplink.outbox._actions_max
    for _ in range(4):
        uplink.react(ev.ActionsAppended(tuple(many(1))))
        uplink.tick()
        uplink.chain.mine()
        uplink.tick()
    assert uplink.outbox._actions_max == smallest + 4


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
