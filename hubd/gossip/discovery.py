"""mDNS: hubs and native phones find each other on the local network (RFC 6762, RFC 6763).

A hub advertises `_hubd._tcp` and looks for other hubs and for `_hubd-phone._tcp`. What is said there is a hint and never
an authority: nothing personal goes out, addresses of the wider internet are not believed, and whoever dials a hint pins
a key or learns nothing. IPv4 only: every village network has it.

    TXT    v=1   mesh=<8 hex digits of the mesh's tag>   key=<tag of the hub's CURVE key; hubs only>
"""

import asyncio
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from ipaddress import IPv4Address
from types import TracebackType
from typing import Self

import ifaddr
from zeroconf import Error, InterfaceChoice, IPVersion, ServiceInfo, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from hubd import log
from hubd.gossip.peer import KEY_TAG_BYTES, key_tag
from hubd.limits import (
    DISCOVERED_ADDRESSES_MAX,
    DISCOVERED_MAX,
    DISCOVERY_ABREAST_MAX,
    DISCOVERY_AGAIN_S,
    DISCOVERY_LOOK_UP_MS,
    INTERFACES_S,
)

HUB_TYPE = "_hubd._tcp.local."
PHONE_TYPE = "_hubd-phone._tcp.local."
VERSION = "1"
_MESH_DIGITS = 8


def own_addresses() -> list[str]:
    """This machine's IPv4 addresses that others could use."""
    ips = (ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4)
    return sorted(ip for ip in map(str, ips) if not IPv4Address(ip).is_loopback)


class Presence:
    """One service on the local network, as long as the `async with` lasts. Follows the machine's interfaces.

    `interfaces` are IPv4 addresses to be present at; None: all, whatever they are at the moment.
    """

    def __init__(
        self, service_type: str, label: str, port: int, txt: dict[str, str], interfaces: Sequence[str] | None = None
    ) -> None:
        self._service_type = service_type
        self._label = label
        self._port = port
        self._txt = txt
        self._interfaces = interfaces
        self._addresses: list[str] = []
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
        chosen = InterfaceChoice.All if self._interfaces is None else list(self._interfaces)
        self._zeroconf = AsyncZeroconf(interfaces=chosen, ip_version=IPVersion.V4Only)
        self._addresses = self._current()
        self._info = self._service()
        try:
            await (await self._zeroconf.async_register_service(self._info, allow_name_change=True))
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

    async def refresh(self) -> None:
        """Look at this machine's interfaces again, and announce anew where they changed."""
        assert self._zeroconf is not None, "entered"
        current = self._current()
        if current == self._addresses or self._info is None:
            return
        self._addresses = current
        name = self._info.name
        self._info = self._service()
        self._info.name = name
        await self._zeroconf.async_update_interfaces()
        await (await self._zeroconf.async_update_service(self._info))

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(INTERFACES_S)
            await self.refresh()

    def _current(self) -> list[str]:
        return own_addresses() if self._interfaces is None else list(self._interfaces)

    def _service(self) -> ServiceInfo:
        return ServiceInfo(
            self._service_type,
            f"{self._label}.{self._service_type}",
            port=self._port,
            properties={"v": VERSION, **self._txt},
            server=f"{self._label}.local.",
            parsed_addresses=self._addresses[:DISCOVERED_ADDRESSES_MAX],
        )


class PhoneAdvertiser(Presence):
    """A native phone that waits to be found: `async with PhoneAdvertiser(port): ...`. Its name is new every time."""

    def __init__(self, port: int, *, interfaces: Sequence[str] | None = None) -> None:
        super().__init__(PHONE_TYPE, f"phone-{secrets.token_hex(4)}", port, {}, interfaces)


class Discovery:
    """A hub's eyes and voice. `run` until cancelled.

    `heard(address, key_tag)` is told of hubs of this mesh (host:port), `seen(host, port)` of phones; again and again
    while they are there. Either may be None: then nobody looks for these. `port` is our own listener's.
    """

    def __init__(  # noqa: PLR0913  # each by name
        self,
        *,
        mesh: bytes,
        curve_key: bytes,
        port: int,
        heard: Callable[[str, bytes], None] | None,
        seen: Callable[[str, int], None] | None,
        interfaces: Sequence[str] | None = None,
    ) -> None:
        self._mesh = mesh.hex()[:_MESH_DIGITS]
        self._own_tag = key_tag(curve_key)
        self._port = port
        self._heard = heard
        self._seen = seen
        self._interfaces = interfaces
        self._followed: dict[tuple[str, str], float] = {}  # (type, name): when to look at it again
        self._places = asyncio.Semaphore(DISCOVERY_ABREAST_MAX)
        self._log = log.get("discovery")

    async def run(self) -> None:
        """Advertise and look around until cancelled."""
        label = f"hubd-{self._own_tag.hex()}"
        txt = {"mesh": self._mesh, "key": self._own_tag.hex()}
        wanted = [kind for kind, told in ((HUB_TYPE, self._heard), (PHONE_TYPE, self._seen)) if told is not None]
        async with Presence(HUB_TYPE, label, self._port, txt, self._interfaces) as presence:
            browser = AsyncServiceBrowser(presence.zeroconf, wanted, handlers=[self._changed]) if wanted else None
            try:
                async with asyncio.TaskGroup() as group:
                    while True:
                        for found in self._due():
                            group.create_task(self._look_up(presence.zeroconf, *found))
                        await asyncio.sleep(1)
            finally:
                if browser is not None:
                    await browser.async_cancel()

    def _changed(
        self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:  # the names are zeroconf's, which passes them as keywords
        del zeroconf
        found = (service_type, name)
        if state_change is ServiceStateChange.Removed:
            self._followed.pop(found, None)
        elif found in self._followed or len(self._followed) < DISCOVERED_MAX:
            self._followed[found] = 0.0

    def _due(self) -> Iterator[tuple[str, str]]:
        now = asyncio.get_running_loop().time()
        for found, due_at in list(self._followed.items()):
            if now >= due_at:
                self._followed[found] = now + DISCOVERY_AGAIN_S
                yield found

    async def _look_up(self, zeroconf: Zeroconf, service_type: str, name: str) -> None:
        is_ours = False
        with suppress(Error):  # a name that no instance may have
            async with self._places:
                info = AsyncServiceInfo(service_type, name)
                is_ours = await info.async_request(zeroconf, DISCOVERY_LOOK_UP_MS) and self._tell(service_type, info)
        if not is_ours:
            self._followed.pop((service_type, name), None)

    def _tell(self, service_type: str, info: ServiceInfo) -> bool:
        """Pass a usable record on; False if it is none of ours, or ourselves."""
        txt = info.decoded_properties
        on_loopback = self._interfaces is not None and any(IPv4Address(each).is_loopback for each in self._interfaces)
        hosts = [host for host in info.parsed_addresses(IPVersion.V4Only) if _is_near(host, on_loopback=on_loopback)]
        if txt.get("v") != VERSION or not hosts or not info.port:
            return False
        if service_type == PHONE_TYPE:
            if self._seen is not None:
                self._seen(hosts[0], info.port)
            return True
        tag = _tag(txt.get("key"))
        if self._heard is None or txt.get("mesh") != self._mesh or tag is None or tag == self._own_tag:
            return False
        for host in hosts[:DISCOVERED_ADDRESSES_MAX]:
            self._heard(f"{host}:{info.port}", tag)
        return True


def _is_near(host: str, *, on_loopback: bool) -> bool:
    """Whether an address can be on the local network. A record that points to the wide internet is not believed, nor one
    that points back into this machine, unless we are present there.
    """
    ip = IPv4Address(host)
    return (on_loopback or not ip.is_loopback) and not (ip.is_global or ip.is_multicast or ip.is_unspecified)


def _tag(text: str | None) -> bytes | None:
    try:
        tag = bytes.fromhex(text or "")
    except ValueError:
        return None
    return tag if len(tag) == KEY_TAG_BYTES else None
