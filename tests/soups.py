"""Soups: sets of actions that disagree with one another, by area, for tests that stir them.

Each soup is a base that has to be there, and a handful of actions that compete: concurrent versions, strangers, late
parents, replays, contradictions, and content of the wrong shape. All are valid; what they mean is the fold's business.
"""

from collections.abc import Callable

import soups_of_lessons as lessons
import soups_of_people as people
from builders import Village
from soup import Soup

from hubd.action.envelope import Action
from hubd.action.kinds import KINDS

SOUPS: dict[str, Callable[[], Soup]] = {
    "mesh": people.mesh,
    "council": people.council,
    "chain": people.chain,
    "identity": people.identity,
    "market": lessons.market,
    "lesson": lessons.lesson,
    "ends": lessons.ends,
    "dispute": lessons.dispute,
    "money": lessons.money,
    "recovery": people.recovery,
}


PEOPLE = ("ana", "tomas", "phone", "steward-1", "steward-2", "hub")
Drawn = tuple[str, str, int, str, int, int, int]  # kind, author, index of the subject, who, and three small numbers


def stir(village: Village, drawn: list[Drawn]) -> list[Action]:
    """Actions of any kinds by a handful of people about one another's, their columns mostly in order."""
    actions: list[Action] = []
    for kind, author, about, who, amount, bits, moment in drawn:
        row = KINDS[kind]
        fields = {
            "subject": actions[-1 - about % len(actions)] if actions else b"\x07" * 32,
            "who": who,
            "amount": amount,
            "bits": bits,
            "moment": moment,
            "asset": village.hours,
        }
        fields = {name: value for name, value in fields.items() if row.columns[name].meaning}
        actions.append(village.seal(author, kind, text=_text(village, kind, actions, amount, bits), **fields))
    return actions


def _text(village: Village, kind: str, actions: list[Action], height: int, code: int) -> dict | None:
    """Content for the kinds that the fold reads."""
    if kind == "hub-announce":
        return {"name": "hub", "curve": bytes(32), "box": bytes(32), "addresses": [], "uplink": bool(code % 2)}
    if kind == "relay-receipt":
        items = [[bytes(action.id), code] for action in actions[-6:]]
        return {"block": bytes(32), "height": height, "index": 0, "items": items}
    if kind == "relay-balance":
        return {"height": height, "balances": [[bytes(village.principal("ana")), None, height, code]]}
    return {} if KINDS[kind].columns["content"].meaning else None
