"""What lies in a database of an earlier schema when it is converted: rows that rotted, and what is seen no more."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from hubd.action import envelope
from hubd.action.audience import GUESTS
from hubd.action.network import TESTNET
from hubd.action.principal import contract
from hubd.action.signature import Signer
from hubd.action.sip018 import Domain
from hubd.action.statement import Statement
from hubd.store.actions import DATABASE_NAME, Store
from hubd.store.scrubber import Scrubber

SIGNER = Signer(b"\x05" * 32)
DOMAIN = Domain(TESTNET, contract(SIGNER.principal(TESTNET), "access"))
FIXTURES = Path(__file__).parent.parent.parent / "fixtures"


def action(number):
    """One of the two in the fixture."""
    statement = Statement("vouch-give", SIGNER.principal(TESTNET), number, number + 9, number.to_bytes(8, "big"))
    return envelope.seal(statement, SIGNER, DOMAIN, None)


def copied(tmp_path, schema):
    """A copy of a database of an earlier schema."""
    return Path(shutil.copy(FIXTURES / f"schema-{schema}.sqlite3", tmp_path / DATABASE_NAME))


def changed(path, *scripts):
    """Each in a connection of its own, which may break what the schema demands, as rot does."""
    for script in scripts:
        with sqlite3.connect(path) as raw:
            raw.executescript(f"pragma writable_schema = on; pragma foreign_keys = off; {script}")
        raw.close()


def columns(path):
    with sqlite3.connect(path) as raw:
        names = [row[1] for row in raw.execute("pragma table_info(action)")]
    raw.close()
    return names


def rotted(path, column, value):
    with sqlite3.connect(path) as raw:
        [(schema,)] = raw.execute("select sql from sqlite_schema where name = 'action'")
    raw.close()
    schema = schema.replace("'", "''")
    put = "update sqlite_schema set sql = '{}' where name = 'action'"
    changed(
        path,
        put.format(schema.replace(" not null", "")),
        f"update action set {column} = {value} where sequence = 1",
        put.format(schema),
    )


async def nobody(_):
    """Takes nothing in."""


@pytest.mark.parametrize("schema", [1, 2, 4])
@pytest.mark.parametrize(("column", "value"), [
    *((column, "null") for column in ("id", "created", "kind", "author", "header", "digest")),
    *((column, f"cast({column} as text)") for column in ("id", "author", "header", "digest")),
    ("created", "'words'"),
    ("kind", "x'ff'"),
])  # fmt: skip
async def test_a_row_that_rotted_stops_no_conversion_and_is_put_right_after_it(tmp_path, schema, column, value):
    path = copied(tmp_path, schema)
    rotted(path, column, value)
    if "source" in columns(path):  # a peer that nobody knows
        changed(path, "update action set source = 99")
    store = await Store.open(path.parent, DOMAIN)
    scrubber = Scrubber(store, nobody)
    await scrubber.scrub()
    lost = [action(1)] if (column, value) == ("header", "null") else []
    assert await store.append([action(1), action(2)]) == lost, "a neighbour is needed for a lost header only"
    found = await scrubber.scrub()
    assert (found.damaged, found.counted_again, (await store.summary()).count) == (0, False, 2)
    assert {each.id: each for _, each in await store.page(0, 9)} == {action(n).id: action(n) for n in (1, 2)}
    await store.close()


async def test_balances_that_an_older_hubd_showed_to_guests_are_shown_no_more(tmp_path):
    path = copied(tmp_path, 4)
    rows = f"insert into audience (name, sequence) values ({int(GUESTS)}, 1), ({int(GUESTS)}, 2)"
    changed(path, f"update action set kind = 'relay-balance' where sequence = 1; {rows}")
    store = await Store.open(path.parent, DOMAIN)
    assert [sequence for sequence, _ in await store.seen_page([GUESTS], 0, 9)] == [2]
    await store.close()
