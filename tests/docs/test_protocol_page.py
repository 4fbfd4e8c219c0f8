"""A second reader of docs/protocol.md: what the page says, written once more from the page alone, agrees with the product.

Ids, signatures and Negentropy have vectors of other implementations besides; most of this has none.
"""

import hashlib
import struct

import cbor2
import coincurve
import nacl.public
import nacl.secret
import pytest
from builders import START_S, Village

from hubd.action import envelope, fingerprint
from hubd.action.charter import read, write
from hubd.gossip import wire
from hubd.gossip.peer import key_tag
from hubd.limits import INTEGER_MAX
from hubd.phone.outbox import Opening
from hubd.phone.rating import seal_digest
from hubd.phone.words import Words
from hubd.ports import Cursor
from hubd.post import bundle, receipt
from hubd.web import frames, proofs

VILLAGE = Village(seed=7)
CHARTER = read(write(VILLAGE.charter))
HUB = VILLAGE.signer("hub a")
FIELDS = "action amount asset author bits content created expires moment salt subject who".split()
INTEGERS = ("amount", "bits", "created", "expires", "moment")


def sha(raw):
    return hashlib.sha256(raw).digest()


def one_form(value):
    """CBOR in the one form."""
    return cbor2.dumps(value, canonical=True)


# --- Clarity's consensus bytes, as far as the page needs them


def uint(number):
    return b"\x01" + number.to_bytes(16, "big")


def buff(raw):
    return b"\x02" + struct.pack(">I", len(raw)) + raw


def ascii_text(text):
    return b"\x0d" + struct.pack(">I", len(text)) + text.encode()


def principal(raw):
    name = raw[21:]
    return b"\x06" + raw[:21] + bytes([len(name)]) + name if name else b"\x05" + raw


def optional(raw):
    return b"\x09" if raw is None else b"\x0a" + principal(raw)


def clarity_tuple(entries):
    parts = (bytes([len(key)]) + key.encode() + entries[key] for key in sorted(entries))
    return b"\x0c" + struct.pack(">I", len(entries)) + b"".join(parts)


def domain_bytes():
    return clarity_tuple(
        {
            "chain-id": uint(2147483648),
            "mesh": principal(CHARTER.anchor),
            "name": ascii_text("hubd"),
            "version": ascii_text("1"),
        }
    )


def statement_bytes(fields):
    encoders = {
        "action": ascii_text, "asset": optional, "author": principal, "content": buff, "salt": buff, "subject": buff,
        "who": optional, **dict.fromkeys(INTEGERS, uint),
    }  # fmt: skip
    return clarity_tuple({name: encoders[name](fields[name]) for name in FIELDS})


def action_id(fields):
    return sha(b"SIP018" + sha(domain_bytes()) + sha(statement_bytes(fields)))


def hash160(raw):
    return hashlib.new("ripemd160", sha(raw)).digest()


def sealed_envelope(**changes):
    """(id, envelope) of an action made from the page alone."""
    key = coincurve.PrivateKey(sha(b"somebody"))
    content = one_form({"salt": bytes(range(16)), "note": "under the tree"})
    fields = {
        "action": "request-open", "amount": 60, "asset": None, "bits": 1, "content": sha(content),
        "author": bytes([26]) + hash160(key.public_key.format(compressed=True)), "created": START_S,
        "expires": START_S + 1, "moment": 0, "salt": bytes(8), "subject": bytes(32), "who": None, **changes,
    }  # fmt: skip
    signature = key.sign_recoverable(action_id(fields), hasher=None)
    return action_id(fields), one_form([[fields[name] for name in FIELDS], signature, content])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"asset": VILLAGE.hours, "who": VILLAGE.principal("ana")},
        {"amount": INTEGER_MAX, "bits": INTEGER_MAX, "moment": INTEGER_MAX},
        {"action": " ~", "subject": bytes(range(32))},
        {"action": "a" * 24},
    ],
)
def test_an_action_made_from_the_page_is_valid_and_has_the_pages_id(changes):
    wanted, raw = sealed_envelope(**changes)
    action = envelope.parse(raw, CHARTER.domain)
    assert action.id == wanted
    assert action.content is not None


@pytest.mark.parametrize(
    "changes", [{"action": "a" * 25}, {"action": "tab\there"}, {"amount": INTEGER_MAX + 1}, {"salt": bytes(7)}]
)
def test_what_the_page_calls_refused_is_refused(changes):
    with pytest.raises(envelope.RemoteError):
        envelope.parse(sealed_envelope(**changes)[1], CHARTER.domain)


def test_the_week_begins_on_monday_at_six():
    words = Words(CHARTER, {}, (), 0)
    assert words.week("mon1") == 1
    assert words.week("sun8") == 1 << 55


def test_a_seal_is_the_digest_that_the_page_gives():
    lesson, text = sha(b"lesson"), one_form({"salt": bytes(16), "note": "well explained"})
    opened = {"amount": uint(5), "bits": uint(3), "content": buff(sha(text)), "subject": buff(lesson)}
    assert seal_digest(Opening(lesson=lesson, stars=5, tags=3, content=text)) == sha(clarity_tuple(opened))


def test_the_charters_digest_is_over_the_lines_that_the_page_names():
    lines = [
        1, CHARTER.name, "testnet", CHARTER.anchor, "hours", "", [["hours", VILLAGE.hours]], list(CHARTER.stewards),
        list(CHARTER.officers), list(CHARTER.subjects), list(CHARTER.helplines),
    ]  # fmt: skip
    assert CHARTER.digest == sha(one_form(lines))


def test_the_fingerprint_is_a_sum_of_big_endian_lanes():
    ids = [sha(bytes([number])) for number in range(40)]
    lanes = [0] * 1024
    for each in ids:
        for at, lane in enumerate(struct.unpack(">1024H", hashlib.shake_128(each).digest(2048))):
            lanes[at] = (lanes[at] + lane) % 2**16
    assert fingerprint.fingerprint(fingerprint.extend(fingerprint.EMPTY, ids)) == sha(struct.pack(">1024H", *lanes))
    assert fingerprint.fingerprint(fingerprint.EMPTY) == sha(bytes(2048))


def test_a_cursor_is_written_as_the_page_says():
    assert frames.cursor_text(Cursor(b"\x0a\x0b", 12, bytes(range(8)))) == "0a0b.12.0001020304050607"


# --- bundles


def block(kind, index, body, bundle_id=b"bundle 1"):
    mark, mesh, signer = bytes.fromhex("f5484243"), CHARTER.digest[:8], HUB.principal(CHARTER.network)
    head = mark + struct.pack(">B8s8sII21s", kind, mesh, bundle_id, index, len(body), signer)
    digest = sha(b"hubd-block-v1" + CHARTER.digest + head + sha(body))
    return head + sha(head)[:4] + body + HUB.sign(digest)


def test_a_bundle_made_from_the_page_is_the_products():
    box, file_key, epoch = nacl.public.PrivateKey(sha(b"box")), sha(b"file key"), b"database"
    envelopes = [sealed_envelope(amount=number)[1] for number in range(3)]
    recipient, sealed = sha(bytes(box.public_key))[:8], nacl.public.SealedBox(box.public_key).encrypt(file_key)
    keys = block(0, 0, one_form([epoch, [[recipient, sealed]]]))
    plain = one_form([4, 9, b"id of 9.", envelopes])
    nonce = sha(file_key + struct.pack(">I", 0) + plain)[:24]
    chunk = block(1, 0, bytes(nacl.secret.SecretBox(file_key).encrypt(plain, nonce)))
    made = b"hubd-bundle-1\n" + keys + chunk + block(0, 1, keys[54:-65]) + block(2, 1, b"")
    writer = bundle.Writer(bundle.Seal(CHARTER, HUB, b"bundle 1", epoch, file_key, [(recipient, sealed)]))
    said = bundle.Chunk(4, 9, b"id of 9.", envelopes)
    assert writer.begin() + writer.chunk(said) + writer.end() == made
    reader = bundle.Reader(CHARTER, bytes(box.public_key), nacl.public.SealedBox(box).decrypt)
    assert reader.feed(made) + reader.end() == [bundle.Opened(HUB.principal(CHARTER.network), epoch, said)]
    assert (reader.report.is_whole, reader.report.damaged) == (True, 0)


def test_a_receipt_made_from_the_page_is_the_products():
    hub, other = HUB.principal(CHARTER.network), VILLAGE.principal("hub b")
    place, row = Cursor(b"database", 12, b"id of 12"), Cursor(b"another1", 0, b"")
    third = VILLAGE.principal("hub c")
    rows = sorted([[other, [b"another1", 0, b""], 0], [third, None, 3]])
    said = [CHARTER.digest[:8], hub, 5, 12, sha(b"set"), [b"database", 12, b"id of 12"], rows]
    made = one_form([*said, HUB.sign(sha(b"hubd-receipt-v1" + CHARTER.digest + one_form(said)))])
    ours = receipt.Receipt(hub, 5, 12, sha(b"set"), place, {other: row}, {third: 3})
    assert receipt.seal(ours, CHARTER, HUB) == made
    assert receipt.parse(made, CHARTER) == ours


# --- proofs and tags


def test_proofs_are_over_what_the_page_names():
    hub, nonce, challenge = HUB.principal(CHARTER.network), bytes(range(16)), b"challenge"
    question = sha(b"POST /v1/get?scope=own\n" + sha(b"asked"))
    assert proofs.request_digest("POST", b"/v1/get?scope=own", b"asked") == question
    assert proofs.message_digest(b"asked") == sha(b"asked")
    read_digest = sha(b"hubd-read-v1" + CHARTER.anchor + hub + challenge + question)
    assert proofs.authorize(HUB, CHARTER, hub, challenge, question).signature == HUB.sign(read_digest)
    answer = sha(b"hubd-answer-v1" + nonce + CHARTER.digest + question + sha(b"body"))
    assert proofs.prove_answer(HUB, CHARTER, nonce, question, b"body") == HUB.sign(answer)
    thread = proofs.Thread(nonce, question)
    assert thread.body(b"first") == b"first"
    thread.said(b"first")
    assert thread.body(b"second") == sha(b"first") + b"second"
    thread.said(b"second")
    assert thread.body(b"third") == sha(sha(b"first") + b"second") + b"third"


def test_tags_are_the_beginnings_of_the_pages_hashes():
    assert wire.mesh_tag(CHARTER.domain) == sha(domain_bytes())[:8]
    assert key_tag(bytes(32)) == sha(bytes(32))[:8]
