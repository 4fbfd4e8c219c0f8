"""Whole sessions between two hubs of a million actions: what each rung of the ladder costs, bodies and proof included.

Both sides are real: the machines, their stores, and an intake that verifies. Only the wire is left out: frames are encoded,
counted and decoded in one process, and a round trip is counted where the dialler speaks and hears the answer. Beside the
CPU stands the recovery of the signers of what was lacking; beside the bytes of equal sets, the two fingerprints alone.
"""

import asyncio
import shutil
import sqlite3
import tempfile
from collections import deque
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time

from bench.actions import CHARTER, made
from bench.million import ACTIONS, build
from bench.values import Figures
from hubd.action.envelope import Action
from hubd.action.signature import Signer, recover
from hubd.gossip import wire
from hubd.gossip.dialogue import Began, Counted, Ended, FrameReceived, InEvent, KeepCursor, OutEvent, Parties, SendFrame
from hubd.gossip.errands import Errands
from hubd.gossip.initiator import Initiator
from hubd.gossip.responder import Responder
from hubd.gossip.session import Session
from hubd.intake import SetIntake
from hubd.store.actions import DATABASE_NAME, Store

_HUBS = [Signer(bytes([number]) * 32).principal(CHARTER.network) for number in (101, 102)]
_MESH = wire.mesh_tag(CHARTER.domain)
_SCATTERED = (10, 100, 500)
_NEWEST = 100
_FINGERPRINT_BYTES = 32  # of a whole set, as a hello says it
_COMPARING = (wire.Hello, wire.AskSketch, wire.Sketch, wire.Reconcile)  # until the differences are known


@dataclass
class _Side:
    """One side of a session, and what it said."""

    store: Store
    errands: Errands
    session: Session
    said: deque[bytes] = field(default_factory=deque)
    ended: Ended | None = None
    bodies_bytes: int = 0
    told_bytes: int = 0
    compared_bytes: int = 0
    compared: int = 0

    async def take(self, event: InEvent) -> None:
        """Let the machine take an event, and do what it wants."""
        for out in self.session.handle(event, 0.0):
            await self._perform(out)

    async def _perform(self, out: OutEvent) -> None:
        match out:
            case SendFrame(frame):
                raw = wire.encode(frame)
                self.said.append(raw)
                self.told_bytes += len(raw)
                if isinstance(frame, _COMPARING):
                    self.compared += 1
                    self.compared_bytes += len(raw)
                if isinstance(frame, wire.Actions):
                    self.bodies_bytes += sum(map(len, frame.envelopes))
            case Counted():
                pass
            case KeepCursor(place):
                await self.errands.keep(place)
            case Ended():
                self.ended = out
            case _:
                await self.take(await self.errands.run(out))


@dataclass(frozen=True, slots=True)
class Told:
    """What one session took. Bytes are those of frames, the actions themselves left out."""

    rung: str
    bytes_to_differences: int
    bytes: int
    round_trips_to_differences: int
    round_trips_to_bodies: int
    round_trips: int  # to the proof
    cpu_ms: float  # both sides
    is_proven: bool


async def talk(dialler: Store, dialled: Store, number: int) -> Told:
    """One session, to its end."""
    stores = (dialler, dialled)
    errands = [
        Errands(store, SetIntake(store, CHARTER.domain), peer)
        for store, peer in zip(stores, reversed(_HUBS), strict=True)
    ]
    parties = [Parties(_HUBS[0], _HUBS[1], _MESH), Parties(_HUBS[1], _HUBS[0], _MESH)]
    one = _Side(dialler, errands[0], Initiator(number, parties[0], 0.0))
    other = _Side(dialled, errands[1], Responder(parties[1], 0.0))
    wanted = max([(await store.summary()).count for store in stores])
    started, rounds, to_bodies = process_time(), 0, 0
    await one.take(Began())
    while one.said:
        rounds += 1
        for speaker, hearer in ((one, other), (other, one)):
            for _ in range(len(speaker.said)):
                await hearer.take(FrameReceived(wire.decode(speaker.said.popleft())))
        if not to_bodies and (await dialler.summary()).count >= wanted:
            to_bodies = rounds
    assert one.ended is not None, "a session ends"
    return Told(
        rung=one.ended.rung.name.lower(),
        bytes_to_differences=one.compared_bytes + other.compared_bytes,
        round_trips_to_differences=one.compared,
        bytes=one.told_bytes + other.told_bytes - one.bodies_bytes - other.bodies_bytes,
        round_trips=rounds,
        round_trips_to_bodies=to_bodies,
        cpu_ms=(process_time() - started) * 1000,
        is_proven=one.ended.is_proven and other.ended is not None and other.ended.is_proven,
    )


async def _append(store: Store, actions: list[Action]) -> None:
    for start in range(0, len(actions), 100):
        await store.append(actions[start : start + 100])


def _row(told: Told, lacking: list[Action]) -> dict[str, float]:
    assert told.is_proven, "the sets are one, and both know it"
    started = process_time()
    for action in lacking:
        recover(action.id, action.signature)
    recovery_ms = (process_time() - started) * 1000
    beside = (
        {"of_signers_recovered": told.cpu_ms / recovery_ms} if lacking
        else {"of_two_fingerprints": told.bytes / (2 * _FINGERPRINT_BYTES)}
    )  # fmt: skip
    return {
        "bytes_to_differences": told.bytes_to_differences, "bytes": told.bytes,
        "round_trips_to_differences": told.round_trips_to_differences,
        "round_trips_to_bodies": told.round_trips_to_bodies, "round_trips": told.round_trips,
        "cpu_ms_both_sides": told.cpu_ms, **beside,
    }  # fmt: skip


async def _measure(folders: list[Path]) -> Figures:
    stores = [await Store.open(folder, CHARTER.domain) for folder in folders]
    less, full = stores
    try:
        for store in stores:
            await store.sketch_symbols(0, 1)  # a running hub has caught up long before
        found = {f"session over {ACTIONS:,}: equal": _row(await talk(less, full, 1), [])}
        fresh = iter(range(ACTIONS, 2 * ACTIONS))
        lacking = [made(next(fresh)) for _ in range(_NEWEST)]
        await _append(full, lacking)
        told = await talk(less, full, 2)
        found[f"session over {ACTIONS:,}: {_NEWEST} newest lacking, by {told.rung}"] = _row(told, lacking)
        number = 2
        for count in _SCATTERED:
            lacking = [made(next(fresh), as_old_as=at * (ACTIONS // count)) for at in range(count)]
            await _append(full, lacking)
            await less.keep_cursor(_HUBS[1], 0, b"")  # as between hubs that never met
            await full.keep_cursor(_HUBS[0], 0, b"")
            number += 1
            told = await talk(less, full, number)
            found[f"session over {ACTIONS:,}: {count} scattered lacking, by {told.rung}"] = _row(told, lacking)
    finally:
        for store in stores:
            await store.close()
    return found


def measure() -> Figures:
    """Figures by name."""
    with tempfile.TemporaryDirectory(prefix="hubd-bench-") as scratch:
        folders = [Path(scratch) / name for name in ("less", "full")]
        for folder in folders:
            folder.mkdir(mode=0o700)
        asyncio.run(build(folders[0]))
        shutil.copy(folders[0] / DATABASE_NAME, folders[1] / DATABASE_NAME)
        with closing(sqlite3.connect(folders[1] / DATABASE_NAME)) as copy:
            copy.execute("update meta set value = ? where key = 'epoch'", (b"another!",))
            copy.commit()
        return asyncio.run(_measure(folders))
