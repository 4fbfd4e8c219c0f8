"""The one configuration file, `hubd.toml`. One table of keys: defaults, bounds, meaning; docs and the file are made of it.

Whoever edits the file by hand gets told which line is wrong and what would be right; nothing is ignored silently.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from hubd import addresses, limits
from hubd.addresses import EVERYWHERE
from hubd.errors import FatalError, RemoteError

FILE_NAME = "hubd.toml"


@dataclass(frozen=True, slots=True)
class Key:
    """One key: its default gives its type. `low`/`high` bound a number; `choices` a text; `live` = SIGHUP is enough."""

    name: str
    default: Any
    meaning: str
    low: int = 0
    high: int = 0
    choices: tuple[str, ...] = ()
    live: bool = False

    @property
    def section(self) -> str:
        """The part before the dot."""
        return self.name.split(".")[0]


_PORT_MAX = 65_535
KEYS = (
    Key("hub.name", "hub", "What people call this hub. Shown to phones and neighbours; no person's name."),
    Key(
        "hub.language",
        "",
        "What commands on this hub and receipts on sticks speak. Empty: what LANG asks for.",
        choices=("", "en"),
    ),
    Key(
        "mesh.listen_host",
        EVERYWHERE,
        "Where neighbour hubs may connect: one address of this machine, or * for all, of IPv4 and IPv6.",
    ),
    Key("mesh.listen_port", 7701, "Port for neighbour hubs; 0 picks a free one.", high=_PORT_MAX),
    Key(
        "mesh.addresses", [], "What this hub announces, as host:port or [v6]:port. Empty: others find it by mDNS only."
    ),
    Key(
        "mesh.peers",
        [],
        "Neighbours to dial, as host:port or [v6]:port, beside those that announce an address.",
        live=True,
    ),
    Key("mesh.discover", True, "Find neighbour hubs on the local network by mDNS, and be found."),
    Key(
        "mesh.interfaces",
        [],
        "IP addresses of this machine to be found at. Empty: all, whatever they are at the moment.",
    ),
    Key(
        "mesh.session_interval_s",
        30,
        "Seconds between two comparisons with a connected neighbour.",
        low=1,
        high=86_400,
        live=True,
    ),
    Key("phones.listen_host", EVERYWHERE, "Where phones may connect: one address of this machine, or * for all."),
    Key("phones.listen_port", 7780, "Port for phones; 0 picks a free one.", high=_PORT_MAX),
    Key(
        "phones.tls_cert",
        "",
        "A certificate with its chain (a PEM file), for a hub on the internet: phones then come by https and wss only. "
        "The file is read again at SIGHUP.",
    ),
    Key("phones.tls_key", "", "The certificate's key (a PEM file), which nobody but this hub's user can read."),
    Key("phones.discover", True, "Find native phones that advertise themselves by mDNS and sync with them unasked."),
    Key(
        "relay.nodes", [], "Base URLs of Stacks nodes. Empty: this hub has no uplink and carries nothing to the chain."
    ),
    Key("relay.api_key_file", "", "A file with the key of the node's API, if it asks for one."),
    Key("relay.poll_ms", 10_000, "Milliseconds between two looks at the chain.", low=100, high=3_600_000, live=True),
    Key(
        "relay.gather_ms",
        10_000,
        "Milliseconds to gather actions before a transaction leaves: longer is cheaper, shorter is sooner.",
        high=86_400_000,
        live=True,
    ),
    Key(
        "relay.batch_actions_max",
        limits.RELAY_BATCH_ACTIONS_MAX,
        "Actions in one transaction.",
        low=1,
        high=limits.RELAY_BATCH_ACTIONS_MAX,
        live=True,
    ),
    Key(
        "relay.fee_ustx_per_byte",
        2,
        "Fee offered for a byte of a transaction, in millionths of an STX.",
        low=1,
        high=1_000,
        live=True,
    ),
    Key(
        "relay.fees_day_ustx_max",
        limits.RELAY_FEES_DAY_USTX_MAX,
        "The most this hub spends on fees in a day, in millionths of an STX.",
        low=0,
        high=10**12,
        live=True,
    ),
    Key("post.watch", True, "Exchange post by itself with sticks that are plugged in."),
    Key(
        "post.folders",
        ["/media", "/run/media"],
        "Where sticks are mounted. A folder that holds hubd-post already is one itself. Empty: none is looked at.",
        live=True,
    ),
    Key(
        "post.size_mb",
        64,
        "The most that this hub writes to one stick, in megabytes; what does not fit comes with the next.",
        low=1,
        high=1_000,
        live=True,
    ),
    Key("log.level", "info", "How much is logged.", choices=("debug", "info", "warning", "error"), live=True),
    Key("log.form", "auto", "auto: readable on a terminal, JSON otherwise.", choices=("auto", "console", "json")),
)
BY_NAME = {key.name: key for key in KEYS}


class Config:
    """Read values by `config["section.key"]`; every key of the table is there."""

    def __init__(self, values: dict[str, Any]) -> None:
        unknown = set(values) - set(BY_NAME)
        assert not unknown, f"no such keys: {unknown}"
        self._values = {key.name: values.get(key.name, key.default) for key in KEYS}

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def adopt(self, other: "Config") -> list[str]:
        """Take over the live keys of `other`; returns the changed keys that only a restart would take over."""
        waiting = []
        for name in self.changed_keys(other):
            if BY_NAME[name].live:
                self._values[name] = other[name]
            else:
                waiting.append(name)
        return waiting

    def changed_keys(self, other: "Config") -> list[str]:
        """Names of keys whose values differ."""
        return [name for name in BY_NAME if self[name] != other[name]]


def _fail(detail: str) -> FatalError:
    return FatalError(
        "config",
        f"{FILE_NAME}: {detail}",
        hint="docs/configuration.md explains every line; a line that is left out takes its default",
    )


_EXAMPLES: dict[str, Any] = {
    "hub.language": "en",
    "mesh.addresses": ["town.example.org:7701"],
    "mesh.peers": ["10.42.0.2:7701"],
    "mesh.interfaces": ["10.42.0.1"],
    "phones.tls_cert": "/etc/hubd/fullchain.pem",
    "phones.tls_key": "/etc/hubd/privkey.pem",
    "relay.nodes": ["https://node.example"],
    "relay.api_key_file": "/etc/hubd/node.key",
}
"""What a value may look like, of keys whose default says nothing."""


def check(key: Key, value: Any) -> Any:
    """The value if it fits the key. Raises `FatalError("config")`, which says what would fit."""
    wanted = type(key.default)
    if type(value) is not wanted:
        names = {str: "a text in quotes", int: "a whole number", bool: "true or false", list: "a list of texts"}
        raise _fail(f"{key.name} must be {names[wanted]}, for example {_toml(key.default or _EXAMPLES[key.name])}")
    if wanted is int and not key.low <= value <= key.high:
        raise _fail(f"{key.name} must be between {key.low} and {key.high}, not {value}")
    if key.choices and value not in key.choices:
        named = ", ".join(choice or '""' for choice in key.choices)
        raise _fail(f"{key.name} must be one of {named}, not {value!r}")
    if wanted is list and not all(isinstance(item, str) for item in value):
        raise _fail(f"{key.name} must be a list of texts")
    if key.name in ("mesh.addresses", "mesh.peers"):
        for item in value:
            host, _ = split_address(item, key.name)
            if wrong := addresses.wrong_host(host, announced=key.name == "mesh.addresses"):
                raise _fail(f"{key.name}: {host} {wrong}; write an address that others reach, such as 10.42.0.2:7701")
    if key.name in ("mesh.listen_host", "phones.listen_host"):
        _check_listening(value, key.name)
    if key.name == "mesh.interfaces":
        for item in value:
            _check_ip(item, key.name)
    if key.name == "relay.nodes":
        for item in value:
            check_url(item, key.name)
    if key.name == "post.folders" and not all(map(_is_folder, value)):
        raise _fail("post.folders must name whole paths, such as /media; neither / nor .. is one")
    if key.name == "mesh.addresses" and len(value) > limits.HUB_ADDRESSES_MAX:
        raise _fail(f"{key.name} may list {limits.HUB_ADDRESSES_MAX} addresses at most")
    if key.name == "hub.name" and not 0 < len(value) <= limits.HUB_NAME_CHARS_MAX:
        raise _fail(f"{key.name} must have 1 to {limits.HUB_NAME_CHARS_MAX} characters")
    if key.name == "hub.name" and not (value.isprintable() and value.strip()):
        raise _fail(f"{key.name} must be one line of letters, digits and signs that can be seen")
    return value


_ALL = (EVERYWHERE, "0.0.0.0", "::")  # noqa: S104  # as people write it


def _check_listening(host: str, name: str) -> None:
    wrong = "" if host in _ALL else addresses.wrong_host(host) if host and "/" not in host else "is no address"
    if wrong:
        raise _fail(f"{name}: {host!r} {wrong}; write one address of this machine, or * for all")


def _is_folder(path: str) -> bool:
    """Whether this is a whole path to a folder below the root: below the root itself, everything is mounted."""
    return path.startswith("/") and path.strip("/") != "" and ".." not in path.split("/") and "\0" not in path


def split_address(text: str, name: str = "address") -> tuple[str, int]:
    """(host, port) of `host:port` or `[v6]:port`. Raises `FatalError("config")`."""
    try:
        return addresses.split(text)
    except RemoteError as error:
        is_portless = text.endswith(":0")
        why = " (0 is no port that anybody can dial)" if is_portless else ""
        raise _fail(f"{name}: {text!r} must look like 10.0.0.2:7701 or [fd00::2]:7701{why}") from error


def _check_ip(text: str, name: str) -> None:
    try:
        ip_address(text)
    except ValueError as error:
        raise _fail(f"{name}: {text!r} must be an IP address such as 10.0.0.2 or fd00::2") from error
    if wrong := addresses.wrong_host(text):
        raise _fail(f"{name}: {text} {wrong}; leave the list empty for all addresses of this machine")


def check_url(text: str, name: str, schemes: Iterable[str] = ("http", "https")) -> str:
    """A base URL such as https://node.example. Raises `FatalError("config")`."""
    try:
        parts = urlsplit(text)
        is_server = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port beyond 65535, brackets around no address
        is_server = False
    if not is_server:
        raise FatalError(
            "config", f"{name}: {text!r} is no address of a server", hint="write it as http://10.42.0.1:7780"
        )
    return text


def read(raw: bytes) -> Config:
    """The configuration of a file's bytes. Raises `FatalError("config")`, which names the line."""
    try:
        tables = tomllib.loads(raw.decode("utf-8-sig"))  # Windows' editor begins a file with a mark
    except UnicodeDecodeError as error:
        raise _fail("can't be read: save it as a plain text file in UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise _fail(f"can't be read ({error}); a text stands in quotes, true and false in small letters") from error
    values: dict[str, Any] = {}
    for section, table in tables.items():
        if not isinstance(table, dict):
            raise _fail(f"'{section}' stands outside a section such as [hub]")
        for short, value in table.items():
            name = f"{section}.{short}"
            values[name] = check(named(name), value)
    return check_together(Config(values))


def check_together(config: Config) -> Config:
    """The configuration, if its lines fit each other. Raises `FatalError("config")`."""
    if config["mesh.listen_port"] and config["mesh.listen_port"] == config["phones.listen_port"]:
        raise _fail("mesh.listen_port and phones.listen_port are the same: hubs and phones need a port each")
    if bool(config["phones.tls_cert"]) != bool(config["phones.tls_key"]):
        raise _fail("phones.tls_cert and phones.tls_key belong together: name both files, or neither")
    return config


def named(name: str) -> Key:
    """The key of this name. Raises `FatalError("config")`, which names the ones that may be meant."""
    if name not in BY_NAME:
        raise _fail(f"there is no key {name}; {_meant(name)}")
    return BY_NAME[name]


def _meant(name: str) -> str:
    import difflib  # noqa: PLC0415  # only a mistyped key needs it

    if close := difflib.get_close_matches(name, BY_NAME, n=1, cutoff=0.8):
        return f"did you mean {close[0]}?"
    section = name.partition(".")[0] + "."
    return f"there are {', '.join([key for key in BY_NAME if key.startswith(section)] or BY_NAME)}"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, int):
        return str(value)
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def write(values: dict[str, Any], keys: Iterable[Key] = KEYS) -> bytes:
    """A whole file: every key with its meaning above it; keys at their default are commented out."""
    lines: list[str] = []
    section = ""
    for key in keys:
        if key.section != section:
            section = key.section
            lines += ["", f"[{section}]"]
        short = key.name.removeprefix(section + ".")
        lines.append(f"# {key.meaning}")
        mark = "" if key.name in values and values[key.name] != key.default else "# "
        lines.append(f"{mark}{short} = {_toml(values.get(key.name, key.default))}")
    return ("\n".join(lines).strip() + "\n").encode("utf-8")
