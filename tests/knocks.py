"""Connections to a phones' server, byte by byte."""

import asyncio

import httpx

from hubd.web.places import Places

HEAD = b"GET /v1/status HTTP/1.1\r\nhost: h\r\n"


def limited(**bounds: float) -> Places:
    """Places that hold this machine to the limits of a stranger."""
    return Places(is_own=lambda _host: False, **bounds)  # type: ignore[arg-type]


async def is_closed(reader: asyncio.StreamReader, seconds: float = 3) -> bool:
    """Whether the server ends the connection within this time, whatever it says before."""
    try:
        async with asyncio.timeout(seconds):
            while await reader.read(4_096):
                pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


async def is_alive(url: str) -> bool:
    async with httpx.AsyncClient(base_url=url) as http:
        return (await http.get("/v1/status")).status_code == 200


async def opened(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    port = int(url.rpartition(":")[2])
    return await asyncio.open_connection("127.0.0.1", port)


async def spoken(url: str, said: bytes = HEAD + b"\r\n") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection over which a whole request was answered."""
    reader, writer = await opened(url)
    writer.write(said)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
    return reader, writer
