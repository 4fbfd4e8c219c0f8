"""Which hub a steward means: what a stranger calls itself never stands in the way of an address."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from builders import Village
from click.testing import CliRunner

from hubd.action import cbor, envelope
from hubd.cli import members
from hubd.errors import FatalError
from hubd.limits import MESH_PAGES_MAX

VILLAGE = Village(1)
FOUND = [envelope.encode(action) for action in VILLAGE.found("hub-a")]


class Known:
    """A running hub that knows these hubs."""

    def __init__(self, *named: tuple[str, str, str], states: tuple[str, ...] = ("", "", "")) -> None:
        self._hubs = [
            {"hub": hub, "name": name, "announce": announce, "state": state}
            for (hub, name, announce), state in zip(named, states, strict=False)
        ]

    async def hubs(self) -> list[dict[str, Any]]:
        return self._hubs


async def meant(known: Any, text: str) -> str:
    return str((await members._candidate(known, text))["hub"])


async def test_an_address_or_an_announcement_goes_before_any_name() -> None:
    known = Known(("ST1", "Kijiji", "aa"), ("ST2", "ST1", "bb"), ("ST3", "aa", "cc"))
    assert [await meant(known, text) for text in ("ST1", "aa", "Kijiji", "bb")] == ["ST1", "ST1", "ST1", "ST2"]


async def test_hubs_of_one_name_are_told_apart_by_the_addresses_that_are_shown() -> None:
    known = Known(("ST1", "Kijiji", "aa"), ("ST2", "Kijiji", "bb"))
    with pytest.raises(FatalError, match="ST1, ST2"):
        await meant(known, "Kijiji")
    assert await meant(known, "ST2") == "ST2"


async def test_a_hub_to_retire_is_looked_for_among_the_admitted() -> None:
    known = Known(("ST1", "Kijiji", "aa"), ("ST2", "Mji", "bb"), states=("admitted", "waiting"))
    with pytest.raises(FatalError, match=r"admitted: Kijiji ST1\)") as caught:
        await members._candidate(known, "Kijji", to_retire=True)
    assert "--from" not in caught.value.hint
    with pytest.raises(FatalError, match=r"waiting: Mji ST2\)") as caught:
        await members._candidate(known, "Kijji")
    assert "--from URL" in caught.value.hint


@pytest.mark.parametrize("url", ["http://[::1", "127.0.0.1:9", "ws://127.0.0.1:9", "http://", "http://h:70000", ""])
def test_an_address_that_is_none_is_refused_before_anything_else(tmp_path: Path, url: str) -> None:
    key = tmp_path / "steward.key"
    key.touch()
    asked = ("Kijiji", "--operator", "1", "--steward-key", str(key), "--data", str(tmp_path), "--from", url)
    ended = CliRunner().invoke(members.admit, asked)
    assert ended.exit_code == 1
    assert f"--from: {url!r} is no address of a server" in ended.output
    assert "http://10.42.0.1:7780" in ended.output


def answering(monkeypatch: pytest.MonkeyPatch, pages: list[list[bytes]], *, endless: bool = False) -> list[int]:
    """Let every hub answer with these pages; counts the requests."""
    asked: list[int] = []

    def answer(_request: httpx.Request) -> httpx.Response:
        asked.append(len(asked))
        page = pages[min(len(asked), len(pages)) - 1]
        return httpx.Response(
            200, content=cbor.encode([page, f"aa.{len(asked)}.bb", endless or len(asked) < len(pages)])
        )

    client = httpx.AsyncClient
    monkeypatch.setattr(
        members.httpx,
        "AsyncClient",
        lambda **_chosen: client(transport=httpx.MockTransport(answer), base_url="http://hub"),
    )
    return asked


async def test_junk_among_the_announcements_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answering(monkeypatch, [[b"junk", *FOUND], [b"more"]])
    assert await members._fetch_mesh("http://hub", VILLAGE.charter) == FOUND
    assert "2 of 4 actions" in capsys.readouterr().err


async def test_a_hub_of_another_mesh_is_told_by_none_being_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, [FOUND])
    with pytest.raises(FatalError, match="another mesh"):
        await members._fetch_mesh("http://hub", Village(2).charter)


async def test_pages_without_end_come_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, [FOUND], endless=True)
    await members._fetch_mesh("http://hub", VILLAGE.charter)
    assert len(asked) == MESH_PAGES_MAX
