"""Signed transactions of the reference library, made again with the product's codec."""

from typing import Any

from hubd.action.network import BY_NAME
from hubd.action.principal import parse_address
from hubd.action.signature import Signer
from hubd.relay.tx import (
    Call,
    Compare,
    Deploy,
    Mode,
    Payload,
    PostCondition,
    Signed,
    Sponsor,
    Token,
    Transaction,
    Transfer,
    sign,
    sign_sponsored,
)

_MODES = {"allow": Mode.ALLOW, "deny": Mode.DENY}
_COMPARES = {
    "eq": Compare.EQUAL,
    "gt": Compare.MORE,
    "gte": Compare.AT_LEAST,
    "lt": Compare.LESS,
    "lte": Compare.AT_MOST,
}


def _signer(text: str) -> Signer:
    """A key as the reference library writes it: 32 bytes and 01 for "compressed"."""
    raw = bytes.fromhex(text)
    return Signer(raw[:32])


def _condition(case: dict[str, Any]) -> PostCondition:
    token = None
    if case["type"] == "ft-postcondition":
        contract, _, name = case["asset"].partition("::")
        token = Token(parse_address(contract), name)
    return PostCondition(parse_address(case["address"]), _COMPARES[case["condition"]], int(case["amount"]), token)


def _payload(case: dict[str, Any]) -> Payload:
    match case["type"]:
        case "contract-call":
            arguments = tuple(bytes.fromhex(text) for text in case["args_hex"])
            return Call(parse_address(case["contract"]), case["function"], arguments)
        case "token-transfer":
            return Transfer(parse_address(case["recipient"]), int(case["amount"]), case["memo"].encode())
        case "smart-contract":
            return Deploy(case["name"], case["code"], case["clarity_version"])
    raise ValueError(f"no payload of type {case['type']!r}")


def build_from_vector(case: dict[str, Any]) -> Signed:
    """The signed transaction that the product makes of a case."""
    network, signer, sponsor = BY_NAME[case["network"]], _signer(case["private_key"]), case.get("sponsor")
    payload = _payload(case)
    # The reference library signs every transfer in deny mode, whatever its caller asked for.
    mode = Mode.DENY if isinstance(payload, Transfer) else _MODES[case["post_condition_mode"]]
    transaction = Transaction(
        payload=payload,
        account_nonce=int(case["nonce"]),
        fee_ustx=0 if sponsor else int(case["fee"]),
        mode=mode,
        conditions=tuple(_condition(condition) for condition in case.get("post_conditions") or ()),
    )
    if not sponsor:
        return sign(transaction, signer, network)
    payer = Sponsor(_signer(sponsor["key"]), int(sponsor["nonce"]), int(sponsor["fee"]))
    return sign_sponsored(transaction, signer, payer, network)


def check_transaction(case: dict[str, Any]) -> bool:
    """Whether bytes and id are the vector's."""
    signed = build_from_vector(case)
    return signed.raw.hex() == case["raw"] and signed.txid.hex() == case["txid"]
