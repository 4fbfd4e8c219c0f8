"""`hubd run`: every service of a hub over its set, supervised. Knows every part, decides nothing."""

import asyncio
import os
import signal
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubd import __version__, log
from hubd.action.envelope import Action
from hubd.action.fingerprint import spoken
from hubd.action.principal import Principal, address
from hubd.control import ControlServer
from hubd.errors import FatalError
from hubd.fold.membership import MEMBER_KINDS
from hubd.fold.views import Hub as HubEntry
from hubd.gossip.discovery import Discovery
from hubd.gossip.interfaces import changes
from hubd.gossip.link import Link, LinkConfig
from hubd.gossip.peer import Member
from hubd.gossip.status import PeerStatus
from hubd.gossip.wire import mesh_tag
from hubd.hub import CHARTER_NAME, Hub, read_config
from hubd.ports import Door, SetSummary
from hubd.post.desk import PocketDesk
from hubd.post.watch import PostWatch
from hubd.store.scrubber import Scrubber
from hubd.supervisor import Service, supervise
from hubd.surroundings import unmet
from hubd.web import http
from hubd.web.door import PhoneDoor, Ports
from hubd.web.server import PhoneServer
from hubd.web.standing import ViewsStanding
from hubd.web.tls import Certificate
from hubd.web.visit import Visitor

if TYPE_CHECKING:
    from hubd.uplink import Uplink

_LISTENER_WAIT_S = 0.1


class Daemon:
    """The running hub. Everything that can fail for want of a person (a port in use) fails in `__init__`, in words."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._config = hub.config
        self._log = log.get("hub")
        self._door = PhoneDoor(
            Ports(
                store=hub.store,
                intake=hub.intake,
                standing=ViewsStanding(lambda: hub.folder.views, hub.folding.circle),
                signer=hub.identity.hub,
                charter=hub.charter,
                charter_file=(hub.directory / CHARTER_NAME).read_bytes(),
                clock=time.monotonic,
                name=self._config["hub.name"],
                chain_age_s=self._chain_age_s,
                desk=PocketDesk(hub.post),
                is_short=hub.is_short,
                is_late=lambda: hub.folding.behind > 0,
            )
        )
        self._phones = PhoneServer(
            http.build(self._door),
            self._config["phones.listen_host"],
            self._config["phones.listen_port"],
            certificate=_certificate(self._config["phones.tls_cert"], self._config["phones.tls_key"]),
        )
        self._visitor = Visitor(self._door)
        self._scrubber = Scrubber(hub.store, self._offer_own)
        self._key_owners: dict[bytes, Principal] = {}
        self._founders = {action.statement.who for action in hub.charter.founding if action.kind == "hub-admit"}
        self._link = Link(
            store=hub.store,
            intake=hub.intake,
            members=self._members,
            domain=hub.charter.domain,
            hub=hub.principal,
            curve_secret=hub.identity.curve_secret,
            clock=time.monotonic,
            config=LinkConfig(
                host=self._config["mesh.listen_host"],
                port=self._config["mesh.listen_port"],
                peers=tuple(self._config["mesh.peers"]),
                interval_s=self._config["mesh.session_interval_s"],
            ),
            doubted=self._scrubber.doubt,
        )
        self._sticks = PostWatch(hub.post, hub.name_of, self._config.__getitem__)
        self._uplink = _open_uplink(hub)
        hub.intake.listeners.append(self._notify)
        hub.store.gain_listeners += [self._link.gained, self._door.gained]

    # --- parts

    def _members(self) -> list[Member]:
        views, founders = self._hub.folder.views, self._founders
        admitted = sorted((views.hubs[each] for each in views.mesh.hubs), key=lambda hub: hub.principal not in founders)
        return [
            Member(hub.principal, hub.curve, hub.addresses, hub.name)
            for hub in one_hub_per_key(admitted, self._key_owners)
        ]

    def _notify(self, actions: Sequence[Action], _door: Door, source: bytes) -> None:
        self._link.notify(actions, source)
        if any(action.kind in MEMBER_KINDS for action in actions):
            self._link.membership_changed()
        self._door.notify(actions)

    def _chain_age_s(self) -> int | None:
        time_s = self._hub.folder.views.time_s
        return None if time_s is None else max(0, int(time.time()) - time_s)

    def _status(self, ours: SetSummary) -> dict[str, Any]:
        return {
            "peers": [_peer(peer, ours) for peer in self._link.status()],
            "gossip": {"port": self._link.port, "trouble": self._link.trouble, **self._link.counters},
            "phones": self._phones_status(),
            "scrubbed_age_s": self._scrubber.age_s,
            "relay": self._uplink and self._uplink.status(),
            "sticks": self._sticks.status(),
        }

    def _phones_status(self) -> dict[str, int]:
        places = self._phones.places
        return {
            "port": self._phones.port,
            "open": places.taken.total(),
            "turned_away": places.turned_away,
            "gave_way": places.gave_way,
            **self._door.counters,
        }

    # --- running

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT. Raises `FatalError` when a person must act."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        self._hub.store.room.take_ballast()
        await self._hub.announce()
        async with AsyncExitStack() as stack:
            if self._uplink is not None:
                await stack.enter_async_context(self._uplink)
            self._hub.live_status = self._status
            self._tell_unmet()
            self._log.info("hub-started", hub=address(self._hub.principal), version=__version__, pid=os.getpid())
            await _until(stop, asyncio.create_task(supervise(self._services()), name="services"))
            self._log.info("hub-stopped")

    def _services(self) -> dict[str, Service]:
        services: dict[str, Service] = {
            "fold": self._hub.folding.run,
            "control": ControlServer(self._hub.directory, self._hub.endpoints).run,
            "gossip": self._link.run,
            "phones": self._phones.run,
            "visits": self._visitor.run,
            "network": self._follow_network,
            "scrub": self._scrubber.run,
            "clock": self._hub.timekeeper.run,
        }
        if self._config["mesh.discover"] or self._config["phones.discover"]:
            services["discovery"] = self._discover
        if self._config["post.watch"]:
            services["post"] = self._sticks.run
        if self._uplink is not None:
            services["relay"] = self._uplink.run
        return services

    async def _offer_own(self, envelopes: Sequence[bytes]) -> object:
        return await self._hub.intake.offer(envelopes, Door.OWN)

    async def _follow_network(self) -> None:
        async with aclosing(changes()) as news:
            async for held in news:
                self._link.network_changed(held)

    async def _discover(self) -> None:
        while not self._link.port:  # noqa: ASYNC110  # once: the listener opens after the index was read
            await asyncio.sleep(_LISTENER_WAIT_S)
        discovery = Discovery(
            mesh=mesh_tag(self._hub.charter.domain),
            curve_key=self._hub.identity.curve_public,
            port=self._link.port,
            known=self._link.knows,
            heard=self._link.hear if self._config["mesh.discover"] else None,
            seen=self._visitor.seen if self._config["phones.discover"] else None,
            interfaces=self._config["mesh.interfaces"] or None,
        )
        await discovery.run()

    def _renew_certificate(self) -> None:
        """A renewed certificate counts for connections from now on; one that is not in order leaves the old one."""
        if self._phones.certificate is None:
            return
        try:
            self._phones.certificate.renew()
        except FatalError as error:
            self._log.warning("certificate-refused", code=error.code, detail=error.detail, hint=error.hint)

    def _tell_unmet(self) -> None:
        for code, detail in unmet(self._config):
            self._log.warning("config-unmet", code=code, detail=detail)

    def _reload(self) -> None:
        """Take up the keys of `hubd.toml` that may change in a running hub; name the others."""
        try:
            fresh = read_config(self._hub.directory)
        except FatalError as error:
            self._log.warning("config-refused", code=error.code, detail=error.detail, hint=error.hint)
            return
        changed = self._config.changed_keys(fresh)
        waiting = self._config.adopt(fresh)
        log.configure(self._config["log.level"], self._config["log.form"])
        self._link.reconfigure(peers=self._config["mesh.peers"], interval_s=self._config["mesh.session_interval_s"])
        if self._uplink is not None:
            self._uplink.reload()
        self._renew_certificate()
        self._log.info("config-reloaded", items=len(changed) - len(waiting))
        self._tell_unmet()
        if waiting:
            self._log.warning("config-needs-restart", detail=", ".join(waiting))


def _certificate(certificate_file: str, key_file: str) -> Certificate | None:
    return Certificate(Path(certificate_file), Path(key_file)) if certificate_file else None


def one_hub_per_key(admitted: Sequence[HubEntry], owners: dict[bytes, Principal]) -> list[HubEntry]:
    """Admitted hubs without those that announce a CURVE key which another one has: it is the first one's to be seen here.

    A hub can announce any key, but speak with its own only; what it could do is have its neighbour taken for itself.
    `owners` remembers from call to call, while the owner stays admitted and keeps the key.
    """
    claims = {(hub.curve, hub.principal) for hub in admitted}
    for key in [key for key, owner in owners.items() if (key, owner) not in claims]:
        del owners[key]
    return [hub for hub in admitted if owners.setdefault(hub.curve, hub.principal) == hub.principal]


def _peer(peer: PeerStatus, ours: SetSummary) -> dict[str, Any]:
    is_proven_once = peer.proven_age_s is not None
    return {
        "name": peer.name,
        "hub": address(peer.hub),
        "address": peer.address,
        "state": peer.state,
        "reason": peer.reason,
        "proven": peer.is_same(ours),
        "proven_age_s": peer.proven_age_s,
        "proven_count": peer.proven_count if is_proven_once else None,
        "proven_spoken": spoken(peer.proven_fingerprint) if is_proven_once else "",
        "newer": peer.newer(ours) if is_proven_once else None,
        "last_age_s": peer.last_age_s,
        "code": peer.last_code,
        "rung": peer.rung.name.lower(),
        "count": peer.count,
        "peer_count": peer.peer_count,
        "missing": peer.missing,
        "refused": peer.refused,
        "lacking": peer.lacking,
        "bytes_in": peer.bytes_in,
        "bytes_out": peer.bytes_out,
        "counters": peer.counters,
    }


def _open_uplink(hub: Hub) -> "Uplink | None":
    if not hub.config["relay.nodes"]:
        return None
    from hubd.uplink import Uplink  # noqa: PLC0415  # memory that a hub without an uplink saves

    return Uplink(hub)


async def _until(stop: asyncio.Event, working: "asyncio.Task[None]") -> None:
    """Let the services work until `stop`, then end them; what is fatal rises."""
    stopping = asyncio.create_task(stop.wait(), name="stop")
    await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    working.cancel()
    try:
        await working
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
