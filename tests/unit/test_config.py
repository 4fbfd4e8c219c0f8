"""Addresses in the configuration file: both families, and a sentence for what is none."""

import pytest

from hubd import config
from hubd.errors import FatalError


def test_what_listens_listens_to_both_families_unless_told_otherwise() -> None:
    settings = config.read(b"")
    assert settings["mesh.listen_host"] == settings["phones.listen_host"] == "*"


def test_addresses_of_both_families_are_taken() -> None:
    said = b'[mesh]\naddresses = ["[fd00::2]:7701", "10.0.0.2:7701"]\npeers = ["[fe80::1%wlan0]:7701"]\n'
    settings = config.read(said + b'interfaces = ["fd00::2", "10.0.0.2"]\n')
    assert settings["mesh.addresses"] == ["[fd00::2]:7701", "10.0.0.2:7701"]
    assert settings["mesh.interfaces"] == ["fd00::2", "10.0.0.2"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('peers = ["fd00::2:7701"]', "[fd00::2]:7701"),
        ('addresses = ["10.0.0.2"]', "10.0.0.2:7701"),
        ('interfaces = ["wlan0"]', "an IP address"),
    ],
)
def test_what_is_no_address_is_told_with_what_would_be_one(line: str, told: str) -> None:
    with pytest.raises(FatalError, match="must") as refused:
        config.read(f"[mesh]\n{line}\n".encode())
    assert told in refused.value.detail


@pytest.mark.parametrize("url", ["http://10.0.0.2:99999", "http://[fd00::2", "10.0.0.2:3999"])
def test_what_is_no_address_of_a_node_is_told_by_the_keys_name(url: str) -> None:
    with pytest.raises(FatalError, match=r"relay\.nodes"):
        config.read(f'[relay]\nnodes = ["{url}"]\n'.encode())


def test_the_mark_that_windows_puts_before_a_file_is_passed_over() -> None:
    assert config.read(b"\xef\xbb\xbf[hub]\nname = 'kijiji'\n")["hub.name"] == "kijiji"
