"""The `hubd` command as a person types it, and what it says."""

import subprocess
import sys


def hubd(*arguments, code=0, **kwargs):
    """Run a command to its end; its exit code must be the expected one, and no traceback may show."""
    ended = subprocess.run(
        [sys.executable, "-m", "hubd", *map(str, arguments)],
        capture_output=True, text=True, timeout=60, check=False, **kwargs,
    )  # fmt: skip
    assert ended.returncode == code, (ended.returncode, ended.stdout, ended.stderr)
    assert "Traceback" not in ended.stderr
    return ended


def words(ended):
    """The complaint and the hint of a command that failed."""
    lines = [line for line in ended.stderr.splitlines() if line.startswith(("hubd: ", "hint: "))]
    assert len(lines) >= 2, ended.stderr
    return lines[-2], lines[-1]
