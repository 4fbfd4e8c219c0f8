"""The relay on a set that holds more than its memory can: everything is sent once, and nobody fills it for all others."""

import pytest
from relay_hubs import UNHEARD_OF, digest, relay_hub

from hubd.action.principal import contract
from hubd.limits import RELAY_FEE_USTX_MIN
from hubd.ports import TransactionState
from hubd.relay import gathering, queue, room, settled
from hubd.relay.packing import Terms


@pytest.fixture
async def hub(tmp_path):
    async with relay_hub(tmp_path) as made:
        yield made


@pytest.fixture
def small(monkeypatch):
    """A relay that holds no more than twelve waiting actions, and reads four at once."""
    monkeypatch.setattr(queue, "RELAY_WAITING_MAX", 12)
    monkeypatch.setattr(queue, "RELAY_FINISHED_MAX", 12)
    monkeypatch.setattr(room, "RELAY_LEFT_MAX", 12)
    monkeypatch.setattr(settled, "RELAY_VOID_MAX", 4)
    monkeypatch.setattr(gathering, "RELAY_PAGE_ACTIONS", 4)


async def test_of_more_actions_than_the_queue_holds_each_is_sent_once_and_none_is_left(hub, small):
    people = [hub.village.register(f"p{number}") for number in range(100)]
    lessons = [hub.village.book("p0", f"p{number}") for number in range(1, 20)]
    await hub.offer(*people, *lessons)
    await hub.start()
    for _ in range(120):
        await hub.turns(1)
        assert hub.relay.status().waiting <= 12
    assert set(hub.node.done) == {action.id for action in people + lessons}
    assert sum(len(entry.ids) for entry, _ in hub.node.mined.values()) == len(hub.node.done)


async def test_after_years_the_relay_holds_as_little_as_on_its_first_day(hub, small):
    await hub.start()
    for round_ in range(6):
        await hub.offer(*(hub.village.register(f"p{round_}-{number}") for number in range(20)))
        await hub.turns(60)
    assert len(hub.node.done) == 120
    outbox, kept = hub.relay._outbox, hub.relay._settled
    assert (len(outbox.queue), len(outbox.slots.open), len(kept._told)) == (0, 0, 0)
    assert len(outbox.queue._finished) <= 12
    assert not outbox.queue._waiting_for
    assert all(not entry.raw for entry in outbox.slots.closed.values())
    entries = await hub.ledger.recent(2, int(hub.wall_s) + 1, 99)
    assert len(entries) == 2 < len(hub.node.mined)


async def test_what_found_no_place_is_sent_after_the_next_walk_through_the_set(hub, small):
    await hub.offer(hub.village.register("ana"), hub.village.vouch("steward-1", "ana"))
    strangers = [hub.village.request(f"s{number}") for number in range(30)]
    registered = [hub.village.register(f"s{number}") for number in range(30)]
    await hub.offer(*strangers, *registered)
    await hub.start()
    await hub.turns(40)
    assert len(hub.node.done) < 61
    for _ in range(8):
        hub.now += gathering.RELAY_ROUND_S
        await hub.turns(40)
    assert {action.id for action in strangers + registered} <= set(hub.node.done)


async def test_a_flood_of_newcomers_keeps_nobody_who_is_known_from_the_chain(hub, small):
    await hub.offer(hub.village.register("ana"), hub.village.vouch("steward-1", "ana"))
    await hub.start(Terms(gather_s=1, fees_day_ustx_max=10 * RELAY_FEE_USTX_MIN))
    await hub.turns(10)
    await hub.offer(*(hub.village.register(f"s{number}") for number in range(60)))
    await hub.turns(10)
    await hub.offer(request := hub.village.request("ana"))
    await hub.turns(30)
    assert request.id in hub.node.done


async def test_actions_whose_time_is_over_keep_nothing_else_from_the_chain_however_many_they_are(hub, small):
    late = [hub.village.register(f"p{number}", expires=1_767_000_000) for number in range(40)]
    known = [hub.village.receipt(name, [(digest("item"), 0)], txid=digest("transaction"), block_time=1_767_830_400)
             for name in ("uplink", "rival")]  # fmt: skip
    await hub.offer(*known, *late)
    await hub.start()
    await hub.turns(10)
    await hub.offer(register := hub.village.register("ana"))
    await hub.turns(20)
    assert set(hub.node.done) == {register.id}


async def test_withdrawals_of_a_token_that_the_vault_does_not_pay_keep_nothing_else_from_the_chain(hub, small):
    unknown = contract(hub.village.principal("x"), "coin")
    await hub.offer(first := hub.village.register("ana"))
    await hub.start()
    await hub.turns(10)
    await hub.offer(*(hub.village.withdraw("ana", number, asset=unknown) for number in range(1, 41)))
    await hub.turns(10)
    await hub.offer(register := hub.village.register("ben"))
    await hub.turns(20)
    assert set(hub.node.done) == {first.id, register.id}


async def test_newcomers_whose_actions_wait_give_their_places_to_newcomers_who_were_not_heard(hub, small, monkeypatch):
    monkeypatch.setattr(room, "RELAY_LEFT_MAX", 100)
    await hub.offer(hub.village.register("ana"), hub.village.vouch("steward-1", "ana"))
    strangers = [hub.village.register(f"s{number}") for number in range(50)]
    await hub.offer(*strangers)
    ids = {action.id for action in strangers}
    hub.node.answer = lambda id_, code: UNHEARD_OF if id_ in ids else code
    await hub.start()
    for _ in range(6):
        await hub.turns(40)
        hub.now += gathering.RELAY_ROUND_S
    sent = {id_ for entry, _ in hub.node.mined.values() for id_ in entry.ids}
    assert ids <= sent


async def test_the_status_says_while_the_set_is_read_no_further_for_want_of_room(hub, small):
    await hub.start()
    broadcast = hub.node.broadcast

    async def mine_nothing(raw):
        return next(entry.txid for entry in await hub.ledger.entries(TransactionState) if entry.raw == raw)

    hub.node.broadcast = mine_nothing
    await hub.offer(*(hub.village.register(f"p{number}") for number in range(12)))
    await hub.turns(10)
    assert hub.relay.status().trouble == ""
    await hub.offer(hub.village.register("late"))
    await hub.turns(5)
    assert hub.relay.status().trouble == "queue-full"
    hub.node.broadcast = broadcast
    await hub.turns(200)
    assert (len(hub.node.done), hub.relay.status().trouble) == (13, "")
