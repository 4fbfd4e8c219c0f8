"""What time alone decides, said by the hub itself, so that nobody's money waits for somebody to think of it.

Three kinds need no person: `lesson-claim`, `dispute-settle` and `recovery-finish`. Anybody may sign them, and the contracts
ask their own clock. Sans-IO: from actions heard and the views follow the statements that are due by the chain's time; what
waits for it is a view (hubd/fold/agenda.py). Where the exact time of a change is not known nothing is said: too late costs
a wait, too early a fee.
"""

import hashlib
from collections.abc import Container, Iterable
from typing import TYPE_CHECKING

from hubd.action.envelope import Action
from hubd.action.principal import Principal
from hubd.action.statement import SALT_BYTES, Statement
from hubd.fold.views import Views, Waiting
from hubd.limits import RELAY_ENDS_MAX, RELAY_SAID_MAX, STATEMENT_LIFE_S
from hubd.relay.lease import turns, uplinks

if TYPE_CHECKING:
    from hubd.action.sip018 import ActionId

TURN_S = 86_400  # of the chain's time, for each hub that goes before ours

KINDS_SAID = frozenset(("lesson-claim", "dispute-settle", "recovery-finish"))


class Ends:
    """Remembers what `own` and others said of this kind; everything else follows from the views."""

    def __init__(self, own: Principal) -> None:
        self._own = own
        self._said: dict[tuple[str, ActionId], dict[Principal, tuple[ActionId, int]]] = {}
        self._count = 0

    def hear(self, actions: Iterable[Action], views: Views) -> None:
        """New actions of the set, in the order of arrival; of each author's on one subject the last one is remembered."""
        for action in actions:
            said = action.statement
            if action.kind in KINDS_SAID:
                rows = self._said.setdefault((action.kind, said.subject), {})
                self._count += said.author not in rows
                rows[said.author] = action.id, said.expires
        if self._count > RELAY_SAID_MAX:
            self._forget(self._count - RELAY_SAID_MAX, views)

    def _forget(self, count: int, views: Views) -> None:
        """First what waits no more, others' words before our own. Our own on what waits stay, or we pay for them again."""
        rows = [(key, author) for key, authors in self._said.items() for author in authors]
        ranked = sorted((key in views.waiting, author == self._own, at) for at, (key, author) in enumerate(rows))
        for is_waiting, is_own, at in ranked[:count]:
            if not (is_waiting and is_own):
                key, author = rows[at]
                del self._said[key][author]
                self._count -= 1
                if not self._said[key]:
                    del self._said[key]

    def due(self, views: Views, grace_s: int, known: Container[Principal] | None) -> tuple[Statement, ...]:
        """Statements for `own` to sign, what is due the longest first, at most `RELAY_ENDS_MAX`.

        `grace_s` is the mesh's grace period, `known` whose actions travel without delay (None: everybody's). A hub that
        is not admitted with an uplink says nothing.
        """
        own, hubs, now_s = self._own, uplinks(views), views.time_s
        if own not in hubs or now_s is None:
            return ()
        found = sorted(
            (after_s, due.kind, due.subject, due)
            for due in views.waiting.values()
            if now_s
            > (after_s := due.since + due.delay + due.graces * grace_s) + turns(due.subject, own, hubs) * TURN_S
            and not self._is_said(due, views, known)
        )
        return tuple(_statement(due, own, now_s) for *_, due in found[:RELAY_ENDS_MAX])

    def _is_said(self, due: Waiting, views: Views, known: Container[Principal] | None) -> bool:
        """Whether such an action is on its way. What the chain refused ours for, it will refuse again."""
        for author, (id_, expires) in self._said.get((due.kind, due.subject), {}).items():
            settlement = views.settlement.get(id_)
            is_refused = settlement is not None and settlement.is_refused
            if is_refused and author == self._own:
                return True
            is_prompt = author == self._own or known is None or author in known
            is_expired = views.time_s is not None and expires < views.time_s
            if is_prompt and not (is_refused or is_expired or id_ in views.void):
                return True
        return False


def _statement(due: Waiting, author: Principal, at_s: int) -> Statement:
    seed = hashlib.sha256(due.kind.encode() + author + due.subject + at_s.to_bytes(8)).digest()
    return Statement(
        action=due.kind,
        author=author,
        created=at_s,
        expires=at_s + STATEMENT_LIFE_S,
        salt=seed[:SALT_BYTES],
        subject=due.subject,
        who=due.who,
    )
