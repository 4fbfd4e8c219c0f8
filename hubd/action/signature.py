"""Recoverable low-S secp256k1 signatures over libsecp256k1: r || s || v, v in {0, 1} (docs/protocol.md, "Signature").

From any signature a stranger can make its high-S twin, which recovers the same key; only the low one is valid here.

Every action that comes in has its signer recovered, so this asks libsecp256k1 through the binding that coincurve brings
along, with room that is used again: coincurve's own objects around it cost 0.05 of a recovery.
"""

import hashlib
from functools import lru_cache
from typing import Any, NamedTuple

import coincurve
from coincurve._libsecp256k1 import ffi, lib
from coincurve.context import GLOBAL_CONTEXT

from hubd.action.network import Network
from hubd.action.principal import Principal, standard
from hubd.errors import FatalError, RemoteError
from hubd.limits import AUTHORS_REMEMBERED_MAX

SIGNATURE_BYTES = 65
DIGEST_BYTES = 32
_PUBLIC_KEY_BYTES = 33
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_HALF_ORDER = (_ORDER // 2).to_bytes(32, "big")


def hash160(raw: bytes) -> bytes:
    """RIPEMD-160 of SHA-256: what an address is made of. Raises `FatalError` where this Python's OpenSSL lacks it."""
    try:
        return hashlib.new("ripemd160", hashlib.sha256(raw).digest()).digest()
    except ValueError as error:
        raise FatalError(
            "hash-missing",
            "this Python's OpenSSL has no RIPEMD-160, which every Stacks address needs",
            hint="use OpenSSL 3.0.7 or newer, or a Python that brings its own",
        ) from error


def principal_of(public_key: bytes, network: Network) -> Principal:
    """The principal of a compressed public key (P2PKH, single signature)."""
    return _principal(network.single_sig, public_key)


@lru_cache(maxsize=AUTHORS_REMEMBERED_MAX)
def _principal(version: int, public_key: bytes) -> Principal:
    return standard(version, hash160(public_key))


class _Room(NamedTuple):
    """What libsecp256k1 writes into while it recovers one signer."""

    parsed: Any
    key: Any
    out: Any
    length: Any  # room before, bytes after: always all of it
    raw: Any  # the bytes of `out`


_IDLE: list[_Room] = []  # each call takes one and brings it back: several threads recover at once, and share none


def _room() -> _Room:
    out = ffi.new("unsigned char[]", _PUBLIC_KEY_BYTES)
    return _Room(
        ffi.new("secp256k1_ecdsa_recoverable_signature *"),
        ffi.new("secp256k1_pubkey *"),
        out,
        ffi.new("size_t *", _PUBLIC_KEY_BYTES),
        ffi.buffer(out),
    )


def recover(digest: bytes, signature: bytes) -> bytes:
    """The compressed public key that signed 32 bytes. Any signature recovers *some* key: compare it with the named author.

    Raises `RemoteError("signature")` for a wrong length, a high S, another v, or values outside the curve's order, and
    `ValueError` for a digest of another length: C reads 32 bytes whatever is there.
    """
    if len(signature) != SIGNATURE_BYTES or signature[64] > 1 or signature[32:64] > _HALF_ORDER:
        raise RemoteError("signature", "not the one low-S form")
    if len(digest) != DIGEST_BYTES:
        raise ValueError("what is signed is a digest of 32 bytes")
    try:
        room = _IDLE.pop()
    except IndexError:
        room = _room()
    context, (parsed, key, out, length, raw) = GLOBAL_CONTEXT.ctx, room
    if not (
        lib.secp256k1_ecdsa_recoverable_signature_parse_compact(context, parsed, signature, signature[64])
        and lib.secp256k1_ecdsa_recover(context, key, parsed, digest)
    ):
        raise RemoteError("signature", "recovers no key")
    lib.secp256k1_ec_pubkey_serialize(context, out, length, key, lib.SECP256K1_EC_COMPRESSED)
    found: bytes = raw[:]
    _IDLE.append(room)
    return found


class Signer:
    """A private key of 32 bytes. Never printed, compared or logged."""

    __slots__ = ("_key", "public_key")

    def __init__(self, secret: bytes) -> None:
        assert len(secret) == 32, "a private key has 32 bytes"
        self._key = coincurve.PrivateKey(secret)
        self.public_key: bytes = self._key.public_key.format()

    def __repr__(self) -> str:
        return "Signer(...)"

    def principal(self, network: Network) -> Principal:
        """The principal this key signs as."""
        return principal_of(self.public_key, network)

    def sign(self, digest: bytes) -> bytes:
        """A signature r || s || v over a 32-byte digest; deterministic (RFC 6979) and low-S by construction."""
        return self._key.sign_recoverable(digest, hasher=None)
