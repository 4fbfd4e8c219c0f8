"""Negentropy between two sets that differ a little: CPU of both sides, round trips, bytes."""

import hashlib
import time

from bench.values import Figures
from hubd.gossip.items import SortedItems
from hubd.gossip.negentropy import Initiator, Responder

ITEMS, DIFFERENT = 100_000, 100


def _reconcile(scattered: bool) -> tuple[float, int, int]:
    """CPU-milliseconds of both sides together, round trips and bytes for some differences among many items."""
    pairs = [(1_700_000_000 + number, hashlib.sha256(number.to_bytes(8, "big")).digest()) for number in range(ITEMS)]
    step = ITEMS // DIFFERENT
    lacking = set(range(0, ITEMS, step)) if scattered else set(range(ITEMS - DIFFERENT, ITEMS))
    full, less = SortedItems(pairs), SortedItems(pair for number, pair in enumerate(pairs) if number not in lacking)
    initiator, responder = Initiator(), Responder()
    started, rounds, size, needed = time.process_time(), 0, 0, 0
    message: bytes | None = initiator.open(less)
    while message is not None:
        answer = responder.handle(full, message)
        rounds, size = rounds + 1, size + len(message) + len(answer)
        message, _, need = initiator.handle(less, answer)
        needed += len(need)
    assert needed == DIFFERENT
    return (time.process_time() - started) * 1000, rounds, size


def measure() -> Figures:
    """Figures by name."""
    found: Figures = {}
    for name, scattered in (("newest", False), ("scattered", True)):
        spent_ms, rounds, size = _reconcile(scattered)
        found[f"reconcile {ITEMS:,} items, {DIFFERENT} {name} lacking"] = {
            "cpu_ms_both_sides": spent_ms, "round_trips": rounds, "bytes": size,
        }  # fmt: skip
    return found
