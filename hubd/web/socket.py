"""The phone API over WebSocket: a `Wire` for the conversation (docs/phone-api.md, "WebSocket")."""

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from hubd.action.principal import Principal
from hubd.web.conversation import Conversation
from hubd.web.door import PhoneDoor
from hubd.web.frames import SUBPROTOCOL
from hubd.web.places import PROVEN
from hubd.web.quota import Rank

_GOING_AWAY = 1000
_POLICY = 1008  # RFC 6455, section 7.4.1: breaks this endpoint's rules


def _nobody_asks(_person: Principal, _rank: Rank) -> None:
    """For a server that counts no places."""


class SocketWire:
    """One accepted socket."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket

    async def receive(self) -> bytes | None:
        """The next message; text, which this protocol has none of, becomes bytes that no decoder takes."""
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        raw = message.get("bytes")
        return raw if raw is not None else b""

    async def send(self, message: bytes) -> None:
        """See `Wire`."""
        try:
            await self._websocket.send_bytes(message)
        except (WebSocketDisconnect, RuntimeError) as error:  # starlette's words for "gone" and "closed already"
            raise ConnectionError("the phone has gone") from error

    async def close(self, code: int = _GOING_AWAY) -> None:
        """See `Wire`; `code` is WebSocket's own."""
        if self._websocket.application_state is WebSocketState.CONNECTED:
            try:
                await self._websocket.close(code)
            except (WebSocketDisconnect, RuntimeError):
                return


async def serve_socket(door: PhoneDoor, websocket: WebSocket, address: str) -> None:
    """Converse with a phone that dialled in, until it parts."""
    if SUBPROTOCOL not in websocket.scope.get("subprotocols", ()):
        door.counters["socket:subprotocol"] += 1
        await websocket.close(_POLICY)
        return
    await websocket.accept(SUBPROTOCOL)
    wire = SocketWire(websocket)
    try:
        await Conversation(door, wire, address, websocket.scope.get(PROVEN, _nobody_asks)).run()
    except (TimeoutError, ConnectionError):
        door.counters["socket:too-slow"] += 1
        await wire.close(_POLICY)
