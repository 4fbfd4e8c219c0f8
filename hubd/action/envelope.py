"""The envelope, and the one door from bytes to an `Action` (docs/protocol.md, "Envelope" and "Valid, void, deferred").

`parse` decides *validity*, and validity alone: canonical bytes, the tuple's shape, a low-S signature by the named author.
Nothing that depends on the kind may ever be asked here: hubs of different versions must agree for ever on what is in the
set. Past this door an `Action` is verified by its type.
"""

from typing import Any, NamedTuple

from hubd.action import cbor
from hubd.action.content import admissible, digest_of, is_anchored
from hubd.action.shape import read
from hubd.action.signature import SIGNATURE_BYTES, Signer, principal_of, recover
from hubd.action.sip018 import ActionId, Domain
from hubd.action.statement import NO_CONTENT, Statement, from_fields
from hubd.errors import RemoteError
from hubd.limits import CBOR_DEPTH_MAX, CBOR_ITEMS_MAX, ENVELOPE_BYTES_MAX


class Action(NamedTuple):
    """A verified action. `content` is None where there is none, where it was erased or where it was not carried.

    `header` is the envelope without content, in the one encoding there is: what is kept for ever, and sent again.
    """

    id: ActionId
    statement: Statement
    signature: bytes
    header: bytes
    content: bytes | None = None

    @property
    def kind(self) -> str:
        """The kind's name, known or not."""
        return self.statement.action

    @property
    def lacks_content(self) -> bool:
        """Whether the statement names content that is not here."""
        return self.content is None and is_content_named(self.kind, self.statement.content)


def is_content_named(kind: str, digest: bytes) -> bool:
    """Whether a statement of this kind names content by this digest; a seal names what is told later, elsewhere."""
    return digest != NO_CONTENT and kind != "rating-seal"


def parse(raw: bytes, domain: Domain) -> Action:
    """The action of an envelope's bytes, or `RemoteError`, whatever the bytes.

    Codes: `cbor`, `envelope`, `statement`, `principal`, `signature`, `author`, `content` (an anchored kind without it).
    """
    shape = read(raw, domain.network) if len(raw) <= ENVELOPE_BYTES_MAX else None
    if shape is None:
        items = cbor.decode(raw, bytes_max=ENVELOPE_BYTES_MAX, depth_max=CBOR_DEPTH_MAX, items_max=CBOR_ITEMS_MAX)
        return from_items(items, domain)
    return _verified(*shape, domain)


def from_items(items: Any, domain: Domain) -> Action:
    """Like `parse`, for an envelope that was decoded as part of a larger frame (the profile was checked there)."""
    if not isinstance(items, list) or len(items) not in (2, 3):
        raise RemoteError("envelope", "not a list of two or three")
    statement = from_fields(items[0], domain.network)
    signature = items[1]
    if not isinstance(signature, bytes) or len(signature) != SIGNATURE_BYTES:
        raise RemoteError("signature", "not 65 bytes")
    header = header_of(statement, signature)
    return _verified(statement, signature, header, items[2] if len(items) == 3 else None, domain)


def _verified(statement: Statement, signature: bytes, header: bytes, offered: object, domain: Domain) -> Action:
    action_id = domain.digest(statement.clarity())
    if principal_of(recover(action_id, signature), domain.network) != statement.author:
        raise RemoteError("author", "signed by another key, or for another mesh")
    content = None if offered is None else admissible(offered, statement.action, statement.content)
    if content is None and is_anchored(statement.action):
        raise RemoteError("content", "this kind is valid only together with its content")
    return Action(action_id, statement, signature, header, content)


def header_of(statement: Statement, signature: bytes) -> bytes:
    """The envelope without content."""
    return cbor.encode([statement.fields(), signature])


def encode(action: Action) -> bytes:
    """The envelope's bytes, with content where it is here."""
    if action.content is None:
        return action.header
    return b"\x83" + action.header[1:] + cbor.encode(action.content)


def without_content(action: Action) -> Action:
    """The same action, its content erased."""
    return action._replace(content=None)


def seal(statement: Statement, signer: Signer, domain: Domain, content: bytes | None = None) -> Action:
    """Sign a statement. `content`, where given, sets the statement's digest; where not, the statement's own stays."""
    if content is not None:
        statement = statement._replace(content=digest_of(content))
    assert signer.principal(domain.network) == statement.author, "a statement is signed by its author"
    action_id = domain.digest(statement.clarity())
    signature = signer.sign(action_id)
    return Action(action_id, statement, signature, header_of(statement, signature), content)


def reopen(action_id: ActionId, header: bytes, content: bytes | None, domain: Domain) -> Action:
    """An action that we stored ourselves. Its digests are computed anew, so bit rot is seen; its signature was checked.

    Content that rotted is left out. Raises `RemoteError("rot")` when what is left is no valid action any more.
    """
    shape = read(header, domain.network)
    if shape is None:
        fields, signature = cbor.decode(header)
        statement = from_fields(fields, domain.network)
    else:
        statement, signature, _, _ = shape
    if domain.digest(statement.clarity()) != action_id:
        raise RemoteError("rot", "stored bytes changed")
    if content is not None and digest_of(content) != statement.content:
        if is_anchored(statement.action):
            raise RemoteError("rot", "stored content changed")
        content = None
    return Action(action_id, statement, signature, header, content)
