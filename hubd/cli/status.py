"""`hubd status`: how the hub is, for a coordinator and for programs."""

from pathlib import Path
from typing import Any

import click

from hubd.cli.terminal import command, data_option, json_option, say, show
from hubd.control import ask
from hubd.errors import FatalError
from hubd.messages import words


@click.command()
@data_option
@json_option
@command
async def status(directory: Path, as_json: bool) -> None:
    """Say how the hub is: its set, its neighbours, its uplink. Works with a running hub and with a stopped one."""
    try:
        facts = await ask(directory, "status")
    except FatalError as error:
        if error.code != "not-running":
            raise
        facts = await _of_stopped(directory, error)
    show(facts, as_json, _lines(facts))


async def _of_stopped(directory: Path, not_running: FatalError) -> dict[str, Any]:
    from hubd.cli.local import local_hub  # noqa: PLC0415  # seconds on a Pi, and not needed while the hub runs
    from hubd.hub import CHARTER_NAME  # noqa: PLC0415

    if not (directory / CHARTER_NAME).exists():
        raise not_running
    async with local_hub(directory) as hub:
        return await hub.status()


_DISK = {
    "low": "the card is nine tenths full: time for a larger one",
    "short": "the card is nearly full: newcomers keep what they wrote, and soon nothing new is taken",
    "full": "the card is full: nothing new is taken until there is room",
}


def _age(seconds: float | None) -> str:
    if seconds is None:
        return "never"
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}{'s' if seconds >= 2 * size else ''} ago"
    return f"{int(seconds)} s ago"


def _lag(behind: int) -> str:
    return f", behind by {behind} actions" if behind else ""


def _lack(lacking: int, where: str) -> str:
    """Sets are proven by ids; texts beside them may be missing, and are said apart."""
    return f" ({lacking} {'text is' if lacking == 1 else 'texts are'} missing {where})" if lacking else ""


def _lines(facts: dict[str, Any]) -> list[str]:
    lines = [
        f"{facts['name']} ({'running' if facts['running'] else 'stopped'}) in {facts['mesh']} on {facts['network']}",
        f"set: {facts['count']} actions{_lack(facts['lacking'], 'here')}, read aloud: {facts['spoken']}",
        f"views: {facts['views'][:16]}{_lag(facts['views_behind'])}",
    ]
    if not facts["admitted"]:
        lines.append("not admitted to the mesh yet: a steward does that with `hubd admit`")
    if facts["running"]:
        lines.append(f"ports: phones {facts['phones']['port']}, hubs {facts['gossip']['port']}")
    for peer in facts["peers"]:
        lines += _neighbour_lines(peer)
    if not facts["peers"]:
        lines.append("no neighbour is known yet")
    if facts["running"] and facts["gossip"]["trouble"]:
        lines.append(f"warning: {words(facts['gossip']['trouble'])}")
    lines += _post_lines(facts)
    relay = facts["relay"]
    if relay is None:
        lines.append("no uplink: other hubs carry this village's actions to the chain")
    else:
        lines.append(f"wallet for fees: {facts['wallet']}")
        well = words(relay["trouble"]) if relay["trouble"] else "all is well"
        money = "not known yet" if relay["balance_ustx"] is None else f"{relay['balance_ustx']} uSTX"
        lines.append(f"uplink: {well.rstrip('.')}; {relay['waiting']} actions wait; for fees: {money}")
        if relay["hint"]:
            lines.append(f"hint: {relay['hint']}")
    if facts["unknown"]:
        kinds = ", ".join(sorted(facts["unknown"]))
        lines.append(f"carried for newer hubs, not understood here: {kinds}")
    if facts["disk"] != "plenty":
        say(f"warning: {_DISK[facts['disk']]}")
    for code, detail in facts["unmet"]:
        say(f"warning: {detail}: {words(code)}")
    if facts["rotten"]:
        say(f"warning: {facts['rotten']} actions on this card are damaged; neighbours will fill them in")
    return lines


_RUNGS = {
    "hello": "by greeting alone",
    "cursor": "after what had arrived since",
    "sketch": "after a sketch of the differences",
    "negentropy": "after a comparison of everything",
}


_GROWING = "Not all of it was moved, or more came meanwhile. It is tried again by itself."


def _neighbour_lines(peer: dict[str, Any]) -> list[str]:
    """A neighbour is called the same only where that is proven of the set as it is now; else what is known to lack."""
    lines = [f"neighbour {peer['name']}: {peer['state']}, {_standing(peer)}"]
    if peer["reason"] and peer["state"] != "connected":
        lines.append(f"  {words(peer['reason'])}")
    if peer["code"]:
        lines.append(f"  when last compared, {_age(peer['last_age_s'])}, {_RUNGS[peer['rung']]}: {_found(peer)}")
        lines.append(f"  {_GROWING if peer['code'] == 'busy' else words(peer['code'])}")
    return lines


def _standing(peer: dict[str, Any]) -> str:
    if peer["proven_age_s"] is None:
        return "not compared yet" if peer["last_age_s"] is None else "never proven to hold the same"
    proof = f"proven {_age(peer['proven_age_s'])}"
    if peer["proven"]:
        held = f"holds the same {peer['count']} actions{_lack(peer['lacking'], 'there')}"
        return f"{held}, {peer['proven_spoken']}, {proof} {_RUNGS[peer['rung']]}"
    held = f"held the same {peer['proven_count']} actions, {peer['proven_spoken']}, {proof}"
    if peer["newer"]:
        return f"{held}; {peer['newer']} here are newer"
    return f"{held}; not proven of what is here now"


def _found(peer: dict[str, Any]) -> str:
    found = [f"{peer['count']} actions here and {peer['peer_count']} there"] if peer["peer_count"] else []
    found += [f"{peer['missing']} that it has were asked for in vain"] if peer["missing"] else []
    found += [f"{peer['refused']} that it gave were refused here"] if peer["refused"] else []
    return "; ".join(found) or "nothing could be said"


def _post_lines(facts: dict[str, Any]) -> list[str]:
    """What is plugged in, and how far the hubs are that post is carried to."""
    lines = []
    for stick in facts["sticks"]:
        state = (
            "post is being exchanged" if stick["busy"] else f"{stick['new']} new from it, {stick['given']} left on it"
        )
        lines.append(f"stick in {stick['place']}: {state}")
        lines += [f"  {words(stick['code'])}"] if stick["code"] else []
    for hub in facts["post"]:
        state = "holds the same" if hub["same"] else f"{hub['waiting']} actions to carry there"
        lines.append(f"post with {hub['name']}: {state}, as its last receipt says")
    return lines
