"""10,000 actions from one hub to an empty one: two processes, real sockets, real encryption, both durable.

A wire in between counts what travels, encryption and ZeroMQ's own words included.
"""

import asyncio
import json
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bench.actions import CHARTER
from hubd.action.envelope import Action, encode
from hubd.store.actions import Store

_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Fill:
    """What it took. CPU seconds are each side's own, all threads; the fold's are beside the receiver's."""

    sender_cpu_s: float
    receiver_cpu_s: float
    fold_cpu_s: float
    wall_s: float
    wire_bytes: int
    payload_bytes: int
    rss_mb: float


class Wire:
    """A TCP relay to one port that counts bytes."""

    def __init__(self, port: int) -> None:
        self.bytes = 0
        self._port = port
        self._server: asyncio.Server | None = None

    @property
    def address(self) -> str:
        """Where to dial."""
        assert self._server is not None, "inside the async with"
        return f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0, limit=_CHUNK_BYTES)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None, "entered"
        self._server.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port, limit=_CHUNK_BYTES)
        await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(_CHUNK_BYTES):
                self.bytes += len(data)
                writer.write(data)
                await writer.drain()
        writer.close()


class Side:
    """One hub as a process: `bench/hub.py`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, *arguments: str) -> Self:
        """Start it; `said` gives its lines."""
        pipe = asyncio.subprocess.PIPE
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bench.hub",
                *arguments,
                stdin=pipe,
                stdout=pipe,
                stderr=asyncio.subprocess.DEVNULL,
            )
        )

    async def said(self, within_s: float) -> dict[str, Any]:
        """Its next line."""
        assert self._process.stdout is not None, "a pipe"
        async with asyncio.timeout(within_s):
            line = await self._process.stdout.readline()
        if not line:
            raise ChildProcessError("a hub of the bench ended before its time; run `python -m bench.hub` to see why")
        found: dict[str, Any] = json.loads(line)
        return found

    async def stop(self) -> None:
        """End it, and wait for that."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


async def fill(actions: list[Action]) -> Fill:
    """Fill an empty hub with these."""
    raws = [encode(action) for action in actions]
    with tempfile.TemporaryDirectory(prefix="hubd-bench-") as scratch:
        full, empty = Path(scratch) / "full", Path(scratch) / "empty"
        for folder in (full, empty):
            folder.mkdir()
        store = await Store.open(full, CHARTER.domain)
        await store.append(actions)
        await store.close()
        sides: list[Side] = []
        try:
            sides.append(await Side.start(str(full), "full", "empty", str(len(actions))))
            port = (await sides[0].said(30))["port"]
            async with Wire(port) as wire:
                sides.append(await Side.start(str(empty), "empty", "full", str(len(actions)), wire.address))
                await sides[1].said(30)
                received = await sides[1].said(120)
                sent = await sides[0].said(30)
                count = wire.bytes
        finally:
            for side in sides:
                await side.stop()
    return Fill(
        sender_cpu_s=sent["cpu_s"],
        receiver_cpu_s=received["cpu_s"],
        fold_cpu_s=received["fold_cpu_s"],
        wall_s=received["wall_s"],
        wire_bytes=count,
        payload_bytes=sum(map(len, raws)),
        rss_mb=received["rss_mb"],
    )
