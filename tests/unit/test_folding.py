"""A hub's fold at its own pace: late but never wrong, whatever ends it, and whatever becomes of its file."""

import asyncio
import contextlib
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from builders import Village
from soups import SOUPS

from hubd import folding as module
from hubd.errors import LocalError
from hubd.fold.folder import fold
from hubd.folding import Folding
from hubd.ports import Door
from hubd.store.actions import DATABASE_NAME, Store
from hubd.store.viewfile import FILE_NAME
from hubd.store.views import SqliteMemory

SOUP = SOUPS["lesson"]()
CHARTER = SOUP.village.charter
EXPECTED = fold(CHARTER, SOUP.actions).digest


@contextlib.asynccontextmanager
async def folding_in(directory, charter=CHARTER):
    store = await Store.open(directory, charter.domain)
    try:
        folding = Folding(directory, store, charter)
        await folding.open()
        yield folding, store
        await folding.close()
    finally:
        await store.close()


async def filled(directory, actions=SOUP.actions):
    """A data directory with a set and no views yet."""
    store = await Store.open(directory, CHARTER.domain)
    await store.append(actions)
    await store.close()


async def digest_of(directory):
    """The digest that a hub over this directory comes to."""
    async with folding_in(directory) as (folding, _):
        await folding.catch_up()
        assert folding.behind == 0
        return folding.views.digest


async def test_views_that_were_kept_are_there_at_once(tmp_path):
    await filled(tmp_path)
    assert await digest_of(tmp_path) == EXPECTED
    async with folding_in(tmp_path) as (folding, _):
        assert (folding.behind, folding.views.digest) == (0, EXPECTED)
        assert folding.views == fold(CHARTER, SOUP.actions)


async def test_members_are_known_before_anything_else_is_folded(tmp_path):
    village = Village(3)
    store = await Store.open(tmp_path, village.charter.domain)
    await store.append([village.register("ana"), village.book("ana", "tomas"), *village.found("hub")])
    await store.close()
    async with folding_in(tmp_path, village.charter) as (folding, _):
        assert folding.views.mesh.hubs == (village.principal("hub"),)
        assert folding.behind == 4
        assert not folding.views.persons


async def test_a_flood_waits_and_an_admission_in_it_does_not(tmp_path):
    village = Village(3)
    flood = [village.register(f"p{n}") for n in range(100)]
    async with folding_in(tmp_path, village.charter) as (folding, store):
        running = asyncio.create_task(folding.run())
        await asyncio.sleep(0)
        fresh = await store.append([*flood, *village.found("hub")])
        folding.heard(fresh, Door.PEER, b"")
        assert folding.views.mesh.hubs == (village.principal("hub"),)
        assert (folding.behind, len(folding.views.persons)) == (102, 0)
        await folding.catch_up()
        assert (folding.behind, len(folding.views.persons)) == (0, 100)
        running.cancel()


@pytest.mark.parametrize("first", [100, module.PAGE_ACTIONS])
async def test_what_comes_while_the_last_page_is_folded_is_in_the_views_soon(tmp_path, first):
    village = Village(3)
    later = [village.register(f"later-{n}") for n in range(40)]
    async with folding_in(tmp_path, village.charter) as (folding, store):
        running, settle = asyncio.create_task(folding.run()), folding._settle_in_steps

        async def settle_and_hear():
            if folding.behind and later:
                fresh = await store.append(later)
                later.clear()
                folding.heard(fresh, Door.PEER, b"")
            await settle()

        folding._settle_in_steps = settle_and_hear
        await asyncio.sleep(0)
        folding.heard(await store.append([village.register(f"p{n}") for n in range(first)]), Door.PEER, b"")
        while folding.behind:
            await asyncio.sleep(0.01)
        assert len(folding.views.persons) == (await store.summary()).count == first + 40
        running.cancel()


async def test_a_few_actions_are_in_the_views_when_their_listener_returns(tmp_path):
    village = Village(3)
    async with folding_in(tmp_path, village.charter) as (folding, store):
        running = asyncio.create_task(folding.run())
        await asyncio.sleep(0)
        vouch = village.vouch("steward-1", "ana")
        folding.heard(await store.append([village.register("ana"), vouch]), Door.PHONE, b"")
        assert village.principal("ana") in folding.views.persons
        assert village.principal("ana") in folding.circle
        running.cancel()
    async with folding_in(tmp_path, village.charter) as (folding, _):
        await folding.catch_up()
        assert village.principal("ana") in folding.circle


async def test_others_get_a_turn_while_a_large_set_is_folded(tmp_path):
    await filled(tmp_path)
    async with folding_in(tmp_path) as (folding, _):
        turns, working = 0, asyncio.create_task(folding.catch_up())
        while not working.done():
            await asyncio.sleep(0)
            turns += 1
        assert turns > len(SOUP.actions) / module.FOLD_ACTIONS_PER_STEP


# --- whatever ends it


class Killed:
    """Copies of the views' file as a kill would leave it, before and after each time that something is written."""

    def __init__(self, directory: Path, monkeypatch) -> None:
        self.directory, self.copies = directory, []
        monkeypatch.setattr(module, "FOLD_KEEP_ACTIONS", 8)
        monkeypatch.setattr(module, "PAGE_ACTIONS", 4)
        for name in ("flush", "commit"):
            monkeypatch.setattr(SqliteMemory, name, self._around(getattr(SqliteMemory, name)))

    def _around(self, method):
        def copying(memory, *arguments):
            self._copy()
            method(memory, *arguments)
            self._copy()

        return copying

    def _copy(self) -> None:
        copy = self.directory / f"copy-{len(self.copies)}"
        copy.mkdir()
        for path in self.directory.glob(FILE_NAME + "*"):
            shutil.copy(path, copy)
        self.copies.append(copy)

    async def digests(self, limit: int) -> set[bytes]:
        """What hubs come to that go on from the copies, at most so many of them."""
        found = set()
        for copy in self.copies[:: max(1, len(self.copies) // limit)]:
            shutil.copy(self.directory / DATABASE_NAME, copy)
            found.add(await digest_of(copy))
        return found


async def _kill_everywhere(tmp_path, monkeypatch) -> set[bytes]:
    await filled(tmp_path)
    with monkeypatch.context() as patch:
        killed = Killed(tmp_path, patch)
        assert await digest_of(tmp_path) == EXPECTED
    assert len(killed.copies) >= 20
    return await killed.digests(25)


async def test_a_hub_that_died_at_any_moment_comes_to_the_same_views(tmp_path, monkeypatch):
    assert await _kill_everywhere(tmp_path, monkeypatch) == {EXPECTED}


async def test_a_place_that_is_written_before_what_it_covers_is_noticed(tmp_path, monkeypatch):
    def place_first(memory, covered):
        commit(memory, marks.get(covered and covered[0] + 4, covered))  # the place of the next page

    commit = SqliteMemory.commit
    await filled(tmp_path)
    store = await Store.open(tmp_path, CHARTER.domain)
    marks = {number: (number, await store.mark_of(number)) for number, _ in await store.page(0, 500)}
    await store.close()
    monkeypatch.setattr(SqliteMemory, "commit", place_first)
    with monkeypatch.context() as patch:
        killed = Killed(tmp_path, patch)
        with contextlib.suppress(Exception):
            await digest_of(tmp_path)
    monkeypatch.setattr(SqliteMemory, "commit", commit)
    assert await killed.digests(25) != {EXPECTED}


_FOLDS_UNTIL_KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from soups import SOUPS
from hubd import folding
from hubd.store.actions import Store
from hubd.store.views import SqliteMemory

async def main(directory, commits):
    charter = SOUPS["lesson"]().village.charter
    folding.FOLD_KEEP_ACTIONS = folding.PAGE_ACTIONS = 4
    commit, done = SqliteMemory.commit, []
    def counted(memory, covered):
        if len(done) == commits:
            memory.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        commit(memory, covered)
        done.append(1)
    SqliteMemory.commit = counted
    found = folding.Folding(directory, await Store.open(directory, charter.domain), charter)
    await found.open()
    await found.catch_up()

asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
"""


async def test_a_process_killed_in_the_midst_of_its_work_goes_on_from_there(tmp_path):
    await filled(tmp_path)
    root = Path(__file__).parents[2]
    for commits in (0, 2, 3):
        died = subprocess.run(  # nothing else is to run meanwhile
            [sys.executable, "-c", _FOLDS_UNTIL_KILLED, str(tmp_path), str(commits)],
            env={"PYTHONPATH": f"{root}:{root / 'tests'}"},
            check=False,
        )
        assert died.returncode == -9
    async with folding_in(tmp_path) as (folding, _):
        assert 0 < folding.behind < len(SOUP.actions)
        await folding.catch_up()
        assert folding.views.digest == EXPECTED


# --- whatever becomes of its file


async def test_a_file_of_an_older_copy_of_the_set_is_thrown_away(tmp_path):
    await filled(tmp_path, SOUP.actions[:10])
    shutil.copytree(tmp_path, tmp_path / "backup")
    store = await Store.open(tmp_path, CHARTER.domain)
    await store.append(SOUP.actions)
    await store.close()
    await digest_of(tmp_path)
    shutil.copy(tmp_path / FILE_NAME, tmp_path / "backup")
    assert await digest_of(tmp_path / "backup") == fold(CHARTER, SOUP.actions[:10]).digest


@pytest.mark.parametrize("statement", [
    "update entry set body = x'00'",
    "delete from name where no > 40",
    "update shelf set id = randomblob(32)",
    "drop table reader",
    "delete from fact where key = 'stamp'",
    "update fact set value = x'00' where key = 'sizes'",
])  # fmt: skip
async def test_a_damaged_file_is_noticed_where_it_is_used_and_folded_anew(tmp_path, statement):
    await filled(tmp_path, SOUP.actions[: len(SOUP.actions) // 2])
    await digest_of(tmp_path)
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute(statement)
    connection.close()
    store = await Store.open(tmp_path, CHARTER.domain)
    await store.append(SOUP.actions)
    await store.close()
    assert await digest_of(tmp_path) == EXPECTED


async def test_a_large_file_is_looked_through_while_it_is_used_and_what_is_missing_in_it_comes_back(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "VIEWS_CHECK_AT_ONCE_BYTES", 0)
    await filled(tmp_path)
    await digest_of(tmp_path)
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("delete from name where no = (select max(no) from name)")
    connection.close()
    async with folding_in(tmp_path) as (folding, _):
        first, service = folding.folder, asyncio.create_task(folding.run())
        async with asyncio.timeout(10):
            while folding.folder is first or folding.behind:
                await asyncio.sleep(0.01)
        assert folding.views == fold(CHARTER, SOUP.actions)
        service.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await service


async def test_nobody_looks_through_the_file_before_all_is_folded(tmp_path, monkeypatch):
    await filled(tmp_path)
    async with folding_in(tmp_path) as (folding, _):
        looked = asyncio.Event()
        behind = []
        check = folding.check

        async def noted(*values):
            behind.append(folding.behind)
            looked.set()
            await check(*values)

        monkeypatch.setattr(folding, "check", noted)
        assert folding.behind
        working = asyncio.create_task(folding.run())
        await asyncio.wait_for(looked.wait(), 10)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        assert behind == [0]


async def test_a_reader_that_meets_rot_has_the_views_made_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "VIEWS_CHECK_AT_ONCE_BYTES", 0)
    await filled(tmp_path)
    await digest_of(tmp_path)
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("update entry set body = x'00'")
    connection.close()
    async with folding_in(tmp_path) as (folding, _):
        with pytest.raises(LocalError, match="views"):
            dict(folding.views.persons)
        await folding.catch_up()
        assert folding.views == fold(CHARTER, SOUP.actions)


async def test_a_hub_that_stops_while_its_views_cannot_be_kept_leaves_none_behind(tmp_path):
    await filled(tmp_path)
    async with folding_in(tmp_path) as (folding, _):
        await folding.catch_up()
        folding._met(LocalError("views", "met at the very end"))
    assert not (tmp_path / FILE_NAME).exists()
    assert await digest_of(tmp_path) == EXPECTED


async def test_an_action_that_rotted_in_the_set_leaves_the_views_with_it(tmp_path):
    await filled(tmp_path)
    await digest_of(tmp_path)
    lost = SOUP.actions[3]
    with sqlite3.connect(tmp_path / DATABASE_NAME) as connection:
        connection.execute("update action set header = zeroblob(200) where id = ?", (lost.id,))
    connection.close()
    store = await Store.open(tmp_path, CHARTER.domain)
    assert len(await store.page(0, 500)) == len(SOUP.actions) - 1
    await store.close()
    assert await digest_of(tmp_path) == fold(CHARTER, [a for a in SOUP.actions if a.id != lost.id]).digest


async def test_a_full_card_is_told_and_what_was_kept_stays(tmp_path, monkeypatch):
    await filled(tmp_path)

    def full(_memory, _covered):
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    async with folding_in(tmp_path) as (folding, _):
        with monkeypatch.context() as patch:
            patch.setattr(SqliteMemory, "commit", full)
            with pytest.raises(Exception, match="disk is full"):
                await folding.catch_up()
        await folding.catch_up()
        assert folding.views.digest == EXPECTED
