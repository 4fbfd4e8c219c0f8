"""The post in this phone's pocket: other villages' bundles, sealed, and receipts on their way home.

A folder of files whose names say all there is to know: `NUMBER.HUB.CURSOR.post` is a bundle of that hub up to that
place of its order of arrival, `HUB.receipt` the latest receipt of a hub. Numbers only grow. The phone reads nothing of
what it carries, and holds so many megabytes of it as its owner allowed.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hubd.action.principal import Principal
from hubd.limits import CARRY_FILES_MAX

FOLDER = "post"
_BUNDLE = re.compile(r"(\d{8})\.([0-9a-f]{42})\.([0-9a-f]{16}\.\d{1,19}\.[0-9a-f]{16})\.post\Z")
_RECEIPT = re.compile(r"([0-9a-f]{42})\.receipt\Z")


@dataclass(frozen=True, slots=True)
class Carried:
    """One bundle in the pocket. `cursor` is the place of its hub that it ends at."""

    number: int
    hub: Principal
    cursor: str
    size: int
    path: Path

    @property
    def position(self) -> int:
        """The arrival number of the cursor."""
        return int(self.cursor.split(".")[1])


class Pocket:
    """The folder `post` of a phone's folder; made when the first thing is put in."""

    def __init__(self, directory: Path) -> None:
        self._folder = directory / FOLDER

    def bundles(self) -> list[Carried]:
        """What is carried, oldest first."""
        found = [
            Carried(int(parts[1]), Principal(bytes.fromhex(parts[2])), parts[3], path.stat().st_size, path)
            for path in self._files()
            if (parts := _BUNDLE.match(path.name))
        ]
        return sorted(found, key=lambda each: each.number)

    def receipts(self) -> dict[Principal, bytes]:
        """The latest receipt of each hub that was visited."""
        return {
            Principal(bytes.fromhex(parts[1])): path.read_bytes()
            for path in self._files()
            if (parts := _RECEIPT.match(path.name))
        }

    def put(self, hub: Principal, cursor: str, bundle: bytes, above: int) -> None:
        """Keep a bundle, durably, under a number above all that are here and above this one."""
        number = max(above, *(each.number for each in self.bundles()), 0) + 1
        self._write(f"{number:08d}.{hub.hex()}.{cursor}.post", bundle)

    def put_receipt(self, hub: Principal, receipt: bytes) -> None:
        """Keep a hub's receipt in the place of its last one."""
        self._write(f"{hub.hex()}.receipt", receipt)

    def drop(self, bundle: Carried) -> None:
        """It arrived, or there is no room for it."""
        bundle.path.unlink(missing_ok=True)

    def drop_receipt(self, hub: Principal) -> None:
        """Nobody needs it any more."""
        (self._folder / f"{hub.hex()}.receipt").unlink(missing_ok=True)

    def _files(self) -> Iterator[Path]:
        if self._folder.is_dir():
            for count, path in enumerate(sorted(self._folder.iterdir())):
                if count < CARRY_FILES_MAX and path.is_file() and not path.is_symlink():
                    yield path

    def _write(self, name: str, raw: bytes) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        waiting = self._folder / (name + ".new")
        try:
            with waiting.open("wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            waiting.replace(self._folder / name)
        except OSError:
            with suppress(OSError):
                waiting.unlink(missing_ok=True)
            raise
