"""Whatever comes in whatever order, looking for content goes on or rests, and asks a bounded number of times.

The exhaustive twin is in tests/unit/gossip/test_content.py (all small shelves); the simulation plays whole meshes.
"""

from conversations import envelope, id_of
from hypothesis import given, settings
from hypothesis import strategies as st

from hubd.errors import RemoteError
from hubd.gossip.content import LackingLoaded, LoadLacking, Seeker, Sought
from hubd.gossip.dialogue import Ended, Offer, Offered, SendFrame, StoreFailed
from hubd.gossip.wire import Content
from hubd.limits import CONTENT_REST_S, CONTENT_VAIN_MAX
from hubd.ports import Outcome, Verdict

ROWS = [(number, id_of(envelope(number))) for number in range(1, 9)]
OUTCOMES = st.sampled_from([
    Outcome(Verdict.OK, ROWS[0][1]), Outcome(Verdict.OK, ROWS[3][1]), Outcome(Verdict.OK, id_of(b"another")),
    Outcome(Verdict.REFUSED, None, "signature"), Outcome(Verdict.DEFERRED),
])  # fmt: skip
SAID = st.one_of(
    st.builds(Ended, st.booleans(), lacking=st.integers(0, 9), peer_lacking=st.integers(0, 9)),
    st.builds(Content, st.integers(0, 12), st.lists(st.just(envelope(1)), max_size=9).map(tuple)),
)
FOUND = st.one_of(
    st.just(StoreFailed()),
    st.builds(LackingLoaded, st.sets(st.sampled_from(ROWS)).map(sorted)),
    st.builds(Offered, st.lists(OUTCOMES, min_size=1, max_size=4), st.just(0)),
)
FITS = {LoadLacking: (LackingLoaded, StoreFailed), Offer: (Offered, StoreFailed)}


@settings(derandomize=True, deadline=None, max_examples=300)
@given(said=st.lists(SAID, max_size=60), found=st.lists(FOUND, max_size=60), step_s=st.sampled_from([0.0, 1.0, 30.0]))
def test_a_seeker_has_one_thing_under_way_and_asks_a_bounded_number_of_times(said, found, step_s):
    """Kills the mutant that begins a second walk while an answer is awaited."""
    seeker, waiting, asked = Seeker(Sought()), [], 0
    for number, event in enumerate(said):
        todo = [event]
        while todo:
            try:
                outs = seeker.handle(todo.pop(), number * step_s)
            except RemoteError as error:
                assert error.code in {"order", "refused"}
                outs = []
            asked += sum(isinstance(out, SendFrame) for out in outs)
            waiting += [out for out in outs if not isinstance(out, SendFrame)]
            assert len(waiting) <= 1
            if waiting and found:
                answer = next((each for each in found if isinstance(each, FITS[type(waiting[0])])), None)
                if answer is not None:
                    found.remove(answer)
                    waiting.clear()
                    todo.append(answer)
    walks = 1 + len(said) * step_s / CONTENT_REST_S
    contents = sum(isinstance(event, Content) for event in said)
    assert asked <= walks * CONTENT_VAIN_MAX + contents
