"""What only a source checkout has: the contracts and the local chain. An installed hub says so instead of failing oddly."""

import shutil
import sys
from pathlib import Path

import hubd
from hubd.errors import FatalError

_ROOT = Path(hubd.__file__).parent.parent


def contracts_folder() -> Path:
    """The folder with the contracts' sources."""
    folder = _ROOT / "contracts"
    if not (folder / "deployment.json").exists():
        raise FatalError(
            "needs-checkout",
            "the contracts' sources are not part of an installed hub",
            hint="run this from a source checkout: ./dev run ...",
        )
    return folder


def node_program() -> str:
    """The Node.js that ./dev prepared, else the one on PATH."""
    prepared = Path(sys.executable).parent / "hubd-node"
    found = str(prepared) if prepared.exists() else shutil.which("node")
    if found is None or not (_ROOT / "node_modules" / "@stacks").exists():
        raise FatalError(
            "needs-node",
            "the local chain needs Node.js 20 and its packages",
            hint="run this from a source checkout as ./dev run ..., which prepares both",
        )
    return found
