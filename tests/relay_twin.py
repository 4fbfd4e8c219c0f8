"""An uplink in memory: a small chain with a mempool, forks and faults, and a driver that performs the outbox's requests.

The chain keeps the rules that matter to a relay (account nonces, replace-by-fee, results per action) and none of the
others; `tests/e2e` has the real one. Faults are taken from a script, so that a property test can choose them.
"""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from builders import Village

from hubd.action.clarity import Buff, ListCV, Ok, TupleCV, UInt, encode
from hubd.action.envelope import Action
from hubd.action.principal import contract
from hubd.action.sip018 import NO_ID, ActionId
from hubd.ports import LedgerEntry, TransactionState
from hubd.relay import events as ev
from hubd.relay.batch import Venue
from hubd.relay.chain import Account, Place, Seen, Standing
from hubd.relay.codes import OK, SPENT, Fate, fate
from hubd.relay.outbox import Outbox
from hubd.relay.packing import Terms

NOT_THERE = 601
TERMS = Terms(gather_s=0)


def venue_of(village: Village) -> Venue:
    owner = village.principal("deployer")
    gateway, escrow = contract(owner, "action-gateway"), contract(owner, "payment-escrow")
    return Venue(gateway, escrow, {village.hours: "hour-credit"})


@dataclass(frozen=True)
class Mined:
    entry: LedgerEntry
    standing: Standing
    codes: tuple[tuple[ActionId, int], ...]


@dataclass
class TwinChain:
    """`poison` aborts the transaction it is in; one with more than `items_max` actions is too heavy for a block."""

    poison: frozenset[ActionId] = frozenset()
    refused: frozenset[ActionId] = frozenset()
    parents: dict[ActionId, ActionId] = field(default_factory=dict)
    items_max: int = 100
    has_index: bool = True
    blocks: list[list[Mined]] = field(default_factory=list)
    mempool: dict[int, LedgerEntry] = field(default_factory=dict)
    dropped: dict[bytes, Standing] = field(default_factory=dict)

    @property
    def mined(self) -> list[Mined]:
        return [mined for block in self.blocks for mined in block]

    @property
    def account_nonce(self) -> int:
        return len(self.mined)

    @property
    def spent(self) -> set[ActionId]:
        return {id_ for mined in self.mined for id_, code in mined.codes if code == OK}

    @property
    def account(self) -> Account:
        return Account(self.account_nonce, 10**12)

    def broadcast(self, entry: LedgerEntry) -> tuple[str, int | None] | None:
        """None when taken, else the reason and the number wanted."""
        nonce = entry.account_nonce
        if nonce < self.account_nonce:
            return "BadNonce", self.account_nonce
        if nonce > self.account_nonce + 25:
            return "TooMuchChaining", None
        other = self.mempool.get(nonce)
        if other is not None and other.txid != entry.txid and entry.fee_ustx <= other.fee_ustx:
            return "ConflictingNonceInMempool", None
        if other is not None and other.txid != entry.txid:
            self.dropped[other.txid] = Standing.REPLACED
        self.mempool[nonce] = entry
        self.dropped.pop(entry.txid, None)
        return None

    def mine(self, count: int = 25) -> None:
        block: list[Mined] = []
        self.blocks.append(block)
        while len(block) < count and (entry := self.mempool.pop(self.account_nonce, None)) is not None:
            if len(entry.ids) > self.items_max:
                self.dropped[entry.txid] = Standing.TOO_HEAVY
                break
            block.append(self._execute(entry))

    def drop(self, standing: Standing = Standing.DROPPED) -> None:
        """The lowest waiting transaction leaves the mempool."""
        if self.mempool:
            self.dropped[self.mempool.pop(min(self.mempool)).txid] = standing

    def fork(self, blocks: int) -> None:
        """The last blocks vanish; their transactions wait again, unless a replacement does."""
        returned = [mined.entry for block in self.blocks[-blocks:] for mined in block]
        del self.blocks[-blocks:]
        for entry in returned:
            self.mempool.setdefault(entry.account_nonce, entry)

    def _execute(self, entry: LedgerEntry) -> Mined:
        if self.poison & set(entry.ids):
            return Mined(entry, Standing.ABORTED, ())
        codes: dict[ActionId, int] = {}
        spent = self.spent
        for id_ in entry.ids:
            parent = self.parents.get(id_)
            has_parent = parent is None or parent in spent or codes.get(parent) == OK
            codes[id_] = SPENT if id_ in spent else 602 if id_ in self.refused else OK if has_parent else NOT_THERE
        return Mined(entry, Standing.SUCCESS, tuple(codes.items()))

    def seen(self, txid: bytes) -> Seen | None:
        if not self.has_index:
            return None
        for height, block in enumerate(self.blocks):
            for index, mined in enumerate(block):
                if mined.entry.txid == txid:
                    return Seen(mined.standing, place_at(height, index), result_of(mined))
        if any(entry.txid == txid for entry in self.mempool.values()):
            return Seen(Standing.PENDING)
        return Seen(self.dropped.get(txid, Standing.UNKNOWN))


def place_at(height: int, index: int = 0, burn_height: int = 900) -> Place:
    return Place(height, hashlib.sha256(b"block %d" % height).digest(), index, burn_height, 1_767_225_600 + height)


def result_of(mined: Mined) -> bytes:
    items = (TupleCV({"id": Buff(id_), "code": UInt(code)}) for id_, code in mined.codes)
    return encode(Ok(ListCV(tuple(items))))


class CrashError(Exception):
    """The power went."""


class TwinUplink:
    """Performs the outbox's requests on a twin chain. What survives a crash: `ledger`, `receipts` and `actions`."""

    def __init__(self, village: Village, actions: Iterable[Action], chain: TwinChain, terms: Terms = TERMS) -> None:
        self.village, self.chain, self.terms = village, chain, terms
        self.actions = {action.id: action for action in actions}
        self.ledger: dict[bytes, LedgerEntry] = {}
        self.receipts: dict[ActionId, int] = {}
        self.now = 1_000.0
        self.notes: list[ev.Note] = []
        self.faults: Iterator[str] = iter(())  # one word a request: none, crash, crash-after, lose, refuse, close
        self.restart()

    @property
    def pending(self) -> list[Action]:
        return [action for id_, action in self.actions.items() if fate(self.receipts.get(id_, NOT_THERE)) is Fate.WAITS]

    def restart(self) -> None:
        self.outbox = Outbox(venue_of(self.village), self.terms)
        try:
            self.react(ev.LedgerRead(tuple(self.ledger.values())))
            self.react(ev.ActionsAppended(tuple(self.pending)))
        except CrashError:  # again, while it came up
            self.restart()

    def tick(self, seconds: float = 60.0) -> None:
        self.now += seconds
        try:
            self.react(ev.AccountSeen(self.chain.account))
            self.react(ev.TimerFired(0))
        except CrashError:
            self.restart()

    def react(self, event: ev.InEvent) -> list[ev.OutEvent]:
        """Everything that was asked for, in order."""
        events, asked = deque([event]), []
        while events:
            for request in self.outbox.handle(events.popleft(), self.now):
                asked.append(request)
                fault = next(self.faults, "")
                if fault == "crash":
                    raise CrashError
                events.extend(self._perform(request, fault))
                if fault == "crash-after":
                    raise CrashError
        return asked

    def _perform(self, request: ev.OutEvent, fault: str) -> list[ev.InEvent]:
        match request:
            case ev.Sign(transaction, function, ids):
                return [self._record(transaction.account_nonce, transaction.fee_ustx, function, ids)]
            case ev.SignAgain(entry, fee_ustx):
                return [self._record(entry.account_nonce, fee_ustx, entry.function, entry.ids)]
            case ev.Broadcast(entry):
                if fault == "refuse":
                    return [ev.BroadcastRefused(entry.txid, "ServerFailureOther")]
                if fault == "close":
                    return []
                refusal = self.chain.broadcast(entry)
                if fault == "lose":
                    return []
                return [ev.BroadcastRefused(entry.txid, *refusal) if refusal else ev.BroadcastTaken(entry.txid)]
            case ev.LookUp(txid):
                return [] if fault in ("lose", "refuse") else [ev.TransactionSeen(txid, self.chain.seen(txid))]
            case ev.AskSpent(txid, _, ids):
                return [ev.SpentSeen(txid, frozenset(self.chain.spent & set(ids)))]
            case ev.Fetch(ids):
                return [ev.ActionsAppended(tuple(self.actions[id_] for id_ in ids))]
            case ev.Report(_, _, codes):
                self.receipts.update(codes)
            case ev.Mark(txid, state):
                self.ledger[txid] = replace(self.ledger[txid], state=state)
            case ev.Note():
                self.notes.append(request)
        return []

    def _record(self, account_nonce: int, fee_ustx: int, function: str, ids: tuple[ActionId, ...]) -> ev.InEvent:
        txid = hashlib.sha256(repr((account_nonce, fee_ustx, ids)).encode()).digest()
        entry = LedgerEntry(txid, account_nonce, fee_ustx, b"", function, ids, TransactionState.SIGNED, int(self.now))
        self.ledger.setdefault(txid, entry)
        return ev.TransactionSigned(entry)


def parents_of(actions: Iterable[Action]) -> dict[ActionId, ActionId]:
    """Which action each one is about, among these."""
    known = {action.id for action in actions}
    return {
        action.id: action.statement.subject
        for action in actions
        if action.statement.subject != NO_ID and action.statement.subject in known
    }
