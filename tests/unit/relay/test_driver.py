"""The relay on a real set, ledger and fold, with a node in memory: what other hubs, a crash and a clock can do to it."""

import hashlib

import pytest
from builders import START_S, Village

from hubd.action.clarity import NONE, Buff, ListCV, Ok, TupleCV, UInt
from hubd.action.clarity import encode as encode_value
from hubd.action.envelope import encode
from hubd.errors import RemoteError
from hubd.fold.folder import Folder
from hubd.fold.views import SettlementState
from hubd.intake import SetIntake
from hubd.limits import RELAY_FEE_USTX_MIN, RELAY_WATCHED_MAX
from hubd.ports import Door, TransactionState
from hubd.relay import gathering, queue, room, settled
from hubd.relay.chain import Account, Place, Seen, Standing, Tip
from hubd.relay.codes import OK, SPENT
from hubd.relay.driver import Keys, Relay
from hubd.relay.gathering import Links
from hubd.relay.outbox import Terms
from hubd.store.actions import Store

TERMS = Terms(gather_s=1)
NOTHING = TupleCV({"free": UInt(0), "locked": UInt(0)})


def digest(*parts):
    return hashlib.sha256(repr(parts).encode()).digest()


class MemoryNode:
    """Mines what it is given at once. A transaction does every action in it that none did before."""

    def __init__(self, village, ledger):
        self.village, self.ledger = village, ledger
        self.gateway = village.charter.contract("action-gateway")
        self.height, self.mined, self.done = 100, {}, {}

    async def tip(self):
        self.height += 1
        return Tip(self.village.network.chain_id, 900, self.height, digest(self.height))

    async def account(self, _principal):
        return Account(len(self.mined), 10**9)

    async def broadcast(self, raw):
        [entry] = [entry for entry in await self.ledger.entries(TransactionState) if entry.raw == raw]
        for id_ in entry.ids:
            self.done.setdefault(id_, entry.txid)
        self.mined[entry.txid] = (entry, Place(self.height, digest(self.height), 0, 900, 1_767_830_400))
        return entry.txid

    async def transaction(self, txid):
        if txid not in self.mined:
            return Seen(Standing.UNKNOWN)
        entry, place = self.mined[txid]
        codes = ((id_, OK if self.done[id_] == txid else SPENT) for id_ in entry.ids)
        items = tuple(TupleCV({"id": Buff(id_), "code": UInt(code)}) for id_, code in codes)
        return Seen(Standing.SUCCESS, place, encode_value(Ok(ListCV(items))), self.gateway, "submit-batch")

    async def call_read(self, _contract, function, arguments):
        match function:
            case "get-domain":
                return Buff(hashlib.sha256(self.village.domain.clarity()).digest())
            case "get-asset":
                return NONE
            case "get-grace-seconds":
                return UInt(45 * 86_400)
        return ListCV(tuple(NOTHING for _ in arguments[0].items))


class Hub:
    """One hub's set, ledger and fold in a directory, and its relay, which may be started again."""

    def __init__(self, village, store):
        self.village, self.store, self.ledger = village, store, store.ledger()
        self.folder = Folder(village.charter)
        self.intake = SetIntake(store, village.domain)
        self.intake.listeners.append(lambda actions, _door, _source: self.folder.append(actions))
        self.node = MemoryNode(village, self.ledger)
        self.now, self.wall_s, self.is_late = 1_000.0, 1_767_830_000.0, False

    async def offer(self, *actions):
        await self.intake.offer([encode(action) for action in actions], Door.PEER)

    async def start(self, terms=TERMS):
        links = Links(
            self.store, self.ledger, self.intake, lambda: self.folder.views, self.node,
            wall_s=lambda: self.wall_s, monotonic=lambda: self.now, is_late=lambda: self.is_late,
        )  # fmt: skip
        keys = Keys(self.village.signer("wallet"), self.village.signer("uplink"))
        self.relay = Relay(links, keys, self.village.charter, terms, poll_s=1)
        await self.relay.start()

    async def turns(self, count):
        for _ in range(count):
            self.now += 10
            await self.relay.turn()

    async def own_receipts(self):
        hub = self.village.principal("uplink")
        page = [action for _, action in await self.store.page(0, 10_000)]
        return [action for action in page if action.kind == "relay-receipt" and action.statement.author == hub]


@pytest.fixture
async def hub(tmp_path):
    village = Village(1)
    store = await Store.open(tmp_path, village.domain)
    made = Hub(village, store)
    await made.offer(*village.found("uplink", 1, uplink=True), *village.found("rival", 2, uplink=True))
    yield made
    await store.close()


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


# --- more than memory can hold


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
    entries = await hub.ledger.recent(2, int(hub.wall_s) + 1)
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
