"""How commands read what people type for addresses and assets: checked against the charter, refused in words."""

from hubd.action.charter import Charter
from hubd.action.network import Network
from hubd.action.principal import Principal, check_principal, parse_address
from hubd.errors import FatalError, RemoteError


def address_in(text: str, network: Network) -> Principal:
    """The principal of an address on a network, or a complaint."""
    try:
        return check_principal(parse_address(text), network)
    except RemoteError as error:
        raise FatalError(
            "address",
            f"{text!r} is no address on {network.name}",
            hint="copy it again; addresses have check digits",
        ) from error


def asset_in(name: str, charter: Charter) -> Principal | None:
    """The asset of a short name (None: STX), or a complaint that lists them."""
    try:
        return charter.asset(name)
    except RemoteError as error:
        known = ", ".join(["stx", *(short for short, _ in charter.assets)])
        raise FatalError("asset", error.detail, hint=f"this mesh has: {known}") from error
