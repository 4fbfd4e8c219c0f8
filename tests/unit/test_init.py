"""`hubd init`: what the file says that it writes."""

import errno
import os
import pkgutil
from pathlib import Path
from typing import Any

import pytest
from builders import Village
from click.testing import CliRunner, Result

from hubd.action import charter as charters
from hubd.cli.init import init
from hubd.config import Config, write
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


def test_a_town_hub_announces_the_port_that_it_listens_at(tmp_path: Path) -> None:
    ended = made(tmp_path, "--town", "town.example.org", "--set", "mesh.listen_port=17701")
    assert ended.exit_code == 0, ended.output
    assert read_config(tmp_path / "hub")["mesh.addresses"] == ["town.example.org:17701"]


def test_a_town_hub_may_be_reached_at_another_port_than_it_listens_at(tmp_path: Path) -> None:
    lines = ("--set", "mesh.listen_port=0", "--set", "mesh.addresses=town.example.org:443")
    ended = made(tmp_path, "--town", "town.example.org", *lines)
    assert ended.exit_code == 0, ended.output
    assert read_config(tmp_path / "hub")["mesh.addresses"] == ["town.example.org:443"]


STEPS = [("hubd.cli.init._write", call) for call in (1, 2)]
STEPS += [("hubd.store.keyfile.write", call) for call in range(1, 5)]
STEPS += [("hubd.store.actions.Store.open", 1), ("hubd.hub.Hub.announce", 1)]


@pytest.mark.parametrize("is_there", [True, False])
@pytest.mark.parametrize(("failing", "call"), STEPS)
def test_a_hub_that_could_not_be_made_leaves_nothing_and_is_made_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str, call: int, is_there: bool
) -> None:
    folder = tmp_path / "hub"
    if is_there:
        folder.mkdir()
        (folder / "note.txt").write_text("of its owner")
    with monkeypatch.context() as patch:
        spoil(patch, failing, call)
        assert made(tmp_path).exit_code == 1
    assert folder.exists() == is_there
    assert not is_there or [path.name for path in folder.iterdir()] == ["note.txt"]
    ended = made(tmp_path)
    assert ended.exit_code == 0, ended.output


def spoil(patch: pytest.MonkeyPatch, name: str, call: int) -> None:
    """Let the `call`th use of something end for want of room."""
    real, left = pkgutil.resolve_name(name), [call]

    def full(*of: Any, **named: Any) -> Any:
        left[0] -= 1
        if not left[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*of, **named)

    patch.setattr(name, full)


def test_power_that_fails_in_the_midst_leaves_keys_that_the_next_time_takes(tmp_path: Path) -> None:
    assert made(tmp_path).exit_code == 0
    folder = tmp_path / "hub"
    kept = (folder / "keys" / "hub.key").read_bytes()
    for path in folder.iterdir():
        if path.is_file() and path.name != "hubd.toml":
            path.unlink()
    (folder / "keys" / "wallet.key").unlink()
    (folder / ".hubd.toml.part").write_bytes(b"[hub")
    assert made(tmp_path).exit_code == 0
    assert (folder / "keys" / "hub.key").read_bytes() == kept
    assert (folder / "keys" / "wallet.key").exists()


@pytest.mark.parametrize("written", [b'[hub]\nname = "Kijiji"\n', write({"hub.name": "Kijiji"}), b""])
def test_a_configuration_that_somebody_wrote_is_never_written_over(tmp_path: Path, written: bytes) -> None:
    folder = tmp_path / "hub"
    folder.mkdir()
    (folder / "hubd.toml").write_bytes(written)
    ended = made(tmp_path)
    assert ended.exit_code == 1
    assert "holds a hubd.toml" in ended.output
    assert [(path.name, path.read_bytes()) for path in folder.iterdir()] == [("hubd.toml", written)]
    (folder / "hubd.toml").rename(tmp_path / "hubd.toml")
    assert made(tmp_path).exit_code == 0


@pytest.mark.parametrize("lost", ["charter.toml", "hubd.sqlite3"])
def test_a_hub_that_is_there_is_never_made_anew(tmp_path: Path, lost: str) -> None:
    assert made(tmp_path).exit_code == 0
    folder = tmp_path / "hub"
    (folder / lost).unlink()
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    ended = made(tmp_path, "--set", "hub.name=Other")
    assert ended.exit_code == 1
    assert "holds a hub already" in ended.output
    assert ("copy the mesh's charter" in ended.output) == (lost == "charter.toml")
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


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
