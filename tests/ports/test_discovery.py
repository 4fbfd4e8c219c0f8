"""mDNS over real multicast on the loopback interface: who is heard, what is said, and at which addresses."""

import asyncio
import hashlib
import os
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from zeroconf import ServiceInfo
from zeroconf._dns import DNSPointer
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf
from zeroconf.const import _CLASS_IN, _TYPE_PTR

from hubd.addresses import Held
from hubd.gossip import discovery
from hubd.gossip.interfaces import changes, held
from hubd.gossip.lookout import Lookout
from hubd.gossip.peer import key_tag
from hubd.gossip.presence import HUB_TYPE, PHONE_TYPE, PhoneAdvertiser, Presence

if TYPE_CHECKING:
    from zeroconf._protocol.outgoing import DNSOutgoing

from ears import KEY_A, KEY_B, KEY_C, LOOPBACK, OTHER_MESH, Ears, name_of, until


@pytest.fixture
def mesh(request: Any) -> bytes:
    """A mesh of this test alone: others may be on the same loopback at the same time."""
    return hashlib.sha256(f"{os.getpid()} {request.node.name}".encode()).digest()[:8]


async def test_two_hubs_of_a_mesh_hear_of_each_other_and_not_of_themselves(mesh: bytes) -> None:
    async with Ears(mesh, KEY_A, 7001).open() as a, Ears(mesh, KEY_B, 7002).open() as b:
        await until(lambda: a.hubs and b.hubs)
        assert a.hubs == {"127.0.0.1:7002": key_tag(KEY_B)}
        assert b.hubs == {"127.0.0.1:7001": key_tag(KEY_A)}


async def test_hubs_of_another_mesh_are_passed_over(mesh: bytes) -> None:
    async with (
        Ears(mesh, KEY_A, 7003).open() as a,
        Ears(OTHER_MESH, KEY_B, 7004).open() as stranger,
        Ears(mesh, KEY_C, 7005).open() as c,
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
        HUB_TYPE,
        f"hubd-{key_tag(KEY_B).hex()}.{HUB_TYPE}",
        port=7007,
        properties=near,
        server="far.local.",
        parsed_addresses=[far],
    )
    await (await aiozc.async_register_service(info))
    try:
        async with Ears(mesh, KEY_A, 7008).open() as a, Ears(mesh, KEY_C, 7009).open():
            await until(lambda: a.hubs)
            assert set(a.hubs) == {"127.0.0.1:7009"}
    finally:
        await aiozc.async_unregister_all_services()
        await aiozc.async_close()


async def test_a_machine_that_changes_its_address_is_announced_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    moved = asyncio.Event()

    async def two_places(_chosen: Any) -> AsyncIterator[list[Held]]:
        yield [Held("127.0.0.1", ip_network("127.0.0.0/8"), "lo")]
        await moved.wait()
        yield []
        yield [Held("127.0.0.2", ip_network("127.0.0.0/8"), "lo")]
        await asyncio.Event().wait()

    monkeypatch.setattr("hubd.gossip.presence.changes", two_places)
    async with Presence(HUB_TYPE, f"hubd-moves-{os.getpid()}", 7010, {"v": "1"}) as presence:
        assert presence._info is not None
        assert presence._info.parsed_addresses() == ["127.0.0.1"]
        moved.set()
        await until(lambda: presence._info.parsed_addresses() == ["127.0.0.2"])
        assert {each.sock.getsockname()[0] for each in presence.zeroconf.engine.senders} == {"127.0.0.2"}


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_a_service_that_is_cancelled_while_it_announces_itself_leaves_no_socket_open(mesh: bytes) -> None:
    before = open_descriptors()
    for _ in range(3):
        async with Ears(mesh, KEY_A, 7012).open():
            await asyncio.sleep(0.1)
    assert open_descriptors() == before


async def test_a_hub_that_is_admitted_after_it_was_heard_is_remembered(
    mesh: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "DISCOVERY_AGAIN_S", 0.1)
    ears = Ears(mesh, KEY_A, 7014)
    ears.admitted.clear()
    async with ears.open(), Ears(mesh, KEY_B, 7015).open():
        await asyncio.sleep(2.5)
        assert not ears.hubs
        ears.admitted.add(key_tag(KEY_B))
        await until(lambda: ears.hubs)


async def test_what_a_hub_and_a_phone_say_of_themselves_is_this_and_no_more(mesh: bytes) -> None:
    said = {}
    async with Ears(mesh, KEY_A, 7016).open(), PhoneAdvertiser(7780, interfaces=LOOPBACK) as phone:
        browser = AsyncZeroconf(interfaces=LOOPBACK)
        for service_type, name in ((HUB_TYPE, name_of(KEY_A)), (PHONE_TYPE, phone.name)):
            info = await browser.async_get_service_info(service_type, name, 5_000)
            assert info is not None
            said[service_type] = info
        await browser.async_close()
    tag = key_tag(KEY_A).hex()
    assert said[HUB_TYPE].decoded_properties == {"v": "1", "mesh": mesh.hex()[:8], "key": tag}
    assert said[PHONE_TYPE].decoded_properties == {"v": "1"}
    assert said[HUB_TYPE].server == f"hubd-{tag}.local."
    assert re.fullmatch(r"phone-[0-9a-f]{8}\.local\.", said[PHONE_TYPE].server)
    assert socket.gethostname() not in repr(said)


@pytest.mark.parametrize(
    "txt",
    [
        b"", b"\0", b"\xff" * 20, b"\x03v=1", b"\x05key=" + b"\xc8" + b"k" * 200, b"\x04v=\xff\xfe",
        b"\x03v=2", b"\x03v=1\x0dmesh=00000000",
    ],
)  # fmt: skip
async def test_a_text_of_any_shape_that_is_not_the_one_tells_of_no_hub(mesh: bytes, txt: bytes) -> None:
    ears = Ears(mesh, KEY_A, 7017)
    ears.discovery._held = [Held("127.0.0.1", ip_network("127.0.0.0/8"), "lo")]
    good = {"v": "1", "mesh": mesh.hex()[:8], "key": key_tag(KEY_B).hex()}
    for properties, told in ((good, True), (txt, False), ({**good, "key": key_tag(KEY_C).hex()}, False)):
        info = AsyncServiceInfo(
            HUB_TYPE, name_of(KEY_B), port=7001, properties=properties, parsed_addresses=["127.0.0.1"]
        )
        assert ears.discovery._tell(HUB_TYPE, info) is told


@pytest.mark.parametrize("port", [0, 22, 1023])
async def test_a_port_of_another_service_is_not_believed(mesh: bytes, port: int) -> None:
    ears = Ears(mesh, KEY_A, 7018)
    ears.discovery._held = [Held("127.0.0.1", ip_network("127.0.0.0/8"), "lo")]
    for number in (port, 1024):
        info = AsyncServiceInfo(
            PHONE_TYPE, f"x.{PHONE_TYPE}", port=number, properties={"v": "1"}, parsed_addresses=["127.0.0.1"]
        )
        assert ears.discovery._tell(PHONE_TYPE, info) is (number == 1024)
    assert ears.phones == {("127.0.0.1", 1024)}


async def test_a_question_names_those_that_are_followed_and_no_others(mesh: bytes) -> None:
    sent: list[DNSOutgoing] = []
    async with Presence(HUB_TYPE, f"hubd-asks-{os.getpid()}", 7028, {"v": "1"}, LOOPBACK) as presence:
        names = [f"fake-{number}.{PHONE_TYPE}" for number in range(3)]
        presence.zeroconf.cache.async_add_records(
            DNSPointer(PHONE_TYPE, _TYPE_PTR, _CLASS_IN, 4_500, name) for name in names
        )
        lookout = Lookout(presence.zeroconf, [PHONE_TYPE], lambda *_: None)
        presence.zeroconf.async_send = sent.append
        for second in range(8):
            lookout.ask_when_due(float(second), {PHONE_TYPE: names[:1]})
        del presence.zeroconf.async_send
    assert [[record.alias for record, _ in out.answers] for out in sent] == [names[:1]] * 4, "at 0, 1, 3 and 7 s"


async def test_a_presence_that_cannot_follow_the_interfaces_any_more_says_so(
    mesh: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def torn(_chosen: Any) -> AsyncIterator[list[Held]]:
        yield [Held("127.0.0.1", ip_network("127.0.0.0/8"), "lo")]
        await asyncio.sleep(0.1)
        raise OSError("no more news")

    monkeypatch.setattr("hubd.gossip.presence.changes", torn)
    with pytest.raises(ExceptionGroup) as broken:
        await asyncio.wait_for(Ears(mesh, KEY_A, 7024).discovery.run(), 8)
    assert [str(error) for error in broken.value.exceptions] == ["no more news"]


# --- our own addresses


def test_loopback_is_no_address_for_others() -> None:
    assert not any(each.ip.is_loopback for each in held())


def test_an_address_that_was_chosen_and_is_not_there_is_left_out() -> None:
    assert [each.host for each in held(["127.0.0.1", "203.0.113.77", "fe80::77%lo"])] == ["127.0.0.1"]


async def test_what_changes_while_the_first_addresses_are_told_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    here, listening = ["a"], list[asyncio.Event]()

    @contextmanager
    def news_of_the_system() -> Iterator[asyncio.Event]:
        listening.append(asyncio.Event())
        yield listening[-1]

    monkeypatch.setattr("hubd.gossip.interfaces._news", news_of_the_system)
    monkeypatch.setattr("hubd.gossip.interfaces.INTERFACES_SETTLE_S", 0)
    monkeypatch.setattr("hubd.gossip.interfaces.held", lambda _chosen: list(here))
    async with aclosing(changes()) as news:
        assert await anext(news) == ["a"]
        here.append("b")
        for event in listening:
            event.set()
        assert await asyncio.wait_for(anext(news), 2) == ["a", "b"]


async def test_addresses_are_told_once_and_then_when_they_are_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubd.gossip.interfaces.INTERFACES_S", 0.01)
    monkeypatch.setattr("hubd.gossip.interfaces.INTERFACES_SETTLE_S", 0)
    looks = iter([["a"], ["a"], ["a"], [], ["b"]])
    monkeypatch.setattr("hubd.gossip.interfaces.held", lambda _chosen: next(looks))
    async with aclosing(changes()) as news:
        assert [await anext(news) for _ in range(3)] == [["a"], [], ["b"]]
