"""A hub's discovery over multicast on the loopback interface, and what it told."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from typing import Any

from hubd.gossip.discovery import Discovery
from hubd.gossip.peer import key_tag
from hubd.gossip.presence import HUB_TYPE

LOOPBACK = ["127.0.0.1"]
OTHER_MESH = bytes(8)
# Of this process alone: another that tests on the same loopback at the same time takes the same names, or lies about them.
KEY_A, KEY_B, KEY_C = (sha256(f"{os.getpid()} {name}".encode()).digest() for name in "abc")


async def until(condition: Callable[[], Any], within_s: float = 8.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


class Ears:
    """A hub's discovery, and what it told."""

    def __init__(self, mesh: bytes, key: bytes, port: int) -> None:
        self.hubs: dict[str, bytes] = {}
        self.admitted = {key_tag(each) for each in (KEY_A, KEY_B, KEY_C)}
        self.phones: set[tuple[str, int]] = set()
        self.discovery = Discovery(
            mesh=mesh,
            curve_key=key,
            port=port,
            known=self.admitted.__contains__,
            heard=self.hubs.__setitem__,
            seen=lambda host, port, _others: self.phones.add((host, port)),
            interfaces=LOOPBACK,
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Ears"]:
        running = asyncio.create_task(self.discovery.run())
        try:
            yield self
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


def name_of(key: bytes, suffix: str = "") -> str:
    return f"hubd-{key_tag(key).hex()}{suffix}.{HUB_TYPE}"


def tell(ears: Ears, service_type: str, name: str) -> None:
    ears.discovery._changed(service_type, name, is_there=True)
