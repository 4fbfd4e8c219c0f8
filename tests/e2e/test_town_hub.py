"""A town hub between a phone with a signal and a village behind a router: real processes, TLS, a name that is looked up."""

import asyncio
import shutil
import signal
import ssl
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders import Village

from hubd import config
from hubd.action import charter, envelope
from hubd.action.content import seal_content
from hubd.action.envelope import Action
from hubd.action.signature import Signer
from hubd.action.sip018 import ActionId
from hubd.action.statement import Statement
from hubd.demo.processes import HubProcess, free_port
from hubd.hub import CHARTER_NAME, Hub
from hubd.identity import Identity
from hubd.limits import STATEMENT_LIFE_S
from hubd.phone.phone import Phone
from hubd.ports import Door

TLS = Path(__file__).parent.parent / "fixtures" / "tls"


async def founded(folder: Path, village: Village, settings: dict[str, dict[str, Any]]) -> bytes:
    """Data folders of hubs that one charter founds; returns the charter's file."""
    founding = []
    for operator, (name, values) in enumerate(settings.items(), 1):
        directory = folder / name
        directory.mkdir(mode=0o700)
        (directory / config.FILE_NAME).write_bytes(config.write({"hub.name": name, **values}))
        (directory / CHARTER_NAME).write_bytes(charter.write(village.charter))
        Identity.make(directory)
        async with Hub.opened(directory) as hub:
            announce = await hub.announce()
        founding += [announce, village.admit("steward-1", announce, operator)]
    file = charter.write(replace(village.charter, founding=tuple(founding)))
    for name in settings:
        (folder / name / CHARTER_NAME).write_bytes(file)
    return file


async def held(hub: HubProcess, action_id: ActionId) -> bool:
    rows = await hub.ask("page", 0, 500)
    return any(envelope.parse(raw, Village(1).domain).id == action_id for _, raw in rows)


def receipt_of(action: Action, hub: Signer, village: Village) -> Action:
    """What an uplink of the village says of an action: mined, and final."""
    now = int(time.time())
    statement = Statement(
        action="relay-receipt", author=hub.principal(village.network), created=now, expires=now + STATEMENT_LIFE_S,
        salt=bytes(8), subject=ActionId(b"\x01" * 32), amount=900, moment=now, bits=2,
    )  # fmt: skip
    content = seal_content({"block": bytes(32), "height": 100, "index": 0, "items": [[action.id, 0]]}, bytes(16))
    return envelope.seal(statement, hub, village.domain, content)


async def until_held(hub: HubProcess, action_id: ActionId) -> None:
    async with asyncio.timeout(20):
        while not await held(hub, action_id):
            await asyncio.sleep(0.1)


async def test_an_action_reaches_the_village_through_the_town_and_its_receipt_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "root.pem"))
    village, gossip, door = Village(1), free_port(), free_port()
    quiet = {"mesh.discover": False, "phones.discover": False, "phones.listen_host": "127.0.0.1"}
    town_only = {
        "mesh.listen_port": gossip, "phones.listen_port": door,
        "phones.tls_cert": str(TLS / "first.pem"), "phones.tls_key": str(TLS / "first.key"),
    }  # fmt: skip
    behind_a_router = {"mesh.peers": [f"localhost:{gossip}"], "mesh.listen_port": 0, "phones.listen_port": 0}
    file = await founded(tmp_path, village, {"town": {**quiet, **town_only}, "kijiji": {**quiet, **behind_a_router}})
    town, kijiji = (HubProcess(name, tmp_path / name) for name in ("town", "kijiji"))
    phone = await Phone.create(tmp_path / "phone", file)
    try:
        await asyncio.gather(town.start(), kijiji.start())
        action = await phone.register("Amina", 1)
        report = await phone.sync("http://127.0.0.1:9", f"wss://localhost:{door}")
        assert (report.hub_name, report.acknowledged) == ("town", 1)
        await until_held(kijiji, action.id)
        receipt = receipt_of(action, Identity.open(tmp_path / "kijiji").hub, village)
        await kijiji.ask("offer", [envelope.encode(receipt)], Door.OWN.value)
        await until_held(town, receipt.id)
        await phone.sync("http://127.0.0.1:9", f"https://localhost:{door}")
        assert action.id in phone.views.settlement
    finally:
        await phone.close()
        await asyncio.gather(town.end(), kijiji.end())


async def test_sighup_takes_up_a_renewed_certificate_and_keeps_the_old_one_if_it_is_broken(tmp_path: Path) -> None:
    files = tmp_path / "chain.pem", tmp_path / "key.pem"

    def put(certificate: str, key: str) -> None:
        shutil.copy(TLS / f"{certificate}.pem", files[0])
        shutil.copy(TLS / f"{key}.key", files[1])

    put("first", "first")
    door = free_port()
    await founded(tmp_path, Village(1), {"town": {
        "mesh.listen_host": "127.0.0.1", "mesh.listen_port": 0, "mesh.discover": False, "phones.discover": False,
        "phones.listen_host": "127.0.0.1", "phones.listen_port": door,
        "phones.tls_cert": str(files[0]), "phones.tls_key": str(files[1]),
    }})  # fmt: skip
    town = HubProcess("town", tmp_path / "town")
    await town.start()
    try:
        first = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", door))
        put("second", "first")
        await reloaded(town, "certificate-refused", 1)
        assert await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", door)) == first
        put("second", "second")
        await reloaded(town, "config-reloaded", 2)
        assert await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", door)) != first
    finally:
        await town.end()


async def reloaded(hub: HubProcess, event: str, count: int) -> None:
    """SIGHUP, and until the log says so the n-th time."""
    assert hub.running is not None
    hub.running.send_signal(signal.SIGHUP)
    async with asyncio.timeout(10):
        while hub.log.read_text().count(event) < count:
            await asyncio.sleep(0.05)
