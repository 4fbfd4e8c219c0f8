"""The ledger as the relay believes it: what rotted in it is told again by what the wallet signed, or is unknown.

The signed bytes prove themselves, for signing again makes the same ones, and they hold the account nonce, the fee and the
actions. So of a transaction either its seal or its bytes may rot, and all of it is known. Without its bytes it can't be sent
again: another one takes its account nonce. Where both rotted, it is forgotten: the contracts know what the chain has done,
so that costs a fee at most.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from hubd import log
from hubd.action.charter import Charter
from hubd.action.signature import Signer
from hubd.action.sip018 import ActionId
from hubd.errors import RemoteError
from hubd.ports import LedgerEntry, RelayLedger
from hubd.relay.batch import contents
from hubd.relay.packing import GAP
from hubd.relay.tx import is_signed, proven


class Books:
    """What one wallet signed for one mesh."""

    def __init__(self, ledger: RelayLedger, wallet: Signer, charter: Charter) -> None:
        self._ledger, self._wallet, self._charter = ledger, wallet, charter
        self._gateway = charter.contract("action-gateway")

    async def recent(self, closed_max: int, since_s: int, nonces_max: int) -> list[LedgerEntry]:
        """See `RelayLedger`; without what nothing proves."""
        found = await self._ledger.recent(closed_max, since_s, nonces_max)
        again = await self._told_again([entry.txid for entry in found if not entry.is_sealed])
        known = {entry.txid: entry for entry in [*found, *again.values()] if entry.is_sealed}
        return sorted(known.values(), key=lambda entry: (entry.account_nonce, entry.signed_at_s))

    async def own(self, txids: Collection[bytes]) -> dict[bytes, frozenset[ActionId]]:
        """See `RelayLedger`."""
        found = await self._ledger.own(txids)
        again = await self._told_again([txid for txid, ids in found.items() if ids is None])
        own = {txid: ids for txid, ids in found.items() if ids is not None}
        return own | {entry.txid: frozenset(entry.ids) for entry in again.values() if entry.txid in found}

    async def raw(self, entry: LedgerEntry) -> bytes:
        """The signed bytes, b"" where they rotted."""
        if entry.raw:
            return entry.raw
        found = await self._ledger.found(entry.txid)
        return found.raw if found is not None and is_signed(found.raw, entry.txid) else b""

    async def _told_again(self, txids: Sequence[bytes]) -> dict[bytes, LedgerEntry]:
        """The entries that were read under these names, as their bytes tell them; they are written anew so."""
        told: dict[bytes, LedgerEntry] = {}
        for txid in txids:
            entry = self._proven(await self._ledger.found(txid))
            await self._ledger.amend(txid, entry)
            if entry is not None:
                told[txid] = replace(entry, raw=b"")
        if txids:
            log.get("relay").warning("ledger-told-again", count=len(told), items=len(txids) - len(told))
        return told

    def _proven(self, found: LedgerEntry | None) -> LedgerEntry | None:
        own = proven(found.raw, self._wallet, self._charter.network) if found is not None else None
        if found is None or own is None:
            return None
        try:
            function, ids = contents(found.raw, self._gateway, self._charter.domain)
        except RemoteError:  # of a mesh of another time
            return None
        return LedgerEntry(
            own.signed.txid, own.account_nonce, own.fee_ustx, found.raw, function if ids else GAP, ids, found.state,
            found.signed_at_s,
        )  # fmt: skip
