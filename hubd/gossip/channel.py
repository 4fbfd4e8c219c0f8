"""One link to one peer: decodes its frames, runs its sessions, performs what their machines ask of the store.

Every frame is dealt with at once and in order. What takes time (reading the store, the intake) runs beside and comes
back as an event; how much of it may be open at a time is bounded by the protocol's windows, and by a limit here for a
peer that keeps to none.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from hubd.action import envelope
from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.errors import LocalError, RemoteError
from hubd.gossip import content, dialogue, wire
from hubd.gossip.dialogue import Ended, KeepCursor, Parties, Rung, SendFrame
from hubd.gossip.errands import OF_THE_CARD, Errand, Errands
from hubd.gossip.initiator import Initiator
from hubd.gossip.peer import (
    AskedLoaded,
    AskReceived,
    FaultSeen,
    FoundKnown,
    HaveReceived,
    InEvent,
    NudgeReceived,
    PeerCounted,
    PruneReceived,
    PushJudged,
    PushTaken,
    SessionEnded,
    Side,
)
from hubd.gossip.responder import Responder
from hubd.gossip.session import Session
from hubd.limits import LINK_PING_S, LINK_PUSH_WINDOW_CHUNKS, LINK_SILENCE_S, LINK_TASKS_MAX
from hubd.ports import ActionStore, Intake, Outcome, Verdict


class House(Protocol):
    """What a channel needs of the link it belongs to."""

    store: ActionStore
    intake: Intake

    def first_rung(self, peer: Principal) -> Rung:
        """Where a session with this peer starts, after how the last one ended."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run beside; a failure is the whole link's. May drop it if the link is ending."""

    def admits_session(self, hub: Principal) -> bool:
        """Whether this peer may begin one more session now."""

    def rests(self, hub: Principal) -> bool:
        """Whether this peer's session is put off."""

    def takes_fill(self, hub: Principal, side: Side) -> bool:
        """Whether this peer, with which a session begins, may bring us many actions now."""

    async def sleep(self, seconds: float) -> None:
        """Let so much time pass."""

    def report(self, event: InEvent) -> None:
        """Tell the peers machine, and do what it says."""

    def now(self) -> float:
        """Seconds that never go back."""


@dataclass(slots=True)
class Traffic:
    """What passed over a link: bytes of frames, and outcomes by code."""

    bytes_in: int = 0
    bytes_out: int = 0
    counters: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Traffic") -> None:
        """This passed, too."""
        self.bytes_in += other.bytes_in
        self.bytes_out += other.bytes_out
        self.counters.update(other.counters)


class Channel:
    """`send` takes one frame's bytes and returns "" or why it could not; `lost` is told that reason once."""

    def __init__(  # noqa: PLR0913  # who speaks to whom, what is remembered, and both ends of a wire, by name
        self,
        house: House,
        side: Side,
        parties: Parties,
        sought: content.Sought,
        *,
        send: Callable[[bytes], str],
        lost: Callable[[str], None],
    ) -> None:
        self.traffic = Traffic()
        self._heard_at = self._said_at = self._pinged_at = house.now()
        self._house = house
        self._side = side
        self._parties = parties
        self._peer = parties.peer
        self._errands = Errands(house.store, house.intake, parties.peer)
        self._send_raw = send
        self._lost = lost
        self._session: Session | None = None
        self._sessions_begun = 0
        self._tasks = 0
        self._pushes_open = 0
        self._is_comparing = False
        self._to_compare: tuple[Session, dialogue.Compare] | None = None  # the newest, for the present session
        self._is_closed = False
        self._seeker = content.Seeker(sought)
        self._is_giving = False  # an answer to `AskContent` is being made

    # --- what the link asks for

    def begin(self) -> None:
        """Start a session; on dialled links only."""
        self._sessions_begun = self._sessions_begun % wire.SESSION_MAX + 1
        start = self._house.first_rung(self._peer)
        takes_fill = self._house.takes_fill(self._peer, self._side)
        session = self._session = Initiator(
            self._sessions_begun, self._parties, self._house.now(), start, takes_fill=takes_fill
        )
        self._handle(session, dialogue.Began())

    def send(self, frame: wire.Frame) -> None:
        """Send one frame, or find the link lost."""
        if self._is_closed:
            return
        raw = wire.encode(frame)
        reason = self._send_raw(raw)
        if reason:
            self._give_up(reason)
            return
        self._said_at = self._house.now()
        self.traffic.bytes_out += len(raw)

    def ask(self, ids: tuple[ActionId, ...]) -> None:
        """Ask for those that are not in our set; most of a session's news are there before a push would bring them."""

        async def work() -> None:
            try:
                known = {action.id for action in await self._house.store.get(ids)}
            except LocalError:
                self.send(wire.Ask(ids))  # what comes is written and not read, and its teller has kept its word
                raise
            self._house.report(FoundKnown(self._peer, tuple(known)))
            missing = tuple(id_ for id_ in ids if id_ not in known)
            if missing:
                self.send(wire.Ask(missing))

        self._run(work)

    def load_asked(self, ids: tuple[ActionId, ...]) -> None:
        """Read what the peer asked for."""

        async def work() -> None:
            try:
                actions = await self._house.store.get(ids)
            except LocalError:
                self._house.report(AskedLoaded(self._peer, []))
                raise
            self._house.report(AskedLoaded(self._peer, [envelope.encode(action) for action in actions]))

        self._run(work)

    def tick(self) -> None:
        """Some seconds have passed."""
        if self._session is not None:
            self._handle(self._session, dialogue.TimerFired())
        now = self._house.now()
        if now - self._heard_at > LINK_SILENCE_S:
            self._give_up("silent")
        elif self._side is Side.DIALLED and now - self._quiet_since >= LINK_PING_S:
            self._pinged_at = now
            self.send(wire.Ping())

    @property
    def _quiet_since(self) -> float:
        """Since when one of the two sides says nothing, and was not asked to."""
        return max(self._pinged_at, min(self._heard_at, self._said_at))

    def close(self) -> None:
        """No more frames, either way. What the intake has already been given stays given."""
        self._is_closed = True
        self._session = None

    def _give_up(self, reason: str) -> None:
        if not self._is_closed:
            self.close()
            self._lost(reason)

    # --- what the peer says

    def take(self, raw: bytes) -> None:
        """Deal with one frame's bytes, whatever they are."""
        if self._is_closed:
            return
        self._heard_at = self._house.now()
        self.traffic.bytes_in += len(raw)
        try:
            self._take_frame(wire.decode(raw))
        except RemoteError as error:
            self._blame(error)

    def _blame(self, error: RemoteError) -> None:
        self.traffic.counters[error.code] += 1
        self.send(wire.Fault(error.code))
        self._house.report(FaultSeen(self._peer, error.code))

    def _take_frame(self, frame: wire.Frame) -> None:
        if self._tasks >= LINK_TASKS_MAX:
            raise RemoteError("flood", "more requests than any window allows")
        match frame:
            case wire.Ping():
                if self._side is Side.ACCEPTED:
                    self.send(frame)
            case wire.Push(envelopes):
                self._take_push(envelopes)
            case wire.Have(ids):
                self._house.report(HaveReceived(self._peer, ids))
            case wire.Ask(ids):
                self._house.report(AskReceived(self._peer, ids))
            case wire.Prune():
                self._house.report(PruneReceived(self._peer))
            case wire.Took(0):
                self._house.report(PushTaken(self._peer, self._side))
            case wire.AskContent(ids):
                self._take_question(ids)
            case wire.Content():
                self._seek(frame)
            case wire.Nudge() if self._side is Side.DIALLED:
                self._house.report(NudgeReceived(self._peer))
            case wire.Nudge():
                raise RemoteError("order", "a nudge from the side that dialled")
            case wire.Hello() if self._side is Side.ACCEPTED:
                if not self._house.admits_session(self._peer):
                    raise RemoteError("too-many-sessions", "one after the other, faster than anything changes")
                if self._house.rests(self._peer):
                    self.send(wire.Fault("later"))
                    return
                takes_fill = self._house.takes_fill(self._peer, self._side)
                self._session = Responder(self._parties, self._house.now(), takes_fill=takes_fill)
                self._handle(self._session, dialogue.FrameReceived(frame))
            case _ if self._session is None:
                self.traffic.counters["late"] += 1
            case _:
                self._handle(self._session, dialogue.FrameReceived(frame))

    def _take_push(self, envelopes: tuple[bytes, ...]) -> None:
        if self._pushes_open >= LINK_PUSH_WINDOW_CHUNKS:
            raise RemoteError("credit", "more pushes than the window allows")
        self._pushes_open += 1
        self._run(lambda: self._offer_push(envelopes))

    async def _offer_push(self, envelopes: tuple[bytes, ...]) -> None:
        outcomes = await self._errands.offer(envelopes)
        for outcome in outcomes:
            self.traffic.counters[f"push-{outcome.verdict.value}"] += 1
        self._pushes_open -= 1
        self.send(wire.Took(0))
        self._house.report(_judged(self._peer, outcomes))

    # --- content that is missing

    def _take_question(self, ids: tuple[ActionId, ...]) -> None:
        if self._is_giving:
            raise RemoteError("order", "asked for content again before the answer")
        self._is_giving = True
        self._run(lambda: self._give(ids))

    async def _give(self, ids: tuple[ActionId, ...]) -> None:
        """As long a rest as it took comes before the answer: who asks for everything leaves the others their turns."""
        began = self._house.now()
        answer = wire.Content(0, ())  # the card can't be read now
        try:
            answer = await self._errands.content(ids)
            await self._house.sleep(self._house.now() - began)
        finally:
            self._is_giving = False
            self.send(answer)

    def _seek(self, event: content.InEvent) -> None:
        if self._is_closed:
            return
        for out in self._seeker.handle(event, self._house.now()):
            if isinstance(out, SendFrame):
                self.send(out.frame)
            else:
                self._run(partial(self._go_seeking, out))

    async def _go_seeking(self, errand: content.LoadLacking | dialogue.Offer) -> None:
        try:
            self._seek(await self._errands.seek(errand))
        except LocalError:
            self._seek(dialogue.StoreFailed())
            raise
        except RemoteError as error:
            self._blame(error)

    # --- sessions

    def _handle(self, session: Session, event: dialogue.InEvent) -> None:
        for out in session.handle(event, self._house.now()):
            self._perform(session, out)

    def _perform(self, session: Session, out: dialogue.OutEvent) -> None:
        match out:
            case SendFrame(frame):
                self.send(frame)
            case dialogue.Counted(ahead):
                self._house.report(PeerCounted(self._peer, self._side, ahead))
            case KeepCursor(place):
                self._run(lambda: self._errands.keep(place))
            case Ended():
                if self._session is session:
                    self._session = None
                if out.is_fault:
                    self.traffic.counters[out.code] += 1
                self._house.report(SessionEnded(self._peer, self._side, out))
                self._seek(out)
            case _:
                self._run(lambda: self._answer(session, out))

    async def _answer(self, session: Session, errand: Errand) -> None:
        if isinstance(errand, dialogue.Compare):
            await self._compare(session, errand)
        else:
            self._handle(session, await self._errands.run(errand))

    async def _compare(self, session: Session, errand: dialogue.Compare) -> None:
        """One at a time, for the session that is held now, and as long a rest as it took: its peer, who has as much to
        do for the next message, waits for nothing, and one that asks without end leaves the others their turns.
        """
        self._to_compare = (session, errand)
        if self._is_comparing:
            return
        self._is_comparing = True
        try:
            while self._to_compare is not None:
                (session, errand), self._to_compare = self._to_compare, None
                if session is not self._session:
                    continue
                began = self._house.now()
                self._handle(session, await self._errands.run(errand))
                await self._house.sleep(self._house.now() - began)
        finally:
            self._is_comparing = False

    def _run(self, work: Callable[[], Awaitable[None]]) -> None:
        async def counted() -> None:
            try:
                if not self._is_closed:
                    await work()
            except LocalError as error:
                if error.code not in OF_THE_CARD:
                    raise
                self._card_failed()
            finally:
                self._tasks -= 1

        self._tasks += 1
        self._house.spawn(counted())

    def _card_failed(self) -> None:
        """The link lives, and gives and takes what needs no reading; the session is put off."""
        self.traffic.counters["database"] += 1
        if self._session is not None:
            self._handle(self._session, dialogue.StoreFailed())


def _judged(peer: Principal, outcomes: Sequence[Outcome]) -> PushJudged:
    taken = [(outcome.id, outcome.is_new) for outcome in outcomes if outcome.id is not None]
    new, known = ([id_ for id_, is_new in taken if is_new is wanted] for wanted in (True, False))
    return PushJudged(peer, new, known, sum(outcome.verdict is Verdict.REFUSED for outcome in outcomes))
