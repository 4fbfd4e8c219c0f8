"""A hub's fold at its own pace: views in a file, brought up to date with the set in steps between which others work.

Who is admitted is never late: membership is folded as it comes, before anything that waits. Everything else may lag behind
a set that grows by thousands at once; `behind` says by how much. What was folded lasts with the place in the set's order of
arrival that it covers, so a hub that was killed goes on from there; what is folded twice changes nothing.

The file follows from the set. Where it does not fit, or what is in it can't be so, it is thrown away and folded anew. A
small file is looked through before it is used, a large one soon after; either once a week, for cards forget bits.
"""

import asyncio
import hashlib
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from hubd import log
from hubd.action import cbor
from hubd.action import charter as charters
from hubd.action.charter import Charter
from hubd.action.envelope import Action
from hubd.errors import LocalError, RemoteError
from hubd.fold.folder import FOLD_VERSION, Folder
from hubd.fold.membership import MEMBER_KINDS
from hubd.fold.trust import Circle
from hubd.fold.views import Views
from hubd.limits import (
    FOLD_ACTIONS_AT_ONCE,
    FOLD_ACTIONS_PER_STEP,
    FOLD_EVALUATIONS_PER_STEP,
    FOLD_KEEP_ACTIONS,
    FOLD_KEEP_S,
    PAGE_ACTIONS,
    SCRUB_IDLE_TIMES,
    SCRUB_INTERVAL_S,
    VIEWS_CHECK_AT_ONCE_BYTES,
    VIEWS_LOG_BYTES_MAX,
)
from hubd.ports import Door
from hubd.store.actions import DATABASE_NAME, Store
from hubd.store.headers import Headers
from hubd.store.viewcheck import steps
from hubd.store.viewfile import FILE_NAME, checkpoint, discard
from hubd.store.views import SqliteMemory

_FAULTS: Final = (sqlite3.Error, LocalError, RemoteError)

_END: Final = object()

_OF_THE_CARD: Final = (  # no fault of what the file holds
    *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN),
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM),
)


def _is_of_the_card(error: BaseException) -> bool:
    return getattr(error.__cause__ or error, "sqlite_errorcode", 0) & 0xFF in _OF_THE_CARD


class Folding:
    """The views of a store's set. `await open()` first; `run` is the service that lets them lag, and catches up."""

    def __init__(self, directory: Path, store: Store, charter: Charter) -> None:
        self.behind = 0  # actions of the set that are not in the views yet
        self.circle = Circle()
        self._path = directory / FILE_NAME
        self._store = store
        self._charter = charter
        self._headers = Headers(directory / DATABASE_NAME, charter.domain)
        self._log = log.get("fold")
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()
        self._error: Exception | None = None
        self._is_stepping = False
        self._is_circle_read = False
        self._is_checked = False  # whether the set holds as much as the views, since they were opened
        self._unkept = 0  # actions folded since the last commit
        self._after = 0  # the views hold everything that arrived up to here
        self._memory: SqliteMemory | None = None
        self.folder: Folder

    @property
    def views(self) -> Views:
        """The views, as far as they are."""
        return self.folder.views

    # --- opening

    async def open(self) -> None:
        """Take up what the file holds; afterwards the membership is that of the whole set, the rest maybe `behind`."""
        try:
            await self._open()
        except _FAULTS as error:
            await self._anew(str(error))

    async def _open(self) -> None:
        if self._memory is not None:
            self._memory.abandon()
        stamp = cbor.encode([FOLD_VERSION, charters.write(self._charter), self._store.epoch])
        memory = SqliteMemory.open(self._path, hashlib.sha256(stamp).digest(), self._headers)
        try:
            self._check_at_once()
            folder = await self._with_members(memory)
        except BaseException:
            memory.close()
            raise
        old, self._memory, self.folder, self._after = self._memory, memory, folder, memory.covered[0]
        self.behind = max(1, self.behind)  # until the set was asked
        memory.on_fault = self._met
        if old is not None:
            old.on_fault = lambda _: None
            old.close()
        self.behind = max(0, (await self._store.summary()).sequence - self._after)
        self._is_checked = False
        self._wake.set()

    async def _with_members(self, memory: SqliteMemory) -> Folder:
        """A folder over what the file holds, and over all that was ever said of the membership."""
        after, mark = memory.covered
        if after and await self._store.mark_of(after) != mark:
            raise LocalError("views", "the set is another one, or an older copy")
        folder = Folder(self._charter, memory)
        while page := await self._store.page_of_kinds(MEMBER_KINDS, after, PAGE_ACTIONS):
            folder.take([action for _, action in page])
            folder.settle_members()
            after = page[-1][0]
        return folder

    def _check_at_once(self) -> None:
        if self._path.stat().st_size <= VIEWS_CHECK_AT_ONCE_BYTES:
            for _ in steps(self._path):
                pass

    async def _anew(self, reason: str) -> None:
        self._log.warning("views-anew", detail=reason)
        discard(self._path)
        await self._open()
        self._error = None  # of the file that is gone

    def _met(self, error: Exception) -> None:
        """Whoever read the views met what can't be so."""
        self._error = error
        self._wake.set()

    async def close(self) -> None:
        """Keep what is done, and leave the rest for the next start."""
        async with self._turn:
            if self._memory is not None and self._error is None:
                try:
                    await self._keep()
                    self._memory.close()
                    await asyncio.to_thread(checkpoint, self._path)
                except _FAULTS as error:
                    self._error = error
            if self._memory is not None and self._error is not None:
                self._memory.close()
                if not _is_of_the_card(self._error):
                    self._log.warning("views-anew", detail=str(self._error))
                    discard(self._path)
        self._headers.close()

    # --- as the set grows

    def heard(self, actions: Sequence[Action], _door: Door, _source: bytes) -> None:
        """New actions are on disk. A few are folded here and now; of many, who is admitted, and the rest soon."""
        is_late = self._is_stepping and (self.behind > 0 or len(actions) > FOLD_ACTIONS_AT_ONCE)
        try:
            self.folder.take([a for a in actions if a.kind in MEMBER_KINDS] if is_late else actions)
            self.circle.heed(self.folder.settle_members())
            if is_late:
                self.behind += len(actions)
            elif self._is_stepping:
                self.circle.heed(self.folder.settle(FOLD_EVALUATIONS_PER_STEP))
            else:
                self._settle()
        except _FAULTS as error:
            self._error = error
        finally:
            self._unkept += len(actions)
            self._wake.set()

    def _settle(self) -> None:
        while not self.folder.is_settled:
            self.circle.heed(self.folder.settle(FOLD_EVALUATIONS_PER_STEP))

    async def _read_circle(self) -> None:
        """Who vouches for whom, from the views; later changes are heeded as they come."""
        vouches = self.views.vouches
        for position, key in enumerate(vouches):
            self.circle.put(key, vouches.get(key))
            if position % FOLD_EVALUATIONS_PER_STEP == 0:
                await asyncio.sleep(0)
        self._is_circle_read = True

    # --- catching up

    async def run(self) -> None:
        """Fold what comes, in steps, for ever. What fails here is taken up from the last commit, or begun anew."""
        self._is_stepping = True
        checking = asyncio.create_task(self._look_through(), name="views-check")
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                await self.catch_up()
                await asyncio.sleep(FOLD_KEEP_S)
        finally:
            checking.cancel()
            self._is_stepping = False

    async def _look_through(self) -> None:
        """Once a week, whether the file is what was written; in another thread, at a pace that leaves the hub its time.

        Not while much is folded: the look is at one moment, and until it is over SQLite's log keeps all that is written.
        """
        while True:
            while self.behind:  # noqa: ASYNC110  # rare, and nobody waits for it
                await asyncio.sleep(FOLD_KEEP_S)
            try:
                await self.check(SCRUB_IDLE_TIMES)
            except LocalError as error:
                self._met(error)
            await asyncio.sleep(SCRUB_INTERVAL_S)

    async def check(self, idle_times: float = 0) -> None:
        """Look through the file, and after each step rest so many times as long as it took. Raises `LocalError("views")`."""
        memory, clock = self._memory, asyncio.get_running_loop().time
        is_given_up = threading.Event()
        left = steps(self._path, is_given_up.is_set)
        try:
            while memory is self._memory:  # else it is another file by now
                started = clock()
                try:
                    if await asyncio.to_thread(next, left, _END) is _END:
                        return
                except LocalError:
                    if memory is self._memory:
                        raise
                await asyncio.sleep((clock() - started) * idle_times)
        finally:
            is_given_up.set()

    async def catch_up(self) -> None:
        """Bring the views up to the set's end, and make that last."""
        async with self._turn:
            try:
                await self._work()
            except _FAULTS as error:
                if _is_of_the_card(error):
                    await self._open()
                    raise LocalError(
                        "views", str(error), hint="is the card full, worn or mounted read-only?"
                    ) from error
                await self._anew(str(error))
                await self._work()

    async def _work(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error
        if not self._is_circle_read:
            await self._read_circle()
        await self._catch_up()
        await self._keep()

    async def _catch_up(self) -> None:
        total = self.behind
        while waiting := self.behind:
            page = await self._store.page(self._after, PAGE_ACTIONS)
            for start in range(0, len(page), FOLD_ACTIONS_PER_STEP):
                self.folder.take([action for _, action in page[start : start + FOLD_ACTIONS_PER_STEP]])
                await asyncio.sleep(0)
                self._relieve()
            await self._settle_in_steps()
            heard = self.behind - waiting  # since the page was asked for: maybe not in it
            self.behind = heard + (max(1, waiting - len(page)) if len(page) == PAGE_ACTIONS else 0)
            if not page:
                continue
            self._after = page[-1][0]
            self._unkept += len(page)
            if self._unkept >= FOLD_KEEP_ACTIONS:
                await self._commit((self._after, await self._store.mark_of(self._after)))
        await self._settle_in_steps()
        if total >= FOLD_KEEP_ACTIONS:
            self._log.info("views-caught-up", count=total)

    async def _settle_in_steps(self) -> None:
        while not self.folder.is_settled:
            self.circle.heed(self.folder.settle(FOLD_EVALUATIONS_PER_STEP))
            await asyncio.sleep(0)
            self._relieve()
            await asyncio.sleep(0)

    def _relieve(self) -> None:
        assert self._memory is not None
        self._memory.relieve()

    async def _keep(self) -> None:
        """Make the views last; where they hold as many actions as the set, they are complete up to its end."""
        if not self._unkept and self._is_checked:
            return
        count = len(self.folder)  # before the set is asked: all of these are in it
        summary = await self._store.summary()
        if count > summary.count and not self._is_checked:
            raise LocalError("views", "the set lost what rotted on the card")
        self._is_checked = True
        if summary.count == count:
            self._after = summary.sequence
            await self._commit((summary.sequence, summary.mark))
        else:
            await self._commit(None)

    async def _commit(self, covered: tuple[int, bytes] | None) -> None:
        assert self._memory is not None
        self.folder.pause()
        self._memory.commit(covered)
        self._unkept = 0
        log_path = self._path.with_name(self._path.name + "-wal")
        if log_path.stat().st_size > VIEWS_LOG_BYTES_MAX:
            await asyncio.to_thread(checkpoint, self._path)
