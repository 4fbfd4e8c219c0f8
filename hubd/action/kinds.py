"""The one table of kinds. Docs, void checks, forms, test strategies and the relay's choice are generated from it.

A column's text says what it means. "" = must be empty (zero or none); a leading "?" = may be empty; otherwise it must be
set. Kinds that are not in this table are valid all the same: hubs carry them and show them as unknown.
"""

from dataclasses import dataclass
from enum import IntFlag
from functools import cached_property
from operator import attrgetter, ne

from hubd.action.sip018 import NO_ID
from hubd.action.statement import NO_CONTENT, Statement

AREAS = ("identity", "market", "lesson", "money", "reputation", "dispute", "care", "mesh")


class Scope(IntFlag):
    """What a key may do for its person (docs/protocol.md; the same bits as in `user-registry`)."""

    IDENTITY = 1
    MARKET = 2
    LESSON = 4
    MONEY = 8
    REPUTATION = 16
    DISPUTE = 32


NO_SCOPE = Scope(0)
LOCKS = 1 << 12  # lesson-book bits: the price is locked in the vault by the same signature
NEEDS_GUARDIAN = 1 << 13
DRAWS_ON_EARMARK = 1 << 14
DRAWS_ON_POOL = 1 << 15
MINUTES_MASK = (1 << 12) - 1


_EMPTY: dict[str, object] = {
    "subject": NO_ID, "who": None, "amount": 0, "asset": None, "moment": 0, "bits": 0, "content": NO_CONTENT,
}  # fmt: skip
_values = attrgetter(*_EMPTY)


@dataclass(frozen=True)
class Column:
    """One field of a kind: whether it may or must be set, and what it means there."""

    text: str

    @property
    def meaning(self) -> str:
        """What the field holds, "" where it must be empty."""
        return self.text.removeprefix("?")

    def admits(self, *, is_set: bool) -> bool:
        """Whether a field that is or is not set obeys this column."""
        return bool(self.text) if is_set else self.text[:1] in ("", "?")


@dataclass(frozen=True)
class Kind:
    """A row: its columns, the contract that executes it ("" = it never goes to the chain), the scope it needs there."""

    name: str
    area: str
    meaning: str
    contract: str = ""
    scope: Scope = NO_SCOPE
    subject: str = ""
    who: str = ""
    amount: str = ""
    asset: str = ""
    moment: str = ""
    bits: str = ""
    content: str = ""

    @cached_property
    def columns(self) -> dict[str, Column]:
        """The seven columns that differ between kinds, by the name of the statement's field."""
        return {name: Column(getattr(self, name)) for name in _EMPTY}

    def broken_columns(self, statement: Statement) -> tuple[str, ...]:
        """The fields in which a statement breaks this row; such an action is void."""
        are_set = tuple(map(ne, _values(statement), _EMPTY.values()))
        broken = self._judged.get(are_set)
        if broken is None:
            pairs = zip(self.columns.items(), are_set, strict=True)
            broken = tuple(name for (name, column), is_set in pairs if not column.admits(is_set=is_set))
            self._judged[are_set] = broken
        return broken

    @cached_property
    def _judged(self) -> dict[tuple[bool, ...], tuple[str, ...]]:
        """What was found out about statements that set the same columns; every rule asks, and there are 128 answers."""
        return {}


_ROWS = (
    # --- identity
    Kind("user-register", "identity", "A person joins, or says anew what they are here.", "user-registry", Scope.IDENTITY,
         who="?home hub", bits="?roles: 1 student, 2 tutor, 4 guardian, 8 mediator", content="?display name, sealed"),
    Kind("profile-set", "identity", "What a person shows of themselves.",
         subject="?previous profile-set", bits="?flags", content="profile"),
    Kind("key-add", "identity", "A person names a further key.", "user-registry", Scope.IDENTITY,
         subject="previous key-add or register", who="new key", amount="?cumulative cap", asset="?asset of the cap",
         moment="?until", bits="scopes", content="?label"),
    Kind("key-accept", "identity", "The added key agrees; only then it counts.", "user-registry", Scope.IDENTITY,
         subject="the key-add"),
    Kind("key-revoke", "identity", "A key is lost or no longer trusted; by itself, or by one that is no narrower.",
         "user-registry", Scope.IDENTITY, subject="the key-add or register", who="key"),
    Kind("guardian-set", "identity", "Who may help to recover a person.", "recovery", Scope.IDENTITY,
         subject="?previous guardian-set", who="?guardian, none to clear", amount="threshold", moment="?delay in seconds",
         bits="?slot"),
    Kind("recovery-open", "identity", "A new key asks to speak for a person; signed by the new key.", "recovery",
         who="person", content="?note"),
    Kind("recovery-approve", "identity", "A guardian agrees to a recovery.", "recovery", Scope.IDENTITY,
         subject="the recovery-open", who="person"),
    Kind("recovery-cancel", "identity", "The person objects to a recovery, by a lasting key.", "recovery",
         Scope.IDENTITY, subject="the recovery-open", who="person"),
    Kind("recovery-finish", "identity", "The delay is over; anybody may say so.", "recovery",
         subject="the recovery-open", who="person"),
    Kind("vouch-give", "identity", "One person vouches that another is real.",
         who="person", bits="?how: 1 knows, 2 relative, 4 steward's list"),
    Kind("vouch-withdraw", "identity", "A vouch is taken back.", subject="the vouch-give", who="person"),
    Kind("content-erase", "identity", "The author's content of an action goes wherever this is heard of; its header stays.",
         subject="the action whose content goes"),
    Kind("action-void", "identity", "An action is withdrawn before it settles, by its key or a lasting one of its person.",
         "action-gateway", Scope.IDENTITY, subject="the action to withdraw"),
    # --- market
    Kind("offer-set", "market", "What a tutor teaches, and for how much an hour; one per tutor and asset.",
         "tutor-profile", Scope.MARKET, subject="?previous offer-set", amount="?rate per hour",
         asset="?asset, none = STX", moment="?week grid", bits="subjects 0-31, level 32-39, language 40-55",
         content="?note"),
    Kind("offer-withdraw", "market", "An offer ends.", "tutor-profile", Scope.MARKET, subject="the offer-set"),
    Kind("request-open", "market", "A student asks for help.", "student-request", Scope.MARKET,
         amount="?ceiling per hour", asset="?asset, none = STX", moment="?week grid",
         bits="subjects 0-31, level 32-39, language 40-55", content="?note"),
    Kind("request-close", "market", "A request ends.", "student-request", Scope.MARKET, subject="the request-open"),
    Kind("match-offer", "market", "A tutor offers a lesson for a request.", "matching-engine", Scope.MARKET,
         subject="request", who="student", amount="?price", asset="?asset, none = STX", moment="start", bits="minutes",
         content="?note"),
    Kind("match-accept", "market", "A student takes a tutor's offer.", "matching-engine", Scope.MARKET,
         subject="match-offer", who="?tutor", amount="?price", asset="?asset, none = STX", moment="start",
         bits="minutes"),
    # --- lesson
    Kind("lesson-book", "lesson", "A student books a lesson; its id is the lesson's id.", "session-manager", Scope.LESSON,
         subject="?match-offer, or the earmark (14) or pool (15) that pays", who="tutor", amount="?price",
         asset="?asset, none = STX", moment="start",
         bits="minutes 0-11, locks 12, needs guardian 13, draws on earmark 14, pool 15", content="?place and hour, sealed"),
    Kind("lesson-confirm", "lesson", "The tutor (or guardian) agrees, repeating what is agreed.", "session-manager",
         Scope.LESSON, subject="lesson", who="student", amount="?repeats the price", asset="?repeats the asset",
         moment="repeats the start", bits="1 tutor, 2 guardian", content="?note"),
    Kind("lesson-decline", "lesson", "The tutor can't.", "session-manager", Scope.LESSON,
         subject="lesson", who="?student", bits="?reason", content="?note"),
    Kind("lesson-move", "lesson", "One side proposes another time, the other agrees to it.", "session-manager",
         Scope.LESSON, subject="lesson, last agreed move, the other's proposal, or one's own to replace",
         who="?other", moment="new start", bits="?minutes", content="?note"),
    Kind("lesson-cancel", "lesson", "One side cancels a lesson.", "session-manager",
         Scope.LESSON, subject="lesson", who="?other", bits="?reason", content="?note"),
    Kind("lesson-attend", "lesson", "I am here; who scans the other's, names it.", "session-manager", Scope.LESSON,
         subject="lesson, or the other's lesson-attend", who="other", moment="time"),
    Kind("lesson-complete", "lesson", "The student says it was held: the lock goes to the tutor.", "session-manager",
         Scope.LESSON, subject="lesson", who="?tutor"),
    Kind("lesson-claim", "lesson", "The grace period is over: who attended is paid, else the price goes back.",
         "session-manager", subject="lesson"),
    Kind("class-open", "lesson", "One tutor, many learners, paid per attendance by a pool.", "class-manager",
         Scope.LESSON, subject="?pool", amount="?price a learner", asset="?asset, none = STX", moment="start",
         bits="minutes 0-11", content="?place and hour, sealed"),
    Kind("class-attend", "lesson", "A learner was in the class; learner and tutor both say so.", "class-manager",
         Scope.LESSON, subject="class-open", who="tutor, or by the tutor: learner", moment="time"),
    # --- money
    Kind("escrow-lock", "money", "A sum is set aside for a lesson, a pool or a person.", "payment-escrow", Scope.MONEY,
         subject="?lesson or pool", who="?sponsor or tutor", amount="sum", asset="?asset, none = STX", moment="?until",
         bits="?0 own, 1 pool, 2 earmark"),
    Kind("escrow-return", "money", "What is left of an earmark goes back; by the tutor, or by anybody after its end.",
         "payment-escrow", subject="the escrow-lock"),
    Kind("escrow-withdraw", "money", "A sum leaves the vault, to `who` or to the signing key.", "payment-escrow",
         Scope.MONEY, who="?recipient", amount="sum", asset="?asset, none = STX"),
    Kind("payout-note", "money", "An NGO notes that it paid somebody outside.",
         subject="?payout sheet", who="person", amount="sum", asset="?asset", bits="?way", content="?note"),
    Kind("payout-received", "money", "The person says that it arrived.", subject="payout-note", who="?payer",
         amount="sum", asset="?asset"),
    # --- reputation
    Kind("rating-seal", "reputation", "A rating, sealed: the digest of what will be opened.", "reputation-tracker",
         Scope.REPUTATION, subject="lesson", who="other", content="digest of the opening, without bytes"),
    Kind("rating-open", "reputation", "The rating itself, after the other's seal.", "reputation-tracker",
         Scope.REPUTATION, subject="lesson", who="other", amount="stars 1-5", bits="?tags", content="?words"),
    # --- dispute
    Kind("dispute-open", "dispute", "Something went wrong with a lesson.", "dispute-resolution", Scope.DISPUTE,
         subject="lesson", who="?other", bits="reason", content="?story, sealed"),
    Kind("dispute-evidence", "dispute", "More about it.", subject="lesson", who="?other", bits="?reason",
         content="evidence, sealed"),
    Kind("dispute-offer", "dispute", "One side proposes a split.", "dispute-resolution", Scope.DISPUTE,
         subject="lesson, or one's own previous offer", amount="?basis points to the tutor"),
    Kind("dispute-accept", "dispute", "The other side takes it.", "dispute-resolution", Scope.DISPUTE, subject="offer"),
    Kind("dispute-vote", "dispute", "An arbiter decides.", "dispute-resolution", Scope.DISPUTE,
         subject="lesson", amount="?basis points to the tutor", bits="?reason"),
    Kind("dispute-settle", "dispute", "Time or votes decide; anybody may say so.", "dispute-resolution",
         subject="lesson"),
    # --- care
    Kind("consent-give", "care", "A guardian allows lessons, within bounds.", subject="?previous consent", who="child's key",
         moment="until", bits="?parts of the day", content="places and tutors, sealed"),
    Kind("consent-withdraw", "care", "Consent ends, at once.", subject="consent-give", who="?child's key"),
    Kind("tutor-clear", "care", "An officer checked a tutor.", who="tutor", moment="until", content="?reference, sealed"),
    Kind("person-hold", "care", "No new bookings with this person, at once.", who="person", bits="?reason",
         content="?reason, sealed"),
    Kind("person-release", "care", "A hold ends.", subject="person-hold", who="person"),
    Kind("safety-post", "care", "A sealed word to two officers outside the village, from a one-time author.",
         who="?officer", content="words, sealed"),
    # --- mesh
    Kind("hub-announce", "mesh", "A hub says what its keys and addresses are.",
         subject="?previous hub-announce", content="curve, box, addresses, name, uplink"),
    Kind("hub-admit", "mesh", "A steward admits a hub.", subject="hub-announce", who="hub", bits="operator number",
         content="note"),
    Kind("hub-retire", "mesh", "A steward retires a hub.", subject="hub-admit", who="hub", bits="?1 = for cause",
         content="note"),
    Kind("steward-add", "mesh", "A steward names another; two are needed.", who="steward", content="note"),
    Kind("steward-remove", "mesh", "A steward removes another; two are needed.", who="steward", content="note"),
    Kind("desk-witness", "mesh", "The coordinator's desk saw a card signed.", subject="the action signed", who="person",
         content="?note"),
    Kind("relay-receipt", "mesh", "What the chain did with a transaction, as one hub saw it.",
         subject="txid", amount="?burn height seen", moment="?block time",
         bits="?0 included, 1 anchored, 2 final, 3 revoked", content="block, height, index, items [[id, code]]"),
    Kind("relay-balance", "mesh", "Vault balances, as one hub saw them.",
         amount="?burn height seen", content="height, balances [[person, asset, free, locked]]"),
)  # fmt: skip

KINDS: dict[str, Kind] = {kind.name: kind for kind in _ROWS}


def goes_to_chain(statement: Statement) -> bool:
    """Whether a contract executes actions of this kind, and the columns are in order."""
    kind = KINDS.get(statement.action)
    return kind is not None and bool(kind.contract) and not kind.broken_columns(statement)
