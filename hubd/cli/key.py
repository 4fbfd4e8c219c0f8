"""`hubd key`: secret keys of people and deployers, each in a sealed file."""

from pathlib import Path

import click

from hubd.action.network import BY_NAME
from hubd.action.principal import address
from hubd.action.signature import Signer
from hubd.cli.terminal import command, json_option, passphrase_from, passphrase_option, show, warn_unsealed
from hubd.store import keyfile

PURPOSES = ("steward", "deployer")

network_option = click.option(
    "--network", type=click.Choice(sorted(BY_NAME)), default="testnet", show_default=True, help="For the address shown."
)

purpose_option = click.option(
    "--purpose", type=click.Choice(PURPOSES), default="steward", show_default=True, help="What the key is for."
)


@click.group()
def key() -> None:
    """Make and show secret keys (stewards, the contracts' deployer)."""


@key.command()
@click.argument("file", type=click.Path(path_type=Path))
@purpose_option
@network_option
@passphrase_option
@json_option
@command
async def new(file: Path, purpose: str, network: str, passphrase_file: Path | None, as_json: bool) -> None:
    """Make a new key in FILE, and show its address."""
    passphrase = passphrase_from(passphrase_file)
    secret = keyfile.new_secret()
    keyfile.write(file, keyfile.KeyFile(purpose, secret), passphrase)
    warn_unsealed(file, passphrase)
    text = address(Signer(secret).principal(BY_NAME[network]))
    show({"address": text, "file": str(file), "purpose": purpose}, as_json, [text])


@key.command("show")
@click.argument("file", type=click.Path(path_type=Path))
@purpose_option
@network_option
@passphrase_option
@json_option
@command
async def show_key(file: Path, purpose: str, network: str, passphrase_file: Path | None, as_json: bool) -> None:
    """Show the address of the key in FILE. The secret itself is never shown."""
    secret = keyfile.read(file, purpose, passphrase_from(passphrase_file))
    text = address(Signer(secret).principal(BY_NAME[network]))
    show({"address": text, "file": str(file), "purpose": purpose}, as_json, [text])
