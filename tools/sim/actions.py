"""Real signed actions, made once and kept: however many hubs parse one, its signature is checked once."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256

from hubd.action import envelope
from hubd.action.charter import Charter
from hubd.action.content import SALT_BYTES, seal_content
from hubd.action.envelope import Action
from hubd.action.network import TESTNET
from hubd.action.principal import Principal, contract
from hubd.action.signature import Signer
from hubd.action.sip018 import ActionId
from hubd.action.statement import Statement
from hubd.limits import STATEMENT_LIFE_S

EPOCH_S = 1_767_225_600  # 2026-01-01
_PARSED_MAX = 200_000


@cache
def signer(name: str) -> Signer:
    """The key of a name."""
    return Signer(sha256(f"simulated {name}".encode()).digest())


_OWNER = signer("owner").principal(TESTNET)
CHARTER = Charter(
    name="simulated",
    network=TESTNET,
    anchor=contract(_OWNER, "access"),
    money="hours",
    stewards=tuple(signer(f"steward {number}").principal(TESTNET) for number in range(3)),
)


@dataclass(frozen=True)
class Person:
    """Somebody who signs. `skew_s` is how wrong the clock of their phone is."""

    name: str
    skew_s: int = 0

    @property
    def principal(self) -> Principal:
        """Who this is."""
        return signer(self.name).principal(TESTNET)


_made: dict[tuple[str, int, int, bool, int], bytes] = {}
_parsed: dict[bytes, Action] = {}
_bytes: dict[tuple[ActionId, bool], bytes] = {}


def made(person: Person, number: int, now_s: float, *, has_text: bool = False, letters: int = 0) -> bytes:
    """The envelope of this person's action with this number; the first is the registration. `letters` go with it."""
    created = max(0, EPOCH_S + person.skew_s + int(now_s))
    key = (person.name, number, created, has_text, letters)
    if key not in _made:
        kind = "request-open" if number else "user-register"
        fields = {"bits": 1, "amount": number, "moment": 5} if number else {"bits": 3}
        salt = sha256(f"{person.name} {number}".encode()).digest()[:8]
        statement = Statement(kind, person.principal, created, created + STATEMENT_LIFE_S, salt, **fields)
        text = seal_content({"note": f"of {person.name}" + "x" * letters}, (salt + salt)[:SALT_BYTES])
        is_told = has_text or letters
        action = envelope.seal(statement, signer(person.name), CHARTER.domain, text if is_told else None)
        raw = envelope.encode(action)
        _made[key] = raw
        _parsed[raw] = action
    return _made[key]


def erasure(person: Person, action: Action) -> Action:
    """The person's word that the text of this action goes."""
    created, salt = action.statement.created, action.id[:8]
    statement = Statement(
        "content-erase", person.principal, created, created + STATEMENT_LIFE_S, salt, subject=action.id
    )
    return envelope.seal(statement, signer(person.name), CHARTER.domain)


def parsed(raw: bytes) -> Action:
    """The action of these bytes. Raises `RemoteError` as `envelope.parse` does, which judged them once."""
    action = _parsed.get(raw)
    if action is None:
        action = envelope.parse(raw, CHARTER.domain)
        if len(_parsed) < _PARSED_MAX:
            _parsed[raw] = action
    return action


def bytes_of(action: Action) -> bytes:
    """The envelope of an action that was parsed here."""
    key = (action.id, action.content is not None)
    raw = _bytes.get(key)
    if raw is None:
        raw = _bytes[key] = envelope.encode(action)
    return raw
