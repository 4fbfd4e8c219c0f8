"""Room on the card: how full its partition is, what is refused then, and what is thrown off when room is needed.

A full card breaks more than this program: logs, other services, the login that should repair it. So the set stops growing
a little earlier. What money depends on, the relay's ledger, is written to the end; the ballast is for that. Before all
else goes a damaged database that was kept after it was written anew.
"""

import os
import time
from enum import StrEnum
from pathlib import Path

from hubd.errors import LocalError
from hubd.limits import (
    BALLAST_BYTES,
    DISK_FULL_PERCENT,
    DISK_LOW_PERCENT,
    DISK_PLENTY_BYTES,
    DISK_SHORT_PERCENT,
    RESCUE_KEPT_S,
)

KEPT_NAME = "hubd.sqlite3.damaged"


class Level(StrEnum):
    """How full the partition is, by what it means."""

    PLENTY = "plenty"
    LOW = "low"  # time to look for a larger card
    SHORT = "short"  # soon nothing new is taken
    FULL = "full"  # nothing new is taken


_LEVELS = ((DISK_FULL_PERCENT, Level.FULL), (DISK_SHORT_PERCENT, Level.SHORT), (DISK_LOW_PERCENT, Level.LOW))


class Room:
    """The partition of one data directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._ballast = directory / "ballast"
        self._kept = directory / KEPT_NAME

    @property
    def free_bytes(self) -> int:
        """How much may still be written."""
        space = os.statvfs(self._directory)
        return space.f_bavail * space.f_frsize

    @property
    def level(self) -> Level:
        """How full it is now. Where so much is free that a hub lives for years, percentages do not count."""
        space = os.statvfs(self._directory)
        if space.f_bavail * space.f_frsize >= DISK_PLENTY_BYTES:
            return Level.PLENTY
        used = 100 * (space.f_blocks - space.f_bavail) / space.f_blocks
        return next((level for percent, level in _LEVELS if used >= percent), Level.PLENTY)

    def relieved(self) -> Level:
        """How full it is, after the kept database gave way to whatever needs the room."""
        level = self.level
        return self.level if level is not Level.PLENTY and self.drop_kept() else level

    def check(self) -> None:
        """Raises `LocalError("disk-full")` where the set must not grow."""
        if self.relieved() is Level.FULL:
            raise LocalError(
                "disk-full",
                f"the partition of {self._directory} is {DISK_FULL_PERCENT} % full",
                hint="free some space on the card, or use a larger one",
            )

    def make(self, needed: int) -> bool:
        """Throw off what has to go for so many bytes. Whether they are free."""
        while self.free_bytes < needed:
            if not self.give_way():
                return False
        return True

    def give_way(self) -> bool:
        """Throw off what is missed least. Whether there was anything."""
        return self.drop_kept() or self.drop_ballast()

    def take_ballast(self) -> bool:
        """Lay the ballast down, where there is room for it. Whether it is there now."""
        if self._ballast.exists():
            return True
        if self.relieved() is not Level.PLENTY:
            return False
        try:
            with self._ballast.open("xb") as file:
                os.posix_fallocate(file.fileno(), 0, BALLAST_BYTES)
        except OSError:
            self._ballast.unlink(missing_ok=True)
            return False
        return True

    def drop_ballast(self) -> bool:
        """Throw the ballast off. Whether there was any."""
        return _unlink(self._ballast)

    def drop_kept(self) -> bool:
        """Let the kept database go. Whether there was one."""
        return _unlink(self._kept)

    def outlive_kept(self) -> bool:
        """Let the kept database go if it has been here for `RESCUE_KEPT_S`, by a clock that may be wrong either way."""
        try:
            age_s = time.time() - self._kept.stat().st_mtime
        except OSError:
            return False
        return abs(age_s) >= RESCUE_KEPT_S and self.drop_kept()


def _unlink(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False
    return True
