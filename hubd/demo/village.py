"""The stage: a charter, a chain with the contracts on it, hubs in a line, and phones, built with the commands' own code.

A - B - C: each hub dials the next one through a wire that can be cut; only the last one has an uplink.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from hubd import config
from hubd.action import charter as charters
from hubd.action import envelope
from hubd.action.charter import Charter
from hubd.action.network import TESTNET
from hubd.action.principal import Principal, address, contract
from hubd.action.signature import Signer
from hubd.checkout import contracts_folder
from hubd.demo.processes import ChainProcess, HubProcess, free_port
from hubd.demo.wires import Wire
from hubd.hub import CHARTER_NAME, Hub
from hubd.identity import Identity, sign_action
from hubd.messages import phrase
from hubd.phone.phone import Phone
from hubd.ports import Door
from hubd.relay import deploy as deployment
from hubd.relay import wallet as wallets
from hubd.relay.node import Node
from hubd.relay.tx import Payload, PostCondition
from hubd.relay.wallet import Pace, Wallet
from hubd.store import keyfile

BLOCK_MS = 200
BURN_MS = 1_000  # a Bitcoin block a second, so that "final" comes within seconds
POLL_S = 0.1
FUNDS_USTX = 1_000_000_000_000
RELAY_USTX = 50_000_000
Say = Callable[[str], None]


@dataclass(frozen=True)
class Keys:
    """The organisation's keys, in memory only: a demo has nothing to protect."""

    deployer: Signer
    stewards: tuple[Signer, ...]

    @classmethod
    def new(cls) -> "Keys":
        """Fresh ones."""
        return cls(Signer(keyfile.new_secret()), tuple(Signer(keyfile.new_secret()) for _ in range(3)))


class Village:
    """Everything that stands on the stage."""

    def __init__(self, folder: Path, keys: Keys, chain: ChainProcess, charter: Charter) -> None:
        self.folder = folder
        self.keys = keys
        self.chain = chain
        self.charter = charter
        self.node = Node([chain.url])
        self.hubs: list[HubProcess] = []
        self.wires: list[Wire] = []
        self.phone_urls: list[str] = []
        self.phones: list[Phone] = []
        self._wallet = Wallet(self.node, keys.deployer, TESTNET, Pace(poll_s=POLL_S))

    @property
    def charter_file(self) -> bytes:
        """The charter as the hubs have it."""
        return (self.hubs[0].directory / CHARTER_NAME).read_bytes()

    async def deploy(self) -> None:
        """Publish the contracts and set them up."""
        plan = deployment.read_plan(contracts_folder(), self.charter.deployer)
        await deployment.deploy(self._wallet, plan)

    async def pay(self, *orders: tuple[Payload, tuple[PostCondition, ...]]) -> None:
        """Send the organisation's transactions and wait until all were mined."""
        sent = [await self._wallet.send(payload, conditions) for payload, conditions in orders]
        await self._wallet.settle(sent)

    async def balance(self, person: Principal, asset: Principal | None) -> wallets.Sums:
        """What a person has, as the chain says now."""
        return await wallets.sums(self.node, self.charter.contract("payment-escrow"), person, asset)

    async def vouch(self, hub: HubProcess, person: Principal) -> None:
        """A steward vouches, at the desk of a hub."""
        action = sign_action(
            self.keys.stewards[0], self.charter.domain, "vouch-give", int(time.time()), who=person, bits=4
        )
        await hub.ask("offer", [envelope.encode(action)], Door.OWN.value)

    async def new_phone(self, name: str) -> Phone:
        """An unregistered phone with the village's charter."""
        phone = await Phone.create(self.folder / f"phone-{name}", self.charter_file)
        self.phones.append(phone)
        return phone

    async def close(self) -> None:
        """Strike the stage."""
        for phone in self.phones:
            await phone.close()
        for wire in self.wires:
            await wire.close()
        await self.node.close()
        await asyncio.gather(*(hub.end() for hub in self.hubs), self.chain.end())


def _charter(keys: Keys) -> Charter:
    deployer = keys.deployer.principal(TESTNET)
    return Charter(
        name="Three villages",
        network=TESTNET,
        anchor=contract(deployer, "access"),
        money="tokens",
        answers_for_money="the demo",
        stewards=tuple(steward.principal(TESTNET) for steward in keys.stewards),
        assets=(("hours", contract(deployer, "hour-credit")),),
        subjects=("reading", "mathematics", "english"),
        helplines=("116",),
    )


def _prepare_hub(directory: Path, charter: Charter, settings: dict[str, object]) -> None:
    directory.mkdir(mode=0o700)
    (directory / config.FILE_NAME).write_bytes(config.write(settings))
    (directory / CHARTER_NAME).write_bytes(charters.write(charter))
    Identity.make(directory)


async def _found(village: Village, directories: list[Path]) -> None:
    """The founding: every hub's announcement and a steward's admission, in the charter that all of them get."""
    actions = []
    for operator, directory in enumerate(directories, start=1):
        async with Hub.opened(directory) as hub:
            announce = await hub.announce()
        admit = sign_action(
            village.keys.stewards[0], village.charter.domain, "hub-admit", int(time.time()), {"note": "founding hub"},
            subject=announce.id, who=announce.statement.author, bits=operator,
        )  # fmt: skip
        actions += [announce, admit]
    village.charter = replace(village.charter, founding=tuple(actions))
    for directory in directories:
        (directory / CHARTER_NAME).write_bytes(charters.write(village.charter))


async def _build_hubs(village: Village, names: list[str]) -> None:
    mesh_ports = [free_port() for _ in names]
    phone_ports = [free_port() for _ in names]
    village.wires = [Wire(f"{names[i]}-{names[i + 1]}", mesh_ports[i + 1]) for i in range(len(names) - 1)]
    for wire in village.wires:
        await wire.open()
    directories = [village.folder / f"hub-{name}" for name in names]
    for position, name in enumerate(names):
        is_last = position == len(names) - 1
        settings: dict[str, object] = {
            "hub.name": name,
            "mesh.listen_host": "127.0.0.1",
            "mesh.listen_port": mesh_ports[position],
            "mesh.peers": [] if is_last else [f"127.0.0.1:{village.wires[position].port}"],
            "mesh.discover": False,
            "mesh.session_interval_s": 2,
            "phones.listen_host": "127.0.0.1",
            "phones.listen_port": phone_ports[position],
            "phones.discover": False,
            "relay.nodes": [village.chain.url] if is_last else [],
            "relay.poll_ms": 250,
            "relay.gather_ms": 500,
        }
        _prepare_hub(directories[position], village.charter, settings)
    await _found(village, directories)
    village.hubs = [HubProcess(f"hub {name}", directory) for name, directory in zip(names, directories, strict=True)]
    village.phone_urls = [f"http://127.0.0.1:{port}" for port in phone_ports]


def hub_names(count: int) -> list[str]:
    """A, B, C ... and hub27 after Z."""
    return [chr(ord("A") + position) if position < 26 else f"hub{position + 1}" for position in range(count)]


@asynccontextmanager
async def staged(folder: Path, hubs: int, say: Say) -> AsyncIterator[Village]:
    """A village with its hubs running and its contracts deployed; everything is gone afterwards but the folder."""
    keys = Keys.new()
    deployer = address(keys.deployer.principal(TESTNET))
    chain = ChainProcess(folder, {deployer: FUNDS_USTX}, BLOCK_MS, BURN_MS)
    village = Village(folder, keys, chain, _charter(keys))
    try:
        say(phrase("demo.chain"))
        await chain.start()
        await _build_hubs(village, hub_names(hubs))
        say(phrase("demo.deploy"))
        await village.deploy()
        relay = Identity.open(village.hubs[-1].directory).wallet.principal(TESTNET)
        await village.pay(wallets.transfer(relay, RELAY_USTX))
        say(phrase("demo.hubs", count=hubs, names=" - ".join(hub_names(hubs))))
        await asyncio.gather(*(hub.start() for hub in village.hubs))
        yield village
    finally:
        await village.close()
