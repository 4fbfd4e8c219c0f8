"""A large set of an earlier schema is converted: it says how far it is, and a power cut in the middle costs nothing."""

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import structlog
from builders import Village

from hubd.errors import FatalError
from hubd.store import migrations
from hubd.store.actions import DATABASE_NAME, Store
from hubd.store.database import lock_directory

VILLAGE = Village(seed=5)
COUNT = 1_200
PAGE_ROWS = 100  # of the set, between two words


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """The bytes of a database of schema 1, and what the tables of a new one hold with the same actions."""
    directory = tmp_path_factory.mktemp("new")

    async def fill():
        store = await Store.open(directory, VILLAGE.domain)
        people = [VILLAGE.register(f"person {number}") for number in range(COUNT - 100)]
        offers = [VILLAGE.seal(f"person {number}", "offer-set", text={"note": "words"}) for number in range(100)]
        await store.append([*people, *offers])
        await store.close()

    asyncio.run(fill())
    with sqlite3.connect(directory / "old") as earlier:
        earlier.executescript(migrations.migrations()[0][1] + "pragma user_version = 1;")
        earlier.execute("attach ? as new", (str(directory / DATABASE_NAME),))
        columns = "sequence, id, created, kind, author, header, digest"
        earlier.execute(f"insert into action ({columns}) select {columns} from new.action")
        earlier.execute("insert into meta select key, value from new.meta where key not in ('sketch', 'left')")
        late = "select id from new.action where sequence > ?"
        earlier.execute(f"insert into content select * from new.content where id not in ({late})", (COUNT - 50,))
    earlier.close()
    return (directory / "old").read_bytes()


def tables(directory):
    with sqlite3.connect(directory / DATABASE_NAME) as found:
        names = ("action", "content", "audience", "lacking", "meta")
        rows = {name: found.execute(f"select * from {name} order by 1, 2").fetchall() for name in names[:3]}
        rows |= {name: found.execute(f"select * from {name} order by 1").fetchall() for name in names[3:]}
        counted = found.execute("select sum(count), max(count) > 0 from bucket").fetchone()
        assert found.execute("pragma integrity_check").fetchone() == ("ok",)
        rows["version"] = [*found.execute("pragma user_version").fetchone(), counted]
    found.close()
    return rows


async def converted(directory, old):
    directory.mkdir(exist_ok=True)
    (directory / DATABASE_NAME).write_bytes(old)
    store = await Store.open(directory, VILLAGE.domain)
    await store.close()
    return tables(directory)


@pytest.fixture
def often(monkeypatch):
    """A word after every page."""
    monkeypatch.setattr(migrations, "MIGRATION_TOLD_S", 0.0)
    for place in ("audience._PAGE_ROWS", "lacking._PAGE_ROWS", "buckets._TOLD_ITEMS"):
        monkeypatch.setattr(f"hubd.store.{place}", PAGE_ROWS)


@pytest.mark.usefixtures("often")
async def test_a_long_conversion_says_how_far_it_is_and_that_it_is_over(tmp_path, old):
    with structlog.testing.capture_logs() as said:
        rows = await converted(tmp_path, old)
    assert (len(rows["action"]), len(rows["lacking"])) == (COUNT, 50)
    *words, last = [line for line in said if line["event"].startswith("migrat")]
    assert (last["event"], last["count"]) == ("migrated", COUNT)
    for step in (2, 3, 4):
        counts = [line["count"] for line in words if line["version"] == step]
        assert counts == sorted(counts)
        assert len(counts) >= COUNT // PAGE_ROWS
    assert {line["items"] for line in words} == {COUNT}
    assert not (tmp_path / migrations.NOTICE_NAME).exists()


async def test_a_short_conversion_says_nothing(tmp_path, old):
    with structlog.testing.capture_logs() as said:
        await converted(tmp_path, old)
    assert said == []


async def test_whoever_finds_the_folder_in_use_meanwhile_is_told_how_far_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr("hubd.store.database.LOCK_WAIT_S", 0.0)
    lock_directory(tmp_path)
    (tmp_path / migrations.NOTICE_NAME).write_text("step 3, 4096 of 1000000 actions")
    with pytest.raises(FatalError) as told:
        await Store.open(tmp_path, VILLAGE.domain)
    assert told.value.code == "migrating"
    assert "4096 of 1000000" in told.value.detail


KILLED = """
import asyncio, sys
sys.path[:0] = {path!r}
from pathlib import Path
from hubd.store import audience, buckets, lacking, migrations
from hubd.store.actions import Store
from test_migrations import VILLAGE
migrations.MIGRATION_TOLD_S = 0.0
audience._PAGE_ROWS = lacking._PAGE_ROWS = buckets._TOLD_ITEMS = {rows}
asyncio.run(Store.open(Path({data!r}), VILLAGE.domain))
"""


@pytest.mark.parametrize("words", [1, 8, 14, 20, 26, 34])
async def test_a_conversion_killed_anywhere_begins_again_and_loses_nothing(tmp_path, old, words):
    wanted = await converted(tmp_path / "whole", old)
    (tmp_path / DATABASE_NAME).write_bytes(old)
    path = [str(Path(__file__).parent), *sys.path]
    script = KILLED.format(path=path, rows=PAGE_ROWS, data=str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as converting:
        for _ in range(words):
            assert "migrating" in converting.stdout.readline()
        converting.kill()
    store = await Store.open(tmp_path, VILLAGE.domain)
    await store.close()
    assert tables(tmp_path) == wanted
    assert not (tmp_path / migrations.NOTICE_NAME).exists()
