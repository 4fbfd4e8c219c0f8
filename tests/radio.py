"""A weak village's radio for tests: a TCP proxy before a hub that shares one band among all phones, delays, and counts.

async with radio(url, bytes_per_s=60_000, delay_s=0.05) as (near, air):
    await phone.sync(near)

The band is shared both ways, as on one Wi-Fi channel; every packet costs its headers, too. Opening a connection takes a
round trip. Time is real.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

PACKET_BYTES = 1_448  # of payload, on Ethernet and Wi-Fi
HEADER_BYTES = 52 + 36  # TCP/IP with time stamps, and the radio's own
READ_BYTES = 8 * PACKET_BYTES


@dataclass
class Air:
    """The band and what went over it. A turn is a time that the phone's side spoke after the hub had spoken."""

    bytes_per_s: float = 0  # 0: endless
    delay_s: float = 0  # one way
    up: int = 0
    down: int = 0
    turns: int = 0
    connections: int = 0
    _free_at: float = 0

    async def send(self, payload: int) -> None:
        """Wait until so many bytes have crossed."""
        now = asyncio.get_running_loop().time()
        if self.bytes_per_s:
            size = payload + HEADER_BYTES * -(-payload // PACKET_BYTES)
            self._free_at = max(now, self._free_at) + size / self.bytes_per_s
        wait = max(0.0, self._free_at - now) + self.delay_s
        if wait:
            await asyncio.sleep(wait)

    def reset(self) -> None:
        """Count anew."""
        self.up = self.down = self.turns = self.connections = 0


@asynccontextmanager
async def radio(url: str, bytes_per_s: float = 0, delay_s: float = 0) -> AsyncIterator[tuple[str, Air]]:
    """A base URL that leads to the hub over the air."""
    air = Air(bytes_per_s, delay_s)
    target = urlsplit(url)
    tasks: set[asyncio.Task[None]] = set()

    async def carry(phone: asyncio.StreamReader, to_phone: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        air.connections += 1
        await asyncio.sleep(2 * air.delay_s)
        hub, to_hub = await asyncio.open_connection(target.hostname, target.port)
        is_hub_heard = True

        async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_up: bool) -> None:
            nonlocal is_hub_heard
            try:
                while part := await reader.read(READ_BYTES):
                    if is_up:
                        air.up += len(part)
                        air.turns += is_hub_heard
                    else:
                        air.down += len(part)
                    is_hub_heard = not is_up
                    await air.send(len(part))
                    writer.write(part)
                    await writer.drain()
            except ConnectionError:
                pass
            finally:
                writer.close()

        await asyncio.gather(pump(phone, to_hub, is_up=True), pump(hub, to_phone, is_up=False))

    server = await asyncio.start_server(carry, "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        yield f"{target.scheme}://127.0.0.1:{port}", air
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
