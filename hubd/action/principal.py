"""Principals: who acts. In this program a principal is bytes: version, hash160, and for a contract its ASCII name.

The text form (`ST...`, c32check with the alphabet of Crockford's base 32) is for people and for URLs only.
"""

import hashlib
import re
from typing import NewType

from hubd.action.network import Network
from hubd.errors import RemoteError
from hubd.limits import CONTRACT_NAME_CHARS_MAX

Principal = NewType("Principal", bytes)

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_DIGITS = {character: value for value, character in enumerate(_ALPHABET)} | {"O": 0, "L": 1, "I": 1}
_HASH_BYTES = 20
STANDARD_BYTES = 1 + _HASH_BYTES
_CONTRACT_NAME = re.compile(rb"[a-zA-Z][a-zA-Z0-9_-]*\Z")  # Clarity's ContractName; `__transient` is not for us


def _checksum(version: int, payload: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(bytes([version]) + payload).digest()).digest()[:4]


def standard(version: int, hash160: bytes) -> Principal:
    """The principal of a key or script; `hash160` is 20 bytes."""
    assert len(hash160) == _HASH_BYTES
    return Principal(bytes([version]) + hash160)


def contract(owner: Principal, name: str) -> Principal:
    """The principal of the contract `name` deployed by `owner`."""
    assert len(owner) == STANDARD_BYTES
    return Principal(owner + name.encode("ascii"))


def owner_of(principal: Principal) -> Principal:
    """The standard principal: of a contract its deployer, else itself."""
    return Principal(principal[:STANDARD_BYTES])


def contract_name(principal: Principal) -> str:
    """The contract's name, or "" for a standard principal."""
    return principal[STANDARD_BYTES:].decode("ascii")


def check_principal(raw: object, network: Network) -> Principal:
    """The one check of a principal that came from outside: raises `RemoteError("principal")`."""
    if not isinstance(raw, bytes) or len(raw) < STANDARD_BYTES or raw[0] not in network.versions:
        raise RemoteError("principal", "no principal of this network")
    if len(raw) > STANDARD_BYTES:
        name = raw[STANDARD_BYTES:]
        if len(name) > CONTRACT_NAME_CHARS_MAX or not _CONTRACT_NAME.match(name):
            raise RemoteError("principal", "no contract name")
    return Principal(raw)


def address(principal: Principal) -> str:
    """The text form: `ST...` or `ST....contract-name`."""
    version, payload = principal[0], principal[1:STANDARD_BYTES]
    body = payload + _checksum(version, payload)
    number, characters = int.from_bytes(body, "big"), ""
    while number:
        number, digit = divmod(number, 32)
        characters = _ALPHABET[digit] + characters
    zeros = len(body) - len(body.lstrip(b"\0"))
    text = "S" + _ALPHABET[version] + "0" * zeros + characters
    return f"{text}.{contract_name(principal)}" if len(principal) > STANDARD_BYTES else text


def parse_address(text: str) -> Principal:
    """The principal of a text form. Reads lower case and O, I, L as people write them; checks the checksum.

    Raises `RemoteError("address")`. The network is not checked here: `check_principal` does.
    """
    standard_text, dot, name = text.partition(".")
    body = standard_text.upper()
    if len(body) < 5 or len(body) > 41 or body[0] != "S":  # "S", version, 1..39 digits
        raise RemoteError("address", "an address starts with S and has at most 41 characters")
    digits = [_DIGITS.get(character) for character in body[1:]]
    if None in digits:
        raise RemoteError("address", "a character that no address has")
    version, *rest = (digit for digit in digits if digit is not None)
    number = 0
    for digit in rest:
        number = number * 32 + digit
    if number >= 1 << 192:
        raise RemoteError("address", "too long")
    raw = number.to_bytes(24, "big")
    payload, check = raw[:_HASH_BYTES], raw[_HASH_BYTES:]
    principal = standard(version, payload)
    if check != _checksum(version, payload) or address(principal) != _canonical(body):
        raise RemoteError("address", "the check digits do not match: was it typed wrong?")
    if not dot:
        return principal
    encoded = name.encode("ascii", "replace")
    if len(encoded) > CONTRACT_NAME_CHARS_MAX or not _CONTRACT_NAME.match(encoded):
        raise RemoteError("address", "no contract name behind the dot")
    return Principal(principal + encoded)


def _canonical(body: str) -> str:
    return body[0] + body[1:].replace("O", "0").replace("L", "1").replace("I", "1")
