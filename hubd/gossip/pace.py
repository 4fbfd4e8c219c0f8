"""How large a message of reconciliation may be on this link.

A large message saves round trips where thousands of differences are scattered, and on a slow link it is silence: nothing
else passes meanwhile, and the other side takes us for gone. So the first ones are small, and larger ones follow only
where the link has shown that it carries them in a few seconds.
"""

from hubd.limits import RECONCILE_FRAME_BYTES_MAX, RECONCILE_FRAME_S, RECONCILE_LINK_BYTES_MAX


class Pace:
    """Tell it of each message that goes and comes; `now` as machines have it."""

    def __init__(self) -> None:
        self.frame_bytes_max = RECONCILE_FRAME_BYTES_MAX
        self._said_bytes = 0
        self._said_at: float | None = None

    def said(self, size_bytes: int, now: float) -> None:
        """A message of ours is on its way."""
        self._said_bytes, self._said_at = size_bytes, now

    def heard(self, size_bytes: int, now: float) -> None:
        """The answer to it has come."""
        if self._said_at is None:
            return
        took_s = max(now - self._said_at, 0.001)
        carried = int((self._said_bytes + size_bytes) / took_s * RECONCILE_FRAME_S)
        self.frame_bytes_max = min(RECONCILE_LINK_BYTES_MAX, max(RECONCILE_FRAME_BYTES_MAX, carried))
