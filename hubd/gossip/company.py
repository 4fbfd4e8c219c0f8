"""Whether this hub has company enough: one neighbour alone can keep things from it, and nobody would notice.

A hub that is linked to fewer than two others (or to fewer than there are) for a while says so. Nothing is done about it
here: dialling goes on anyway, and a stick with a bundle is a way around a neighbour that withholds.
"""

from hubd.limits import COMPANY_HUBS_MIN, COMPANY_SHORT_S


class Company:
    """`trouble` is "" or a code for the status page."""

    def __init__(self) -> None:
        self.trouble = ""
        self._enough_at: float | None = None

    def look(self, linked: int, known: int, now: float) -> bool:
        """So many hubs are linked, of so many that are known. Whether `trouble` began or ended."""
        was_in_trouble = bool(self.trouble)
        if self._enough_at is None or linked >= min(COMPANY_HUBS_MIN, known):
            self._enough_at = now
        self.trouble = "few-peers" if now - self._enough_at >= COMPANY_SHORT_S else ""
        return bool(self.trouble) is not was_in_trouble
