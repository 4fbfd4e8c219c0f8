"""The charter: what a mesh is born from. One TOML file, flashed with the image, the same on every hub and phone.

It names the mesh, its network and anchor, who answers for it, and carries the founding `hub-announce` and `hub-admit`
actions, so that the first hubs know each other before anything was ever synced. Later hubs are admitted by actions.
"""

import base64
import binascii
import hashlib
import tomllib
from dataclasses import dataclass
from typing import Any

from hubd.action import cbor, envelope
from hubd.action.envelope import Action
from hubd.action.network import BY_NAME, Network
from hubd.action.principal import STANDARD_BYTES, Principal, address, check_principal, contract, owner_of, parse_address
from hubd.action.sip018 import Domain
from hubd.errors import FatalError, RemoteError
from hubd.limits import CHARTER_BYTES_MAX, CHARTER_STEWARDS_MIN

VERSION = 1
MONEY_MODES = ("none", "hours", "tokens")
_KEYS = frozenset(
    ("version", "name", "network", "anchor", "money", "answers_for_money", "assets", "stewards", "officers", "subjects",
     "helplines", "founding")
)  # fmt: skip
_HINT = "ask whoever prepared this hub for the charter file again; docs/charter.md explains every line"


@dataclass(frozen=True)
class Charter:
    """A read and verified charter.

    `assets` are the SIP-010 tokens of the vault by a short name ("hours", ...); STX is always there and named "stx".
    """

    name: str
    network: Network
    anchor: Principal
    money: str
    stewards: tuple[Principal, ...]
    officers: tuple[Principal, ...] = ()
    assets: tuple[tuple[str, Principal], ...] = ()
    subjects: tuple[str, ...] = ()
    helplines: tuple[str, ...] = ()
    answers_for_money: str = ""
    founding: tuple[Action, ...] = ()

    @property
    def domain(self) -> Domain:
        """The domain in which this mesh's actions are signed."""
        return Domain(self.network, self.anchor)

    @property
    def deployer(self) -> Principal:
        """Who deploys the contracts: the owner of the anchor's address."""
        return owner_of(self.anchor)

    def contract(self, name: str) -> Principal:
        """The principal of one of the mesh's contracts."""
        return contract(self.deployer, name)

    def asset(self, name: str) -> Principal | None:
        """The asset of a short name; None is STX. Raises `RemoteError("asset")`."""
        if name == "stx":
            return None
        for short, principal in self.assets:
            if short == name:
                return principal
        raise RemoteError("asset", f"this mesh knows no asset called {name!r}")

    def asset_name(self, asset: Principal | None) -> str:
        """The short name of an asset, or its address where the charter does not name it."""
        if asset is None:
            return "stx"
        return next((short for short, principal in self.assets if principal == asset), address(asset))

    @property
    def digest(self) -> bytes:
        """What two hubs compare to know that they hold the same charter: 32 bytes over everything but the founding."""
        meaning = [
            VERSION, self.name, self.network.name, self.anchor, self.money, self.answers_for_money,
            [[short, principal] for short, principal in self.assets], list(self.stewards), list(self.officers),
            list(self.subjects), list(self.helplines),
        ]  # fmt: skip
        return hashlib.sha256(cbor.encode(meaning)).digest()


def _fail(detail: str) -> FatalError:
    return FatalError("charter", detail, hint=_HINT)


def _text(table: dict[str, Any], key: str, default: str | None = None) -> str:
    value = table.get(key, default)
    if not isinstance(value, str) or (default is None and not value):
        raise _fail(f"'{key}' must be a text")
    return value


def _texts(table: dict[str, Any], key: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _fail(f"'{key}' must be a list of texts")
    return tuple(value)


def _address(text: str, key: str, network: Network) -> Principal:
    try:
        return check_principal(parse_address(text), network)
    except RemoteError as error:
        raise _fail(f"'{key}': {text!r} is no address on {network.name} ({error.detail})") from error


def _founding(lines: tuple[str, ...], domain: Domain) -> tuple[Action, ...]:
    actions = []
    for line in lines:
        try:
            actions.append(envelope.parse(base64.b64decode(line, validate=True), domain))
        except (RemoteError, binascii.Error) as error:
            raise _fail(f"a founding action is damaged or of another mesh ({error})") from error
    return tuple(actions)


def _assets(table: dict[str, Any], network: Network) -> tuple[tuple[str, Principal], ...]:
    assets = table.get("assets", {})
    if not isinstance(assets, dict) or not all(isinstance(value, str) for value in assets.values()) or "stx" in assets:
        raise _fail("'assets' must be a table of short names and token contracts; stx needs no entry")
    return tuple(sorted((name, _address(text, f"assets.{name}", network)) for name, text in assets.items()))


def _check_rules(charter: Charter) -> Charter:
    if len(charter.anchor) <= STANDARD_BYTES:
        raise _fail("'anchor' must name a contract: ADDRESS.access")
    if charter.money not in MONEY_MODES:
        raise _fail(f"'money' must be one of {', '.join(MONEY_MODES)}")
    if charter.money == "tokens" and not charter.answers_for_money:
        raise _fail("money = \"tokens\" needs 'answers_for_money': the organisation that answers for it")
    if len(set(charter.stewards)) < CHARTER_STEWARDS_MIN:
        raise _fail(f"'stewards' must name at least {CHARTER_STEWARDS_MIN} different people")
    return charter


def read(raw: bytes) -> Charter:
    """The charter of a file's bytes. Raises `FatalError("charter")`, which says which line is wrong."""
    if len(raw) > CHARTER_BYTES_MAX:
        raise _fail("the file is too large for a charter")
    try:
        table = tomllib.loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _fail(f"the file can't be read ({error})") from error
    if unknown := sorted(set(table) - _KEYS):
        raise _fail(f"unknown line '{unknown[0]}'")
    if table.get("version") != VERSION:
        raise _fail(f"version {table.get('version')!r}; this program reads version {VERSION}")
    network = BY_NAME.get(_text(table, "network"))
    if network is None:
        raise _fail("'network' must be mainnet or testnet")
    anchor = _address(_text(table, "anchor"), "anchor", network)
    return _check_rules(
        Charter(
            name=_text(table, "name"),
            network=network,
            anchor=anchor,
            money=_text(table, "money", "hours"),
            answers_for_money=_text(table, "answers_for_money", ""),
            stewards=tuple(_address(text, "stewards", network) for text in _texts(table, "stewards")),
            officers=tuple(_address(text, "officers", network) for text in _texts(table, "officers")),
            assets=_assets(table, network),
            subjects=_texts(table, "subjects"),
            helplines=_texts(table, "helplines"),
            founding=_founding(_texts(table, "founding"), Domain(network, anchor)),
        )
    )


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'


def _list(texts: tuple[str, ...]) -> str:
    return "[" + "".join(f"\n  {_quoted(text)}," for text in texts) + ("\n]" if texts else "]")


def write(charter: Charter) -> bytes:
    """The file of a charter, with a comment beside each line; `read` gives the same charter back."""
    lines = [
        "# The charter of a mesh: the same file on every hub and phone. docs/charter.md explains every line.",
        f"version = {VERSION}",
        f"name = {_quoted(charter.name)}",
        f"network = {_quoted(charter.network.name)}",
        "# The mesh's permanent anchor on the chain; it may be deployed later.",
        f"anchor = {_quoted(address(charter.anchor))}",
        "# none, hours (a community credit) or tokens (real money; then say who answers for it).",
        f"money = {_quoted(charter.money)}",
        f"answers_for_money = {_quoted(charter.answers_for_money)}",
        f"stewards = {_list(tuple(address(p) for p in charter.stewards))}",
        f"officers = {_list(tuple(address(p) for p in charter.officers))}",
        f"subjects = {_list(charter.subjects)}",
        f"helplines = {_list(charter.helplines)}",
        "# The founding hubs, signed: written by `hubd charter found`, not by hand.",
        f"founding = {_list(tuple(base64.b64encode(envelope.encode(action)).decode() for action in charter.founding))}",
        "",
        "[assets]",
        *(f"{_quoted(name)} = {_quoted(address(principal))}" for name, principal in charter.assets),
        "",
    ]
    return "\n".join(lines).encode("utf-8")
