"""Publish a mesh's contracts, and make the calls that set them up, as `contracts/deployment.json` lists them.

Everything may be interrupted and given again: a contract that is on the chain with the same source is skipped, one with
another source stops everything with words, and a call is left out where a question to the contract shows its effect. In
the end the chain is asked for all of it. The seal is the last call, sent when the chain shows all others; a mesh that is
sealed is set up, and what its owner changed since is not changed back.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubd.action.clarity import NONE, Ascii, Bool, Buff, Ok, PrincipalCV, Some, UInt, Value, encode
from hubd.action.principal import Principal, address, contract, parse_address
from hubd.errors import FatalError, RemoteError
from hubd.messages import phrase
from hubd.relay.tx import Call, Deploy
from hubd.relay.wallet import Sent, Wallet
from hubd.sums import stx_of

ATTEMPTS_MAX = 5  # at bringing the chain to the plan, while an earlier run's transactions are mined
SEAL = ("access", "seal")
_HINT = "contracts/README.md describes the file; take contracts/ from the same release as this program"


@dataclass(frozen=True, slots=True)
class SetUpCall:
    """One call after deployment."""

    contract: str
    function: str
    arguments: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be on the chain: sources in order, then calls in order."""

    clarity_version: int
    sources: Mapping[str, str]
    calls: tuple[SetUpCall, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a deployment did: contracts and calls made, and those that were there already."""

    deployed: tuple[str, ...]
    called: int
    skipped: int
    fees_ustx: int


# How a call's effect shows: contract and read-only function, which of its arguments to ask with, what the answer must be.
_EFFECTS: dict[tuple[str, str], tuple[str, tuple[int, ...], Callable[[Value], bool]]] = {
    ("access", "set-role"): ("is-protocol-caller", (1, 0), lambda found: found == Ok(Bool(True))),
    SEAL: ("is-sealed", (), lambda found: found == Bool(True)),
    ("access", "set-asset"): ("get-asset", (0,), lambda found: isinstance(found, Some)),
    ("hour-credit", "set-minter"): ("get-mint-cap", (0,), lambda found: found != UInt(0)),
}


def _fail(detail: str) -> FatalError:
    return FatalError("deployment-file", detail, hint=_HINT)


def _argument(entry: Any, deployer: Principal) -> Value:
    """A typed argument of the file: principals may be written `$deployer` and `.contract`."""
    kind, value = (entry.get("type"), entry.get("value")) if isinstance(entry, dict) else (None, None)
    match kind, value:
        case "none", None:
            return NONE
        case "some", dict():
            return Some(_argument(value, deployer))
        case "uint", str() if value.isdecimal():
            return UInt(int(value))
        case "bool", bool():
            return Bool(value)
        case "string-ascii", str() if value.isascii():
            return Ascii(value)
        case "buff", str():
            return Buff(bytes.fromhex(value))
        case "principal", str():
            if value == "$deployer":
                return PrincipalCV(deployer)
            return PrincipalCV(contract(deployer, value[1:]) if value.startswith(".") else parse_address(value))
    raise _fail(f"an argument of type {kind!r} with the value {value!r}")


def read_plan(folder: Path, deployer: Principal) -> Plan:
    """The plan in `folder`. Raises `FatalError("deployment-file")`, which says what is wrong with it."""
    try:
        table = json.loads((folder / "deployment.json").read_text("utf-8"))
        sources = {name: (folder / f"{name}.clar").read_text("utf-8") for name in table["order"]}
        calls = tuple(
            SetUpCall(call["contract"], call["function"], tuple(_argument(entry, deployer) for entry in call["args"]))
            for call in table["calls"]
        )
        return Plan(int(table["clarity_version"]), sources, calls)
    except (OSError, ValueError, TypeError, KeyError, RemoteError) as error:
        raise _fail(f"{folder / 'deployment.json'}: {type(error).__name__}: {error}") from error


async def deploy(wallet: Wallet, plan: Plan) -> Outcome:
    """Bring the chain to the plan with the deployer's wallet; waits until everything was mined.

    Transactions of an interrupted run may still be under way: while they wait they are signed again, byte for byte, and
    when they are mined in between, everything is looked at anew.
    """
    for _ in range(ATTEMPTS_MAX - 1):
        try:
            return await _bring(wallet, plan)
        except FatalError as error:
            if error.code != "account-moved":
                raise
    return await _bring(wallet, plan)


async def _bring(wallet: Wallet, plan: Plan) -> Outcome:
    await wallet.begin()
    sources = await _missing(wallet, plan)
    sent: list[Sent] = []
    for name, source in sources.items():
        sent.append(await _within_chain(wallet, sent, Deploy(name, source, plan.clarity_version)))
        wallet.progress(phrase("money.publishing", name=name, characters=len(source), fee=stx_of(sent[-1].fee_ustx)))
    await wallet.settle(sent)
    await _check_sources(wallet, plan)
    seals = [call for call in plan.calls if _key(call) == SEAL]
    made: list[Sent] = []
    if not [seal for seal in seals if await _is_made(wallet, seal)]:
        made += await _call(wallet, [call for call in plan.calls if call not in seals])
        made += await _call(wallet, seals)
    skipped = len(plan.sources) - len(sources) + len(plan.calls) - len(made)
    return Outcome(tuple(sources), len(made), skipped, sum(one.fee_ustx for one in (*sent, *made)))


async def _call(wallet: Wallet, calls: Sequence[SetUpCall]) -> list[Sent]:
    """Make those that the chain does not show, wait for them, and ask the chain for all, whoever made them."""
    await wallet.begin()
    missing = [call for call in calls if not await _is_made(wallet, call)]
    made: list[Sent] = []
    for call in missing:
        target = contract(wallet.principal, call.contract)
        payload = Call(target, call.function, tuple(encode(argument) for argument in call.arguments))
        made.append(await _within_chain(wallet, made, payload))
        wallet.progress(phrase("money.calling", function=f"{call.contract}.{call.function}"))
    await wallet.settle(made)
    for call in calls:
        if has_effect(call) and not await _is_made(wallet, call):
            raise _unset(f"{call.contract}.{call.function}")
    return made


async def _within_chain(wallet: Wallet, sent: Sequence[Sent], payload: Deploy | Call) -> Sent:
    """Send it, after the earlier ones where a node would refuse so many at once."""
    if len(sent) >= wallet.chained_max:
        await wallet.wait(sent[-wallet.chained_max])
    return await wallet.send(payload)


async def _missing(wallet: Wallet, plan: Plan) -> dict[str, str]:
    missing = {}
    for name, source in plan.sources.items():
        found = await wallet.node.source(contract(wallet.principal, name))
        if found is None:
            missing[name] = source
        elif found != source:
            raise FatalError(
                "contract-other-source",
                f"{address(contract(wallet.principal, name))} is on the chain with another source",
                hint="contracts can't be changed: take the release that deployed them, or deploy with another key",
            )
    return missing


async def _check_sources(wallet: Wallet, plan: Plan) -> None:
    """Ask the chain whether every contract is there as planned, whoever published it."""
    if await _missing(wallet, plan):
        raise _unset("a contract")


def _key(call: SetUpCall) -> tuple[str, str]:
    return call.contract, call.function


def _unset(what: str) -> FatalError:
    return FatalError(
        "deployment-unset",
        f"{what} was mined and does not show on the chain",
        hint="give the same command again; if it stays so, the node is behind or serves another fork",
    )


def has_effect(call: SetUpCall) -> bool:
    """Whether the contract can be asked for what a call did."""
    return _key(call) in _EFFECTS


async def _is_made(wallet: Wallet, call: SetUpCall) -> bool:
    """Whether the contract itself shows that this call was made before."""
    effect = _EFFECTS.get(_key(call))
    if effect is None:
        return False
    function, picks, holds = effect
    arguments = [call.arguments[pick] for pick in picks]
    return holds(await wallet.node.call_read(contract(wallet.principal, call.contract), function, arguments))
