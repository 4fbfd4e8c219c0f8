"""`hubd init`: what the file says that it writes."""

from pathlib import Path

import pytest
from builders import Village
from click.testing import CliRunner, Result

from hubd.action import charter as charters
from hubd.cli.init import init
from hubd.config import Config
from hubd.hub import read_config


def made(folder: Path, *arguments: str) -> Result:
    charter = folder / "charter.toml"
    charter.write_bytes(charters.write(Village(5).charter))
    return CliRunner().invoke(init, ["--data", str(folder / "hub"), "--charter", str(charter), *arguments])


def test_a_town_hub_is_one_word_and_each_line_of_it_may_be_set_otherwise(tmp_path: Path) -> None:
    ended = made(tmp_path, "--town", "town.example.org", "--set", "hub.name=Town", "--set", "phones.listen_port=8443")
    assert ended.exit_code == 0, ended.output
    settings = read_config(tmp_path / "hub")
    changed = {name: settings[name] for name in settings.changed_keys(Config({}))}
    assert changed == {
        "hub.name": "Town",
        "mesh.addresses": ["town.example.org:7701"],
        "mesh.discover": False,
        "phones.listen_port": 8443,
        "phones.tls_cert": str(tmp_path / "hub" / "tls" / "fullchain.pem"),
        "phones.tls_key": str(tmp_path / "hub" / "tls" / "privkey.pem"),
        "phones.discover": False,
    }


@pytest.mark.parametrize(
    "arguments",
    [
        ("--town", "https://town.example.org"),
        ("--town", "127.0.0.1"),
        ("--set", "mesh.addresses=0.0.0.0:7701"),
        ("--set", "phones.tls_cert=/a.pem"),
    ],
)
def test_what_cannot_be_meant_so_is_refused_before_anything_is_written(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    ended = made(tmp_path, *arguments)
    assert ended.exit_code == 1
    assert not (tmp_path / "hub").exists()


@pytest.mark.parametrize(
    ("setting", "meant"),
    [
        ("mesh.listen_prot=1", "mesh.listen_port?"),
        ("mesh.port=1", "mesh.peers"),
        ("nodes=1", "relay.nodes"),
        ("x", "="),
    ],
)
def test_a_setting_that_is_none_is_told_which_there_are(tmp_path: Path, setting: str, meant: str) -> None:
    ended = made(tmp_path, "--set", setting)
    assert ended.exit_code == 1
    assert meant in ended.output
