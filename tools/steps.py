"""Run named steps one after another, say how long each took, and stop at the first that fails."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
BIN = ROOT / ".venv" / "bin"
NODE = str(BIN / "hubd-node")


def run(name: str, command: Sequence[str], folder: Path = ROOT) -> None:
    """One step; its output goes where ours goes. Exits with the step's code when it fails."""
    print(f"--- {name}", file=sys.stderr, flush=True)
    started = time.monotonic()
    code = subprocess.run(command, cwd=folder, check=False).returncode  # noqa: S603  # our own commands
    print(
        f"--- {name}: {'ok' if code == 0 else f'failed ({code})'} in {time.monotonic() - started:.1f} s",
        file=sys.stderr,
    )
    if code:
        sys.exit(code)
