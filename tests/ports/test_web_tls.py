"""The phone API over TLS: real handshakes with certificates of a test authority, within the bounds of the rest."""

import asyncio
import shutil
import socket
import ssl
from pathlib import Path

import httpx
import pytest
from builders import Village
from phone_hubs import phone_hub, served

from hubd.action import charter
from hubd.cli import members
from hubd.errors import FatalError, RemoteError
from hubd.phone.phone import Phone
from hubd.web.places import Places
from hubd.web.tls import Certificate

FILES = Path(__file__).parent.parent / "fixtures" / "tls"
ROOT = FILES / "root.pem"


def certificate(name: str = "first") -> Certificate:
    return Certificate(FILES / f"{name}.pem", FILES / f"{name}.key")


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


async def shown(url: str) -> bytes:
    """The certificate that a newcomer is shown, whole."""
    trusting = ssl.create_default_context(cafile=ROOT)
    _, writer = await asyncio.open_connection("127.0.0.1", port_of(url), ssl=trusting)
    try:
        found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        assert isinstance(found, bytes)
        return found
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("scheme", ["https", "wss"])
async def test_a_phone_syncs_over_tls_and_trusts_the_systems_roots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    village = Village(1)
    async with phone_hub(tmp_path, village) as hub, served(hub, certificate=certificate()) as url:
        phone = await Phone.create(tmp_path / "p", charter.write(village.charter))
        action = await phone.register("Amina", 1)
        address = url.replace("https", scheme)
        with pytest.raises(RemoteError) as caught:
            await phone.sync(address)
        assert caught.value.code == "hub-certificate", "nobody vouches for this certificate"
        monkeypatch.setenv("SSL_CERT_FILE", str(ROOT))
        assert (await phone.sync(address)).acknowledged == 1
        with pytest.raises(RemoteError):
            await phone.sync(address.replace("127.0.0.1", "127.0.0.2"))
        assert await hub.store.get([action.id]) == [action]
        await phone.close()


@pytest.mark.parametrize("scheme", ["https", "wss"])
async def test_a_hub_that_speaks_no_tls_is_not_said_to_be_out_of_reach(tmp_path: Path, scheme: str) -> None:
    village = Village(1)
    async with phone_hub(tmp_path, village) as hub, served(hub) as url:
        phone = await Phone.create(tmp_path / "p", charter.write(village.charter))
        with pytest.raises(RemoteError) as caught:
            await phone.sync(url.replace("http", scheme))
        assert caught.value.code == "hub-certificate"
        with pytest.raises(RemoteError) as caught:
            await phone.sync(f"{scheme}://127.0.0.1:9")
        assert caught.value.code == "hub-unreachable"
        await phone.close()


async def test_a_steward_is_told_of_a_certificate_that_cannot_be_trusted(tmp_path: Path) -> None:
    village = Village(1)
    async with phone_hub(tmp_path, village) as hub, served(hub, certificate=certificate()) as url:
        with pytest.raises(FatalError, match="certificate at https") as caught:
            await members._fetch_mesh(url, village.charter)
        assert caught.value.code == "hub-certificate"
    with pytest.raises(FatalError) as caught:
        await members._fetch_mesh("https://127.0.0.1:9", village.charter)
    assert caught.value.code == "hub-unreachable"


def test_what_is_wrong_with_the_files_is_told_and_nobody_is_asked_for_a_passphrase(tmp_path: Path) -> None:
    chain = FILES / "first.pem"
    for files, told in (
        ((chain, FILES / "sealed.key"), "sealed with a passphrase"),
        ((chain, FILES / "second.key"), "not this certificate's"),
        ((chain, tmp_path / "none.key"), "none.key: No such file"),
        ((tmp_path, FILES / "first.key"), "Is a directory"),
        ((FILES / "first.key", chain), "no PEM files"),
    ):
        with pytest.raises(FatalError) as caught:
            Certificate(*files)
        assert told in caught.value.detail
        assert "phones.tls_key" in caught.value.hint


async def test_a_renewed_certificate_is_shown_to_newcomers_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    files = tmp_path / "c.pem", tmp_path / "c.key"
    for kind, to in zip(("pem", "key"), files, strict=True):
        shutil.copy(FILES / f"first.{kind}", to)
    ours = Certificate(*files)
    async with phone_hub(tmp_path) as hub, served(hub, certificate=ours) as url:
        first = await shown(url)
        shutil.copy(FILES / "second.pem", files[0])
        with pytest.raises(FatalError, match=r"c\.pem"):
            ours.renew()  # a certificate without its key
        assert await shown(url) == first
        shutil.copy(FILES / "second.key", files[1])
        ours.renew()
        assert await shown(url) != first


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01", b"GET /v1/status HTTP/1.1\r\nhost: h\r\n\r\n"])
async def test_a_handshake_that_never_ends_costs_a_place_for_a_moment_only(tmp_path: Path, said: bytes) -> None:
    places = Places(open_s=0.3, total_max=8)
    async with (
        phone_hub(tmp_path) as hub,
        served(hub, certificate=certificate(), places=places) as url,
        httpx.AsyncClient(base_url=url, verify=ssl.create_default_context(cafile=ROOT)) as http,
    ):
        held = [socket.create_connection(("127.0.0.1", port_of(url))) for _ in range(8)]
        for each in held:
            each.sendall(said)
        async with asyncio.timeout(3):
            while places.let_go < 8 or places.taken:
                await asyncio.sleep(0.02)
        assert (await http.get("/v1/status")).status_code == 200
        for each in held:
            each.close()


async def test_there_are_no_more_handshakes_than_places(tmp_path: Path) -> None:
    places = Places(total_max=4)
    async with phone_hub(tmp_path) as hub, served(hub, certificate=certificate(), places=places) as url:
        held = [socket.create_connection(("127.0.0.1", port_of(url))) for _ in range(12)]
        async with asyncio.timeout(3):
            while places.turned_away + places.gave_way < 8:
                await asyncio.sleep(0.02)
        assert places.taken.total() == 4
        for each in held:
            each.close()
        async with asyncio.timeout(3):
            while places.taken:
                await asyncio.sleep(0.02)


def test_files_that_do_not_fit_together_are_said_in_words(tmp_path: Path) -> None:
    for cert, key in (
        (FILES / "first.pem", FILES / "second.key"),
        (tmp_path / "none", tmp_path / "none"),
        (ROOT, ROOT),
    ):
        with pytest.raises(FatalError) as caught:
            Certificate(cert, key)
        assert (caught.value.code, "PEM" in caught.value.hint) == ("tls", True)
