"""`hubd contracts`: publish the mesh's contracts, from a source checkout."""

import click

from hubd.action.principal import address
from hubd.checkout import contracts_folder
from hubd.cli.paying import Paying, paying
from hubd.cli.terminal import listed, show
from hubd.errors import FatalError
from hubd.messages import phrase
from hubd.relay import deploy as deployment
from hubd.relay.node import Node
from hubd.sums import stx_of


@click.group()
def contracts() -> None:
    """Publish the mesh's contracts."""


@contracts.command()
@paying
async def deploy(order_for: Paying) -> None:
    """Publish the contracts with the deployer's key and set them up. May be repeated: it goes on where it stopped."""
    charter = order_for.charter
    if order_for.signer.principal(charter.network) != charter.deployer:
        raise FatalError(
            "deployer",
            f"this is not the key of {address(charter.deployer)}",
            hint="the charter's anchor names who deploys",
        )
    plan = deployment.read_plan(contracts_folder(), charter.deployer)
    async with Node(order_for.nodes) as node:
        outcome = await deployment.deploy(order_for.wallet(node), plan)
    facts = {
        "deployed": list(outcome.deployed),
        "called": outcome.called,
        "skipped": outcome.skipped,
        "fees_ustx": outcome.fees_ustx,
    }
    lines = [
        listed(
            (phrase("money.published", contracts=len(outcome.deployed)), phrase("money.called", calls=outcome.called))
        ),
        phrase("money.skipped", steps=outcome.skipped, fees=stx_of(outcome.fees_ustx)),
    ]
    show(facts, order_for.as_json, lines)
