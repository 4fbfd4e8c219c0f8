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
from hubd.fold.keys import keys_of
from hubd.fold.read import Read, Tally, View
from hubd.fold.speaking import person_of, speaker_fault
from hubd.fold.views import Unknown, Void

REASONS = {
    "columns": "A field is set that this kind leaves empty, or one that it needs is empty.",
    "content": "The content does not say what this kind has to say.",
    "unregistered": "The author is no registered person.",
    "scope": "The author's key may not do this for its person.",
    "revoked": "The author's key was revoked, and nothing shows that this is older.",
    "not-steward": "Only a live steward may say this.",
    "not-officer": "Only an officer or a steward may say this.",
    "not-admitted": "Only an admitted hub may say this.",
    "subject": "What it is about is of another kind, void, or somebody else's.",
    "not-party": "The author has no such part in it.",
    "self": "It names its own author as the other person.",
    "who": "It names another person than the one it is about.",
    "person": "The key is a person already, or never was another's.",
    "terms": "It does not repeat the price, asset, start or length that it answers.",
    "bits": "Its bits mean nothing here.",
    "stars": "Stars go from 1 to 5.",
}


def _subject_fault(action: Action, subject: Action, read: Read) -> str:
    """Whether it may be about this. Versions stand whatever became of the ones before them."""
    kind = action.kind
    if subject.kind not in SUBJECTS.get(kind, (subject.kind,)):
        return "subject"
    if kind in OWN and person_of(subject.statement.author, read) != person_of(action.statement.author, read):
        return "subject"
    if kind not in SUBJECTS:
        return ""
    if subject.kind != kind:
        return "subject" if read.entry(VOID, subject.id) is not None else ""
    if kind == "lesson-attend":  # only an attend of the lesson itself can be scanned, so this ends
        book = read.action(subject.statement.subject)
        is_scan = book is None or (book.kind == "lesson-book" and read.entry(VOID, subject.id) is None)
        return "" if is_scan else "subject"
    return ""


def fault(action: Action, read: Read) -> str:
    """The reason why an action is void, "" where it is not."""
    row = KINDS.get(action.kind)
    if row is None:
        return ""
    if row.broken_columns(action.statement):
        return "columns"
    if action.kind in READERS and READERS[action.kind](action) is None:
        return "content"
    if reason := speaker_fault(action, read):
        return reason
    subject = read.action(action.statement.subject) if action.statement.subject != NO_ID else None
    if subject is None and action.kind in SUBJECTS and action.statement.subject != NO_ID:
        return ""
    if subject is not None and (reason := _subject_fault(action, subject, read)):
        return reason
    check = CHECKS.get(action.kind)
    return check(action, subject, read) if check is not None else ""


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
