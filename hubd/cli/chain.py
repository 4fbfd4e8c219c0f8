"""`hubd chain`: the organisation's money. Every payment waits until it was mined, and says so."""

from pathlib import Path

import click

from hubd.action.charter import Charter
from hubd.action.principal import address
from hubd.cli.naming import address_in, asset_in
from hubd.cli.paying import Order, Paying, charter_option, node_option, paying
from hubd.cli.terminal import command, json_option, show
from hubd.errors import FatalError
from hubd.hub import read_charter
from hubd.messages import phrase
from hubd.relay import wallet as wallets
from hubd.relay.node import Node
from hubd.sums import HOURS_TOKEN, Places, places, stx_of, sum_of

_amount = click.argument("amount", type=click.IntRange(1))


def _places(charter: Charter) -> Places:
    return places(dict(charter.assets), charter.contract(HOURS_TOKEN))


@click.group()
def chain() -> None:
    """Move the organisation's money: fund, mint, deposit, look."""


@chain.command()
@click.argument("recipient")
@_amount
@paying
async def transfer(order_for: Paying, recipient: str, amount: int) -> None:
    """Send AMOUNT uSTX (1000000 are one STX) to RECIPIENT, for example to fill a relay's wallet."""
    principal = address_in(recipient, order_for.charter.network)

    async def order(_node: Node) -> Order:
        return wallets.transfer(principal, amount)

    await order_for.pay(lambda txid, fee: phrase("money.sent", sum=stx_of(amount), txid=txid, fee=stx_of(fee)), order)


@chain.command()
@click.argument("recipient")
@_amount
@click.option("--asset", default="hours", show_default=True, help="A short name of the charter's assets.")
@paying
async def mint(order_for: Paying, recipient: str, amount: int, asset: str) -> None:
    """Make AMOUNT new units (100 are one hour) of a community's token, into RECIPIENT's own wallet. Minters only."""
    principal, token = address_in(recipient, order_for.charter.network), asset_in(asset, order_for.charter)
    if token is None:
        raise FatalError("asset", "STX cannot be minted", hint="name a token of the charter's assets")

    async def order(_node: Node) -> Order:
        return wallets.mint(token, principal, amount)

    made = sum_of(amount, asset, _places(order_for.charter))
    await order_for.pay(lambda txid, fee: phrase("money.minted", sum=made, txid=txid, fee=stx_of(fee)), order)


@chain.command("deposit-for")
@click.argument("person")
@_amount
@click.option("--asset", default="stx", show_default=True, help="stx, or a short name of the charter's assets.")
@paying
async def deposit_for(order_for: Paying, person: str, amount: int, asset: str) -> None:
    """Put AMOUNT of the signer's own money, in its smallest unit, into the vault, credited to PERSON."""
    charter = order_for.charter
    principal, wanted = address_in(person, charter.network), asset_in(asset, charter)

    async def order(node: Node) -> Order:
        token = await order_for.token(node, wanted)
        return wallets.deposit_for(charter.contract("payment-escrow"), principal, amount, token)

    given, credited = sum_of(amount, asset, _places(charter)), address(principal)
    await order_for.pay(
        lambda txid, fee: phrase("money.deposited", sum=given, person=credited, txid=txid, fee=stx_of(fee)), order
    )


@chain.command()
@click.argument("person")
@click.option("--asset", default="stx", show_default=True, help="stx, or a short name of the charter's assets.")
@charter_option
@node_option
@json_option
@command
async def balance(person: str, asset: str, charter_file: Path, nodes: tuple[str, ...], as_json: bool) -> None:
    """Show what PERSON has: in their own wallet, free in the vault, locked in the vault."""
    charter = read_charter(charter_file)
    principal, wanted = address_in(person, charter.network), asset_in(asset, charter)
    async with Node(nodes) as node:
        held = await wallets.sums(node, charter.contract("payment-escrow"), principal, wanted)
    facts = {"person": person, "asset": asset, "wallet": held.wallet, "free": held.free, "locked": held.locked}
    known = _places(charter)
    wallet, free, locked = (sum_of(each, asset, known) for each in (held.wallet, held.free, held.locked))
    line = phrase("money.held", wallet=wallet, free=free, locked=locked)
    show(facts, as_json, [line])
