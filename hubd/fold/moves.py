"""Moves: where in time a lesson is, as both agreed last.

A lesson-move about the lesson, or about the proposal that was agreed on last, proposes; one by the other side about such a
proposal, repeating its start and minutes, agrees. So agreed proposals form a chain that begins with the booking. Of
several that both sides agreed on for one version the one whose agreement the chain took counts, else the smallest id.
"""

from typing import NamedTuple

from hubd.action.envelope import Action
from hubd.action.kinds import MINUTES_MASK
from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.fold.lesson_checks import lesson_of
from hubd.fold.lesson_views import Move
from hubd.fold.read import Read, View
from hubd.fold.settlement import best, is_taken
from hubd.fold.speaking import person_of
from hubd.fold.void import heeded, is_heeded
from hubd.limits import LESSON_MOVES_MAX


class Times(NamedTuple):
    """When a lesson is; `version` fixed it, `starts` are all starts that it ever had."""

    start: int
    minutes: int
    version: ActionId
    starts: tuple[int, ...]


def _repeats(answer: Action, proposal: Action) -> bool:
    return (answer.statement.moment, answer.statement.bits) == (proposal.statement.moment, proposal.statement.bits)


def _answers(proposal: Action, other: Principal, read: Read) -> list[Action]:
    """The other side's agreements to a proposal."""
    return [each for each in heeded("lesson-move", proposal.id, other, read) if _repeats(each, proposal)]


def _proposals(about: Action, person: Principal, read: Read) -> list[Action]:
    """What a person proposes instead of a booking or an agreed proposal. Agreeing to that one is no proposal."""
    found = heeded("lesson-move", about.id, person, read)
    if about.kind != "lesson-move" or person_of(about.statement.author, read) == person:
        return found
    return [each for each in found if not _repeats(each, about)]


def _agreed(about: Action, student: Principal, tutor: Principal, read: Read) -> Action | None:
    """The proposal that replaces this version, as both sides say."""
    pairs = [
        (answer, proposal)
        for person, other in ((student, tutor), (tutor, student))
        for proposal in _proposals(about, person, read)
        if (answer := best(_answers(proposal, other, read), read)) is not None
    ]
    ruling = min(pairs, key=lambda pair: (not is_taken(pair[0], read), pair[1].id), default=None)
    return ruling[1] if ruling is not None else None


def times(book: Action, student: Principal, tutor: Principal, read: Read) -> Times:
    """When a lesson is by what both agreed on."""
    said, version = book.statement, book
    minutes, starts = said.bits & MINUTES_MASK, [said.moment]
    for _ in range(LESSON_MOVES_MAX):
        move = _agreed(version, student, tutor, read)
        if move is None:
            break
        version, minutes = move, move.statement.bits or minutes
        starts.append(move.statement.moment)
    return Times(starts[-1], minutes, version.id, tuple(starts))


def _move(move_id: ActionId, read: Read) -> Move | None:
    """A proposal; an agreement is no entry of its own."""
    action = read.action(move_id)
    if action is None or not is_heeded(action, read) or (book := lesson_of(action, read)) is None:
        return None
    about, tutor = read.action(action.statement.subject), book.statement.who
    if about is None or tutor is None or not is_heeded(book, read):
        return None
    by, student = person_of(action.statement.author, read), person_of(book.statement.author, read)
    if action not in _proposals(about, by, read):
        return None
    return Move(
        id=move_id,
        lesson=book.id,
        by=by,
        start=action.statement.moment,
        minutes=action.statement.bits,
        version=about.id,
        agreed=bool(_answers(action, tutor if by == student else student, read)),
    )


MOVES: View[ActionId, Move] = View("moves", _move, {"lesson-move": lambda action, _: (action.id,)})
