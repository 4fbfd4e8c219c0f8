"""`hubd charter`: found a mesh. The file it writes is flashed with every image of the mesh."""

import time
from dataclasses import replace
from pathlib import Path

import click

from hubd.action import charter as charters
from hubd.action.charter import Charter
from hubd.action.fingerprint import spoken
from hubd.action.network import BY_NAME
from hubd.action.principal import address, contract
from hubd.action.signature import Signer
from hubd.cli.members import steward_option
from hubd.cli.naming import address_in
from hubd.cli.terminal import (
    command,
    json_option,
    listed,
    passphrase_from,
    passphrase_option,
    say,
    show,
    warn_unsealed,
)
from hubd.errors import FatalError
from hubd.hub import CHARTER_NAME, Hub, read_charter
from hubd.identity import sign_action
from hubd.limits import CHARTER_STEWARDS_MIN
from hubd.messages import phrase
from hubd.store import keyfile


@click.group()
def charter() -> None:
    """Found a mesh: its charter file, its stewards, its first hubs."""


def _new_keys(given: tuple[str, ...]) -> list[bytes]:
    """Secrets for three new stewards, where none were named."""
    return [] if given else [keyfile.new_secret() for _ in range(CHARTER_STEWARDS_MIN)]


def _write_keys(folder: Path, secrets: list[bytes], passphrase: str | None) -> None:
    for number, secret in enumerate(secrets, start=1):
        path = folder / f"steward-{number}.key"
        keyfile.write(path, keyfile.KeyFile("steward", secret), passphrase)
        warn_unsealed(path, passphrase)
        say("mesh.made-key", path=path)


@charter.command()
@click.argument("file", type=click.Path(path_type=Path), default=Path(CHARTER_NAME))
@click.option("--name", required=True, help="What people call the mesh.")
@click.option(
    "--network",
    type=click.Choice(sorted(BY_NAME)),
    default="testnet",
    show_default=True,
    help="The chain's network, for ever.",
)
@click.option(
    "--deployer", required=True, help="Address that deploys (or will deploy) the contracts: the mesh's anchor."
)
@click.option(
    "--steward", "stewards", multiple=True, help="A steward's address; at least three. None: keys are made beside FILE."
)
@click.option("--officer", "officers", multiple=True, help="A safeguarding officer's address.")
@click.option(
    "--money",
    type=click.Choice(charters.MONEY_MODES),
    default="hours",
    show_default=True,
    help="What lessons are paid in: nothing, hour credits, or tokens of value.",
)
@click.option("--answers-for-money", default="", help="The organisation that answers for money = tokens.")
@click.option("--subject", "subjects", multiple=True, help="A subject that is taught, in order of its bit.")
@click.option("--helpline", "helplines", multiple=True, help="A helpline that every screen shows.")
@passphrase_option
@json_option
@command
async def new(
    file: Path,
    name: str,
    network: str,
    deployer: str,
    stewards: tuple[str, ...],
    officers: tuple[str, ...],
    money: str,
    answers_for_money: str,
    subjects: tuple[str, ...],
    helplines: tuple[str, ...],
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Write a new charter to FILE. The contracts may be deployed later; nothing is signed again then."""
    if file.exists():
        raise FatalError(
            "charter-exists", f"{file} is there already", hint="a mesh keeps its charter; choose another file"
        )
    passphrase, chosen = passphrase_from(passphrase_file), BY_NAME[network]
    owner, secrets = address_in(deployer, chosen), _new_keys(stewards)
    named = [address_in(text, chosen) for text in stewards]
    written = charters.write(
        Charter(
            name=name,
            network=chosen,
            anchor=contract(owner, "access"),
            money=money,
            answers_for_money=answers_for_money,
            stewards=(*named, *(Signer(secret).principal(chosen) for secret in secrets)),
            officers=tuple(address_in(text, chosen) for text in officers),
            assets=() if money == "none" else (("hours", contract(owner, "hour-credit")),),
            subjects=subjects,
            helplines=helplines,
        )
    )
    try:
        made = charters.read(written)
    except FatalError as error:
        raise FatalError(error.code, error.detail, hint="change the options; nothing was written") from error
    _write_keys(file.parent, secrets, passphrase)
    file.write_bytes(written)
    facts = {
        "file": str(file),
        "anchor": address(made.anchor),
        "stewards": [address(steward) for steward in made.stewards],
        "spoken": spoken(made.digest),
    }
    line = phrase("mesh.wrote", file=file, name=name, network=network, spoken=facts["spoken"])
    show(facts, as_json, [line])


@charter.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True))
@click.argument("directories", type=click.Path(path_type=Path, exists=True), nargs=-1, required=True)
@steward_option
@click.option(
    "--operator",
    "operators",
    multiple=True,
    type=click.IntRange(1),
    help="Who runs each hub, a number; default 1, 2, 3 ...",
)
@passphrase_option
@json_option
@command
async def found(
    file: Path,
    directories: tuple[Path, ...],
    steward_key: Path,
    operators: tuple[int, ...],
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Admit the hubs of these data folders as founders, and write the charter with them to FILE and to each folder."""
    made = read_charter(file)
    signer = Signer(keyfile.read(steward_key, "steward", passphrase_from(passphrase_file)))
    if signer.principal(made.network) not in made.stewards:
        raise FatalError(
            "steward",
            f"{steward_key} is no steward of {made.name}",
            hint="use the key of a steward that the charter names",
        )
    actions = {action.id: action for action in made.founding}
    founded = {action.statement.who for action in made.founding if action.kind == "hub-admit"}
    for position, directory in enumerate(directories):
        operator = operators[position] if position < len(operators) else position + 1
        async with Hub.opened(directory) as hub:
            announce = await hub.announce()
        actions[announce.id] = announce
        if announce.statement.author not in founded:
            admit = sign_action(
                signer,
                made.domain,
                "hub-admit",
                int(time.time()),
                {"note": "founding hub"},
                subject=announce.id,
                who=announce.statement.author,
                bits=operator,
            )
            actions[admit.id] = admit
    written = charters.write(replace(made, founding=tuple(actions.values())))
    for path in (file, *(directory / CHARTER_NAME for directory in directories)):
        path.write_bytes(written)
    line = phrase("mesh.founded", hubs=len(directories), file=file)
    show({"file": str(file), "hubs": len(directories)}, as_json, [line])


@charter.command("show")
@click.argument("file", type=click.Path(path_type=Path, exists=True))
@json_option
@command
async def show_charter(file: Path, as_json: bool) -> None:
    """Check a charter file and say what it holds."""
    made = read_charter(file)
    facts = {
        "name": made.name,
        "network": made.network.name,
        "anchor": address(made.anchor),
        "money": made.money,
        "stewards": [address(steward) for steward in made.stewards],
        "assets": {name: address(principal) for name, principal in made.assets},
        "founding_actions": len(made.founding),
        "spoken": spoken(made.digest),
    }
    assets = [phrase("mesh.asset", name=name, address=address(principal)) for name, principal in made.assets]
    show(facts, as_json, [
        phrase("mesh.name", name=made.name),
        phrase("mesh.network", network=made.network.name),
        phrase("mesh.anchor", anchor=facts["anchor"]),
        phrase("mesh.money", money=made.money),
        phrase("mesh.stewards", stewards=listed(address(steward) for steward in made.stewards)),
        phrase("mesh.assets", assets=listed(assets)) if assets else phrase("mesh.no-assets"),
        phrase("mesh.founding", actions=len(made.founding)),
        phrase("mesh.spoken", spoken=facts["spoken"]),
    ])  # fmt: skip
