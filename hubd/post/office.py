"""A hub's post office: what it takes from bundles, what it says of that, and from where it writes on for others.

What a chunk carries that an admitted hub signed enters the set as that hub's own words would over a link. A chunk of
anybody else (a hub that is retired, or not known here yet) is a stranger's: its envelopes pass the quotas of the
phones' door, and nothing else is remembered of it, for keys cost nothing. Both ways each envelope goes through the one
door for bytes.
"""

import secrets
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import nacl.public

from hubd import log
from hubd.action import envelope
from hubd.action.charter import Charter
from hubd.action.envelope import Action
from hubd.action.kinds import KINDS
from hubd.action.principal import Principal
from hubd.action.signature import Signer
from hubd.action.sip018 import ActionId
from hubd.errors import RemoteError
from hubd.limits import (
    BUNDLE_RECIPIENTS_MAX,
    PAGE_ACTIONS,
    POST_AHEAD_CHUNKS_MAX,
    RECEIPT_BYTES_MAX,
    RECEIPT_EPOCHS_MAX,
)
from hubd.ports import Cursor, Door, Intake, Outcome, SetSummary, Verdict
from hubd.post import memory as memories
from hubd.post import receipt as receipts
from hubd.post.blocks import BUNDLE_ID_BYTES
from hubd.post.bundle import FILE_KEY_BYTES, PREFIX_BYTES, Opened, Seal, recipient_of
from hubd.post.memory import Memory
from hubd.post.order import Belief, believe
from hubd.post.receipt import Receipt

URGENT_KINDS = tuple(sorted({"safety-post"} | {name for name, kind in KINDS.items() if kind.area == "mesh"}))
"""Calls for help, who is admitted, and what the chain did: small, and everything else waits for them."""
Row = tuple[int, bytes, bytes]


class PostStore(Protocol):
    """The set, as far as post needs it."""

    async def count_after(self, sequence: int) -> int:
        """How many actions arrived beyond it."""

    async def page(self, after: int, actions_max: int) -> list[tuple[int, Action]]:
        """See `ActionStore`."""

    async def page_of_kinds(self, kinds: Sequence[str], after: int, actions_max: int) -> list[tuple[int, Action]]:
        """Like `page`, for some kinds only."""

    async def get(self, ids: Sequence[ActionId]) -> list[Action]:
        """See `ActionStore`."""

    async def summary(self) -> SetSummary:
        """See `ActionStore`."""

    async def cursor(self) -> Cursor:
        """See `ActionStore`."""

    async def resume(self, cursor: Cursor) -> int | None:
        """See `ActionStore`."""

    async def aside(self) -> int:
        """How many actions ever left the set because they rotted on this card."""


@dataclass(frozen=True)
class PostPorts:
    """What the assembly hands over. `boxes` are the admitted hubs with their box keys; `strangers` takes envelopes that
    no admitted hub vouches for, as the phones' door does.
    """

    store: PostStore
    intake: Intake
    strangers: Callable[[Sequence[bytes]], Awaitable[list[Outcome]]]
    boxes: Callable[[], dict[Principal, bytes]]
    signer: Signer
    box: nacl.public.PrivateKey
    charter: Charter
    path: Path


@dataclass
class Tally:
    """What became of envelopes that came by post."""

    actions: int = 0
    new: int = 0
    refused: int = 0
    deferred: int = 0

    def add(self, other: "Tally") -> None:
        """Add up."""
        self.actions += other.actions
        self.new += other.new
        self.refused += other.refused
        self.deferred += other.deferred


class PostOffice:
    """See the file's head. Call `load` before anything else."""

    def __init__(self, ports: PostPorts) -> None:
        self.charter = ports.charter
        self.hub = ports.signer.principal(ports.charter.network)
        self._ports = ports
        self._memory = Memory(Cursor(b"", 0, b""))
        self._read: dict[Principal, tuple[bytes, Receipt]] = {}  # the receipts in memory
        self._ahead: dict[Principal, dict[int, Cursor]] = {}  # chunks behind a gap: where each ends, by its start
        self._is_dirty = False
        self._log = log.get("post")

    async def load(self) -> None:
        """Take up what was remembered, as far as it is about this very database."""
        found = memories.read(self._ports.path)
        if found is None:
            self._memory = Memory(Cursor(b"", 0, b""))
        else:
            is_ours = await self._ports.store.resume(found.own) is not None
            self._memory = replace(found, taken=found.taken if is_ours else {})

    # --- what comes

    def unseal(self, sealed: bytes) -> bytes:
        """What was sealed to this hub."""
        return nacl.public.SealedBox(self._ports.box).decrypt(sealed)

    @property
    def box_key(self) -> bytes:
        """The public key that bundles for this hub are sealed to."""
        return bytes(self._ports.box.public_key)

    async def take(self, opened: Opened) -> Tally:
        """Take in a chunk. What is known to be here already is passed over unread."""
        if opened.signer == self.hub:
            return Tally()
        await self._heed_rot()
        chunk = opened.chunk
        if not chunk.is_urgent and chunk.end <= self._taken(opened).sequence:
            return Tally(len(chunk.envelopes))
        is_admitted = opened.signer in self._ports.boxes()
        tally = Tally()
        for at in range(0, len(chunk.envelopes), PAGE_ACTIONS):
            part = chunk.envelopes[at : at + PAGE_ACTIONS]
            if is_admitted:
                outcomes = await self._ports.intake.offer(part, Door.BUNDLE, opened.signer)
            else:
                outcomes = await self._ports.strangers(part)
            tally.add(
                Tally(
                    0 if chunk.is_urgent else len(part),  # they come again in their place
                    sum(outcome.is_new for outcome in outcomes),
                    sum(outcome.verdict is Verdict.REFUSED for outcome in outcomes),
                    sum(outcome.verdict is Verdict.DEFERRED for outcome in outcomes),
                )
            )
        if is_admitted and not chunk.is_urgent and not tally.deferred:
            self._advance(opened)
        return tally

    async def _heed_rot(self) -> None:
        """What rotted was set aside is not here, whatever place it had in others' order: all of theirs is wanted again."""
        if (aside := await self._ports.store.aside()) != self._memory.aside:
            self._memory.aside, self._memory.taken, self._is_dirty = aside, {}, True
            self._ahead.clear()

    def _taken(self, opened: Opened) -> Cursor:
        known = self._memory.taken.get(opened.signer)
        return known if known is not None and known.epoch == opened.epoch else Cursor(opened.epoch, 0, b"")

    def _advance(self, opened: Opened) -> None:
        """Note that this stretch is here, and what lies ahead of it without a gap."""
        chunk, signer = opened.chunk, opened.signer
        have = self._taken(opened)
        ahead = self._ahead.setdefault(signer, {})
        if any(place.epoch != opened.epoch for place in ahead.values()):
            ahead.clear()
        if len(ahead) < POST_AHEAD_CHUNKS_MAX:
            ahead[chunk.start] = Cursor(opened.epoch, chunk.end, chunk.prefix)
        while reached := [start for start in ahead if start <= have.sequence]:
            for start in reached:
                have = max(have, ahead.pop(start), key=lambda place: place.sequence)
        if have.sequence and (signer in self._memory.taken or len(self._memory.taken) < BUNDLE_RECIPIENTS_MAX):
            self._is_dirty |= self._memory.taken.get(signer) != have
            self._memory.taken[signer] = have

    async def heard(self, raw: bytes) -> tuple[Principal, bool] | None:
        """Take a receipt: of which other admitted hub it is, and whether it says something new; None for anybody else's.

        One that is older than what the hub said last changes nothing (hubd/post/order.py). Raises `RemoteError`: `cbor`,
        `receipt`.
        """
        if len(raw) > RECEIPT_BYTES_MAX:
            raise RemoteError("receipt", "too large")
        said = receipts.parse(raw, self.charter)
        if said.hub == self.hub or said.hub not in self._ports.boxes():
            return None
        memory, known = self._memory, self._said_by(said.hub)
        past = memory.past.get(said.hub, [])
        belief = believe(said, known, past, self.hub, memory.round)
        is_new = belief is Belief.LATER and memory.receipts.get(said.hub) != raw
        if is_new:
            memory.receipts[said.hub] = raw
            if known is not None and known.place.epoch != said.place.epoch:
                others = [epoch for epoch in past if epoch not in (known.place.epoch, said.place.epoch)]
                memory.past[said.hub] = [*others, known.place.epoch][-RECEIPT_EPOCHS_MAX:]
        memory.round += belief is Belief.DOUBTED
        self._is_dirty |= is_new or belief is Belief.DOUBTED
        return said.hub, is_new

    def _said_by(self, hub: Principal) -> Receipt | None:
        """The latest receipt of a hub; its signature was looked at when it came, and is not again."""
        raw = self._memory.receipts.get(hub)
        if raw is None:
            return None
        if hub not in self._read or self._read[hub][0] != raw:
            self._read[hub] = (raw, receipts.parse(raw, self.charter))
        return self._read[hub][1]

    async def settle(self) -> None:
        """Make durable what was taken and heard: after the set itself, so that a power cut loses only time."""
        if self._is_dirty:
            self._memory.own = await self._ports.store.cursor()
            admitted = self._ports.boxes()
            self._memory.taken = {hub: place for hub, place in self._memory.taken.items() if hub in admitted}
            self._memory.receipts = {hub: raw for hub, raw in self._memory.receipts.items() if hub in admitted}
            self._memory.past = {hub: past for hub, past in self._memory.past.items() if hub in admitted}
            memories.write(self._ports.path, self._memory)
            self._is_dirty = False

    # --- what goes

    async def receipt(self) -> bytes:
        """What this hub has, signed."""
        await self._heed_rot()
        summary, place = await self._ports.store.summary(), await self._ports.store.cursor()
        admitted = self._ports.boxes()
        has = {hub: taken for hub, taken in self._memory.taken.items() if hub in admitted}
        rounds = {hub: said.round for hub in self._memory.receipts if (said := self._said_by(hub)) and said.round}
        said = Receipt(self.hub, self._memory.round, summary.count, summary.fingerprint, place, has, rounds)
        return receipts.seal(said, self.charter, self._ports.signer)

    def receipts(self) -> dict[Principal, bytes]:
        """The latest receipt of each other hub, as it was signed."""
        return dict(self._memory.receipts)

    async def confirmed(self, hub: Principal) -> int:
        """Up to which arrival here the hub has everything, as far as we heard; 0 for nothing.

        Where each of us has all of the other and the sets still differ, something was lost: we begin anew.
        """
        said = self._said_by(hub)
        if said is None:
            return 0
        place = said.has.get(self.hub)
        sequence = await self._ports.store.resume(place) if place is not None else None
        summary = await self._ports.store.summary()
        taken = self._memory.taken.get(hub)
        is_all = sequence == summary.sequence and taken == said.place
        if is_all and (said.count, said.fingerprint) != (summary.count, summary.fingerprint):
            return 0
        return sequence or 0

    async def since(self, hubs: Collection[Principal]) -> int:
        """The arrival after which a bundle for these hubs begins; what all of them have is left out."""
        return min([await self.confirmed(hub) for hub in hubs if hub != self.hub], default=0)

    async def sequence(self) -> int:
        """The latest arrival here."""
        return (await self._ports.store.summary()).sequence

    async def place(self, sequence: int) -> Cursor:
        """An arrival here as a place to come back to."""
        epoch = (await self._ports.store.cursor()).epoch
        rows = await self._ports.store.page(sequence - 1, 1) if sequence else []
        return Cursor(epoch, rows[0][0], bytes(rows[0][1].id)[:PREFIX_BYTES]) if rows else Cursor(epoch, 0, b"")

    async def status(self) -> list[dict[str, Any]]:
        """Of each other admitted hub that left a receipt: how much it has of ours, and whether both sets are one."""
        summary = await self._ports.store.summary()
        rows = []
        for hub in self._ports.boxes():
            if (said := self._said_by(hub)) is None:
                continue
            rows.append(
                {
                    "hub": hub,
                    "count": said.count,
                    "same": (said.count, said.fingerprint) == (summary.count, summary.fingerprint),
                    "waiting": await self._beyond(await self.confirmed(hub), summary.count),
                }
            )
        return rows

    async def _beyond(self, sequence: int, count: int) -> int:
        """How many of the `count` actions that are here arrived beyond it."""
        return await self._ports.store.count_after(sequence) if sequence else count

    async def knows(self, place: Cursor) -> bool:
        """Whether this is a place in this very database's order of arrival."""
        return await self._ports.store.resume(place) is not None

    async def has_erased(self, after: int) -> bool:
        """Whether, since this arrival, an author erased what is here: a bundle that was written by then may hold it yet."""
        while rows := await self._ports.store.page(after, PAGE_ACTIONS):
            said = [action.statement for _, action in rows if action.kind == "content-erase"]
            erasures = {(each.subject, each.author) for each in said}
            subjects = await self._ports.store.get([each.subject for each in said])
            if any((action.id, action.statement.author) in erasures for action in subjects):
                return True
            after = rows[-1][0]
        return False

    def recipients(self) -> dict[Principal, bytes]:
        """The hubs a bundle is sealed to, this one with them so that it can go on with its own file."""
        boxes = dict(list(self._ports.boxes().items())[: BUNDLE_RECIPIENTS_MAX - 1])
        return {**boxes, self.hub: self.box_key}

    async def seal(self, *, file_key: bytes = b"", bundle: bytes = b"") -> Seal:
        """What a new bundle is written with, or with these keys one that grows."""
        file_key = file_key or secrets.token_bytes(FILE_KEY_BYTES)
        keys = [
            (recipient_of(box), nacl.public.SealedBox(nacl.public.PublicKey(box)).encrypt(file_key))
            for box in self.recipients().values()
        ]
        place = await self._ports.store.cursor()
        bundle = bundle or secrets.token_bytes(BUNDLE_ID_BYTES)
        return Seal(self.charter, self._ports.signer, bundle, place.epoch, file_key, keys)

    async def page(self, after: int) -> list[Row]:
        """The set by arrival, beyond `after`."""
        return _rows(await self._ports.store.page(after, PAGE_ACTIONS))

    async def urgent_page(self, after: int) -> list[Row]:
        """Of that, what goes first."""
        return _rows(await self._ports.store.page_of_kinds(URGENT_KINDS, after, PAGE_ACTIONS))


def _rows(page: list[tuple[int, Action]]) -> list[Row]:
    return [(sequence, bytes(action.id), envelope.encode(action)) for sequence, action in page]
