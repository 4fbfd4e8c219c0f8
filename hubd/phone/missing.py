"""Texts that this phone lacks, asked for at the end of a sync.

What a phone took by its cursor it never reads again. So a text that reached the hub after its header would pass it by. A
phone knows what it lacks: it asks for a few at a time, the oldest arrivals first, until it has asked for all, and for what
arrives later as it comes. What the hub did not have, or its author erased there, is asked for again after ten minutes,
then twenty, up to a day.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.limits import PHONE_LACKING_IDS_MAX, PHONE_LACKING_PAGES_MAX, PHONE_LACKING_S_MAX, PHONE_LACKING_S_MIN
from hubd.phone.link import HubLink
from hubd.phone.replica import Replica

_NOTE = "lacking "  # and the hub: how far it was asked


@dataclass
class _Walk:
    """How far a hub was asked, kept as a note from sync to sync."""

    after: int = 0  # in this phone's own order of arrival
    gained: int = 0
    ended_s: int = 0  # when all was asked for; 0: not yet
    wait_s: int = 0  # from then until the next walk

    @classmethod
    def of(cls, note: str | None) -> "_Walk":
        return cls(*map(int, note.split())) if note else cls()

    @property
    def note(self) -> str:
        return " ".join(map(str, astuple(self)))

    def begin(self, now_s: int) -> None:
        """Another walk, where it is time. A clock that was set back makes it time, too."""
        if self.ended_s and not self.ended_s <= now_s < self.ended_s + self.wait_s:
            self.after = self.gained = self.ended_s = 0

    def end(self, now_s: int) -> None:
        """All that is missing was asked for."""
        if not self.ended_s:
            self.wait_s = PHONE_LACKING_S_MIN if self.gained else min(PHONE_LACKING_S_MAX, 2 * self.wait_s)
            self.wait_s = max(PHONE_LACKING_S_MIN, self.wait_s)
            self.ended_s = now_s


async def ask(replica: Replica, link: HubLink, hub: Principal, now_s: int, *, sees_village: bool) -> int:
    """Ask this hub for some of what is missing here and shown to this phone there; how many came."""
    name = _NOTE + hub.hex()
    note = await replica.outbox.note(name)
    walk = _Walk.of(note)
    walk.begin(now_s)
    came = 0

    async def take(envelopes: list[bytes], _cursor: str | None) -> None:
        await replica.take(envelopes)

    for _ in range(PHONE_LACKING_PAGES_MAX):
        rows = await replica.store.lacking(walk.after, PHONE_LACKING_IDS_MAX)
        wanted = await _shown(replica, [id_ for _, id_ in rows], sees_village=sees_village)
        if wanted:
            await link.content(wanted, take)
        gained = len(wanted) - len(await replica.store.lacking_of(wanted))
        walk.after, walk.gained, came = max([walk.after, *(at for at, _ in rows)]), walk.gained + gained, came + gained
        is_all = len(rows) < PHONE_LACKING_IDS_MAX
        if is_all:
            walk.end(now_s)
        if is_all or (wanted and not gained):
            break
    if walk.note != note and (note or walk.after):
        await replica.outbox.set_note(name, walk.note)
    return came


async def _shown(replica: Replica, ids: Sequence[ActionId], *, sees_village: bool) -> list[ActionId]:
    """Those of which a hub shows this phone the content: a guest gets that of its own affairs alone."""
    if sees_village:
        return list(ids)
    return [action.id for action in await replica.store.get(ids) if replica.is_own(action)]
