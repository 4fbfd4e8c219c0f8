"""The main job, whole: real hubs, real phones over HTTP, the real Clarity VM; then with power cuts."""

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter

import httpx
import pytest

from hubd.action import envelope
from hubd.action.clarity import Buff, ListCV, Ok, TupleCV, UInt, decode
from hubd.action.principal import address
from hubd.demo.report import report, tables
from hubd.demo.story import Story
from hubd.demo.village import staged
from hubd.identity import Identity
from hubd.limits import PAGE_ACTIONS

DONE, SPENT = 0, 4  # codes of contracts/action-gateway.clar
STEPS = (
    "register",
    "deposit",
    "ask",
    "match",
    "book",
    "confirm",
    "meet",
    "heal",
    "rate",
    "settle",
    "withdraw",
    "converge",
)


async def codes_on_chain(village):
    """What the chain answered for each action in each of the relay's transactions: {id: Counter of codes}."""
    relay = address(Identity.open(village.hubs[-1].directory).wallet.principal(village.charter.network))
    answers: dict[bytes, Counter[int]] = {}
    lines = [json.loads(line) for line in village.chain.state.read_text().splitlines()]
    txids = [txid.removeprefix("0x") for line in lines for txid in line.get("mine", ())]
    async with httpx.AsyncClient(base_url=village.chain.url) as client:
        for txid in txids:
            seen = (await client.get(f"/extended/v1/tx/0x{txid}")).json()
            if seen.get("sender_address") != relay or seen["tx_status"] != "success":
                continue
            match decode(bytes.fromhex(seen["tx_result"]["hex"].removeprefix("0x"))):
                case Ok(ListCV(items)):
                    for item in items:
                        assert isinstance(item, TupleCV)
                        action_id, code = item.entries["id"], item.entries["code"]
                        assert isinstance(action_id, Buff)
                        assert isinstance(code, UInt)
                        answers.setdefault(action_id.value, Counter())[code.value] += 1
    return answers


async def ids_at(village, hub):
    """The ids of a hub's set, read from the bytes that it holds."""
    ids, after = set(), 0
    while rows := await hub.ask("page", after, PAGE_ACTIONS):
        after = rows[-1][0]
        ids.update(envelope.parse(raw, village.charter.domain).id for _, raw in rows)
    return ids


async def acknowledged_by(village, hub):
    """The ids that this hub has told some phone are safe with it."""
    principal = Identity.open(hub.directory).principal(village.charter.domain)
    items = [item for phone in village.phones for item in await phone._replica.outbox.items()]
    return {item.id for item in items if principal in item.hubs}


async def hold_the_promises(story, facts):
    """Whatever happened on the way: equal views, everybody paid once, nothing acknowledged lost."""
    village = story.village
    assert facts["converged"], "\n".join(tables(facts))
    states = Counter((lesson["state"], lesson["payment"]) for lesson in facts["lessons"])
    assert states == {("settled", "released"): len(story.pairs), ("cancelled", "returned"): 1}
    assert {lesson["level"] for lesson in facts["lessons"]} == {"final"}
    for row, pair in zip(facts["balances"], story.pairs, strict=True):
        assert row["after"] - row["before"] == pair.price
    signed = {item.id for phone in village.phones for item in await phone._replica.outbox.items()}
    assert len(signed) >= 9 * len(story.pairs), "a lesson takes at least nine signatures"
    for hub in village.hubs:
        assert signed <= await ids_at(village, hub)
    for phone in village.phones:
        shown = await phone.show()
        assert {entry["status"] for entry in shown["outbox"]} <= {"at the hub", "done"}, shown["outbox"]


def test_the_demo_command_ends_with_one_json_line_that_says_converged():
    command = [sys.executable, "-m", "hubd", "demo", "--json", "--phones", "2"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)
    assert ended.returncode == 0, ended.stderr
    facts = json.loads(ended.stdout.splitlines()[-1])
    assert facts["converged"] is True
    assert [hub["name"] for hub in facts["hubs"]] == ["A", "B", "C"]
    assert len({(hub["count"], hub["fingerprint"], hub["views"]) for hub in facts["hubs"]}) == 1
    assert sorted(lesson["state"] for lesson in facts["lessons"]) == ["cancelled", "settled"]
    assert {lesson["asset"] for lesson in facts["lessons"]} == {"stx"}
    assert (facts["returned"]["free"], facts["returned"]["locked"]) == (4_000_000, 0)
    assert "cancelled lesson" in ended.stderr
    assert facts["chain"]["transactions"] > 0
    assert "all hubs show the same" in ended.stderr


QUICK = ((0,), (2,))
LONG = ((0,), (1,), (2,), (0, 1), (0, 1, 2))


@pytest.mark.parametrize("victims", LONG if os.environ.get("HUBD_CAMPAIGN") else QUICK)
async def test_a_hub_killed_before_every_step_loses_nothing_and_pays_nothing_twice(tmp_path, victims):
    said = []
    async with staged(tmp_path, 3, said.append) as village:
        tasks, promised = [], {}

        async def power_cut(hub):
            promised[hub.name] = await acknowledged_by(village, hub)
            await hub.kill()
            await asyncio.sleep(0.2)
            await hub.start()
            assert promised[hub.name] <= await ids_at(village, hub)

        async def at(step):
            await asyncio.gather(*tasks)
            tasks.extend(asyncio.create_task(power_cut(village.hubs[victim])) for victim in victims)
            await asyncio.sleep(0.05 * (STEPS.index(step) % 4))  # the step begins while the hub is down or coming up

        story = Story(village, 2, said.append, at)
        await story.tell()
        await asyncio.gather(*tasks)
        facts = await report(story)
        await hold_the_promises(story, facts)
        answers = await codes_on_chain(village)
        assert answers
        paid_twice = {action_id.hex(): codes for action_id, codes in answers.items() if codes[DONE] > 1 or codes[SPENT]}
        assert not paid_twice
    assert len(tasks) == len(STEPS) * len(victims)
    assert any(promised.values()) or victims == (2,), "no phone syncs with the last hub"
