"""One account used by hand: what the operator's chain commands send, one after the other.

Unlike the relay this keeps no ledger: the chain is asked for the next account nonce, and whoever runs a command waits for
its end. Signatures are deterministic, so the same command given again before its first transaction was mined makes the
same transaction and not a second one. Do not use it with the wallet of a relay that is running.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hubd.action.clarity import Ok, PrincipalCV, TupleCV, UInt, encode, some
from hubd.action.network import Network
from hubd.action.principal import Principal, address
from hubd.action.signature import Signer
from hubd.errors import FatalError, RemoteError
from hubd.limits import RELAY_CHAINED_MAX, RELAY_FEE_USTX_MAX, RELAY_FEE_USTX_MIN
from hubd.relay.chain import MINED, Remedy, Seen, Standing, remedy
from hubd.relay.node import Node, RejectedError
from hubd.relay.tx import (
    Call,
    Compare,
    Mode,
    Payload,
    PostCondition,
    Token,
    Transaction,
    Transfer,
    sign,
    size_bytes,
)

_HINTS = {
    Remedy.FUND: "the account has too little STX for the fee; send it some first",
    Remedy.RAISE: "an earlier transaction of this account waits; wait for it, or offer a higher fee",
    Remedy.LOOK: "another program uses this account at the same time; stop it and try again",
    Remedy.WAIT: "the node can't take it now; try again in a few minutes",
    Remedy.SPLIT: "an argument is not what the contract takes; check names and amounts",
    Remedy.STOP: "the contract or the function is not on this network; check the charter's anchor and relay.nodes",
}


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to ask whether a transaction was mined, how long to wait, and what to offer for a byte."""

    poll_s: float = 5.0
    patience_s: float = 3_600.0
    fee_ustx_per_byte: int = 2


@dataclass(frozen=True, slots=True)
class Sent:
    """A transaction that a node took."""

    txid: bytes
    account_nonce: int
    fee_ustx: int


class Wallet:
    """An account, its key, and the nodes. `progress` is told what happens, in words for a person."""

    def __init__(
        self,
        node: Node,
        signer: Signer,
        network: Network,
        pace: Pace = Pace(),
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.principal = signer.principal(network)
        self.node = node
        self.progress = progress
        self._signer, self._network, self._pace = signer, network, pace
        self._next: int | None = None

    async def begin(self) -> None:
        """Take the chain's account nonce for the next transaction.

        What is read from the chain after this and before `send` still holds when the transaction is executed, or the
        node refuses it for its account nonce: nothing of this account can have come between.
        """
        await self._check_network()
        self._next = (await self.node.account(self.principal)).account_nonce

    async def _check_network(self) -> None:
        """A node of another network knows neither our addresses nor our money."""
        tip = await self.node.tip()
        if tip.network_id != self._network.chain_id:
            raise FatalError(
                "node-network",
                f"the node serves another network (its id is {tip.network_id:#x})",
                hint=f"this mesh lives on {self._network.name}; name a node of it",
            )

    async def send(self, payload: Payload, conditions: Sequence[PostCondition] = (), mode: Mode = Mode.DENY) -> Sent:
        """Sign and broadcast with the next account nonce; does not wait. Raises `FatalError` with what to do.

        `FatalError("account-moved")`: the account was used since `begin`, and nothing was sent.
        """
        if self._next is None:
            await self.begin()
        nonce = self._next or 0
        unpriced = Transaction(payload, nonce, 0, mode, tuple(conditions))
        fee_ustx = max(RELAY_FEE_USTX_MIN, size_bytes(unpriced) * self._pace.fee_ustx_per_byte)
        if fee_ustx > RELAY_FEE_USTX_MAX:
            raise FatalError("fee", f"{fee_ustx} uSTX for one transaction", hint="lower relay.fee_ustx_per_byte")
        transaction = Transaction(payload, nonce, fee_ustx, mode, tuple(conditions))
        signed = sign(transaction, self._signer, self._network)
        try:
            await self.node.broadcast(signed.raw)
        except RejectedError as error:
            hint, said = _HINTS[remedy(error.reason)], f"the node refused the transaction ({error.detail})"
            if remedy(error.reason) is Remedy.FUND:
                held = (await self.node.account(self.principal)).balance_ustx
                said = f"{address(self.principal)} has {held} uSTX, and the fee alone is {fee_ustx} uSTX"
            code = "account-moved" if error.reason == "BadNonce" else "transaction-refused"
            raise FatalError(code, said, hint=hint) from error
        self._next = nonce + 1
        return Sent(signed.txid, nonce, fee_ustx)

    async def wait(self, sent: Sent) -> Seen:
        """Until it was mined. Raises `FatalError` where it aborted, or is not mined within the pace's patience."""
        deadline = asyncio.get_running_loop().time() + self._pace.patience_s
        while asyncio.get_running_loop().time() < deadline:
            seen = await self._look(sent)
            if seen.standing is Standing.SUCCESS:
                return seen
            if seen.standing in MINED:
                raise FatalError(
                    "transaction-aborted",
                    f"{sent.txid.hex()}: {seen.standing.value}, result {seen.result.hex()}",
                    hint="the chain refused it and changed nothing; docs/errors.md explains the result's number",
                )
            await asyncio.sleep(self._pace.poll_s)
        raise FatalError(
            "transaction-slow",
            f"{sent.txid.hex()} is not mined yet",
            hint="it may still be mined; give the same command again later, or offer a higher fee",
        )

    async def _look(self, sent: Sent) -> Seen:
        """Where it stands; without an index a used account nonce has to do."""
        seen = await self.node.transaction(sent.txid)
        if seen is not None:
            return seen
        account = await self.node.account(self.principal)
        return Seen(Standing.SUCCESS if account.account_nonce > sent.account_nonce else Standing.PENDING)

    async def settle(self, sents: Sequence[Sent]) -> None:
        """Wait for all of them, in order."""
        for sent in sents:
            await self.wait(sent)

    @property
    def chained_max(self) -> int:
        """How many may be sent before waiting for the first."""
        return RELAY_CHAINED_MAX


@dataclass(frozen=True, slots=True)
class Sums:
    """What a principal has of one asset: in its own wallet, and in the vault as a person."""

    wallet: int
    free: int
    locked: int


def transfer(recipient: Principal, amount_ustx: int, memo: bytes = b"") -> tuple[Payload, tuple[PostCondition, ...]]:
    """Plain STX to a principal: what a relay's wallet is filled with."""
    return Transfer(recipient, amount_ustx, memo), ()


def mint(token: Principal, recipient: Principal, amount: int) -> tuple[Payload, tuple[PostCondition, ...]]:
    """New base units of a community's token, by a minter, into the recipient's own wallet."""
    return Call(token, "mint", (encode(UInt(amount)), encode(PrincipalCV(recipient)))), ()


def deposit_for(
    escrow: Principal, person: Principal, amount: int, token: Token | None = None
) -> tuple[Payload, tuple[PostCondition, ...]]:
    """Money of the signer's into the vault, credited to `person`: exactly `amount` may leave the signer."""
    conditions = (PostCondition(None, Compare.EQUAL, amount, token),)
    arguments = (encode(PrincipalCV(person)), encode(UInt(amount)))
    if token is None:
        return Call(escrow, "deposit-for", arguments), conditions
    return Call(escrow, "deposit-for-ft", (encode(PrincipalCV(token.contract)), *arguments)), conditions


async def sums(node: Node, escrow: Principal, who: Principal, asset: Principal | None = None) -> Sums:
    """What `who` has of an asset (None: STX)."""
    pair = TupleCV({"person": PrincipalCV(who), "asset": some(None if asset is None else PrincipalCV(asset))})
    vault = await node.call_read(escrow, "get-balance", [pair])
    match vault:
        case TupleCV({"free": UInt(free), "locked": UInt(locked)}):
            return Sums(await _held(node, who, asset), free, locked)
    raise RemoteError("node-answer", "no balance")


async def _held(node: Node, who: Principal, asset: Principal | None) -> int:
    if asset is None:
        return (await node.account(who)).balance_ustx
    found = await node.call_read(asset, "get-balance", [PrincipalCV(who)])
    match found:
        case Ok(UInt(held)):
            return held
    raise RemoteError("node-answer", "no token balance")
