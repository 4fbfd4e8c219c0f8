"""From signed actions to one contract call, and from its result back to one code an action.

Money leaves the vault only from batches of its own: withdrawals of STX in one, of each token in another, under an exact
"at most" post-condition, so that one that fails aborts no lesson. Every other batch runs in deny mode without conditions:
nothing may move.
"""

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hubd.action.clarity import Buff, ListCV, Ok, PrincipalCV, TupleCV, UInt, Value, decode
from hubd.action.clarity import encode as encode_value
from hubd.action.envelope import Action
from hubd.action.kinds import goes_to_chain
from hubd.action.principal import Principal
from hubd.action.sip018 import NO_ID, ActionId, Domain
from hubd.errors import RemoteError
from hubd.limits import INTEGER_MAX, RELAY_BATCH_ACTIONS_MAX, RELAY_BATCH_BYTES_MAX
from hubd.relay.chain import Seen, Standing
from hubd.relay.codes import ABORTED
from hubd.relay.tx import Call, Compare, PostCondition, Token, called

SUBMIT, SUBMIT_TOKEN = "submit-batch", "submit-token-batch"
WITHDRAW = "escrow-withdraw"
VOID = "action-void"
GATEWAY_ITEMS_MAX = 200  # the list type of both functions

# The kinds that a contract executes, in causal order: what a kind needs stands above it, and of two that exclude each other
# the one that should win. So a withdrawn action finds its withdrawal done, a veto comes before what it stops, both
# sides' word before one side's, a person's before that of time, and money leaves the vault last.
_ORDER = (
    "user-register", VOID, "key-add", "key-accept", "key-revoke", "guardian-set",
    "recovery-open", "recovery-approve", "recovery-cancel", "recovery-finish",
    "offer-set", "offer-withdraw", "request-open", "match-offer", "match-accept", "request-close",
    "escrow-lock", "class-open", "class-attend",
    "lesson-book", "lesson-confirm", "lesson-move", "lesson-attend", "lesson-complete", "lesson-decline", "lesson-cancel",
    "dispute-open", "dispute-offer", "dispute-accept", "dispute-vote", "dispute-settle", "lesson-claim",
    "rating-seal", "rating-open", "escrow-return", WITHDRAW,
)  # fmt: skip
BY_TIME = frozenset(("recovery-finish", "dispute-settle", "lesson-claim", "rating-open", "escrow-return"))
"""Kinds that a contract may refuse for no other reason than that it is too early."""
_RANK = {kind: rank for rank, kind in enumerate(_ORDER)}
KINDS_CARRIED = frozenset(_RANK)

_ITEM = b"\x0c\x00\x00\x00\x02\x09signature\x02\x00\x00\x00\x41"  # tuple of two; a buffer of 65 bytes
_STATEMENT = b"\x09statement"
_LIST = b"\x0b"
_POST_CONDITION_MAX = 2**64 - 1  # the wire's; what one could withdraw beyond it does not exist


@dataclass(frozen=True, slots=True)
class Venue:
    """Where batches go: the gateway, the vault, and the tokens that it pays out, with their asset names."""

    gateway: Principal
    escrow: Principal
    tokens: Mapping[Principal, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    """One contract call and the actions inside it, in order."""

    ids: tuple[ActionId, ...]
    call: Call
    conditions: tuple[PostCondition, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An action that may travel, in company of at most `crowd_max` (1: alone)."""

    action: Action
    crowd_max: int = RELAY_BATCH_ACTIONS_MAX


def is_carried(action: Action) -> bool:
    """Whether the gateway executes actions of this kind, and the columns are in order."""
    return action.kind in _RANK and goes_to_chain(action.statement)


def has_venue(action: Action, tokens: Collection[Principal]) -> bool:
    """Whether it can be sent now: a token leaves the vault only when its asset name is known."""
    asset = action.statement.asset
    return action.kind != WITHDRAW or asset is None or asset in tokens


def needed_by(action: Action) -> ActionId:
    """The action that must be on the chain before this one: what it is about, but for what it withdraws."""
    return NO_ID if action.kind == VOID else action.statement.subject


def _lane(action: Action) -> tuple[bool, Principal | None]:
    """What may share a transaction: all that moves nothing; withdrawals asset by asset."""
    is_withdrawal = action.kind == WITHDRAW
    return is_withdrawal, action.statement.asset if is_withdrawal else None


def in_causal_order(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    """What an action needs comes before it: the action it is about, then kinds in their order, then ids."""
    waiting = {candidate.action.id: candidate for candidate in candidates}
    children: dict[ActionId, list[ActionId]] = {}
    ready: list[tuple[int, ActionId]] = []
    for id_, candidate in waiting.items():
        subject = needed_by(candidate.action)
        if subject in waiting:
            children.setdefault(subject, []).append(id_)
        else:
            ready.append((_RANK[candidate.action.kind], id_))
    heapq.heapify(ready)
    while ready:
        _, id_ = heapq.heappop(ready)
        yield waiting[id_]
        for child in children.get(id_, ()):
            heapq.heappush(ready, (_RANK[waiting[child].action.kind], child))


def choose(candidates: Iterable[Candidate], actions_max: int) -> tuple[Action, ...]:
    """The actions of the next transaction, in the order in which they are to execute; empty where none may travel.

    The earliest in causal order decides the lane; an action that would exceed its own crowd or the bytes ends the group,
    so that nothing overtakes what it needs.
    """
    chosen: list[Action] = []
    room, bytes_left = actions_max, RELAY_BATCH_BYTES_MAX
    for candidate in in_causal_order(candidates):
        action, length = candidate.action, len(chosen)
        if chosen and _lane(action) != _lane(chosen[0]):
            continue
        room, bytes_left = min(room, candidate.crowd_max - length), bytes_left - len(_item(action))
        if chosen and (room < 1 or bytes_left < 0):
            break
        chosen.append(action)
        room -= 1
    return tuple(chosen)


def _item(action: Action) -> bytes:
    return _ITEM + action.signature + _STATEMENT + action.statement.clarity()


def build(actions: Sequence[Action], venue: Venue) -> Batch:
    """The call of one group of `choose`. Without actions, a call that does nothing: it fills an account nonce."""
    assert len({_lane(action) for action in actions}) <= 1, "withdrawals travel apart"
    items = _LIST + len(actions).to_bytes(4, "big") + b"".join(_item(action) for action in actions)
    ids = tuple(action.id for action in actions)
    is_withdrawal, asset = _lane(actions[0]) if actions else (False, None)
    if not is_withdrawal:
        return Batch(ids, Call(venue.gateway, SUBMIT, (items,)), ())
    sum_max = min(sum(action.statement.amount for action in actions), _POST_CONDITION_MAX)
    token = None if asset is None else Token(asset, venue.tokens[asset])
    condition = PostCondition(venue.escrow, Compare.AT_MOST, sum_max, token)
    if asset is None:
        return Batch(ids, Call(venue.gateway, SUBMIT, (items,)), (condition,))
    return Batch(ids, Call(venue.gateway, SUBMIT_TOKEN, (encode_value(PrincipalCV(asset)), items)), (condition,))


def contents(raw: bytes, gateway: Principal, domain: Domain) -> tuple[str, tuple[ActionId, ...]]:
    """The function that a signed transaction of `build` calls, and the actions in it. Raises `RemoteError` for others."""
    function, arguments = called(raw, gateway)
    match decode(_LIST + arguments):
        case ListCV((*_, ListCV(items))):
            return function, tuple(_named(item, domain) for item in items)
    raise RemoteError("transaction", "no batch of actions")


def _named(item: Value, domain: Domain) -> ActionId:
    match item:
        case TupleCV({"statement": statement}):
            return domain.digest(encode_value(statement))
    raise RemoteError("transaction", "no action")


def results(raw: bytes) -> tuple[tuple[ActionId, int], ...]:
    """(id, code) of each item of a batch that executed. Raises `RemoteError("batch-result")` for any other value."""
    match decode(raw):
        case Ok(ListCV(items)) if len(items) <= GATEWAY_ITEMS_MAX:
            codes = dict(_result(item) for item in items)
            return tuple(codes.items())
    raise RemoteError("batch-result", "no list of results")


def _result(item: Value) -> tuple[ActionId, int]:
    match item:
        case TupleCV({"code": UInt(code), "id": Buff(id_)}) if len(id_) == 32 and code <= INTEGER_MAX:
            return ActionId(id_), code
    raise RemoteError("batch-result", "no id and code")


def codes_of(seen: Seen, ids: Sequence[ActionId] = ()) -> tuple[tuple[ActionId, int], ...]:
    """What a mined transaction says of each action in it.

    Of an aborted one the chain says nothing about its items; only where it held a single action (`ids`) is it known
    which one was to blame. A result that can't be read says nothing, either.
    """
    if seen.standing is Standing.SUCCESS:
        try:
            return results(seen.result)
        except RemoteError:
            return ()
    return ((ids[0], ABORTED),) if seen.standing is Standing.ABORTED and len(ids) == 1 else ()
