"""Receipts: one for each level that a transaction reaches, and a revocation when a fork takes it back."""

from dataclasses import replace

import pytest
from builders import Village
from relay_twin import Mined, place_at, result_of, venue_of

from hubd.action.envelope import encode, parse, seal
from hubd.action.principal import contract
from hubd.fold.anchored import receipt_of
from hubd.limits import (
    ANCHORED_CONTENT_BYTES_MAX,
    CBOR_ITEMS_MAX,
    RELAY_BATCH_ACTIONS_MAX,
    RELAY_CLAIMS_HUB_MAX,
    RELAY_LOOKS_MAX,
    RELAY_WATCHED_MAX,
)
from hubd.relay.chain import Seen, Standing, Tip
from hubd.relay.receipts import CLAIM_LOOKS_MAX, LOOK_S, Level, LookUp, Receipts, WriteReceipt, sealed_parts

VILLAGE = Village(7)
VENUE = venue_of(VILLAGE)
TXID = b"\x07" * 32
RIVAL = VILLAGE.principal("rival")
IDS = (b"\x01" * 32, b"\x02" * 32)
CODES = ((IDS[0], 0), (IDS[1], 601))
PLACE = place_at(100)


def tip(burn=900, height=100):
    return Tip(VILLAGE.network.chain_id, burn, height, b"\x09" * 32)


def batch(codes=CODES, place=PLACE, gateway=VENUE.gateway, function="submit-batch"):
    return Seen(Standing.SUCCESS, place, result_of(Mined(None, Standing.SUCCESS, codes)), gateway, function)


def reported(burn=900):
    """Receipts that wrote the first one of a transaction with account nonce 4."""
    receipts = Receipts(VENUE.gateway)
    receipts.advance(tip(burn), 5, 0)
    [first] = receipts.report(TXID, IDS, 4, PLACE, CODES)
    return receipts, first


def risen(receipts, burn, now, seen=None):
    """What follows when the chain has grown and the transaction is still there."""
    lookups = receipts.advance(tip(burn, 200), 5, now)
    assert lookups == [LookUp(TXID)]
    return receipts.seen(TXID, seen or batch())


def test_a_mined_transaction_is_told_at_once():
    _, first = reported()
    assert first == WriteReceipt(TXID, Level.INCLUDED, 900, PLACE, CODES)


def test_each_level_is_told_once():
    receipts, _ = reported()
    assert receipts.advance(tip(900, 150), 5, 1) == []
    [second] = risen(receipts, 901, 2)
    assert (second.level, second.burn_height) == (Level.ANCHORED, 901)
    assert receipts.advance(tip(905, 300), 5, 3) == []
    [third] = risen(receipts, 906, 4)
    assert (third.level, third.burn_height) == (Level.FINAL, 906)
    assert len(receipts) == 0


def test_levels_that_were_missed_are_not_made_up_for():
    receipts, _ = reported()
    [only] = risen(receipts, 950, 100)
    assert (only.level, only.burn_height) == (Level.FINAL, 906)


def test_a_hub_that_comes_back_late_writes_the_last_level_alone():
    _, first = reported(burn=990)
    assert first.level is Level.FINAL


def test_a_transaction_that_waits_again_is_revoked_and_told_anew_when_it_is_mined_again():
    receipts, _ = reported()
    receipts.advance(tip(902, 90), 5, 100)
    [revoked] = receipts.seen(TXID, Seen(Standing.PENDING))
    assert (revoked.level, revoked.burn_height, revoked.place) == (Level.REVOKED, 902, PLACE)
    receipts.advance(tip(903, 130), 5, 200)
    elsewhere = place_at(120, burn_height=903)
    [again] = receipts.seen(TXID, batch(place=elsewhere))
    assert (again.level, again.place, again.burn_height) == (Level.INCLUDED, elsewhere, 903)


def test_an_account_nonce_that_is_unused_again_revokes_where_the_node_has_blocks_enough():
    receipts, _ = reported()
    assert receipts.advance(tip(900, 99), 4, 100) == []  # a node that is behind proves nothing
    [revoked] = receipts.advance(tip(901, 100), 4, 200)
    assert revoked.level is Level.REVOKED


def test_a_node_that_forgot_a_transaction_revokes_nothing():
    receipts, _ = reported()
    receipts.advance(tip(901), 5, 100)
    assert receipts.seen(TXID, Seen(Standing.UNKNOWN)) == []
    assert TXID in receipts


def test_another_block_of_the_same_level_is_told_too():
    receipts, _ = reported()
    receipts.advance(tip(901), 5, 100)
    elsewhere = place_at(101, burn_height=901)
    [again] = receipts.seen(TXID, batch(place=elsewhere))
    assert (again.level, again.place) == (Level.INCLUDED, elsewhere)


def test_without_an_index_levels_rise_while_the_account_nonce_stays_used():
    receipts, _ = reported()
    assert receipts.advance(tip(901, 200), 5, 100) == [LookUp(TXID)]
    [second] = receipts.seen(TXID, None)
    assert second.level is Level.ANCHORED


def test_what_only_the_gateway_could_prove_is_placed_at_the_tip():
    receipts = Receipts(VENUE.gateway)
    receipts.advance(tip(900, 140), 5, 0)
    [first] = receipts.report(TXID, IDS, 4, None, ((IDS[0], 0),))
    assert (first.place.height, first.place.block, first.place.block_time_s) == (140, b"\x09" * 32, 0)


def test_a_transaction_that_says_nothing_of_any_action_has_no_receipt():
    receipts = Receipts(VENUE.gateway)
    receipts.advance(tip(), 5, 0)
    assert receipts.report(TXID, IDS, 4, PLACE, ()) == []
    assert len(receipts) == 0


def test_after_a_restart_only_higher_levels_are_told():
    receipts = Receipts(VENUE.gateway)
    receipts.watch(TXID, IDS, 4, (Level.ANCHORED, PLACE))
    assert receipts.advance(tip(903), 5, 0) == []
    [last] = risen(receipts, 906, 100)
    assert last.level is Level.FINAL


def test_after_a_restart_what_was_never_told_is_told():
    receipts = Receipts(VENUE.gateway)
    receipts.watch(TXID, IDS, 4)
    [first] = risen(receipts, 900, 0)
    assert first == WriteReceipt(TXID, Level.INCLUDED, 900, PLACE, CODES)


def test_a_claim_that_our_node_confirms_becomes_our_receipt():
    receipts = Receipts(VENUE.gateway)
    receipts.claim({TXID: [RIVAL]})
    [ours] = risen(receipts, 901, 0)
    assert (ours.level, ours.codes) == (Level.ANCHORED, CODES)


@pytest.mark.parametrize(
    "seen",
    [
        batch(gateway=contract(VILLAGE.principal("mallory"), "action-gateway")),
        batch(function="something-else"),
        replace(batch(), contract=None, function=""),
    ],
)
def test_a_claim_about_another_contract_is_dropped(seen):
    receipts = Receipts(VENUE.gateway)
    receipts.claim({TXID: [RIVAL]})
    receipts.advance(tip(), 5, 0)
    assert receipts.seen(TXID, seen) == []
    assert TXID not in receipts


def test_a_claim_that_no_node_knows_is_dropped_in_the_end():
    receipts = Receipts(VENUE.gateway)
    receipts.claim({TXID: [RIVAL]})
    for look in range(CLAIM_LOOKS_MAX):
        assert receipts.advance(tip(), 5, look * LOOK_S) == [LookUp(TXID)]
        receipts.seen(TXID, Seen(Standing.UNKNOWN))
    assert TXID not in receipts


def test_few_transactions_are_looked_up_at_once_and_each_not_too_often():
    receipts = Receipts(VENUE.gateway)
    txids = [bytes([number]) * 32 for number in range(3 * RELAY_LOOKS_MAX)]
    receipts.claim({txid: [RIVAL] for txid in txids})
    seen = [request.txid for turn in range(3) for request in receipts.advance(tip(), 5, turn)]
    assert sorted(seen) == sorted(txids)
    assert receipts.advance(tip(), 5, LOOK_S - 1) == []


def claims_of(hub, count):
    return {bytes([number, hub[1]]) * 16: [hub] for number in range(count)}


def test_one_hub_has_only_so_many_claims_under_way_and_takes_no_room_from_another():
    receipts = Receipts(VENUE.gateway)
    assert len(receipts.claim(claims_of(RIVAL, 200))) == RELAY_CLAIMS_HUB_MAX
    assert receipts.claim({TXID: [RIVAL, VILLAGE.principal("honest")]}) == [TXID]


def test_a_claim_that_found_no_room_is_taken_when_there_is_some():
    receipts, claims = Receipts(VENUE.gateway), claims_of(RIVAL, RELAY_CLAIMS_HUB_MAX + 1)
    taken = receipts.claim(claims)
    [left] = set(claims) - set(taken)
    receipts.advance(tip(), 5, 0)
    receipts.seen(taken[0], replace(batch(), contract=None))
    assert receipts.claim({left: [RIVAL]}) == [left]


def test_however_many_claims_there_are_our_own_transaction_is_told_and_looked_up_first():
    receipts = Receipts(VENUE.gateway)
    for number in range(RELAY_WATCHED_MAX // RELAY_CLAIMS_HUB_MAX + 1):
        receipts.claim(claims_of(VILLAGE.principal(f"rival {number}"), 200))
    assert len(receipts) == RELAY_WATCHED_MAX
    receipts.advance(tip(), 5, 0)
    [first] = receipts.report(TXID, IDS, 4, PLACE, CODES)
    assert first.level is Level.INCLUDED
    assert receipts.advance(tip(901, 200), 5, 1)[0] == LookUp(TXID)


def test_a_claim_about_our_own_transaction_does_not_make_it_a_claim():
    receipts, _ = reported()
    receipts.claim({TXID: [RIVAL]})
    [revoked] = receipts.advance(tip(901, 100), 4, 200)
    assert revoked.level is Level.REVOKED


def test_of_too_many_own_transactions_one_that_was_told_makes_room():
    receipts, _ = reported()
    for number in range(RELAY_WATCHED_MAX):
        receipts.watch(number.to_bytes(32), IDS, number)
    assert (len(receipts), TXID in receipts) == (RELAY_WATCHED_MAX, False)


def sealed(request, created_s=5):
    hub = VILLAGE.signer("hub")
    statement, content = sealed_parts(request, hub.principal(VILLAGE.network), created_s)
    return seal(statement, hub, VILLAGE.domain, content)


def test_writing_a_receipt_twice_makes_the_same_action():
    _, first = reported()
    assert sealed(first, created_s=5) == sealed(first, created_s=6)


def test_receipts_of_other_levels_are_other_actions():
    _, first = reported()
    others = [replace(first, level=Level.ANCHORED), replace(first, burn_height=901), replace(first, txid=b"\x08" * 32)]
    assert len({sealed(request).id for request in [first, *others]}) == 4


def test_the_fold_reads_what_the_relay_writes():
    _, first = reported()
    action = sealed(first)
    found = receipt_of(action)
    assert (found.block, found.height, found.index, found.codes) == (PLACE.block, 100, 0, dict(CODES))
    statement = action.statement
    assert (statement.subject, statement.amount, statement.bits) == (TXID, 900, 0)
    assert statement.moment == statement.created == PLACE.block_time_s


def test_the_largest_receipt_is_a_valid_action():
    codes = tuple((bytes([number]) * 32, 10_000) for number in range(RELAY_BATCH_ACTIONS_MAX + 20))
    receipts = Receipts(VENUE.gateway)
    receipts.advance(tip(), 5, 0)
    [largest] = receipts.report(TXID, [id_ for id_, _ in codes], 4, place_at(2**40), codes)
    assert len(largest.codes) == RELAY_BATCH_ACTIONS_MAX
    action = sealed(largest)
    assert len(action.content) <= ANCHORED_CONTENT_BYTES_MAX
    assert 3 * RELAY_BATCH_ACTIONS_MAX + 20 <= CBOR_ITEMS_MAX
    assert parse(encode(action), VILLAGE.domain) == action
