"""A ceiling for the memory of one process: a control group where that is allowed, else its peak is only read."""

import os
import secrets
from pathlib import Path

V1, V2 = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")


class Ceiling:
    """`command` is what stands before the command to run below it; `peak` is asked while that runs."""

    def __init__(self, bytes_max: int) -> None:
        self._group: Path | None = None
        self._peak_name = ""
        name = f"hubd-{os.getpid()}-{secrets.token_hex(2)}"
        for root, limit, peak in (
            (V1, "memory.limit_in_bytes", "memory.max_usage_in_bytes"),
            (V2, "memory.max", "memory.peak"),
        ):
            group = root / name
            try:
                group.mkdir()
                (group / limit).write_text(str(bytes_max))
            except OSError:
                if group.is_dir():
                    group.rmdir()
                continue
            self._group, self._peak_name = group, peak
            return

    @property
    def is_held(self) -> bool:
        """Whether the system ends who goes above it."""
        return self._group is not None

    @property
    def command(self) -> tuple[str, ...]:
        """Joins the group, then becomes the command."""
        if self._group is None:
            return ()
        return ("sh", "-c", f'echo $$ > {self._group}/cgroup.procs; exec "$@"', "sh")

    def peak(self, pid: int) -> int:
        """The most that was in use, with what the system keeps in memory of its files; without a group the process's own."""
        if self._group is not None and (self._group / self._peak_name).exists():
            return int((self._group / self._peak_name).read_text())
        return resident(pid, "VmHWM")

    def close(self) -> None:
        """Only when nobody is in it any more."""
        if self._group is not None:
            self._group.rmdir()


def resident(pid: int | str, what: str = "VmRSS") -> int:
    """Bytes of memory of a process: now, or `VmHWM`, the most it ever had."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) * 1_024
    raise AssertionError(what)
