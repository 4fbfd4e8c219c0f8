"""A card that gives nothing while hubs are linked."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from linked import VILLAGE, Mesh, are_equal, registrations, tell_address, until

from hubd.action.fingerprint import EMPTY, extend
from hubd.store.actions import Store

pytestmark = pytest.mark.usefixtures("in_a_hurry")


@pytest.fixture
async def mesh(tmp_path: Path) -> AsyncIterator[Mesh]:
    opened: list[Store] = []

    async def make(name: str) -> Store:
        opened.append(await Store.open(tmp_path / name, VILLAGE.domain))
        return opened[-1]

    mesh = Mesh(make)
    yield mesh
    await mesh.stop()
    for store in opened:
        await store.close()


class Unreadable:
    """A connection to a card that gives nothing: the fault is injected where SQLite would tell of it."""

    def execute(self, *_: object) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_READ
        raise error

    in_transaction = False


async def test_a_hub_whose_card_can_not_be_read_keeps_its_links_says_so_and_catches_up(mesh: Mesh) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b")
    await mesh.start(a, b)
    tell_address(a, b)
    await a.offer(registrations("first", 3))
    await are_equal(a, b, count=3)
    lanes = [b.store.database._reader, b.store.database._comparer]
    whole = [lane._connection for lane in lanes]
    for lane in lanes:
        lane._connection = Unreadable()
    await until(lambda: b.link.counters["database"])
    assert b.link.trouble == "database"
    await a.offer(registrations("meanwhile", 2))  # comes by a push, which is written and not read
    await until(lambda: b.link.status()[0].counters.get("push-ok"))
    assert not b.running.done()
    assert b.state(a) == a.state(b) == "connected"
    assert not any(status.counters.get("order") for hub in (a, b) for status in hub.link.status())
    for lane, connection in zip(lanes, whole, strict=True):
        lane._connection = connection
    await are_equal(a, b, count=5)
    await until(lambda: b.link.trouble != "database")


async def test_sets_whose_ids_are_one_and_whose_fingerprints_are_not_make_both_sides_doubt(mesh: Mesh) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b")
    same = registrations("same", 40)
    for hub in (a, b):
        await hub.offer(same)
    wrong = extend(EMPTY, [same[0].id])
    await b.store.change(lambda writer: writer.execute("update meta set value = ? where key = 'lthash'", (wrong,)))
    await mesh.start(a, b)
    tell_address(a, b)
    await until(lambda: a.doubts and b.doubts)
    assert not a.proven


async def test_sets_that_differ_in_actions_alone_make_nobody_doubt(mesh: Mesh) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b")
    await a.offer(registrations("one", 40))
    await b.offer(registrations("other", 40))
    await mesh.start(a, b)
    tell_address(a, b)
    await until(lambda: a.proven and b.proven)
    assert (a.doubts, b.doubts) == (0, 0)
