"""What the dearest comparisons cost: messages as full of ranges as a link takes them, against a large set.

Each is one message of an admitted peer that means no good. Beside it stands the whole set summed up once, in the same run.
"""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import pairwise
from pathlib import Path
from time import process_time

from bench.actions import CHARTER, statement
from bench.million import build
from bench.values import Figures
from hubd.errors import RemoteError
from hubd.gossip.items import Items
from hubd.gossip.negentropy import Initiator, Responder
from hubd.gossip.ranges import CREATED_BYTES, INFINITY, Bound, Writer
from hubd.limits import RECONCILE_LINK_BYTES_MAX
from hubd.store.actions import Store

ITEMS = 100_000
_WRONG = bytes(16)
_SPARE_BYTES = 40  # of the largest range

_Write = Callable[[Writer, Items, Bound, int, int], object]


def _times(count: int) -> Iterator[tuple[Bound, int]]:
    """Bounds that part the bench's set into so many ranges, and their positions."""
    for number in range(1, count):
        position = number * ITEMS // count
        yield Bound(statement(position).created.to_bytes(CREATED_BYTES, "big")), position


def _message(items: Items, count: int, write: _Write) -> bytes:
    """As many ranges as fit, of so many."""
    writer, lower = Writer(), 0
    for bound, upper in _times(count):
        if len(writer) + _SPARE_BYTES > RECONCILE_LINK_BYTES_MAX:
            break
        write(writer, items, bound, lower, upper)
        lower = upper
    writer.skip(INFINITY)
    return writer.message()


def _same(writer: Writer, items: Items, bound: Bound, lower: int, upper: int) -> None:
    writer.fingerprint(bound, items.fingerprints([(lower, upper)])[0])


def _same_or_skip(writer: Writer, items: Items, bound: Bound, lower: int, upper: int) -> None:
    if upper % 2:
        writer.skip(bound)
    else:
        _same(writer, items, bound, lower, upper)


MESSAGES: dict[str, tuple[int, _Write]] = {
    "skips alone": (80_000, lambda writer, _items, bound, *_: writer.skip(bound)),
    "lists of nothing": (60_000, lambda writer, _items, bound, *_: writer.id_list(bound, [])),
    "right fingerprints": (13_000, _same),
    "right fingerprints and skips": (22_000, _same_or_skip),
    "wrong fingerprints": (13_000, lambda writer, _items, bound, *_: writer.fingerprint(bound, _WRONG)),
    "wrong fingerprints of large ranges": (
        700, lambda writer, _items, bound, *_: writer.fingerprint(bound, _WRONG)
    ),
}  # fmt: skip


def _spent_ms(answer: Callable[[bytes], object], message: bytes) -> float:
    started = process_time()
    with suppress(RemoteError):  # more ranges than an honest message has
        answer(message)
    return (process_time() - started) * 1000


def _both(items: Items, message: bytes) -> dict[str, float]:
    asked = Responder(RECONCILE_LINK_BYTES_MAX, message_bytes_max=RECONCILE_LINK_BYTES_MAX)
    asking = Initiator(RECONCILE_LINK_BYTES_MAX, message_bytes_max=RECONCILE_LINK_BYTES_MAX)
    return {
        "bytes": len(message),
        "cpu_ms_asked": _spent_ms(partial(asked.handle, items), message),
        "cpu_ms_asking": _spent_ms(partial(asking.handle, items), message),
    }


def _whole(items: Items) -> float:
    """Every item read and summed up once, by its neighbours' positions."""
    started = process_time()
    items.fingerprints(list(pairwise(range(0, items.size() + 1, 16))))
    return (process_time() - started) * 1000


async def _measure(directory: Path) -> Figures:
    store = await Store.open(directory, CHARTER.domain)
    try:
        whole_ms = await store.over_items(_whole)
        found: Figures = {f"every sixteenth place of {ITEMS:,} items summed up": {"cpu_ms": whole_ms}}
        for name, (count, write) in MESSAGES.items():
            message = await store.over_items(partial(_message, count=count, write=write))
            row = await store.over_items(partial(_both, message=message))
            found[f"dearest message over {ITEMS:,} items: {name}"] = {
                **row, "of_all_summed_up": max(row["cpu_ms_asked"], row["cpu_ms_asking"]) / whole_ms,
            }  # fmt: skip
        return found
    finally:
        await store.close()


def measure() -> Figures:
    """Figures by name."""
    with tempfile.TemporaryDirectory(prefix="hubd-bench-") as scratch:
        directory = Path(scratch) / "full"
        asyncio.run(build(directory, ITEMS))
        return asyncio.run(_measure(directory))
