"""From what the chain did to the `relay-receipt` actions that carry the news through the mesh.

Sans-IO. A transaction is watched until it is final: one receipt for each level it reaches (included; anchored by the next
Bitcoin block; final after six), or a revocation when a fork takes it back. A level that was missed while the hub had no
uplink is not made up for: only the highest is written. Everything in a receipt but its author follows from the chain, so
that writing it twice, before and after a crash, makes the same action.

What other hubs claim is watched in the same way; a receipt of ours is how their claim is confirmed. Claims can be made up,
so they never take the place or the turn of a transaction of ours, and one hub has only so many of them under way.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from hubd.action.content import SALT_BYTES as CONTENT_SALT_BYTES
from hubd.action.content import seal_content
from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.action.statement import SALT_BYTES, Statement
from hubd.limits import (
    RELAY_BATCH_ACTIONS_MAX,
    RELAY_CLAIMS_HUB_MAX,
    RELAY_LOOKS_MAX,
    RELAY_WATCHED_MAX,
    STATEMENT_LIFE_S,
)
from hubd.relay.batch import SUBMIT, SUBMIT_TOKEN, codes_of
from hubd.relay.chain import MINED, Place, Seen, Standing, Tip

Codes: TypeAlias = tuple[tuple[ActionId, int], ...]

LOOK_S = (
    30  # between two looks at a transaction that the first did not find; a level that was reached is looked at at once
)
CLAIM_LOOKS_MAX = 20  # of a claim that no node knows, before it is dropped


class Level(IntEnum):
    """How sure it is (docs/protocol.md, `relay-receipt`)."""

    INCLUDED = 0
    ANCHORED = 1
    FINAL = 2
    REVOKED = 3


BURN_BLOCKS = {Level.INCLUDED: 0, Level.ANCHORED: 1, Level.FINAL: 6}  # Bitcoin blocks after the one it was mined under


@dataclass(frozen=True, slots=True)
class WriteReceipt:
    """Seal this as an action of the hub, and offer it to the set."""

    txid: bytes
    level: Level
    burn_height: int
    place: Place
    codes: Codes


@dataclass(frozen=True, slots=True)
class LookUp:
    """Ask where this transaction stands, and report it by `seen`."""

    txid: bytes


@dataclass(slots=True)
class _Watch:
    """`level` is the highest that the set holds from us; `place` None until it was seen."""

    ids: tuple[ActionId, ...]
    account_nonce: int | None  # None: another hub's claim
    level: Level | None = None
    place: Place | None = None
    codes: Codes = ()
    looked_s: float | None = None
    looks: int = 0
    claimant: Principal | None = None  # the hub on whose account a claim is watched


class Receipts:
    """The relay's machine over receipts."""

    def __init__(self, gateway: Principal) -> None:
        self._gateway = gateway
        self._watched: dict[bytes, _Watch] = {}
        self._tip: Tip | None = None

    def __len__(self) -> int:
        return len(self._watched)

    def __contains__(self, txid: bytes) -> bool:
        return txid in self._watched

    def watch(
        self,
        txid: bytes,
        ids: Sequence[ActionId],
        account_nonce: int,
        written: tuple[Level, Place] | None = None,
    ) -> None:
        """See what becomes of a transaction of ours. `written` is what the last receipt of ours said, if there is one.

        It always finds a place: where too many are watched, the oldest that was told once is told no more.
        """
        level, place = written or (None, None)
        own = [other for other, watch in self._watched.items() if watch.claimant is None and other != txid]
        if len(own) >= RELAY_WATCHED_MAX:
            told = (other for other in own if self._watched[other].level is not None)
            self._watched.pop(next(told, own[0]))
        self._watched[txid] = _Watch(tuple(ids), account_nonce, level, place)

    def claim(self, claims: Mapping[bytes, Collection[Principal]]) -> list[bytes]:
        """Look up transactions that these other hubs report; returns the ones that there was room for."""
        load = Counter(watch.claimant for watch in self._watched.values() if watch.claimant is not None)
        taken = []
        for txid, hubs in claims.items():
            claimant = min(hubs, key=lambda hub: (load[hub], hub), default=None)
            if claimant is None or load[claimant] >= RELAY_CLAIMS_HUB_MAX or load.total() >= RELAY_WATCHED_MAX:
                continue
            if txid not in self._watched:
                self._watched[txid] = _Watch((), None, claimant=claimant)
                load[claimant] += 1
            taken.append(txid)
        return taken

    def report(
        self, txid: bytes, ids: Sequence[ActionId], account_nonce: int, place: Place | None, codes: Codes
    ) -> list[WriteReceipt]:
        """The outbox saw its transaction mined. `place` None: at the tip at the latest, says the gateway itself."""
        self.watch(txid, ids, account_nonce)
        if self._tip is None:
            return []
        if place is None:
            place = Place(self._tip.height, self._tip.block, 0, self._tip.burn_height, 0)
        return self._place(txid, self._watched[txid], place, codes)

    def advance(self, tip: Tip, chain_nonce: int, now: float) -> list[WriteReceipt | LookUp]:
        """The chain's end and our account nonce, as a node sees them: look again at what may have risen or gone."""
        self._tip = tip
        out: list[WriteReceipt | LookUp] = []
        for txid, watch in list(self._watched.items()):
            if self._is_undone(watch, tip, chain_nonce):
                out += self._revoke(txid, watch, tip)
            elif watch.place is None or self._level(watch.place) > (-1 if watch.level is None else watch.level):
                out.append(LookUp(txid))
        lookups = [request for request in out if isinstance(request, LookUp) and self._may_look(request.txid, now)]
        lookups.sort(key=lambda request: self._turn(request.txid))
        for request in lookups[:RELAY_LOOKS_MAX]:
            self._watched[request.txid].looked_s = now
        return [*(request for request in out if isinstance(request, WriteReceipt)), *lookups[:RELAY_LOOKS_MAX]]

    def seen(self, txid: bytes, seen: Seen | None) -> list[WriteReceipt]:
        """A node says where a watched transaction stands. None: it has no index, and nothing spoke against it."""
        watch = self._watched.get(txid)
        if watch is None or self._tip is None:
            return []
        if seen is None:
            return self._place(txid, watch, watch.place, watch.codes) if watch.place is not None else []
        if seen.standing in MINED and seen.place is not None:
            if watch.account_nonce is None and not self._is_batch(seen):
                del self._watched[txid]  # a claim about a transaction that is none of this mesh's
                return []
            return self._place(txid, watch, seen.place, codes_of(seen, watch.ids))
        if seen.standing is Standing.PENDING and watch.level is not None:
            return self._revoke(txid, watch, self._tip)
        watch.looks += 1
        if watch.account_nonce is None and watch.looks >= CLAIM_LOOKS_MAX:
            del self._watched[txid]
        return []

    def _is_batch(self, seen: Seen) -> bool:
        return seen.contract == self._gateway and seen.function in (SUBMIT, SUBMIT_TOKEN)

    def _is_undone(self, watch: _Watch, tip: Tip, chain_nonce: int) -> bool:
        """Whether a node that has blocks enough says that our account nonce is unused again."""
        if watch.account_nonce is None or watch.place is None or watch.level is None:
            return False
        return chain_nonce <= watch.account_nonce and tip.height >= watch.place.height

    def _turn(self, txid: bytes) -> tuple[bool, float]:
        """Ours come first, then what was not looked at for the longest."""
        watch = self._watched[txid]
        return watch.claimant is not None, -1.0 if watch.looked_s is None else watch.looked_s

    def _may_look(self, txid: bytes, now: float) -> bool:
        looked_s = self._watched[txid].looked_s
        return looked_s is None or now - looked_s >= LOOK_S

    def _level(self, place: Place) -> Level:
        assert self._tip is not None
        return max(
            level
            for level, blocks in BURN_BLOCKS.items()
            if not blocks or self._tip.burn_height >= place.burn_height + blocks
        )

    def _place(self, txid: bytes, watch: _Watch, place: Place, codes: Codes) -> list[WriteReceipt]:
        level = self._level(place)
        is_new = watch.level is None or (watch.place is not None and watch.place.block != place.block)
        is_risen = is_new or (watch.level is not None and level > watch.level)
        watch.place, watch.codes, watch.looked_s = place, codes[:RELAY_BATCH_ACTIONS_MAX], None
        if level is Level.FINAL or not codes:
            del self._watched[txid]
        if not is_risen or not codes:
            return []
        watch.level = level
        return [WriteReceipt(txid, level, place.burn_height + BURN_BLOCKS[level], place, watch.codes)]

    def _revoke(self, txid: bytes, watch: _Watch, tip: Tip) -> list[WriteReceipt]:
        place, codes = watch.place, watch.codes
        watch.level, watch.place = None, None
        if place is None:
            return []
        return [WriteReceipt(txid, Level.REVOKED, max(tip.burn_height, place.burn_height), place, codes)]


def sealed_parts(request: WriteReceipt, author: Principal, created_s: int) -> tuple[Statement, bytes]:
    """The statement (its content digest is still to be set) and the content. `created_s` where the chain has no time."""
    place = request.place
    created_s = place.block_time_s or created_s
    seed = hashlib.sha256(
        b"relay-receipt"
        + author
        + request.txid
        + bytes([request.level])
        + place.block
        + request.burn_height.to_bytes(8)
    ).digest()
    content = {
        "block": place.block,
        "height": place.height,
        "index": place.index,
        "items": [[id_, code] for id_, code in request.codes],
    }
    statement = Statement(
        action="relay-receipt",
        author=author,
        created=created_s,
        expires=created_s + STATEMENT_LIFE_S,
        salt=seed[:SALT_BYTES],
        amount=request.burn_height,
        bits=request.level,
        moment=place.block_time_s,
        subject=ActionId(request.txid),
    )
    return statement, seal_content(content, seed[SALT_BYTES : SALT_BYTES + CONTENT_SALT_BYTES])
