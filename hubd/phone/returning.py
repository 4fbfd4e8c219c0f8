"""What a phone brings a hub that does not know its person, or has lost what it had, besides the outbox.

By the outbox alone nobody would be known there: the old phone signed for the new one's key, stewards vouched, and hubs
said what the chain did. All of that is in this phone's set, signed by whoever said it.
"""

from collections.abc import AsyncIterator, Collection

from hubd.action import envelope
from hubd.action.envelope import Action
from hubd.action.sip018 import ActionId
from hubd.fold.anchored import balances_of, receipt_of
from hubd.limits import APPEND_ACTIONS_MAX, PHONE_RETURNED_MAX
from hubd.phone.replica import Replica
from hubd.web.standing import Reader, Scope, ViewsStanding

Envelopes = list[tuple[ActionId, bytes]]

_IDENTITY = ("user-register", "recovery-open", "key-accept", "recovery-finish", "key-add", "key-revoke")
"""How a key comes to be a person's. The door takes the first three of a stranger, and after them what else it signed."""
_RECEIPT, _BALANCE = "relay-receipt", "relay-balance"


async def identity(replica: Replica) -> Envelopes:
    """What shows a hub whose key this phone's is, in an order in which its door takes it."""
    found = [action async for action in _own(replica) if action.kind in _IDENTITY]
    found.sort(key=lambda action: _IDENTITY.index(action.kind))
    ends = {action.id for action in found if action.kind == "recovery-finish"}
    receipts = [action async for action in _reports(replica, _RECEIPT) if _speaks_of(action, ends)] if ends else []
    return _encoded(receipts + found)


async def held(replica: Replica, lost: Collection[bytes], scope: Scope) -> Envelopes:
    """Of what a hub has lost: what others signed about this person, and what hubs said of its money; the latest of it.

    What hubs said of balances was not compared with a hub that shows less than a village: all of that is brought.
    """
    own, found = set[ActionId](), list[Action]()
    async for action in _own(replica):
        own.add(action.id)
        if action.id in lost:
            found.append(action)
    money = [action async for action in _reports(replica, _RECEIPT) if action.id in lost and _speaks_of(action, own)]
    money += [
        action
        async for action in _reports(replica, _BALANCE)
        if (action.id in lost or scope is not Scope.VILLAGE) and _tells_balance(replica, action)
    ]
    mine = {item.id for item in await replica.outbox.items()}
    kept = [action for action in found if action.id not in mine]
    return _encoded(money[-PHONE_RETURNED_MAX:] + kept[-PHONE_RETURNED_MAX:])


async def _own(replica: Replica) -> AsyncIterator[Action]:
    """What this person wrote or is named in, by arrival."""
    names = Reader(Scope.MINE, replica.me, replica.key).audiences(ViewsStanding(lambda: replica.views))
    after = 0
    while rows := await replica.store.seen_page(names, after, APPEND_ACTIONS_MAX):
        for _, action in rows:
            yield action
        after = rows[-1][0]


async def _reports(replica: Replica, kind: str) -> AsyncIterator[Action]:
    """What hubs said of the chain, by arrival."""
    after = 0
    while rows := await replica.store.page_of_kinds([kind], after, APPEND_ACTIONS_MAX):
        for _, action in rows:
            yield action
        after = rows[-1][0]


def _speaks_of(report: Action, ids: Collection[bytes]) -> bool:
    receipt = receipt_of(report)
    return receipt is not None and any(each in ids for each in receipt.codes)


def _tells_balance(replica: Replica, report: Action) -> bool:
    balances = balances_of(report)
    return balances is not None and any(person == replica.me for person, _ in balances.rows)


def _encoded(actions: list[Action]) -> Envelopes:
    return [(action.id, envelope.encode(action)) for action in actions]
