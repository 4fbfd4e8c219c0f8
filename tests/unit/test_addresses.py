"""What an address is, and which one a hub believes to be near."""

from ipaddress import ip_network

import pytest

from hubd.addresses import (
    Held,
    by_turns,
    holder,
    is_cut_off,
    is_loopback,
    is_near,
    joined,
    plain,
    split,
    without_interface,
)
from hubd.errors import RemoteError

OWN = [ip_network("10.42.0.0/24"), ip_network("8.8.8.0/24"), ip_network("2a02:1234:5678:1::/64")]


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("10.0.0.2:7701", "10.0.0.2", 7701),
        ("tcp://hub-a.example.org:1", "hub-a.example.org", 1),
        ("[fd00::2]:7701", "fd00::2", 7701),
        ("[FD00:0::2]:65535", "fd00::2", 65535),
        ("[fe80::1%wlan0]:7701", "fe80::1%wlan0", 7701),
        ("[fe80::1%3]:7701", "fe80::1%3", 7701),
    ],
)
def test_an_address_is_a_host_and_a_port(text: str, host: str, port: int) -> None:
    assert split(text) == (host, port)
    assert split(joined(host, port)) == (host, port)


@pytest.mark.parametrize(
    "text",
    [
        "", "7701", ":7701", "hub", "hub:", "hub:0", "hub:65536", "hub:123456", "hub:-1", "hub:7701\n", "a b:7701",
        "fd00::2:7701", "[fd00::2]", "[]:1", "[10.0.0.2]:1", "[fd00::g]:1", "[fe80::1%]:1", "[fe80::1%a/b]:1",
        "http://hub:1", "hub/../x:1", "u@hub:1", "a" * 300 + ":1",
    ],
)  # fmt: skip
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(RemoteError) as refused:
        split(text)
    assert refused.value.code == "address"


@pytest.mark.parametrize(
    ("host", "near"),
    [
        ("10.42.0.7", True),
        ("192.168.7.7", True),
        ("169.254.1.1", True),
        ("8.8.8.8", True),  # a neighbour in a network with addresses of the internet
        ("9.9.9.9", False),
        ("fd12:3456::1", True),
        ("fe80::1%2", True),
        ("fe80::1", False),  # on which interface?
        ("2a02:1234:5678:1::7", True),
        ("2a02:1234:5678:2::7", False),
        ("2001:db8::1", False),
        ("127.0.0.1", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.42.0.7", False),
        ("::", False),
        ("0.0.0.0", False),
        ("224.0.0.251", False),
        ("255.255.255.255", False),
        ("240.0.0.1", False),
        ("ff02::fb%2", False),
        ("64:ff9b::a2a:7", False),
        ("2002:a2a:7::1", False),
        ("hub.example.org", False),
        ("", False),
    ],
)
def test_only_what_can_be_on_the_local_network_is_believed(host: str, near: bool) -> None:
    assert is_near(host, OWN) is near


def test_loopback_is_near_only_where_one_is_present_on_it() -> None:
    for host in ("127.0.0.1", "::1"):
        assert is_loopback(host)
        assert is_near(host, [], on_loopback=True)
        assert not is_near(host, [])


def test_an_ipv4_caller_is_the_same_through_a_socket_of_both_families() -> None:
    assert plain("::ffff:10.0.0.2") == holder("::ffff:10.0.0.2") == "10.0.0.2"
    assert is_loopback(holder("::ffff:127.0.0.1"))


def test_on_the_internet_a_whole_prefix_is_one_caller_and_in_the_village_everybody_is_one() -> None:
    assert holder("2a02:1234:5678:1::7") == holder("2a02:1234:5678:1:ffff::") != holder("2a02:1234:5678:2::7")
    assert holder("fd00::7") != holder("fd00::8")
    assert holder("fe80::7%3") == "fe80::7%3"
    assert holder("testclient") == "testclient"


def test_what_is_told_of_an_address_leaves_our_interface_out() -> None:
    assert without_interface("fe80::1%wlan0") == "fe80::1"


def address(host: str, interface: str = "eth0", bits: int = 24) -> Held:
    return Held(host, ip_network((host, bits), strict=False), interface)


@pytest.mark.parametrize(
    ("host", "now", "cut_off"),
    [
        ("10.42.0.7", [address("10.42.0.1")], False),
        ("::ffff:10.42.0.7", [], True),
        ("10.42.0.7", [address("10.42.0.9")], True),  # in the same network, but not as whom it knows us
        ("10.42.0.7", [address("10.42.0.9"), address("10.42.0.1")], False),
        ("10.43.0.7", [], False),  # behind a router
        ("fd00::7", [], False),
    ],
)
def test_a_connection_dies_with_the_address_that_it_went_through(host: str, now: list[Held], cut_off: bool) -> None:
    assert is_cut_off(host, [address("10.42.0.1")], now) is cut_off


def test_which_interface_a_link_local_address_is_on_is_not_guessed() -> None:
    before = [address("fe80::1", "wlan0", 64), address("fe80::2", "eth0", 64)]
    assert not is_cut_off("fe80::7%2", before, before[1:])
    assert is_cut_off("fe80::7%2", before, [])


def test_families_take_turns_beginning_with_the_first() -> None:
    assert by_turns(["fd00::1", "fd00::2", "10.0.0.1", "fd00::1"]) == ["fd00::1", "10.0.0.1", "fd00::2"]
    assert by_turns(["10.0.0.1", "fd00::1"]) == ["10.0.0.1", "fd00::1"]
    assert by_turns([]) == []
