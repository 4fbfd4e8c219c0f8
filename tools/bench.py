"""`./dev bench [--json]`: what the hub costs, each figure beside a raw limit measured in the same run.

Machines differ and are noisy, so ratios are what is compared over time; the figures beside them are only for orientation.
"""

import asyncio
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hubd.action import clarity, envelope
from hubd.action.charter import Charter
from hubd.action.fingerprint import EMPTY, extend
from hubd.action.network import TESTNET
from hubd.action.principal import contract
from hubd.action.signature import Signer, recover
from hubd.action.statement import Statement
from hubd.fold.folder import Folder, fold
from hubd.gossip.items import SortedItems
from hubd.gossip.negentropy import Initiator, Responder
from hubd.intake import SetIntake
from hubd.ports import Door
from hubd.store.actions import Store

ACTIONS = 2_000
BATCH = 100
ITEMS, DIFFERENT = 100_000, 100
_SIGNERS = [Signer(bytes([number]) * 32) for number in range(1, 9)]
_OWNER = _SIGNERS[0].principal(TESTNET)
CHARTER = Charter(
    name="bench",
    network=TESTNET,
    anchor=contract(_OWNER, "access"),
    money="hours",
    stewards=tuple(signer.principal(TESTNET) for signer in _SIGNERS[:3]),
)


def _made(number: int) -> envelope.Action:
    """One of many requests, of the size that phones send."""
    signer = _SIGNERS[number % len(_SIGNERS)]
    kind = "user-register" if number < len(_SIGNERS) else "request-open"
    fields = {"bits": 3} if kind == "user-register" else {"bits": 1, "amount": number, "moment": 5}
    statement = Statement(
        kind, signer.principal(TESTNET), 1_767_225_600 + number, 1_800_000_000, number.to_bytes(8, "big"), **fields
    )
    return envelope.seal(statement, signer, CHARTER.domain)


def _rate(count: int, work: Callable[[], Any]) -> float:
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


def _reconcile(scattered: bool) -> tuple[float, int, int]:
    """CPU-milliseconds of both sides together, round trips and bytes for some differences among many items."""
    pairs = [(1_700_000_000 + number, hashlib.sha256(number.to_bytes(8, "big")).digest()) for number in range(ITEMS)]
    step = ITEMS // DIFFERENT
    lacking = set(range(0, ITEMS, step)) if scattered else set(range(ITEMS - DIFFERENT, ITEMS))
    full, less = SortedItems(pairs), SortedItems(pair for number, pair in enumerate(pairs) if number not in lacking)
    initiator, responder = Initiator(less), Responder(full)
    started, rounds, size, needed = time.process_time(), 0, 0, 0
    message: bytes | None = initiator.open()
    while message is not None:
        answer = responder.handle(message)
        rounds, size = rounds + 1, size + len(message) + len(answer)
        message, _, need = initiator.handle(answer)
        needed += len(need)
    assert needed == DIFFERENT
    return (time.process_time() - started) * 1000, rounds, size


def measure() -> dict[str, dict[str, float]]:
    """Every figure, by name."""
    actions = [_made(number) for number in range(ACTIONS)]
    raws = [envelope.encode(action) for action in actions]
    recovery = _rate(ACTIONS, lambda: [recover(action.id, action.signature) for action in actions])
    parsing = _rate(ACTIONS, lambda: [envelope.parse(raw, CHARTER.domain) for raw in raws])
    ingest = asyncio.run(_ingest(raws))
    fast = _rate(ACTIONS, lambda: [action.statement.clarity() for action in actions])
    general = [clarity.decode(action.statement.clarity()) for action in actions]
    slow = _rate(ACTIONS, lambda: [clarity.encode(value) for value in general])
    hashing = _rate(ACTIONS, lambda: extend(EMPTY, [action.id for action in actions]))
    folder = Folder(CHARTER)
    one_by_one = _rate(ACTIONS, lambda: [folder.append([action]) for action in actions])
    plain = _rate(ACTIONS, lambda: fold(CHARTER, actions))
    found = {
        "raw signature recovery": {"per_cpu_s": recovery},
        "envelope parsed and verified": {"per_cpu_s": parsing, "of_raw_recovery": parsing / recovery},
        "ingest, verified and durable, batches of 100": {"per_cpu_s": ingest, "of_raw_recovery": ingest / recovery},
        "statement bytes": {"per_cpu_s": fast, "of_general_codec": fast / slow},
        "set fingerprint, one id": {"per_cpu_s": hashing, "of_raw_recovery": hashing / recovery},
        "fold, one action at a time": {"per_cpu_s": one_by_one, "of_plain_fold": one_by_one / plain},
    }
    for name, scattered in (("newest", False), ("scattered", True)):
        spent_ms, rounds, size = _reconcile(scattered)
        found[f"reconcile {ITEMS:,} items, {DIFFERENT} {name} lacking"] = {
            "cpu_ms_both_sides": spent_ms, "round_trips": rounds, "bytes": size,
        }  # fmt: skip
    return found


def main(arguments: list[str]) -> None:
    """Measure and print."""
    found = measure()
    if "--json" in arguments:
        print(json.dumps({name: {key: round(value, 3) for key, value in row.items()} for name, row in found.items()}))
        return
    for name, row in found.items():
        print(
            f"{name:<58}"
            + "  ".join(f"{key} {value:,.3g}" if value < 100 else f"{key} {value:,.0f}" for key, value in row.items())
        )


if __name__ == "__main__":
    main(sys.argv[1:])
