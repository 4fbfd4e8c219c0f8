"""Balances: what the vault holds for a person, as admitted hubs last saw it.

Each hub's newest word on a balance counts (highest burn height, then height, then lowest id). Sums are confirmed when
enough operators' newest words hold them: hubs report when a balance changes, so their heights differ while the balance
does not. Of confirmed sums the newest are shown; where there are none, the newest of all.
"""

from collections.abc import Iterator

from hubd.action.envelope import Action
from hubd.action.principal import Principal
from hubd.fold.anchored import balances_of
from hubd.fold.filing import row_key
from hubd.fold.membership import believed, mesh
from hubd.fold.read import Read, View
from hubd.fold.versions import in_order
from hubd.fold.views import Balance, SettlementState


def _balance(key: tuple[Principal, Principal | None], read: Read) -> Balance | None:
    membership = mesh(read)
    words = []
    for hub, operator in zip(membership.hubs, membership.operators, strict=True):
        newest = next((a for a in read.filed("relay-balance/row", row_key(*key), hub) if in_order(a)), None)
        report = balances_of(newest) if newest is not None else None
        if newest is not None and report is not None:
            rank = (-newest.statement.amount, -report.height, newest.id)
            words.append((rank, operator, report.rows[key], newest.statement.amount, report.height))
    if not words:
        return None
    holders: dict[tuple[int, int], set[int]] = {}
    for _, operator, sums, _, _ in words:
        holders.setdefault(sums, set()).add(operator)
    sure = [word for word in words if believed(holders[word[2]], membership)]
    _, _, (free, locked), burn_height, height = min(sure or words)
    state = SettlementState.CONFIRMED if sure else SettlementState.CLAIMED
    return Balance(key[0], key[1], free, locked, height, burn_height, state)


def _rows(action: Action, _read: Read) -> Iterator[tuple[Principal, Principal | None]]:
    report = balances_of(action)
    yield from report.rows if report is not None else ()


BALANCES: View[tuple[Principal, Principal | None], Balance] = View("balances", _balance, {"relay-balance": _rows})
