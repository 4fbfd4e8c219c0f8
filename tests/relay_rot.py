"""A relay whose ledger rots: a hub's folder at some moment of a transaction's life, the chain at that moment, and what
becomes of both when a bit of the ledger is another one.
"""

import copy
import sqlite3
import struct
from dataclasses import dataclass

from builders import Village
from relay_hubs import Hub, MemoryNode, digest
from relay_twin import TwinChain, parents_of
from rotting import varint

from hubd.action.clarity import Bool, ListCV
from hubd.errors import FatalError, LocalError, RemoteError
from hubd.ports import LedgerEntry, TransactionState
from hubd.relay.batch import Venue, build
from hubd.relay.chain import Place, Seen, Tip
from hubd.relay.codes import SPENT
from hubd.relay.node import RejectedError
from hubd.relay.packing import Terms
from hubd.relay.tx import Transaction, sign
from hubd.store.actions import DATABASE_NAME, Store
from hubd.store.scrubber import Scrubber

VILLAGE = Village(1)
FOUNDING = (*VILLAGE.found("uplink", 1, uplink=True), *VILLAGE.found("rival", 2, uplink=True))
LESSON = VILLAGE.thread("ana", "tomas")
ACTIONS = (VILLAGE.register("ana"), VILLAGE.register("tomas"), LESSON.book, LESSON.confirm)
PARENTS = parents_of(ACTIONS)
NONCE_AT = 5 + 1 + 1 + 20
TWO = Terms(gather_s=1, actions_max=2)


class ChainNode(MemoryNode):
    """A node before a chain with a mempool. It takes what this wallet signed of actions that are some, as a real one."""

    def __init__(self, chain, is_open=True):
        super().__init__(VILLAGE, None)
        self.chain, self.is_open, self.sent = chain, is_open, []

    async def tip(self):
        self.height = 100 + len(self.chain.blocks)
        return Tip(VILLAGE.network.chain_id, 900, self.height, digest(self.height))

    async def account(self, _principal):
        return self.chain.account

    async def broadcast(self, raw):
        self.sent.append(raw)
        if not self.is_open:
            raise RemoteError("node-unreachable", "the line was cut")
        entry = entry_of(raw)
        if entry is None:
            raise RejectedError("SignatureValidation", None)
        if refusal := self.chain.broadcast(entry):
            raise RejectedError(*refusal)
        return entry.txid

    async def call_read(self, contract, function, arguments):
        if function == "are-spent":
            return ListCV(tuple(Bool(item.value in self.chain.spent) for item in arguments[0].items))
        return await super().call_read(contract, function, arguments)

    async def transaction(self, txid):
        seen = self.chain.seen(txid)
        if seen is None or seen.place is None:
            return seen
        place = Place(seen.place.height + 100, seen.place.block, seen.place.index, 900, seen.place.block_time_s)
        return Seen(seen.standing, place, seen.result, self.gateway, "submit-batch")


def entry_of(raw):
    """What a node reads in bytes; None where this wallet did not sign them, or not of actions as people signed them."""
    nonce, fee_ustx = struct.unpack_from(">QQ", raw, NONCE_AT)
    found = sorted((at, action) for action in ACTIONS if (at := raw.find(action.signature)) >= 0)
    actions = [action for _, action in found]
    owner = VILLAGE.charter
    batch = build(actions, Venue(owner.contract("action-gateway"), owner.contract("payment-escrow")))
    made = sign(Transaction(batch.call, nonce, fee_ustx), VILLAGE.signer("wallet"), VILLAGE.network)
    if made.raw != raw:
        return None
    return LedgerEntry(made.txid, nonce, fee_ustx, b"", "", batch.ids, TransactionState.SIGNED, 0)


@dataclass
class Moment:
    """A hub's database and the chain, as they are at one moment."""

    raw: bytes
    chain: TwinChain
    entries: list[LedgerEntry]


async def opened(directory, chain, *, is_open=True):
    """A hub with all that is in its folder, its relay not started yet."""
    store = await Store.open(directory, VILLAGE.domain)
    hub = Hub(VILLAGE, store)
    hub.node = ChainNode(chain, is_open)
    hub.folder.append([action for _, action in await store.page(0, 10_000)])
    return hub


async def _lived(directory, *, signed, mined, told, items_max=100):
    chain = TwinChain(parents=PARENTS, items_max=items_max)
    hub = await opened(directory, chain, is_open=False)
    await hub.offer(*FOUNDING, *ACTIONS)
    await hub.start(TWO)
    await hub.turns(2)
    hub.node.is_open = signed
    if signed:
        await hub.turns(40)
    if mined:
        chain.mine(mined)
    for _ in range(told):
        await hub.turns(20)
        chain.mine(mined)
    entries = await hub.ledger.entries(TransactionState)
    await hub.store.close()
    return chain, entries


async def moment(directory, **so_far):
    """`signed`: whether a node has what is on disk. `mined`: how many of these are, once and after each time that the relay
    was told. `items_max`: what a block has room for.
    """
    chain, entries = await _lived(directory, **so_far)
    path = directory / DATABASE_NAME
    with sqlite3.connect(path) as connection:
        connection.execute("vacuum")
    connection.close()
    return Moment(path.read_bytes(), chain, entries)


def _overflow(raw, number, page_bytes):
    """Of a page's cells, what lies on pages of its own."""
    start, found = (number - 1) * page_bytes, []
    for at in range(start + 8, start + 8 + 2 * int.from_bytes(raw[start + 3 : start + 5], "big"), 2):
        cell = start + int.from_bytes(raw[at : at + 2], "big")
        size, begin = varint(raw, cell)
        local_max, local_min = (page_bytes - 12) * 64 // 255 - 23, (page_bytes - 12) * 32 // 255 - 23
        if size <= local_max:
            continue
        local = local_min + (size - local_min) % (page_bytes - 4)
        local = local if local <= local_max else local_min
        page = int.from_bytes(raw[begin + local : begin + local + 4], "big")
        found += range((page - 1) * page_bytes, (page - 1) * page_bytes + 4 + size - local)
    return found


def places(made, named="ledger%"):
    """The bytes of the file in which SQLite keeps the ledger, or the parts of it with such names; free ones left out."""
    page_bytes, found = int.from_bytes(made.raw[16:18], "big"), []
    with sqlite3.connect(":memory:") as connection:
        connection.deserialize(made.raw[:18] + b"\1\1" + made.raw[20:])  # in memory there is no log
        roots = "select rootpage from sqlite_schema where name like ? and rootpage"
        pages = [number for (number,) in connection.execute(roots, (named,))]
    connection.close()
    for number in pages:
        start = (number - 1) * page_bytes
        cells = start + int.from_bytes(made.raw[start + 5 : start + 7], "big")
        heads = start + 8 + 2 * int.from_bytes(made.raw[start + 3 : start + 5], "big")
        found += [*range(start, heads), *range(cells, start + page_bytes)]
        found += _overflow(made.raw, number, page_bytes)
    return found


async def outcome(directory, made, at, bit):
    """A bit of the file is another one: "" where all goes well, else what went wrong."""
    raw = bytearray(made.raw)
    raw[at] ^= 1 << bit
    (directory / DATABASE_NAME).write_bytes(raw)
    chain = copy.deepcopy(made.chain)
    for _ in range(3):
        try:
            hub = await opened(directory, chain)
        except FatalError as error:
            return f"refused: {error.code}"
        try:
            await _goes_on(hub, chain)
            await Scrubber(hub.store, _nobody).scrub()
        except (LocalError, FatalError) as error:
            if error.code != "database-damaged":
                raise
            (directory / "damaged").write_text("as the scrub does")
        else:
            return _wrong(hub, chain)
        finally:
            await hub.store.close()
    return "damaged for ever"


async def _nobody(_raws):
    return []


async def _goes_on(hub, chain):
    await hub.start(TWO)
    for _ in range(60):
        hub.now += 400
        await hub.relay.tick()
        chain.mine()
        if hub.relay.status().waiting == 0 and not hub.relay.status().transactions_open:
            break
    await hub.turns(2)


def _wrong(hub, chain):
    codes = [code for mined in chain.mined for _, code in mined.codes]
    if missing := {action.id for action in ACTIONS} - chain.spent:
        return f"{len(missing)} actions are lost"
    if SPENT in codes:
        return "paid twice"
    if any(entry_of(raw) is None for raw in hub.node.sent):
        return "sent what was never signed"
    if hub.relay.status().waiting or hub.relay.status().transactions_open:
        return "never done"
    return ""
