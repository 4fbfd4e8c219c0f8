"""What the configuration names and the machine lacks is said, and stops nothing."""

from pathlib import Path

import pytest
from builders import Village

from hubd.action import charter as charters
from hubd.cli.status import _lines
from hubd.config import Config, write
from hubd.hub import CHARTER_NAME, Hub
from hubd.identity import Identity
from hubd.surroundings import unmet


def test_addresses_and_folders_that_are_not_there_are_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "stick")
    config = Config({"mesh.interfaces": ["127.0.0.1", "192.0.2.7"], "post.folders": [str(tmp_path), missing]})
    assert unmet(config) == [("interface-missing", "192.0.2.7"), ("folder-missing", missing)]
    (tmp_path / "stick").mkdir()
    assert unmet(config) == [("interface-missing", "192.0.2.7")]


def test_what_nobody_named_is_not_missed() -> None:
    assert unmet(Config({})) == []
    assert unmet(Config({"post.folders": ["/nowhere"], "post.watch": False})) == []


async def test_the_status_of_a_hub_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "hubd.toml").write_bytes(write({"post.folders": ["/nowhere"]}))
    (tmp_path / CHARTER_NAME).write_bytes(charters.write(Village(5).charter))
    Identity.make(tmp_path)
    async with Hub.opened(tmp_path) as hub:
        _lines(await hub.status())
    assert "warning: /nowhere: This folder of post.folders isn't there" in capsys.readouterr().err
