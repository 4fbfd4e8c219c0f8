"""The relay at work: asks its machines what is due, at its own pace, and performs it on node, ledger, set and wallet.

No rules here: what travels when is the outbox's business, what is told is the receipts' and balances'. The steps of a
transaction are signed, on disk, broadcast, noted; a crash between any two of them is made good by the ledger, as far as
that is proven (`hubd/relay/books.py`).
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from hubd import log
from hubd.action.charter import Charter
from hubd.action.clarity import Bool, Buff, ListCV
from hubd.action.envelope import encode, seal
from hubd.action.principal import Principal, address
from hubd.action.signature import Signer
from hubd.action.sip018 import ActionId
from hubd.action.statement import Statement
from hubd.errors import FatalError, LocalError, RemoteError
from hubd.fold.memory import beyond
from hubd.limits import RELAY_FEE_USTX_MIN, RELAY_WATCHED_MAX
from hubd.ports import Door, LedgerEntry, TransactionState, Verdict
from hubd.relay import balances, receipts
from hubd.relay import events as ev
from hubd.relay.acquaintance import Acquaintances
from hubd.relay.balances import Balances
from hubd.relay.batch import Venue
from hubd.relay.books import Books
from hubd.relay.chain import Tip
from hubd.relay.gathering import Gathering, Links
from hubd.relay.node import RejectedError
from hubd.relay.outbox import Outbox
from hubd.relay.packing import Terms
from hubd.relay.receipts import Receipts
from hubd.relay.status import Status
from hubd.relay.tx import Signed, sign, sign_again
from hubd.relay.venue import learn_grace_s, learn_tokens

DAY_S = 86_400
VENUE_S = 600  # between two looks at which tokens the vault pays out, and at the grace period


@dataclass(frozen=True, slots=True)
class Keys:
    """The two keys of the relay: `wallet` pays fees and signs transactions, `hub` receipts and what time alone decides."""

    wallet: Signer
    hub: Signer


class Relay:
    """The uplink service of one hub. `poll_s` is its pace and, like the terms, may be changed while it runs."""

    def __init__(self, links: Links, keys: Keys, charter: Charter, terms: Terms, poll_s: float) -> None:
        self.terms = terms
        self.poll_s = poll_s
        self._links = links
        self._store, self._ledger, self._intake = links.store, links.ledger, links.intake
        self._books = Books(links.ledger, keys.wallet, charter)
        self._views, self._node = links.views, links.node
        self._wall_s, self._monotonic = links.wall_s, links.monotonic
        self._keys, self._charter = keys, charter
        self._wallet = keys.wallet.principal(charter.network)
        self._log = log.get("relay")
        self._venue = Venue(charter.contract("action-gateway"), charter.contract("payment-escrow"))
        self._tip: Tip | None = None
        self._fees_day_ustx = 0
        self._error: RemoteError | None = None
        self._reset()

    def _reset(self) -> None:
        self._outbox = Outbox(self._venue, self.terms)
        self._receipts = Receipts(self._venue.gateway)
        self._balances = Balances((None, *(principal for _, principal in self._charter.assets)))
        self._gathering = Gathering(
            self._links, self._books, self._hub, outbox=self._outbox, receipts=self._receipts, react=self._react
        )
        self._settled = self._gathering.settled
        self._newcomers: dict[int, LedgerEntry] = {}  # transactions for newcomers, by account nonce
        self._venue_at_s: float | None = None
        self._grace_s = 0
        self._balances_height = -1

    async def run(self) -> None:
        """Runs until cancelled. A node that fails is tried again at the next turn; anything else rises."""
        while self._links.is_late():  # noqa: ASYNC110  # at a start, as at all times, the relay keeps its own pace
            await asyncio.sleep(self.poll_s)
        await self.start()
        while True:
            await self.turn()
            await asyncio.sleep(self.poll_s)

    async def start(self) -> None:
        """Take up what the ledger holds. Once, before the first tick."""
        self._reset()
        since_s = int(self._wall_s()) - DAY_S
        entries, views = await self._books.recent(RELAY_WATCHED_MAX, since_s, self._nonces_day), self._views()
        named = self._settled.named([id_ for entry in entries for id_ in entry.ids], views)  # also what was not recent
        self._settled.own = {**await self._books.own(named), **{entry.txid: entry.ids for entry in entries}}
        await self._react(ev.LedgerRead(self._settled.reopened(entries, views)))
        await self._recall(entries, self._gathering.acquaintances())
        slots = self._outbox.slots
        for entry in slots.closed.values():
            written = self._settled.written(entry.txid, views)
            if entry.ids and (written is None or written[0] < receipts.Level.FINAL):
                self._receipts.watch(entry.txid, entry.ids, entry.account_nonce, written)
        for entry in (entry for slot in slots.open.values() for entry in slot.entries):
            if written := self._settled.written(entry.txid, views):  # a fork undid it, and nobody was told
                self._receipts.watch(entry.txid, entry.ids, entry.account_nonce, written)

    async def _recall(self, entries: Sequence[LedgerEntry], known: Acquaintances) -> None:
        """Which transactions of the last day were for newcomers."""
        for entry in entries:
            if known and entry.ids and self._is_today(entry) and entry.state is not TransactionState.REPLACED:
                authors = {action.statement.author for action in await self._store.get(entry.ids)}
                if not any(author in known for author in authors):
                    self._newcomers[entry.account_nonce] = entry

    @property
    def _nonces_day(self) -> int:
        """At most so many account nonces fit into a day's budget: each costs the least fee at least."""
        return self.terms.fees_day_ustx_max // RELAY_FEE_USTX_MIN + 1

    def _is_today(self, entry: LedgerEntry) -> bool:
        now = int(self._wall_s())
        return now - DAY_S <= entry.signed_at_s <= now

    def _newcomers_ustx(self) -> int:
        return sum(entry.fee_ustx for entry in self._newcomers.values() if self._is_today(entry))

    async def turn(self) -> None:
        """One tick; what nodes do wrong ends up in the status and the log, once."""
        try:
            await self.tick()
        except RemoteError as error:
            if self._error is None or self._error.code != error.code:
                self._log.warning("uplink-failed", code=error.code, detail=error.detail, hint=error.hint)
            self._error = error
        else:
            if self._error is not None:
                self._log.info("uplink-back", height=self._tip.height if self._tip else None)
            self._error = None

    async def tick(self) -> None:
        """Look at the chain, do what is due. Raises `RemoteError` where no node answers, `FatalError` on a wrong one."""
        tip = await self._node.tip()
        if tip.network_id != self._charter.network.chain_id:
            raise FatalError(
                "node-network",
                f"the node's network has the id {tip.network_id:#x}",
                hint=f"this mesh lives on {self._charter.network.name}; put a node of it into relay.nodes",
            )
        account = await self._node.account(self._wallet)
        self._tip = tip
        self._outbox.packing.terms = self.terms
        await self._react(ev.AccountSeen(account))
        await self._look_at_venue()
        if (known := await self._gathering.take_in()) is not None:
            await self._say_ends(known)
        for request in self._receipts.advance(tip, account.account_nonce, self._monotonic()):
            await self._follow(request)
        wall_s = int(self._wall_s())
        self._fees_day_ustx = await self._ledger.fees_between(wall_s - DAY_S, wall_s, self._nonces_day)
        self._newcomers = {nonce: entry for nonce, entry in self._newcomers.items() if self._is_today(entry)}
        chain_time_s = self._views().time_s or 0
        await self._react(ev.TimerFired(self._fees_day_ustx, self._newcomers_ustx(), chain_time_s))
        await self._read_balances(tip)

    def status(self) -> Status:
        """A snapshot; asks nobody."""
        outbox, tip, error = self._outbox, self._tip, self._error
        trouble = (
            error.code if error is not None else outbox.trouble or outbox.packing.trouble or self._gathering.trouble
        )
        return Status(
            wallet=address(self._wallet),
            balance_ustx=outbox.account.balance_ustx if outbox.account else None,
            account_nonce=outbox.account.account_nonce if outbox.account else None,
            burn_height=tip.burn_height if tip else None,
            height=tip.height if tip else None,
            waiting=len(outbox.queue) - outbox.queue.expired,
            parked=outbox.queue.parked,
            expired=outbox.queue.expired,
            transactions_open=len(outbox.slots.open),
            transactions_watched=len(self._receipts),
            fees_day_ustx=self._fees_day_ustx,
            fees_newcomers_ustx=self._newcomers_ustx(),
            trouble=trouble,
            hint=error.hint if error is not None else "",
        )

    # --- the set and the chain's side of it

    async def _look_at_venue(self) -> None:
        now = self._monotonic()
        if self._venue_at_s is None or now - self._venue_at_s >= VENUE_S:
            tokens = await learn_tokens(self._node, self._charter)
            self._grace_s = await learn_grace_s(self._node, self._charter)
            self._venue_at_s = now
            await self._react(ev.TokensSeen(tokens))

    async def _say_ends(self, known: Acquaintances) -> None:
        """Sign what time alone decides; like all else in the set, it travels at the next turn."""
        for statement in self._gathering.ends.due(self._views(), self._grace_s, known or None):
            await self._write(statement)
            self._log.info("time-decides", kind=statement.action)

    async def _read_balances(self, tip: Tip) -> None:
        if tip.height == self._balances_height:
            return
        views = self._views()
        pairs = self._balances.next_pairs(partial(beyond, views.persons))
        if pairs:
            found = await self._node.call_read(self._venue.escrow, "get-balances", [balances.question(pairs)])
            sums = balances.answer(found, len(pairs))
            known = self._settled.balances(pairs, views)
            for request in self._balances.read(pairs, sums, tip, known):
                await self._write(*balances.sealed_parts(request, self._hub, int(self._wall_s())))
                people = tuple(dict.fromkeys(row[0] for row in request.rows))
                await self._react(ev.PeopleChanged(people))
        self._balances_height = tip.height

    # --- performing

    async def _react(self, event: ev.InEvent) -> None:
        """Hand an event to the outbox and perform what it asks for, until nothing follows any more."""
        events = deque([event])
        while events:
            for request in self._outbox.handle(events.popleft(), self._monotonic()):
                events.extend(await self._perform(request))

    async def _perform(self, request: ev.OutEvent) -> list[ev.InEvent]:
        match request:
            case ev.Sign(transaction, function, ids, is_newcomers):
                signed, nonce = sign(transaction, self._keys.wallet, self._charter.network), transaction.account_nonce
                made = await self._record(signed, nonce, transaction.fee_ustx, function, ids)
                self._newcomers.pop(nonce, None)
                if is_newcomers:
                    self._newcomers[nonce] = replace(made.entry, raw=b"")
                return [made]
            case ev.SignAgain(entry, fee_ustx):
                if not (raw := await self._books.raw(entry)):
                    return [ev.BytesLost(entry.txid)]
                signed = sign_again(raw, self._keys.wallet, self._charter.network, fee_ustx)
                made = await self._record(signed, entry.account_nonce, fee_ustx, entry.function, entry.ids)
                if entry.account_nonce in self._newcomers:
                    self._newcomers[entry.account_nonce] = replace(made.entry, raw=b"")
                return [made]
            case ev.Broadcast(entry):
                return [await self._broadcast(entry)]
            case ev.LookUp(txid):
                return [ev.TransactionSeen(txid, await self._node.transaction(txid))]
            case ev.AskSpent():
                return await self._ask_spent(request)
            case ev.Fetch(ids):
                wanted = self._settled.undone(ids, self._outbox.slots.of, self._views())
                return [ev.ActionsAppended(tuple(await self._store.get(wanted)))]
            case ev.Report():
                await self._report(request)
            case ev.Mark(txid, state):
                await self._ledger.mark(txid, state)
            case ev.Note(name, detail, ids):
                self._log.info(name, detail=detail, actions=len(ids))
        return []

    async def _record(
        self, signed: Signed, account_nonce: int, fee_ustx: int, function: str, ids: tuple[ActionId, ...]
    ) -> ev.TransactionSigned:
        at_s, state = int(self._wall_s()), TransactionState.SIGNED
        entry = LedgerEntry(signed.txid, account_nonce, fee_ustx, signed.raw, function, ids, state, at_s)
        await self._ledger.record(entry)
        return ev.TransactionSigned(entry)

    async def _broadcast(self, entry: LedgerEntry) -> ev.InEvent:
        if not (raw := await self._books.raw(entry)):
            return ev.BytesLost(entry.txid)
        try:
            txid = await self._node.broadcast(raw)
        except RejectedError as error:
            return ev.BroadcastRefused(entry.txid, error.reason, error.wanted)
        if txid != entry.txid:
            raise RemoteError("node-answer", "another txid than the transaction's")
        self._log.info(
            "broadcast", transaction=entry.txid.hex(), account_nonce=entry.account_nonce, actions=len(entry.ids),
            fee_ustx=entry.fee_ustx,
        )  # fmt: skip
        return ev.BroadcastTaken(entry.txid)

    async def _ask_spent(self, request: ev.AskSpent) -> list[ev.InEvent]:
        ids = [ListCV(tuple(Buff(id_) for id_ in request.ids))]
        found = await self._node.call_read(self._venue.gateway, "are-spent", ids)
        account = await self._node.account(self._wallet)
        if account.account_nonce <= request.account_nonce:
            return []  # this node is behind the one that said the nonce is used: its "not spent" means nothing
        match found:
            case ListCV(items) if len(items) == len(request.ids) and all(isinstance(item, Bool) for item in items):
                pairs = zip(request.ids, items, strict=True)
                return [ev.SpentSeen(request.txid, frozenset(id_ for id_, item in pairs if item == Bool(True)))]
        raise RemoteError("node-answer", "are-spent")

    async def _report(self, request: ev.Report) -> None:
        entry = request.entry
        for write in self._receipts.report(entry.txid, entry.ids, entry.account_nonce, request.place, request.codes):
            await self._follow(write)
        self._balances.touch(
            person
            for action in await self._store.get(entry.ids)
            for person in (action.statement.author, action.statement.who)
            if person is not None
        )

    async def _follow(self, request: receipts.WriteReceipt | receipts.LookUp) -> None:
        if isinstance(request, receipts.LookUp):
            seen = await self._node.transaction(request.txid)
            for write in self._receipts.seen(request.txid, seen):
                await self._follow(write)
            return
        await self._write(*receipts.sealed_parts(request, self._hub, int(self._wall_s())))
        self._log.info(
            "receipt", transaction=request.txid.hex(), state=request.level.name.lower(), actions=len(request.codes),
            height=request.place.height,
        )  # fmt: skip

    @property
    def _hub(self) -> Principal:
        return self._keys.hub.principal(self._charter.network)

    async def _write(self, statement: Statement, content: bytes | None = None) -> None:
        action = seal(statement, self._keys.hub, self._charter.domain, content)
        [outcome] = await self._intake.offer([encode(action)], Door.OWN)
        if outcome.verdict is not Verdict.OK:
            raise LocalError("own-action", f"{statement.action}: {outcome.code}")
