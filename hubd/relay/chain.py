"""What a node says about the chain, once its words were checked: the tip, an account, a transaction.

And what its refusals and statuses mean for us. Both tables follow stacks-core and the public index; a word that is not in
them is treated as the mildest of its family.
"""

from dataclasses import dataclass
from enum import Enum

from hubd.action.principal import Principal


@dataclass(frozen=True, slots=True)
class Tip:
    """The chain's end as a node sees it. Heights count blocks: `burn_height` Bitcoin's, `height` Stacks'."""

    network_id: int
    burn_height: int
    height: int
    block: bytes


@dataclass(frozen=True, slots=True)
class Account:
    """An account's next account nonce and its balance."""

    account_nonce: int
    balance_ustx: int


class Standing(Enum):
    """Where a transaction stands."""

    UNKNOWN = "unknown"  # this node never heard of it, or forgot
    PENDING = "pending"
    DROPPED = "dropped"  # no longer in the mempool; nine of ten are mined all the same
    TOO_HEAVY = "too heavy"  # dropped, because a block has no room for it
    REPLACED = "replaced"  # dropped for another one with its account nonce
    SUCCESS = "success"
    ABORTED = "aborted"  # mined: fee and account nonce are gone, nothing else happened
    SKIPPED = "skipped"  # mined, but never executed


MINED = frozenset((Standing.SUCCESS, Standing.ABORTED, Standing.SKIPPED))

STATUSES = {
    "pending": Standing.PENDING,
    "success": Standing.SUCCESS,
    "abort_by_response": Standing.ABORTED,
    "abort_by_post_condition": Standing.ABORTED,
    "problematic_skipped": Standing.SKIPPED,
    "dropped_replace_by_fee": Standing.REPLACED,
    "dropped_replace_across_fork": Standing.DROPPED,
    "dropped_too_expensive": Standing.TOO_HEAVY,
    "dropped_stale_garbage_collect": Standing.DROPPED,
    "dropped_problematic": Standing.TOO_HEAVY,
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the chain a transaction was mined; `block_time_s` is 0 where the node does not say."""

    height: int
    block: bytes
    index: int
    burn_height: int
    block_time_s: int


@dataclass(frozen=True, slots=True)
class Seen:
    """A transaction as a node sees it now. `place` and `result` (consensus bytes) are there when it was mined."""

    standing: Standing
    place: Place | None = None
    result: bytes = b""
    contract: Principal | None = None
    function: str = ""


class Remedy(Enum):
    """What to do about a refused broadcast."""

    RAISE = "raise"  # offer a higher fee for the same account nonce
    LOOK = "look"  # the account nonce is used: ask the chain by which transaction
    WAIT = "wait"  # again later, the same bytes
    FUND = "fund"  # the wallet is empty: a person must act, and it is tried again meanwhile
    SPLIT = "split"  # something inside is not acceptable: smaller groups find it
    STOP = "stop"  # the contracts or the network are not what the charter says


REMEDIES = {
    "FeeTooLow": Remedy.RAISE,
    "ConflictingNonceInMempool": Remedy.RAISE,
    "BadNonce": Remedy.LOOK,
    "TooMuchChaining": Remedy.WAIT,
    "TemporarilyBlacklisted": Remedy.WAIT,
    "NotEnoughFunds": Remedy.FUND,
    "BadFunctionArgument": Remedy.SPLIT,
    "Deserialization": Remedy.SPLIT,
    "Serialization": Remedy.SPLIT,
    "TooLarge": Remedy.SPLIT,
    "NoSuchContract": Remedy.STOP,
    "NoSuchPublicFunction": Remedy.STOP,
    "SignatureValidation": Remedy.STOP,
    "BadAddressVersionByte": Remedy.STOP,
    "BadTransactionVersion": Remedy.STOP,
    "NoAnchorBlockWithPubkeyHash": Remedy.WAIT,
    "ServerFailureNoSuchChainTip": Remedy.WAIT,
    "ServerFailureDatabase": Remedy.WAIT,
    "ServerFailureOther": Remedy.WAIT,
}


def remedy(reason: str) -> Remedy:
    """The row of a refusal's reason; `WAIT` where there is none."""
    return REMEDIES.get(reason, Remedy.WAIT)
