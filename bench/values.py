"""One core's work on single actions: recover, parse, take in, sum up, fold."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.actions import CHARTER, made
from hubd.action import clarity, envelope
from hubd.action.fingerprint import EMPTY, extend
from hubd.action.signature import recover
from hubd.fold.folder import Folder, fold
from hubd.intake import SetIntake
from hubd.ports import Door
from hubd.store.actions import Store

Figures = dict[str, dict[str, float]]
ACTIONS = 2_000
BATCH = 100


def rate(count: int, work: Callable[[], Any]) -> float:
    """How many a second of CPU."""
    started = time.process_time()
    work()
    return count / (time.process_time() - started)


async def _ingest(raws: list[bytes]) -> float:
    """Actions verified, on disk and counted, by CPU-second, all threads together."""
    with tempfile.TemporaryDirectory(prefix="hubd-bench-") as scratch:
        store = await Store.open(Path(scratch), CHARTER.domain)
        intake = SetIntake(store, CHARTER.domain)
        started = time.process_time()
        for start in range(0, len(raws), BATCH):
            await intake.offer(raws[start : start + BATCH], Door.PEER)
        spent = time.process_time() - started
        await store.close()
    return len(raws) / spent


def measure() -> Figures:
    """Figures by name, each beside a raw limit."""
    actions = [made(number) for number in range(ACTIONS)]
    raws = [envelope.encode(action) for action in actions]
    domain = CHARTER.domain
    recovery = rate(ACTIONS, lambda: [recover(action.id, action.signature) for action in actions])
    parsing = rate(ACTIONS, lambda: [envelope.parse(raw, domain) for raw in raws])
    ingest = asyncio.run(_ingest(raws))
    fast = rate(ACTIONS, lambda: [action.statement.clarity() for action in actions])
    general = [clarity.decode(action.statement.clarity()) for action in actions]
    slow = rate(ACTIONS, lambda: [clarity.encode(value) for value in general])
    hashing = rate(ACTIONS, lambda: extend(EMPTY, [action.id for action in actions]))
    folder = Folder(CHARTER)
    one_by_one = rate(ACTIONS, lambda: [folder.append([action]) for action in actions])
    plain = rate(ACTIONS, lambda: fold(CHARTER, actions))
    return {
        "raw signature recovery": {"per_cpu_s": recovery},
        "envelope parsed and verified": {"per_cpu_s": parsing, "of_raw_recovery": parsing / recovery},
        "ingest, verified and durable, batches of 100": {"per_cpu_s": ingest, "of_raw_recovery": ingest / recovery},
        "statement bytes": {"per_cpu_s": fast, "of_general_codec": fast / slow},
        "set fingerprint, one id": {"per_cpu_s": hashing, "of_raw_recovery": hashing / recovery},
        "fold, one action at a time": {"per_cpu_s": one_by_one, "of_plain_fold": one_by_one / plain},
    }
