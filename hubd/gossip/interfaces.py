"""This machine's own addresses, and the news that they have changed: Wi-Fi comes and goes, a cable is pulled.

Linux says so at once (rtnetlink); everywhere else a look now and then has to do. What nobody can use is left out: an
interface without a carrier keeps its address, and an IPv6 address may be on trial, out of date or for one's own calls only.
"""

import asyncio
import socket
import struct
import sys
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager, suppress
from ipaddress import IPv6Address, ip_address, ip_interface
from pathlib import Path

import ifaddr

from hubd.addresses import Held
from hubd.limits import INTERFACES_S, INTERFACES_SETTLE_S

_IS_UP = 0x1 | 0x40  # IFF_UP, IFF_RUNNING
_GET_FLAGS = 0x8913  # SIOCGIFFLAGS
_NEWS = 0x1 | 0x10 | 0x100  # RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR
_NEWS_BYTES = 65_536
_V6_TABLE = Path("/proc/net/if_inet6")
_V6_UNUSABLE = 0x01 | 0x08 | 0x20 | 0x40  # temporary, a duplicate, deprecated, tentative


def held(chosen: Sequence[str] | None = None) -> list[Held]:
    """The usable addresses of this machine, in a steady order: all but loopback, or those of `chosen` that it has now."""
    wanted = None if chosen is None else {ip_address(each.partition("%")[0]) for each in chosen}
    unusable = _unusable()
    found: list[Held] = []
    for adapter in ifaddr.get_adapters():
        if not _is_up(adapter.name):
            continue
        for ip in adapter.ips:
            host = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            address = ip_address(host.partition("%")[0])
            if address in unusable or (address.is_loopback if wanted is None else address not in wanted):
                continue
            network = ip_interface(f"{address}/{ip.network_prefix}").network
            found.append(Held(str(address), network, adapter.name))
    return sorted(found, key=lambda each: (each.ip.is_link_local, each.ip.version, each.ip.packed, each.interface))


async def changes(chosen: Sequence[str] | None = None) -> AsyncGenerator[list[Held], None]:
    """The usable addresses as they are, and again whenever they are others; also while whoever asks is busy with them."""
    with _news() as news:
        last = held(chosen)
        yield last
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(INTERFACES_S):
                    await news.wait()
            await asyncio.sleep(INTERFACES_SETTLE_S)  # several come together
            news.clear()
            now = held(chosen)
            if now != last:
                last = now
                yield last


@contextmanager
def _news() -> Iterator[asyncio.Event]:
    """An event that is set when something about the interfaces changed; on some systems it never is."""
    event = asyncio.Event()
    if not hasattr(socket, "AF_NETLINK"):
        yield event
        return
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as news:
        news.setblocking(False)
        news.bind((0, _NEWS))

        def read() -> None:
            with suppress(OSError):  # some were lost: that is news, too
                news.recv(_NEWS_BYTES)
            event.set()

        loop.add_reader(news, read)
        try:
            yield event
        finally:
            loop.remove_reader(news)


def _is_up(interface: str) -> bool:
    if sys.platform != "linux":
        return True
    import fcntl  # noqa: PLC0415  # not there on every system

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            answer = fcntl.ioctl(asking, _GET_FLAGS, struct.pack("256s", interface.encode()[:15]))
        except OSError:
            return False  # it has gone meanwhile
    (flags,) = struct.unpack_from("=H", answer, 16)
    return bool(flags & _IS_UP == _IS_UP)


def _unusable() -> set[IPv6Address]:
    try:
        rows = [line.split() for line in _V6_TABLE.read_text("ascii").splitlines()]
    except OSError:
        return set()
    return {IPv6Address(int(row[0], 16)) for row in rows if int(row[4], 16) & _V6_UNUSABLE}
