"""The configuration file as people write it: whatever is wrong in it is named in words, with what would be right."""

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


WRONG = [
    ('[mesh]\naddresses = ["0.0.0.0:7701"]', "mesh.addresses: 0.0.0.0 means every address"),
    ('[mesh]\naddresses = ["[::]:7701"]', "mesh.addresses: :: means every address"),
    ('[mesh]\naddresses = ["*:7701"]', "must look like 10.0.0.2:7701"),
    ('[mesh]\naddresses = ["town.example.org:0"]', "0 is no port"),
    ('[mesh]\naddresses = ["127.0.0.1:7701"]', "this machine itself"),
    ('[mesh]\naddresses = ["localhost:7701"]', "this machine itself"),
    ('[mesh]\naddresses = ["[::1]:7701"]', "this machine itself"),
    ('[mesh]\naddresses = ["[::ffff:127.0.0.1]:7701"]', "this machine itself"),
    ('[mesh]\naddresses = ["169.254.1.1:7701"]', "one cable or Wi-Fi only"),
    ('[mesh]\naddresses = ["224.0.0.251:7701"]', "many machines"),
    ('[mesh]\naddresses = ["10.0.0.2"]', "10.0.0.2:7701"),
    ('[mesh]\naddresses = "10.0.0.2:7701"', 'a list of texts, for example ["town.example.org:7701"]'),
    ('[mesh]\npeers = ["fd00::2:7701"]', "[fd00::2]:7701"),
    ('[mesh]\npeers = ["10.0.0.300:7701"]', "10.0.0.300 is no IP address"),
    ('[mesh]\npeers = ["10.0.0:7701"]', "10.0.0 is no IP address"),
    ('[mesh]\npeers = ["0.0.0.0:7701"]', "leads to none"),
    ('[mesh]\npeers = ["255.255.255.255:7701"]', "many machines"),
    ('[mesh]\npeers = ["10.0.0.2:7701", 5]', "a list of texts"),
    ('[mesh]\nlisten_host = ""', "mesh.listen_host: '' is no address"),
    ('[mesh]\nlisten_host = "10.42.0.1/24"', "is no address"),
    ('[phones]\nlisten_host = "10.0.0.300"', "phones.listen_host: '10.0.0.300' is no IP address"),
    ('[mesh]\nlisten_port = "7701"', "a whole number, for example 7701"),
    ("[mesh]\nlisten_port = 70000", "between 0 and 65535, not 70000"),
    ("[mesh]\nlisten_port = 7780", "a port each"),
    ('[mesh]\ninterfaces = ["wlan0"]', "an IP address such as"),
    ('[mesh]\ninterfaces = ["0.0.0.0"]', "leave the list empty"),
    ('[mesh]\ndiscover = "yes"', "true or false"),
    ("[mesh]\ndiscover = True", "line 2, column 12"),
    ("[mesh]\nlisten_prt = 7701", "did you mean mesh.listen_port?"),
    ("[Mesh]\npeers = []", "did you mean mesh.peers?"),
    ("peers = []", "outside a section such as [hub]"),
    ("[hub]\nname = Kijiji", "a text stands in quotes"),
    ('[hub]\nname = ""', "1 to 64 characters"),
    ('[post]\nfolders = ["media"]', "whole paths, such as /media"),
    ("[post]\nsize_mb = 1.5", "a whole number, for example 64"),
    ('[log]\nlevel = "INFO"', "one of debug, info, warning, error, not 'INFO'"),
    ('[phones]\ntls_cert = "/a.pem"', "belong together"),
    ('[phones]\ntls_key = "/a.key"', "belong together"),
    ('[hub]\nname = "  "', "can be seen"),
    ('[hub]\nname = "\\u3000"', "can be seen"),
    ("[hub]\nlanguage = 3", 'a text in quotes, for example "en"'),
    ('[hub]\nname = "k\u00fc\u00e7\u00fck"', "UTF-8"),
]


@pytest.mark.parametrize(("said", "told"), WRONG)
def test_what_is_wrong_is_named_with_what_would_be_right(said: str, told: str) -> None:
    with pytest.raises(FatalError) as refused:
        config.read(said.encode("latin-1"))
    assert refused.value.code == "config"
    assert told in refused.value.detail
    assert refused.value.detail.startswith("hubd.toml: ")


OF_NO_KEY = ("2026-12-01", "1.5", "nan", "{}", "[[]]", "[3]", "-1", "99999999999999999999")


@pytest.mark.parametrize("key", config.KEYS, ids=lambda key: key.name)
def test_a_value_of_another_type_is_told_by_the_keys_name_whichever_it_is(key: config.Key) -> None:
    of_its_type = {str: '"x"', int: "1", bool: "true", list: "[]"}
    wrong = (*(said for wanted, said in of_its_type.items() if wanted is not type(key.default)), *OF_NO_KEY)
    section, short = key.name.split(".")
    for said in wrong:
        with pytest.raises(FatalError) as refused:
            config.read(f"[{section}]\n{short} = {said}".encode())
        assert (refused.value.code, key.name in refused.value.detail) == ("config", True), said


@pytest.mark.parametrize(
    "said",
    [
        '[mesh]\npeers = ["127.0.0.1:7701", "localhost:7702", "[fe80::1%wlan0]:7701"]',
        '[mesh]\naddresses = ["town_hub:7701", "10.42.0.1:7701", "[fd00::2]:7701"]',
        '[mesh]\nlisten_host = "0.0.0.0"\n[phones]\nlisten_host = "::"',
        "[mesh]\nlisten_port = 0\n[phones]\nlisten_port = 0",
    ],
)
def test_what_can_be_meant_is_taken(said: str) -> None:
    config.read(said.encode())


@pytest.mark.parametrize("url", ["http://10.0.0.2:99999", "http://[fd00::2", "10.0.0.2:3999"])
def test_what_is_no_address_of_a_node_is_told_by_the_keys_name(url: str) -> None:
    with pytest.raises(FatalError, match=r"relay\.nodes"):
        config.read(f'[relay]\nnodes = ["{url}"]\n'.encode())


def test_the_mark_that_windows_puts_before_a_file_is_passed_over() -> None:
    assert config.read(b"\xef\xbb\xbf[hub]\nname = 'kijiji'\n")["hub.name"] == "kijiji"
