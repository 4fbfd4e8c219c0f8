"""Texts that came to this hub after their headers, for phones that are connected then and had taken the headers.

The latest ones are kept once for all phones, without the texts: a conversation remembers how many it has looked at, and
reads the texts from the store. So a phone that reads slowly costs nothing. What was pushed out before a phone looked, it
asks for with its next sync.
"""

from collections import deque
from collections.abc import Sequence

from hubd.action.envelope import Action, without_content
from hubd.limits import PHONE_LATE_TEXTS_MAX
from hubd.web.reading import Reading
from hubd.web.standing import Reader, Standing


class LateTexts:
    """`count` is how many have come since the hub started."""

    def __init__(self, reading: Reading, standing: Standing) -> None:
        self._reading, self._standing = reading, standing
        self._headers: deque[Action] = deque(maxlen=PHONE_LATE_TEXTS_MAX)
        self.count = 0

    def add(self, actions: Sequence[Action]) -> None:
        """The texts of these, which were here without, are on disk now."""
        self._headers.extend(map(without_content, actions))
        self.count += len(actions)

    async def page(self, reader: Reader, looked_at: int) -> tuple[list[bytes], int]:
        """Envelopes of those behind the first `looked_at` that this reader may read, as many as fit a page, and how many
        of all are looked at then.
        """
        count, kept = self.count, list(self._headers)
        first = count - len(kept)
        behind = enumerate(kept[max(0, looked_at - first) :], max(first, looked_at))
        shown = [(at, header.id) for at, header in behind if reader.share(header, self._standing)]
        envelopes, until = await self._reading.get_page(reader, [id_ for _, id_ in shown], is_bare=True)
        return envelopes, shown[until][0] if until < len(shown) else count
