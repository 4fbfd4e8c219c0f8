"""The evaluator's memory of who read what."""

from hubd.fold.trace import Trace

A, B, C = ("a", 1), ("b", 2), ("c", 3)


def test_a_node_is_read_by_whom_its_last_evaluation_says():
    trace = Trace()
    trace.remember(A, {C})
    assert list(trace.readers(C)) == [A]
    trace.remember(B, {C})
    assert set(trace.readers(C)) == {A, B}
    trace.remember(A, set())
    assert list(trace.readers(C)) == [B]
    assert list(trace.readers(A)) == []


def test_what_nobody_reads_any_more_takes_no_memory():
    trace = Trace()
    for reads in ({C}, {B, C}, set()):
        trace.remember(A, set(reads))
        trace.remember(B, set(reads) - {B})
    assert trace._reads == {}
    assert trace._readers == {}
