"""Proofs: a challenge is one hub's, of one boot, for a while; a signature is one key's, for one hub."""

import base64
from dataclasses import replace

import pytest
from builders import Village

from hubd.action import cbor
from hubd.errors import RemoteError
from hubd.limits import CHALLENGE_LIFE_S, CHALLENGE_RANDOM_BYTES
from hubd.web import proofs
from hubd.web.proofs import Authorization, Challenges, authorize, check_authorization, parse_header, request_digest

VILLAGE = Village(1)
CHARTER = VILLAGE.charter
HUB = VILLAGE.principal("hub-a")
QUESTION = request_digest("GET", b"/v1/actions", b"")
RANDOM = bytes(range(CHALLENGE_RANDOM_BYTES))


def given(person: str = "ana", hub: str = "hub-a", challenge: bytes = b"c" * 40) -> Authorization:
    return authorize(VILLAGE.signer(person), CHARTER, VILLAGE.principal(hub), challenge, QUESTION)


def test_a_challenge_is_known_again_until_its_end_of_life() -> None:
    challenges = Challenges(b"secret")
    challenge = challenges.mint(RANDOM, 1_000.0)
    challenges.check(challenge, 1_000.0)
    challenges.check(challenge, 1_000.0 + CHALLENGE_LIFE_S)
    with pytest.raises(RemoteError) as caught:
        challenges.check(challenge, 1_000.1 + CHALLENGE_LIFE_S)
    assert (caught.value.code, caught.value.hint) == ("challenge", "ask for a new challenge")


def test_a_challenge_of_another_boot_or_with_any_bit_changed_is_refused() -> None:
    challenge = Challenges(b"secret").mint(RANDOM, 1_000.0)
    with pytest.raises(RemoteError):
        Challenges(b"another").check(challenge, 1_000.0)
    for bit in range(len(challenge) * 8):
        changed = bytearray(challenge)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(RemoteError):
            Challenges(b"secret").check(bytes(changed), 1_000.0)
    for length in range(len(challenge)):
        with pytest.raises(RemoteError):
            Challenges(b"secret").check(challenge[:length], 1_000.0)


def test_an_authorization_holds_for_its_key_its_hub_its_challenge_and_its_question() -> None:
    check_authorization(given(), CHARTER, HUB, QUESTION)
    with pytest.raises(RemoteError):
        check_authorization(given(), CHARTER, HUB, request_digest("GET", b"/v1/actions?after=aa.1.bb", b""))
    for other in (
        replace(given(), principal=VILLAGE.principal("ben")),
        replace(given(), challenge=b"d" * 40),
        replace(given(), signature=given("ben").signature),
        replace(given(), signature=bytes(65)),
        replace(given(), signature=b"short"),
        given(hub="hub-b"),
    ):
        with pytest.raises(RemoteError) as caught:
            check_authorization(other, CHARTER, HUB, QUESTION)
        assert caught.value.code == "authorization"


def test_an_authorization_of_another_mesh_is_refused() -> None:
    with pytest.raises(RemoteError):
        check_authorization(given(), Village(2).charter, HUB, QUESTION)


def test_the_header_carries_it() -> None:
    assert parse_header(given().header(), CHARTER.network) == given()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hubd",
        "Hubd ",
        "Basic " + given().header()[5:],
        "Hubd !!!!",
        "Hubd " + base64.urlsafe_b64encode(cbor.encode([1, 2, 3])).decode(),
        "Hubd " + base64.urlsafe_b64encode(cbor.encode([bytes(21), b"", b""])).decode(),
        "Hubd " + "A" * 5_000,
        "Hubd \u00e9",
    ],
)
def test_what_is_no_header_is_refused(text: str) -> None:
    with pytest.raises(RemoteError) as caught:
        parse_header(text, CHARTER.network)
    assert caught.value.code == "authorization"


def test_a_hubs_proof_names_the_hub_for_one_answer_to_one_question_and_nothing_else_does() -> None:
    nonce, question = bytes(16), request_digest("POST", b"/v1/actions", b"asked")
    proof = proofs.prove_answer(VILLAGE.signer("hub-a"), CHARTER, nonce, question, b"body")
    assert proofs.hub_of_answer(proof, CHARTER, nonce, question, b"body") == HUB
    assert proofs.hub_of_answer(proof, CHARTER, nonce, question, b"bodY") != HUB
    assert proofs.hub_of_answer(proof, CHARTER, b"n" * 16, question, b"body") != HUB
    for other in (
        request_digest("GET", b"/v1/actions", b"asked"),
        request_digest("POST", b"/v1/actions?after=aa.1.bb", b"asked"),
        request_digest("POST", b"/v1/actions", b"something else"),
    ):
        assert proofs.hub_of_answer(proof, CHARTER, nonce, other, b"body") != HUB
    for junk in (b"", bytes(64), bytes(65)):
        with pytest.raises(RemoteError, match="hub-proof"):
            proofs.hub_of_answer(junk, CHARTER, nonce, question, b"body")
