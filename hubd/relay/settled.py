"""What the fold's views mean for the relay: which actions still need the chain, and which claims are worth a look.

A receipt counts when the mesh believes it, or when it is about a transaction of this wallet. What only one other hub
claims is looked up here, at our own node: its receipt becomes ours, and the claim is confirmed.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from hubd.action.envelope import Action
from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.fold.views import Settlement, SettlementState, Views
from hubd.limits import RELAY_CLAIMS_MAX, RELAY_VOID_MAX, RELAY_WATCHED_MAX
from hubd.ports import LedgerEntry, TransactionState
from hubd.relay import events as ev
from hubd.relay.balances import Pair, Sums
from hubd.relay.batch import is_carried
from hubd.relay.chain import Place
from hubd.relay.codes import Fate, fate
from hubd.relay.receipts import Level


@dataclass(frozen=True, slots=True)
class Reading:
    """Transactions to look up, with the admitted hubs that report them, and what to tell the outbox."""

    claims: Mapping[bytes, tuple[Principal, ...]]
    events: tuple[ev.InEvent, ...]


class Settled:
    """Remembers what of the views it has told already.

    `own` are this wallet's transactions among those that the next question is about (`named`), with the actions in them.
    `is_short` says whether an action without effect is remembered no longer.
    """

    def __init__(self) -> None:
        self.own: Mapping[bytes, Collection[ActionId]] = {}
        self.is_short = False
        self._claims: dict[bytes, None] = {}
        self._told: dict[ActionId, Settlement] = {}  # of those that wait
        self._void: dict[ActionId, None] = {}

    def named(self, ids: Iterable[ActionId], views: Views) -> set[bytes]:
        """The transactions of which receipts say that they settled these."""
        found = (views.settlement.get(id_) for id_ in ids)
        return {settlement.txid for settlement in found if settlement is not None}

    def is_wanted(self, action: Action, views: Views) -> bool:
        """Whether the chain may still have to see this action."""
        return is_carried(action) and self.is_open(action.id, views)

    def is_open(self, id_: ActionId, views: Views) -> bool:
        """Whether nothing that counts says of an action that the chain has it, or will never take it."""
        settlement = views.settlement.get(id_)
        return settlement is None or not self._counts(settlement) or fate(settlement.code) is Fate.WAITS

    def undone(self, ids: Iterable[ActionId], slot_of: Callable[[bytes], object], views: Views) -> list[ActionId]:
        """Those of the actions in open account nonces that no other transaction has done, a replacement or a half."""
        return [id_ for id_ in ids if self.is_open(id_, views) or slot_of(views.settlement[id_].txid) is not None]

    def admit(self, actions: Iterable[Action], views: Views) -> tuple[Action, ...]:
        """The ones that are to go to the chain. Void ones are kept in mind: no fee is paid for what has no effect."""
        wanted = [action for action in actions if self.is_wanted(action, views)]
        self._void.update((action.id, None) for action in wanted if action.id in views.void)
        while len(self._void) > RELAY_VOID_MAX:
            del self._void[next(iter(self._void))]
            self.is_short = True
        return tuple(action for action in wanted if action.id not in views.void)

    def begin_round(self) -> None:
        """The whole set is read again: nothing is forgotten yet."""
        self.is_short = False

    def redeemed(self, views: Views) -> tuple[ActionId, ...]:
        """Actions that were void and are so no longer: a registration arrived, or what they are about."""
        found = tuple(sorted(id_ for id_ in self._void if id_ not in views.void))
        for id_ in found:
            del self._void[id_]
        return found

    def _is_own(self, settlement: Settlement) -> bool:
        """Whether a transaction of ours held it; what else is said of our transactions is anybody's word."""
        return settlement.id in self.own.get(settlement.txid, ())

    def _counts(self, settlement: Settlement) -> bool:
        is_own = settlement.state is SettlementState.CLAIMED and self._is_own(settlement)
        return is_own or settlement.state is SettlementState.CONFIRMED

    def reopened(self, entries: Iterable[LedgerEntry], views: Views) -> tuple[LedgerEntry, ...]:
        """The ledger at a start. What it calls mined and no receipt tells is open again: it is looked up, and told.

        Until then its actions are under way, so none of them is paid for twice.
        """
        known = sorted(entries, key=lambda entry: entry.account_nonce)
        mined = [entry for entry in known if entry.ids and entry.state is TransactionState.INCLUDED]
        untold = {entry.txid for entry in mined[-RELAY_WATCHED_MAX:] if not self._is_told(entry, views)}
        return tuple(
            replace(entry, state=TransactionState.BROADCAST) if entry.txid in untold else entry for entry in known
        )

    def _is_told(self, entry: LedgerEntry, views: Views) -> bool:
        found = [views.settlement.get(id_) for id_ in entry.ids]
        return all(settlement is not None and self._counts(settlement) for settlement in found)

    def watched(self, txids: Iterable[bytes]) -> None:
        """These claims are looked up: they are not named again."""
        self._claims.update(dict.fromkeys(txids))
        while len(self._claims) > RELAY_CLAIMS_MAX:
            del self._claims[next(iter(self._claims))]

    def read(self, waiting: Iterable[ActionId], claims: Iterable[bytes], views: Views) -> Reading:
        """Compare the views with what was told before. `waiting` are the actions in the outbox, `claims` some claims."""
        events: list[ev.InEvent] = []
        claimed: list[ActionId] = []
        told, self._told = self._told, {}
        for id_ in waiting:
            settlement = views.settlement.get(id_)
            if settlement is None or self._is_own(settlement):
                continue
            self._told[id_] = settlement
            if told.get(id_) == settlement:
                continue
            if settlement.state is SettlementState.CONFIRMED:
                events.append(ev.ActionSettled(id_, settlement.code))
            elif settlement.state is SettlementState.CLAIMED and fate(settlement.code) is Fate.DONE:
                claimed.append(id_)
        if claimed:
            events.append(ev.ActionsClaimed(tuple(claimed)))
        fresh = [txid for txid in claims if txid not in self.own and txid not in self._claims]
        found = {txid: hubs for txid in fresh if (hubs := views.claims.get(txid)) is not None}
        return Reading(found, tuple(events))

    def written(self, txid: bytes, views: Views) -> tuple[Level, Place] | None:
        """What receipts say of a transaction of ours, as far as a later revocation needs it."""
        known = views.transactions.get(txid)
        if known is None or known.state is SettlementState.REVOKED:
            return None
        return Level(known.level), Place(known.height, bytes(32), 0, known.burn_height, known.block_time)

    def balances(self, pairs: Sequence[Pair], views: Views) -> dict[Pair, Sums]:
        """The balances that the mesh believes."""
        return {
            pair: (balance.free, balance.locked)
            for pair in pairs
            if (balance := views.balances.get(pair)) is not None and balance.state is SettlementState.CONFIRMED
        }
