"""The folder `hubd-post` on a stick: the one place there that is read or written.

A stick may hold anything: links, pipes, devices, names made to harm, files that change while they are read. So every
file is named by us, opened below the folder's descriptor, without following links, only if it is an ordinary file, and
read up to a bound. All of it may block for as long as the stick likes: the caller runs it in a thread of its own.
"""

import errno
import fcntl
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hubd.errors import RemoteError
from hubd.limits import (
    BUNDLE_BYTES_MAX,
    STICK_ENTRIES_MAX,
    STICK_FILES_MAX,
    STICK_RESERVE_BYTES,
    STICK_ROOT_ENTRIES_MAX,
)

FOLDER = "hubd-post"
INVITATION = "HUBD"
RECEIPT_TEXT = "RECEIPT.txt"
BUNDLE, RECEIPT = ".post", ".receipt"
_NAME = re.compile(r"[0-9a-f]{16}\.(post|receipt)\Z")
_SYSTEM = frozenset(("lost+found", "system volume information", "$recycle.bin"))
_OPEN = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class Stick:
    """Open it with `open`; `close` it. Every method raises `OSError` where the stick does not do what is asked."""

    def __init__(self, descriptor: int) -> None:
        self._folder = descriptor

    @classmethod
    def open(cls, place: Path, *, may_make: bool = True) -> "Stick | None":
        """The folder on a mounted stick, None where there is none and we are not invited to make it.

        An empty stick invites; one that holds anything does so by a file or folder called HUBD. Raises
        `RemoteError("stick-busy")` while somebody else on this machine has it open, wherever else it is mounted.
        """
        root = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            try:
                found = os.stat(FOLDER, dir_fd=root, follow_symlinks=False)
            except FileNotFoundError:
                if not may_make or not _is_invited(root):
                    return None
                os.mkdir(FOLDER, 0o755, dir_fd=root)
                os.fsync(root)
            else:
                if not stat.S_ISDIR(found.st_mode):
                    return None
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW
            folder = os.open(FOLDER, flags, dir_fd=root)
            _lock(folder)
            return cls(folder)
        finally:
            os.close(root)

    def close(self) -> None:
        """Let go of the stick, so that it can be unmounted."""
        os.close(self._folder)

    def files(self) -> dict[str, tuple[int, int]]:
        """Size and time of change of the bundles and receipts, by name; at most so many, whatever lies there."""
        found: dict[str, tuple[int, int]] = {}
        with os.scandir(self._folder) as entries:
            for looked_at, entry in enumerate(entries):
                if looked_at == STICK_ENTRIES_MAX or len(found) == STICK_FILES_MAX:
                    break
                if not _NAME.match(entry.name):
                    continue
                state = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(state.st_mode):
                    found[entry.name] = (state.st_size, state.st_mtime_ns)
        return dict(sorted(found.items()))

    def read(self, name: str, at: int, count: int) -> bytes:
        """Bytes of a file, fewer at its end."""
        if at >= BUNDLE_BYTES_MAX:
            return b""
        with self._opened(name, os.O_RDONLY) as descriptor:
            return os.pread(descriptor, count, at)

    def replace(self, name: str, raw: bytes) -> None:
        """Write a small file whole, durably; a stick pulled out meanwhile has the old one or the new one."""
        waiting = name + ".new"
        self.remove(waiting)
        try:
            with self._opened(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as descriptor:
                _write_all(descriptor, raw)
                os.fsync(descriptor)
            os.rename(waiting, name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        except OSError:
            with suppress(OSError):
                self.remove(waiting)
            raise
        os.fsync(self._folder)

    def overwrite(self, name: str, raw: bytes) -> None:
        """Write a small file in the place of what it says now, where there is no room for a second one."""
        with self._opened(name, os.O_WRONLY) as descriptor:
            _write_all(descriptor, raw)
            os.ftruncate(descriptor, len(raw))
            os.fsync(descriptor)

    def remove(self, name: str) -> None:
        """Take a file away, if it is there."""
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._folder)

    def begin(self, name: str) -> None:
        """An empty file in the place of whatever has the name."""
        self.remove(name)
        with self._opened(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL):
            pass

    def append(self, name: str, at: int, raw: bytes) -> int:
        """Write behind the first `at` bytes of a file, and cut off what stood there; returns the new length."""
        with self._opened(name, os.O_WRONLY) as descriptor:
            os.ftruncate(descriptor, at)
            os.lseek(descriptor, at, os.SEEK_SET)
            _write_all(descriptor, raw)
        return at + len(raw)

    def sync(self, name: str) -> None:
        """On the stick, and not in a buffer on the way to it, when it returns."""
        with self._opened(name, os.O_WRONLY) as descriptor:
            os.fsync(descriptor)
        os.fsync(self._folder)

    def free_bytes(self) -> int:
        """What we may still write: the stick's room, less some for its owner."""
        space = os.fstatvfs(self._folder)
        if space.f_flag & os.ST_RDONLY:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return max(0, space.f_bavail * space.f_frsize - STICK_RESERVE_BYTES)

    @contextmanager
    def _opened(self, name: str, flags: int) -> Iterator[int]:
        """A descriptor of an ordinary file. A device is not even opened: opening some does harm."""
        if not flags & os.O_CREAT and not stat.S_ISREG(
            os.stat(name, dir_fd=self._folder, follow_symlinks=False).st_mode
        ):
            raise PermissionError(f"{name} is no ordinary file")
        descriptor = os.open(name, flags | _OPEN, 0o644, dir_fd=self._folder)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise PermissionError(f"{name} is no ordinary file")
            yield descriptor
        finally:
            os.close(descriptor)


def _lock(folder: int) -> None:
    """Have the folder for ourselves, where its file system knows locks: two that write at once spoil what both leave."""
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EWOULDBLOCK, errno.EAGAIN):
            return
        os.close(folder)
        raise RemoteError("stick-busy", "another program of this machine has the stick") from error


def _is_invited(root: int) -> bool:
    with os.scandir(root) as entries:
        names = [entry.name for _, entry in zip(range(STICK_ROOT_ENTRIES_MAX), entries, strict=False)]
    return INVITATION in names or all(name.startswith(".") or name.lower() in _SYSTEM for name in names)


def _write_all(descriptor: int, raw: bytes) -> None:
    rest = memoryview(raw)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
