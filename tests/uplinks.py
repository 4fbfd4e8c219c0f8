"""One hub's set, fold and relay against the real Clarity VM, and a coordinator who pays in: for tests of the uplink."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
from builders import Village

from hubd.action.envelope import encode
from hubd.fold.folder import Folder
from hubd.intake import SetIntake
from hubd.ports import Door
from hubd.relay.deploy import deploy, read_plan
from hubd.relay.driver import Keys, Relay
from hubd.relay.gathering import Links
from hubd.relay.node import Node
from hubd.relay.packing import Terms
from hubd.relay.tx import Token
from hubd.relay.wallet import Pace, Wallet, deposit_for, mint
from hubd.store.actions import Store

ROOT = Path(__file__).parents[1]
RICH = 1_000_000_000_000
TURNS_MAX = 200
REPLAY_S = 60  # a fork makes the VM do the whole chain again


def made_village():
    village = Village(8)
    village.charter = replace(village.charter, founding=tuple(village.found("uplink", uplink=True)))
    return village


async def deploy_contracts(village, url):
    async with Node([url]) as node:
        wallet = coordinator(village, node)
        plan = read_plan(ROOT / "contracts", wallet.principal)
        made = await deploy(wallet, plan)
        assert made.deployed == tuple(plan.sources)
        again = await deploy(wallet, plan)
        assert (again.deployed, again.called, again.fees_ustx) == ((), 0, 0)


def coordinator(village, node):
    return Wallet(node, village.signer("deployer"), village.network, Pace(poll_s=0.05, patience_s=20))


class Uplink:
    """One hub's set, fold and relay over a directory."""

    def __init__(self, village, store, node):
        self.village, self.store, self.ledger = village, store, store.ledger()
        self.folder = Folder(village.charter)
        self.intake = SetIntake(store, village.domain)
        self.intake.listeners.append(lambda actions, _door, _source: self.folder.append(actions))
        links = Links(store, self.ledger, self.intake, lambda: self.folder.views, node)
        keys = Keys(wallet=village.signer("wallet"), hub=village.signer("uplink"))
        self.relay = Relay(links, keys, village.charter, Terms(gather_s=0), poll_s=0.05)

    @property
    def views(self):
        return self.folder.views

    async def load(self):
        self.folder.append([action for _, action in await self.store.page(0, 10_000)])
        await self.offer(self.village.charter.founding)

    async def offer(self, actions):
        outcomes = await self.intake.offer([encode(action) for action in actions], Door.PHONE)
        assert all(outcome.verdict == "ok" for outcome in outcomes)

    async def turn_until(self, holds):
        for _ in range(TURNS_MAX):
            await self.relay.turn()
            if holds():
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"not in {TURNS_MAX} turns; {self.relay.status()}")

    def is_done(self, actions):
        settled = [self.views.settlement.get(action.id) for action in actions]
        return all(entry is not None and entry.is_done for entry in settled)


@asynccontextmanager
async def opened(directory, village, url):
    store = await Store.open(directory, village.domain)
    try:
        async with Node([url]) as node:
            uplink = Uplink(village, store, node)
            await uplink.load()
            yield uplink
    finally:
        await store.close()


async def advance(url, burn_blocks):
    async with httpx.AsyncClient(base_url=url, timeout=REPLAY_S) as client:
        (await client.post("/test/advance", json={"burn_blocks": burn_blocks})).raise_for_status()


async def pay_in(village, url, person, hours, ustx):
    """A coordinator's deposits for a person: hours, minted for it, and STX."""
    async with Node([url]) as node:
        wallet, escrow = coordinator(village, node), village.charter.contract("payment-escrow")
        await wallet.send(*mint(village.hours, wallet.principal, hours))
        await wallet.send(*deposit_for(escrow, village.principal(person), hours, Token(village.hours, "hour-credit")))
        await wallet.wait(await wallet.send(*deposit_for(escrow, village.principal(person), ustx)))
