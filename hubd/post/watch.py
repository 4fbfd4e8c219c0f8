"""Watch what is plugged in, and visit each stick by itself (docs/post.md, "By itself").

A look at the kernel's list of mounts every other second costs nothing and needs no right. What is mounted below one of
the folders of `post.folders` is a stick; so is such a folder itself where it holds `hubd-post` already, for whoever
carries post by another way. Nothing a stick does ends the service or holds up another stick: each visit has its own
thread, a step of it takes so long and the whole visit so long, and a stick that still blocks its thread is left alone.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubd import log
from hubd.action.principal import Principal
from hubd.errors import HubdError
from hubd.limits import (
    STICK_AGAIN_S,
    STICK_LOOK_S,
    STICK_STEP_S,
    STICK_THREADS_MAX,
    STICK_VISIT_S,
    STICKS_ABREAST_MAX,
)
from hubd.post.exchange import Exchange, Visit
from hubd.post.office import PostOffice
from hubd.post.stick import Stick
from hubd.post.thread import Patience

MOUNTS = Path("/proc/self/mountinfo")
_STRANGE = (
    "autofs",
    "cgroup",
    "cifs",
    "devpts",
    "devtmpfs",
    "mqueue",
    "nfs",
    "overlay",
    "proc",
    "ramfs",
    "smb3",
    "squashfs",
    "sysfs",
    "tmpfs",
)
_FILE_SYSTEMS_IN_USER_SPACE = ("fuseblk", "fuse.exfat")  # of sticks; others may be anything, a network among them


@dataclass(frozen=True, slots=True)
class Mount:
    """One mount; `number` is the kernel's, another one when the same stick is plugged in again."""

    number: int
    place: Path


def mounts_below(text: str, folders: Sequence[str]) -> list[Mount]:
    """The mounts of a `mountinfo` that may be sticks: at or below these folders, and of no strange kind."""
    found: dict[Path, Mount] = {}
    for line in text.splitlines():
        before, separator, after = line.partition(" - ")
        fields, kind = before.split(" "), after.partition(" ")[0]
        if not separator or len(fields) < 6 or not fields[0].isdecimal():
            continue
        if kind.startswith(_STRANGE) or (kind.startswith("fuse") and kind not in _FILE_SYSTEMS_IN_USER_SPACE):
            continue
        place = Path(_unescaped(fields[4]))
        if any(place.is_relative_to(folder) for folder in folders):
            found[place] = Mount(int(fields[0]), place)
    return list(found.values())


def _unescaped(text: str) -> str:
    """Blanks, tabs, line ends and backslashes stand as octal numbers there."""
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text


@dataclass
class _Known:
    """What we saw of a place last, so that we come again only when something is new."""

    mount: int
    seen: object = None
    visited_at: float = -STICK_AGAIN_S
    visit: Visit | None = None
    code: str = ""
    task: "asyncio.Task[None] | None" = None
    patience: Patience | None = None

    @property
    def is_busy(self) -> bool:
        """Whether it is being visited."""
        return self.task is not None and not self.task.done()

    @property
    def is_free(self) -> bool:
        """Whether nothing of the last visit is left, not even a thread that the stick blocks."""
        return not self.is_busy and (self.patience is None or self.patience.is_over)


@dataclass(frozen=True, slots=True)
class Times:
    """How long between two visits to a stick, for one step of it, and for a whole visit."""

    again_s: float = STICK_AGAIN_S
    step_s: float = STICK_STEP_S
    visit_s: float = STICK_VISIT_S


class PostWatch:
    """`await run()`. `names` gives a hub's name for people; `settings` reads a configuration key."""

    def __init__(
        self,
        office: PostOffice,
        names: Callable[[Principal], str],
        settings: Callable[[str], Any],
        times: Times = Times(),  # frozen
    ) -> None:
        self._office, self._names, self._settings, self._times = office, names, settings, times
        self._known: dict[Path, _Known] = {}
        self._threads: list[Patience] = []  # of visits, also of sticks that are gone
        self._log = log.get("post")

    async def run(self) -> None:
        """Look, and visit, until cancelled."""
        try:
            while True:
                self._look()
                await asyncio.sleep(STICK_LOOK_S)
        finally:
            for known in self._known.values():
                if known.task is not None:
                    known.task.cancel()

    def status(self) -> list[dict[str, Any]]:
        """What is plugged in, and what came of it."""
        return [
            {
                "place": str(place),
                "busy": known.is_busy,
                "code": known.code or (known.visit.code if known.visit else ""),
                "new": known.visit.tally.new if known.visit else 0,
                "given": known.visit.given if known.visit else 0,
                "all": known.visit.is_all if known.visit else False,
            }
            for place, known in self._known.items()
            if known.visit is not None or known.code or (known.mount and known.is_busy)
        ]

    def _look(self) -> None:
        folders = self._settings("post.folders")
        places = {mount.place: mount.number for mount in mounts_below(_mountinfo(), folders)}
        places |= {Path(folder): 0 for folder in folders if Path(folder) not in places}
        for place in [place for place in self._known if place not in places]:
            gone = self._known.pop(place)
            if gone.task is not None:
                gone.task.cancel()
        now = asyncio.get_running_loop().time()
        for place, number in places.items():
            known = self._known.get(place)
            if known is None or known.mount != number:
                known = self._known[place] = _Known(number)
            is_due = now - known.visited_at >= self._times.again_s and known.is_free
            if is_due and self._has_room():
                known.visited_at = now
                known.patience = Patience(self._times.step_s)
                self._threads.append(known.patience)
                known.task = asyncio.create_task(self._visit(place, known, known.patience), name="stick")

    def _has_room(self) -> bool:
        self._threads = [each for each in self._threads if not each.is_over]
        busy = sum(each.is_busy for each in self._known.values())
        return busy < STICKS_ABREAST_MAX and len(self._threads) < STICK_THREADS_MAX

    async def _visit(self, place: Path, known: _Known, patience: Patience) -> None:
        """One visit; all that can go wrong is said once in log and status."""
        try:
            async with asyncio.timeout(self._times.visit_s):
                await self._exchange(place, known, patience)
        except HubdError as error:
            self._fail(known, error.code, error.detail)
        except TimeoutError:
            self._fail(known, "stick-slow", f"not done after {self._times.visit_s:g} s")
        except OSError as error:
            if known.mount:
                self._fail(known, "stick", error.strerror or "")
        finally:
            patience.stop()

    async def _exchange(self, place: Path, known: _Known, patience: Patience) -> None:
        stick = await patience.do(lambda: Stick.open(place, may_make=known.mount != 0))
        if stick is None:
            known.code = "stick-not-ours" if known.mount else ""
            return
        try:
            state = (await patience.do(stick.files), await self._office.sequence())
            if state == known.seen and known.code in ("", "stick-not-ours"):
                return
            bytes_max = self._settings("post.size_mb") * 1_000_000
            exchange = Exchange(self._office, stick, patience, bytes_max, self._names)
            known.visit, known.code = await exchange.run(), ""
            known.seen = (await patience.do(stick.files), await self._office.sequence())
            self._tell(known.visit)
        finally:
            patience.later(stick.close)

    def _tell(self, visit: Visit) -> None:
        tally = visit.tally
        self._log.info(
            "stick-visited",
            actions=tally.actions, accepted=tally.new, items=visit.given, count=visit.damaged, code=visit.code,
        )  # fmt: skip

    def _fail(self, known: _Known, code: str, detail: str) -> None:
        if known.code != code:
            self._log.warning("stick-failed", code=code, detail=detail)
        known.code = code


def _mountinfo() -> str:
    try:
        return MOUNTS.read_text("utf-8", "surrogateescape")
    except OSError:
        return ""
