"""The index of who may see what: it finds exactly what a plain look at every action finds, and costs what it returns."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from builders import Village

from hubd.action.audience import ANYBODY, GUESTS, Audience, audiences, party
from hubd.action.envelope import Action
from hubd.store import audience
from hubd.store.actions import Store

VILLAGE = Village(1)
ANA, BO, TOMAS = (party(VILLAGE.principal(name)) for name in ("ana", "bo", "tomas"))
SIGHTS = [[ANYBODY], [ANYBODY, GUESTS], [ANA], [ANA, BO], [ANYBODY, GUESTS, TOMAS]]


def story() -> list[Action]:
    """Something for each audience, in an order that mixes them."""
    actions = VILLAGE.found("hub-a")
    for _ in range(20):
        actions += [VILLAGE.register("ana"), VILLAGE.request("bo"), VILLAGE.book("ana", "tomas")]
        actions += [VILLAGE.receipt("hub-a", []), VILLAGE.request("zoe"), VILLAGE.vouch("bo", "tomas")]
    return actions


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path, VILLAGE.domain)
    yield opened
    await opened.close()


def plain(actions: list[Action], names: list[Audience]) -> list[Action]:
    return [action for action in actions if audiences(action.statement) & set(names)]


async def walked(store: Store, names: list[Audience], rows: int) -> list[Action]:
    found, after = [], 0
    while page := await store.seen_page(names, after, rows):
        found += [action for _, action in page]
        after = page[-1][0]
    return found


@pytest.mark.parametrize("rows", [1, 7, 500])
async def test_pages_show_what_a_look_at_every_action_shows_in_order_of_arrival(store: Store, rows: int) -> None:
    actions = story()
    await store.append(actions[:50])
    await store.append(actions[50:])
    for names in SIGHTS:
        assert await walked(store, names, rows) == plain(actions, names)


async def test_the_items_are_those_of_the_pages(store: Store) -> None:
    await store.append(story())
    for names in SIGHTS:
        pages = await store.seen_page(names, 0, 500)
        assert await store.seen_items(names, 0, 500) == [(at, a.statement.created, a.id) for at, a in pages]


async def test_a_page_reads_the_index_and_never_walks_the_set(store: Store) -> None:
    await store.append(story())
    sql, values = audience.seen([ANYBODY, ANA, BO], 0, 10)
    plan = [str(row[3]) for row in await store.database.read(f"explain query plan select * from {sql}", values)]
    touched = [step for step in plan if "audience" in step]
    assert len(touched) == 3
    assert all("USING PRIMARY KEY (name=? AND sequence>?)" in step for step in touched), plan


async def test_a_database_of_before_the_index_gets_one_of_all_it_holds(store: Store) -> None:
    actions = story()
    await store.append(actions)

    def older(connection: sqlite3.Connection) -> None:
        connection.execute("delete from audience")
        connection.execute("update action set header = x'00' where sequence = 5")  # rotted before the index came
        audience.fill(connection)

    await store.database.write(older)
    expected = [action for at, action in enumerate(actions, 1) if at != 5]
    for names in SIGHTS:
        assert await walked(store, names, 500) == plain(expected, names)


async def test_what_rotted_ends_no_walk_early(store: Store) -> None:
    actions = [VILLAGE.request("ana") for _ in range(30)]
    await store.append(actions)
    await store.database.write(lambda c: c.execute("update action set header = x'00' where sequence between 4 and 9"))
    for _ in range(2):  # as it is found, and when it is known
        assert await walked(store, [ANA], 3) == actions[:3] + actions[9:]
    await store.append(actions[3:9])
    assert await walked(store, [ANA], 3) == actions[:3] + actions[9:] + actions[3:9], "a neighbour gave them again"
