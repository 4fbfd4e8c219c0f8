"""Wires between hubs: each a real TCP forwarder that can be cut and mended, so that a partition is a partition."""

import asyncio
from contextlib import suppress

_CHUNK_BYTES = 65_536


class Wire:
    """Forwards a loopback port to another one, while it is whole."""

    def __init__(self, name: str, target_port: int) -> None:
        self.name = name
        self.port = 0
        self.is_whole = True
        self._target_port = target_port
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Drop what is under way, and let nobody through."""
        self.is_whole = False
        for end in self._ends:
            end.transport.abort()

    def mend(self) -> None:
        """Let them through again."""
        self.is_whole = True

    async def close(self) -> None:
        """The end of the wire."""
        self.cut()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.add(writer)
        try:
            if not self.is_whole:
                return
            there, back = await asyncio.open_connection("127.0.0.1", self._target_port)
            self._ends.add(back)
            try:
                await asyncio.gather(_pump(reader, back), _pump(there, writer))
            finally:
                self._ends.discard(back)
                back.transport.abort()
        except OSError:
            pass
        finally:
            self._ends.discard(writer)
            writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while chunk := await reader.read(_CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    writer.close()
