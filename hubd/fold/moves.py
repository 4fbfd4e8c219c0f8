"""Moves: where in time a lesson is, as both agreed last.

A lesson-move about the lesson, or about the proposal that was agreed on last, proposes; one about one's own proposal that
nobody agreed to yet proposes in its place; one by the other side about a proposal, repeating its start and minutes, agrees.
So agreed proposals form a chain that begins with the booking. Of several that both sides agreed on for one version the one
whose agreement the chain took counts, else the smallest id.

What somebody says about the own proposal builds on it where the other agreed, and else replaces it: only the chain knows
which came first. So an agreement counts unless the chain took the replacement and not the agreement.
"""

from collections.abc import Iterator
from typing import NamedTuple

from hubd.action.envelope import Action
from hubd.action.kinds import MINUTES_MASK
from hubd.action.principal import Principal
from hubd.action.sip018 import ActionId
from hubd.fold.lesson_checks import lesson_of
from hubd.fold.lesson_views import Move
from hubd.fold.read import Read, View
from hubd.fold.settlement import best, is_taken, standing
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


def _later(proposal: Action, read: Read) -> list[Action]:
    """What its author proposes instead of a proposal, or on top of it."""
    return heeded("lesson-move", proposal.id, person_of(proposal.statement.author, read), read)


def _agreement(proposal: Action, other: Principal, read: Read) -> Action | None:
    """The other side's agreement, unless it came too late."""
    answer = best(_answers(proposal, other, read), read)
    if answer is None or is_taken(answer, read):
        return answer
    return None if any(is_taken(each, read) for each in _later(proposal, read)) else answer


def _pairs(about: Action, person: Principal, other: Principal, read: Read) -> Iterator[tuple[Action, Action]]:
    """What the other side agreed to of all that a person proposes instead of a version, with the agreements."""
    proposals = _proposals(about, person, read)
    for _ in range(LESSON_MOVES_MAX):
        replaced = []
        for proposal in proposals:
            answer = _agreement(proposal, other, read)
            if answer is not None:
                yield answer, proposal
            else:
                replaced += _later(proposal, read)
        proposals = replaced


def _agreed(about: Action, student: Principal, tutor: Principal, read: Read) -> Action | None:
    """The proposal that takes this version's place, as both sides say."""
    pairs = [*_pairs(about, student, tutor, read), *_pairs(about, tutor, student, read)]
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


def _version(move: Action, other: Principal, read: Read) -> Action | None:
    """What a proposal is to take the place of: behind what its author replaced, the lesson or an agreed proposal."""
    about = read.action(move.statement.subject)
    for _ in range(LESSON_MOVES_MAX):
        is_replaced = (
            about is not None
            and about.kind == "lesson-move"
            and person_of(about.statement.author, read) == person_of(move.statement.author, read)
            and _agreement(about, other, read) is None
        )
        if about is None or not is_replaced:
            break
        about = read.action(about.statement.subject)
    return about


def _move(move_id: ActionId, read: Read) -> Move | None:
    """A proposal; an agreement is no entry of its own."""
    action = read.action(move_id)
    if action is None or not is_heeded(action, read) or (book := lesson_of(action, read)) is None:
        return None
    about, tutor = read.action(action.statement.subject), book.statement.who
    if about is None or tutor is None or not is_heeded(book, read):
        return None
    by, student = person_of(action.statement.author, read), person_of(book.statement.author, read)
    other = tutor if by == student else student
    version = _version(action, other, read)
    if version is None or action not in _proposals(about, by, read):
        return None
    is_agreed = _agreement(action, other, read) is not None
    return Move(
        id=move_id,
        lesson=book.id,
        by=by,
        start=action.statement.moment,
        minutes=action.statement.bits,
        version=version.id,
        agreed=is_agreed,
        replaced=not is_agreed and bool(standing(_later(action, read), read)),
    )


MOVES: View[ActionId, Move] = View("moves", _move, {"lesson-move": lambda action, _: (action.id,)})
