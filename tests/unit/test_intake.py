import asyncio
import gc

import pytest
from builders import Village

from hubd.action import envelope
from hubd.errors import LocalError
from hubd.intake import SetIntake
from hubd.limits import APPEND_ACTIONS_MAX
from hubd.ports import Door, Verdict
from hubd.store.actions import Store

VILLAGE = Village(seed=7)
ACTIONS = [VILLAGE.register("ana"), VILLAGE.register("tomas")]
RAWS = [envelope.encode(action) for action in ACTIONS]


@pytest.fixture
async def store(tmp_path):
    opened = await Store.open(tmp_path, VILLAGE.charter.domain)
    yield opened
    await opened.close()


@pytest.fixture
def intake(store):
    return SetIntake(store, VILLAGE.charter.domain)


async def test_each_envelope_gets_its_outcome_in_order_and_is_counted(intake):
    outcomes = await intake.offer([RAWS[0], b"rubbish", RAWS[0], RAWS[1]], Door.PHONE)
    assert [outcome.verdict for outcome in outcomes] == [Verdict.OK, Verdict.REFUSED, Verdict.OK, Verdict.OK]
    assert [outcome.is_new for outcome in outcomes] == [True, False, False, True]
    assert outcomes[1].code == "cbor"
    assert intake.counters == {"phone.new": 2, "phone.known": 1, "phone.cbor": 1}


async def test_listeners_hear_of_new_actions_once_and_with_their_source(intake):
    heard = []
    intake.listeners.append(lambda actions, door, source: heard.append((list(actions), door, source)))
    await intake.offer(RAWS, Door.PEER, b"a hub")
    await intake.offer(RAWS, Door.PEER, b"another")
    assert heard == [(ACTIONS, Door.PEER, b"a hub")]


async def test_a_caller_who_gives_up_leaves_nothing_on_disk_that_views_never_hear_of(intake, store):
    heard, faults = [], []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: faults.append(told))
    intake.listeners.append(lambda actions, *_: heard.extend(actions))
    for ticks in range(12):
        action = VILLAGE.register(f"person {ticks}")
        offering = asyncio.create_task(intake.offer([envelope.encode(action)], Door.PHONE))
        for _ in range(ticks):
            await asyncio.sleep(0)
        offering.cancel()
        await asyncio.gather(offering, return_exceptions=True)
        await intake.offer(RAWS, Door.PEER)  # behind it
    assert {action.id for _, action in await store.page(0, 99)} == {action.id for action in heard}
    assert len(heard) > len(RAWS), "some of them came far enough"
    gc.collect()  # a task's unheard error is told when it goes
    assert not faults


async def test_a_listener_that_fails_keeps_nothing_from_the_others(intake):
    heard = []

    def fails(*_):
        raise ValueError("a fault of ours")

    intake.listeners += [fails, lambda actions, *_: heard.extend(actions)]
    outcomes = await intake.offer(RAWS, Door.PHONE)
    assert [outcome.verdict for outcome in outcomes] == [Verdict.OK, Verdict.OK]
    assert heard == ACTIONS


async def test_nothing_is_ok_where_the_write_failed(intake, store):
    trigger = "create trigger no before insert on action begin select raise(abort, 'no'); end"
    await store.database.write(lambda writer: writer.execute(trigger))
    with pytest.raises(LocalError):
        await intake.offer(RAWS, Door.PHONE)
    assert (await store.summary()).count == 0


# --- turns


def many(names, count):
    return [envelope.encode(VILLAGE.register(f"{names}-{number}")) for number in range(count)]


async def test_what_a_phone_brings_waits_for_two_transactions_whatever_sixteen_hubs_bring(intake, store):
    raws = many("bulk", 4_000)
    bulk = [
        asyncio.create_task(intake.offer(raws[start : start + 250], Door.PEER, bytes([start // 250])))
        for start in range(0, len(raws), 250)
    ]
    await until_some_are_stored(store)
    told = []
    intake.listeners.append(lambda actions, door, _: told.append((door, len(actions))))
    await intake.offer(RAWS, Door.PHONE)
    doors = [door for door, _ in told]
    assert sum(count for _, count in told[: doors.index(Door.PHONE)]) <= 2 * APPEND_ACTIONS_MAX
    assert not all(task.done() for task in bulk)
    await asyncio.gather(*bulk)
    assert (await store.summary()).count == 4_000 + len(RAWS)


async def test_one_hub_that_brings_much_and_one_that_brings_little_take_turns(intake, store):
    flood = asyncio.create_task(intake.offer(many("flood", 4_000), Door.PEER, b"flood"))
    await until_some_are_stored(store)
    before = (await store.summary()).count
    await intake.offer(RAWS, Door.PEER, b"another")
    between = (await store.summary()).count - before - len(RAWS)
    assert between <= 3 * APPEND_ACTIONS_MAX
    assert not flood.done()
    assert all(outcome.is_new for outcome in await flood)


async def until_some_are_stored(store):
    while (await store.summary()).count == 0:
        await asyncio.sleep(0)


async def test_a_bug_in_the_parser_rises_where_it_was_offered_and_stops_nobody_else(intake, monkeypatch):
    parse = envelope.parse

    def fails(raw, domain):
        if raw == b"bug":
            raise ValueError("a fault of ours")
        return parse(raw, domain)

    monkeypatch.setattr(envelope, "parse", fails)
    one, other = await asyncio.gather(
        intake.offer([b"bug"], Door.PEER, b"a"), intake.offer(RAWS, Door.PEER, b"b"), return_exceptions=True
    )
    assert isinstance(one, ValueError)
    assert [outcome.is_new for outcome in other] == [True, True]


async def test_nothing_offered_is_nothing_answered(intake):
    assert await intake.offer([], Door.PHONE) == []
