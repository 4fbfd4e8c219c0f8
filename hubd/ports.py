"""The narrow ports between floors: what a driver offers and what others may rely on.

Drivers never import each other. They are handed these protocols by the assembly (`hubd/hub.py`), so that a second driver
(another database, another transport) is a new file and no rewrite.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from hubd.action.envelope import Action
    from hubd.action.sip018 import ActionId
    from hubd.gossip.items import Items

T = TypeVar("T")


class Door(StrEnum):
    """Where bytes came in. What a peer, an admitted hub's bundle or the hub itself offers enters the set; policy may defer
    what phones and strangers' bundles bring, before the intake sees it.
    """

    OWN = "own"
    PEER = "peer"
    PHONE = "phone"
    BUNDLE = "bundle"


class Verdict(StrEnum):
    """What became of one offered envelope."""

    OK = "ok"  # in the set, and on disk when this is said
    DEFERRED = "deferred"  # policy at a door: keep it and come again
    REFUSED = "refused"  # no valid action: `code` says why


class Outcome(NamedTuple):
    """The answer to one offered envelope, in the order of the offer."""

    verdict: Verdict
    id: "ActionId | None" = None
    code: str = ""
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class SetSummary:
    """The set in three facts: equal sets have equal count and fingerprint; `sequence` is this database's own."""

    count: int
    fingerprint: bytes  # sha256 of the LtHash over all ids
    sequence: int  # the latest arrival
    mark: bytes = b""  # names that place, so that another database's is not taken for it
    lacking: int = 0  # of these, whose content is missing here; no matter for the fingerprint


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in one database's arrival order. Void when epoch or id do not match: restored backup, copied card."""

    epoch: bytes
    sequence: int
    id_prefix: bytes  # first 8 bytes of the id at `sequence`


GainListener = Callable[[Sequence["Action"], bytes], None]


class ActionStore(Protocol):
    """The set of actions, durable. Every method is one coarse step.

    `gain_listeners` are told of actions that were here and whose content came now, once it is on disk, and of the
    principal of the peer that brought it, b"" for none.
    """

    epoch: bytes
    gain_listeners: list[GainListener]

    async def append(self, actions: Sequence["Action"], source: bytes = b"") -> list["Action"]:
        """Add to the set; returns the ones that were new, in arrival order, once they are on disk.

        `source` is the principal of the peer they came from: a page for that peer can leave them out.
        What is returned is without content that its author erased.
        An action known without its content gains the content that is offered, unless it was erased.
        """

    async def get(self, ids: Sequence["ActionId"]) -> list["Action"]:
        """The actions that are here, in the order asked for; unknown ids are left out."""

    async def page(self, after: int, actions_max: int) -> list[tuple[int, "Action"]]:
        """Actions by arrival sequence, beyond `after`."""

    async def page_for(
        self, peer: bytes, after: int, until: int, actions_max: int
    ) -> tuple[list[tuple[int, "Action"]], int]:
        """Actions by arrival from beyond `after` up to `until`, less those that came from this peer.

        A bounded number of actions is looked at; the second value says how far that went, which is `until` at the end.
        """

    async def page_of_names(self, after: int, actions_max: int) -> list[tuple[int, "ActionId", str]]:
        """(sequence, id, kind) by arrival, beyond `after`, for who needs only few of the actions."""

    async def items(self) -> list[tuple[int, "ActionId"]]:
        """Every (created, id), sorted: what reconciliation compares."""

    async def page_of_kinds(self, kinds: Sequence[str], after: int, actions_max: int) -> list[tuple[int, "Action"]]:
        """Like `page`, for some kinds only."""

    async def over_items(self, work: Callable[["Items"], T]) -> T:
        """What `work` returns, done in another thread over the sorted items of one moment."""

    async def summary(self) -> SetSummary:
        """Count, fingerprint and latest place, as one consistent reading."""

    async def sketch_symbols(self, first: int, count: int) -> bytes:
        """The coded symbols [first, first + count) of the whole set, as `hubd.gossip.sketch` makes them."""

    async def lacking(self, after: int, actions_max: int) -> list[tuple[int, "ActionId"]]:
        """(sequence, id) by arrival, beyond `after`, of actions whose content is missing here and was not erased."""

    async def lacking_of(self, ids: Sequence["ActionId"]) -> list["ActionId"]:
        """Those of these actions whose content is missing here and was not erased."""

    async def mark_of(self, sequence: int) -> bytes:
        """The name of a place in this database's arrival order, b"" where no action has it (any more)."""

    async def peer_cursor(self, peer: bytes) -> tuple[int, bytes]:
        """Up to where (sequence and mark) in a peer's arrival order we have what it has; (0, b"") for nothing."""

    async def keep_cursor(self, peer: bytes, sequence: int, mark: bytes) -> None:
        """Remember that place; on disk with the next actions, or soon. Kept after the actions it stands for."""

    async def cursor(self) -> Cursor:
        """The cursor at the end of the set."""

    async def resume(self, cursor: Cursor) -> int | None:
        """The sequence to continue after, or None where the cursor is void."""


class Intake(Protocol):
    """The one way into the set: verify, batch, one writer. Doors hand over bytes and get one outcome each."""

    async def offer(self, envelopes: Sequence[bytes], door: Door, source: bytes = b"") -> list[Outcome]:
        """Parse, judge and append; returns when everything said to be OK is on disk.

        `source` is the principal of the peer they came from, so that they are not pushed back to it.
        """


class TransactionState(StrEnum):
    """The life of a signed transaction in the ledger. Only the last three are terminal."""

    SIGNED = "signed"  # on disk, maybe never sent
    BROADCAST = "broadcast"  # a node took it
    DROPPED = "dropped"  # a node says so; it may still confirm
    INCLUDED = "included"
    ABORTED = "aborted"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A signed transaction, written before it is sent so that a restart sends the identical bytes again."""

    txid: bytes
    account_nonce: int
    fee_ustx: int
    raw: bytes
    function: str  # the contract function, e.g. "submit-batch", or "transfer" for a nonce gap
    ids: tuple["ActionId", ...]
    state: TransactionState
    signed_at_s: int
    is_sealed: bool = True  # else a bit rotted, or it is of an earlier hubd: only its bytes may say what it was


class RelayLedger(Protocol):
    """The relay's write-ahead ledger; the authority on this wallet's account nonces."""

    async def record(self, entry: LedgerEntry) -> None:
        """Durable when it returns; called before the broadcast."""

    async def mark(self, txid: bytes, state: TransactionState) -> None:
        """Note a new state."""

    async def entries(self, states: Iterable[TransactionState], *, with_raw: bool = True) -> list[LedgerEntry]:
        """Entries in these states, by account nonce; `raw` empty where it is not asked for: years of it fill a Pi."""

    async def recent(self, closed_max: int, since_s: int, nonces_max: int) -> list[LedgerEntry]:
        """What a start needs, by account nonce and without `raw`: every account nonce with an open transaction, the
        `closed_max` highest ones, and what was signed since, of the `nonces_max` highest.
        """

    async def own(self, txids: Collection[bytes]) -> dict[bytes, frozenset["ActionId"] | None]:
        """Those of these transactions that are this wallet's, with the actions in them; None where that rotted."""

    async def found(self, txid: bytes) -> LedgerEntry | None:
        """One entry with its signed bytes, None where it is not here."""

    async def amend(self, txid: bytes, entry: LedgerEntry | None) -> None:
        """Write what rotted of an entry anew, which was read under this name; None: nothing proves it any more."""

    async def fees_between(self, since_s: int, until_s: int, nonces_max: int) -> int:
        """Sum of fees in uSTX of transactions signed from `since_s` to `until_s`, both included; replaced ones left out.

        Only the highest account nonces are looked at: a ledger of years fills the card.
        """
