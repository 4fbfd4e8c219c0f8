"""Settlement: what the chain did, as far as admitted hubs' receipts are believed.

Each hub has one word on each transaction: its receipt with the highest burn height, then the highest level, then the
lowest id (docs/protocol.md, "Kinds"). Hubs agree when they name the same height and, for one action, the same code; a hub
that says nothing of an action neither supports nor contradicts. What is believed is contested only by what would be
believed as well, so nobody alone contests what two operators agree on. Where they agree, the level is the highest that
enough operators reached, and times are the least that any of these says, so that no single hub can push time forward.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from hubd.action.envelope import Action
from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.fold.anchored import REVOKED_LEVEL, is_receipt, receipt_of
from hubd.fold.codes import DONE
from hubd.fold.membership import believed, mesh
from hubd.fold.read import Read, View
from hubd.fold.views import Mesh, Settlement, SettlementState, Transaction

_STATES = (SettlementState.CONFIRMED, SettlementState.CLAIMED, SettlementState.CONTESTED)  # the best first


@dataclass(frozen=True, slots=True)
class _Word:
    """One hub's word on a transaction (code 0) or on one action in it."""

    operator: int
    revoked: bool
    level: int
    height: int
    burn_height: int
    block_time: int
    code: int
    rank: tuple[int, int, bytes]

    @property
    def fact(self) -> tuple[bool, int, int]:
        """What another hub may contradict."""
        return (True, 0, 0) if self.revoked else (False, self.height, self.code)


@dataclass(frozen=True, slots=True)
class _Judged:
    state: SettlementState
    level: int
    height: int
    burn_height: int
    block_time: int
    code: int


def _word(
    hub: Principal, operator: int, receipts: Iterable[Action], action_id: ActionId | None, read: Read
) -> _Word | None:
    """A hub's word: its best receipt among `receipts` (best first), unless it revoked the transaction since."""
    action = next((receipt for receipt in receipts if is_receipt(receipt)), None)
    receipt = receipt_of(action) if action is not None else None
    if action is None or receipt is None:
        return None
    newest = next(r for r in read.filed("relay-receipt", action.statement.subject, hub) if is_receipt(r))
    statement = action.statement
    return _Word(
        operator=operator,
        revoked=newest.statement.bits == REVOKED_LEVEL,
        level=min(statement.bits, REVOKED_LEVEL - 1),
        height=receipt.height,
        burn_height=statement.amount,
        block_time=statement.moment,
        code=receipt.codes[action_id] if action_id is not None else 0,
        rank=(-statement.amount, -statement.bits, action.id),
    )


def _uncontested(words: list[_Word], membership: Mesh) -> list[_Word]:
    """The words that agree on the one thing that is believed; where nothing is, or several things are, all words."""
    by_fact: dict[tuple[bool, int, int], list[_Word]] = {}
    for word in words:
        by_fact.setdefault(word.fact, []).append(word)
    firm = [agreed for agreed in by_fact.values() if believed({word.operator for word in agreed}, membership)]
    return firm[0] if len(firm) == 1 else words


def _judge(words: list[_Word], membership: Mesh) -> _Judged:
    """What follows from the words of several hubs, at least one, on the same thing."""
    words = _uncontested(words, membership)
    front = min(words, key=lambda word: word.rank)
    supporters, level = words, front.level
    if len({word.fact for word in words}) > 1:
        state, supporters = SettlementState.CONTESTED, [front]
    elif front.revoked:
        state = SettlementState.REVOKED
    else:
        state, level = SettlementState.CLAIMED, max(word.level for word in words)
        for candidate in sorted({word.level for word in words}, reverse=True):
            reached = [word for word in words if word.level >= candidate]
            if believed({word.operator for word in reached}, membership):
                state, level = SettlementState.CONFIRMED, candidate
                break
        supporters = [word for word in words if word.level >= level]
    return _Judged(
        state=state,
        level=level,
        height=front.height,
        burn_height=min(word.burn_height for word in supporters),
        block_time=min(word.block_time for word in supporters),
        code=front.code,
    )


def _transaction(txid: bytes, read: Read) -> Transaction | None:
    membership = mesh(read)
    words = [
        word
        for hub, operator in zip(membership.hubs, membership.operators, strict=True)
        if (word := _word(hub, operator, read.filed("relay-receipt", txid, hub), None, read))
    ]
    if not words:
        return None
    judged = _judge(words, membership)
    return Transaction(txid, judged.state, judged.level, judged.height, judged.burn_height, judged.block_time)


def _settlement(action_id: ActionId, read: Read) -> Settlement | None:
    """The best of what is known from every transaction that the action was in: a replay gets a code in the second."""
    membership = mesh(read)
    by_txid: dict[bytes, list[_Word]] = {}
    for hub, operator in zip(membership.hubs, membership.operators, strict=True):
        own: dict[bytes, list[Action]] = {}
        for receipt in read.filed("relay-receipt/item", action_id, hub):
            own.setdefault(receipt.statement.subject, []).append(receipt)
        for txid, receipts in own.items():
            if word := _word(hub, operator, receipts, action_id, read):
                by_txid.setdefault(txid, []).append(word)
    if not by_txid:
        return None
    return min(
        (_settled(action_id, txid, _judge(words, membership)) for txid, words in by_txid.items()), key=_preference
    )


def _settled(action_id: ActionId, txid: bytes, judged: _Judged) -> Settlement:
    return Settlement(
        id=action_id,
        state=judged.state,
        level=judged.level,
        code=judged.code,
        txid=txid,
        height=judged.height,
        burn_height=judged.burn_height,
        block_time=judged.block_time,
    )


def _preference(known: Settlement) -> tuple[bool, bool, bool, bool, int, int, bytes]:
    """What is believed and can't turn comes first, lest one hub hide it by reporting another transaction.

    Then what stands comes before what was revoked, done before an error, done here before done elsewhere, sure before not.
    """
    is_open, revoked = not (known.is_done or known.is_refused), known.state is SettlementState.REVOKED
    certainty = len(_STATES) if revoked else _STATES.index(known.state)
    return (is_open, revoked, known.code not in DONE, known.code != 0, certainty, -known.level, known.txid)


def _items(action: Action, _read: Read) -> Iterator[ActionId]:
    receipt = receipt_of(action)
    yield from receipt.codes if receipt is not None else ()


TRANSACTIONS: View[bytes, Transaction] = View(
    "transactions", _transaction, {"relay-receipt": lambda action, _: (action.statement.subject,)}
)
SETTLEMENT: View[ActionId, Settlement] = View("settlement", _settlement, {"relay-receipt": _items})


def is_taken(action: Action, read: Read) -> bool:
    """Whether the chain did it."""
    known = read.entry(SETTLEMENT, action.id)
    return known is not None and known.is_done


def best(actions: Sequence[Action], read: Read) -> Action | None:
    """Of statements that say the same thing the one that counts: the one the chain took, else the smallest id."""
    return min(actions, key=lambda action: (not is_taken(action, read), action.id), default=None)


def standing(actions: Iterable[Action], read: Read) -> list[Action]:
    """Those that the chain did not refuse for good."""
    known = ((action, read.entry(SETTLEMENT, action.id)) for action in actions)
    return [action for action, settlement in known if settlement is None or not settlement.is_refused]
