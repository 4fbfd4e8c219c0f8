"""Addresses of machines: the one place that reads and writes host:port, and that says which machine is near.

A host is a name, an IPv4 address, or an IPv6 address in brackets, which may name the interface it holds on
(`[fe80::1%wlan0]:7701`): a link-local address means nothing without it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from itertools import chain, zip_longest

from hubd.errors import RemoteError
from hubd.limits import HUB_ADDRESS_CHARS_MAX

EVERYWHERE = "*"
Network = IPv4Network | IPv6Network
_PORT_MAX = 0xFFFF
_SPLIT = re.compile(
    r"(?:tcp://)?(?:\[(?P<v6>[0-9A-Fa-f:.]+(?:%[\w.-]{1,15})?)\]|(?P<name>[\w.-]+)):(?P<port>\d{1,5})\Z"
)
_UNIQUE_LOCAL = ip_network("fc00::/7")
_BROADCAST = ip_address("255.255.255.255")
_HOLDER_BITS = 64  # of an IPv6 prefix: what one subscriber gets, and may use every address of


@dataclass(frozen=True, slots=True)
class Held:
    """An address that this machine has, on one of its interfaces."""

    host: str  # without the interface's name
    network: Network
    interface: str

    @property
    def ip(self) -> IPv4Address | IPv6Address:
        """As a number."""
        return ip_address(self.host)


def split(text: str) -> tuple[str, int]:
    """(host, port) of host:port or [v6]:port, with or without "tcp://". `RemoteError("address")`."""
    found = _SPLIT.match(text) if len(text) <= HUB_ADDRESS_CHARS_MAX else None
    port = int(found["port"]) if found else 0
    if found is None or not 0 < port <= _PORT_MAX:
        raise RemoteError("address", "an address looks like 10.0.0.2:7701 or [fd00::2]:7701")
    if found["v6"] is None:
        return found["name"], port
    try:
        return str(IPv6Address(found["v6"])), port
    except ValueError as error:
        raise RemoteError("address", "this is no IPv6 address") from error


def joined(host: str, port: int | str) -> str:
    """host:port, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def without_interface(host: str) -> str:
    """The address without %wlan0: what another machine may be told of it."""
    return host.partition("%")[0]


def plain(host: str) -> str:
    """An IPv4 address that came in through an IPv6 socket (::ffff:10.0.0.2) as itself."""
    try:
        ip = ip_address(host)
    except ValueError:
        return host
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    return host if mapped is None else str(mapped)


def holder(host: str) -> str:
    """By what calls from `host` are counted. Somebody on the wider internet has a whole prefix of IPv6, a neighbour one
    address among those of everybody else in the village.
    """
    name = plain(host)
    try:
        ip = ip_address(name)
    except ValueError:
        return name
    if isinstance(ip, IPv4Address) or not ip.is_global:
        return name
    return str(ip_network((ip.packed[: _HOLDER_BITS // 8] + bytes(8), _HOLDER_BITS)))


def is_loopback(host: str) -> bool:
    """Whether this is the machine itself."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


_THIS_MACHINE = frozenset(("localhost", "ip6-localhost", "localhost.localdomain"))
_NUMBERS = re.compile(r"[\d.]+\Z")


def wrong_host(host: str, *, announced: bool = False) -> str:
    """Why nobody can dial this host, in words; "" where somebody may. `announced`: to machines elsewhere."""
    try:
        ip = ip_address(host)
    except ValueError:
        if _NUMBERS.match(host):
            return "is no IP address: that has four numbers, each from 0 to 255"
        return "is this machine itself, which others can't reach so" if announced and host in _THIS_MACHINE else ""
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    ip = mapped or ip
    if ip.is_unspecified:
        return "means every address of a machine, and leads to none"
    if ip.is_multicast or ip == _BROADCAST:
        return "is the address of many machines, and a hub is one"
    if announced and ip.is_loopback:
        return "is this machine itself, which others can't reach so"
    return "holds on one cable or Wi-Fi only, and says nothing elsewhere" if announced and ip.is_link_local else ""


def is_near(host: str, own: Iterable[Network], *, on_loopback: bool = False) -> bool:
    """Whether `host`, which a stranger named, can be a machine of the local network.

    IPv4: any that the internet does not route. IPv6: a unique local address, or a link-local one that names its
    interface. Of the others only neighbours are believed: addresses of a network that this machine is in itself, `own`.
    """
    try:
        ip = ip_address(host)
    except ValueError:
        return False
    if ip.is_loopback:
        return on_loopback
    if ip.is_multicast or ip.is_unspecified or plain(host) != host:
        return False
    if ip.is_link_local and isinstance(ip, IPv6Address):
        return ip.scope_id is not None
    if any(ip.version == network.version and ip in network for network in own):
        return True
    return ip in _UNIQUE_LOCAL if isinstance(ip, IPv6Address) else not (ip.is_global or ip.is_reserved)


def is_cut_off(host: str, before: Iterable[Held], now: Iterable[Held]) -> bool:
    """Whether a connection to `host` has died of this machine's address: it was in a network of ours, from which every
    address that we had there then has gone. What goes through a router is left to those who miss the other side.
    """
    then = set(before)
    kept = then & set(now)
    ip = ip_address(without_interface(plain(host)))

    def is_there(each: Held) -> bool:
        return ip.version == each.network.version and ip in each.network

    return any(map(is_there, then - kept)) and not any(map(is_there, kept))


def by_turns(hosts: Iterable[str]) -> list[str]:
    """One of IPv6, one of IPv4, and so on, beginning with the family of the first (RFC 8305): where one family leads
    nowhere, the second try is of the other.
    """
    families: dict[bool, list[str]] = {}
    for host in dict.fromkeys(hosts):
        families.setdefault(":" in host, []).append(host)
    return [host for host in chain.from_iterable(zip_longest(*families.values())) if host is not None]
