"""A phone that waits to be found: it serves one path, and a hub that discovered it dials and answers there.

Only the direction of dialling is turned around. The phone speaks first, as it would to a hub it dialled itself, and trusts
nobody for having dialled: every message must be proven by the key of a hub that stewards admitted. Whoever dials and passes
the messages on to such a hub hears what both say, as a listener on the Wi-Fi does, and can neither change nor add one.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from hubd.errors import RemoteError
from hubd.limits import PHONE_VISITS_ABREAST_MAX, VISIT_S
from hubd.phone.phone import Phone
from hubd.phone.socket_link import SocketLink
from hubd.phone.sync import SyncReport
from hubd.web.frames import SUBPROTOCOL, VISIT_PATH
from hubd.web.places import PROVEN, Places
from hubd.web.quota import Rank
from hubd.web.server import PhoneServer
from hubd.web.socket import SocketWire

Listener = Callable[[SyncReport | RemoteError], None]


def _places() -> Places:
    """One place for each address: a hub has one, and whoever stalls is not to have them all."""
    return Places(total_max=PHONE_VISITS_ABREAST_MAX, per_address_max=1)


class VisitedPhone:
    """Serves a phone on a port; `told` hears how each visit went. Advertise `port` as `_hubd-phone._tcp`."""

    def __init__(self, phone: Phone, host: str, port: int, told: Listener) -> None:
        self._phone, self._told = phone, told
        app = Starlette(routes=[WebSocketRoute(VISIT_PATH, self._visit)])
        self._server = PhoneServer(app, host, port, _places())
        self.port = self._server.port

    async def run(self) -> None:
        """Serve until cancelled."""
        await self._server.run()

    async def _visit(self, websocket: WebSocket) -> None:
        await websocket.accept(SUBPROTOCOL)
        wire = SocketWire(websocket)
        link = SocketLink(wire, self._phone.charter)
        try:
            async with asyncio.timeout(VISIT_S):
                # Fewer places than one may keep.
                proven = partial(websocket.scope[PROVEN], self._phone.principal, Rank.VOUCHED)
                report = await self._phone.sync_over(link, proven)
            report.carried = await self._phone.carry_over(link, report)
            self._told(report)
        except RemoteError as error:
            self._told(error)
        except TimeoutError:
            self._told(RemoteError("too-slow", "the visit took too long"))
        await wire.close()
