"""A soup: a base that has to be there, and a handful of actions that compete."""

from dataclasses import dataclass

from builders import Village

from hubd.action.envelope import Action

TX1, TX2 = b"\x01" * 32, b"\x02" * 32


@dataclass(frozen=True)
class Soup:
    village: Village
    base: list[Action]
    rivals: list[Action]  # the first five are what the exhaustive test permutes

    @property
    def actions(self) -> list[Action]:
        return self.base + self.rivals
