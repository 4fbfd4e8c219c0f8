"""A small card: a real filesystem that can be filled, mounted where this machine allows it.

    with Card(folder) as card:
        subprocess.run([*card.command, ...])    # sees the card at `folder`

An ext4 in a file if we may mount one, else memory of a fixed size, else the same in a namespace of our own, else the small
one that containers come with. Where there is none of these the test fails and says why: it is no passed test.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

import pytest

BYTES = 64 * 1024 * 1024
SHARED_BYTES_MAX = 96 * 1024 * 1024  # a larger one is not filled
FORMS = ("ext4", "memory", "namespace", "shared")


class Card:
    """`form` names what it is; `command` stands before the command that is to see it at `folder`."""

    def __init__(self, folder: Path, forms: tuple[str, ...] = FORMS) -> None:
        self.folder = folder
        self.command: tuple[str, ...] = ()
        self._image = folder.parent / f"{folder.name}.ext4"
        folder.mkdir()
        for form in forms:
            if getattr(self, f"_mount_{form}")():
                self.form = form
                return
        pytest.fail("NOT TESTED: no small filesystem can be had here; run as root, or allow user namespaces")

    def _mount_ext4(self) -> bool:
        with self._image.open("wb") as file:
            file.truncate(BYTES)
        return _ran("mkfs.ext4", "-q", "-F", "-m", "0", str(self._image)) and _ran(
            "mount", "-o", "loop", str(self._image), str(self.folder)
        )

    def _mount_memory(self) -> bool:
        return _ran("mount", "-t", "tmpfs", "-o", f"size={BYTES}", "card", str(self.folder))

    def _mount_namespace(self) -> bool:
        mount = f'mount -t tmpfs -o size={BYTES} card "{self.folder}"'
        self.command = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", f'{mount} && exec "$@"', "sh")
        return _ran(*self.command, "true")

    def _mount_shared(self) -> bool:
        shared = Path("/dev/shm")
        space = os.statvfs(shared) if shared.is_dir() else None
        if space is None or space.f_blocks * space.f_frsize > SHARED_BYTES_MAX:
            return False
        self.folder = Path(tempfile.mkdtemp(prefix="hubd-", dir=shared))
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.form == "shared":
            shutil.rmtree(self.folder)
        elif not self.command:
            subprocess.run(["umount", str(self.folder)], check=True)


def _ran(*words: str) -> bool:
    try:
        return subprocess.run(words, capture_output=True, timeout=60, check=False).returncode == 0
    except FileNotFoundError:
        return False
