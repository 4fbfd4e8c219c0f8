"""One link to one peer: decodes its frames, and hands them to its sessions, to its shelf of content, or to the peers.

Every frame is dealt with at once and in order. What takes time (reading the store, the intake) runs beside and comes
back as an event; how much of it may be open at a time is bounded by the protocol's windows, and by a limit here for a
peer that keeps to none.
"""

from collections.abc import Awaitable, Callable, Sequence

from hubd.action import envelope
from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.errors import LocalError, RemoteError
from hubd.gossip import wire
from hubd.gossip.content import Sought, Told, Waited
from hubd.gossip.dialogue import Parties
from hubd.gossip.errands import OF_THE_CARD, Errands
from hubd.gossip.house import House, Traffic
from hubd.gossip.peer import (
    AskedLoaded,
    AskReceived,
    FaultSeen,
    FoundKnown,
    HaveReceived,
    NudgeReceived,
    PruneReceived,
    PushJudged,
    PushTaken,
    Side,
)
from hubd.gossip.sessions import Sessions
from hubd.gossip.shelf import Shelf
from hubd.limits import LINK_PING_S, LINK_PUSH_OPEN_CHUNKS_MAX, LINK_SILENCE_S, LINK_TASKS_MAX
from hubd.ports import Outcome, Verdict

_WORDS = (wire.Ping, wire.Nudge, wire.Have, wire.Ask, wire.Prune, wire.HaveContent, wire.Fault)  # no window bounds them


class Channel:
    """`send` takes one frame's bytes and returns "" or why it could not; `lost` is told that reason once."""

    def __init__(  # noqa: PLR0913  # who speaks to whom, what is remembered, and both ends of a wire, by name
        self,
        house: House,
        side: Side,
        parties: Parties,
        sought: Sought,
        *,
        send: Callable[[bytes], str],
        lost: Callable[[str], None],
    ) -> None:
        self.traffic = Traffic()
        self._heard_at = self._said_at = self._pinged_at = house.now()
        self.house = house
        self.side = side
        self.peer = parties.peer
        self.errands = Errands(house.store, house.intake, parties.peer)
        self._send_raw = send
        self._lost = lost
        self._tasks = 0
        self._pushes_open = 0
        self.is_closed = False
        self._shelf = Shelf(self, sought)
        self._sessions = Sessions(self, parties, self._shelf.seek)

    # --- what the link asks for

    def begin(self) -> None:
        """Start a session; on dialled links only."""
        self._sessions.begin()

    def send(self, frame: wire.Frame) -> None:
        """Send one frame, or find the link lost."""
        if self.is_closed:
            return
        raw = wire.encode(frame)
        reason = self._send_raw(raw)
        if reason:
            self._give_up(reason)
            return
        self._said_at = self.house.now()
        self.traffic.bytes_out += len(raw)

    def ask(self, ids: tuple[ActionId, ...]) -> None:
        """Ask for those that are not in our set; most of a session's news are there before a push would bring them."""

        async def work() -> None:
            try:
                known = {action.id for action in await self.house.store.get(ids)}
            except LocalError:
                self.send(wire.Ask(ids))  # what comes is written and not read, and its teller has kept its word
                raise
            self.house.report(FoundKnown(self.peer, tuple(known)))
            missing = tuple(id_ for id_ in ids if id_ not in known)
            if missing:
                self.send(wire.Ask(missing))

        self.run(work)

    def load_asked(self, ids: tuple[ActionId, ...]) -> None:
        """Read what the peer asked for."""

        async def work() -> None:
            try:
                actions = await self.house.store.get(ids)
            except LocalError:
                self.house.report(AskedLoaded(self.peer, []))
                raise
            self.house.report(AskedLoaded(self.peer, [envelope.encode(action) for action in actions]))

        self.run(work)

    def tick(self) -> None:
        """Some seconds have passed."""
        self._sessions.tick()
        self._shelf.seek(Waited())
        now = self.house.now()
        if now - self._heard_at > LINK_SILENCE_S:
            self._give_up("silent")
        elif self.side is Side.DIALLED and now - self._quiet_since >= LINK_PING_S:
            self._pinged_at = now
            self.send(wire.Ping())

    @property
    def _quiet_since(self) -> float:
        """Since when one of the two sides says nothing, and was not asked to."""
        return max(self._pinged_at, min(self._heard_at, self._said_at))

    def close(self) -> None:
        """No more frames, either way. What the intake has already been given stays given."""
        self.is_closed = True
        self._sessions.close()

    def _give_up(self, reason: str) -> None:
        if not self.is_closed:
            self.close()
            self._lost(reason)

    # --- what the peer says

    def take(self, raw: bytes) -> None:
        """Deal with one frame's bytes, whatever they are."""
        if self.is_closed:
            return
        self._heard_at = self.house.now()
        self.traffic.bytes_in += len(raw)
        frame = None
        try:
            frame = wire.decode(raw)
            self._take_frame(frame)
        except RemoteError as error:
            self.blame(error, is_told=not isinstance(frame, wire.Fault))

    def blame(self, error: RemoteError, *, is_told: bool = True) -> None:
        """The peer broke the protocol."""
        self.traffic.counters[error.code] += 1
        if is_told:
            self.send(wire.Fault(error.code))
        self.house.report(FaultSeen(self.peer, error.code))

    def _take_frame(self, frame: wire.Frame) -> None:
        if self._tasks >= LINK_TASKS_MAX:
            raise RemoteError("flood", "more requests than any window allows")
        if isinstance(frame, _WORDS) and not self.house.admits_word(self.peer):
            raise RemoteError("flood", "more words than any hub has to say")
        match frame:
            case wire.Ping():
                if self.side is Side.ACCEPTED:
                    self.send(frame)
            case wire.Push(envelopes):
                self._take_push(envelopes)
            case wire.Have(ids):
                self.house.report(HaveReceived(self.peer, ids))
            case wire.Ask(ids):
                self.house.report(AskReceived(self.peer, ids))
            case wire.Prune():
                self.house.report(PruneReceived(self.peer))
            case wire.Took(0):
                self.house.report(PushTaken(self.peer, self.side))
            case wire.AskContent(ids):
                self._shelf.asked(ids)
            case wire.Content():
                self._shelf.seek(frame)
            case wire.HaveContent(ids):
                self._shelf.seek(Told(ids))
            case wire.Nudge() if self.side is Side.DIALLED:
                self.house.report(NudgeReceived(self.peer))
            case wire.Nudge():
                raise RemoteError("order", "a nudge from the side that dialled")
            case wire.Hello() if self.side is Side.ACCEPTED:
                self._sessions.greeted(frame)
            case _:
                self._sessions.take(frame)

    def _take_push(self, envelopes: tuple[bytes, ...]) -> None:
        if self._pushes_open >= LINK_PUSH_OPEN_CHUNKS_MAX:
            raise RemoteError("credit", "more pushes than the window allows")
        self._pushes_open += 1
        self.run(lambda: self._offer_push(envelopes))

    async def _offer_push(self, envelopes: tuple[bytes, ...]) -> None:
        outcomes = await self.errands.offer(envelopes)
        for outcome in outcomes:
            self.traffic.counters[f"push-{outcome.verdict.value}"] += 1
        self._pushes_open -= 1
        self.send(wire.Took(0))
        self.house.report(_judged(self.peer, outcomes))

    def run(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do what takes time, beside; see `Line`."""

        async def counted() -> None:
            try:
                if not self.is_closed:
                    await work()
            except LocalError as error:
                if error.code not in OF_THE_CARD:
                    raise
                self._card_failed()
            finally:
                self._tasks -= 1

        self._tasks += 1
        self.house.spawn(counted())

    def _card_failed(self) -> None:
        """The link lives, and gives and takes what needs no reading; the session is put off."""
        self.traffic.counters["database"] += 1
        self._sessions.card_failed()


def _judged(peer: Principal, outcomes: Sequence[Outcome]) -> PushJudged:
    taken = [(outcome.id, outcome.is_new) for outcome in outcomes if outcome.id is not None]
    new, known = ([id_ for id_, is_new in taken if is_new is wanted] for wanted in (True, False))
    return PushJudged(peer, new, known, sum(outcome.verdict is Verdict.REFUSED for outcome in outcomes))
