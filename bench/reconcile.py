"""Negentropy between two sets that differ a little: CPU of both sides, round trips, bytes.

Beside it stands SHA-256 over the ids of both sets, which whoever compares them by a plain digest can't leave out.
"""

import hashlib
import time

from bench.values import Figures
from hubd.gossip.items import SortedItems
from hubd.gossip.negentropy import Initiator, Responder

ITEMS, DIFFERENT = 100_000, 100


def _pairs() -> list[tuple[int, bytes]]:
    return [(1_700_000_000 + number, hashlib.sha256(number.to_bytes(8, "big")).digest()) for number in range(ITEMS)]


def _digests_ms() -> float:
    """CPU-milliseconds of SHA-256 over the ids of two such sets."""
    ids = b"".join(item_id for _, item_id in _pairs())
    started = time.process_time()
    for _ in range(2):
        hashlib.sha256(ids).digest()
    return (time.process_time() - started) * 1000


def _reconcile(scattered: bool) -> tuple[float, int, int]:
    """CPU-milliseconds of both sides together, round trips and bytes for some differences among many items."""
    pairs = _pairs()
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
    digests_ms = _digests_ms()
    found: Figures = {f"SHA-256 over the ids of both sets of {ITEMS:,}": {"cpu_ms": digests_ms}}
    for name, scattered in (("newest", False), ("scattered", True)):
        spent_ms, rounds, size = _reconcile(scattered)
        found[f"reconcile {ITEMS:,} items, {DIFFERENT} {name} lacking"] = {
            "cpu_ms_both_sides": spent_ms, "round_trips": rounds, "bytes": size, "of_sha256": spent_ms / digests_ms,
        }  # fmt: skip
    return found
