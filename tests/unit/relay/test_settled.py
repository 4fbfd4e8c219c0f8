"""What receipts in the set mean for the relay, read from the real fold."""

from dataclasses import replace

from builders import Village

from hubd.fold.folder import fold
from hubd.ports import LedgerEntry, TransactionState
from hubd.relay import events as ev
from hubd.relay.receipts import Level
from hubd.relay.settled import Settled

VILLAGE = Village(10)
ANA = VILLAGE.register("ana")
TXID = b"\x05" * 32
ONE = VILLAGE.found("uplink", 1, uplink=True)
TWO = VILLAGE.found("other", 2, uplink=True)


def views(*actions):
    return fold(VILLAGE.charter, [*ONE, *TWO, ANA, *actions])


def receipt(hub, code=0, **fields):
    return VILLAGE.receipt(hub, [(ANA, code)], txid=TXID, **fields)


CLAIMED = views(receipt("uplink"))
CONFIRMED = views(receipt("uplink"), receipt("other"))


def test_what_no_receipt_names_is_wanted():
    assert Settled().is_wanted(ANA, views())


def test_what_two_operators_confirm_is_not():
    assert not Settled().is_wanted(ANA, CONFIRMED)


def test_a_single_claim_counts_only_when_it_is_about_our_own_transaction():
    settled = Settled()
    assert settled.is_wanted(ANA, CLAIMED)
    settled.own = {TXID: (ANA.id,)}
    assert not settled.is_wanted(ANA, CLAIMED)


def test_a_claim_about_our_transaction_of_an_action_that_was_not_in_it_does_not_count():
    settled = Settled()
    settled.own = {TXID: (b"\x01" * 32,)}
    assert settled.is_wanted(ANA, CLAIMED)


def entry_of(state, *ids):
    return LedgerEntry(TXID, 0, 3_000, b"", "submit-batch", ids, state, 0)


def test_what_the_ledger_calls_mined_and_no_receipt_tells_is_open_again():
    settled, mined = Settled(), entry_of(TransactionState.INCLUDED, ANA.id)
    settled.own = {TXID: (ANA.id,)}
    [found] = settled.reopened([mined], views())
    assert found.state is TransactionState.BROADCAST
    assert settled.reopened([mined], CLAIMED) == (mined,)


def test_what_another_hub_contests_is_looked_up_again_and_not_sent_again():
    settled, mined = Settled(), entry_of(TransactionState.INCLUDED, ANA.id)
    settled.own = {TXID: (ANA.id,)}
    contested = views(receipt("uplink"), receipt("other", 601))
    [found] = settled.reopened([mined], contested)
    assert found.state is TransactionState.BROADCAST


def test_an_aborted_batch_and_one_without_actions_are_not_opened_again():
    for entry in (entry_of(TransactionState.ABORTED, ANA.id), entry_of(TransactionState.INCLUDED)):
        assert Settled().reopened([entry], views()) == (entry,)


def test_what_another_transaction_has_done_is_not_brought_back_by_a_slot_that_is_open():
    settled, other = Settled(), VILLAGE.register("tomas")
    settled.own = {TXID: (ANA.id,)}
    ids, said = (ANA.id, other.id), views(receipt("uplink"), other)
    assert settled.undone(ids, {TXID: "its slot"}.get, said) == [ANA.id, other.id], "a fork may have undone it"
    assert settled.undone(ids, {}.get, said) == [other.id]


def test_what_waits_for_something_else_is_wanted_and_what_is_refused_is_not():
    for code, wanted in ((601, True), (602, False)):
        both = views(receipt("uplink", code), receipt("other", code))
        assert Settled().is_wanted(ANA, both) == wanted


def test_kinds_that_stay_in_the_mesh_are_not_wanted():
    assert not Settled().is_wanted(ONE[0], views())


def test_a_confirmed_code_is_told_once():
    settled = Settled()
    assert settled.read([ANA.id], [TXID], CONFIRMED).events == (ev.ActionSettled(ANA.id, 0),)
    assert settled.read([ANA.id], [TXID], CONFIRMED).events == ()


def test_a_claim_is_told_and_looked_up_once():
    settled = Settled()
    reading = settled.read([ANA.id], [TXID], views(receipt("uplink"), receipt("stranger")))
    assert reading.claims == {TXID: (VILLAGE.principal("uplink"),)}
    assert reading.events == (ev.ActionsClaimed((ANA.id,)),)
    settled.watched([TXID])
    again = settled.read([ANA.id], [TXID], CLAIMED)
    assert (again.claims, again.events) == ({}, ())


def test_a_claim_that_found_no_room_is_named_again():
    settled = Settled()
    assert settled.read([], [TXID], CLAIMED).claims
    assert settled.read([], [TXID], CLAIMED).claims


def test_what_our_own_transaction_did_the_outbox_knows_already():
    settled = Settled()
    settled.own = {TXID: (ANA.id,)}
    for seen in (CONFIRMED, CLAIMED):
        reading = settled.read([ANA.id], [TXID], seen)
        assert (reading.claims, reading.events) == ({}, ())


def test_what_was_written_before_a_restart_is_known_after_it():
    level, place = Settled().written(TXID, views(receipt("uplink", level=1, height=77)))
    assert (level, place.height, place.burn_height) == (Level.ANCHORED, 77, 900)
    assert Settled().written(b"\x06" * 32, CLAIMED) is None


def test_a_revoked_transaction_counts_as_never_told():
    assert Settled().written(TXID, views(receipt("uplink"), receipt("uplink", level=3, burn_height=901))) is None


def test_only_balances_that_the_mesh_believes_are_known():
    ana = ANA.statement.author
    pair = (ana, None)
    claimed = views(VILLAGE.balance("uplink", [(ana, None, 5, 1)]))
    believed = views(*(VILLAGE.balance(hub, [(ana, None, 5, 1)]) for hub in ("uplink", "other")))
    assert Settled().balances([pair], claimed) == {}
    assert Settled().balances([pair], believed) == {pair: (5, 1)}


def test_one_operator_alone_is_believed():
    alone = fold(VILLAGE.charter, [*ONE, ANA, receipt("uplink")])
    assert not Settled().is_wanted(ANA, alone)
    assert replace(alone.settlement[ANA.id]).is_done


def test_what_has_no_effect_waits_for_a_reason_and_goes_when_it_has_one():
    settled, book = Settled(), VILLAGE.book("mira", "tomas")
    before = fold(VILLAGE.charter, [*ONE, book])
    assert settled.admit([book], before) == ()
    assert settled.redeemed(before) == ()
    after = fold(VILLAGE.charter, [*ONE, book, VILLAGE.register("mira"), VILLAGE.register("tomas")])
    assert settled.redeemed(after) == (book.id,)
    assert settled.redeemed(after) == ()
    assert settled.admit([book], after) == (book,)
