"""IPv6 beside IPv4: what listens everywhere is reached by both, and a name with an address that leads nowhere is no end."""

import asyncio
import contextlib
import socket
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest
import zmq.asyncio
from linked import Hub, Mesh, are_equal, registrations, tell_address, until
from phone_hubs import phone_hub

from hubd.addresses import Held
from hubd.gossip.sockets import Dialled, DialOutcome, resolved
from hubd.web.server import PhoneServer, _bind

pytestmark = pytest.mark.usefixtures("in_a_hurry")
LOOPBACKS = ["127.0.0.1", "[::1]"]


async def outcome(hub: Hub, keys: Any, host: str) -> DialOutcome:
    context = zmq.asyncio.Context()
    peer = Dialled(context, f"tcp://{host}:{hub.link.port}", server_key=hub.keys.public, keys=keys)
    try:
        return await peer.opened()
    finally:
        peer.close()
        context.destroy(0)


@pytest.mark.parametrize(
    ("listens_at", "reached"),
    [
        ("*", [True, True]),
        ("::", [True, True]),
        ("0.0.0.0", [True, False]),
        ("127.0.0.1", [True, False]),
        ("::1", [False, True]),
    ],
)
async def test_hubs_are_reached_where_they_listen(mesh: Mesh, listens_at: str, reached: list[bool]) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b")
    a.host = listens_at
    await a.start()
    found = [await outcome(a, b.keys, host) for host in LOOPBACKS]
    assert [each is DialOutcome.OPEN for each in found] == reached
    await until(lambda: a.link._acceptor.listener.counters["probe-refused"])


@pytest.mark.parametrize("host", LOOPBACKS)
async def test_two_hubs_become_one_set_over_either_family(mesh: Mesh, host: str) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b", host="*")
    await b.offer(registrations("b", 20))
    await mesh.start(a, b)
    tell_address(a, b, f"{host}:{b.link.port}")
    await are_equal(a, b, count=20)


async def test_a_listener_that_was_cut_listens_again_to_both(mesh: Mesh) -> None:
    a, b, c = await mesh.hubs_that_know_each_other("a", "b", "c", host="*")
    await mesh.start(a, b, c)
    tell_address(b, a, f"[::1]:{a.link.port}")
    tell_address(c, a, f"127.0.0.1:{a.link.port}")
    await until(lambda: a.state(b) == a.state(c) == "connected")
    a.link._acceptor.cut()
    await until(lambda: b.state(a) == c.state(a) == "connected" and a.state(b) == a.state(c) == "connected")


@pytest.mark.parametrize("dialler", ["a", "b"])
async def test_when_a_machine_loses_its_address_links_through_it_are_opened_anew(mesh: Mesh, dialler: str) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b", interval_s=1_000)
    await mesh.start(a, b)
    tell_address(*((a, b) if dialler == "a" else (b, a)))
    await until(lambda: a.proven and b.proven and a.state(b) == b.state(a) == "connected")
    here = Held("127.0.0.1", ip_network("127.0.0.0/8"), "lo")
    a.link.network_changed([here])
    assert a.state(b) == "connected"
    a.link.network_changed([])
    assert (a.state(b), a.link.status()[0].reason) == ("waiting", "network")
    await b.offer(registrations("b", 1))
    tell_address(a, b)
    await are_equal(a, b, count=1)


def resolver(*hosts: str) -> Any:
    def getaddrinfo(host: str, port: int, **options: Any) -> list[Any]:
        known = hosts if host.endswith(".example") and not options["flags"] else [host]
        return [found for each in known for found in socket.getaddrinfo(each, port, **options)]

    return getaddrinfo


async def test_a_name_is_tried_at_each_of_its_addresses(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = await mesh.hubs_that_know_each_other("a", "b")
    await mesh.start(a, b)
    monkeypatch.setattr("hubd.gossip.sockets.getaddrinfo", resolver("::1", "127.0.0.9", "127.0.0.1"))
    assert [each.split("]")[0][:15] for each in await resolved(f"b.example:{b.link.port}")] == [
        "tcp://[::1", "tcp://127.0.0.9", "tcp://127.0.0.1",
    ]  # fmt: skip
    tell_address(a, b, f"b.example:{b.link.port}")  # b listens at the last of them only
    await until(lambda: a.state(b) == "connected")


async def test_a_link_local_address_keeps_its_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await resolved("[fe80::1%lo]:7701") == [f"tcp://[fe80::1%{socket.if_nametoindex('lo')}]:7701"]


# --- phones


@contextlib.asynccontextmanager
async def phones(hub: Any, host: str) -> Any:
    server = PhoneServer(hub.app, host, 0)
    task = asyncio.create_task(server.run())
    try:
        yield server
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.mark.parametrize(("listens_at", "reached"), [("*", LOOPBACKS), ("::", LOOPBACKS), ("::1", ["[::1]"])])
async def test_phones_are_served_over_both_families(tmp_path: Path, listens_at: str, reached: list[str]) -> None:
    async with phone_hub(tmp_path) as hub, phones(hub, listens_at) as server:
        for host in reached:
            async with httpx.AsyncClient(base_url=f"http://{host}:{server.port}") as http:
                assert (await http.get("/v1/status")).status_code == 200


async def test_a_machine_without_ipv6_serves_phones_by_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    with _bind("*", 0) as listening:
        assert listening.family == socket.AF_INET


async def test_a_caller_is_one_and_the_same_by_either_kind_of_socket(tmp_path: Path) -> None:
    async with phone_hub(tmp_path) as hub, phones(hub, "*") as server:
        server.places.is_own = lambda _host: False
        with contextlib.ExitStack() as stack:
            for _ in range(3):
                stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            await until(lambda: server.places.taken == {"127.0.0.1": 3})
        await until(lambda: not server.places.taken)
