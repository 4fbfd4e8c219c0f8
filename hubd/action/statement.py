"""The statement: the signed part of an action. One flat tuple of twelve fields, the same for every kind.

docs/protocol.md, "Statement". The Clarity bytes are what is hashed and signed; the CBOR list is how it travels.
"""

import re
from typing import Any, NamedTuple

from hubd.action.network import Network
from hubd.action.principal import STANDARD_BYTES, Principal, check_principal
from hubd.action.sip018 import NO_ID, ActionId
from hubd.errors import RemoteError
from hubd.limits import INTEGER_MAX, KIND_CHARS_MAX

NO_CONTENT = bytes(32)
SALT_BYTES = 8
FIELDS = (
    "action", "amount", "asset", "author", "bits", "content", "created", "expires", "moment", "salt", "subject", "who",
)  # fmt: skip

_KIND = re.compile(r"[\x20-\x7e]+\Z")  # what the VM takes in a string-ascii without escapes
_UINT, _BUFF, _STANDARD, _CONTRACT, _NONE, _SOME, _ASCII = b"\x01", b"\x02", b"\x05", b"\x06", b"\x09", b"\x0a", b"\x0d"
_HEAD = b"\x0c" + len(FIELDS).to_bytes(4, "big")


def _key(name: str, *type_and_length: bytes) -> bytes:
    """What stands before a field's own bytes."""
    return b"".join((bytes([len(name)]), name.encode("ascii"), *type_and_length))


_ACTION = _HEAD + _key("action", _ASCII)
_AMOUNT, _BITS, _CREATED, _EXPIRES, _MOMENT = (
    _key(name, _UINT) for name in ("amount", "bits", "created", "expires", "moment")
)
_ASSET, _AUTHOR, _WHO = (_key(name) for name in ("asset", "author", "who"))
_CONTENT, _SUBJECT = (_key(name, _BUFF, (32).to_bytes(4, "big")) for name in ("content", "subject"))
_SALT = _key("salt", _BUFF, SALT_BYTES.to_bytes(4, "big"))


class Statement(NamedTuple):
    """Field meanings are in docs/protocol.md; integers are 0 .. 2^63-1, times Unix seconds, `content` a sha256.

    Every ingest makes one: a named tuple is made in a fifth of the time of a frozen dataclass.
    """

    action: str
    author: Principal
    created: int
    expires: int
    salt: bytes
    amount: int = 0
    asset: Principal | None = None
    bits: int = 0
    content: bytes = NO_CONTENT
    moment: int = 0
    subject: ActionId = NO_ID
    who: Principal | None = None

    def clarity(self) -> bytes:
        """Consensus bytes of the tuple. Equal to the general codec's; written out because every ingest pays for it."""
        return b"".join(
            (
                _ACTION, len(self.action).to_bytes(4, "big"), self.action.encode("ascii"),
                _AMOUNT, self.amount.to_bytes(16, "big"),
                _ASSET, _optional(self.asset),
                _AUTHOR, _principal(self.author),
                _BITS, self.bits.to_bytes(16, "big"),
                _CONTENT, self.content,
                _CREATED, self.created.to_bytes(16, "big"),
                _EXPIRES, self.expires.to_bytes(16, "big"),
                _MOMENT, self.moment.to_bytes(16, "big"),
                _SALT, self.salt,
                _SUBJECT, self.subject,
                _WHO, _optional(self.who),
            )
        )  # fmt: skip

    def fields(self) -> list[Any]:
        """The list that travels in CBOR."""
        return [getattr(self, name) for name in FIELDS]


def _principal(principal: Principal) -> bytes:
    if len(principal) == STANDARD_BYTES:
        return _STANDARD + principal
    name = principal[STANDARD_BYTES:]
    return _CONTRACT + principal[:STANDARD_BYTES] + bytes([len(name)]) + name


def _optional(principal: Principal | None) -> bytes:
    return _NONE if principal is None else _SOME + _principal(principal)


def _integer(value: object) -> int:
    if type(value) is not int or not 0 <= value <= INTEGER_MAX:
        raise RemoteError("statement", "an integer outside 0 .. 2^63-1")
    return value


def _bytes(value: object, length: int) -> bytes:
    if type(value) is not bytes or len(value) != length:
        raise RemoteError("statement", f"not {length} bytes")
    return value


def _kind(value: object) -> str:
    if not isinstance(value, str) or len(value) > KIND_CHARS_MAX or not _KIND.match(value):
        raise RemoteError("statement", "no name of a kind")
    return value


def from_fields(fields: object, network: Network) -> Statement:
    """The statement of a decoded CBOR list. Raises `RemoteError("statement")` or `RemoteError("principal")`."""
    if not isinstance(fields, list) or len(fields) != len(FIELDS):
        raise RemoteError("statement", "not a list of twelve fields")
    action, amount, asset, author, bits, content, created, expires, moment, salt, subject, who = fields
    return Statement(
        action=_kind(action),
        amount=_integer(amount),
        asset=None if asset is None else check_principal(asset, network),
        author=check_principal(author, network),
        bits=_integer(bits),
        content=_bytes(content, 32),
        created=_integer(created),
        expires=_integer(expires),
        moment=_integer(moment),
        salt=_bytes(salt, SALT_BYTES),
        subject=ActionId(_bytes(subject, 32)),
        who=None if who is None else check_principal(who, network),
    )
