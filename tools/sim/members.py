"""Membership by actions: what hubs say of themselves, whom a steward admits, and whom one retires.

Where a scenario turns membership over, its last hub is retired and the one before it is admitted, each by an action that a
steward brings to a hub that stays. All hubs read from their own sets who belongs to the mesh, by the product's own fold.
"""

from collections.abc import Container, Iterable

from hubd.action import envelope
from hubd.action.content import SALT_BYTES, seal_content
from hubd.action.envelope import Action
from hubd.action.network import TESTNET
from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.action.statement import Statement
from hubd.fold.folder import fold
from hubd.fold.membership import MEMBER_KINDS
from hubd.gossip.peer import Member
from hubd.limits import STATEMENT_LIFE_S
from tools.sim.actions import CHARTER, EPOCH_S, signer

_STEWARD = "steward 0"


def principal_of(number: int) -> Principal:
    """The name of a hub."""
    return signer(f"hub {number}").principal(TESTNET)


def member_of(number: int, *, is_near: bool) -> Member:
    """A hub as others know it; only those in reach have an address of it."""
    key = number.to_bytes(32, "big")
    return Member(principal_of(number), key, (f"hub-{number}:7463",) if is_near else (), f"hub {number}")


def number_at(address: str) -> int:
    """The hub behind such an address."""
    return int(address.removeprefix("hub-").partition(":")[0])


def _said(author: str, kind: str, text: dict[str, object], **columns: object) -> Action:
    principal, salt = signer(author).principal(TESTNET), f"{kind} {author} {columns.get('who', b'')!r}".encode()
    content = seal_content(text, salt.ljust(SALT_BYTES)[:SALT_BYTES])
    statement = Statement(kind, principal, EPOCH_S, EPOCH_S + STATEMENT_LIFE_S, bytes(8), **columns)
    return envelope.seal(statement, signer(author), CHARTER.domain, content)


class Membership:
    """Who of so many hubs founds the mesh, who leaves it and who comes to it, and the actions that say so."""

    def __init__(self, hubs: int) -> None:
        self.leaver, self.comer = hubs - 1, hubs - 2
        names = {number: f"hub {number}" for number in range(hubs)}
        self._announced = {
            number: _said(
                name, "hub-announce",
                {"addresses": [], "box": bytes(32), "curve": number.to_bytes(32, "big"), "name": name, "uplink": False},
            )
            for number, name in names.items()
        }  # fmt: skip
        self._principals = {number: signer(name).principal(TESTNET) for number, name in names.items()}
        self._admitted = {
            number: _said(
                _STEWARD, "hub-admit", {"note": "admitted"}, subject=announced.id, who=self._principals[number],
                bits=number + 1,
            )
            for number, announced in self._announced.items()
        }  # fmt: skip
        self._retired = _said(
            _STEWARD, "hub-retire", {"note": "retired"}, subject=self._admitted[self.leaver].id,
            who=self._principals[self.leaver], bits=0,
        )  # fmt: skip

    def inherited(self, number: int) -> list[Action]:
        """What this hub holds from the beginning: the founders, and its own word."""
        founders = [each for each in self._announced if each != self.comer]
        founding = [action for each in founders for action in (self._announced[each], self._admitted[each])]
        return [*founding, self._announced[number]] if number == self.comer else founding

    def retirement(self) -> list[Action]:
        """What a steward brings to a hub, so that the last one must go."""
        return [self._retired]

    def admission(self) -> list[Action]:
        """What a steward brings to a hub, so that the one before it may come."""
        return [self._announced[self.comer], self._admitted[self.comer]]

    def belongs(self, number: int, known: Container[ActionId]) -> bool:
        """Whether whoever knows these actions has to take this hub for a member. Reads ids, without a fold."""
        is_retired = number == self.leaver and self._retired.id in known
        return self._admitted[number].id in known and not is_retired


def speaks(actions: Iterable[Action]) -> bool:
    """Whether some of these say who belongs to the mesh."""
    return any(action.kind in MEMBER_KINDS for action in actions)


def admitted(log: Iterable[Action]) -> frozenset[Principal]:
    """Who belongs to the mesh, by the fold of what a hub holds."""
    return frozenset(fold(CHARTER, [action for action in log if action.kind in MEMBER_KINDS]).mesh.hubs)
