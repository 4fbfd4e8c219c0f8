"""Stacks transactions on the wire: build, sign, price (SIP-005, "Transaction Encoding" and "Transaction Authorization").

Only what this program sends: contract calls, STX transfers and deployments; one key an account, plain or sponsored; STX
and token post-conditions; anchor mode "any". Signatures inside a transaction are v || r || s, while an action's are
r || s || v. A signature's length is fixed, so the size, and with it the fee, is known before signing.
"""

import hashlib
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from hubd.action.network import Network
from hubd.action.principal import STANDARD_BYTES, Principal
from hubd.action.signature import Signer, hash160
from hubd.errors import LocalError, RemoteError
from hubd.limits import TRANSACTION_MEMO_BYTES

_STANDARD_AUTH, _SPONSORED_AUTH = 0x04, 0x05
_SINGLE_SIG_HASH_MODE = 0x00  # P2PKH
_COMPRESSED_KEY = 0x00
_ANCHOR_ANY = 0x03
_TRANSFER, _DEPLOY, _CALL, _DEPLOY_VERSIONED = 0x00, 0x01, 0x02, 0x06
_UNSIGNED = bytes(65)
_HEAD_BYTES = 5  # version, chain id
_CONDITION_BYTES = 1 + 20 + 8 + 8 + 1 + 65  # hash mode, signer, account nonce, fee, key encoding, signature
_NUMBERS_AT = _HEAD_BYTES + 1 + 1 + 20  # account nonce and fee
_BODY_AT = _HEAD_BYTES + 1 + _CONDITION_BYTES  # where a plain transaction's body begins


class Mode(IntEnum):
    """What becomes of a transfer that no post-condition names."""

    ALLOW = 1
    DENY = 2


class Compare(IntEnum):
    """How the amount that really left is compared with a post-condition's."""

    EQUAL = 1
    MORE = 2
    AT_LEAST = 3
    LESS = 4
    AT_MOST = 5


@dataclass(frozen=True, slots=True)
class Token:
    """A fungible token as post-conditions name it: its contract, and the asset's name inside that contract."""

    contract: Principal
    name: str


@dataclass(frozen=True, slots=True)
class PostCondition:
    """What may leave `sender` (None: whoever signs) in base units of `token` (None: STX)."""

    sender: Principal | None
    compare: Compare
    amount: int
    token: Token | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """Call of a public function; `arguments` are consensus bytes, in order."""

    contract: Principal
    function: str
    arguments: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Transfer:
    """STX to a principal, with a memo of at most 34 bytes."""

    recipient: Principal
    amount_ustx: int
    memo: bytes = b""


@dataclass(frozen=True, slots=True)
class Deploy:
    """A contract's source. `clarity_version` None leaves the choice to the chain's epoch."""

    name: str
    source: str
    clarity_version: int | None = None


Payload: TypeAlias = Call | Transfer | Deploy


@dataclass(frozen=True, slots=True)
class Transaction:
    """What is to be signed. The default refuses every transfer that `conditions` does not name."""

    payload: Payload
    account_nonce: int
    fee_ustx: int
    mode: Mode = Mode.DENY
    conditions: tuple[PostCondition, ...] = ()


@dataclass(frozen=True, slots=True)
class Sponsor:
    """Who pays for a sponsored transaction; the origin's own fee is then zero."""

    signer: Signer
    account_nonce: int
    fee_ustx: int


@dataclass(frozen=True, slots=True)
class Signed:
    """The bytes to broadcast, and their id."""

    raw: bytes
    txid: bytes


@dataclass(frozen=True, slots=True)
class Proven:
    """A transaction that is this wallet's own."""

    signed: Signed
    account_nonce: int
    fee_ustx: int


def _sha512_256(raw: bytes) -> bytes:
    return hashlib.new("sha512_256", raw).digest()


def _counted(count: int, items: tuple[bytes, ...]) -> bytes:
    return count.to_bytes(4, "big") + b"".join(items)


def _name(text: str) -> bytes:
    raw = text.encode("ascii")
    return bytes([len(raw)]) + raw


def _contract(principal: Principal) -> bytes:
    name = principal[STANDARD_BYTES:]
    return principal[:STANDARD_BYTES] + bytes([len(name)]) + name


def _clarity_principal(principal: Principal) -> bytes:
    return b"\x06" + _contract(principal) if len(principal) > STANDARD_BYTES else b"\x05" + principal


def _condition_sender(sender: Principal | None) -> bytes:
    if sender is None:
        return b"\x01"
    return b"\x03" + _contract(sender) if len(sender) > STANDARD_BYTES else b"\x02" + sender


def _post_condition(condition: PostCondition) -> bytes:
    sender = _condition_sender(condition.sender)
    limit = bytes([condition.compare]) + condition.amount.to_bytes(8, "big")
    if condition.token is None:
        return b"\x00" + sender + limit
    return b"\x01" + sender + _contract(condition.token.contract) + _name(condition.token.name) + limit


def _payload(payload: Payload) -> bytes:
    match payload:
        case Call(contract, function, arguments):
            return bytes([_CALL]) + _contract(contract) + _name(function) + _counted(len(arguments), arguments)
        case Transfer(recipient, amount_ustx, memo):
            assert len(memo) <= TRANSACTION_MEMO_BYTES
            padded = memo.ljust(TRANSACTION_MEMO_BYTES, b"\0")
            return bytes([_TRANSFER]) + _clarity_principal(recipient) + amount_ustx.to_bytes(8, "big") + padded
        case Deploy(name, source, clarity_version):
            code = source.encode("utf-8")
            head = bytes([_DEPLOY]) if clarity_version is None else bytes([_DEPLOY_VERSIONED, clarity_version])
            return head + _name(name) + len(code).to_bytes(4, "big") + code


def _body(transaction: Transaction) -> bytes:
    """Everything behind the authorization: what both signatures cover and no fee changes."""
    conditions = tuple(_post_condition(condition) for condition in transaction.conditions)
    return (
        bytes([_ANCHOR_ANY, transaction.mode]) + _counted(len(conditions), conditions) + _payload(transaction.payload)
    )


def _head(network: Network) -> bytes:
    return struct.pack(">BI", network.transaction_version, network.chain_id)


def _condition(signer_hash: bytes, account_nonce: int, fee_ustx: int, signature: bytes = _UNSIGNED) -> bytes:
    numbers = struct.pack(">QQ", account_nonce, fee_ustx)
    return bytes([_SINGLE_SIG_HASH_MODE]) + signer_hash + numbers + bytes([_COMPRESSED_KEY]) + signature


def _sign(signer: Signer, digest: bytes, flag: int, fee_ustx: int, account_nonce: int) -> tuple[bytes, bytes]:
    """The signature v || r || s, and the digest that the next signer continues from."""
    presign = _sha512_256(digest + bytes([flag]) + struct.pack(">QQ", fee_ustx, account_nonce))
    rsv = signer.sign(presign)
    vrs = rsv[64:] + rsv[:64]
    return vrs, _sha512_256(presign + bytes([_COMPRESSED_KEY]) + vrs)


def _signed(raw: bytes) -> Signed:
    return Signed(raw, _sha512_256(raw))


def _sign_plain(body: bytes, signer: Signer, network: Network, account_nonce: int, fee_ustx: int) -> Signed:
    start, owner = _head(network) + bytes([_STANDARD_AUTH]), hash160(signer.public_key)
    initial = _sha512_256(start + _condition(owner, 0, 0) + body)
    signature, _ = _sign(signer, initial, _STANDARD_AUTH, fee_ustx, account_nonce)
    return _signed(start + _condition(owner, account_nonce, fee_ustx, signature) + body)


def sign(transaction: Transaction, signer: Signer, network: Network) -> Signed:
    """Sign for the signer's own account, which pays the fee."""
    return _sign_plain(_body(transaction), signer, network, transaction.account_nonce, transaction.fee_ustx)


def sign_sponsored(transaction: Transaction, origin: Signer, sponsor: Sponsor, network: Network) -> Signed:
    """Sign for `origin`, with the fee paid by `sponsor`; the transaction's own `fee_ustx` must be zero."""
    assert not transaction.fee_ustx, "the sponsor pays"
    start, body = _head(network) + bytes([_SPONSORED_AUTH]), _body(transaction)
    owner, payer = hash160(origin.public_key), hash160(sponsor.signer.public_key)
    initial = _sha512_256(start + _condition(owner, 0, 0) + _condition(bytes(20), 0, 0) + body)
    first, after = _sign(origin, initial, _STANDARD_AUTH, 0, transaction.account_nonce)
    second, _ = _sign(sponsor.signer, after, _SPONSORED_AUTH, sponsor.fee_ustx, sponsor.account_nonce)
    return _signed(
        start
        + _condition(owner, transaction.account_nonce, 0, first)
        + _condition(payer, sponsor.account_nonce, sponsor.fee_ustx, second)
        + body
    )


def sign_again(raw: bytes, signer: Signer, network: Network, fee_ustx: int) -> Signed:
    """The same plain transaction with the same account nonce and another fee: replace-by-fee.

    `raw` is one of our own; anything else raises `LocalError("transaction")`.
    """
    start = _head(network) + bytes([_STANDARD_AUTH, _SINGLE_SIG_HASH_MODE]) + hash160(signer.public_key)
    if not raw.startswith(start) or len(raw) <= _BODY_AT:
        raise LocalError("transaction", "not a plain transaction of this wallet")
    (account_nonce,) = struct.unpack_from(">Q", raw, len(start))
    return _sign_plain(raw[_BODY_AT:], signer, network, account_nonce, fee_ustx)


def proven(raw: bytes, signer: Signer, network: Network) -> Proven | None:
    """What bytes say that are a plain transaction as this very wallet signed it, to the last bit; None for all others.

    A signature is made of nothing but the key and what is signed, so signing again makes the same bytes.
    """
    try:
        account_nonce, fee_ustx = struct.unpack_from(">QQ", raw, _NUMBERS_AT)
        again = sign_again(raw, signer, network, fee_ustx)
    except (LocalError, struct.error):
        return None
    return Proven(again, account_nonce, fee_ustx) if again.raw == raw else None


def is_signed(raw: bytes, txid: bytes) -> bool:
    """Whether these are the bytes of this transaction."""
    return _sha512_256(raw) == txid


def called(raw: bytes, contract: Principal) -> tuple[str, bytes]:
    """The function of this contract that a signed transaction calls, and its arguments, counted as a list's items.

    Raises `RemoteError("transaction")` where it calls another one.
    """
    head = bytes([_CALL]) + _contract(contract)
    found = raw.find(head, _BODY_AT)
    if found < 0:
        raise RemoteError("transaction", "a call of another contract")
    at = found + len(head)
    end = at + 1 + raw[at]
    return raw[at + 1 : end].decode("ascii"), raw[end:]


def size_bytes(transaction: Transaction) -> int:
    """How long the signed transaction will be (plain authorization); nodes ask at least 1 uSTX for each byte."""
    return _BODY_AT + len(_body(transaction))
