import cbor2
import pytest

from hubd.action import content, envelope
from hubd.action.network import TESTNET
from hubd.action.principal import contract
from hubd.action.signature import Signer
from hubd.action.sip018 import Domain
from hubd.action.statement import Statement
from hubd.errors import RemoteError

SIGNER = Signer(b"\x09" * 32)
ME = SIGNER.principal(TESTNET)
DOMAIN = Domain(TESTNET, contract(ME, "access"))
TEXT = content.seal_content({"note": "Sunday, after the rain"}, bytes(16))


def sealed(kind="offer-set", body=None, **changes):
    fields = {"action": kind, "author": ME, "created": 5, "expires": 9, "salt": b"saltsalt"} | changes
    return envelope.seal(Statement(**fields), SIGNER, DOMAIN, body)


def test_an_action_comes_back_from_its_own_bytes():
    for action in (sealed(), sealed(body=TEXT), sealed("kind-of-next-year", TEXT)):
        assert envelope.parse(envelope.encode(action), DOMAIN) == action


def test_the_id_does_not_cover_the_signature_nor_the_content_bytes():
    action = sealed(body=TEXT)
    bare = envelope.parse(action.header, DOMAIN)
    assert bare.id == action.id
    assert bare.content is None
    assert bare.lacks_content
    assert not sealed().lacks_content


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(content.seal_content({"note": "another"}, bytes(16)), id="of another hash"),
        pytest.param(b"", id="empty"),
        pytest.param(7, id="no bytes"),
    ],
)
def test_content_that_does_not_fit_is_dropped_and_the_header_stays(body):
    action = sealed(body=TEXT)
    raw = cbor2.dumps([action.statement.fields(), action.signature, body], canonical=True)
    assert envelope.parse(raw, DOMAIN) == envelope.without_content(action)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(cbor2.dumps({"note": "unsalted"}, canonical=True), id="without a salt"),
        pytest.param(cbor2.dumps(["a", "list"], canonical=True), id="no map"),
        pytest.param(b"\xbf\xff", id="outside the profile"),
    ],
)
def test_malformed_content_with_the_right_hash_is_dropped_too(body):
    action = sealed(body=body)
    assert envelope.parse(envelope.encode(action), DOMAIN).content is None


def test_an_anchored_kind_is_valid_only_together_with_its_content():
    action = sealed("hub-announce", TEXT)
    assert envelope.parse(envelope.encode(action), DOMAIN) == action
    with pytest.raises(RemoteError) as refused:
        envelope.parse(action.header, DOMAIN)
    assert refused.value.code == "content"


def test_anchored_content_has_its_own_smaller_bound():
    large = content.seal_content({"note": "x" * 5000}, bytes(16))
    assert envelope.parse(envelope.encode(sealed(body=large)), DOMAIN).content == large
    with pytest.raises(RemoteError):
        envelope.parse(envelope.encode(sealed("relay-receipt", large)), DOMAIN)


def test_an_unknown_kind_with_any_columns_is_valid():
    action = sealed("brand-new", amount=1, bits=2, moment=3, subject=b"s" * 32, who=ME, asset=ME)
    assert envelope.parse(envelope.encode(action), DOMAIN) == action


def test_an_action_of_another_mesh_is_refused():
    other = Domain(TESTNET, contract(ME, "other"))
    with pytest.raises(RemoteError) as refused:
        envelope.parse(envelope.encode(sealed()), other)
    assert refused.value.code == "author"


def test_stored_bytes_that_rotted_are_noticed_in_every_bit():
    action = sealed()
    raw = action.header
    statement_bytes = len(raw) - 67  # the signature is checked at the door only
    for bit in range(statement_bytes * 8):
        rotten = bytearray(raw)
        rotten[bit // 8] ^= 1 << bit % 8
        with pytest.raises(RemoteError):
            envelope.reopen(action.id, bytes(rotten), None, DOMAIN)
    assert envelope.reopen(action.id, raw, None, DOMAIN) == action


def test_sealing_for_somebody_else_is_a_programmers_error():
    with pytest.raises(AssertionError):
        envelope.seal(sealed().statement._replace(author=contract(ME, "x")), SIGNER, DOMAIN)
