"""The relay on the real Clarity VM: contracts by signed transactions, a lesson in batches, receipts and balances."""

from dataclasses import replace

import httpx
import pytest
from builders import Village
from uplinks import REPLAY_S, ROOT, advance, coordinator, made_village, opened, pay_in

from hubd.action.clarity import Ascii, Bool, PrincipalCV
from hubd.action.network import MAINNET
from hubd.errors import FatalError
from hubd.fold.views import LessonState, Payment, SettlementState
from hubd.ports import TransactionState
from hubd.relay.deploy import SEAL, SetUpCall, _is_made, deploy, read_plan
from hubd.relay.driver import Keys
from hubd.relay.lease import lease_s
from hubd.relay.node import Node
from hubd.relay.receipts import Level
from hubd.relay.wallet import Pace, Wallet, mint, sums, transfer


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
        rich = coordinator(made_village(), node)
        await rich.wait(await rich.send(*transfer(deployer, 10_000_000)))
        plan = read_plan(ROOT / "contracts", deployer)
        steps = len(plan.sources) + len(plan.calls)
        while deaths < 10 * steps:
            try:
                whole = await deploy(_dying(coordinator(village, node)), plan)
                break
            except PowerCutError:
                deaths += 1
        assert deaths >= steps, "it was at every step once"
        assert (whole.deployed, whole.called, whole.skipped) == ((), 0, steps)
        assert (await node.account(deployer)).account_nonce == steps
        for call in plan.calls:
            assert await _is_made(coordinator(village, node), call), call


async def test_a_set_up_call_that_the_chain_does_not_show_is_said(chain):
    async with Node([chain]) as node:
        wallet = coordinator(made_village(), node)
        plan = read_plan(ROOT / "contracts", wallet.principal)
        off = SetUpCall("access", "set-role", (Ascii("steward"), PrincipalCV(wallet.principal), Bool(False)))
        with pytest.raises(FatalError, match="deployment-unset") as caught:
            await deploy(wallet, replace(plan, calls=(off,)))
        assert caught.value.hint


async def test_a_deployment_seals_last_and_a_sealed_mesh_is_not_set_up_again(chain):
    async with Node([chain]) as node:
        wallet = coordinator(made_village(), node)
        plan = read_plan(ROOT / "contracts", wallet.principal)
        *_, seal = plan.calls
        assert ((seal.contract, seal.function), await _is_made(wallet, seal)) == (SEAL, True)
        changed = SetUpCall("access", "set-role", (Ascii("spare"), PrincipalCV(wallet.principal), Bool(True)))
        outcome = await deploy(wallet, replace(plan, calls=(changed, seal)))
        assert (outcome.called, outcome.skipped) == (0, len(plan.sources) + 2)
        with pytest.raises(FatalError, match="transaction-aborted"):
            await deploy(wallet, replace(plan, calls=(changed,)))


async def test_a_contract_with_another_source_is_refused_in_words(chain):
    async with Node([chain]) as node:
        wallet = coordinator(made_village(), node)
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
        payer = coordinator(village, node)
        sent = await payer.send(*mint(village.hours, village.principal("ana"), 10**12))
        with pytest.raises(FatalError, match="transaction-aborted"):
            await payer.wait(sent)


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
    async with (
        opened(tmp_path, village, chain) as uplink,
        httpx.AsyncClient(base_url=chain, timeout=REPLAY_S) as client,
    ):
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
    async with (
        opened(tmp_path, village, chain) as uplink,
        httpx.AsyncClient(base_url=chain, timeout=REPLAY_S) as client,
    ):
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
