"""mDNS: hubs and native phones find each other on the local network (RFC 6762, RFC 6763).

A hub advertises `_hubd._tcp` and looks for other hubs and for `_hubd-phone._tcp`. What is said there is a hint and never
an authority: nothing personal goes out, addresses of the wider internet are not believed, and whoever dials a hint pins
a key or learns nothing. A hub's instance is named by its key's tag, so that names of no admitted hub cost nothing.

    name   hubd-<tag of the hub's CURVE key>, where that is taken hubd-<tag>-2 to -4
    TXT    v=1   mesh=<8 hex digits of the mesh's tag>   key=<the tag; hubs only>
"""

import asyncio
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from ipaddress import ip_address

from zeroconf import Error, IPVersion, Zeroconf
from zeroconf.asyncio import AsyncServiceInfo

from hubd import log
from hubd.addresses import Held, is_near, joined
from hubd.gossip.lookout import Lookout
from hubd.gossip.peer import KEY_TAG_BYTES, key_tag
from hubd.gossip.presence import HUB_TYPE, PHONE_TYPE, VERSION, Presence
from hubd.limits import (
    DISCOVERED_ADDRESSES_MAX,
    DISCOVERED_HUBS_MAX,
    DISCOVERED_PHONES_MAX,
    DISCOVERED_PORT_MIN,
    DISCOVERY_ABREAST_MAX,
    DISCOVERY_AGAIN_S,
    DISCOVERY_LOOK_UP_MS,
    DISCOVERY_RETRY_S,
)

_MESH_DIGITS = 8
_CHANCE = secrets.SystemRandom()
_PLACES = {HUB_TYPE: DISCOVERED_HUBS_MAX, PHONE_TYPE: DISCOVERED_PHONES_MAX}
_HUB_NAME = re.compile(rf"hubd-([0-9a-f]{{{2 * KEY_TAG_BYTES}}})(?:-[2-4])?\." + re.escape(HUB_TYPE))


class Discovery:
    """A hub's eyes and voice. `run` until cancelled.

    `heard(address, key_tag)` is told of hubs of this mesh (host:port) whose tag `known` says yes to, `seen(host, port,
    other hosts)` of phones; again and again while they are there. Either may be None: then nobody looks for these.
    `port` is our own listener's.
    """

    def __init__(  # noqa: PLR0913  # each by name
        self,
        *,
        mesh: bytes,
        curve_key: bytes,
        port: int,
        known: Callable[[bytes], bool],
        heard: Callable[[str, bytes], None] | None,
        seen: Callable[[str, int, Sequence[str]], None] | None,
        interfaces: Sequence[str] | None = None,
    ) -> None:
        self._mesh = mesh.hex()[:_MESH_DIGITS]
        self._own_tag = key_tag(curve_key)
        self._port = port
        self._known = known
        self._heard = heard
        self._seen = seen
        self._interfaces = interfaces
        self._held: Sequence[Held] = ()
        self._followed: dict[str, dict[str, float]] = {HUB_TYPE: {}, PHONE_TYPE: {}}  # name: when to look again
        self._under_way: set[tuple[str, str]] = set()
        self._places = {service_type: asyncio.Semaphore(DISCOVERY_ABREAST_MAX) for service_type in _PLACES}
        self._log = log.get("discovery")

    async def run(self) -> None:
        """Advertise and look around until cancelled."""
        label = f"hubd-{self._own_tag.hex()}"
        txt = {"mesh": self._mesh, "key": self._own_tag.hex()}
        wanted = [kind for kind, told in ((HUB_TYPE, self._heard), (PHONE_TYPE, self._seen)) if told is not None]
        async with Presence(HUB_TYPE, label, self._port, txt, self._interfaces) as presence:
            with Lookout(presence.zeroconf, wanted, self._changed) as lookout:
                async with asyncio.TaskGroup() as group:
                    again_at = 0.0
                    while True:
                        presence.check()
                        if self._held != presence.held:
                            self._held = presence.held
                            lookout.ask_anew()
                        now = asyncio.get_running_loop().time()
                        if now >= again_at:
                            again_at = now + DISCOVERY_AGAIN_S
                            for service_type in wanted:
                                self._remember(service_type, lookout.remembered(service_type))
                            lookout.forget_flood()
                        lookout.ask_when_due(now, self._followed)
                        for found in self._due(now):
                            group.create_task(self._look_up(presence.zeroconf, *found))
                        await asyncio.sleep(1)

    def _changed(self, service_type: str, name: str, is_there: bool) -> None:
        followed = self._followed[service_type]
        if not is_there:
            followed.pop(name, None)
        elif name in followed or (len(followed) < _PLACES[service_type] and self._is_wanted(service_type, name)):
            followed[name] = 0.0

    def _remember(self, service_type: str, heard: Iterable[str]) -> None:
        """Instances told of earlier: a hub may be admitted after it was heard, or have found no place.

        Where there are more than places, these are drawn by lot, again and again: so nobody who only answers keeps others
        out for long. Whoever is told of remembers those that proved to be somebody.
        """
        followed = self._followed[service_type]
        waiting = [name for name in heard if name not in followed and self._is_wanted(service_type, name)]
        if len(followed) + len(waiting) > _PLACES[service_type]:
            drawn = set(_CHANCE.sample([*followed, *waiting], _PLACES[service_type]))
            for name in followed.keys() - drawn:
                del followed[name]
            waiting = [name for name in waiting if name in drawn]
        followed.update(dict.fromkeys(waiting, 0.0))

    def _is_wanted(self, service_type: str, name: str) -> bool:
        if service_type == PHONE_TYPE:
            return True
        tag = _tag_of(name)
        return tag is not None and tag != self._own_tag and self._known(tag)

    def _due(self, now: float) -> Iterator[tuple[str, str]]:
        for service_type, followed in self._followed.items():
            for name, due_at in followed.items():
                if now >= due_at and (service_type, name) not in self._under_way:
                    followed[name] = now + DISCOVERY_AGAIN_S
                    yield service_type, name

    async def _look_up(self, zeroconf: Zeroconf, service_type: str, name: str) -> None:
        is_ours = False
        self._under_way.add((service_type, name))
        try:
            with suppress(Error):  # a name that no instance may have
                async with self._places[service_type]:
                    info = AsyncServiceInfo(service_type, name)
                    is_ours = await info.async_request(zeroconf, DISCOVERY_LOOK_UP_MS) and self._tell(
                        service_type, info
                    )
        finally:
            self._under_way.discard((service_type, name))
        followed = self._followed[service_type]
        if is_ours or name not in followed:
            return
        if service_type == HUB_TYPE and self._is_wanted(service_type, name):  # a lie about a hub, and then the truth
            followed[name] = asyncio.get_running_loop().time() + DISCOVERY_RETRY_S
        else:
            del followed[name]

    def _tell(self, service_type: str, info: AsyncServiceInfo) -> bool:
        """Pass a usable record on; False if it is none of ours."""
        txt = info.decoded_properties
        hosts = self._near(info.parsed_scoped_addresses(IPVersion.All))
        if txt.get("v") != VERSION or not hosts or (info.port or 0) < DISCOVERED_PORT_MIN:
            return False
        assert info.port is not None, "compared just now"
        if service_type == PHONE_TYPE:
            if self._seen is not None:
                self._seen(hosts[0], info.port, hosts[1:])
            return True
        tag = _tag_of(info.name)
        if self._heard is None or tag is None or txt.get("mesh") != self._mesh or txt.get("key") != tag.hex():
            return False
        for host in hosts:
            self._heard(joined(host, info.port), tag)
        return True

    def _near(self, hosts: Iterable[str]) -> list[str]:
        """Those that can be true, neighbours first."""
        own = [each.network for each in self._held]
        on_loopback = any(each.ip.is_loopback for each in self._held)
        near = [host for host in hosts if is_near(host, own, on_loopback=on_loopback)]
        near.sort(key=lambda host: (not any(ip_address(host) in network for network in own), host))
        return near[:DISCOVERED_ADDRESSES_MAX]


def _tag_of(name: str) -> bytes | None:
    found = _HUB_NAME.fullmatch(name.lower())
    return bytes.fromhex(found[1]) if found else None
