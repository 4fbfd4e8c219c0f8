"""What the simulation measures of the machines: every bound is read, told when it is passed, and nothing is left out."""

from collections import Counter, deque
from dataclasses import replace

import pytest

from hubd.gossip import content, push, spread, tidings, transfer
from hubd.gossip.channel import Channel
from hubd.gossip.dialogue import Parties
from hubd.gossip.initiator import Initiator
from hubd.gossip.negentropy import Initiator as Asking
from hubd.gossip.peer import Peer, Side
from hubd.gossip.shelf import Shelf
from hubd.limits import LINK_PUSH_WINDOW_CHUNKS
from tools.sim import scenario, story, windows
from tools.sim.members import member_of, principal_of
from tools.sim.plan import plan_of

PARTIES = Parties(principal_of(0), principal_of(1), bytes(8))
ELSEWHERE = {  # what bounds those that have no number of their own
    ("Callbook", "_peers"): "the members",
    ("Callbook", "configured"): "the configuration",
    ("Floor", "_barred"): "the members",
    ("Floor", "_holder"): "one link",
    ("Floor", "_purses"): "two of them",
    ("Floor", "_waiting"): "the members",
    ("Hints", "_dialled"): "those that were heard",
    ("Hints", "_heard"): "see hubd.gossip.hints; no address is hinted in a story",
    ("Initiator", "_peer_counts"): "a greeting and an end",
    ("Responder", "_peer_counts"): "a greeting and an end",
    ("Landing", "_landed"): "the places",
    ("Landing", "_places"): "those that wait, and what landed before them",
    ("Peer", "links"): "two sides",
    ("Peers", "_former"): "the members of all times",
    ("Peers", "peers"): "the members",
    ("Spread", "_missing"): "what neighbours told, each of whom has a bound",
    ("Spread", "_neighbours"): "the links",
    ("Tidings", "_neighbours"): "the links",
    ("Traffic", "counters"): "codes and verdicts",
    ("_Neighbour", "queues"): "two sides",
    ("_Neighbour", "sides"): "two sides",
}
SIZED = (list, dict, set, frozenset, deque, Counter)


def channel():
    world = story.Story(scenario.load()["line"], 0, plan_of(scenario.load()["line"], 0))
    return Channel(
        world.hubs[0], Side.ACCEPTED, PARTIES, content.Sought(), send=lambda _raw: "", lost=lambda _why: None
    )


EMPTY = {
    push.PushQueue: push.PushQueue,
    spread.Spread: spread.Spread,
    spread._Neighbour: lambda: spread._Neighbour(principal_of(1)),
    tidings._Neighbour: tidings._Neighbour,
    content.Claims: content.Claims,
    content.Seeker: lambda: content.Seeker(content.Sought()),
    transfer.Transfer: transfer.Transfer,
    transfer.Landing: transfer.Landing,
    Initiator: lambda: Initiator(1, PARTIES, 0.0),
    Asking: lambda: Asking(message_bytes_max=100_000),
    Channel: channel,
    Shelf: lambda: Shelf(channel(), content.Sought()),
    Peer: lambda: Peer(member_of(1, is_near=True)),
}


@pytest.mark.parametrize("kind", windows.BOUNDS, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_each_bound_is_read_and_told_when_it_is_passed(kind, monkeypatch):
    bounds = windows.BOUNDS[kind]
    thing = EMPTY[kind]()
    assert windows.look([thing]).beyond == []
    monkeypatch.setitem(windows.BOUNDS, kind, [replace(bound, most=-1) for bound in bounds])
    told = {f"0 {bound.name} of a {kind.__name__}, at most -1" for bound in bounds}
    assert len(told) == len(bounds)
    assert told <= set(windows.look([[thing]]).beyond)


def test_a_queue_is_measured_where_it_lies_deep_in_a_hub():
    queue = push.PushQueue()
    queue._in_flight = LINK_PUSH_WINDOW_CHUNKS + 1
    spreading = spread.Spread()
    spreading.opened(principal_of(1), Side.DIALLED)
    spreading._neighbours[principal_of(1)].queues[Side.DIALLED] = queue
    assert windows.look([{"somewhere": (spreading,)}]).beyond == ["5 in_flight of a PushQueue, at most 4"]


def test_whatever_a_machine_gathers_has_a_bound_of_its_own_or_is_bounded_by_something_that_is_named(monkeypatch):
    """A new queue has to say how long it may be."""
    bounded = {(kind.__name__, bound.attribute) for kind, bounds in windows.BOUNDS.items() for bound in bounds}
    seen = set()
    parts = windows.parts

    def noting(thing):
        if type(thing).__module__.startswith("hubd.gossip"):
            names = [*getattr(thing, "__dict__", ()), *getattr(type(thing), "__slots__", ())]
            seen.update((type(thing).__name__, name) for name in names if isinstance(getattr(thing, name, 0), SIZED))
        return parts(thing)

    monkeypatch.setattr(windows, "parts", noting)
    for name in ("texts", "newcomer", "flapping", "lies"):
        story.run(scenario.load()[name], 0)
    assert len(seen) > 20
    assert seen - bounded - ELSEWHERE.keys() == set()
