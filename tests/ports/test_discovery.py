"""mDNS over real multicast on the loopback interface."""

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from zeroconf import ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from hubd.gossip import discovery
from hubd.gossip.discovery import HUB_TYPE, Discovery, PhoneAdvertiser, Presence, own_addresses
from hubd.gossip.peer import key_tag

LOOPBACK = ["127.0.0.1"]
OTHER_MESH = bytes(8)
KEY_A, KEY_B = b"a" * 32, b"b" * 32


@pytest.fixture
def mesh(request: Any) -> bytes:
    """A mesh of this test alone: others may be on the same loopback at the same time."""
    return hashlib.sha256(f"{os.getpid()} {request.node.name}".encode()).digest()[:8]


async def until(condition: Callable[[], Any], within_s: float = 8.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


class Ears:
    """A hub's discovery, and what it told."""

    def __init__(self, mesh: bytes, key: bytes, port: int) -> None:
        self.hubs: dict[str, bytes] = {}
        self.phones: set[tuple[str, int]] = set()
        self.discovery = Discovery(
            mesh=mesh,
            curve_key=key,
            port=port,
            heard=self.hubs.__setitem__,
            seen=lambda host, port: self.phones.add((host, port)),
            interfaces=LOOPBACK,
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Ears"]:
        running = asyncio.create_task(self.discovery.run())
        try:
            yield self
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


async def test_two_hubs_of_a_mesh_hear_of_each_other_and_not_of_themselves(mesh: bytes) -> None:
    async with Ears(mesh, KEY_A, 7001).open() as a, Ears(mesh, KEY_B, 7002).open() as b:
        await until(lambda: a.hubs and b.hubs)
        assert a.hubs == {"127.0.0.1:7002": key_tag(KEY_B)}
        assert b.hubs == {"127.0.0.1:7001": key_tag(KEY_A)}


async def test_hubs_of_another_mesh_are_passed_over(mesh: bytes) -> None:
    async with (
        Ears(mesh, KEY_A, 7003).open() as a,
        Ears(OTHER_MESH, KEY_B, 7004).open() as stranger,
        Ears(mesh, b"c" * 32, 7005).open() as c,
    ):
        await until(lambda: a.hubs and c.hubs)
        assert "127.0.0.1:7004" not in a.hubs
        assert not stranger.hubs


async def test_a_phone_that_advertises_itself_is_seen_and_its_name_says_nothing(mesh: bytes) -> None:
    async with Ears(mesh, KEY_A, 7006).open() as a, PhoneAdvertiser(7780, interfaces=LOOPBACK) as phone:
        await until(lambda: ("127.0.0.1", 7780) in a.phones)
        assert phone.name.startswith("phone-")


async def test_a_record_that_points_to_the_wide_internet_is_not_believed(mesh: bytes) -> None:
    near, far = {"v": "1", "mesh": mesh.hex()[:8], "key": key_tag(KEY_B).hex()}, "9.9.9.9"
    aiozc = AsyncZeroconf(interfaces=LOOPBACK)
    info = ServiceInfo(
        HUB_TYPE, f"far.{HUB_TYPE}", port=7007, properties=near, server="far.local.", parsed_addresses=[far]
    )
    await (await aiozc.async_register_service(info))
    try:
        async with Ears(mesh, KEY_A, 7008).open() as a, Ears(mesh, b"c" * 32, 7009).open():
            await until(lambda: a.hubs)
            assert set(a.hubs) == {"127.0.0.1:7009"}
    finally:
        await aiozc.async_unregister_all_services()
        await aiozc.async_close()


async def test_a_machine_that_changes_its_address_is_announced_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    presence = Presence(HUB_TYPE, "hubd-moves", 7010, {"v": "1"}, interfaces=None)
    monkeypatch.setattr(discovery, "own_addresses", lambda: ["10.1.1.1"])
    async with presence:
        assert presence._info is not None
        assert presence._info.parsed_addresses() == ["10.1.1.1"]
        monkeypatch.setattr(discovery, "own_addresses", lambda: ["10.2.2.2"])
        await presence.refresh()
        assert presence._info.parsed_addresses() == ["10.2.2.2"]


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_a_service_that_is_cancelled_while_it_announces_itself_leaves_no_socket_open(mesh: bytes) -> None:
    before = open_descriptors()
    for _ in range(3):
        async with Ears(mesh, KEY_A, 7012).open():
            await asyncio.sleep(0.1)
    assert open_descriptors() == before


async def test_a_flood_of_instances_does_not_grow_what_is_followed(mesh: bytes) -> None:
    ears = Ears(mesh, KEY_A, 7011)
    for number in range(50_000):
        ears.discovery._changed(None, HUB_TYPE, f"n{number}.{HUB_TYPE}", discovery.ServiceStateChange.Added)
    assert len(ears.discovery._followed) == discovery.DISCOVERED_MAX


def test_loopback_is_no_address_for_others() -> None:
    assert "127.0.0.1" not in own_addresses()


@pytest.mark.parametrize(
    ("host", "everywhere", "on_loopback"),
    [
        ("10.42.0.1", True, True),
        ("127.0.0.1", False, True),
        ("8.8.8.8", False, False),
        ("224.0.0.251", False, False),
        ("0.0.0.0", False, False),
    ],
)
def test_a_record_is_believed_only_where_it_can_be_true(host: str, everywhere: bool, on_loopback: bool) -> None:
    assert discovery._is_near(host, on_loopback=False) is everywhere
    assert discovery._is_near(host, on_loopback=True) is on_loopback
