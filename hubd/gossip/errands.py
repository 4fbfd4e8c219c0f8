"""What a session's machine asks of our own store and intake, done, and what came of it."""

from collections.abc import Sequence
from typing import TypeAlias

from hubd.action import envelope
from hubd.action.envelope import Action
from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.errors import LocalError
from hubd.gossip.content import BareLoaded, LackingLoaded, LoadBare, LoadLacking
from hubd.gossip.dialogue import (
    Compare,
    InEvent,
    LoadSketch,
    LoadSummary,
    Offer,
    Offered,
    SketchLoaded,
    SummaryLoaded,
)
from hubd.gossip.transfer import ActionsLoaded, LoadActions, LoadPage, PageLoaded
from hubd.gossip.wire import NOWHERE, Content, Place
from hubd.limits import CONTENT_READ_MAX, LINK_CHUNK_BYTES_MAX, SKETCH_SYMBOLS_MAX, STREAM_ANYWAY_ACTIONS
from hubd.ports import ActionStore, Door, Intake, Outcome, Verdict

OF_THE_CARD = frozenset(
    {"disk-full", "database"}
)  # it could not be read or written: no fault of a peer, no bug of ours

Errand: TypeAlias = LoadSummary | LoadSketch | Compare | LoadActions | LoadPage | Offer


class Errands:
    """Errands for the sessions with one peer."""

    def __init__(self, store: ActionStore, intake: Intake, peer: Principal) -> None:
        self._store = store
        self._intake = intake
        self._peer = peer

    async def run(self, errand: Errand) -> InEvent:
        """Do it; the answer is the event that the errand names."""
        match errand:
            case LoadSummary(check):
                return await self._summary(check)
            case LoadSketch():
                return SketchLoaded(await self._store.sketch_symbols(0, SKETCH_SYMBOLS_MAX))
            case Compare():
                return await self._store.over_items(errand.over)
            case LoadActions(ids):
                return ActionsLoaded(_envelopes(await self._store.get(ids)))
            case LoadPage():
                return await self._page(errand)
            case Offer(envelopes, number):
                return Offered(await self.offer(envelopes), number)

    async def offer(self, envelopes: Sequence[bytes]) -> list[Outcome]:
        """What becomes of the peer's actions. Where the card takes nothing now they are deferred, and the link lives."""
        try:
            return await self._intake.offer(envelopes, Door.PEER, self._peer)
        except LocalError as error:
            if error.code not in OF_THE_CARD:
                raise
            return [Outcome(Verdict.DEFERRED, code=error.code)] * len(envelopes)

    async def seek(self, errand: LoadLacking | LoadBare | Offer) -> LackingLoaded | BareLoaded | Offered:
        """Do what looking for missing content asks for."""
        match errand:
            case Offer(envelopes, number):
                return Offered(await self.offer(envelopes), number)
            case LoadBare(ids):
                return BareLoaded(await self._store.lacking_of(ids))
            case LoadLacking(after, actions_max):
                return LackingLoaded(await self._store.lacking(after, actions_max))

    async def content(self, ids: Sequence[ActionId]) -> Content:
        """Those of the first of these whose content is here, as many as fit one chunk."""
        through, size = 0, 0
        envelopes: list[bytes] = []
        for start in range(0, len(ids), CONTENT_READ_MAX):
            part = ids[start : start + CONTENT_READ_MAX]
            found = {action.id: action for action in await self._store.get(part) if action.content is not None}
            for id_ in part:
                raw = envelope.encode(found[id_]) if id_ in found else b""
                size += len(raw)
                if size > LINK_CHUNK_BYTES_MAX:
                    return Content(through, tuple(envelopes))
                envelopes += [raw] if raw else []
                through += 1
        return Content(through, tuple(envelopes))

    async def keep(self, place: Place) -> None:
        """Note durably up to where we have what the peer has."""
        await self._store.keep_cursor(self._peer, place.sequence, place.mark)

    async def _summary(self, check: Place) -> SummaryLoaded:
        is_known = check != NOWHERE and await self._store.mark_of(check.sequence) == check.mark
        cursor = Place(*await self._store.peer_cursor(self._peer))
        summary = await self._store.summary()
        beyond = summary.sequence - check.sequence
        if is_known and beyond > STREAM_ANYWAY_ACTIONS:
            few, reached = await self._store.page_for(
                self._peer, check.sequence, summary.sequence, STREAM_ANYWAY_ACTIONS + 1
            )
            beyond = len(few) if reached == summary.sequence and len(few) <= STREAM_ANYWAY_ACTIONS else beyond
        return SummaryLoaded(summary, cursor, is_known, beyond)

    async def _page(self, asked: LoadPage) -> PageLoaded:
        page, reached = await self._store.page_for(self._peer, asked.after, asked.until, asked.actions_max)
        after = reached if reached < asked.until else None
        if not page:
            return PageLoaded(NOWHERE, (), after)
        last = page[-1][0]
        place = Place(last, await self._store.mark_of(last))
        return PageLoaded(place, _envelopes([action for _, action in page]), after)


def _envelopes(actions: Sequence[Action]) -> list[bytes]:
    return [envelope.encode(action) for action in actions]
