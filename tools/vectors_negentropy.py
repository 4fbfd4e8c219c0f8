"""Transcripts of the Negentropy reference, replayed with the product's code on both sides."""

import hashlib
from typing import Any

from hubd.gossip.items import SortedItems
from hubd.gossip.negentropy import Initiator, Responder

UNBOUNDED_BYTES = 2**30  # the reference's own limit on a message is none


def _says(message: bytes, entry: list[Any]) -> bool:
    """Whether a message is the expected one: [side, hex], or [side, null, sha256, length] where it is long."""
    _, text, *long = entry
    if text is not None:
        return bool(message.hex() == text)
    return [hashlib.sha256(message).hexdigest(), len(message)] == long


def check_transcript(case: dict[str, Any]) -> bool:
    """Every message of both sides byte for byte, and the same have and need."""
    ours, theirs = (SortedItems((created, bytes.fromhex(id_)) for created, id_ in case[side]) for side in "ab")
    initiator = Initiator(case["frame_size_limit_a"], message_bytes_max=UNBOUNDED_BYTES)
    responder = Responder(case["frame_size_limit_b"], message_bytes_max=UNBOUNDED_BYTES)
    expected = iter(case["messages"])
    have: list[bytes] = []
    need: list[bytes] = []
    message: bytes | None = initiator.open(ours)
    while message is not None:
        if not _says(message, next(expected)):
            return False
        answer = responder.handle(theirs, message)
        if not _says(answer, next(expected)):
            return False
        message, found, wanted = initiator.handle(ours, answer)
        have, need = have + found, need + wanted
    return (
        next(expected, None) is None
        and sorted(id_.hex() for id_ in have) == sorted(case["have"])
        and sorted(id_.hex() for id_ in need) == sorted(case["need"])
    )
