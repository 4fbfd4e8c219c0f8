"""The ledger of transactions: what was signed is kept, in order, with what it cost."""

from dataclasses import replace

import pytest
from stores import DOMAIN, action

from hubd.ports import LedgerEntry, TransactionState
from hubd.store.actions import Store


@pytest.fixture
async def store(tmp_path):
    opened = await Store.open(tmp_path / "data", DOMAIN)
    yield opened
    await opened.close()


async def test_the_ledger_keeps_signed_bytes_and_their_ids_in_order(store):
    ledger = store.ledger()
    entry = LedgerEntry(
        b"t" * 32, 7, 500, b"raw", "submit-batch", (action(2).id, action(1).id), TransactionState.SIGNED, 100
    )
    await ledger.record(entry)
    await ledger.record(entry)
    assert await ledger.entries([TransactionState.SIGNED]) == [entry]
    assert await ledger.entries([TransactionState.SIGNED], with_raw=False) == [replace(entry, raw=b"")]
    assert await ledger.found(entry.txid) == entry
    assert await ledger.found(b"?" * 32) is None
    await ledger.mark(entry.txid, TransactionState.REPLACED)
    assert await ledger.entries([TransactionState.SIGNED]) == []
    assert await ledger.fees_between(0, 200, 9) == 0


async def test_a_start_reads_what_is_open_or_recent_of_the_ledger_and_asks_whose_a_transaction_is(store):
    ledger, states = store.ledger(), {3: TransactionState.BROADCAST, 4: TransactionState.REPLACED}
    for number in range(20):
        state = states.get(number, TransactionState.INCLUDED)
        at_s = 900 if number == 7 else 100
        nonce = 3 if number == 4 else number
        await ledger.record(
            LedgerEntry(bytes([number]) * 32, nonce, 500, b"raw", "x", (action(number).id,), state, at_s)
        )
    found = await ledger.recent(5, 900, 99)
    assert [entry.txid[0] for entry in found] == [3, 4, 7, 15, 16, 17, 18, 19]
    assert {entry.raw for entry in found} == {b""}
    assert found[0].ids == (action(3).id,)
    assert await ledger.own([bytes([2]) * 32, b"?" * 32]) == {bytes([2]) * 32: {action(2).id}}


async def test_fees_are_those_of_the_time_asked_for_and_not_of_a_clock_that_was_ahead(store):
    ledger = store.ledger()
    for number, signed_at_s in enumerate((99, 100, 200, 201 + 10 * 365 * 86_400)):
        txid = bytes([number]) * 32
        await ledger.record(LedgerEntry(txid, number, 500, b"", "gap", (), TransactionState.BROADCAST, signed_at_s))
    assert await ledger.fees_between(100, 200, 9) == 1_000


async def test_a_ledger_of_years_is_not_read_for_the_fees_of_a_day(store):
    ledger = store.ledger()
    for number in range(20):
        txid, nonce = bytes([number]) * 32, number // 2
        state = TransactionState.INCLUDED if number % 2 else TransactionState.REPLACED
        await ledger.record(LedgerEntry(txid, nonce, 500, b"raw", "gap", (), state, 100))
    assert await ledger.fees_between(0, 200, 99) == 5_000
    assert await ledger.fees_between(0, 200, 3) == 1_500
    assert [entry.account_nonce for entry in await ledger.recent(0, 0, 2)] == [8, 8, 9, 9]
