"""Actions, neighbours and a file to change behind the store's back: what tests of the store begin with."""

import hashlib

from hubd.action import envelope
from hubd.action.network import TESTNET
from hubd.action.principal import contract
from hubd.action.signature import Signer
from hubd.action.sip018 import Domain
from hubd.action.statement import Statement

SIGNER, OTHER = Signer(b"\x05" * 32), Signer(b"\x06" * 32)
NEIGHBOUR, OTHER_NEIGHBOUR = b"a neighbour's principal", b"another's"
ME = SIGNER.principal(TESTNET)
DOMAIN = Domain(TESTNET, contract(ME, "access"))


def item(number):
    """A pair (created, id) in no order of arrival."""
    return number * 7 % 13, hashlib.sha256(b"item %d" % number).digest()


def action(number, kind="vouch-give", body=None, signer=SIGNER, **fields):
    statement = Statement(kind, signer.principal(TESTNET), number, number + 9, number.to_bytes(8, "big"), **fields)
    return envelope.seal(statement, signer, DOMAIN, body)


def answers(items):
    """What a set of items says of itself."""
    size = items.size()
    spans = [(0, size), *((at, min(at + 7, size)) for at in range(0, size, 5))]
    return size, items.fingerprints(spans), items.ids(0, size), [items.key(at) for at in range(size)]


async def changed(store, sql, values=()):
    """Run one statement in the store's own file."""
    await store.database.write(lambda writer: writer.execute(sql, values))
