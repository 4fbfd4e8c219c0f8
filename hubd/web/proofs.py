"""Who is at the other end: a phone proves a registered key, a hub proves its own (docs/phone-api.md, "Proofs").

Everything here is stateless. A hub's challenge is sealed with a secret of this boot and carries its own end of life, so
that a thousand strangers who ask for one leave nothing behind. Time is the hub's monotonic clock: wall clocks jump.

    challenge = random 16 || end of life in ms, 8 bytes || HMAC-SHA256(secret, what stands before)[:16]
    read      = sha256("hubd-read-v1"   || mesh principal || hub principal || challenge || question) signed by the phone
    answer    = sha256("hubd-answer-v1" || nonce of the phone || charter digest || question || sha256(body)) by the hub

Both name the question, so that neither serves another one: over HTTP it is the digest of the request, on a socket that
of the message which is answered. On a socket the body of each message begins with the digest of the last one's body,
so that none can be left out.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass

from hubd.action import cbor
from hubd.action.charter import Charter
from hubd.action.network import Network
from hubd.action.principal import Principal, check_principal
from hubd.action.signature import SIGNATURE_BYTES, Signer, principal_of, recover
from hubd.errors import RemoteError
from hubd.limits import CHALLENGE_LIFE_S, CHALLENGE_RANDOM_BYTES

NONCE_BYTES = 16
_EXPIRY_BYTES = 8
_SEAL_BYTES = 16
CHALLENGE_BYTES = CHALLENGE_RANDOM_BYTES + _EXPIRY_BYTES + _SEAL_BYTES
_SCHEME = "Hubd "
_AUTHORIZATION_BYTES_MAX = 256


@dataclass(frozen=True, slots=True)
class Authorization:
    """A phone's answer to a challenge: `signature` over the read digest, by the key of `principal`."""

    principal: Principal
    challenge: bytes
    signature: bytes

    def fields(self) -> list[bytes]:
        """What travels in CBOR."""
        return [self.principal, self.challenge, self.signature]

    def header(self) -> str:
        """The value of the HTTP header `Authorization`."""
        return _SCHEME + base64.urlsafe_b64encode(cbor.encode(self.fields())).rstrip(b"=").decode("ascii")


def request_digest(method: str, target: bytes, body: bytes) -> bytes:
    """The question that an HTTP request asks. `target` is the path with its query, as it stands in the request line."""
    return hashlib.sha256(method.encode("ascii") + b" " + target + b"\n" + hashlib.sha256(body).digest()).digest()


def message_digest(message: bytes) -> bytes:
    """The question that a message on a socket asks."""
    return hashlib.sha256(message).digest()


@dataclass
class Thread:
    """What a hub has said on a socket since a HELLO with this `nonce`; before the first one, the nonce is 16 zeros."""

    nonce: bytes = bytes(NONCE_BYTES)
    greeting: bytes = bytes(32)
    _last: bytes = b""

    def body(self, message: bytes) -> bytes:
        """What is proven with the next message."""
        return self._last + message

    def said(self, message: bytes) -> None:
        """The next message has been said."""
        self._last = hashlib.sha256(self.body(message)).digest()


class Challenges:
    """Mints challenges and knows its own again. `secret` is 32 random bytes of this boot."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def mint(self, random: bytes, now: float) -> bytes:
        """A challenge for a phone that asks. `random` is fresh; `now` in seconds of the monotonic clock."""
        assert len(random) == CHALLENGE_RANDOM_BYTES
        body = random + int((now + CHALLENGE_LIFE_S) * 1000).to_bytes(_EXPIRY_BYTES, "big")
        return body + self._seal(body)

    def check(self, challenge: bytes, now: float) -> None:
        """Raise `RemoteError("challenge")` for one of another hub or boot, or one that is too old."""
        body, seal = challenge[:-_SEAL_BYTES], challenge[-_SEAL_BYTES:]
        if len(challenge) != CHALLENGE_BYTES or not hmac.compare_digest(seal, self._seal(body)):
            raise RemoteError("challenge", "not one of mine", hint="ask for a new challenge")
        if int.from_bytes(body[CHALLENGE_RANDOM_BYTES:], "big") < now * 1000:
            raise RemoteError("challenge", "too old", hint="ask for a new challenge")

    def _seal(self, body: bytes) -> bytes:
        return hmac.digest(self._secret, body, "sha256")[:_SEAL_BYTES]


def authorization_of(fields: object, network: Network) -> Authorization:
    """The authorization of decoded CBOR. Raises `RemoteError("authorization")`."""
    if not isinstance(fields, list) or len(fields) != 3 or not all(isinstance(field, bytes) for field in fields):
        raise RemoteError("authorization", "not [principal, challenge, signature]")
    principal, challenge, signature = fields
    try:
        return Authorization(check_principal(principal, network), challenge, signature)
    except RemoteError as error:
        raise RemoteError("authorization", error.detail) from error


def parse_header(text: str, network: Network) -> Authorization:
    """The authorization in an HTTP header. Raises `RemoteError("authorization")`, whatever the text."""
    if not text.startswith(_SCHEME) or len(text) > 2 * _AUTHORIZATION_BYTES_MAX:
        raise RemoteError("authorization", "the scheme is 'Hubd', then base64url")
    body = text[len(_SCHEME) :].strip()
    try:
        raw = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        fields = cbor.decode(raw, bytes_max=_AUTHORIZATION_BYTES_MAX, depth_max=1, items_max=4)
    except (binascii.Error, ValueError, RemoteError) as error:
        raise RemoteError("authorization", "no base64url of CBOR") from error
    return authorization_of(fields, network)


def read_digest(mesh: Principal, hub: Principal, challenge: bytes, question: bytes) -> bytes:
    """What a phone signs to read one thing at one hub of one mesh."""
    return hashlib.sha256(b"hubd-read-v1" + mesh + hub + challenge + question).digest()


def authorize(signer: Signer, charter: Charter, hub: Principal, challenge: bytes, question: bytes) -> Authorization:
    """The phone's side: answer a challenge, for one question."""
    signature = signer.sign(read_digest(charter.anchor, hub, challenge, question))
    return Authorization(signer.principal(charter.network), challenge, signature)


def check_authorization(given: Authorization, charter: Charter, hub: Principal, question: bytes) -> None:
    """The hub's side: raises `RemoteError("authorization")` unless the named key signed this very question to this hub."""
    try:
        key = recover(read_digest(charter.anchor, hub, given.challenge, question), given.signature)
    except RemoteError as error:
        raise RemoteError("authorization", error.detail) from error
    if principal_of(key, charter.network) != given.principal:
        raise RemoteError("authorization", "signed by another key, for another hub or for another request")


def _answer_digest(nonce: bytes, charter: Charter, question: bytes, body: bytes) -> bytes:
    said = nonce + charter.digest + question + hashlib.sha256(body).digest()
    return hashlib.sha256(b"hubd-answer-v1" + said).digest()


def prove_answer(signer: Signer, charter: Charter, nonce: bytes, question: bytes, body: bytes) -> bytes:
    """The hub's signature over an answer: an OK that only this hub can have said, and only to this question."""
    return signer.sign(_answer_digest(nonce, charter, question, body))


def hub_of_answer(signature: bytes, charter: Charter, nonce: bytes, question: bytes, body: bytes) -> Principal:
    """Which hub gave an answer; somebody unknown where anything was changed. Raises `RemoteError("hub-proof")`."""
    if len(signature) != SIGNATURE_BYTES:
        raise RemoteError("hub-proof", "not 65 bytes")
    try:
        return principal_of(recover(_answer_digest(nonce, charter, question, body), signature), charter.network)
    except RemoteError as error:
        raise RemoteError("hub-proof", error.detail) from error
