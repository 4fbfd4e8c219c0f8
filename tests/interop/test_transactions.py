"""The wire codec against the reference library's vectors, and the properties that the relay builds on."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from hubd.action.network import TESTNET
from hubd.action.principal import contract
from hubd.action.signature import Signer
from hubd.errors import LocalError
from hubd.limits import TRANSACTION_MEMO_BYTES
from hubd.relay import tx
from tools.vectors_transactions import build_from_vector, check_transaction

CASES = json.loads((Path(__file__).parents[1] / "vectors" / "transactions.json").read_text())["cases"]
SIGNER, OTHER = Signer(b"\x01" * 32), Signer(b"\x02" * 32)
GATEWAY = contract(SIGNER.principal(TESTNET), "action-gateway")
CALL = tx.Transaction(tx.Call(GATEWAY, "submit-batch", (b"\x09",)), account_nonce=7, fee_ustx=400)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["txid"][:8])
def test_a_transaction_equals_the_reference_library_byte_for_byte(case):
    assert check_transaction(case)


def test_a_vector_with_one_field_changed_fails():
    plain = next(case for case in CASES if not case.get("sponsor"))
    assert not check_transaction(plain | {"nonce": plain["nonce"] + 1})
    assert not check_transaction(plain | {"fee": plain["fee"] + 1})


def test_the_vectors_hold_every_form_the_relay_sends():
    assert {case["type"] for case in CASES} == {"contract-call", "token-transfer", "smart-contract"}
    assert any(case.get("sponsor") for case in CASES)


def test_the_size_is_known_before_signing():
    for case in CASES:
        if not case.get("sponsor"):
            assert len(build_from_vector(case).raw) == len(case["raw"]) // 2
    assert tx.size_bytes(CALL) == len(tx.sign(CALL, SIGNER, TESTNET).raw)


def test_signing_again_with_another_fee_equals_signing_it_with_that_fee_at_first():
    raised = tx.sign_again(tx.sign(CALL, SIGNER, TESTNET).raw, SIGNER, TESTNET, fee_ustx=501)
    assert raised == tx.sign(replace(CALL, fee_ustx=501), SIGNER, TESTNET)


@pytest.mark.parametrize("raw", [b"", b"\x80\x80\x00\x00\x00\x04", tx.sign(CALL, OTHER, TESTNET).raw])
def test_only_a_transaction_of_this_wallet_is_signed_again(raw):
    with pytest.raises(LocalError, match="transaction"):
        tx.sign_again(raw, SIGNER, TESTNET, fee_ustx=501)


def test_a_memo_that_is_too_long_is_a_programmers_error():
    transfer = tx.Transfer(SIGNER.principal(TESTNET), 1, b"x" * (TRANSACTION_MEMO_BYTES + 1))
    with pytest.raises(AssertionError):
        tx.sign(tx.Transaction(transfer, account_nonce=0, fee_ustx=300), SIGNER, TESTNET)
