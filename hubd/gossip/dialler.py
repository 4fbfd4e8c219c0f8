"""The links that we open: from an address to a channel, and until the peer is gone."""

import asyncio
from collections.abc import Callable

import zmq.asyncio

from hubd import log
from hubd.action.principal import Principal, address
from hubd.addresses import split
from hubd.errors import LocalError, RemoteError
from hubd.gossip.channel import Channel
from hubd.gossip.peer import LinkLost, Member, Side
from hubd.gossip.sockets import CurveKeys, Dialled, DialOutcome, resolved, send_now
from hubd.gossip.switchboard import Switchboard

_NOBODY_THERE = ("", DialOutcome.UNREACHABLE.value, DialOutcome.SLOW.value)  # says less than any other outcome


class Dialler:
    """`lost` is told of every dial that came to nothing and of every link that ended, but of none that we hung up."""

    def __init__(
        self,
        group: asyncio.TaskGroup,
        context: zmq.asyncio.Context,
        keys: CurveKeys,
        board: Switchboard,
        lost: Callable[[LinkLost], None],
    ) -> None:
        self._group = group
        self._context = context
        self._keys = keys
        self._board = board
        self._lost = lost
        self._dials: dict[Principal, asyncio.Task[None]] = {}
        self._hosts: dict[Principal, str] = {}  # of those that are up
        self._log = log.get("gossip")

    def dial(self, member: Member, target: str) -> None:
        """Open a link to this member at this address, beside everything else."""
        self._dials[member.hub] = self._group.create_task(self._dial(member, target))

    def hang_up(self, hub: Principal) -> None:
        """End the link to this hub, or the attempt at one."""
        dial = self._dials.pop(hub, None)
        if dial is not None:
            dial.cancel()

    def give_up(self, is_gone: Callable[[str], bool]) -> None:
        """Let go of links to hosts that cannot be reached as they were."""
        for hub in [hub for hub, host in self._hosts.items() if is_gone(host)]:
            self.hang_up(hub)
            self._lost(LinkLost(hub, Side.DIALLED, "network"))

    async def _dial(self, member: Member, target: str) -> None:
        reason = ""
        try:
            for endpoint in await resolved(target):
                outcome = await self._dial_one(member, endpoint)
                if outcome is DialOutcome.OPEN:
                    reason = "closed"
                    break
                reason = outcome.value if reason in _NOBODY_THERE else reason
        except RemoteError as error:
            reason = error.code
        self._log.info("link-lost", peer=address(member.hub), address=target, reason=reason)
        self._lost(LinkLost(member.hub, Side.DIALLED, reason))

    async def _dial_one(self, member: Member, endpoint: str) -> DialOutcome:
        """One address and, where the hub is there, the whole life of the link."""
        try:
            dialled = Dialled(self._context, endpoint, server_key=member.curve_key, keys=self._keys)
        except LocalError:
            return DialOutcome.OVERLOADED
        try:
            outcome = await dialled.opened()
            if outcome is DialOutcome.OPEN:
                self._hosts[member.hub] = split(endpoint)[0]
                await self._talk(member.hub, dialled)
        finally:
            self._hosts.pop(member.hub, None)
            dialled.close()
        return outcome

    async def _talk(self, hub: Principal, dialled: Dialled) -> None:
        """Until the peer is gone."""
        over = asyncio.ensure_future(dialled.closed())

        async def read(channel: Channel) -> None:
            while True:
                channel.take(await dialled.socket.recv())
                await asyncio.sleep(0)  # a busy peer must not keep the loop from the others

        def lost(_reason: str) -> None:
            over.cancel()

        channel = self._board.connect(hub, Side.DIALLED, lambda raw: send_now(dialled.socket, [raw]), lost)
        reading = asyncio.ensure_future(read(channel))
        try:
            await asyncio.wait({over, reading}, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                reading.result()
        finally:
            over.cancel()
            reading.cancel()
            self._board.drop(hub, Side.DIALLED, channel)
