"""mDNS among floods and liars, over real multicast on the loopback interface."""

import asyncio
import hashlib
import os
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import attackers
import pytest
from ears import KEY_A, KEY_B, KEY_C, LOOPBACK, Ears, name_of, tell, until
from zeroconf import ServiceInfo
from zeroconf._dns import DNSPointer
from zeroconf.asyncio import AsyncZeroconf
from zeroconf.const import _CLASS_IN, _TYPE_PTR

from hubd.gossip import discovery
from hubd.gossip.lookout import Lookout
from hubd.gossip.peer import key_tag
from hubd.gossip.presence import HUB_TYPE, PHONE_TYPE, PhoneAdvertiser, Presence
from hubd.limits import DISCOVERED_HUBS_MAX, DISCOVERED_PHONES_MAX, DISCOVERY_RECORDS_MAX


@pytest.fixture
def mesh(request: Any) -> bytes:
    """A mesh of this test alone: others may be on the same loopback at the same time."""
    return hashlib.sha256(f"{os.getpid()} {request.node.name}".encode()).digest()[:8]


async def test_a_flood_of_instances_does_not_grow_what_is_followed_and_hides_no_hub(mesh: bytes) -> None:
    ears = Ears(mesh, KEY_A, 7011)
    for number in range(50_000):
        tell(ears, HUB_TYPE, f"n{number}.{HUB_TYPE}")
        tell(ears, HUB_TYPE, name_of(number.to_bytes(32, "big")))
        tell(ears, HUB_TYPE, name_of(KEY_C, f"-{number}"))
        tell(ears, PHONE_TYPE, f"phone-{number}.{PHONE_TYPE}")
    tell(ears, HUB_TYPE, name_of(KEY_B).upper())
    followed = {service_type: set(names) for service_type, names in ears.discovery._followed.items()}
    assert followed[HUB_TYPE] == {name_of(KEY_B).upper(), *(name_of(KEY_C, f"-{number}") for number in (2, 3, 4))}
    assert len(followed[PHONE_TYPE]) == DISCOVERED_PHONES_MAX


async def test_a_flood_in_the_names_of_all_admitted_hubs_is_bounded_too(mesh: bytes) -> None:
    ears = Ears(mesh, KEY_A, 7013)
    keys = [number.to_bytes(32, "big") for number in range(DISCOVERED_HUBS_MAX + 50)]
    ears.admitted |= {key_tag(key) for key in keys}
    for key in keys:
        tell(ears, HUB_TYPE, name_of(key))
    assert len(ears.discovery._followed[HUB_TYPE]) == DISCOVERED_HUBS_MAX


# --- liars on the same network


@contextmanager
def liar(of: re.Pattern[bytes]) -> Iterator[list[bytes]]:
    """Says of every such name that somebody asks for that it has it. Gives the names."""
    claimed: list[bytes] = []
    loop, ear = asyncio.get_running_loop(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with ear, attackers._voice("127.0.0.1") as voice:
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        ear.bind(("224.0.0.251", 5353))
        group = socket.inet_aton("224.0.0.251") + socket.inet_aton("127.0.0.1")
        ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)

        def answer() -> None:
            packet = ear.recv(9_000)
            if packet[2] & 0x80:  # no question
                return
            for label in set(of.findall(packet)):
                claimed.append(label)
                name = attackers.name(label + b"." + attackers.HUBS)
                for lie in attackers.packets([attackers.record(attackers.HUBS, attackers.PTR, name)]):
                    voice.sendto(lie, ("224.0.0.251", 5353))

        loop.add_reader(ear, answer)
        try:
            yield claimed
        finally:
            loop.remove_reader(ear)


async def test_a_liar_who_claims_every_name_of_a_hub_keeps_it_neither_deaf_nor_unheard(mesh: bytes) -> None:
    label = re.compile(b"hubd-" + key_tag(KEY_A).hex().encode() + rb"(?:-\d+)?")
    async with Ears(mesh, KEY_B, 7019).open() as b:
        await asyncio.sleep(0.5)
        with liar(label) as claimed:
            async with Ears(mesh, KEY_A, 7020).open() as a:
                await until(lambda: a.hubs and b.hubs, within_s=15)
                assert len(set(claimed)) == 4
    assert b.hubs == {"127.0.0.1:7020": key_tag(KEY_A)}


async def test_instances_that_change_all_the_time_are_looked_up_once_at_a_time(mesh: bytes) -> None:
    ears = Ears(mesh, KEY_A, 7021)
    async with ears.open():
        await until(lambda: any(task.get_name() == "mdns-interfaces" for task in asyncio.all_tasks()))
        before = len(asyncio.all_tasks())
        for _ in range(4):
            for number in range(DISCOVERED_PHONES_MAX):
                tell(ears, PHONE_TYPE, f"phone-{number}.{PHONE_TYPE}")
            await asyncio.sleep(1.01)
        assert len(asyncio.all_tasks()) - before <= DISCOVERED_PHONES_MAX


async def test_hubs_are_looked_up_while_phones_that_are_not_there_are_waited_for(mesh: bytes) -> None:
    ears = Ears(mesh, KEY_A, 7022)
    async with ears.open():
        await until(lambda: any(task.get_name() == "mdns-interfaces" for task in asyncio.all_tasks()))
        for number in range(DISCOVERED_PHONES_MAX):
            tell(ears, PHONE_TYPE, f"phone-{number}.{PHONE_TYPE}")
        await asyncio.sleep(1.01)
        async with Ears(mesh, KEY_B, 7023).open():
            await until(lambda: ears.hubs, within_s=8)


async def test_phones_that_all_answer_take_turns_so_that_no_crowd_hides_one_for_ever(mesh: bytes) -> None:
    ears = Ears(mesh, KEY_A, 7025)
    crowd = [f"fake-{number}.{PHONE_TYPE}" for number in range(3 * DISCOVERED_PHONES_MAX)]
    for name in crowd:
        tell(ears, PHONE_TYPE, name)
    tell(ears, PHONE_TYPE, real := f"phone-1.{PHONE_TYPE}")
    turns = 0
    for _ in range(100):
        ears.discovery._remember(PHONE_TYPE, [*crowd, real])
        followed = ears.discovery._followed[PHONE_TYPE]
        assert len(followed) == DISCOVERED_PHONES_MAX
        turns += real in followed
    assert turns > 10, "a third of them"


async def test_a_phone_among_more_fakes_than_there_are_places_is_found(
    mesh: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "DISCOVERY_AGAIN_S", 1)
    monkeypatch.setitem(discovery._PLACES, PHONE_TYPE, 4)
    async with Ears(mesh, KEY_A, 7026).open() as a, answering_fakes(8) as ports:
        await until(lambda: len(ports & {port for _, port in a.phones}) > 3, within_s=20)
        async with PhoneAdvertiser(7780, interfaces=LOOPBACK):
            await until(lambda: ("127.0.0.1", 7780) in a.phones, within_s=60)


@asynccontextmanager
async def answering_fakes(count: int) -> AsyncIterator[set[int]]:
    """Phones that nobody has, who answer every question. Gives their ports."""
    zeroconf, ports = AsyncZeroconf(interfaces=LOOPBACK), set(range(20_000, 20_000 + count))
    fakes = [
        ServiceInfo(
            PHONE_TYPE,
            f"fake-{port}.{PHONE_TYPE}",
            port=port,
            properties={"v": "1"},
            server=f"fake-{port}.local.",
            parsed_addresses=LOOPBACK,
        )
        for port in ports
    ]
    await asyncio.gather(*(zeroconf.async_register_service(fake) for fake in fakes))
    try:
        yield ports
    finally:
        await zeroconf.async_unregister_all_services()
        await zeroconf.async_close()


async def test_after_a_flood_that_holds_for_years_everything_is_forgotten_and_asked_for(mesh: bytes) -> None:
    async with Presence(HUB_TYPE, f"hubd-flooded-{os.getpid()}", 7027, {"v": "1"}, LOOPBACK) as presence:
        heard: set[str] = set()
        years = [
            DNSPointer(PHONE_TYPE, _TYPE_PTR, _CLASS_IN, 2**31 - 1, f"fake-{number}.{PHONE_TYPE}")
            for number in range(DISCOVERY_RECORDS_MAX + 1)
        ]
        with Lookout(presence.zeroconf, [PHONE_TYPE], lambda _type, name, _there: heard.add(name)) as lookout:
            presence.zeroconf.cache.async_add_records(years[: DISCOVERY_RECORDS_MAX // 2])
            lookout.forget_flood()
            assert len(lookout.remembered(PHONE_TYPE)) >= DISCOVERY_RECORDS_MAX // 2
            lookout.ask_when_due(1.0, {PHONE_TYPE: ()})
            async with PhoneAdvertiser(7781, interfaces=LOOPBACK) as phone:
                await until(lambda: phone.name in heard)
                presence.zeroconf.cache.async_add_records(years)
                heard.clear()
                await asyncio.sleep(1.1)  # what was told less than a second ago is not told again
                lookout.forget_flood()
                assert not lookout.remembered(PHONE_TYPE)
                lookout.ask_when_due(1.0, {PHONE_TYPE: ()})
                await until(lambda: phone.name in heard)
