"""`hubd localchain`, `contracts` and `chain`: the operator's side of the chain."""

import os
import sys
from pathlib import Path
from typing import Any

import click

from hubd.action.charter import Charter
from hubd.action.principal import Principal, address, check_principal, parse_address
from hubd.action.signature import Signer
from hubd.checkout import contracts_folder, node_program
from hubd.cli.terminal import command, complain, json_option, passphrase_from, passphrase_option, say, show
from hubd.errors import FatalError, HubdError, RemoteError
from hubd.hub import read_charter
from hubd.relay import deploy as deployment
from hubd.relay import wallet as wallets
from hubd.relay.node import Node
from hubd.relay.tx import Token
from hubd.relay.venue import learn_tokens
from hubd.relay.wallet import Pace, Wallet
from hubd.store import keyfile

charter_option = click.option(
    "--charter",
    "charter_file",
    type=click.Path(path_type=Path, exists=True),
    required=True,
    help="The mesh's charter file.",
)
node_option = click.option("--node", "nodes", multiple=True, required=True, help="A node's base URL; may be repeated.")
key_option = click.option(
    "--key",
    "key_file",
    type=click.Path(path_type=Path, exists=True),
    required=True,
    help="The key that signs and pays.",
)
poll_option = click.option(
    "--poll-ms", type=click.IntRange(20), default=5_000, show_default=True, help="Between two looks at the chain."
)
asset_option = click.option(
    "--asset", default="stx", show_default=True, help="stx, or a short name of the charter's assets."
)


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def localchain(arguments: tuple[str, ...]) -> None:
    """Run a local Stacks chain: the real Clarity VM behind a node's RPC. For tests and demos; --help says more."""
    try:
        program, script = node_program(), contracts_folder() / "localchain" / "main.mjs"
    except HubdError as error:
        complain(error)
        sys.exit(1)
    os.execv(program, [program, str(script), *arguments])  # noqa: S606  # becomes the chain: signals reach it


@click.group()
def contracts() -> None:
    """Publish the mesh's contracts."""


@click.group()
def chain() -> None:
    """Move the organisation's money: fund, mint, deposit, look."""


def _signer(path: Path, passphrase_file: Path | None) -> Signer:
    passphrase = passphrase_from(passphrase_file)
    purposes = ("deployer", "steward", "wallet")
    for purpose in purposes:
        try:
            return Signer(keyfile.read(path, purpose, passphrase))
        except FatalError as error:
            if error.code != "key-damaged" or purpose == purposes[-1]:
                raise
    raise AssertionError


def _principal(text: str, charter: Charter) -> Principal:
    try:
        return check_principal(parse_address(text), charter.network)
    except RemoteError as error:
        raise FatalError(
            "address",
            f"{text!r} is no address on {charter.network.name}",
            hint="copy it again; addresses have check digits",
        ) from error


def _asset(name: str, charter: Charter) -> Principal | None:
    try:
        return charter.asset(name)
    except RemoteError as error:
        known = ", ".join(["stx", *(short for short, _ in charter.assets)])
        raise FatalError("asset", error.detail, hint=f"this mesh has: {known}") from error


async def _token(node: Node, charter: Charter, asset: Principal | None) -> Token | None:
    if asset is None:
        return None
    if name := (await learn_tokens(node, charter)).get(asset):
        return Token(asset, name)
    raise FatalError(
        "asset",
        f"the vault does not take {address(asset)} yet",
        hint="deploy the contracts first; `hubd contracts deploy` allows it",
    )


async def _pay(
    charter: Charter, nodes: tuple[str, ...], signer: Signer, poll_ms: int, order: Any, as_json: bool, words: str
) -> None:
    """Send one payment, wait until it was mined, and say so. `order` makes (payload, conditions) from the node."""
    async with Node(nodes) as node:
        wallet = Wallet(node, signer, charter.network, Pace(poll_s=poll_ms / 1000), say)
        payload, conditions = await order(node)
        sent = await wallet.send(payload, conditions)
        await wallet.wait(sent)
    show(
        {"txid": sent.txid.hex(), "fee_ustx": sent.fee_ustx},
        as_json,
        [f"{words}: done ({sent.txid.hex()}, fee {sent.fee_ustx} uSTX)"],
    )


@contracts.command()
@charter_option
@node_option
@key_option
@poll_option
@passphrase_option
@json_option
@command
async def deploy(
    charter_file: Path,
    nodes: tuple[str, ...],
    key_file: Path,
    poll_ms: int,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Publish the contracts with the deployer's key and set them up. May be repeated: it goes on where it stopped."""
    charter = read_charter(charter_file)
    signer = _signer(key_file, passphrase_file)
    if signer.principal(charter.network) != charter.deployer:
        raise FatalError(
            "deployer",
            f"{key_file} is not the key of {address(charter.deployer)}",
            hint="the charter's anchor names who deploys",
        )
    plan = deployment.read_plan(contracts_folder(), charter.deployer)
    async with Node(nodes) as node:
        outcome = await deployment.deploy(Wallet(node, signer, charter.network, Pace(poll_s=poll_ms / 1000), say), plan)
    facts = {
        "deployed": list(outcome.deployed),
        "called": outcome.called,
        "skipped": outcome.skipped,
        "fees_ustx": outcome.fees_ustx,
    }
    show(
        facts,
        as_json,
        [
            (
                f"{len(outcome.deployed)} contracts published, {outcome.called} calls made,"
                f" {outcome.skipped} steps were done before, fees {outcome.fees_ustx} uSTX"
            )
        ],
    )


@chain.command()
@click.argument("recipient")
@click.argument("amount", type=click.IntRange(1))
@charter_option
@node_option
@key_option
@poll_option
@passphrase_option
@json_option
@command
async def transfer(
    recipient: str,
    amount: int,
    charter_file: Path,
    nodes: tuple[str, ...],
    key_file: Path,
    poll_ms: int,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Send AMOUNT uSTX to RECIPIENT, for example to fill a relay's wallet."""
    charter = read_charter(charter_file)

    async def order(_node: Node) -> Any:
        return wallets.transfer(_principal(recipient, charter), amount)

    await _pay(charter, nodes, _signer(key_file, passphrase_file), poll_ms, order, as_json, f"sent {amount} uSTX")


@chain.command()
@click.argument("recipient")
@click.argument("amount", type=click.IntRange(1))
@click.option("--asset", default="hours", show_default=True, help="A short name of the charter's assets.")
@charter_option
@node_option
@key_option
@poll_option
@passphrase_option
@json_option
@command
async def mint(
    recipient: str,
    amount: int,
    asset: str,
    charter_file: Path,
    nodes: tuple[str, ...],
    key_file: Path,
    poll_ms: int,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Make AMOUNT new units of a community's token, into RECIPIENT's own wallet. Minters only."""
    charter = read_charter(charter_file)
    token = _asset(asset, charter)
    if token is None:
        raise FatalError("asset", "STX cannot be minted", hint="name a token of the charter's assets")

    async def order(_node: Node) -> Any:
        return wallets.mint(token, _principal(recipient, charter), amount)

    await _pay(charter, nodes, _signer(key_file, passphrase_file), poll_ms, order, as_json, f"minted {amount} {asset}")


@chain.command("deposit-for")
@click.argument("person")
@click.argument("amount", type=click.IntRange(1))
@asset_option
@charter_option
@node_option
@key_option
@poll_option
@passphrase_option
@json_option
@command
async def deposit_for(
    person: str,
    amount: int,
    asset: str,
    charter_file: Path,
    nodes: tuple[str, ...],
    key_file: Path,
    poll_ms: int,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Put AMOUNT of the signer's own money into the vault, credited to PERSON."""
    charter = read_charter(charter_file)
    principal, escrow = _principal(person, charter), charter.contract("payment-escrow")
    wanted = _asset(asset, charter)

    async def order(node: Node) -> Any:
        return wallets.deposit_for(escrow, principal, amount, await _token(node, charter, wanted))

    await _pay(
        charter, nodes, _signer(key_file, passphrase_file), poll_ms, order, as_json, f"deposited {amount} {asset}"
    )


@chain.command()
@click.argument("person")
@asset_option
@charter_option
@node_option
@json_option
@command
async def balance(person: str, asset: str, charter_file: Path, nodes: tuple[str, ...], as_json: bool) -> None:
    """Show what PERSON has: in their own wallet, free in the vault, locked in the vault."""
    charter = read_charter(charter_file)
    async with Node(nodes) as node:
        held = await wallets.sums(
            node, charter.contract("payment-escrow"), _principal(person, charter), _asset(asset, charter)
        )
    facts = {"person": person, "asset": asset, "wallet": held.wallet, "free": held.free, "locked": held.locked}
    show(
        facts,
        as_json,
        [f"{asset}: {held.wallet} in the wallet, {held.free} free and {held.locked} locked in the vault"],
    )
