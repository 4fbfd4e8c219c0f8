"""Hubs: who announced itself, whom a live steward admitted, and what follows for whose word counts.

A steward admits a hub by naming one of its announcements; the admission then holds for whatever the hub announces later.
A retirement ends one admission for ever, also when the steward who signed it is removed later. A hub is admitted while
any admission stands.

Which operators have an uplink decides whether one operator alone is believed, so no hub decides it by announcing: it is
what the announcements say that stewards named when they admitted. Only where these name no uplink at all it is the
operators that reported anything.
"""

from collections.abc import Sequence
from itertools import islice

from hubd.action.envelope import Action
from hubd.action.principal import Principal
from hubd.fold.anchored import announce_of
from hubd.fold.council import HERE, stewards, stewards_ever
from hubd.fold.read import Read, View
from hubd.fold.versions import in_order, ruling
from hubd.fold.views import Hub, HubState, Mesh
from hubd.limits import HUB_ANNOUNCES_MAX, HUB_ANNOUNCES_UNNAMED_MAX

MEMBER_KINDS = (
    "hub-admit",
    "hub-announce",
    "hub-retire",
    "steward-add",
    "steward-remove",
)  # who is admitted, and by whom


def _retired(admit: Action, read: Read) -> bool:
    retirements = (r for steward in stewards_ever(read) for r in read.filed("hub-retire", admit.id, steward))
    return any(in_order(r) and r.statement.who == admit.statement.who for r in retirements)


def _is_announcement(action: Action, read: Read) -> bool:
    """Whether an announcement says something, and replaces at most one of the same hub."""
    previous = read.action(action.statement.subject)
    is_own = previous is None or (previous.kind, previous.statement.author) == (action.kind, action.statement.author)
    return is_own and in_order(action) and announce_of(action) is not None


def _announces(principal: Principal, admits: Sequence[Action], read: Read) -> list[Action]:
    """Those that stewards named, and some of the others: whoever announces itself without end holds up nobody's fold."""
    named = [read.action(admit.statement.subject) for admit in admits]
    most = HUB_ANNOUNCES_MAX if any(named) else HUB_ANNOUNCES_UNNAMED_MAX
    others = islice(read.filed("hub-announce/by", principal, principal), most)
    own = {a.id: a for a in (*named, *others) if a and (a.kind, a.statement.author) == ("hub-announce", principal)}
    return [announce for announce in own.values() if _is_announcement(announce, read)]


def _hub(principal: Principal, read: Read) -> Hub | None:
    admits = [a for steward in stewards(read) for a in read.filed("hub-admit/who", principal, steward) if in_order(a)]
    announces = _announces(principal, admits, read)
    if not announces:
        return None
    named = {announce.id for announce in announces}
    admits = sorted((a for a in admits if a.statement.subject in named), key=lambda a: a.id)
    standing = [admit for admit in admits if not _retired(admit, read)]
    state = HubState.ADMITTED if standing else HubState.RETIRED if admits else HubState.ANNOUNCED
    announce = ruling(announces)
    said = announce_of(announce)
    assert said is not None
    return Hub(
        principal=principal,
        name=said.name,
        curve=said.curve,
        box=said.box,
        addresses=said.addresses,
        uplink=said.uplink,
        operator=(standing or admits)[0].statement.bits if admits else 0,
        state=state,
        announce=announce.id,
        admissions=tuple(admit.id for admit in standing),
    )


HUBS: View[Principal, Hub] = View("hubs", _hub, {"hub-announce": lambda action, _: (action.statement.author,)})


def _was_admitted_with_uplink(hub: Hub, read: Read) -> bool:
    admits = (read.action(admission) for admission in hub.admissions)
    announces = (read.action(admit.statement.subject) for admit in admits if admit is not None)
    said = (announce_of(announce) for announce in announces if announce is not None)
    return any(announce is not None and announce.uplink for announce in said)


def _uplink_operators(admitted: Sequence[Hub], read: Read) -> set[int]:
    named = {hub.operator for hub in admitted if _was_admitted_with_uplink(hub, read)}
    return named or {
        hub.operator for hub in admitted if any(read.filed("relay-report/by", hub.principal, hub.principal))
    }


def _mesh(_key: bytes, read: Read) -> Mesh:
    live = stewards(read)
    named = {a.statement.who for steward in live for a in read.filed("hub-admit/by", steward, steward)}
    hubs = [read.entry(HUBS, who) for who in sorted(who for who in named if who is not None)]
    admitted = [hub for hub in hubs if hub is not None and hub.state is HubState.ADMITTED]
    return Mesh(
        stewards=live,
        hubs=tuple(hub.principal for hub in admitted),
        operators=tuple(hub.operator for hub in admitted),
        uplink_operators=tuple(sorted(_uplink_operators(admitted, read))),
    )


MESH: View[bytes, Mesh] = View("mesh", _mesh, always=(HERE,))


def mesh(read: Read) -> Mesh:
    """The membership."""
    found = read.entry(MESH, HERE)
    return found if found is not None else Mesh((), (), (), ())


def believed(operators: set[int], membership: Mesh) -> bool:
    """Whether what hubs of these operators agree on is confirmed (decisions D5).

    Two operators are enough. One is, where no other has an uplink to look for itself, as far as stewards admitted any.
    """
    return len(operators) > 1 or (
        len(membership.uplink_operators) == 1 and operators >= set(membership.uplink_operators)
    )
