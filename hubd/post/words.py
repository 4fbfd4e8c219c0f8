"""What `RECEIPT.txt` on a stick says, for whoever carries it. No dates: a village's hub may not know the day."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from hubd.action.fingerprint import spoken
from hubd.action.principal import Principal
from hubd.messages import phrase, words
from hubd.post.receipt import Receipt
from hubd.post.result import Result

if TYPE_CHECKING:
    from hubd.post.exchange import Visit
    from hubd.post.office import Tally


def _text(lines: Iterable[str]) -> str:
    """Lines end as every editor understands."""
    return "".join(f"{line}\r\n" for line in lines)


def giving() -> str:
    """What stands there while the hub writes."""
    return _text([phrase("receipt.writing"), phrase("receipt.broken-off")])


def text_of(own_name: str, visit: "Visit", summary: Receipt, names: Callable[[Principal], str]) -> str:
    """The whole text."""
    told = [_told(names(hub), tally) for hub, tally in visit.taken.items()]
    told += [_told(phrase("receipt.others"), visit.taken_besides)] if visit.taken_besides.actions else []
    lines = [
        phrase("receipt.title", name=own_name or phrase("receipt.nameless")),
        "",
        phrase("receipt.taken" if visit.taken else "receipt.taken-nothing"),
        *(phrase("terminal.indented", what=line) for line in told),
    ]
    if count := visit.bundles[Result.OTHER_MESH]:
        lines.append(phrase("receipt.other-mesh", bundles=count))
    if count := visit.bundles[Result.OTHER_HUBS]:
        lines.append(phrase("receipt.other-hubs", bundles=count))
    if visit.damaged:
        lines.append(phrase("receipt.damaged", parts=visit.damaged))
    lines += ["", phrase("receipt.left", actions=visit.given)]
    if visit.is_all:
        lines.append(phrase("receipt.all"))
    else:
        lines.append(phrase("receipt.not-all", why=words(visit.code or "stick-full")))
    holds = phrase("receipt.holds", actions=summary.count, spoken=spoken(summary.fingerprint))
    return _text([*lines, "", holds, phrase("receipt.same"), "", phrase("receipt.done")])


def _told(name: str, tally: "Tally") -> str:
    shown, actions, new = name or phrase("receipt.nameless"), tally.actions, tally.new
    if tally.deferred:
        return phrase("receipt.from-deferred", name=shown, actions=actions, new=new, deferred=tally.deferred)
    return phrase("receipt.from", name=shown, actions=actions, new=new)
