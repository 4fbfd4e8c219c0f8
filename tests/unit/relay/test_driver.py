"""The relay on a real set, ledger and fold, with a node in memory: what other hubs, a crash and a clock can do to it."""

import pytest
from builders import START_S
from relay_hubs import digest, relay_hub

from hubd.errors import RemoteError
from hubd.fold.views import SettlementState
from hubd.limits import RELAY_FEE_USTX_MIN, RELAY_WATCHED_MAX
from hubd.ports import TransactionState
from hubd.relay.packing import Terms


@pytest.fixture
async def hub(tmp_path):
    async with relay_hub(tmp_path) as made:
        yield made


async def test_a_hub_that_makes_up_receipts_keeps_nobody_from_writing_their_own(hub):
    register = hub.village.register("ana")
    false = [
        hub.village.receipt("rival", [(digest("item", number), 0)], txid=digest("transaction", number))
        for number in range(RELAY_WATCHED_MAX)
    ]
    await hub.offer(register, *false)
    await hub.start()
    await hub.turns(20)
    assert len(await hub.own_receipts()) == 1
    assert hub.folder.views.settlement[register.id].state is SettlementState.CLAIMED


async def test_a_receipt_that_was_lost_is_written_after_a_restart_and_nothing_is_paid_for_twice(hub):
    register = hub.village.register("ana")
    await hub.offer(register)
    await hub.start()
    hub.relay._receipts.report = lambda *_: []
    await hub.turns(20)
    [entry] = await hub.ledger.entries([TransactionState.INCLUDED])
    assert await hub.own_receipts() == []
    await hub.start()
    await hub.turns(20)
    assert len(await hub.own_receipts()) == 1
    assert set(hub.node.mined) == {entry.txid}
    assert hub.relay.status().waiting == 0


async def test_a_hub_that_contests_our_receipts_does_not_make_us_pay_again(hub):
    register = hub.village.register("ana")
    await hub.offer(register)
    await hub.start()
    await hub.turns(20)
    [txid] = hub.node.mined
    await hub.offer(hub.village.receipt("rival", [(register.id, 602)], txid=txid, height=7))
    assert hub.folder.views.settlement[register.id].state is SettlementState.CONTESTED
    await hub.start()
    await hub.turns(20)
    assert set(hub.node.mined) == {txid}


async def test_what_a_hub_claims_of_our_transaction_stops_no_other_action(hub):
    register, other = hub.village.register("ana"), hub.village.register("tomas")
    await hub.offer(register)
    await hub.start()
    await hub.turns(20)
    [txid] = hub.node.mined
    await hub.offer(hub.village.receipt("rival", [(other.id, 0)], txid=txid, height=hub.node.mined[txid][1].height))
    await hub.offer(other)
    await hub.start()
    await hub.turns(30)
    assert set(hub.node.done) == {register.id, other.id}


async def test_a_clock_that_was_once_ahead_does_not_stop_the_relay_when_it_is_right_again(hub):
    terms = Terms(gather_s=1, fees_day_ustx_max=RELAY_FEE_USTX_MIN)
    await hub.offer(hub.village.register("ana"))
    hub.wall_s += 10 * 365 * 86_400
    await hub.start(terms)
    await hub.turns(20)
    hub.wall_s -= 10 * 365 * 86_400
    await hub.offer(hub.village.register("tomas"))
    await hub.turns(20)
    assert len(hub.node.done) == 2
    assert hub.relay.status().fees_day_ustx == RELAY_FEE_USTX_MIN


async def test_an_action_that_came_too_late_is_shown_and_costs_nothing(hub):
    late = hub.village.register("tomas")
    after_s = late.statement.expires + 1
    known = [hub.village.receipt(name, [(digest("item"), 0)], txid=digest("transaction"), block_time=after_s)
             for name in ("uplink", "rival")]  # fmt: skip
    await hub.offer(late, *known)
    assert hub.folder.views.time_s == after_s
    await hub.start()
    await hub.turns(20)
    status = hub.relay.status()
    assert (status.expired, status.waiting, hub.node.mined) == (1, 0, {})


async def test_what_time_alone_decides_is_signed_once_and_sent(hub):
    book = hub.village.book("ana", "tomas")
    known = [
        hub.village.receipt(name, [(item, 0)], txid=digest(item), block_time=at_s)
        for item, at_s in ((book, START_S), (digest("later"), START_S + 60 * 86_400))
        for name in ("uplink", "rival")
    ]
    await hub.offer(*map(hub.village.register, ("ana", "tomas")), book, *known)
    for _ in range(2):  # the second time after a restart
        await hub.start()
        await hub.turns(20)
        claims = [action for _, action in await hub.store.page(0, 10_000) if action.kind == "lesson-claim"]
        assert [claim.statement.subject for claim in claims] == [book.id]
        assert claims[0].statement.author == hub.village.principal("uplink")
        assert claims[0].id in hub.node.done


async def test_while_the_views_lag_nothing_is_sent_that_may_be_settled_already(hub):
    await hub.start()
    hub.is_late = True
    await hub.offer(hub.village.register("ana"))
    await hub.turns(20)
    assert not hub.node.mined
    hub.is_late = False
    await hub.turns(20)
    assert len(hub.node.mined) == 1


async def test_what_is_settled_is_not_read_again_at_a_start(hub):
    await hub.offer(hub.village.register("ana"))
    await hub.start()
    await hub.turns(20)
    asked = []
    get = hub.store.get

    async def watched(ids):
        asked.extend(ids)
        return await get(ids)

    hub.store.get = watched
    open_one = hub.village.register("ben")
    await hub.offer(open_one)
    await hub.start()
    asked.clear()
    await hub.turns(1)
    assert asked == [open_one.id]


async def test_what_was_signed_before_a_restart_is_sent_as_the_identical_bytes_after_it(hub):
    await hub.offer(hub.village.register("ana"))
    await hub.start()
    broadcast = hub.node.broadcast

    async def cut(_raw):
        raise RemoteError("node", "the line was cut")

    hub.node.broadcast = cut
    await hub.turns(20)
    [signed] = await hub.ledger.entries([TransactionState.SIGNED])
    hub.node.broadcast = broadcast
    await hub.start()
    await hub.turns(40)
    assert list(hub.node.mined) == [signed.txid]


def said_by_both(village, item, at_s, code=0):
    """The same receipt of two operators' hubs, so that it is believed."""
    return [village.receipt(name, [(item, code)], txid=digest(item), block_time=at_s) for name in ("uplink", "rival")]


async def claims_while_time_passes(hub, turns):
    """A lesson's claim becomes due, and the chain's time goes on by itself: the claims that the hub signs."""
    due_s, book = START_S + 60 * 86_400, hub.village.book("ana", "tomas")
    await hub.offer(*map(hub.village.register, ("ana", "tomas")), book, *said_by_both(hub.village, book, START_S))
    await hub.offer(*said_by_both(hub.village, digest("later"), due_s))
    await hub.start()
    for number in range(10):
        await hub.offer(*said_by_both(hub.village, digest(number), due_s + 600 * (number + 1)))
        await hub.turns(turns)
    return [action for _, action in await hub.store.page(0, 10_000) if action.kind == "lesson-claim"]


async def test_a_claim_that_waits_for_a_node_is_not_signed_again_when_the_chains_time_goes_on(hub):
    async def cut(_raw):
        raise RemoteError("node-unreachable", "the line was cut")

    hub.node.broadcast = cut
    assert len(await claims_while_time_passes(hub, 3)) == 1


async def test_a_claim_that_the_chain_refused_for_good_is_not_signed_and_paid_for_again(hub):
    hub.node.answer = lambda _id, _code: 606
    [claim] = await claims_while_time_passes(hub, 6)
    assert claim.id in hub.node.done
    assert hub.folder.views.settlement[claim.id].code == 606
