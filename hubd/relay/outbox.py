"""The outbox: which actions still need the chain, in which transactions they travel, and what became of those.

Sans-IO: `handle(event, now)` returns what to do; `now` is a monotonic clock in seconds. Rules it keeps (docs/relay.md):

1. A transaction is on disk before a node sees it, and the identical bytes are sent again until the chain has used its
   account nonce. Whatever a node says meanwhile (dropped, unknown) only changes when we ask or send next.
2. An action is in at most one open account nonce, so no fee is paid twice for it by this hub.
3. An aborted or too heavy transaction comes again in halves, until the culprit travels alone.
4. Nothing is forgotten: an action stays queued until the chain has it or has refused it for good. The receipt that says
   so is in the set before the ledger calls the transaction mined, or a crash between the two would pay again.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hubd.action.sip018 import ActionId
from hubd.limits import (
    RELAY_CHAINED_MAX,
    RELAY_FEE_USTX_MAX,
    RELAY_IN_FLIGHT_MAX,
    RELAY_LOOKS_MAX,
    RELAY_NEWCOMER_TRIES_MAX,
    RELAY_REPLACEMENTS_MAX,
    RELAY_TRIES_MAX,
)
from hubd.ports import LedgerEntry, TransactionState
from hubd.relay import events as ev
from hubd.relay.batch import Venue, codes_of, is_carried
from hubd.relay.budget import Budget, raised
from hubd.relay.chain import MINED, Account, Remedy, Seen, Standing, remedy
from hubd.relay.codes import OK, Fate, fate
from hubd.relay.packing import Packing, Terms
from hubd.relay.queue import Queue
from hubd.relay.room import Room
from hubd.relay.slots import Slot, Slots

if TYPE_CHECKING:
    from collections.abc import Callable

RESEND_S = 300  # after a node refused or lost a transaction that may still be mined
LOOK_S = 60  # between two looks at a transaction whose account nonce is not used yet
STUCK_S = 1_800  # without being mined, before the fee is raised: three Bitcoin blocks
LOST_S = 600  # an account nonce is used and no node knows by what, before the gateway itself is asked
CLAIM_S = 120  # what another hub claims to have settled is given this long to be confirmed


class Outbox:
    """The relay's machine over actions and transactions. `trouble` is the code of what a person should look at, or "": while
    there is one, nothing more is signed.
    """

    def __init__(self, venue: Venue, terms: Terms) -> None:
        self.account: Account | None = None
        self.trouble = ""
        self._refused_ustx = 0  # the wallet's balance when a node last called it too small
        self.queue = Queue()
        self.slots = Slots()
        self.room = Room(self.queue, self.slots)
        self.packing = Packing(venue, terms, self.queue, self.slots, self.room)
        self._rules: dict[type, Callable[[Any, float], list[ev.OutEvent]]] = {
            ev.LedgerRead: self._ledger_read,
            ev.ActionsAppended: self._actions_appended,
            ev.ActionSettled: self._action_settled,
            ev.ActionsClaimed: self._actions_claimed,
            ev.PeopleChanged: self._people_changed,
            ev.PeopleKnown: self._people_known,
            ev.TokensSeen: self._tokens_seen,
            ev.AccountSeen: self._account_seen,
            ev.TransactionSigned: self._transaction_signed,
            ev.BroadcastTaken: self._broadcast_taken,
            ev.BroadcastRefused: self._broadcast_refused,
            ev.BytesLost: self._bytes_lost,
            ev.TransactionSeen: self._transaction_seen,
            ev.SpentSeen: self._spent_seen,
            ev.TimerFired: self._timer_fired,
        }

    def handle(self, event: ev.InEvent, now: float) -> list[ev.OutEvent]:
        """What to do about an event, in order."""
        return self._rules[type(event)](event, now)

    # --- actions

    def _ledger_read(self, event: ev.LedgerRead, now: float) -> list[ev.OutEvent]:
        self.slots.read(event.entries, now)
        ids = sorted({id_ for slot in self.slots.open.values() for id_ in slot.ids})
        return [ev.Fetch(tuple(ids))] if ids else []  # a receipt may call them done that a fork has undone since

    def _actions_appended(self, event: ev.ActionsAppended, now: float) -> list[ev.OutEvent]:
        for action in event.actions:
            if is_carried(action):
                self.room.take(action, now + self.packing.terms.gather_s + event.lease_s, now)
        return []

    def _action_settled(self, event: ev.ActionSettled, now: float) -> list[ev.OutEvent]:
        self._apply(event.id, event.code, now)
        return []

    def _actions_claimed(self, event: ev.ActionsClaimed, now: float) -> list[ev.OutEvent]:
        for id_ in event.ids:
            self.queue.postpone(id_, now + CLAIM_S)
        return []

    def _people_changed(self, event: ev.PeopleChanged, now: float) -> list[ev.OutEvent]:
        self.queue.wake(event.people, now)
        return []

    def _people_known(self, event: ev.PeopleKnown, now: float) -> list[ev.OutEvent]:
        self.room.know(event.keys, now)
        return []

    def _tokens_seen(self, event: ev.TokensSeen, _now: float) -> list[ev.OutEvent]:
        self.packing.venue = replace(self.packing.venue, tokens=dict(event.tokens))
        self.room.tokens = self.packing.venue.tokens
        return []

    def _apply(self, id_: ActionId, code: int, now: float) -> None:
        match fate(code):
            case Fate.DONE:
                self.queue.done(id_, now)
            case Fate.REFUSED:
                self.queue.finish(id_)
            case Fate.WAITS:
                is_newcomer = self.room.is_newcomer(self.queue.author(id_))
                self.queue.fail(id_, now, RELAY_NEWCOMER_TRIES_MAX if is_newcomer else RELAY_TRIES_MAX)

    # --- signing and sending

    def _timer_fired(self, event: ev.TimerFired, now: float) -> list[ev.OutEvent]:
        self.packing.budget = Budget(event.fees_day_ustx, event.fees_newcomers_ustx)
        self.queue.chain_time_s = event.chain_time_s
        out: list[ev.OutEvent] = []
        used = self.slots.below(self._chain_nonce)
        for nonce in [*used[:RELAY_LOOKS_MAX], *(nonce for nonce in self.slots.nonces() if nonce not in used)]:
            out += self._tend(nonce, self.slots.open[nonce], now)
        return out + self._sign_due(now)

    @property
    def _chain_nonce(self) -> int:
        """Account nonces below it are used."""
        return self.account.account_nonce if self.account is not None else 0

    def _tend(self, nonce: int, slot: Slot, now: float) -> list[ev.OutEvent]:
        """One open slot: look it up, send it, or raise its fee."""
        if nonce < self._chain_nonce:
            return [ev.LookUp(entry.txid) for entry in reversed(slot.entries)]
        if slot.is_spoiled:
            return []
        if slot.send_s is not None:
            return [ev.Broadcast(slot.entry)] if slot.send_s <= now else []
        if now - slot.since_s >= STUCK_S and nonce == min(self.slots.open):
            return self._raise_fee(slot, raised(slot.fee_ustx), now)
        if now - slot.looked_s >= LOOK_S:
            slot.looked_s = now
            return [ev.LookUp(slot.entry.txid)]
        return []

    def _raise_fee(self, slot: Slot, fee_ustx: int, now: float) -> list[ev.OutEvent]:
        fee_ustx = max(fee_ustx, raised(slot.fee_ustx))
        is_spent_out = len(slot.entries) > RELAY_REPLACEMENTS_MAX or fee_ustx > RELAY_FEE_USTX_MAX
        if is_spent_out or not self.packing.afford(fee_ustx - slot.fee_ustx):
            slot.since_s, slot.send_s = now, now + RESEND_S
            return []
        slot.since_s, slot.send_s = now, None
        return [ev.SignAgain(slot.entry, fee_ustx)]

    def _sign_due(self, now: float) -> list[ev.OutEvent]:
        if self.account is None or self.trouble:
            return []
        requests: list[ev.OutEvent] = []
        nonces = {nonce for nonce in self.slots.open if nonce >= self._chain_nonce}
        ids = set[ActionId]()
        for nonce in self.slots.vacancies(self.account.account_nonce):
            is_far = nonce >= self.account.account_nonce + RELAY_CHAINED_MAX
            if nonce not in nonces and (len(nonces) >= RELAY_IN_FLIGHT_MAX or is_far):
                break
            request = self.packing.next(nonce, ids, now)
            if request is None:
                break
            requests.append(request)
            nonces.add(nonce)
            ids.update(request.ids)
        return requests

    def _transaction_signed(self, event: ev.TransactionSigned, now: float) -> list[ev.OutEvent]:
        before = self.slots.open.get(event.entry.account_nonce)
        replaced = before.entry.txid if before is not None else None
        self.slots.put(event.entry, now)
        marks: list[ev.OutEvent] = [ev.Mark(replaced, TransactionState.REPLACED)] if replaced else []
        return [*marks, ev.Broadcast(event.entry)]

    # --- what nodes answer

    def _broadcast_taken(self, event: ev.BroadcastTaken, _now: float) -> list[ev.OutEvent]:
        slot = self.slots.of(event.txid)
        if slot is None:
            return []
        if event.txid == slot.entry.txid:
            slot.send_s = None
        self.trouble = ""
        return [ev.Mark(event.txid, TransactionState.BROADCAST)]

    def _broadcast_refused(self, event: ev.BroadcastRefused, now: float) -> list[ev.OutEvent]:
        slot = self.slots.of(event.txid)
        if slot is None or event.txid != slot.entry.txid:
            return []
        slot.send_s = now + RESEND_S
        note = ev.Note("transaction-refused", event.reason)
        match remedy(event.reason):
            case Remedy.RAISE:
                return [note, *self._raise_fee(slot, (event.wanted or 0) + 1, now)]
            case Remedy.LOOK:
                return [ev.LookUp(entry.txid) for entry in reversed(slot.entries)]
            case Remedy.SPLIT:
                self._spoil(slot, now)
            case Remedy.FUND:
                self.trouble = "wallet-empty"
                self._refused_ustx = self.account.balance_ustx if self.account is not None else 0
            case Remedy.STOP:
                self.trouble = "contracts-missing"
            case Remedy.WAIT:
                pass
        return [note]

    def _bytes_lost(self, event: ev.BytesLost, _now: float) -> list[ev.OutEvent]:
        """Whatever a node has of it may be mined still; another one with this account nonce is signed in its place."""
        slot = self.slots.of(event.txid)
        if slot is not None and event.txid == slot.entry.txid:
            slot.is_spoiled, slot.send_s = True, None
        return []

    def _spoil(self, slot: Slot, now: float) -> None:
        """This transaction is not to be sent again: halves of it are, the first with the same account nonce."""
        slot.is_spoiled, slot.send_s = True, None
        ids = slot.entry.ids
        self.packing.shrink(len(ids))
        self.queue.crowd(ids, len(ids) // 2)
        if len(ids) == 1:
            self.queue.fail(ids[0], now)

    def _account_seen(self, event: ev.AccountSeen, now: float) -> list[ev.OutEvent]:
        self.account = event.account
        if self.trouble == "wallet-empty" and event.account.balance_ustx > self._refused_ustx:
            self.trouble = ""
            self.slots.hurry(now)
        returned = self.slots.reopen(event.account.account_nonce, now)
        ids = tuple(id_ for entry in returned for id_ in entry.ids)
        self.queue.forget(ids)
        marks: list[ev.OutEvent] = [ev.Mark(entry.txid, TransactionState.BROADCAST) for entry in returned]
        return [*marks, ev.Fetch(ids)] if ids else marks

    def _transaction_seen(self, event: ev.TransactionSeen, now: float) -> list[ev.OutEvent]:
        slot, seen = self.slots.of(event.txid), event.seen
        if slot is None:
            return []
        slot.looked_s = now
        if seen is not None and seen.standing in MINED:
            return self._mined(slot, event.txid, seen, now)
        if self.account is not None and slot.entry.account_nonce < self.account.account_nonce:
            return self._lost(slot, has_index=seen is not None, now=now)
        if seen is None or event.txid != slot.entry.txid:
            return []
        if seen.standing is Standing.TOO_HEAVY:
            self._spoil(slot, now)
        elif seen.standing in (Standing.DROPPED, Standing.REPLACED, Standing.UNKNOWN) and slot.send_s is None:
            slot.send_s = now
        is_dropped = seen.standing in (Standing.TOO_HEAVY, Standing.DROPPED, Standing.REPLACED)
        return [ev.Mark(event.txid, TransactionState.DROPPED)] if is_dropped else []

    def _lost(self, slot: Slot, *, has_index: bool, now: float) -> list[ev.OutEvent]:
        """The nonce is used, and this is not known to be the transaction: ask the gateway in the end."""
        slot.lost_since_s = now if slot.lost_since_s is None else slot.lost_since_s
        if has_index and now - slot.lost_since_s < LOST_S:
            return []
        return [ev.AskSpent(slot.entry.txid, slot.entry.account_nonce, tuple(sorted(slot.ids)))]

    def _spent_seen(self, event: ev.SpentSeen, now: float) -> list[ev.OutEvent]:
        slot = self.slots.of(event.txid)
        if slot is None:
            return []
        winner = slot.entry if event.spent else None
        self.slots.close(slot.entry.account_nonce, winner)
        for id_ in slot.ids:
            if id_ in event.spent:
                self.queue.done(id_, now)
            else:
                self.queue.fail(id_, now)
        codes = tuple((id_, OK) for id_ in slot.entry.ids if id_ in event.spent)
        reports: list[ev.OutEvent] = [ev.Report(winner, None, codes)] if winner is not None else []
        return reports + _marks(slot.entries, winner, TransactionState.INCLUDED)

    def _mined(self, slot: Slot, txid: bytes, seen: Seen, now: float) -> list[ev.OutEvent]:
        winner = next(entry for entry in slot.entries if entry.txid == txid)
        self.slots.close(winner.account_nonce, winner)
        codes = codes_of(seen, winner.ids)
        if seen.standing is Standing.SUCCESS:
            self.packing.grow()
            marks = _marks(slot.entries, winner, TransactionState.INCLUDED)
        else:
            self._aborted(winner, seen.standing, now)
            marks = _marks(slot.entries, winner, TransactionState.ABORTED)
        said = dict(codes)
        for id_ in winner.ids:
            if id_ in said:
                self._apply(id_, said[id_], now)
            elif seen.standing is Standing.SUCCESS:
                self.queue.fail(id_, now)
        return [ev.Report(winner, seen.place, codes), *marks]

    def _aborted(self, winner: LedgerEntry, standing: Standing, now: float) -> None:
        """Nothing in it was executed. Halves come again at once; a single culprit counts against its author."""
        self.queue.crowd(winner.ids, len(winner.ids) // 2)
        if len(winner.ids) == 1 and standing is Standing.ABORTED:
            self.queue.strike(winner.ids[0], now)
        elif len(winner.ids) == 1:
            self.queue.fail(winner.ids[0], now)


def _marks(entries: list[LedgerEntry], winner: LedgerEntry | None, state: TransactionState) -> list[ev.OutEvent]:
    """The winner got `state`; whatever else stood in its slot never will be mined."""
    return [
        ev.Mark(entry.txid, state if winner is not None and entry.txid == winner.txid else TransactionState.REPLACED)
        for entry in entries
    ]
