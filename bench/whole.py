"""Whole hubs on whole work: an empty one is filled; and, where wanted, a peer of another make does the same."""

import asyncio
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from bench.actions import made
from bench.fill import fill
from bench.values import Figures, rate
from hubd.action.signature import recover
from tools.steps import NODE

ACTIONS = 10_000
_SAMPLE = 2_000
_PEERS = Path(__file__).parent / "peers"
_PEER_S = 300  # Automerge takes half a minute to make its documents, a slow machine several times as long


def measure() -> tuple[Figures, int]:
    """Figures by name, and the bytes of an average action, which a peer's documents are made as large as."""
    actions = [made(number) for number in range(ACTIONS)]
    recovery = rate(_SAMPLE, lambda: [recover(action.id, action.signature) for action in actions[:_SAMPLE]])
    found = asyncio.run(fill(actions))
    received = ACTIONS / found.receiver_cpu_s
    name = f"{ACTIONS:,} actions to an empty hub"
    return {
        f"{name}, receiver": {
            "per_cpu_s": received,
            "of_raw_recovery": received / recovery,
            "per_cpu_s_with_fold": ACTIONS / (found.receiver_cpu_s + found.fold_cpu_s),
            "rss_mb": found.rss_mb,
        },
        f"{name}, both sides": {
            "per_cpu_s": ACTIONS / (found.receiver_cpu_s + found.sender_cpu_s),
            "per_s": ACTIONS / found.wall_s,
            "wire_bytes_each": found.wire_bytes / ACTIONS,
            "wire_of_payload": found.wire_bytes / found.payload_bytes,
        },
    }, found.payload_bytes // ACTIONS


def peers(document_bytes: int) -> Figures:
    """The same work by Automerge: as many documents, as large, none of them signed. Installs it if it is not there."""
    if not (_PEERS / "node_modules").is_dir():
        _npm("ci", "--silent", "--no-progress")
    command = [NODE, str(_PEERS / "automerge.mjs"), str(ACTIONS), str(document_bytes)]
    out = subprocess.run(command, check=True, capture_output=True, text=True, timeout=_PEER_S).stdout  # noqa: S603
    told: dict[str, Any] = json.loads(out)
    return {
        f"Automerge: {ACTIONS:,} documents to an empty replica, both sides": {
            "per_cpu_s": ACTIONS / told["cpu_s"],
            "wire_bytes_each": told["wire_bytes"] / ACTIONS,
            "rss_mb": told["rss_mb"],
        },
        "Automerge: nothing new": {"bytes": told["equal_bytes"]},
    }


def _npm(*arguments: str) -> None:
    """Run the npm that stands beside the Node.js in use, in the peers' folder."""
    node = Path(NODE).resolve()
    bundled = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    command = [str(node), str(bundled)] if bundled.exists() else ["npm"]
    path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    subprocess.run([*command, *arguments], cwd=_PEERS, check=True, env=os.environ | {"PATH": path})  # noqa: S603
