"""Recoverable low-S secp256k1 signatures over libsecp256k1: r || s || v, v in {0, 1} (docs/protocol.md, "Signature").

From any signature a stranger can make its high-S twin, which recovers the same key; only the low one is valid here.
"""

import hashlib
from functools import lru_cache

import coincurve

from hubd.action.network import Network
from hubd.action.principal import Principal, standard
from hubd.errors import FatalError, RemoteError
from hubd.limits import AUTHORS_REMEMBERED_MAX

SIGNATURE_BYTES = 65
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


def recover(digest: bytes, signature: bytes) -> bytes:
    """The compressed public key that signed. Any 65 bytes recover *some* key: compare it with the named author.

    Raises `RemoteError("signature")` for a wrong length, a high S, another v, or values outside the curve's field.
    """
    if len(signature) != SIGNATURE_BYTES or signature[64] > 1 or signature[32:64] > _HALF_ORDER:
        raise RemoteError("signature", "not the one low-S form")
    try:
        return coincurve.PublicKey.from_signature_and_message(signature, digest, hasher=None).format()
    except Exception as error:  # coincurve raises bare Exception for r or s out of range
        raise RemoteError("signature", "recovers no key") from error


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
