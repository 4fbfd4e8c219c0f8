"""One core's work on single actions: recover, parse, take in, sum up, fold."""

import asyncio
import hashlib
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import coincurve

from bench.actions import CHARTER, made
from hubd.action import clarity, envelope
from hubd.action.envelope import Action
from hubd.action.fingerprint import EMPTY, extend
from hubd.fold.folder import Folder, fold
from hubd.intake import SetIntake
from hubd.ports import Door
from hubd.store.actions import Store

Figures = dict[str, dict[str, float]]
ACTIONS = 2_000
BATCH = 100
ROUNDS = 45  # twenty seconds: a neighbour on a shared machine slows some of them all the way
_NEIGHBOUR = CHARTER.stewards[0]  # whoever brings them: a peer, as nearly always
_PLAIN = """
    pragma journal_mode = wal; pragma synchronous = full;
    create table action (sequence integer primary key, id blob unique, created integer, author blob, header blob);
    create index action_by_item on action (created, id);
    create table audience (author blob, sequence integer, primary key (author, sequence)) without rowid;
"""


def rate(count: int, work: Callable[[], Any]) -> float:
    """How many a second of CPU."""
    started = time.process_time()
    work()
    return count / (time.process_time() - started)


def _recovered(action: Action) -> bytes:
    """The yardstick: who signed, as coincurve's documentation says, in the bytes that are compared with the author."""
    return _key(action).format()


def _key(action: Action) -> coincurve.PublicKey:
    """The same, and the key not read: nobody knows yet who it is."""
    return coincurve.PublicKey.from_signature_and_message(action.signature, action.id, hasher=None)


async def _ingest(raws: list[bytes]) -> float:
    """Actions verified, on disk and counted, by CPU-second, all threads together."""
    with tempfile.TemporaryDirectory(prefix="hubd-bench-") as scratch:
        store = await Store.open(Path(scratch), CHARTER.domain)
        intake = SetIntake(store, CHARTER.domain)
        started = time.process_time()
        for start in range(0, len(raws), BATCH):
            await intake.offer(raws[start : start + BATCH], Door.PEER, _NEIGHBOUR)
        spent = time.process_time() - started
        await store.close()
    return len(raws) / spent


async def _append(actions: list[Action]) -> float:
    """Of that, what the store does: actions that were verified before, on disk and counted."""
    with tempfile.TemporaryDirectory(prefix="hubd-bench-") as scratch:
        store = await Store.open(Path(scratch), CHARTER.domain)
        started = time.process_time()
        for start in range(0, len(actions), BATCH):
            await store.append(actions[start : start + BATCH], _NEIGHBOUR)
        spent = time.process_time() - started
        await store.close()
    return len(actions) / spent


def _plain(actions: list[Action]) -> float:
    """What nobody can leave out beside the signature: SHAKE-128 of each id, and bare rows with their keys, durable."""
    rows = [(each.id, each.statement.created, each.statement.author, each.header) for each in actions]
    with tempfile.TemporaryDirectory(prefix="hubd-bench-") as scratch:
        connection = sqlite3.connect(Path(scratch) / "plain.sqlite3", isolation_level=None)
        connection.executescript(_PLAIN)
        started = time.process_time()
        for start in range(0, len(rows), BATCH):
            part = list(enumerate(rows[start : start + BATCH], start))
            connection.execute("begin immediate")
            connection.executemany(
                "insert into action values (?, ?, ?, ?, ?)", [(sequence, *row) for sequence, row in part]
            )
            connection.executemany("insert into audience values (?, ?)", [(row[2], sequence) for sequence, row in part])
            connection.execute("commit")
        for each in actions:
            hashlib.shake_128(each.id).digest(len(EMPTY))
        spent = time.process_time() - started
        connection.close()
    return len(actions) / spent


def _best(*measured: Callable[[], float]) -> list[float]:
    """The best rate of each, taken in turns: what else runs on a machine only ever slows one down."""
    return [max(rates) for rates in zip(*([each() for each in measured] for _ in range(ROUNDS)), strict=True)]


def measure() -> Figures:
    """Figures by name, each beside a raw limit."""
    actions = [made(number) for number in range(ACTIONS)]
    raws = [envelope.encode(action) for action in actions]
    domain = CHARTER.domain
    recovery, unread, parsing, ingest, append, plain = _best(
        lambda: rate(ACTIONS, lambda: [_recovered(action) for action in actions]),
        lambda: rate(ACTIONS, lambda: [_key(action) for action in actions]),
        lambda: rate(ACTIONS, lambda: [envelope.parse(raw, domain) for raw in raws]),
        lambda: asyncio.run(_ingest(raws)),
        lambda: asyncio.run(_append(actions)),
        lambda: _plain(actions),
    )
    least = 1 / (1 / recovery + 1 / plain)
    fast = rate(ACTIONS, lambda: [action.statement.clarity() for action in actions])
    general = [clarity.decode(action.statement.clarity()) for action in actions]
    slow = rate(ACTIONS, lambda: [clarity.encode(value) for value in general])
    hashing = rate(ACTIONS, lambda: extend(EMPTY, [action.id for action in actions]))
    folder = Folder(CHARTER)
    one_by_one = rate(ACTIONS, lambda: [folder.append([action]) for action in actions])
    plain = rate(ACTIONS, lambda: fold(CHARTER, actions))
    return {
        "raw signature recovery": {"per_cpu_s": recovery},
        "envelope parsed and verified": {"per_cpu_s": parsing, "of_raw_recovery": parsing / recovery},
        f"ingest, verified and durable, batches of {BATCH}": {
            "per_cpu_s": ingest,
            "of_raw_recovery": ingest / recovery,
            "of_keys_unread": ingest / unread,
        },
        "... of that, appended to the set": {"per_cpu_s": append, "of_raw_recovery": append / recovery},
        "... recovery, SHAKE-128 and bare rows alone": {"per_cpu_s": least, "of_raw_recovery": least / recovery},
        "statement bytes": {"per_cpu_s": fast, "of_general_codec": fast / slow},
        "set fingerprint, one id": {"per_cpu_s": hashing, "of_raw_recovery": hashing / recovery},
        "fold, one action at a time": {"per_cpu_s": one_by_one, "of_plain_fold": one_by_one / plain},
    }
