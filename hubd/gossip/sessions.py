"""The sessions of one link, one at a time: their frames, and what their machines ask of the store."""

from collections.abc import Callable

from hubd.errors import RemoteError
from hubd.gossip import dialogue, wire
from hubd.gossip.dialogue import Ended, KeepCursor, Parties, SendFrame
from hubd.gossip.errands import Errand
from hubd.gossip.house import Line
from hubd.gossip.initiator import Initiator
from hubd.gossip.peer import Greeted, PeerCounted, SessionEnded, SessionLeft
from hubd.gossip.responder import Responder
from hubd.gossip.session import Session
from hubd.limits import LINK_LATE_FRAMES_MAX


class Sessions:
    """`ended` is told how each came to its end."""

    def __init__(self, line: Line, parties: Parties, ended: Callable[[Ended], None]) -> None:
        self._line = line
        self._parties = parties
        self._ended = ended
        self._session: Session | None = None
        self._begun = 0
        self._late = 0  # frames of former sessions, since the last one began
        self._is_comparing = False
        self._to_compare: tuple[Session, dialogue.Compare] | None = None  # the newest, for the present session

    def begin(self) -> None:
        """Start a session; on dialled links only."""
        house = self._line.house
        self._late = 0
        self._begun = self._begun % wire.SESSION_MAX + 1
        start = house.first_rung(self._line.peer)
        takes_fill = house.takes_fill(self._line.peer, self._line.side)
        session = self._session = Initiator(self._begun, self._parties, house.now(), start, takes_fill=takes_fill)
        self._handle(session, dialogue.Began())

    def greeted(self, frame: wire.Hello) -> None:
        """The peer, who dialled us, starts a session, and leaves one that it has not ended."""
        house, peer = self._line.house, self._line.peer
        self._leave("replaced")
        if not house.admits_session(peer):
            raise RemoteError("too-many-sessions", "one after the other, faster than anything changes")
        self._late = 0
        house.report(Greeted(peer, frame.count))
        if house.rests(peer):
            self._line.send(wire.Fault("later"))
            return
        takes_fill = house.takes_fill(peer, self._line.side)
        self._session = Responder(self._parties, house.now(), takes_fill=takes_fill)
        self._handle(self._session, dialogue.FrameReceived(frame))

    def take(self, frame: wire.Frame) -> None:
        """A frame of a session."""
        if self._session is not None and not self._session.is_late(frame):
            self._handle(self._session, dialogue.FrameReceived(frame))
            return
        self._line.traffic.counters["late"] += 1
        self._late += 1
        if self._late > LINK_LATE_FRAMES_MAX:
            raise RemoteError("flood", "more of sessions that are over than was on its way")

    def tick(self) -> None:
        """Some seconds have passed."""
        if self._session is not None:
            self._handle(self._session, dialogue.TimerFired())

    def card_failed(self) -> None:
        """Our own store can't be read or written now."""
        if self._session is not None:
            self._handle(self._session, dialogue.StoreFailed())

    def close(self) -> None:
        """The link is gone."""
        self._leave("closed")

    def _leave(self, code: str) -> None:
        session, self._session = self._session, None
        if session is not None:
            self._line.house.report(SessionLeft(self._line.peer, session.leave(code)))

    def _handle(self, session: Session, event: dialogue.InEvent) -> None:
        for out in session.handle(event, self._line.house.now()):
            self._perform(session, out)

    def _perform(self, session: Session, out: dialogue.OutEvent) -> None:
        line = self._line
        match out:
            case SendFrame(frame):
                line.send(frame)
            case dialogue.Counted(ahead):
                line.house.report(PeerCounted(line.peer, line.side, ahead))
            case KeepCursor(place):
                line.run(lambda: line.errands.keep(place))
            case Ended():
                if self._session is session:
                    self._session = None
                if out.is_fault:
                    line.traffic.counters[out.code] += 1
                line.house.report(SessionEnded(line.peer, line.side, out))
                self._ended(out)
            case _:
                line.run(lambda: self._answer(session, out))

    async def _answer(self, session: Session, errand: Errand) -> None:
        if isinstance(errand, dialogue.Compare):
            await self._compare(session, errand)
        else:
            self._handle(session, await self._line.errands.run(errand))

    async def _compare(self, session: Session, errand: dialogue.Compare) -> None:
        """One at a time, for the session that is held now, and as long a rest as it took: its peer, who has as much to
        do for the next message, waits for nothing, and one that asks without end leaves the others their turns.
        """
        self._to_compare = (session, errand)
        if self._is_comparing:
            return
        self._is_comparing = True
        house = self._line.house
        try:
            while self._to_compare is not None:
                (session, errand), self._to_compare = self._to_compare, None
                if session is not self._session:
                    continue
                began = house.now()
                self._handle(session, await self._line.errands.run(errand))
                await house.sleep(house.now() - began)
        finally:
            self._is_comparing = False
