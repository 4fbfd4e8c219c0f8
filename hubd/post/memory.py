"""What a hub remembers of its post: up to where it has everything of others, and the latest receipt of each.

One small file beside the database, replaced whole. It is void where the database is another one than it was written
for (a restored backup, a new card), or where a bit of it rotted, which the digest before it tells: then everything is taken
once more, which costs time and nothing else.
"""

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from hubd.action import cbor
from hubd.action.principal import STANDARD_BYTES, Principal
from hubd.errors import LocalError, RemoteError
from hubd.limits import BUNDLE_RECIPIENTS_MAX, POST_MEMORY_BYTES_MAX, RECEIPT_EPOCHS_MAX
from hubd.ports import Cursor
from hubd.post.receipt import place_fields, place_of

FILE_NAME = "post.cbor"
_DIGEST_BYTES = 32
_ITEMS_MAX = (10 + RECEIPT_EPOCHS_MAX) * BUNDLE_RECIPIENTS_MAX + 16


@dataclass
class Memory:
    """`own` is this database's end when it was written; `taken` by hub; `receipts` are signed bytes by hub.

    `past` are the databases which a hub had before, the latest last; `round` is this hub's own (hubd/post/order.py). `aside`
    is how many actions had left the set for rot when `taken` was true.
    """

    own: Cursor
    taken: dict[Principal, Cursor] = field(default_factory=dict)
    receipts: dict[Principal, bytes] = field(default_factory=dict)
    past: dict[Principal, list[bytes]] = field(default_factory=dict)
    round: int = 0
    aside: int = 0


def read(path: Path) -> Memory | None:
    """What the file holds, None where there is none or it can't be read: it is worth no more than time."""
    try:
        raw = path.read_bytes()
        digest, body = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
        if hashlib.sha256(body).digest() != digest:
            return None
        shown = cbor.decode(body, bytes_max=POST_MEMORY_BYTES_MAX, items_max=_ITEMS_MAX)
        own, taken, receipts, past, number, *aside = shown  # an earlier hubd knew nothing of what rotted
        return Memory(
            place_of(own),
            {_hub(hub): place_of(place) for hub, place in taken},
            {_hub(hub): bytes(receipt) for hub, receipt in receipts if isinstance(receipt, bytes)},
            {_hub(hub): list(epochs) for hub, *epochs in past},
            int(number),
            int(*aside),
        )
    except (OSError, RemoteError, TypeError, ValueError):
        return None


def write(path: Path, memory: Memory) -> None:
    """Replace the file, durably. Raises `LocalError("disk-full")` where it can't be written."""
    receipts = sorted(map(list, memory.receipts.items()))
    past = [[hub, *epochs] for hub, epochs in sorted(memory.past.items())]
    body = cbor.encode([place_fields(memory.own), _rows(memory.taken), receipts, past, memory.round, memory.aside])
    waiting = path.with_name(path.name + ".new")
    try:
        with waiting.open("wb") as file:
            file.write(hashlib.sha256(body).digest() + body)
            file.flush()
            os.fsync(file.fileno())
        waiting.replace(path)
    except OSError as error:
        with suppress(OSError):
            waiting.unlink(missing_ok=True)
        raise LocalError("disk-full", f"{path}: {error.strerror}", hint="free some space on the card") from error


def _rows(places: Mapping[Principal, Cursor]) -> list[list[object]]:
    return [[hub, place_fields(place)] for hub, place in sorted(places.items())]


def _hub(raw: object) -> Principal:
    if not isinstance(raw, bytes) or len(raw) != STANDARD_BYTES:
        raise RemoteError("receipt", "no hub")
    return Principal(raw)
