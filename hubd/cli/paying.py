"""What every command that signs a transaction asks for: the mesh, a node, a key, a pace. One decorator, one value."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import reduce, wraps
from pathlib import Path
from typing import Any

import click

from hubd.action.charter import Charter
from hubd.action.principal import Principal, address
from hubd.action.signature import Signer
from hubd.cli.terminal import command, json_option, passphrase_from, passphrase_option, show, tell
from hubd.config import check_url
from hubd.errors import FatalError
from hubd.hub import read_charter
from hubd.relay.node import Node
from hubd.relay.tx import Payload, PostCondition, Token
from hubd.relay.venue import learn_tokens
from hubd.relay.wallet import Pace, Wallet
from hubd.store import keyfile

Order = tuple[Payload, tuple[PostCondition, ...]]
_PURPOSES = ("deployer", "steward", "wallet")

charter_option = click.option(
    "--charter",
    "charter_file",
    type=click.Path(path_type=Path, exists=True),
    required=True,
    help="The mesh's charter file.",
)
node_option = click.option("--node", "nodes", multiple=True, required=True, help="A node's base URL; may be repeated.")
_PAYING = (
    charter_option,
    node_option,
    click.option(
        "--key",
        "key_file",
        type=click.Path(path_type=Path, exists=True),
        required=True,
        help="The key that signs and pays.",
    ),
    click.option(
        "--poll-ms", type=click.IntRange(20), default=5_000, show_default=True, help="Between two looks at the chain."
    ),
    passphrase_option,
    json_option,
)


@dataclass(frozen=True)
class Paying:
    """The answers to what was asked for, and the two things done with them."""

    charter: Charter
    nodes: tuple[str, ...]
    signer: Signer
    poll_s: float
    as_json: bool

    def wallet(self, node: Node) -> Wallet:
        """The signer's account on a node; says what happens on stderr."""
        return Wallet(node, self.signer, self.charter.network, Pace(poll_s=self.poll_s), tell)

    async def token(self, node: Node, asset: Principal | None) -> Token | None:
        """A token with its asset name, as the vault lists it; None for STX."""
        if asset is None:
            return None
        if name := (await learn_tokens(node, self.charter)).get(asset):
            return Token(asset, name)
        raise FatalError(
            "asset",
            f"the vault does not take {address(asset)} yet",
            hint="deploy the contracts first; `hubd contracts deploy` allows it",
        )

    async def pay(self, said: Callable[[str, int], str], order: Callable[[Node], Awaitable[Order]]) -> None:
        """Send one payment, wait until it was mined, and say so: `said` makes the line of the transaction's id and fee."""
        async with Node(self.nodes) as node:
            wallet = self.wallet(node)
            payload, conditions = await order(node)
            sent = await wallet.send(payload, conditions)
            await wallet.wait(sent)
        txid = sent.txid.hex()
        show({"txid": txid, "fee_ustx": sent.fee_ustx}, self.as_json, [said(txid, sent.fee_ustx)])


def _signer(path: Path, passphrase: str | None) -> Signer:
    for purpose in _PURPOSES:
        try:
            return Signer(keyfile.read(path, purpose, passphrase))
        except FatalError as error:
            if error.code != "key-damaged" or purpose == _PURPOSES[-1]:
                raise
    raise AssertionError


def paying(function: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """A command body whose first argument is a `Paying`; the options that fill it are added."""

    @wraps(function)
    async def body(
        *,
        charter_file: Path,
        nodes: tuple[str, ...],
        key_file: Path,
        poll_ms: int,
        passphrase_file: Path | None,
        as_json: bool,
        **others: Any,
    ) -> None:
        for url in nodes:
            check_url(url, "--node")
        signer = _signer(key_file, passphrase_from(passphrase_file))
        await function(Paying(read_charter(charter_file), nodes, signer, poll_ms / 1000, as_json), **others)

    return reduce(lambda made, option: option(made), reversed(_PAYING), command(body))
