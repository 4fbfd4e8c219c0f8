"""What happens to the outbox, and what it asks for. In events are in the past tense, requests imperative."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from hubd.action.envelope import Action
from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.ports import LedgerEntry, TransactionState
from hubd.relay.chain import Account, Place, Seen
from hubd.relay.tx import Transaction

# --- in events


@dataclass(frozen=True, slots=True)
class LedgerRead:
    """The program started: what the ledger holds, once, before anything else."""

    entries: tuple[LedgerEntry, ...]


@dataclass(frozen=True, slots=True)
class ActionsAppended:
    """Actions are in the set that no receipt has settled. The same one twice changes nothing.

    `lease_s`: how long to leave them to other hubs, which go first.
    """

    actions: tuple[Action, ...]
    lease_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ActionSettled:
    """Receipts, of whatever hub, say what became of an action."""

    id: ActionId
    code: int


@dataclass(frozen=True, slots=True)
class ActionsClaimed:
    """One other hub says that these are done, and nobody has confirmed it yet."""

    ids: tuple[ActionId, ...]


@dataclass(frozen=True, slots=True)
class PeopleChanged:
    """Vault balances or keys of these people are others than before: what failed for them may go now."""

    people: tuple[Principal, ...]


class Known(Protocol):
    """Keys, as far as one asks for them."""

    def __contains__(self, key: object, /) -> bool:
        """Whether this is one of them."""

    def __bool__(self) -> bool:
        """Whether there is any."""


@dataclass(frozen=True, slots=True)
class PeopleKnown:
    """Keys of everybody whose actions go first. All others are newcomers; where there is nobody, no one is."""

    keys: Known | frozenset[Principal]


@dataclass(frozen=True, slots=True)
class TokensSeen:
    """The tokens that the vault pays out, with their asset names, as the `access` contract lists them."""

    tokens: Mapping[Principal, str]


@dataclass(frozen=True, slots=True)
class AccountSeen:
    """The wallet's account, as a node sees it."""

    account: Account


@dataclass(frozen=True, slots=True)
class TransactionSigned:
    """A transaction that was asked for is signed, and on disk."""

    entry: LedgerEntry


@dataclass(frozen=True, slots=True)
class BroadcastTaken:
    """A node has the transaction in its mempool."""

    txid: bytes


@dataclass(frozen=True, slots=True)
class BroadcastRefused:
    """A node refused the transaction: its reason, and the number it wanted, if it named one."""

    txid: bytes
    reason: str
    wanted: int | None = None


@dataclass(frozen=True, slots=True)
class BytesLost:
    """What was signed rotted in the ledger: it can't be sent again."""

    txid: bytes


@dataclass(frozen=True, slots=True)
class TransactionSeen:
    """A node says where a transaction stands. None: it keeps no index and can't say."""

    txid: bytes
    seen: Seen | None


@dataclass(frozen=True, slots=True)
class SpentSeen:
    """Which actions of this transaction, or of others with its account nonce, the gateway has executed."""

    txid: bytes
    spent: frozenset[ActionId]


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The driver's pace: look what is due. `fees_day_ustx` were spent in the last 24 hours, a part of it for newcomers.

    `chain_time_s` is the chain's own time as the mesh believes it, 0 where it never heard of it.
    """

    fees_day_ustx: int
    fees_newcomers_ustx: int = 0
    chain_time_s: int = 0


InEvent: TypeAlias = (
    LedgerRead
    | ActionsAppended
    | ActionSettled
    | ActionsClaimed
    | PeopleChanged
    | PeopleKnown
    | TokensSeen
    | AccountSeen
    | TransactionSigned
    | BroadcastTaken
    | BroadcastRefused
    | BytesLost
    | TransactionSeen
    | SpentSeen
    | TimerFired
)

# --- requests


@dataclass(frozen=True, slots=True)
class Sign:
    """Sign this, record it, and report `TransactionSigned`."""

    transaction: Transaction
    function: str
    ids: tuple[ActionId, ...]
    is_newcomers: bool = False


@dataclass(frozen=True, slots=True)
class SignAgain:
    """Sign the same transaction with a higher fee, record it, and report `TransactionSigned`."""

    entry: LedgerEntry
    fee_ustx: int


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Hand these bytes to a node, and report whether it took them."""

    entry: LedgerEntry


@dataclass(frozen=True, slots=True)
class LookUp:
    """Ask where a transaction stands, and report `TransactionSeen`."""

    txid: bytes


@dataclass(frozen=True, slots=True)
class AskSpent:
    """Ask the gateway which of these it has executed, and report `SpentSeen`."""

    txid: bytes
    account_nonce: int
    ids: tuple[ActionId, ...]


@dataclass(frozen=True, slots=True)
class Fetch:
    """These are under way whatever receipts say: read them from the set, and report `ActionsAppended`."""

    ids: tuple[ActionId, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The chain used this transaction: see that its receipt is written. `place` None: no node could say where."""

    entry: LedgerEntry
    place: Place | None
    codes: tuple[tuple[ActionId, int], ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """Note a transaction's state in the ledger."""

    txid: bytes
    state: TransactionState


@dataclass(frozen=True, slots=True)
class Note:
    """Something the operator should find in the log: a name of docs/relay.md, and what it is about."""

    name: str
    detail: str = ""
    ids: Collection[ActionId] = ()


OutEvent: TypeAlias = Sign | SignAgain | Broadcast | LookUp | AskSpent | Fetch | Report | Mark | Note
