"""Who goes first, where several hubs have an uplink: a hint that saves fees, and nothing more.

Each action has an order of hubs of its own (rendezvous hashing: the highest sha256 of hub and id is first), so that hubs
share the work without a word between them. A hub that is not first waits its turn; if the ones before it are gone, it
sends the action after all. Two hubs that disagree about who has an uplink send an action twice, and the second is told
that it was done.
"""

import hashlib
from collections.abc import Iterable

from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.fold.views import Views

LEASE_S = 120.0  # for each hub before ours: two blocks, a receipt and a round of gossip
TURNS_MAX = 3  # waiting longer saves less than it costs a village that waits for its money


def uplinks(views: Views) -> tuple[Principal, ...]:
    """The admitted hubs that say they have an uplink."""
    return tuple(hub for hub in views.mesh.hubs if views.hubs[hub].uplink)


def turns(id_: ActionId, own: Principal, hubs: Iterable[Principal]) -> int:
    """How many of these hubs go before `own`."""
    weight = _weight(id_, own)
    return min(sum(_weight(id_, hub) > weight for hub in hubs if hub != own), TURNS_MAX)


def lease_s(id_: ActionId, own: Principal, hubs: Iterable[Principal]) -> float:
    """How long `own` leaves an action to the hubs before it."""
    return turns(id_, own, hubs) * LEASE_S


def _weight(id_: ActionId, hub: Principal) -> bytes:
    return hashlib.sha256(hub + id_).digest()
