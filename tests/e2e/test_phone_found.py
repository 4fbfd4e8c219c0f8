"""A phone that advertises itself is found by mDNS, over real multicast, and synced without being asked."""

import asyncio
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from phone_hubs import phone_hub

from hubd.action import charter
from hubd.gossip.discovery import Discovery
from hubd.gossip.presence import PhoneAdvertiser
from hubd.phone.phone import Phone
from hubd.phone.serve import VisitedPhone
from hubd.phone.sync import SyncReport
from hubd.web.visit import Visitor

if TYPE_CHECKING:
    from hubd.errors import RemoteError

LOOPBACK = ["127.0.0.1"]


async def test_a_hub_finds_a_phone_and_syncs_unasked(tmp_path: Path) -> None:
    told: list[SyncReport | RemoteError] = []
    async with phone_hub(tmp_path) as hub:
        phone = await Phone.create(tmp_path / "amina", charter.write(hub.village.charter))
        action = await phone.register("Amina", 1)
        server = VisitedPhone(phone, "127.0.0.1", 0, told.append)
        visitor = Visitor(hub.door)
        ports: set[int] = set()

        def seen(host: str, port: int, others: Sequence[str]) -> None:
            ports.add(port)
            if port == server.port:  # other phones may be on this loopback at the same time
                visitor.seen(host, port, others)

        discovery = Discovery(
            mesh=hashlib.sha256(f"{os.getpid()}".encode()).digest()[:8],
            curve_key=b"k" * 32,
            port=7999,
            known=lambda _tag: False,
            heard=None,
            seen=seen,
            interfaces=LOOPBACK,
        )
        async with PhoneAdvertiser(server.port, interfaces=LOOPBACK):
            services = [asyncio.create_task(run()) for run in (server.run, visitor.run, discovery.run)]
            try:
                async with asyncio.timeout(10):
                    while not told:
                        await asyncio.sleep(0.05)
            finally:
                for service in services:
                    service.cancel()
                await asyncio.wait(services)
        assert isinstance(told[0], SyncReport)
        assert told[0].acknowledged == 1
        assert await hub.store.get([action.id]) == [action]
        await phone.close()
