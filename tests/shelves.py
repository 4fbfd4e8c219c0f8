"""Contents beside two sets, and the talk of two hubs about what is missing."""

from conversations import envelope, id_of

from hubd.gossip.content import BareLoaded, LackingLoaded, LoadBare, LoadLacking, Seeker, Sought, Told
from hubd.gossip.dialogue import Ended, Offer, Offered, SendFrame
from hubd.gossip.wire import Content
from hubd.ports import Outcome, Verdict


class Shelf:
    """The contents beside a set of `count` actions. `bare` are missing, `erased` are gone for good."""

    def __init__(self, count, bare=(), erased=()):
        self.bodies = {id_of(envelope(number)): envelope(number) for number in range(count)}
        self.order = list(self.bodies)
        self.erased = {self.order[number] for number in erased}
        self.bare = {self.order[number] for number in bare} - self.erased
        self.fits = 3  # bodies in one answer
        self.is_full = False
        self.asked = []

    def answer(self, out):
        if isinstance(out, LoadLacking):
            rows = [(at, id_) for at, id_ in enumerate(self.order, 1) if at > out.after and id_ in self.bare]
            return LackingLoaded(rows[: out.actions_max])
        if isinstance(out, LoadBare):
            return BareLoaded([id_ for id_ in out.ids if id_ in self.bare])
        assert isinstance(out, Offer)
        return Offered([self.judge(raw) for raw in out.envelopes], out.number)

    def judge(self, raw):
        if self.is_full:
            return Outcome(Verdict.DEFERRED)
        if raw.startswith(b"bad"):
            return Outcome(Verdict.REFUSED, None, "signature")
        id_ = id_of(raw.removeprefix(b"bare"))
        if not raw.startswith(b"bare"):
            self.bare.discard(id_)
        return Outcome(Verdict.OK, id_)

    def give(self, ids):
        self.asked.append(ids)
        found, through = [], 0
        for id_ in ids:
            if id_ in self.bodies and id_ not in self.bare | self.erased:
                if len(found) == self.fits:
                    break
                found.append(self.bodies[id_])
            through += 1
        return Content(through, tuple(found))


def proof(ours, theirs):
    return Ended(is_proven=True, lacking=len(ours.bare), peer_lacking=len(theirs.bare))


def seek(seeker, ours, theirs, now=0.0, *, ended=None, twist=lambda frame: frame):
    """Everything that follows one proof; the frames that were asked."""
    asked = []
    todo = seeker.handle(ended or proof(ours, theirs), now)
    while todo:
        out = todo.pop(0)
        if isinstance(out, SendFrame):
            asked.append(out.frame)
            todo += seeker.handle(twist(theirs.give(out.frame.ids)), now)
        else:
            todo += seeker.handle(ours.answer(out), now)
    return asked


class Talk:
    """A seeker, its own hub's shelf and a peer's; what the peer is asked waits in `asked` until it answers."""

    def __init__(self, ours, theirs, sought=None):
        self.seeker, self.ours, self.theirs = Seeker(sought or Sought()), ours, theirs
        self.asked = []

    def hear(self, event, now=0.0):
        todo = self.seeker.handle(event, now)
        while todo:
            out = todo.pop(0)
            if isinstance(out, SendFrame):
                self.asked.append(out.frame.ids)
            else:
                todo += self.seeker.handle(self.ours.answer(out), now)

    def tell(self, *numbers, now=0.0):
        self.hear(Told([self.ours.order[number] for number in numbers]), now)

    def answer(self, now=0.0, twist=lambda frame: frame):
        self.hear(twist(self.theirs.give(self.asked.pop(0))), now)
