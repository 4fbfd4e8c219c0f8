import hashlib
import random
from concurrent.futures import ThreadPoolExecutor

import coincurve
import pytest

from hubd.action.network import TESTNET
from hubd.action.signature import Signer, principal_of, recover
from hubd.errors import RemoteError

SIGNER = Signer(b"\x07" * 32)
ME = SIGNER.principal(TESTNET)
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
FIELD = 2**256 - 2**32 - 977
DIGEST = hashlib.sha256(b"signed").digest()


def public_way(digest, signature):
    """The key by coincurve's own objects, None where it refuses, and what only we refuse left out."""
    if signature[64] > 1 or int.from_bytes(signature[32:64], "big") > ORDER // 2:
        return None
    try:
        return coincurve.PublicKey.from_signature_and_message(signature, digest, hasher=None).format()
    except Exception:  # noqa: BLE001  # as coincurve raises them
        return None


def our_way(digest, signature):
    try:
        return recover(digest, signature)
    except RemoteError as error:
        assert error.code == "signature"
        return None


def test_any_bit_flipped_in_a_signature_names_another_author_or_nobody():
    signature = SIGNER.sign(DIGEST)
    for bit in range(65 * 8):
        flipped = bytearray(signature)
        flipped[bit // 8] ^= 1 << bit % 8
        found = our_way(DIGEST, bytes(flipped))
        assert found is None or principal_of(found, TESTNET) != ME
        assert found == public_way(DIGEST, bytes(flipped))


def test_the_high_s_twin_of_a_signature_is_refused():
    signature = SIGNER.sign(DIGEST)
    high = (ORDER - int.from_bytes(signature[32:64], "big")).to_bytes(32, "big")
    assert our_way(DIGEST, signature[:32] + high + bytes([signature[64] ^ 1])) is None


def test_signers_are_recovered_as_coincurve_itself_does():
    dice = random.Random(4)
    for _ in range(100):
        signer, digest = Signer(dice.randbytes(32)), dice.randbytes(32)
        signature = signer.sign(digest)
        assert recover(digest, signature) == signer.public_key == public_way(digest, signature)
        strange = dice.randbytes(64) + bytes([dice.randrange(4)])
        assert our_way(digest, strange) == public_way(digest, strange)


@pytest.mark.parametrize("s", [0, 1, ORDER // 2, ORDER // 2 + 1, ORDER])
@pytest.mark.parametrize("r", [0, 1, 5, ORDER - 1, ORDER, FIELD - ORDER, FIELD, 2**256 - 1])
def test_the_edges_of_the_curve_are_refused_or_recovered_as_coincurve_does(r, s):
    for v in range(4):
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([v])
        assert our_way(DIGEST, signature) == public_way(DIGEST, signature)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_no_digest_of_another_length_reaches_the_library(length):
    with pytest.raises(ValueError, match="32 bytes"):
        recover(bytes(length), SIGNER.sign(DIGEST))


def test_threads_that_recover_at_once_do_not_meet_in_each_others_room():
    signers = [Signer(bytes([number]) * 32) for number in range(1, 9)]

    def all_right(signer):
        signature = signer.sign(DIGEST)
        return all(recover(DIGEST, signature) == signer.public_key for _ in range(300))

    with ThreadPoolExecutor(len(signers)) as threads:
        assert all(threads.map(all_right, signers))


def test_a_private_key_never_shows_itself():
    assert "07" not in repr(SIGNER)
