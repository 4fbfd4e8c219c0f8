"""How a phone calls on a hub by its address: http and https make requests, ws and wss open a socket.

Over TLS the system's own roots count. The hub is proven by its key in any case; the certificate keeps listeners out.
"""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx
import websockets

from hubd.action.charter import Charter
from hubd.errors import RemoteError
from hubd.phone.http_link import HttpLink
from hubd.phone.link import HubLink
from hubd.phone.socket_link import SocketLink
from hubd.phone.unreached import unreached
from hubd.web.client import ClientWire, dial
from hubd.web.frames import SOCKET_PATH

SCHEMES = ("http", "https", "ws", "wss")
_BARE = {
    "accept": "application/cbor",
    "accept-encoding": "identity",
    "user-agent": "hubd",
}  # what a hub asks of a request


@asynccontextmanager
async def called(url: str, charter: Charter) -> AsyncIterator[HubLink]:
    """A link to the hub at a base URL, which ends with the block. Raises `RemoteError`: `url`,
    `hub-unreachable`, `hub-certificate`.
    """
    scheme = urlsplit(url).scheme
    if scheme not in SCHEMES:
        raise RemoteError("url", f"{url!r} is no address of a hub", hint="write it like http://10.42.0.1:7780")
    # Loading the trusted roots takes a phone 20 ms and more; plain links have no use for them.
    tls = ssl.create_default_context() if scheme in ("https", "wss") else None
    opened = _socket(url, charter, tls) if scheme.startswith("ws") else _requests(url, charter, tls)
    async with opened as link:
        yield link


@asynccontextmanager
async def _requests(url: str, charter: Charter, tls: ssl.SSLContext | None) -> AsyncIterator[HubLink]:
    try:
        client = httpx.AsyncClient(
            base_url=url, headers=_BARE, follow_redirects=False, trust_env=False, verify=tls or False
        )
    except httpx.InvalidURL as error:
        raise RemoteError("url", str(error), hint="write the hub's address like http://10.42.0.1:7780") from error
    async with client:
        yield HttpLink(client, charter)


@asynccontextmanager
async def _socket(url: str, charter: Charter, tls: ssl.SSLContext | None) -> AsyncIterator[HubLink]:
    try:
        connection = await dial(url.rstrip("/") + SOCKET_PATH, tls)
    except (OSError, TimeoutError, websockets.WebSocketException) as error:
        raise unreached(error) from error
    try:
        yield SocketLink(ClientWire(connection), charter)
    finally:
        await connection.close()
