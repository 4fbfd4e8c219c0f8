"""The evaluator on views of its own: what is computed, how often, and what it refuses to do."""

import pytest
from builders import Village

from hubd.errors import LocalError
from hubd.fold.engine import Engine
from hubd.fold.memory import DictMemory
from hubd.fold.read import Tally, View


class Counted:
    """Two views over requests and their closing, a tally between them, and a note of every evaluation."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.closings = View("closings", self._closing, {"request-open": lambda action, _: (action.id,)})
        self.closed = Tally("closed", self.closings, lambda is_closed: (("all", (int(is_closed),)),), lambda _, s: s[0])
        self.parity = View("parity", self._parity, always=("all",))
        self.strata = (self.closings, self.closed, self.parity)

    def _closing(self, request, read):
        self.asked.append("closing")
        author = read.action(request).statement.author
        return any(True for _ in read.filed("request-close", request, author))

    def _parity(self, key, read):
        self.asked.append("parity")
        return (read.entry(self.closed, key) or 0) % 2


def test_only_what_an_action_can_have_changed_is_computed_anew():
    village, counted = Village(), Counted()
    engine = Engine(village.charter, counted.strata)
    requests = [village.request("ana") for _ in range(50)]
    engine.append(requests)
    counted.asked.clear()
    engine.append([village.request_close("ana", requests[7])])
    assert counted.asked == ["closing", "parity"]


@pytest.mark.parametrize("times", [1, 5])
def test_an_entry_that_one_rule_reads_often_is_looked_up_once(times):
    looked_up = []

    class Watched(DictMemory):
        def entry(self, view, key):
            looked_up.append((view, key))
            return super().entry(view, key)

    village, counted = Village(), Counted()
    often = View("often", lambda key, read: [read.entry(counted.parity, key) for _ in range(times)], always=("all",))
    engine = Engine(village.charter, (counted.parity, often), Watched())
    engine.append([village.request("ana")])
    assert engine.memory.entry("often", "all") == [0] * times
    assert looked_up.count(("parity", "all")) == 3, "by the rule once, and to see whether it changed"


def test_roots_that_read_nothing_leave_no_trace():
    remembered = []

    class Watched(DictMemory):
        def remember(self, node, reads):
            remembered.append(node)
            super().remember(node, reads)

    village = Village()
    about = {"request-close": lambda action, read: [read.action(action.statement.subject).id]}
    views = [
        View(name, lambda key, _: key, about | roots)
        for name, roots in (("some", {}), ("all", {"*": lambda a, _: [a.id]}))
    ]
    engine = Engine(village.charter, views, Watched())
    request = village.request("ana")
    engine.append([request, village.request_close("ana", request)])
    assert sorted(engine.memory.entries("all")) == sorted(action.id for action in engine.memory.actions())
    assert not [name for name, _ in remembered if name.endswith("?")], "whole actions stay as they are"


def test_an_entry_that_comes_out_equal_stops_there():
    village, counted = Village(), Counted()
    engine = Engine(village.charter, counted.strata)
    request = village.request("ana")
    engine.append([request, village.request_close("ana", request)])
    counted.asked.clear()
    assert engine.append([village.request_close("ana", request)]) == []
    assert counted.asked == ["closing"]


def test_an_append_tells_what_differs_and_only_that():
    village, counted = Village(), Counted()
    engine = Engine(village.charter, counted.strata)
    one, two = village.request("ana"), village.request("ana")
    engine.append([one, village.request_close("ana", one)])
    deltas = engine.append([two, village.request_close("ana", two)])
    told = {(delta.view.name, delta.key): (delta.old, delta.new) for delta in deltas}
    assert told == {("closings", two.id): (None, True), ("closed", "all"): (1, 2), ("parity", "all"): (1, 0)}


def test_an_unknown_kind_costs_no_evaluation():
    village, counted = Village(), Counted()
    engine = Engine(village.charter, counted.strata)
    engine.settle()
    counted.asked.clear()
    engine.append([village.seal("ana", "kind-of-tomorrow", subject=b"\x05" * 32)])
    assert counted.asked == []


def test_a_rule_that_reads_a_view_behind_its_own_is_a_bug_that_shows():
    village, counted = Village(), Counted()
    engine = Engine(village.charter, (counted.parity, counted.closings, counted.closed))
    request = village.request("ana")
    with pytest.raises(LocalError):
        engine.append([request, village.request_close("ana", request)])


def test_a_rule_may_read_its_own_view_downwards():
    village = Village()

    def depth(action_id, read):
        action = read.action(action_id)
        below = read.entry(view, action.statement.subject) if action is not None else None
        return None if action is None else 1 + (below or 0)

    view = View("depth", depth, {"offer-set": lambda action, _: (action.id,)})
    chain = [village.offer("ana")]
    for _ in range(9):
        chain.append(village.offer("ana", previous=chain[-1]))
    for actions in (chain, chain[::-1]):
        engine = Engine(village.charter, (view,))
        for action in actions:
            engine.append([action])
        assert engine.memory.entries("depth") == {action.id: n for n, action in enumerate(chain, 1)}


class Paged(DictMemory):
    """A memory that hands readers out one by one, as one in a file does page by page."""

    def readers(self, node, after=None):
        readers = list(self._trace.readers(node))
        start = after or 0
        return readers[start : start + 1], start + 1 if start + 1 < len(readers) else None


@pytest.mark.parametrize("evaluations_max", [1, 2, 7])
def test_work_in_steps_that_is_left_and_taken_up_ends_where_work_at_once_ends(evaluations_max):
    village, counted = Village(), Counted()
    requests = [village.request("ana") for _ in range(5)]
    actions = [*requests, *(village.request_close("ana", request) for request in requests[:3])]
    whole, memory = Engine(village.charter, counted.strata), Paged()
    whole.append(actions)
    engine = Engine(village.charter, counted.strata, memory)
    engine.take(actions)
    while not engine.is_settled:
        engine.settle(evaluations_max)
        engine.pause()
        engine = Engine(village.charter, counted.strata, memory)
    for view in ("closings", "closed", "parity"):
        assert memory.entries(view) == whole.memory.entries(view)


def test_readers_beyond_the_first_page_hear_of_a_change():
    village = Village()
    tomas = village.principal("tomas")
    shared = View("shared", lambda _, read: len(read.authors("vouch-give/who", tomas)), always=(b"all",))
    copies = View("copies", lambda _, read: read.entry(shared, b"all"), {"request-open": lambda a, _: (a.id,)})
    engine = Engine(village.charter, (shared, copies), Paged())
    engine.append([village.request("ana") for _ in range(6)])
    engine.append([village.vouch("ana", "tomas")])
    assert list(engine.memory.entries("copies").values()) == [1] * 6


def test_what_is_asked_for_at_once_is_computed_before_all_else():
    village, counted = Village(), Counted()
    engine = Engine(village.charter, counted.strata)
    request = village.request("ana")
    engine.take([request, village.request_close("ana", request)])
    engine.settle(until=counted.closings)
    assert engine.memory.entry("closings", request.id) is True
    assert engine.memory.entry("closed", "all") is None
    assert not engine.is_settled
