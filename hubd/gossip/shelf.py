"""Content over one link, outside any session: what the peer asks for is given, what is missing here is asked for."""

from functools import partial

from hubd.action.sip018 import ActionId
from hubd.errors import LocalError, RemoteError
from hubd.gossip import content, dialogue, wire
from hubd.gossip.dialogue import SendFrame
from hubd.gossip.house import Line


class Shelf:
    """`sought` is what is remembered of the peer across its links."""

    def __init__(self, line: Line, sought: content.Sought) -> None:
        self._line = line
        self._seeker = content.Seeker(sought)
        self._is_giving = False  # an answer to `AskContent` is being made
        self._next: tuple[ActionId, ...] = ()  # what it asked for meanwhile, because it took its question for lost

    def asked(self, ids: tuple[ActionId, ...]) -> None:
        """The peer wants the content of these."""
        if self._is_giving and self._next:
            raise RemoteError("order", "asked for content twice again before the answer")
        if self._is_giving:
            self._next = ids
            return
        self._is_giving = True
        self._line.run(lambda: self._give(ids))

    async def _give(self, ids: tuple[ActionId, ...]) -> None:
        """As long a rest as it took comes before the answer: who asks for everything leaves the others their turns."""
        house = self._line.house
        began = house.now()
        answer = wire.Content(0, ())  # the card can't be read now
        try:
            answer = await self._line.errands.content(ids)
            await house.sleep(house.now() - began)
        finally:
            self._is_giving = False
            self._line.send(answer)
            ids, self._next = self._next, ()
            if ids:
                self.asked(ids)

    def seek(self, event: content.InEvent) -> None:
        """A session has ended, the peer has answered or told of something, or about a second has passed."""
        if self._line.is_closed:
            return
        for out in self._seeker.handle(event, self._line.house.now()):
            if isinstance(out, SendFrame):
                self._line.send(out.frame)
            else:
                self._line.run(partial(self._go_seeking, out))

    async def _go_seeking(self, errand: content.LoadLacking | content.LoadBare | dialogue.Offer) -> None:
        """After a look for what the peer tells of comes as long a rest as it took: it may tell of anything."""
        house = self._line.house
        began = house.now()
        try:
            answer = await self._line.errands.seek(errand)
            if isinstance(errand, content.LoadBare):
                await house.sleep(house.now() - began)
            self.seek(answer)
        except LocalError:
            self.seek(dialogue.StoreFailed())
            raise
        except RemoteError as error:
            self._line.blame(error)
