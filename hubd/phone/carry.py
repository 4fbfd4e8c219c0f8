"""Carry post: bring a hub what is in the pocket for it, and take along what other hubs lack of its.

After a sync, over the same proven link. Whatever fails is made good by the next sync; the sync itself is done by then.
"""

import asyncio
from collections.abc import Container
from dataclasses import dataclass, field

from hubd.action import cbor
from hubd.action.principal import Principal
from hubd.errors import RemoteError
from hubd.limits import (
    CARRY_BRING_BYTES_MAX,
    CARRY_BUNDLES_MAX,
    CARRY_PARCEL_BYTES_MAX,
    CARRY_RECEIPTS_MAX,
    CARRY_S,
    LINK_MESSAGE_BYTES_MAX,
    RECEIPT_BYTES_MAX,
)
from hubd.phone.link import HubLink
from hubd.phone.outbox import Outbox
from hubd.phone.pocket import Carried, Pocket
from hubd.ports import Cursor
from hubd.web.frames import blob, cursor_text, decode_body, expect, list_of, parse_cursor, row, text, uint

_HANDED = "handed "  # and two hubs: the note of the highest number of a bundle of the second that the first one took
_brought = row(blob(1, RECEIPT_BYTES_MAX), list_of(row(uint, uint, uint), CARRY_BUNDLES_MAX))
_parcel = row(blob(0, CARRY_PARCEL_BYTES_MAX), text, text, lambda value: isinstance(value, bool))


@dataclass
class CarryReport:
    """What was carried. `reason` says in a code why not all was, "" where it was."""

    brought: int = 0  # bundles that the hub took
    deferred: int = 0  # bundles that it did not take now
    new: int = 0  # actions in them that it did not have
    fetched: int = 0  # bundles taken along
    fetched_bytes: int = 0
    reason: str = ""


@dataclass
class Carrier:
    """`await run()` once. `bytes_max` is what the owner allowed; post of `retired` hubs is carried no further."""

    pocket: Pocket
    outbox: Outbox
    link: HubLink
    hub: Principal
    bytes_max: int
    retired: Container[Principal] = frozenset()
    report: CarryReport = field(default_factory=CarryReport)

    async def run(self) -> CarryReport:
        """Bring, then fetch. Never raises for what the hub says: the reason is in the report."""
        try:
            async with asyncio.timeout(CARRY_S):
                self._forget_retired()
                await self._bring()
                await self._fetch()
        except RemoteError as error:
            self.report.reason = error.code
        except TimeoutError:
            self.report.reason = "post-waits"
        except OSError:
            self.report.reason = "disk-full"
        return self.report

    async def _bring(self) -> None:
        """The receipts that are on their way, and what the hub has not got from this phone yet; its receipt in return."""
        handed = {name: int(value) for name, value in await self.outbox.notes(self._handed_note())}
        waiting = [
            each
            for each in self.pocket.bundles()
            if each.hub != self.hub and each.number > handed.get(each.hub.hex(), 0)
        ]
        deferred = set[Principal]()
        receipts = [raw for hub, raw in self.pocket.receipts().items() if hub != self.hub][:CARRY_RECEIPTS_MAX]
        while True:
            part = _first_part(waiting, CARRY_BRING_BYTES_MAX - sum(map(len, receipts)))
            body = cbor.encode([receipts, [each.path.read_bytes() for each in part]])
            answer = await self.link.bring_post(body)
            receipt, told = expect(
                decode_body(answer, LINK_MESSAGE_BYTES_MAX), _brought, "a receipt and what was taken"
            )
            if len(told) != len(part):
                raise RemoteError("frame", "not one answer for each bundle")
            self.pocket.put_receipt(self.hub, receipt)
            deferred = await self._note(part, [left > 0 for _, _, left in told], deferred)
            self.report.new += sum(new for _, new, _ in told)
            waiting, receipts = [each for each in waiting[len(part) :] if each.hub not in deferred], []
            if not waiting:
                break

    async def _note(self, part: list[Carried], are_deferred: list[bool], before: set[Principal]) -> set[Principal]:
        """Note what the hub took. Of a hub whose bundle it deferred, all from that one on comes again."""
        deferred = set(before)
        for each, is_deferred in zip(part, are_deferred, strict=True):
            if is_deferred:
                deferred.add(each.hub)
                self.report.deferred += 1
            elif each.hub not in deferred:
                self.report.brought += 1
                await self.outbox.set_note(self._handed_note() + each.hub.hex(), str(each.number))
        return deferred

    def _handed_note(self) -> str:
        return f"{_HANDED}{self.hub.hex()} "

    def _forget_retired(self) -> None:
        """Nobody takes their post, and nobody is to bring them any."""
        for each in self.pocket.bundles():
            if each.hub in self.retired:
                self.pocket.drop(each)
        for hub in self.pocket.receipts():
            if hub in self.retired:
                self.pocket.drop_receipt(hub)

    async def _fetch(self) -> None:
        """What the hubs whose receipts are here lack of this one, until the pocket is full."""
        hubs = [hub for hub in list(self.pocket.receipts())[:CARRY_RECEIPTS_MAX] if hub != self.hub]
        mine = [each for each in self.pocket.bundles() if each.hub == self.hub]
        after, is_first = (mine[-1].cursor if mine else ""), True
        while True:
            answer = await self.link.fetch_post(hubs, after, CARRY_PARCEL_BYTES_MAX)
            bundle, arrived, end, more = expect(decode_body(answer, LINK_MESSAGE_BYTES_MAX), _parcel, "a parcel")
            if is_first:
                self._forget_arrived(mine, parse_cursor(arrived))
                is_first = False
            if not bundle:
                break
            if end == after:
                raise RemoteError("frame", "a parcel that goes nowhere")
            if not await self._make_room(len(bundle)):
                raise RemoteError("pocket-full", "the owner allowed no more")
            self.pocket.put(self.hub, cursor_text(parse_cursor(end)), bundle, await self._handed())
            self.report.fetched += 1
            self.report.fetched_bytes += len(bundle)
            after = end
            if not more:
                break

    def _forget_arrived(self, mine: list[Carried], arrived: Cursor) -> None:
        """Bundles of this hub that end where everything has arrived are of no more use."""
        for each in mine:
            if parse_cursor(each.cursor).epoch == arrived.epoch and each.position <= arrived.sequence:
                self.pocket.drop(each)

    async def _handed(self) -> int:
        """The highest number of a bundle that any hub took."""
        return max([int(value) for _, value in await self.outbox.notes(_HANDED)], default=0)

    async def _make_room(self, needed: int) -> bool:
        """Drop the oldest that some hub got already, else the oldest of the hub that takes up most, if that is another."""
        taken = [(name.split()[1], int(value)) for name, value in await self.outbox.notes(_HANDED)]
        while (bundles := self.pocket.bundles()) and sum(each.size for each in bundles) + needed > self.bytes_max:
            share: dict[Principal, int] = {}
            for each in bundles:
                share[each.hub] = share.get(each.hub, 0) + each.size
            arrived = [
                each for each in bundles if any(each.hub.hex() == hub and each.number <= last for hub, last in taken)
            ]
            largest = max(share, key=lambda hub: share[hub])
            of_largest = [each for each in bundles if each.hub == largest] if largest != self.hub else []
            if not arrived and not of_largest:
                return False
            self.pocket.drop((arrived or of_largest)[0])
        return needed <= self.bytes_max


def _first_part(bundles: list[Carried], room: int) -> list[Carried]:
    part: list[Carried] = []
    for each in bundles:
        room -= each.size + 8
        if room < 0 or len(part) == CARRY_BUNDLES_MAX:
            break
        part.append(each)
    return part
