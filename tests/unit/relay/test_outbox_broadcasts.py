"""The outbox on the way to a node: what is sent again, at which fee, and what a refusal means."""

import pytest
from outboxes import LESSON, PEOPLE, VILLAGE, many, states, uplink_with
from relay_twin import TERMS, venue_of

from hubd.limits import RELAY_REPLACEMENTS_MAX
from hubd.ports import TransactionState
from hubd.relay import events as ev
from hubd.relay.budget import raised
from hubd.relay.chain import Account, Standing
from hubd.relay.outbox import RESEND_S, STUCK_S, Outbox
from hubd.relay.packing import Terms

BROADCAST = TransactionState.BROADCAST


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


def mined_after_all(uplink):
    """The uplink's first transaction, mined although a dearer one was to replace it."""
    uplink.tick()
    [first] = uplink.ledger.values()
    uplink.tick(STUCK_S)
    uplink.chain.mempool[0] = first
    uplink.chain.mine()
    return first


def test_when_the_replaced_transaction_is_mined_after_all_it_counts():
    uplink = uplink_with(PEOPLE)
    first = mined_after_all(uplink)
    uplink.tick()
    assert uplink.ledger[first.txid].state is TransactionState.INCLUDED
    assert states(uplink) == ["included", "replaced"]
    assert not len(uplink.outbox.queue)


def test_after_a_restart_a_replaced_transaction_may_still_be_the_one_that_was_mined():
    uplink = uplink_with(PEOPLE)
    first = mined_after_all(uplink)
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


def test_a_transaction_whose_bytes_rotted_is_not_sent_and_another_one_takes_its_account_nonce():
    uplink = uplink_with(PEOPLE)
    uplink.tick()
    [lost] = uplink.ledger.values()
    uplink.chain.drop(Standing.UNKNOWN)
    uplink.react(ev.BytesLost(lost.txid))
    uplink.tick()
    [made] = uplink.chain.mempool.values()
    assert (made.account_nonce, set(made.ids)) == (lost.account_nonce, set(lost.ids))
    assert made.fee_ustx >= raised(lost.fee_ustx)


def test_a_transaction_whose_bytes_rotted_may_be_mined_still():
    uplink = uplink_with(PEOPLE)
    uplink.tick()
    [lost] = uplink.ledger.values()
    uplink.react(ev.BytesLost(lost.txid))
    uplink.chain.mine()
    uplink.tick()
    assert uplink.ledger[lost.txid].state is TransactionState.INCLUDED
    assert set(uplink.receipts) == {action.id for action in PEOPLE}
    assert uplink.outbox.handle(ev.BytesLost(lost.txid), uplink.now) == []
