"""How people read money: in hours and in STX, never in base units. Whatever is shown of a sum is said here.

Actions, the chain and every JSON object count in base units: a hundredth of an hour (`get-decimals` of
contracts/hour-credit.clar), a millionth of an STX. Of any other token no charter says how many base units make one, so its
sums are said as base units.
"""

from collections.abc import Mapping

from hubd.messages import phrase

STX = "stx"
HOURS_TOKEN = "hour-credit"  # noqa: S105  # the contract of a community's hours
_STX_PLACES, _HOURS_PLACES = 6, 2
_SHOWN_MIN = 2  # places that are shown in any case: 1.50 is read as money

Places = Mapping[str, int]
"""How many decimal places an asset has, by its short name. What is not there is unknown."""


def places(assets: Mapping[str, bytes], hours: bytes) -> Places:
    """Those of the assets that a charter names; `hours` is the token of its own mesh."""
    return {STX: _STX_PLACES, **{name: _HOURS_PLACES for name, token in assets.items() if token == hours}}


def sum_of(amount: int, asset: str, known: Places) -> str:
    """A sum as people read it, with the asset's name."""
    if asset not in known:
        return phrase("terminal.sum-in-units", units=amount, asset=asset)
    whole, rest = divmod(amount, 10 ** known[asset])
    digits = f"{rest:0{known[asset]}d}".rstrip("0").ljust(_SHOWN_MIN, "0")
    return phrase("terminal.sum", amount=phrase("terminal.decimal", whole=whole, rest=digits), asset=asset)


def stx_of(ustx: int) -> str:
    """A sum in STX, as fees are."""
    return sum_of(ustx, STX, {STX: _STX_PLACES})
