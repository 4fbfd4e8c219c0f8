"""Asks the system, the views and the phones for the time, and says whether this machine's clock can be believed.

Of the system one thing is asked, as `timedatectl` does: whether the kernel's bound on the clock's error is below 16 s.
Whatever keeps the clock tells it to the kernel (systemd-timesyncd, chrony, ntpd), and who sets it by hand clears that.
"""

import asyncio
import ctypes
import os
import time
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from hubd import log
from hubd.action.envelope import Action
from hubd.action.principal import Principal
from hubd.clock import Brought, Clock, KeepMark, Looked, Now, State
from hubd.limits import CLOCK_ERROR_US_MAX, CLOCK_LOOK_S
from hubd.ports import Door

FILE_NAME = "clock"
_MARK_BYTES_MAX = 64


class _Timex(ctypes.Structure):
    """The beginning of `struct timex` (adjtimex(2)), and room for the rest; zeros ask and change nothing."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("rest", ctypes.c_byte * 512),
    )


def is_synchronised() -> bool:
    """Whether time servers keep this machine's clock; False, too, where the system can't be asked."""
    asked = _Timex()
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.byref(asked))
    except (AttributeError, OSError):
        return False
    return bool(state >= 0 and asked.maxerror < CLOCK_ERROR_US_MAX)


def read_mark(path: Path) -> int:
    """The latest time that this hub was sure of, 0 where none was kept or a bit of it changed."""
    try:
        with path.open("rb") as file:
            mark, check = file.read(_MARK_BYTES_MAX).split()
        return int(mark) if int(check, 16) == zlib.crc32(mark) else 0
    except (OSError, ValueError):
        return 0


def keep_mark(path: Path, time_s: int) -> None:
    """Replace the mark, durably. Raises `OSError`."""
    mark = b"%d" % time_s
    waiting = path.with_name(path.name + ".new")
    with waiting.open("wb") as file:
        file.write(b"%s %08x\n" % (mark, zlib.crc32(mark)))
        file.flush()
        os.fsync(file.fileno())
    waiting.replace(path)


class Timekeeper:
    """`known_person` is the person for whom a key speaks, None for one whom nobody vouched for; `chain_s` is the views'
    time.
    """

    def __init__(
        self,
        directory: Path,
        charter_s: int,
        chain_s: Callable[[], int | None],
        known_person: Callable[[Principal], Principal | None],
    ) -> None:
        self._path = directory / FILE_NAME
        self._chain_s, self._known_person = chain_s, known_person
        self._clock = Clock(read_mark(self._path), charter_s)
        self._is_running = False
        self._log = log.get("clock")

    def heard(self, actions: Sequence[Action], door: Door, _source: bytes) -> None:
        """New actions are in the set. What neighbours and sticks bring is old, and says nothing of this moment."""
        for action in actions if door is Door.PHONE else ():
            person = self._known_person(action.statement.author)
            if person is not None:
                self._clock.handle(Brought(person, action.statement.created), _now())

    def status(self) -> dict[str, Any]:
        """What `hubd status` shows of the clock."""
        now = _now()
        if not self._is_running:
            self._clock.handle(self._look(), now)
        verdict = self._clock.verdict(now)
        return {
            "time_s": int(now.wall_s),
            "state": verdict.state.value,
            "by": verdict.by.value,
            "off_s": verdict.off_s,
            "age_s": verdict.age_s,
        }

    async def run(self) -> None:
        """Look again and again, for ever; say what changed, once."""
        self._is_running = True
        while True:
            await self.look()
            await asyncio.sleep(CLOCK_LOOK_S)

    async def look(self) -> None:
        """Ask all but the phones, which speak by themselves, and do what follows."""
        for out in self._clock.handle(self._look(), _now()):
            if isinstance(out, KeepMark):
                with suppress(OSError):  # a full card is told elsewhere; the next hour tries again
                    await asyncio.to_thread(keep_mark, self._path, out.time_s)
                continue
            verdict, by = out.verdict, out.verdict.by.value
            if verdict.state in (State.BEHIND, State.AHEAD):
                self._log.warning("clock-judged", state=verdict.state.value, detail=by, delay_s=verdict.off_s)
            else:
                self._log.info("clock-judged", state=verdict.state.value, detail=by)

    def _look(self) -> Looked:
        return Looked(is_synchronised(), self._chain_s())


def _now() -> Now:
    return Now(time.time(), time.monotonic())
