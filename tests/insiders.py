"""Admitted hubs gone bad, as a program of its own: `python insiders.py HOST PORT SERVER-KEY MESH ATTACK:SECRET ...`.

Keys and tags are hexadecimal. Each attacks by its own key, again and again, until its links are refused.
"""

import asyncio
import itertools
import random
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

import zmq.asyncio

from hubd.gossip import wire
from hubd.gossip.sockets import CurveKeys, Dialled, DialOutcome, endpoint

PART = bytes(1 << 17)
AGAIN_S = 0.1


async def garbage(peer: Dialled, _mesh: bytes) -> None:
    """Frames of any bytes."""
    while True:
        await peer.socket.send(random.randbytes(random.randrange(1, 4_096)))
        await asyncio.sleep(0.01)


async def endless(peer: Dialled, _mesh: bytes) -> None:
    """Messages of 64 MB in parts: libzmq hands none over before the last part is there."""
    while True:
        await peer.socket.send_multipart([PART] * 512)
        await asyncio.sleep(0.01)


async def sessions(peer: Dialled, mesh: bytes) -> None:
    """Session upon session, as fast as they are answered or not."""
    for number in itertools.count(1):
        hello = wire.Hello(1, mesh, number, 0, bytes(32), wire.NOWHERE, wire.NOWHERE, 0)
        await peer.socket.send(wire.encode(hello))
        with suppress(TimeoutError):
            async with asyncio.timeout(0.005):
                await peer.socket.recv()


ATTACKS: dict[str, Callable[[Dialled, bytes], Awaitable[None]]] = {
    "garbage": garbage,
    "endless": endless,
    "sessions": sessions,
}


async def rogue(context: zmq.asyncio.Context, at: str, server_key: bytes, mesh: bytes, words: str) -> None:
    """Attack by one key until the door is shut."""
    attack, secret = words.split(":")
    while True:
        peer = Dialled(context, at, server_key=server_key, keys=CurveKeys.of(bytes.fromhex(secret)))
        try:
            outcome = await peer.opened()
            if outcome is DialOutcome.REFUSED:
                print(f"{attack} is refused", flush=True)
                return
            if outcome is DialOutcome.OPEN:
                await peer.socket.send(wire.encode(wire.Ping()))  # a link begins with its first frame
                works = [asyncio.ensure_future(work) for work in (ATTACKS[attack](peer, mesh), peer.closed())]
                await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
                for work in works:
                    work.cancel()
                await asyncio.gather(*works, return_exceptions=True)
        finally:
            peer.close()
        await asyncio.sleep(AGAIN_S)


async def main(host: str, port: str, server_key: str, mesh: str, *words: str) -> None:
    """All of them at once."""
    context = zmq.asyncio.Context()
    at = endpoint(f"{host}:{port}")
    if host == "127.0.0.1":
        at = at.replace("tcp://", "tcp://127.0.0.2:0;")  # on the loopback, too, it is another machine
    await asyncio.gather(*(rogue(context, at, bytes.fromhex(server_key), bytes.fromhex(mesh), each) for each in words))
    print("all are refused", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
