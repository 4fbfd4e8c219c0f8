"""Strangers and rogues as programs of their own: `python attackers.py doors HOST HUB_PORT PHONE_PORT SECONDS` and so on.

Each runs on a machine of a test's network (tests/networks.py) and knows nothing but addresses and what mDNS tells everybody.
"""

import asyncio
import itertools
import random
import socket
import struct
import sys
import time
from collections.abc import Iterable
from contextlib import suppress

HUBS, PHONES = b"_hubd._tcp.local", b"_hubd-phone._tcp.local"
POINTERS_A_PACKET = 45  # 1,170 bytes
PTR, A, TXT, AAAA, SRV = 12, 1, 16, 28, 33
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"CURVE".ljust(20, b"\0") + bytes(32)
GIBIBYTE = b"\x06" + (1 << 30).to_bytes(8, "big")


# --- mDNS


def name(text: bytes) -> bytes:
    """A domain name; a dot inside the instance's own name is not wanted here."""
    return b"".join(bytes([len(label)]) + label for label in text.split(b".")) + b"\0"


def record(owner: bytes, kind: int, data: bytes) -> bytes:
    """One answer that holds for an hour. But for pointers it takes the place of what others said of the same."""
    return name(owner) + struct.pack("!HHIH", kind, 1 if kind == PTR else 0x8001, 3_600, len(data)) + data


def instance(
    kind: bytes, label: bytes, *, txt: bytes, port: int, address: str, host: bytes | None = None
) -> list[bytes]:
    """All four records of one service."""
    full, machine = label + b"." + kind, host or label + b".local"
    family, number = (socket.AF_INET6, AAAA) if ":" in address else (socket.AF_INET, A)
    return [
        record(kind, PTR, name(full)),
        record(full, SRV, struct.pack("!HHH", 0, 0, port) + name(machine)),
        record(full, TXT, txt),
        record(machine, number, socket.inet_pton(family, address)),
    ]


def text(**said: str | bytes) -> bytes:
    """A TXT record's data."""
    pairs = (
        f"{key}=".encode() + (value if isinstance(value, bytes) else value.encode()) for key, value in said.items()
    )
    return b"".join(bytes([len(pair)]) + pair for pair in pairs)


def packets(records: Iterable[bytes]) -> Iterable[bytes]:
    """Responses of a dozen records each."""
    for batch in itertools.batched(records, 12) if sys.version_info >= (3, 12) else _batched(records, 12):
        yield struct.pack("!6H", 0, 0x8400, 0, len(batch), 0, 0) + b"".join(batch)


def _batched(items: Iterable[bytes], size: int) -> Iterable[tuple[bytes, ...]]:
    waiting = iter(items)
    while batch := tuple(itertools.islice(waiting, size)):
        yield batch


def lies(tag: str, mesh: str, gateway: str) -> Iterable[list[bytes]]:
    """Everything a record can say wrongly about the hub with this tag, and about nobody."""
    good = {"v": "1", "mesh": mesh, "key": tag}
    label = f"hubd-{tag}".encode()
    places = [("127.0.0.1", 7701), ("::1", 7701), (gateway, 0), (gateway, 22), ("9.9.9.9", 7701), ("224.0.0.251", 7701)]
    texts = [
        b"",
        b"\0",
        b"\xff" * 20,
        text(v=b"\xff\xfe", mesh=b"\x80", key=b"\xff" * 16),
        b"\x05key=" + b"\xc8" + b"k" * 200,
    ]
    for address, port in places:
        yield instance(HUBS, label, txt=text(**good), port=port, address=address)
        yield instance(PHONES, b"phone-lie", txt=text(v="1"), port=port, address=address)
    for txt in (
        *texts,
        text(**{**good, "key": "00" * 8}),
        text(**{**good, "mesh": "00000000"}),
        text(**{**good, "v": "2"}),
    ):
        yield instance(HUBS, label + b"-2", txt=txt, port=7701, address=gateway)
        yield instance(PHONES, b"phone-odd", txt=txt, port=7701, address="9.9.9.9")


def noise(count: int, seed: int) -> Iterable[list[bytes]]:
    """Services of nobody, each another one: keys that nobody has, and phones that are not there."""
    chance = random.Random(seed)
    for number in range(count):
        tag = chance.randbytes(8).hex()
        address = f"10.77.{number % 256}.{number // 256 % 256}"
        hub = instance(
            HUBS, f"hubd-{tag}".encode(), txt=text(v="1", mesh="00000000", key=tag), port=7701, address=address
        )
        phone = instance(PHONES, f"phone-{tag[:8]}".encode(), txt=text(v="2"), port=7780, address=address)
        yield hub if number % 2 else phone


def pointers(interface: str, count: int) -> None:
    """So many names of phones in few bytes, which hold for years; the last third are old ones with a new life each time."""
    with _voice(interface) as sender:
        for number, packet in enumerate(_compact(count)):
            sender.sendto(packet, ("224.0.0.251", 5353))
            if not number % 8:
                time.sleep(0.003)
    print("sent", flush=True)


def _compact(count: int) -> Iterable[bytes]:
    for first in range(0, count, POINTERS_A_PACKET):
        answers = b""
        for number in range(first, first + POINTERS_A_PACKET):
            told = number if number < count * 2 // 3 else number % 5_000
            label = b"%08x" % told
            answers += name(PHONES) if not answers else b"\xc0\x0c"  # where the first one stands
            answers += struct.pack("!HHIH", PTR, 1, 2**30 + 60 * number, len(label) + 3)
            answers += bytes([len(label)]) + label + b"\xc0\x0c"
        yield struct.pack("!6H", 0, 0x8400, 0, POINTERS_A_PACKET, 0, 0) + answers


def _voice(interface: str) -> socket.socket:
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
    sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
    sender.bind(("", 5353))  # what does not come from this port is no mDNS answer
    return sender


def mdns(interface: str, tag: str, mesh: str, records: int) -> None:
    """So many records to everybody on the network, with lies between them."""
    with _voice(interface) as sender:
        false = list(itertools.chain.from_iterable(lies(tag, mesh, interface)))
        many = itertools.chain.from_iterable(noise(records // 4, 1))
        for number, packet in enumerate(itertools.chain(packets(false), packets(many), packets(false))):
            sender.sendto(packet, ("224.0.0.251", 5353))
            if not number % 8:
                time.sleep(0.002)  # what the receiver's socket cannot hold reaches nobody
    print("sent", flush=True)


def decoy(interface: str, tag: str, mesh: str, seconds: float) -> None:
    """Says again and again that the hub with this tag is here; tells how often somebody came."""
    said = list(
        packets(
            instance(HUBS, f"hubd-{tag}".encode(), txt=text(v="1", mesh=mesh, key=tag), port=7999, address=interface)
        )
    )
    until, came = time.monotonic() + seconds, 0
    with socket.create_server((interface, 7999)) as door, _voice(interface) as sender:
        door.settimeout(0.2)
        while time.monotonic() < until:
            for packet in said:
                sender.sendto(packet, ("224.0.0.251", 5353))
            with suppress(TimeoutError):
                door.accept()[0].close()
                came += 1
    print(f"came {came}", flush=True)


# --- the doors


async def _join(host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    source = ("127.0.0.2", 0) if host == "127.0.0.1" else None  # on the loopback, too, it is another machine
    return await asyncio.open_connection(host, port, local_addr=source)


async def _gigabyte(host: str, port: int) -> None:
    _, writer = await _join(host, port)
    try:
        writer.write(GREETING + GIBIBYTE)
        for _ in range(64):
            writer.write(bytes(1 << 18))
            await writer.drain()
    finally:
        writer.transport.abort()


async def _idle(host: str, port: int) -> None:
    _, writer = await _join(host, port)
    try:
        await asyncio.sleep(2)
    finally:
        writer.transport.abort()


async def _garbage(host: str, port: int) -> None:
    _, writer = await _join(host, port)
    try:
        writer.write(random.randbytes(random.randrange(1, 4_096)))
        await writer.drain()
        await asyncio.sleep(0.2)
    finally:
        writer.transport.abort()


async def _endless_head(host: str, port: int) -> None:
    _, writer = await _join(host, port)
    try:
        writer.write(b"GET /v1/status HTTP/1.1\r\nHost: hub\r\n")
        for number in range(2_000):
            writer.write(f"X-{number}: ".encode() + b"a" * 500 + b"\r\n")
            await writer.drain()
    finally:
        writer.transport.abort()


async def _endless_body(host: str, port: int) -> None:
    _, writer = await _join(host, port)
    try:
        writer.write(b"POST /v1/actions HTTP/1.1\r\nHost: hub\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(200):
            writer.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
            await writer.drain()
    finally:
        writer.transport.abort()


async def _deaf(host: str, port: int) -> None:
    """Asks and asks, and reads nothing."""
    _, writer = await _join(host, port)
    try:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(200):
            writer.write(b"GET /v1/actions?area=mesh HTTP/1.1\r\nHost: hub\r\n\r\n")
            await writer.drain()
        await asyncio.sleep(2)
    finally:
        writer.transport.abort()


HUB_ATTACKS = (_gigabyte, _idle, _garbage)
PHONE_ATTACKS = (_idle, _garbage, _endless_head, _endless_body, _deaf)


async def doors(host: str, hub_port: int, phone_port: int, seconds: float, abreast: int) -> None:
    """Every attack again and again, so many at once at each door."""
    until = time.monotonic() + seconds

    async def again(number: int) -> None:
        at_hub = number % 2 == 0
        attacks, port = (HUB_ATTACKS, hub_port) if at_hub else (PHONE_ATTACKS, phone_port)
        for turn in itertools.count(number // 2):
            if time.monotonic() > until:
                return
            with suppress(OSError):
                await attacks[turn % len(attacks)](host, port)
            await asyncio.sleep(0.01)

    print("begun", flush=True)
    await asyncio.gather(*(again(number) for number in range(2 * abreast)))


if __name__ == "__main__":
    command, *words = sys.argv[1:]
    if command == "mdns":
        mdns(words[0], words[1], words[2], int(words[3]))
    elif command == "pointers":
        pointers(words[0], int(words[1]))
    elif command == "decoy":
        decoy(words[0], words[1], words[2], float(words[3]))
    else:
        asyncio.run(doors(words[0], int(words[1]), int(words[2]), float(words[3]), int(words[4])))
