"""What a replacement costs, what may be spent on fees in a day, and the share of it that newcomers together may take."""

from dataclasses import dataclass

from hubd.limits import RELAY_NEWCOMERS_PERCENT_MAX


def raised(fee_ustx: int) -> int:
    """The fee of a replacement: any higher one is admitted, a quarter more is worth a miner's while."""
    return fee_ustx * 5 // 4 + 1


@dataclass(slots=True)
class Budget:
    """Fees of the last 24 hours in uSTX, `newcomers_ustx` of them for people nobody vouches for."""

    day_ustx: int = 0
    newcomers_ustx: int = 0

    def may_newcomers(self, fee_ustx: int, day_ustx_max: int) -> bool:
        """Whether their share has room."""
        return self.newcomers_ustx + fee_ustx <= day_ustx_max * RELAY_NEWCOMERS_PERCENT_MAX // 100

    def take(self, fee_ustx: int, day_ustx_max: int, *, are_newcomers: bool = False) -> bool:
        """Whether the day has room; if so, it is taken."""
        if self.day_ustx + fee_ustx > day_ustx_max:
            return False
        self.day_ustx += fee_ustx
        self.newcomers_ustx += fee_ustx if are_newcomers else 0
        return True
