"""The relay on the real Clarity VM: contracts by signed transactions, a lesson in batches, receipts and balances."""

import asyncio
import json
import subprocess
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from builders import Village

from hubd.action.clarity import Ascii, Bool, PrincipalCV
from hubd.action.envelope import encode
from hubd.action.network import MAINNET
from hubd.action.principal import address
from hubd.checkout import node_program
from hubd.errors import FatalError
from hubd.fold.folder import Folder
from hubd.fold.views import LessonState, Payment, SettlementState
from hubd.intake import SetIntake
from hubd.ports import Door, TransactionState
from hubd.relay.deploy import SetUpCall, _is_made, deploy, read_plan
from hubd.relay.driver import Keys, Links, Relay
from hubd.relay.lease import lease_s
from hubd.relay.node import Node
from hubd.relay.outbox import Terms
from hubd.relay.receipts import Level
from hubd.relay.tx import Token
from hubd.relay.wallet import Pace, Wallet, deposit_for, mint, sums, transfer
from hubd.store.actions import Store

ROOT = Path(__file__).parents[2]
RICH = 1_000_000_000_000
TURNS_MAX = 200


def made_village():
    village = Village(8)
    village.charter = replace(village.charter, founding=tuple(village.found("uplink", uplink=True)))
    return village


@pytest.fixture(scope="module")
def chain():
    """A local chain with the mesh's contracts, a coordinator's hour credits and a wallet for fees."""
    village = made_village()
    balances = [f"--balance={address(village.principal(name))}={RICH}" for name in ("deployer", "wallet")]
    command = [node_program(), "contracts/localchain/main.mjs", "--block-ms=50", "--test", *balances]
    process = subprocess.Popen(
        [*command, "--exit-with-parent"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        url = json.loads(process.stdout.readline())["url"]
        asyncio.run(_deploy(village, url))
        yield url
    finally:
        process.terminate()
        process.wait()
        process.stdin.close()
        process.stdout.close()


async def _deploy(village, url):
    async with Node([url]) as node:
        wallet = _coordinator(village, node)
        plan = read_plan(ROOT / "contracts", wallet.principal)
        made = await deploy(wallet, plan)
        assert made.deployed == tuple(plan.sources)
        again = await deploy(wallet, plan)
        assert (again.deployed, again.called, again.fees_ustx) == ((), 0, 0)


def _coordinator(village, node):
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
    async with httpx.AsyncClient(base_url=url) as client:
        (await client.post("/test/advance", json={"burn_blocks": burn_blocks})).raise_for_status()


async def pay_in(village, url, person, hours, ustx):
    """A coordinator's deposits for a person: hours, minted for it, and STX."""
    async with Node([url]) as node:
        wallet, escrow = _coordinator(village, node), village.charter.contract("payment-escrow")
        await wallet.send(*mint(village.hours, wallet.principal, hours))
        await wallet.send(*deposit_for(escrow, village.principal(person), hours, Token(village.hours, "hour-credit")))
        await wallet.wait(await wallet.send(*deposit_for(escrow, village.principal(person), ustx)))


async def test_a_lesson_goes_from_booking_to_a_withdrawal_on_the_real_vm(chain, tmp_path):
    village = made_village()
    lesson = village.thread("ana", "tomas", price=60)
    gift = village.book("ana", "tomas", price=500, asset=None)
    paid = [gift, village.confirm("tomas", gift)]
    money = [village.withdraw("tomas", 25), village.withdraw("ana", 300, asset=None)]
    people = [village.register("ana"), village.register("tomas")]
    await pay_in(village, chain, "ana", 100, 1_000)
    async with opened(tmp_path, village, chain) as uplink:
        await uplink.relay.start()
        await uplink.offer([*money, *reversed(lesson.actions), *paid, *people])
        everything = [*people, *lesson.actions, *paid, *money]
        await uplink.turn_until(lambda: uplink.is_done(everything))
        entry = uplink.views.lessons[lesson.book.id]
        assert (entry.state, entry.payment, entry.settled) == (LessonState.COMPLETED, Payment.RELEASED, True)
        await advance(chain, burn_blocks=6)
        await uplink.turn_until(lambda: uplink.views.settlement[lesson.book.id].level == Level.FINAL)
        ana, tomas, hours = village.principal("ana"), village.principal("tomas"), village.hours
        await uplink.turn_until(
            lambda: (tomas, hours) in uplink.views.balances and (ana, None) in uplink.views.balances
        )
        async with Node([chain]) as node:
            escrow = village.charter.contract("payment-escrow")
            found = await sums(node, escrow, tomas, hours)
            assert (found.wallet, found.free, found.locked) == (25, 35, 0)
            found = await sums(node, escrow, ana)
            assert (found.wallet, found.free, found.locked) == (300, 200, 500)
        balance = uplink.views.balances[tomas, hours]
        assert (balance.free, balance.locked, balance.state) == (35, 0, SettlementState.CONFIRMED)
        entries = await uplink.ledger.entries(TransactionState)
        assert {entry.state for entry in entries} == {TransactionState.INCLUDED}
        assert len([entry for entry in entries if entry.ids]) <= 5
        status = uplink.relay.status()
        assert (status.waiting, status.transactions_open, status.trouble) == (0, 0, "")


class PowerCutError(Exception):
    """The test pulled the plug."""


class Plug:
    """Pulls the plug before or after the n-th call of one method of ledger or node."""

    def __init__(self, target, name, nth, *, after):
        self._method, self._left, self._after = getattr(target, name), nth, after
        setattr(target, name, self)

    async def __call__(self, *arguments):
        self._left -= 1
        if self._left == 0 and not self._after:
            raise PowerCutError
        answer = await self._method(*arguments)
        if self._left == 0:
            raise PowerCutError
        return answer


STEPS = [("_ledger", "record", 1), ("_node", "broadcast", 1), ("_ledger", "mark", 1), ("_ledger", "mark", 2)]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step[1]}-{step[2]}")
async def test_a_power_cut_around_a_broadcast_neither_loses_nor_pays_twice(chain, tmp_path, step, after):
    village = made_village()
    part, name, nth = step
    register = village.register(f"{step} {after}")
    async with opened(tmp_path, village, chain) as uplink:
        await uplink.relay.start()
        await uplink.offer([register])
        Plug(getattr(uplink.relay, part), name, nth, after=after)
        with pytest.raises(PowerCutError):
            await uplink.turn_until(lambda: False)
    async with opened(tmp_path, village, chain) as uplink:
        await uplink.relay.start()
        await uplink.turn_until(lambda: uplink.is_done([register]))
        await uplink.turn_until(lambda: not uplink.relay.status().transactions_open)
        entries = await uplink.ledger.entries(TransactionState)
        assert [entry.ids for entry in entries if entry.state is TransactionState.INCLUDED] == [(register.id,)]
        assert len({entry.account_nonce for entry in entries}) == 1


async def test_an_action_that_needs_another_goes_when_it_came(chain, tmp_path):
    village = made_village()
    people = [village.register("omar"), village.register("lena")]
    book = village.book("omar", "lena", price=0)
    confirm = village.confirm("lena", book)
    async with opened(tmp_path, village, chain) as uplink:
        await uplink.relay.start()
        await uplink.offer([*people, confirm])
        await uplink.turn_until(lambda: uplink.is_done(people) and confirm.id in uplink.views.settlement)
        assert uplink.views.settlement[confirm.id].code == 601
        await uplink.offer([book])
        await uplink.turn_until(lambda: uplink.is_done([book, confirm]))


async def test_a_second_operators_hub_confirms_what_the_first_one_claims(chain, tmp_path):
    village = made_village()
    both = [*village.found("uplink", operator=1, uplink=True), *village.found("other", operator=2, uplink=True)]
    village.charter = replace(village.charter, founding=tuple(both))
    uplinks = [village.principal("uplink"), village.principal("other")]
    registers = (village.register(f"noor {number}") for number in range(99))
    register = next(action for action in registers if not lease_s(action.id, uplinks[0], uplinks))
    async with opened(tmp_path / "a", village, chain) as first:
        await first.relay.start()
        await first.offer([register])
        await first.turn_until(lambda: register.id in first.views.settlement)
        assert first.views.settlement[register.id].state is SettlementState.CLAIMED
        gossip = [action for _, action in await first.store.page(0, 1_000)]
    async with opened(tmp_path / "b", village, chain) as second:
        keys = Keys(wallet=village.signer("other wallet"), hub=village.signer("other"))
        second.relay._keys = keys
        await second.relay.start()
        await second.offer(gossip)
        await second.turn_until(lambda: second.is_done([register]))
        assert not await second.ledger.entries(TransactionState)


async def test_before_the_contracts_are_there_the_relay_waits_and_says_why(chain, tmp_path):
    village = Village(99)
    async with opened(tmp_path, village, chain) as uplink:
        await uplink.relay.start()
        await uplink.offer([village.register("ana")])
        await uplink.relay.turn()
        status = uplink.relay.status()
        assert status.trouble == "contracts-missing"
        assert "hubd contracts deploy" in status.hint
        assert not await uplink.ledger.entries(TransactionState)


def _dying(wallet):
    """A wallet whose program dies as soon as a node took one transaction."""
    send = wallet.send

    async def send_and_die(*arguments):
        await send(*arguments)
        raise PowerCutError

    wallet.send = send_and_die
    return wallet


async def test_a_deployment_that_dies_after_each_of_its_transactions_goes_on_and_never_pays_twice(chain):
    village, deaths = Village(80), 0
    async with Node([chain]) as node:
        deployer = village.principal("deployer")
        rich = _coordinator(made_village(), node)
        await rich.wait(await rich.send(*transfer(deployer, 10_000_000)))
        plan = read_plan(ROOT / "contracts", deployer)
        steps = len(plan.sources) + len(plan.calls)
        while deaths < 10 * steps:
            try:
                whole = await deploy(_dying(_coordinator(village, node)), plan)
                break
            except PowerCutError:
                deaths += 1
        assert deaths >= steps, "it was at every step once"
        assert (whole.deployed, whole.called, whole.skipped) == ((), 0, steps)
        assert (await node.account(deployer)).account_nonce == steps
        for call in plan.calls:
            assert await _is_made(_coordinator(village, node), call), call


async def test_a_set_up_call_that_the_chain_does_not_show_is_said(chain):
    async with Node([chain]) as node:
        wallet = _coordinator(made_village(), node)
        plan = read_plan(ROOT / "contracts", wallet.principal)
        off = SetUpCall("access", "set-role", (Ascii("steward"), PrincipalCV(wallet.principal), Bool(False)))
        with pytest.raises(FatalError, match="deployment-unset") as caught:
            await deploy(wallet, replace(plan, calls=(off,)))
        assert caught.value.hint


async def test_a_contract_with_another_source_is_refused_in_words(chain):
    async with Node([chain]) as node:
        wallet = _coordinator(made_village(), node)
        plan = read_plan(ROOT / "contracts", wallet.principal)
        other = replace(plan, sources={**plan.sources, "access": "(define-read-only (n) u1)"})
        with pytest.raises(FatalError, match="contract-other-source") as caught:
            await deploy(wallet, other)
        assert "can't be changed" in caught.value.hint


async def test_a_payment_that_cannot_be_made_is_refused_in_words(chain):
    village = made_village()
    async with Node([chain]) as node:
        poor = Wallet(node, village.signer("poor"), village.network, Pace(poll_s=0.05, patience_s=20))
        with pytest.raises(FatalError, match="transaction-refused") as caught:
            await poor.send(*transfer(village.principal("ana"), 5))
        assert "too little STX" in caught.value.hint
        coordinator = _coordinator(village, node)
        sent = await coordinator.send(*mint(village.hours, village.principal("ana"), 10**12))
        with pytest.raises(FatalError, match="transaction-aborted"):
            await coordinator.wait(sent)


async def test_a_node_of_another_network_stops_the_relay_in_words(chain, tmp_path):
    village = Village(8, MAINNET)
    async with opened(tmp_path, village, chain) as uplink:
        await uplink.relay.start()
        with pytest.raises(FatalError, match="node-network") as caught:
            await uplink.relay.turn()
        assert "mainnet" in caught.value.hint


async def test_a_fork_revokes_and_the_second_mining_is_told_again(chain, tmp_path):
    village = made_village()
    register = village.register("fork")
    async with opened(tmp_path, village, chain) as uplink, httpx.AsyncClient(base_url=chain) as client:
        await uplink.relay.start()
        await uplink.offer([register])
        await uplink.turn_until(lambda: uplink.is_done([register]))
        height = uplink.views.settlement[register.id].height
        (await client.post("/test/fork", json={"blocks": 1})).raise_for_status()
        await advance(chain, burn_blocks=1)
        await uplink.turn_until(lambda: uplink.is_done([register]))
        txid = uplink.views.settlement[register.id].txid
        assert uplink.views.transactions[txid].height >= height
        await uplink.turn_until(lambda: not uplink.relay.status().transactions_open)


async def test_a_node_that_fails_for_a_while_is_tried_again(chain, tmp_path):
    village = made_village()
    register = village.register("patient")
    async with opened(tmp_path, village, chain) as uplink, httpx.AsyncClient(base_url=chain) as client:
        await uplink.relay.start()
        await uplink.offer([register])
        faults = [
            {"on": "POST /v2/transactions", "do": "lose"},
            {"on": "GET /v2/info", "do": "status", "status": 503, "times": 2},
        ]
        (await client.post("/test/faults", json=faults)).raise_for_status()
        await uplink.relay.turn()
        assert uplink.relay.status().trouble == "node-unreachable"
        await uplink.turn_until(lambda: uplink.is_done([register]))
        assert uplink.relay.status().trouble == ""
        [entry] = await uplink.ledger.entries(TransactionState)
        assert entry.ids == (register.id,)
