"""The dialling end of the phone API's WebSocket: a hub that visits a phone, and a phone that calls on a hub, dial alike."""

import ssl
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection, connect
from websockets.frames import Frame, Opcode
from websockets.protocol import Event
from websockets.typing import Subprotocol

from hubd.limits import (
    PHONE_MESSAGE_BYTES_MAX,
    PHONE_MESSAGES_WAITING_MAX,
    PHONE_OPEN_S,
    PHONE_PART_S,
    PHONE_READ_BYTES,
    PHONE_SMALL_FRAMES_BURST,
    PHONE_SMALL_FRAMES_PER_S,
)
from hubd.web.frames import SUBPROTOCOL
from hubd.web.quota import Bucket


class _Bounded(ClientConnection):
    """Whoever is dialled may be a stranger, too: what makes much work of few bytes ends the connection, as it does at the
    hub's own door (hubd/web/bounded.py).
    """

    _small: Bucket | None = None  # spent by frames that are no message

    def data_received(self, data: bytes) -> None:
        """In slices."""
        for at in range(0, len(data), PHONE_READ_BYTES):
            if self.transport.is_closing():
                return
            super().data_received(data[at : at + PHONE_READ_BYTES])

    def process_event(self, event: Event) -> None:
        """One frame, or the answer to the handshake."""
        if isinstance(event, Frame) and self._is_too_much(event):
            self.transport.abort()
        else:
            super().process_event(event)

    def _is_too_much(self, frame: Frame) -> bool:
        now = self.loop.time()
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
            return len(self.recv_messages.frames) >= PHONE_MESSAGES_WAITING_MAX
        if self._small is None:
            self._small = Bucket(PHONE_SMALL_FRAMES_PER_S, PHONE_SMALL_FRAMES_BURST, now)
        has_room = self._small.level(now) >= 1
        self._small.spend()
        return not has_room


class _Connect(connect):
    """Goes where it was told, and nowhere else: who answers with another place is no hub and no phone."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Every answer but a WebSocket's is a failure; the library would follow a stranger's word, or trip over it."""
        return exc


def dial(url: str, tls: ssl.SSLContext | None = None, at: tuple[str, int] | None = None) -> connect:
    """An `async with` of the connection. `tls` is for wss: whom to trust, the system's roots where it is None. `at` is
    where to connect where the URL cannot say it: on which interface a link-local address is.
    """
    where: dict[str, Any] = {} if at is None else {"host": at[0], "port": at[1]}
    return _Connect(
        url,
        **where,
        create_connection=_Bounded,
        ssl=tls,
        subprotocols=[Subprotocol(SUBPROTOCOL)],
        compression=None,
        user_agent_header=None,
        open_timeout=PHONE_OPEN_S,
        close_timeout=PHONE_PART_S,
        max_size=PHONE_MESSAGE_BYTES_MAX,
        proxy=None,
    )


class ClientWire:
    """A socket that this side opened, as a `Wire`."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def receive(self) -> bytes | None:
        """The next message; text, which this protocol has none of, becomes bytes that no decoder takes."""
        try:
            message = await self._connection.recv()
        except websockets.ConnectionClosed:
            return None
        return message if isinstance(message, bytes) else b""

    async def send(self, message: bytes) -> None:
        """See `Wire`."""
        try:
            await self._connection.send(message)
        except websockets.ConnectionClosed as error:
            raise ConnectionError("the other side has gone") from error

    async def close(self) -> None:
        """See `Wire`."""
        await self._connection.close()
