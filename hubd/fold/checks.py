"""The rules of single kinds beyond their columns: what they may be about, and who must be whom.

A check sees the action and the one it is about, which is here, of an allowed kind and not void. It gives a reason of
`hubd.fold.void.REASONS`, "" where all is well. Checks of kinds that the chain executes are never stricter than the
contracts: what was paid for must not be void.
"""

from hubd.action.content import is_anchored
from hubd.action.envelope import Action
from hubd.fold.anchored import REVOKED_LEVEL
from hubd.fold.keys import KEYS, RINGS, covers, has_scopes, is_lasting, person_of_add
from hubd.fold.lesson_checks import LESSON_CHECKS, Check, same_terms
from hubd.fold.read import Read
from hubd.fold.settlement import is_taken
from hubd.fold.speaking import person_of
from hubd.limits import GUARDIAN_DELAY_S_MAX, GUARDIAN_DELAY_S_MIN, GUARDIANS_MAX

_LESSON = frozenset(("lesson-book",))
_KEYS = frozenset(("user-register", "key-add", "recovery-open"))

# Kinds whose subject must be of certain kinds. Of others it may be anything: a transaction, any action, a sheet.
SUBJECTS: dict[str, frozenset[str]] = {
    "profile-set": frozenset(("profile-set",)),
    "key-add": _KEYS,
    "key-accept": frozenset(("key-add",)),
    "key-revoke": _KEYS,
    "guardian-set": frozenset(("guardian-set", "recovery-open")),
    "recovery-approve": frozenset(("recovery-open",)),
    "recovery-cancel": frozenset(("recovery-open",)),
    "recovery-finish": frozenset(("recovery-open",)),
    "vouch-withdraw": frozenset(("vouch-give",)),
    "offer-set": frozenset(("offer-set",)),
    "offer-withdraw": frozenset(("offer-set",)),
    "request-close": frozenset(("request-open",)),
    "match-offer": frozenset(("request-open",)),
    "match-accept": frozenset(("match-offer",)),
    "lesson-confirm": _LESSON,
    "lesson-decline": _LESSON,
    "lesson-move": frozenset(("lesson-book", "lesson-move")),
    "lesson-cancel": _LESSON,
    "lesson-attend": frozenset(("lesson-book", "lesson-attend")),
    "lesson-complete": _LESSON,
    "lesson-claim": _LESSON,
    "class-attend": frozenset(("class-open",)),
    "escrow-return": frozenset(("escrow-lock",)),
    "payout-received": frozenset(("payout-note",)),
    "rating-seal": _LESSON,
    "rating-open": _LESSON,
    "dispute-open": _LESSON,
    "dispute-evidence": _LESSON,
    "dispute-offer": frozenset(("lesson-book", "dispute-offer")),
    "dispute-vote": _LESSON,
    "dispute-settle": _LESSON,
    "dispute-accept": frozenset(("dispute-offer",)),
    "consent-give": frozenset(("consent-give",)),
    "consent-withdraw": frozenset(("consent-give",)),
    "person-release": frozenset(("person-hold",)),
    "hub-announce": frozenset(("hub-announce",)),
    "hub-admit": frozenset(("hub-announce",)),
    "hub-retire": frozenset(("hub-admit",)),
}
# Kinds about something of one's own: a former version, or what is ended by it.
OWN = frozenset(
    (
        *(
            "profile-set",
            "guardian-set",
            "vouch-withdraw",
            "content-erase",
            "action-void",
            "offer-set",
            "offer-withdraw",
        ),
        *("request-close", "consent-give", "consent-withdraw", "hub-announce"),
    )
)


def _key_add(action: Action, _subject: Action | None, read: Read) -> str:
    key, person = action.statement.who, person_of_add(action, read)
    if key is None or not has_scopes(action):
        return "bits"
    if person is not None and person != person_of(action.statement.author, read):
        return "subject"
    return "person" if read.entry(RINGS, key) is not None else ""


def _key_accept(action: Action, subject: Action | None, read: Read) -> str:
    if subject is None or subject.statement.who != action.statement.author:
        return "who"
    return "person" if read.entry(RINGS, action.statement.author) is not None else ""


def _key_revoke(action: Action, subject: Action | None, read: Read) -> str:
    assert subject is not None
    is_its_own = subject.kind != "key-add"
    if action.statement.who != (subject.statement.author if is_its_own else subject.statement.who):
        return "who"
    if person_of_add(subject, read) != person_of(action.statement.author, read):
        return "subject"
    return "" if action.statement.who == action.statement.author or _may_end(action, subject, read) else "scope"


def _may_end(revoke: Action, subject: Action, read: Read) -> bool:
    known = read.entry(KEYS, revoke.statement.author)
    own = read.action(known.added) if known is not None else None
    return is_taken(revoke, read) or (own is not None and covers(own, subject))


def _guardian_set(action: Action, _subject: Action | None, read: Read) -> str:
    said = action.statement
    is_delay = said.moment == 0 or GUARDIAN_DELAY_S_MIN <= said.moment <= GUARDIAN_DELAY_S_MAX
    if said.bits >= GUARDIANS_MAX or said.amount > GUARDIANS_MAX or not is_delay:
        return "bounds"
    return "self" if said.who == person_of(said.author, read) else ""


def _recovery_open(action: Action, _subject: Action | None, read: Read) -> str:
    """By a key that is nobody's, but for what this very recovery made it."""
    if action.statement.who == action.statement.author:
        return "self"
    known = read.entry(KEYS, action.statement.author)
    return "person" if known is not None and known.added != action.id else ""


def _recovery_approve(action: Action, subject: Action | None, read: Read) -> str:
    if person_of(action.statement.author, read) == action.statement.who:
        return "self"
    return _same_who(action, subject, read)


def _recovery_cancel(action: Action, subject: Action | None, read: Read) -> str:
    fault = _same_who(action, subject, read)
    if fault or person_of(action.statement.author, read) != action.statement.who:
        return fault or "not-party"
    known = read.entry(KEYS, action.statement.author)
    return "" if known is not None and is_lasting(known) else "scope"


def _vouch_give(action: Action, _subject: Action | None, read: Read) -> str:
    return "self" if action.statement.who == person_of(action.statement.author, read) else ""


def _same_who(action: Action, subject: Action | None, _read: Read) -> str:
    return "" if subject is not None and action.statement.who == subject.statement.who else "who"


def _content_erase(_action: Action, subject: Action | None, _read: Read) -> str:
    return "subject" if subject is not None and is_anchored(subject.kind) else ""


def _offer_set(action: Action, subject: Action | None, _read: Read) -> str:
    return "" if subject is None or subject.statement.asset == action.statement.asset else "terms"


def _match_offer(action: Action, subject: Action | None, read: Read) -> str:
    assert subject is not None
    student = person_of(subject.statement.author, read)
    if action.statement.who != student:
        return "who"
    return "self" if person_of(action.statement.author, read) == student else ""


def _match_accept(action: Action, subject: Action | None, read: Read) -> str:
    assert subject is not None
    if person_of(action.statement.author, read) != subject.statement.who:
        return "not-party"
    if action.statement.who not in (None, person_of(subject.statement.author, read)):
        return "who"
    return "" if same_terms(action, subject) and action.statement.bits == subject.statement.bits else "terms"


def _hub_admit(action: Action, subject: Action | None, _read: Read) -> str:
    return "" if subject is not None and action.statement.who == subject.statement.author else "who"


def _relay_receipt(action: Action, _subject: Action | None, _read: Read) -> str:
    return "bits" if action.statement.bits > REVOKED_LEVEL else ""


CHECKS: dict[str, Check] = {
    "key-add": _key_add,
    "key-accept": _key_accept,
    "key-revoke": _key_revoke,
    "guardian-set": _guardian_set,
    "recovery-open": _recovery_open,
    "recovery-approve": _recovery_approve,
    "recovery-cancel": _recovery_cancel,
    "vouch-give": _vouch_give,
    "vouch-withdraw": _same_who,
    "content-erase": _content_erase,
    "offer-set": _offer_set,
    "match-offer": _match_offer,
    "match-accept": _match_accept,
    "hub-admit": _hub_admit,
    "hub-retire": _same_who,
    "relay-receipt": _relay_receipt,
    **LESSON_CHECKS,
}
