"""One mDNS service on the local network, by IPv4 and IPv6, which follows the machine's interfaces.

A name that somebody else has is left to them, up to the fourth; whoever claims all four lies, for a name is made of a key
or of chance, and then we say ours as well.
"""

import asyncio
import secrets
from collections.abc import Iterable, Sequence
from contextlib import aclosing, suppress
from types import TracebackType
from typing import Self

from zeroconf import IPVersion, NonUniqueNameException, ServiceInfo, Zeroconf
from zeroconf.asyncio import AsyncZeroconf

from hubd.addresses import Held
from hubd.gossip.interfaces import changes
from hubd.limits import HUB_ADDRESSES_MAX

HUB_TYPE = "_hubd._tcp.local."
PHONE_TYPE = "_hubd-phone._tcp.local."
VERSION = "1"
_SUFFIXES = ("", "-2", "-3", "-4")


class Presence:
    """One service on the local network, as long as the `async with` lasts. `held` is what it is present at now.

    `interfaces` are IP addresses to be present at; None: all, whatever they are at the moment. Entering waits until this
    machine has one of them.
    """

    def __init__(
        self, service_type: str, label: str, port: int, txt: dict[str, str], interfaces: Sequence[str] | None = None
    ) -> None:
        self.held: list[Held] = []
        self._service_type = service_type
        self._label = label
        self._port = port
        self._txt = txt
        self._interfaces = interfaces
        self._zeroconf: AsyncZeroconf | None = None
        self._info: ServiceInfo | None = None
        self._following: asyncio.Task[None] | None = None

    @property
    def zeroconf(self) -> Zeroconf:
        """What browsers run on."""
        assert self._zeroconf is not None, "inside the async with"
        return self._zeroconf.zeroconf

    @property
    def name(self) -> str:
        """Our own instance, which a browser passes over."""
        return self._info.name if self._info is not None else ""

    async def __aenter__(self) -> Self:
        async with aclosing(changes(self._interfaces)) as news:
            async for held in news:
                self.held = held
                if held:
                    break
        self._zeroconf = AsyncZeroconf(interfaces=_voices(self.held), ip_version=_family(self.held))
        self._info = self._service()
        try:
            await self._announce(self._zeroconf, self._info)
        except BaseException:  # cancelled, too: the announcement takes a second, and the sockets are open
            await self._zeroconf.async_close()
            raise
        self._following = asyncio.create_task(self._follow(), name="mdns-interfaces")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._zeroconf is not None, "entered"
        assert self._following is not None, "entered"
        self._following.cancel()
        await asyncio.gather(self._following, return_exceptions=True)
        await self._zeroconf.async_unregister_all_services()
        await self._zeroconf.async_close()

    def check(self) -> None:
        """Raise what keeps this from following the interfaces, if anything does."""
        assert self._following is not None, "entered"
        if self._following.done():
            self._following.result()

    async def _announce(self, zeroconf: AsyncZeroconf, info: ServiceInfo) -> None:
        for suffix in _SUFFIXES:
            info.name = f"{self._label}{suffix}.{self._service_type}"
            with suppress(NonUniqueNameException):
                await (await zeroconf.async_register_service(info))
                return
        info.name = f"{self._label}.{self._service_type}"
        await (await zeroconf.async_register_service(info, cooperating_responders=True))

    async def _follow(self) -> None:
        async with aclosing(changes(self._interfaces)) as news:
            async for held in news:
                if held != self.held:
                    await self._move(held)

    async def _move(self, held: list[Held]) -> None:
        """Be present at these from now on, and announce anew. Without any, the groups of the old ones are left."""
        assert self._zeroconf is not None, "entered"
        self.held = held
        await self._zeroconf.async_update_interfaces(_voices(held), _family(held))
        if not held:
            return
        name = self.name
        self._info = self._service()
        self._info.name = name
        await (await self._zeroconf.async_update_service(self._info))

    def _service(self) -> ServiceInfo:
        return ServiceInfo(
            self._service_type,
            f"{self._label}.{self._service_type}",
            port=self._port,
            properties={"v": VERSION, **self._txt},
            server=f"{self._label}.local.",
            parsed_addresses=list(dict.fromkeys(each.host for each in self.held))[:HUB_ADDRESSES_MAX],
        )


class PhoneAdvertiser(Presence):
    """A native phone that waits to be found: `async with PhoneAdvertiser(port): ...`. Its name is new every time."""

    def __init__(self, port: int, *, interfaces: Sequence[str] | None = None) -> None:
        super().__init__(PHONE_TYPE, f"phone-{secrets.token_hex(4)}", port, {}, interfaces)


def _voices(held: Iterable[Held]) -> list[str]:
    """The addresses to speak from: each of IPv4, and of IPv6 one an interface, where multicast is the interface's."""
    chosen: dict[tuple[int, str], str] = {}
    for each in held:
        chosen[each.ip.version, each.host if each.ip.version == 4 else each.interface] = each.host
    return list(chosen.values())


def _family(held: Iterable[Held]) -> IPVersion:
    return {frozenset({4}): IPVersion.V4Only, frozenset({6}): IPVersion.V6Only}.get(
        frozenset(each.ip.version for each in held), IPVersion.All
    )
