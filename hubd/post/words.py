"""What `RECEIPT.txt` on a stick says, for whoever carries it. No dates: a village's hub may not know the day."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from hubd.action.fingerprint import spoken
from hubd.action.principal import Principal
from hubd.messages import words
from hubd.post.receipt import Receipt

if TYPE_CHECKING:
    from hubd.post.exchange import Visit

GIVING = "The hub is writing on this stick. Please wait, and do not pull it out yet.\r\n"


def plain(name: str) -> str:
    """A hub's name as a text file and a terminal bear it."""
    return "".join(character if character.isprintable() else "?" for character in name) or "a hub"


def text_of(own_name: str, visit: "Visit", summary: Receipt, names: Callable[[Principal], str]) -> str:
    """The whole text. Lines end as every editor understands."""
    lines = [f"Post at the hub {plain(own_name)}", ""]
    lines += ["Taken from this stick:"] if visit.taken else ["Nothing on this stick was for this hub."]
    told = [(plain(names(hub)), tally) for hub, tally in visit.taken.items()]
    told += [("others", visit.taken_besides)] if visit.taken_besides.actions else []
    lines += [
        f"  from {name}: {tally.actions} actions, {tally.new} of them new here"
        + (f", {tally.deferred} not taken yet" if tally.deferred else "")
        for name, tally in told
    ]
    if visit.damaged:
        lines.append(
            f"{visit.damaged} parts were damaged or not for this hub. Carry the stick once more: they are written anew."
        )
    lines += ["", f"Left on this stick: {visit.given} actions more than before."]
    if visit.is_all:
        lines.append("The other hubs find here all that they lacked, as far as this hub knows.")
    else:
        lines.append("Not everything could be left: " + words(visit.code or "stick-full"))
    lines += [
        "",
        f"This hub now holds {summary.count} actions. Read aloud: {spoken(summary.fingerprint)}",
        "Hubs that show the same number and the same words hold the same.",
        "",
        "You may pull the stick out now.",
        "",
    ]
    return "\r\n".join(lines)
