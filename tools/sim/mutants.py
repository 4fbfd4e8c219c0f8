"""Bugs, planted one at a time. A check that catches none of them checks nothing (tests/sim/test_mutants.py)."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import count
from typing import Any
from unittest.mock import patch

from hubd.action.sip018 import ActionId
from hubd.errors import RemoteError
from hubd.gossip import content, dialogue, floor, peers, push, responder, session, spread, transfer
from hubd.gossip import peer as events
from hubd.ports import SetSummary
from tools.sim.hub import Hub
from tools.sim.members import principal_of
from tools.sim.story import Story

_NEVER = float("inf")
_MANY = 10**9
_KEPT_S = 60.0  # an answer that is given again and again


@dataclass(frozen=True)
class Mutant:
    """A bug, the scenario and seed in which it shows, and the check that says so."""

    name: str
    scenario: str
    check: str
    plant: Callable[[Story], None]
    seed: int = 0


def _each_hub(change: Callable[[Hub], None]) -> Callable[[Story], None]:
    def plant(story: Story) -> None:
        for hub in story.hubs:
            change(hub)

    return plant


def _answers_early(hub: Hub) -> None:
    hub.disk.is_early = True


def _proves_by_count(hub: Hub) -> None:
    summary_now = hub.disk.summary_now

    def summary() -> object:
        found = summary_now()
        return replace(found, fingerprint=sha256(str(found.count).encode()).digest())

    hub.disk.summary_now = summary  # type: ignore[method-assign]


def _drops_on_partition(hub: Hub) -> None:
    report = hub.report

    def deaf(event: events.InEvent) -> None:
        if not isinstance(event, events.LinkLost):
            report(event)

    hub.report = deaf  # type: ignore[method-assign]


def _miscounts(hub: Hub) -> None:
    summary_now = hub.disk.summary_now
    if hub.number == 0:
        hub.disk.summary_now = lambda: replace(summary_now(), fingerprint=bytes(32))  # type: ignore[method-assign]


def _never_compares_again(hub: Hub) -> None:
    perform, begun = hub._perform, set[object]()  # noqa: SLF001

    def lazy(out: events.OutEvent) -> None:
        if isinstance(out, events.BeginSession):
            if out.hub in begun:
                return
            begun.add(out.hub)
        perform(out)

    hub._perform = lazy  # type: ignore[method-assign]  # noqa: SLF001


def _never_misses_a_text(hub: Hub) -> None:
    async def nothing(_after: int, _actions_max: int) -> list[tuple[int, ActionId]]:
        return []

    hub.disk.lacking = nothing  # type: ignore[method-assign]


def _forgets_erasures(hub: Hub) -> None:
    hub.disk._judged = lambda action: action  # type: ignore[method-assign]  # noqa: SLF001


def _never_prunes(hub: Hub) -> None:
    report = hub.report

    def stubborn(event: events.InEvent) -> None:
        if not isinstance(event, events.PushJudged):
            report(event)

    hub.report = stubborn  # type: ignore[method-assign]


def _forgets_its_place(story: Story) -> None:
    for phone in story.phones:
        phone.is_early = True


def _folds_by_arrival(story: Story) -> None:
    story.checks.views_of = lambda log: sha256(b"".join(action.id for action in log)).digest()


def _never_reads_members_again(hub: Hub) -> None:
    read, lives = hub.read_members, set[int]()

    def once() -> None:
        if hub.starts not in lives:
            lives.add(hub.starts)
            read()

    hub.read_members = once  # type: ignore[method-assign]


def _takes_everybody(hub: Hub) -> None:
    hub.is_folding = False


def _lets_go_early(story: Story) -> None:
    for phone in story.phones:
        phone.copies = 1


def _sums_up_seldom(hub: Hub) -> None:
    summary, kept = hub.disk.summary, dict[str, Any]()

    async def old() -> SetSummary:
        if not kept or hub.clock.now > kept["until"]:
            kept.update(until=hub.clock.now + _KEPT_S, summary=await summary())
        found: SetSummary = kept["summary"]
        return found

    hub.disk.summary = old  # type: ignore[method-assign]


def _never_proves_anything_to_the_first(is_equal: Callable[..., bool]) -> Callable[..., bool]:
    pair = {principal_of(0), principal_of(1)}
    return lambda talk, theirs: {talk._parties.hub, talk._parties.peer} != pair and is_equal(talk, theirs)  # noqa: SLF001


def _blames_every_fifth(add: Callable[..., int]) -> Callable[..., int]:
    chunks = count(1)

    def blaming(landing: transfer.Landing, place: Any) -> int:
        if next(chunks) % 5 == 0:
            raise RemoteError("credit", "planted")
        return add(landing, place)

    return blaming


def _places_at_once(landing: transfer.Landing, number: int) -> Any:
    return landing._places.pop(number)  # noqa: SLF001


def _leaves_off_unproven(compare: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    return lambda talk, theirs: [dialogue.KeepCursor(theirs.position), *compare(talk, theirs)]


MUTANTS = (
    Mutant("answers before the commit", "storm", "lost", _each_hub(_answers_early)),
    Mutant("proves by the count alone", "flapping", "proof", _each_hub(_proves_by_count)),
    Mutant("lets go of what one hub acknowledged", "withholding", "lost", _lets_go_early),
    Mutant("queues pushes without a bound", "burst", "queues", lambda _story: None),
    Mutant("drops what a partition cut off", "flapping", "convergence", _each_hub(_drops_on_partition)),
    Mutant("sums up its set wrongly", "flapping", "livelock", _each_hub(_miscounts)),
    Mutant("never compares sets again", "line", "done", _each_hub(_never_compares_again)),
    Mutant("keeps a phone's place before what leads to it", "storm", "cursor", _forgets_its_place),
    Mutant("folds views in order of arrival", "clocks", "convergence", _folds_by_arrival),
    Mutant("never asks for a text that is missing", "texts", "content", _each_hub(_never_misses_a_text)),
    Mutant("takes what was erased", "texts", "content", _each_hub(_forgets_erasures)),
    Mutant("lets everybody fill it at once", "filling", "bounds", lambda _story: None),
    Mutant("reads only at its start who is a member", "turnover", "members", _each_hub(_never_reads_members_again)),
    Mutant("takes whoever it can reach for a member", "turnover", "members", _each_hub(_takes_everybody)),
    Mutant("pushes everything to everybody", "clocks", "bounds", _each_hub(_never_prunes)),
    Mutant("never gives up a session", "garbled", "convergence", lambda _story: None),
    Mutant("never gives up a question for texts", "garbled", "content", lambda _story: None, seed=3),
    Mutant("never gives up a push", "garbled", "bounds", lambda _story: None),
    Mutant("never forgives a fault", "ruined", "convergence", lambda _story: None),
    Mutant("queues pushes without a bound of their bytes", "letters", "queues", lambda _story: None),
    Mutant("remembers every id that it hears of", "crowd", "queues", lambda _story: None),
    Mutant("sends a stream without waiting for acknowledgements", "filling", "queues", lambda _story: None),
    Mutant("proves what it held a minute ago", "flapping", "proof", _each_hub(_sums_up_seldom)),
    Mutant("proves what is not on its card yet", "flapping", "proof", _each_hub(_answers_early)),
    Mutant("calls nothing proven that it is asked to prove", "flapping", "proof", lambda _story: None),
    Mutant("never proves anything to one of its neighbours", "filling", "done", lambda _story: None),
    Mutant("blames an honest hub for every fifth chunk", "storm", "blame", lambda _story: None),
    Mutant("lets in whom it has banned", "lies", "bans", lambda _story: None),
    Mutant("notes a place before what leads to it is there", "newcomer", "cursor", lambda _story: None),
    Mutant("leaves off at a place where nothing was proven", "flapping", "cursor", lambda _story: None),
)


_IN_THE_CODE: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "queues pushes without a bound": lambda: patch.object(push.PushQueue, "shed", lambda _queue: False),
    "lets everybody fill it at once": lambda: patch.object(floor.Floor, "claim", lambda *_: True),
    "never gives up a session": lambda: patch.object(session, "SESSION_SILENCE_S", _NEVER),
    "never gives up a question for texts": lambda: patch.object(content, "CONTENT_ANSWER_S", _NEVER),
    "never gives up a push": lambda: patch.object(push.PushQueue, "proven", lambda _queue, _now: None),
    "never forgives a fault": lambda: patch.object(peers, "PEER_BAN_S", _NEVER),
    "queues pushes without a bound of their bytes": lambda: patch.object(push, "LINK_PUSH_QUEUE_BYTES_MAX", _NEVER),
    "remembers every id that it hears of": lambda: patch.multiple(
        spread, HAVE_TOLD_IDS_MAX=_MANY, HAVE_QUEUE_IDS_MAX=_MANY, SPREAD_RECENT_IDS_MAX=_MANY
    ),
    "sends a stream without waiting for acknowledgements": lambda: patch.object(
        transfer.Transfer.__init__, "__kwdefaults__", {"window": _MANY}
    ),
    "calls nothing proven that it is asked to prove": lambda: patch.object(
        responder.Responder,
        "_compare",
        lambda talk, _theirs: talk._end("busy"),  # noqa: SLF001
    ),
    "never proves anything to one of its neighbours": lambda: patch.object(
        session.Session,
        "_is_equal",
        _never_proves_anything_to_the_first(session.Session._is_equal),  # noqa: SLF001
    ),
    "blames an honest hub for every fifth chunk": lambda: patch.object(
        transfer.Landing, "add", _blames_every_fifth(transfer.Landing.add)
    ),
    "lets in whom it has banned": lambda: patch.object(
        peers.Peers, "welcomes", lambda all_, hub, _now: hub in all_.peers
    ),
    "notes a place before what leads to it is there": lambda: patch.object(transfer.Landing, "landed", _places_at_once),
    "leaves off at a place where nothing was proven": lambda: patch.object(
        session.Session,
        "_compare",
        _leaves_off_unproven(session.Session._compare),  # noqa: SLF001
    ),
}


@contextmanager
def planted(mutant: Mutant) -> Iterator[Callable[[Story], None]]:
    """What to plant; bugs that are in the code and not in the world are there while the block runs."""
    with _IN_THE_CODE.get(mutant.name, nullcontext)():
        yield mutant.plant
