import pytest

from hubd.action import clarity, sip018, statement
from hubd.action.network import MAINNET, TESTNET
from hubd.action.principal import Principal, address, check_principal, contract, parse_address
from hubd.action.signature import Signer
from hubd.errors import RemoteError

SIGNER = Signer(b"\x07" * 32)
ME = SIGNER.principal(TESTNET)


def test_an_address_is_read_as_people_write_it():
    text = address(ME)
    assert parse_address(text.lower()) == ME
    assert parse_address(text.replace("0", "O").replace("1", "L")) == ME


@pytest.mark.parametrize(
    "text", ["", "S", "ST", "XT000000000000000000002AMW42H", "ST000000000000000000002AMW42I", "SU" * 30]
)
def test_a_mistyped_address_is_refused(text):
    with pytest.raises(RemoteError) as refused:
        parse_address(text)
    assert refused.value.code == "address"


def test_every_single_wrong_character_of_an_address_is_noticed():
    text = address(ME)
    for position in range(2, len(text)):
        for other in "0123456789ABCDEFGHJKMNPQRSTVWXYZ":
            if other != text[position]:
                with pytest.raises(RemoteError):
                    parse_address(text[:position] + other + text[position + 1 :])


@pytest.mark.parametrize("name", ["1st", "-x", "a.b", "a b", "ä", "x" * 41, "", "__transient"])
def test_a_contract_name_outside_the_grammar_is_refused(name):
    raw = ME + name.encode()
    if name:
        with pytest.raises(RemoteError):
            check_principal(raw, TESTNET)
    with pytest.raises(RemoteError):
        parse_address(f"{address(ME)}.{name}")


def test_a_principal_of_the_other_network_is_refused():
    with pytest.raises(RemoteError):
        check_principal(SIGNER.principal(MAINNET), TESTNET)
    assert check_principal(contract(ME, "access"), TESTNET) == ME + b"access"


@pytest.mark.parametrize(
    "value",
    [
        clarity.Int(-1),
        clarity.UInt(2**128 - 1),
        clarity.Ok(
            clarity.TupleCV({"b": clarity.NONE, "a-b": clarity.Some(clarity.Bool(False)), "a": clarity.Utf8("é")})
        ),
        clarity.Err(clarity.ListCV((clarity.Buff(b""), clarity.Buff(b"x")))),
        clarity.PrincipalCV(contract(ME, "access")),
        clarity.Ascii("x"),
    ],
)
def test_every_clarity_type_comes_back_as_it_was(value):
    assert clarity.decode(clarity.encode(value)) == value


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "nothing"),
        (b"\x01\x00", "a short uint"),
        (b"\x03\x03", "trailing bytes"),
        (b"\x0b\xff\xff\xff\xff", "a list longer than the message"),
        (b"\x02\x00\x00\x00\x05abc", "a buffer longer than the message"),
        (b"\x0a" * 40 + b"\x09", "nesting without end"),
        (b"\x0d\x00\x00\x00\x01\xff", "no ASCII"),
        (b"\x0e\x00\x00\x00\x01\xff", "no UTF-8"),
        (b"\x0c\x00\x00\x00\x02\x01b\x09\x01a\x09", "keys out of order"),
        (b"\x0c\x00\x00\x00\x02\x01a\x09\x01a\x09", "a key twice"),
        (b"\x0c\x00\x00\x00\x01\x00\x09", "an empty key"),
        (b"\x7f", "an unknown type"),
        (b"\x05" + b"\x20" + bytes(20), "an address version that no alphabet has"),
    ],
)
def test_clarity_bytes_that_no_encoder_writes_are_refused(raw, why):
    with pytest.raises(RemoteError) as refused:
        clarity.decode(raw)
    assert refused.value.code == "clarity", why


def a_statement(**changes):
    fields = {"action": "vouch-give", "author": ME, "created": 1, "expires": 2, "salt": bytes(8), "who": ME}
    return statement.Statement(**(fields | changes))


@pytest.mark.parametrize("asset", [None, ME, contract(ME, "hour-credit")])
@pytest.mark.parametrize("number", [0, 1, 2**63 - 1])
def test_a_statement_writes_the_bytes_of_the_general_codec(asset, number):
    made = a_statement(asset=asset, amount=number, bits=number, moment=number)
    general = clarity.TupleCV(
        {
            "action": clarity.Ascii(made.action),
            "amount": clarity.UInt(number),
            "asset": clarity.some(clarity.PrincipalCV(asset) if asset else None),
            "author": clarity.PrincipalCV(ME),
            "bits": clarity.UInt(number),
            "content": clarity.Buff(bytes(32)),
            "created": clarity.UInt(1),
            "expires": clarity.UInt(2),
            "moment": clarity.UInt(number),
            "salt": clarity.Buff(bytes(8)),
            "subject": clarity.Buff(bytes(32)),
            "who": clarity.Some(clarity.PrincipalCV(ME)),
        }
    )
    assert made.clarity() == clarity.encode(general)


@pytest.mark.parametrize("value", [True, 2**63, -1, 1.0, None, "1", b"1"])
@pytest.mark.parametrize("field", ["amount", "bits", "created", "expires", "moment"])
def test_an_integer_field_takes_nothing_but_bounded_integers(field, value):
    fields = a_statement().fields()
    fields[statement.FIELDS.index(field)] = value
    with pytest.raises(RemoteError):
        statement.from_fields(fields, TESTNET)


def test_domains_of_two_meshes_or_networks_give_different_ids():
    domains = [
        sip018.Domain(TESTNET, contract(ME, "access")),
        sip018.Domain(TESTNET, contract(ME, "access2")),
        sip018.Domain(MAINNET, Principal(contract(SIGNER.principal(MAINNET), "access"))),
    ]
    assert len({domain.digest(b"same") for domain in domains}) == 3
