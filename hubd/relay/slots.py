"""The wallet's account nonces that have an open transaction.

Each nonce is a slot. Several signed transactions may stand in one slot, the first and its replacements; the chain executes
at most one of them, and until it did, every action in any of them counts as under way. That is the whole of "never pays
for the same batch twice": an action is never put into a second slot while one that holds it is open.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace

from hubd.action.sip018 import ActionId
from hubd.limits import RELAY_WATCHED_MAX
from hubd.ports import LedgerEntry, TransactionState

_OPEN = (TransactionState.SIGNED, TransactionState.BROADCAST, TransactionState.DROPPED)
_CLOSED = (TransactionState.INCLUDED, TransactionState.ABORTED)


@dataclass(slots=True)
class Slot:
    """One account nonce. `entries` by rising fee: the last is the one we want mined."""

    entries: list[LedgerEntry]
    since_s: float  # when the last was signed, or read from the ledger
    send_s: float | None  # when to hand it to a node next; None while a node has it
    looked_s: float = 0.0
    lost_since_s: float | None = None  # its nonce is used, and no node knows by which transaction
    is_spoiled: bool = False  # never send the last again: something else takes this nonce
    ids: frozenset[ActionId] = field(default_factory=frozenset)

    @property
    def entry(self) -> LedgerEntry:
        """The one we want mined."""
        return self.entries[-1]

    @property
    def fee_ustx(self) -> int:
        """The highest fee offered."""
        return self.entry.fee_ustx


class Slots:
    """Open slots by account nonce, and the transactions of those that closed lately (a fork may open them again)."""

    def __init__(self) -> None:
        self.open: dict[int, Slot] = {}
        self.closed: dict[int, LedgerEntry] = {}
        self._nonces: dict[bytes, int] = {}  # of every transaction in an open slot
        self._under_way: Counter[ActionId] = Counter()

    def __contains__(self, id_: object) -> bool:
        return id_ in self._under_way

    def read(self, entries: Collection[LedgerEntry], now: float) -> None:
        """Take up what the ledger holds. A replaced transaction counts only beside one that is open.

        Beside one that was mined none is open, whatever its state says: that was not written any more, or rotted.
        """
        mined = {entry.account_nonce for entry in entries if entry.state in _CLOSED}
        open_nonces = {entry.account_nonce for entry in entries if entry.state in _OPEN} - mined
        for entry in sorted(entries, key=lambda entry: (entry.account_nonce, entry.fee_ustx)):
            if entry.account_nonce in open_nonces:
                self.put(entry, now)
            elif entry.state in _CLOSED:
                self._remember(entry)

    def hurry(self, now: float) -> None:
        """Whoever filled the wallet must not wait, and fill it twice: what waits to be sent is due."""
        for slot in self.open.values():
            slot.send_s = None if slot.send_s is None else min(slot.send_s, now)

    def put(self, entry: LedgerEntry, now: float) -> None:
        """A signed transaction takes its slot, before or beside others with its nonce. It is to be sent now."""
        slot = self.open.get(entry.account_nonce)
        if slot is None:
            slot = self.open[entry.account_nonce] = Slot([], since_s=now, send_s=now)
        if entry.txid in self._nonces:
            return
        slot.entries.append(entry)
        slot.since_s, slot.send_s, slot.is_spoiled, slot.looked_s = now, now, False, now
        self._nonces[entry.txid] = entry.account_nonce
        self._under_way.update(set(entry.ids) - slot.ids)
        slot.ids |= set(entry.ids)

    def of(self, txid: bytes) -> Slot | None:
        """The open slot that a transaction stands in."""
        nonce = self._nonces.get(txid)
        return None if nonce is None else self.open[nonce]

    def close(self, account_nonce: int, winner: LedgerEntry | None) -> Slot:
        """The chain used this nonce, by `winner` if that is known."""
        slot = self.open.pop(account_nonce)
        for entry in slot.entries:
            del self._nonces[entry.txid]
        self._under_way -= Counter(slot.ids)
        if winner is not None:
            self._remember(winner)
        return slot

    def reopen(self, chain_nonce: int, now: float) -> list[LedgerEntry]:
        """The chain went back to `chain_nonce`: what closed at or above it is open again, identical bytes."""
        returned = [entry for nonce, entry in self.closed.items() if nonce >= chain_nonce and nonce not in self.open]
        for entry in returned:
            del self.closed[entry.account_nonce]
            self.put(entry, now)
        return returned

    def vacancies(self, chain_nonce: int) -> Iterator[int]:
        """Nonces for the next transactions, the lowest first: spoiled slots, gaps, then the ones above."""
        nonce = chain_nonce
        while True:
            slot = self.open.get(nonce)
            if nonce not in self.closed and (slot is None or slot.is_spoiled):
                yield nonce
            nonce += 1

    def below(self, chain_nonce: int) -> list[int]:
        """Account nonces of open slots that the chain has used, the one that was not looked at for the longest first."""
        return sorted(
            (nonce for nonce in self.open if nonce < chain_nonce), key=lambda nonce: self.open[nonce].looked_s
        )

    def nonces(self) -> Iterable[int]:
        """Account nonces of open slots, rising."""
        return sorted(self.open)

    def _remember(self, entry: LedgerEntry) -> None:
        self.closed[entry.account_nonce] = replace(entry, raw=b"")  # 20 kB, and in the ledger
        while len(self.closed) > RELAY_WATCHED_MAX:
            del self.closed[min(self.closed)]
