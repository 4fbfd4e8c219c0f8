"""What is measured with: a mesh, a few people, and as many of their actions as wanted."""

from hubd.action import envelope
from hubd.action.charter import Charter
from hubd.action.network import TESTNET
from hubd.action.principal import contract
from hubd.action.signature import Signer
from hubd.action.statement import Statement

_SIGNERS = [Signer(bytes([number]) * 32) for number in range(1, 9)]
_OWNER = _SIGNERS[0].principal(TESTNET)
CHARTER = Charter(
    name="bench",
    network=TESTNET,
    anchor=contract(_OWNER, "access"),
    money="hours",
    stewards=tuple(signer.principal(TESTNET) for signer in _SIGNERS[:3]),
)


def statement(number: int) -> Statement:
    """What one of many requests says."""
    author = _SIGNERS[number % len(_SIGNERS)].principal(TESTNET)
    kind = "user-register" if number < len(_SIGNERS) else "request-open"
    fields = {"bits": 3} if kind == "user-register" else {"bits": 1, "amount": number, "moment": 5}
    return Statement(kind, author, 1_767_225_600 + number, 1_800_000_000, number.to_bytes(8, "big"), **fields)


def made(number: int, *, as_old_as: int | None = None) -> envelope.Action:
    """One of many requests, of the size that phones send: about 220 bytes. Its clock may be that of another one."""
    stated = statement(number)
    if as_old_as is not None:
        stated = stated._replace(created=statement(as_old_as).created)
    return envelope.seal(stated, _SIGNERS[number % len(_SIGNERS)], CHARTER.domain)
