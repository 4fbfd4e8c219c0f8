"""A relay on a real set, ledger and fold, with a node in memory.

async with relay_hub(tmp_path) as hub:
    await hub.offer(hub.village.register("ana"))
    await hub.start()
    await hub.turns(20)
"""

import hashlib
from contextlib import asynccontextmanager

from builders import Village

from hubd.action.clarity import NONE, Buff, ListCV, Ok, TupleCV, UInt
from hubd.action.clarity import encode as encode_value
from hubd.action.envelope import encode
from hubd.fold.folder import Folder
from hubd.intake import SetIntake
from hubd.ports import Door, TransactionState
from hubd.relay.chain import Account, Place, Seen, Standing, Tip
from hubd.relay.codes import OK, SPENT
from hubd.relay.driver import Keys, Relay
from hubd.relay.gathering import Links
from hubd.relay.packing import Terms
from hubd.store.actions import Store

TERMS = Terms(gather_s=1)
UNHEARD_OF = 99_999  # a code without a row in the table: the action waits
NOTHING = TupleCV({"free": UInt(0), "locked": UInt(0)})


def digest(*parts):
    return hashlib.sha256(repr(parts).encode()).digest()


class MemoryNode:
    """Mines what it is given at once. A transaction does every action in it that none did before."""

    def __init__(self, village, ledger):
        self.village, self.ledger = village, ledger
        self.gateway = village.charter.contract("action-gateway")
        self.height, self.mined, self.done = 100, {}, {}
        self.answer = lambda _id, code: code  # what the chain says of an action, given what it would say by itself

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
        codes = ((id_, self.answer(id_, OK if self.done[id_] == txid else SPENT)) for id_ in entry.ids)
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


@asynccontextmanager
async def relay_hub(directory):
    """A hub that is admitted with an uplink, beside a rival of another operator."""
    village = Village(1)
    store = await Store.open(directory, village.domain)
    made = Hub(village, store)
    await made.offer(*village.found("uplink", 1, uplink=True), *village.found("rival", 2, uplink=True))
    try:
        yield made
    finally:
        await store.close()
