"""The own money of a person who is away from home: what the hub it visits says that the vault holds for it.

Reports of balances name many people, so they come to phones at home only. Elsewhere a phone asks for its person's own, and
keeps what that one hub said until it sees the reports themselves again.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hubd.action.charter import Charter
from hubd.action.principal import Principal
from hubd.fold.views import Balance, SettlementState
from hubd.phone.outbox import Outbox

_NOTE = "balances told by a hub away from home"


@dataclass(frozen=True, slots=True)
class Told:
    """What one hub said of one asset (None: STX)."""

    asset: Principal | None
    free: int
    locked: int
    burn_height: int


def told(rows: Iterable[Sequence[Any]], charter: Charter) -> list[Told]:
    """What the rows of a hub's answer say of the mesh's assets. Whether other hubs agree is that hub's word, too, so it is
    not kept.
    """
    assets = {None, *(principal for _, principal in charter.assets)}
    return [Told(asset, free, locked, height) for asset, free, locked, height, _ in rows if asset in assets]


async def keep(outbox: Outbox, said: Iterable[Told]) -> None:
    """Remember what a hub said, in the place of what was said of the same assets before.

    Of what it says nothing it has heard nothing: a hub with a new card takes nobody's money away.
    """
    newest = {each.asset: each for each in (*await kept(outbox), *said)}
    await _write(outbox, newest.values())


async def forget(outbox: Outbox) -> None:
    """At home the reports themselves are here, and they decide."""
    await _write(outbox, ())


async def _write(outbox: Outbox, said: Iterable[Told]) -> None:
    rows = [[each.asset and each.asset.hex(), each.free, each.locked, each.burn_height] for each in said]
    note = json.dumps(rows)
    if note != (await outbox.note(_NOTE) or "[]"):
        await outbox.set_note(_NOTE, note)


async def kept(outbox: Outbox) -> list[Told]:
    """What is remembered."""
    rows = json.loads(await outbox.note(_NOTE) or "[]")
    return [Told(asset and Principal(bytes.fromhex(asset)), *sums) for asset, *sums in rows]


def own(
    balances: Mapping[tuple[Principal, Principal | None], Balance], me: Principal, said: Iterable[Told]
) -> list[Balance]:
    """The newest that this phone knows of each asset of its person; the word of one hub is a claim."""
    found = {asset: each for (person, asset), each in balances.items() if person == me}
    for each in said:
        known = found.get(each.asset)
        if known is None or known.burn_height < each.burn_height:
            claim = (each.free, each.locked, 0, each.burn_height, SettlementState.CLAIMED)
            found[each.asset] = Balance(me, each.asset, *claim)
    return list(found.values())
