"""Vault balances, read from the chain and told to the mesh by `relay-balance` actions: how a hub without uplink learns of
deposits.

Sans-IO. Every person of the set is asked for in turn, those whom a transaction just touched first, as many as one
read-only call takes. Only what differs from what the set says is written.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from hubd.action import cbor
from hubd.action.clarity import ListCV, PrincipalCV, TupleCV, UInt, Value, some
from hubd.action.content import SALT_BYTES as CONTENT_SALT_BYTES
from hubd.action.content import seal_content
from hubd.action.principal import Principal
from hubd.action.statement import SALT_BYTES, Statement
from hubd.errors import RemoteError
from hubd.limits import INTEGER_MAX, RELAY_BALANCE_ROWS_MAX, RELAY_BALANCES_MAX, STATEMENT_LIFE_S
from hubd.relay.chain import Tip

Pair: TypeAlias = tuple[Principal, Principal | None]  # person, asset (None: STX)
Sums: TypeAlias = tuple[int, int]  # free, locked
Row: TypeAlias = tuple[Principal, Principal | None, int, int]

NOTHING: Sums = (0, 0)


@dataclass(frozen=True, slots=True)
class WriteBalances:
    """Seal this as an action of the hub, and offer it to the set."""

    rows: tuple[Row, ...]
    tip: Tip


class Balances:
    """Whose balances to ask for next, and what is worth telling."""

    def __init__(self, assets: Iterable[Principal | None]) -> None:
        self._assets = tuple(assets)
        self._urgent: dict[Pair, None] = {}
        self._round: deque[Pair] = deque()
        self._last: Principal | None = None  # the round has come so far
        self._told: dict[Pair, Sums] = {}  # and not believed yet

    def touch(self, people: Iterable[Principal]) -> None:
        """Balances of these may have changed: they are asked for first."""
        self._urgent.update(((person, asset), None) for person in people for asset in self._assets)

    def next_pairs(self, people: Callable[[Principal | None, int], Sequence[Principal]]) -> tuple[Pair, ...]:
        """What to ask for now; `people` says who comes after somebody, and everybody's round begins anew at its end."""
        if not self._round:
            found = people(self._last, RELAY_BALANCES_MAX)
            self._last = found[-1] if len(found) == RELAY_BALANCES_MAX else None
            self._round.extend((person, asset) for person in found for asset in self._assets)
        pairs = list(self._urgent)[:RELAY_BALANCES_MAX]
        for pair in pairs:
            del self._urgent[pair]
        while self._round and len(pairs) < RELAY_BALANCES_MAX:
            pair = self._round.popleft()
            if pair not in pairs:
                pairs.append(pair)
        return tuple(pairs)

    def read(
        self, pairs: Sequence[Pair], sums: Sequence[Sums], tip: Tip, known: Mapping[Pair, Sums]
    ) -> list[WriteBalances]:
        """The vault's answer; `known` is what the set says and believes. Returns what to write."""
        rows = []
        for pair, found in zip(pairs, sums, strict=True):
            if found == known.get(pair, NOTHING):
                self._told.pop(pair, None)
            elif found != self._told.get(pair):
                rows.append((*pair, *found))
                self._told[pair] = found
        size = RELAY_BALANCE_ROWS_MAX
        return [WriteBalances(tuple(rows[at : at + size]), tip) for at in range(0, len(rows), size)]


def question(pairs: Sequence[Pair]) -> Value:
    """The argument of the vault's `get-balances`."""
    return ListCV(tuple(TupleCV({"person": PrincipalCV(person), "asset": _asset(asset)}) for person, asset in pairs))


def _asset(asset: Principal | None) -> Value:
    return some(None if asset is None else PrincipalCV(asset))


def answer(value: Value, count: int) -> tuple[Sums, ...]:
    """(free, locked) of each pair asked for. Raises `RemoteError("node-answer")`."""
    match value:
        case ListCV(items) if len(items) == count:
            return tuple(_sums(item) for item in items)
    raise RemoteError("node-answer", "not one balance for each that was asked for")


def _sums(value: Value) -> Sums:
    match value:
        case TupleCV({"free": UInt(free), "locked": UInt(locked)}) if max(free, locked) <= INTEGER_MAX:
            return free, locked
    raise RemoteError("node-answer", "no balance")


def sealed_parts(request: WriteBalances, author: Principal, created_s: int) -> tuple[Statement, bytes]:
    """The statement (its content digest is still to be set) and the content of a `relay-balance`."""
    tip, rows = request.tip, [list(row) for row in request.rows]
    seed = hashlib.sha256(b"relay-balance" + author + tip.block + cbor.encode(rows)).digest()
    statement = Statement(
        action="relay-balance",
        author=author,
        created=created_s,
        expires=created_s + STATEMENT_LIFE_S,
        salt=seed[:SALT_BYTES],
        amount=tip.burn_height,
    )
    content = {"height": tip.height, "balances": rows}
    return statement, seal_content(content, seed[SALT_BYTES : SALT_BYTES + CONTENT_SALT_BYTES])
