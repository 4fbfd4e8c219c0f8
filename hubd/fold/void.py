"""Void: actions that break their kind's rules. They stay in the set, and no other view heeds them.

Asked in this order: columns, content (of anchored kinds), who speaks, what the action is about, and the kind's own check.
What an action is about may not have arrived yet; then it is not void, it waits. The answer may change with the set: an
action by somebody who is no person yet stops being void when the registration comes.
"""

from collections.abc import Iterator, Sequence

from hubd.action.envelope import Action
from hubd.action.kinds import KINDS
from hubd.action.principal import Principal
from hubd.action.sip018 import NO_ID, ActionId
from hubd.fold.anchored import READERS
from hubd.fold.checks import CHECKS, OWN, SUBJECTS
from hubd.fold.council import stewards
from hubd.fold.keys import KEYS, RINGS, keys_of, registers
from hubd.fold.read import Read, Tally, View
from hubd.fold.settlement import SETTLEMENT
from hubd.fold.speaking import SPEAKERS, Speaker, person_of, speaker_fault
from hubd.fold.views import Unknown, Void

REASONS = {
    "columns": "A field is set that this kind leaves empty, or one that it needs is empty.",
    "content": "The content does not say what this kind has to say.",
    "unregistered": "The author is no registered person.",
    "scope": "The author's key may not do this for its person.",
    "revoked": "The author's key was revoked, and nothing shows that this is older.",
    "not-steward": "Only a live steward may say this; only a hub-retire counts from a removed one too.",
    "not-officer": "Only an officer or a steward may say this.",
    "not-admitted": "Only an admitted hub may say this.",
    "subject": "What it is about is of another kind, void, or somebody else's.",
    "not-party": "The author has no such part in it.",
    "self": "It names its own author as the other person.",
    "who": "It names another person than the one it is about.",
    "person": "The key is a person already, or never was another's.",
    "terms": "It does not repeat the price, asset, start or length that it answers.",
    "bounds": "A number in it is outside of what this kind allows.",
    "bits": "Its bits mean nothing here.",
    "stars": "Stars go from 1 to 5.",
}

_REFERRING = tuple(name for name, kind in KINDS.items() if kind.subject and SPEAKERS[name] is Speaker.PERSON)


def _plain_fault(action: Action, read: Read) -> str:
    """Columns, content and speaker: what is asked of an action for itself."""
    row = KINDS.get(action.kind)
    if row is None:
        return ""
    if row.broken_columns(action.statement):
        return "columns"
    if action.kind in READERS and READERS[action.kind](action) is None:
        return "content"
    return speaker_fault(action, read)


def _relation_fault(action: Action, subject: Action | None, read: Read) -> str:
    """Whether it may be about this, and the kind's own check; whether the subject is void is not asked here."""
    kind = action.kind
    if subject is not None:
        if subject.kind not in SUBJECTS.get(kind, (subject.kind,)):
            return "subject"
        if kind in OWN and person_of(subject.statement.author, read) != person_of(action.statement.author, read):
            return "subject"
    check = CHECKS.get(kind)
    return check(action, subject, read) if check is not None else ""


def _heeds_void(action: Action, subject: Action, read: Read) -> bool:
    """Whether an action is about a void one and falls with it. Versions stand whatever became of those before them."""
    if action.kind not in SUBJECTS:
        return False
    if subject.kind != action.kind:
        return read.entry(VOID, subject.id) is not None
    if action.kind == "lesson-attend":  # only an attend of the lesson itself can be scanned, so this ends
        book = read.action(subject.statement.subject)
        return book is not None and (book.kind != "lesson-book" or read.entry(VOID, subject.id) is not None)
    return False


def _is_taken_back(vouch: Action, read: Read) -> bool:
    return any(
        not _plain_fault(withdrawal, read) and not _relation_fault(withdrawal, vouch, read)
        for key in keys_of(person_of(vouch.statement.author, read), read)
        for withdrawal in read.filed("vouch-withdraw", vouch.id, key)
    )


def _vouches(author: Principal, person: Principal, read: Read) -> bool:
    """Whether an author, a live key or a steward, vouches for a person and did not take it back."""
    return any(
        not _plain_fault(vouch, read) and not _relation_fault(vouch, None, read) and not _is_taken_back(vouch, read)
        for vouch in read.filed("vouch-give/who", person, author)
    )


def _is_sure(person: Principal, read: Read) -> bool:
    """Whether the chain took a person's registration, or a steward vouches for them."""
    registered = (read.entry(SETTLEMENT, action.id) for action in registers(person, read))
    return any(known is not None and known.is_done for known in registered) or any(
        _vouches(steward, person, read) for steward in stewards(read)
    )


def _is_known(person: Principal, read: Read) -> bool:
    """Whether a person is sure, or somebody who is vouches for them: newcomers who vouch for one another are nobody."""
    return _is_sure(person, read) or any(
        _is_sure(person_of(author, read), read) and _vouches(author, person, read)
        for author in read.authors("vouch-give/who", person)
    )


def _refers(other: Action, action: Action, person: Principal, read: Read) -> bool:
    """Whether a live key of another person, whom somebody knows, refers to an action as one may if that is not void."""
    known = read.entry(KEYS, other.statement.author)
    if known is None or not known.is_live or known.person == person:
        return False
    return not _plain_fault(other, read) and not _relation_fault(other, action, read) and _is_known(known.person, read)


def _was_seen(action: Action, read: Read) -> bool:
    """Whether something besides its revoked key vouches for an action.

    It counts only if a receipt shows that the chain took it, if it made one of the person's live keys, or if a live key of
    another person who is known referred to it: nothing else tells it from one that a thief signed yesterday, and a thief
    makes strangers at will (docs/protocol.md).
    """
    settled = read.entry(SETTLEMENT, action.id)
    if settled is not None and settled.is_done:
        return True
    person = person_of(action.statement.author, read)
    ring = read.entry(RINGS, person)
    if ring is not None and any(key.is_live and key.added == action.id for key in ring.keys):
        return True
    return any(
        _refers(other, action, person, read)
        for kind in _REFERRING
        for author in read.authors(kind, action.id)
        for other in read.filed(kind, action.id, author)
    )


def fault(action: Action, read: Read) -> str:
    """The reason why an action is void, "" where it is not."""
    reason = _plain_fault(action, read)
    if reason and not (reason == "revoked" and _was_seen(action, read)):
        return reason
    about = action.statement.subject
    subject = read.action(about) if about != NO_ID else None
    if subject is None and about != NO_ID and action.kind in SUBJECTS:
        return ""
    if subject is not None and _heeds_void(action, subject, read):
        return "subject"
    return _relation_fault(action, subject, read)


def _void(action_id: ActionId, read: Read) -> Void | None:
    action = read.action(action_id)
    reason = fault(action, read) if action is not None else ""
    return Void(reason) if reason else None


VOID: View[ActionId, Void] = View("void", _void, {"*": lambda action, _: (action.id,)})


def heeded(shelf: str, key: bytes, person: Principal, read: Read) -> list[Action]:
    """A person's actions on a shelf under a key, by any of its keys, void ones left out."""
    return [
        action
        for author in keys_of(person, read)
        for action in read.filed(shelf, key, author)
        if read.entry(VOID, action.id) is None
    ]


def is_heeded(action: Action, read: Read) -> bool:
    """Whether an action has any effect."""
    return read.entry(VOID, action.id) is None


def _foreign(action: Action, _read: Read) -> Sequence[ActionId]:
    return () if action.kind in KINDS else (action.id,)


def _kind(action_id: ActionId, read: Read) -> str | None:
    action = read.action(action_id)
    return None if action is None or action.kind in KINDS else action.kind


def _once(kind: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield kind, (1,)


FOREIGN: View[ActionId, str] = View("foreign", _kind, {"*": _foreign}, public=False)
UNKNOWN: Tally[str, Unknown] = Tally("unknown", FOREIGN, _once, lambda kind, sums: Unknown(kind, sums[0]))
