"""The fingerprint of a set: LtHash with 1,024 lanes of 16 bits over SHAKE-128 of each id.

Source: Bellare and Micciancio 1997, and "Securing Update Propagation with Homomorphic Hashing" (Lewi et al., 2019).

Adding an id is a lane-wise addition, so it does not depend on the order, can be kept incrementally, and no author who
grinds ids can forge an equal sum. The lanes live in one large integer: two additions of 16,384 bits instead of 1,024.
"""

import hashlib
from collections.abc import Iterable

from hubd.action.sip018 import ActionId

_LANES = 1024
STATE_BYTES = 2 * _LANES
_EVEN = int.from_bytes(b"\x00\x00\xff\xff" * (_LANES // 2), "big")  # every second lane, so that sums have room to carry
_ROOM = int.from_bytes(b"\x00\x01\x00\x00" * (_LANES // 2), "big")  # 2^16 in each lane, so that none goes below zero
_IDS_PER_SUM = 1 << 15  # with the state they stay below 2^16 lanes of 16 bits, whose sum still fits 32
EMPTY = bytes(STATE_BYTES)

# Syllables that people tell apart when a fingerprint is read aloud.
_CONSONANTS, _VOWELS = "bdfgklmnprstvwyz", "aeiou"


def _sum(state: int, ids: list[ActionId]) -> int:
    """Lanes of a state and of ids, added. One mask an id: the odd lanes are what the even ones leave of a plain sum.

    Id by id: two running sums of 2 kB leave the processor's cache to those who verify and write.
    """
    shake, read = hashlib.shake_128, int.from_bytes
    total, even = state, state & _EVEN
    for action_id in ids:
        lanes = read(shake(action_id).digest(STATE_BYTES), "big")
        total += lanes
        even += lanes & _EVEN
    odd = (total - even) >> 16
    return (even & _EVEN) | ((odd & _EVEN) << 16)


def extend(state: bytes, ids: Iterable[ActionId]) -> bytes:
    """The LtHash of a set and more ids; the ids must not be in the set yet. 2,048 bytes."""
    waiting, total = list(ids), int.from_bytes(state, "big")
    for start in range(0, len(waiting), _IDS_PER_SUM):
        total = _sum(total, waiting[start : start + _IDS_PER_SUM])
    return total.to_bytes(STATE_BYTES, "big")


def without(state: bytes, ids: Iterable[ActionId]) -> bytes:
    """The LtHash of a set less some ids that are in it."""
    for action_id in ids:
        lanes = int.from_bytes(hashlib.shake_128(action_id).digest(STATE_BYTES), "big")
        total = int.from_bytes(state, "big")
        even = (total & _EVEN) + _ROOM - (lanes & _EVEN)
        odd = (total >> 16 & _EVEN) + _ROOM - (lanes >> 16 & _EVEN)
        state = (even & _EVEN | (odd & _EVEN) << 16).to_bytes(STATE_BYTES, "big")
    return state


def fingerprint(state: bytes) -> bytes:
    """32 bytes of an LtHash: what hubs compare."""
    return hashlib.sha256(state).digest()


def spoken(digest: bytes) -> str:
    """Four syllable pairs of a digest's first bytes, to be read aloud: `bodi-kanu-zera-timo`."""
    words = []
    for position in range(0, 8, 2):
        pair = digest[position : position + 2]
        words.append("".join(_CONSONANTS[byte >> 4] + _VOWELS[(byte & 15) % len(_VOWELS)] for byte in pair))
    return "-".join(words)
