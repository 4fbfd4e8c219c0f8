"""`hubd status`: how the hub is, for a coordinator and for programs."""

from pathlib import Path
from typing import Any

import click

from hubd.cli.terminal import command, data_option, json_option, listed, show, time_of, warn
from hubd.control import ask
from hubd.errors import FatalError
from hubd.messages import is_english, phrase, words
from hubd.sums import stx_of


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
        facts = await _of_stopped(directory)
    show(facts, as_json, _lines(facts))


async def _of_stopped(directory: Path) -> dict[str, Any]:
    from hubd.cli.local import local_hub  # noqa: PLC0415  # seconds on a Pi, and not needed while the hub runs

    async with local_hub(directory) as hub:
        return await hub.status()


_DISK = {"low": "status.disk-low", "short": "status.disk-short", "full": "status.disk-full"}
_CLOCK_RIGHT = {"ntp": "status.clock-by-ntp", "phones": "status.clock-by-phones"}
_CLOCK_BEHIND = {
    "ntp": "status.clock-behind-ntp",
    "chain": "status.clock-behind-chain",
    "mark": "status.clock-behind-mark",
    "phones": "status.clock-behind-phones",
    "charter": "status.clock-behind-charter",
}
_CLOCK_AHEAD = {"ntp": "status.clock-ahead-ntp", "phones": "status.clock-ahead-phones"}
_STATES = {
    "connected": "status.connected",
    "dialling": "status.dialling",
    "waiting": "status.waiting",
    "banned": "status.banned",
}
_WAYS = {
    "hello": "status.by-hello",
    "cursor": "status.by-cursor",
    "sketch": "status.by-sketch",
    "negentropy": "status.by-negentropy",
}


def _age(seconds: float | None) -> str:
    if seconds is None:
        return phrase("status.never")
    if seconds >= 86_400:
        return phrase("status.days", count=int(seconds // 86_400))
    if seconds >= 3_600:
        return phrase("status.hours", count=int(seconds // 3_600))
    if seconds >= 60:
        return phrase("status.minutes", count=int(seconds // 60))
    return phrase("status.seconds", count=int(seconds))


def _lacking_here(texts: int) -> str:
    """Sets are proven by ids; texts beside them may be missing, and are said apart."""
    return phrase("status.lacking-here", texts=texts) if texts else ""


def _lacking_there(texts: int) -> str:
    return phrase("status.lacking-there", texts=texts) if texts else ""


def _views(facts: dict[str, Any]) -> str:
    views, behind = facts["views"][:16], facts["views_behind"]
    return phrase("status.views-behind", views=views, actions=behind) if behind else phrase("status.views", views=views)


def _clock_lines(clock: dict[str, Any]) -> list[str]:
    """What is not in doubt; a clock that is wrong is a warning."""
    time = time_of(clock["time_s"])
    if clock["state"] == "confirmed":
        return [phrase(_CLOCK_RIGHT[clock["by"]], time=time, age=_age(clock["age_s"]))]
    return [phrase("status.clock-unconfirmed", time=time)] if clock["state"] == "unconfirmed" else []


def _warn_of_clock(clock: dict[str, Any]) -> None:
    time_s, off_s, by = clock["time_s"], clock["off_s"], clock["by"]
    if clock["state"] == "behind":
        warn(phrase(_CLOCK_BEHIND[by], time=time_of(time_s), right=time_of(time_s + off_s)))
    if clock["state"] == "ahead":
        warn(phrase(_CLOCK_AHEAD[by], time=time_of(time_s), right=time_of(time_s - off_s)))


def _lines(facts: dict[str, Any]) -> list[str]:
    state = phrase("status.running" if facts["running"] else "status.stopped")
    lacking, spoken = _lacking_here(facts["lacking"]), facts["spoken"]
    lines = [
        phrase("status.hub", name=facts["name"], state=state, mesh=facts["mesh"], network=facts["network"]),
        phrase("status.set", actions=facts["count"], lacking=lacking, spoken=spoken),
        _views(facts),
        *_clock_lines(facts["clock"]),
    ]
    if not facts["admitted"]:
        lines.append(phrase("status.unadmitted"))
    if facts["running"]:
        age_s = facts["scrubbed_age_s"]
        lines.append(phrase("status.not-scrubbed") if age_s is None else phrase("status.scrubbed", age=_age(age_s)))
        lines.append(phrase("status.ports", phones=facts["phones"]["port"], hubs=facts["gossip"]["port"]))
    for peer in facts["peers"]:
        lines += _neighbour_lines(peer)
    if not facts["peers"]:
        lines.append(phrase("status.alone"))
    if facts["running"] and facts["gossip"]["trouble"]:
        lines.append(phrase("terminal.warning", what=words(facts["gossip"]["trouble"])))
    lines += _post_lines(facts) + _uplink_lines(facts)
    if facts["unknown"]:
        lines.append(phrase("status.unknown", kinds=listed(sorted(facts["unknown"]))))
    _warnings(facts)
    return lines


def _warnings(facts: dict[str, Any]) -> None:
    _warn_of_clock(facts["clock"])
    if facts["disk"] != "plenty":
        warn(phrase(_DISK[facts["disk"]]))
    for code, detail in facts["unmet"]:
        warn(phrase("status.unmet", what=detail, words=words(code)))
    if facts["rotten"]:
        warn(phrase("status.rotten", actions=facts["rotten"]))


def _uplink_lines(facts: dict[str, Any]) -> list[str]:
    relay = facts["relay"]
    if relay is None:
        return [phrase("status.no-uplink")]
    state = words(relay["trouble"]).rstrip(".") if relay["trouble"] else phrase("status.well")
    ustx = relay["balance_ustx"]
    money = phrase("status.money-unknown") if ustx is None else stx_of(ustx)
    return [
        phrase("status.wallet", address=facts["wallet"]),
        phrase("status.uplink", state=state, actions=relay["waiting"], money=money),
        *([phrase("terminal.hint", what=relay["hint"])] if relay["hint"] and is_english() else []),
    ]


def _neighbour_lines(peer: dict[str, Any]) -> list[str]:
    """A neighbour is called the same only where that is proven of the set as it is now; else what is known to lack."""
    state, standing = phrase(_STATES[peer["state"]]), _standing(peer)
    lines = [phrase("status.neighbour", name=peer["name"], state=state, standing=standing)]
    notes = []
    if peer["reason"] and peer["state"] != "connected":
        notes.append(words(peer["reason"]))
    if peer["code"]:
        age, way = _age(peer["last_age_s"]), phrase(_WAYS[peer["rung"]])
        notes.append(phrase("status.compared", age=age, way=way, found=_found(peer)))
        notes.append(phrase("status.growing") if peer["code"] == "busy" else words(peer["code"]))
    return lines + [phrase("terminal.indented", what=note) for note in notes]


def _standing(peer: dict[str, Any]) -> str:
    if peer["proven_age_s"] is None:
        return phrase("status.not-compared" if peer["last_age_s"] is None else "status.not-proven")
    age, spoken = _age(peer["proven_age_s"]), peer["proven_spoken"]
    if peer["proven"]:
        proof = phrase("status.proof", age=age, way=phrase(_WAYS[peer["rung"]]))
        lacking = _lacking_there(peer["lacking"])
        return phrase("status.same", actions=peer["count"], lacking=lacking, spoken=spoken, proof=proof)
    held = phrase("status.held", actions=peer["proven_count"], spoken=spoken, age=age)
    if peer["newer"]:
        return phrase("status.was-newer", held=held, newer=peer["newer"])
    return phrase("status.was-other", held=held)


def _found(peer: dict[str, Any]) -> str:
    here, there, missing, refused = (peer[name] for name in ("count", "peer_count", "missing", "refused"))
    found = [phrase("status.found-counts", here=here, there=there)] if there else []
    found += [phrase("status.found-missing", actions=missing)] if missing else []
    found += [phrase("status.found-refused", actions=refused)] if refused else []
    return phrase("status.found").join(found) or phrase("status.found-nothing")


def _post_lines(facts: dict[str, Any]) -> list[str]:
    """What is plugged in, and how far the hubs are that post is carried to."""
    lines = []
    for stick in facts["sticks"]:
        is_busy, new, given = stick["busy"], stick["new"], stick["given"]
        state = phrase("status.stick-busy") if is_busy else phrase("status.stick-done", new=new, given=given)
        lines.append(phrase("status.stick", place=stick["place"], state=state))
        lines += [phrase("terminal.indented", what=words(stick["code"]))] if stick["code"] else []
    for hub in facts["post"]:
        name, waiting = hub["name"], hub["waiting"]
        is_same = hub["same"]
        lines.append(
            phrase("status.post-same", name=name)
            if is_same
            else phrase("status.post-waiting", name=name, actions=waiting)
        )
    return lines
