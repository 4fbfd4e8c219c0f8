"""What mDNS tells of where hubs are. Anybody on the local network may say anything there: so many addresses, so often."""

from hubd.limits import HINT_DIAL_GAP_S, HINT_LIFE_S, HINTS_MAX, HINTS_PER_KEY_MAX


class Hints:
    """Addresses by the tag of the key that is said to answer there. `now` is any clock that never goes back."""

    def __init__(self) -> None:
        self._heard: dict[tuple[bytes, str], float] = {}  # the longest unheard first
        self._dialled: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._heard)

    def hear(self, tag: bytes, address: str, now: float) -> bool:
        """Remember, and forget what is too old or too much. Returns whether it is news."""
        is_news = self._heard.pop((tag, address), None) is None
        self._heard[tag, address] = now
        self._heard = {hint: heard for hint, heard in self._heard.items() if now - heard < HINT_LIFE_S}
        same = [hint for hint in self._heard if hint[0] == tag]
        if len(same) > HINTS_PER_KEY_MAX:
            del self._heard[same[0]]
        if len(self._heard) > HINTS_MAX:
            del self._heard[next(iter(self._heard))]
        return is_news

    def rested(self, tag: bytes, now: float) -> list[str]:
        """Where this key may be, of late heard of, and not dialled for a while: an address may be anybody's."""
        return [
            address
            for (claimed, address), heard in self._heard.items()
            if claimed == tag
            and now - heard < HINT_LIFE_S
            and now - self._dialled.get(address, -HINT_DIAL_GAP_S) >= HINT_DIAL_GAP_S
        ]

    def dialled(self, address: str, now: float) -> None:
        """It is being dialled, if it is one of these, whichever key it was for."""
        if any(each == address for _, each in self._heard):
            self._dialled = {each: at for each, at in self._dialled.items() if now - at < HINT_DIAL_GAP_S}
            self._dialled[address] = now
