"""Which actions' content is missing: whatever comes in whichever order, exactly those are listed that may be asked for."""

import asyncio
import sqlite3
from itertools import permutations

import pytest

from hubd.action import content, envelope
from hubd.action.network import TESTNET
from hubd.action.principal import contract
from hubd.action.signature import Signer
from hubd.action.sip018 import Domain
from hubd.action.statement import Statement
from hubd.store.actions import DATABASE_NAME, Store
from hubd.store.scrubber import Scrubber

SIGNER, OTHER = Signer(b"\x05" * 32), Signer(b"\x06" * 32)
DOMAIN = Domain(TESTNET, contract(SIGNER.principal(TESTNET), "access"))
BODY = content.seal_content({"note": "here"}, bytes(16))


def action(number, kind="offer-set", body=BODY, signer=SIGNER, **fields):
    statement = Statement(kind, signer.principal(TESTNET), number, number + 9, number.to_bytes(8, "big"), **fields)
    return envelope.seal(statement, signer, DOMAIN, body)


FULL = action(1)
BARE = envelope.without_content(FULL)
ERASURE = action(2, "content-erase", None, subject=FULL.id)
NOT_THE_AUTHORS = action(3, "content-erase", None, OTHER, subject=FULL.id)


@pytest.fixture
async def store(tmp_path):
    opened = await Store.open(tmp_path, DOMAIN)
    yield opened
    await opened.close()


async def lacking(store):
    found = [id_ for _, id_ in await store.lacking(0, 100)]
    assert (await store.summary()).lacking == len(found)
    return found


@pytest.mark.parametrize("story", [
    story
    for size in (1, 2, 3)
    for several in ([BARE, FULL, ERASURE], [BARE, FULL, NOT_THE_AUTHORS], [BARE, ERASURE, NOT_THE_AUTHORS])
    for story in permutations(several, size)
])  # fmt: skip
@pytest.mark.parametrize("together", [True, False])
async def test_all_orders_of_a_header_its_content_and_its_erasure(store, story, together):
    gained, before = [], []
    store.gain_listeners.append(lambda news, source: gained.append((news, source)))
    for batch in [story] if together else [[each] for each in story]:
        told = await store.append(batch, b"a peer")
        assert ERASURE not in batch or FULL not in told, "what was erased is told to nobody"
        is_gain = BARE in before and FULL in batch and not {FULL, ERASURE} & {*before}
        await asyncio.sleep(0)
        assert gained == ([([FULL], b"a peer")] if is_gain else []), "content that came to its header, and only that"
        gained.clear()
        before += batch
    is_here, is_erased = BARE in story or FULL in story, ERASURE in story
    found = await store.get([FULL.id])
    assert found == ([BARE if is_erased or FULL not in story else FULL] if is_here else [])
    assert await lacking(store) == ([FULL.id] if is_here and not is_erased and FULL not in story else [])


async def test_erased_content_that_comes_again_is_stored_by_nobody_and_told_to_nobody(store):
    await store.append([ERASURE])
    assert await store.append([FULL]) == [BARE]
    assert await store.append([FULL]) == []
    assert await store.get([FULL.id]) == [BARE]


async def test_what_names_no_content_lacks_none(store):
    await store.append([action(1, "vouch-give", None), action(2, "rating-seal", None, content=b"\x01" * 32)])
    assert await lacking(store) == []


async def test_a_page_goes_on_behind_the_last_one(store):
    several = [action(number) for number in range(5)]
    await store.append(
        [envelope.without_content(each) if number % 2 == 0 else each for number, each in enumerate(several)]
    )
    [first, second] = await store.lacking(0, 2)
    assert [first[1], second[1]] == [several[0].id, several[2].id]
    assert [id_ for _, id_ in await store.lacking(second[0], 2)] == [several[4].id]


async def test_content_that_rotted_is_missing_until_it_is_given_again(store):
    await store.append([FULL])
    await store.database.write(lambda writer: writer.execute("update content set body = x'a0'"))
    assert await store.page(0, 9) == [(1, BARE)]
    assert await lacking(store) == [FULL.id]
    await store.append([FULL])
    assert (await store.get([FULL.id]), await lacking(store)) == ([FULL], [])


async def test_what_leaves_the_set_is_not_asked_for(store):
    await store.append([BARE])
    await store.database.write(lambda writer: writer.execute("update action set digest = x'00'"))
    assert await store.page(0, 9) == []
    assert await lacking(store) == []
    await store.append([BARE])
    assert await lacking(store) == [FULL.id]


async def test_a_damaged_row_whose_action_came_in_again_is_missing_nothing_once_it_is_gone(store):
    await store.append([BARE])
    await store.database.write(lambda writer: writer.execute("update action set id = zeroblob(32)"))
    await store.append([FULL])
    await Scrubber(store, store.get).scrub()
    assert [found for _, found in await store.page(0, 9)] == [FULL]
    assert await lacking(store) == []


async def test_a_set_from_before_the_index_is_indexed_when_it_opens(tmp_path):
    store = await Store.open(tmp_path, DOMAIN)
    erased, whole = action(4), action(5)
    await store.append([BARE, envelope.without_content(erased), whole, action(6, "vouch-give", None)])
    await store.append([action(7, "content-erase", None, subject=erased.id)])
    listed = await store.lacking(0, 9)
    await store.close()
    with sqlite3.connect(tmp_path / DATABASE_NAME) as old:
        old.executescript("drop table lacking; delete from meta where key = 'left'; pragma user_version = 3;")
    old.close()
    store = await Store.open(tmp_path, DOMAIN)
    assert await store.lacking(0, 9) == listed == [(1, FULL.id)]
    await store.close()


def rows_of_lacking(numbers):
    return [("insert into lacking (sequence) values (?)", (number,)) for number in numbers]


@pytest.mark.parametrize(
    "changes",
    [
        [("delete from lacking", ())],
        [("delete from lacking where sequence = 3", ())],
        rows_of_lacking([2, 5]),
        rows_of_lacking([4]),
        rows_of_lacking([77, 2**40]),
        [("delete from lacking", ()), *rows_of_lacking([2, 4, 77])],
    ],
    ids=["all lost", "one lost", "content is here", "was erased", "no action's", "all of it"],
)
async def test_the_scrub_puts_an_index_right_that_lost_rows_or_has_others(store, changes, monkeypatch):
    """Kills the mutant that looks for content without looking whether it is listed."""
    monkeypatch.setattr("hubd.store.scrub.SCRUB_STEP_ROWS", 2)
    several = [action(number) for number in range(10, 15)]
    bare = [envelope.without_content(several[number]) for number in (0, 2)]
    await store.append([bare[0], several[1], bare[1], envelope.without_content(several[3]), several[4]])
    await store.append([action(20, "content-erase", None, subject=several[3].id)])
    sound = await lacking(store)
    for sql, values in changes:
        await store.database.write(lambda writer, sql=sql, values=values: writer.execute(sql, values))
    found = await Scrubber(store, store.get).scrub()
    assert await lacking(store) == sound == [each.id for each in bare]
    assert found.damaged == len(changes) + (changes[0][0] == "delete from lacking")
    assert (await Scrubber(store, store.get).scrub()).damaged == 0
    await store.append([several[0], several[2]])
    assert await lacking(store) == []


async def test_content_that_comes_between_the_scrubs_look_and_its_repair_is_not_listed(store, monkeypatch):
    """Kills the mutant that lists what the look told it to."""
    await store.append([BARE])
    await store.database.write(lambda writer: writer.execute("delete from lacking"))
    change, came = store.change, []

    async def meanwhile(work):
        if not came:
            came.append(await store.append([FULL]))
        return await change(work)

    monkeypatch.setattr(store, "change", meanwhile)
    await Scrubber(store, store.get).scrub()
    assert (came, await lacking(store)) == ([[]], [])
