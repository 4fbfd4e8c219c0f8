"""Classes: a tutor teaches many at once. An attendance counts when learner and tutor said it, naming each other.

It counts once, and a pool pays it by itself.
"""

from hubd.action.kinds import MINUTES_MASK
from hubd.action.principal import Principal
from hubd.action.sip018 import NO_ID, ActionId
from hubd.fold.lesson_views import Class
from hubd.fold.read import Read, View
from hubd.fold.settlement import is_taken
from hubd.fold.speaking import person_of
from hubd.fold.void import is_heeded


def _words(opened: ActionId, tutor: Principal, read: Read) -> tuple[dict[Principal, bool], dict[Principal, bool]]:
    """Who was there as learners say, and as the tutor says; and whether the chain took it."""
    theirs: dict[Principal, bool] = {}
    tutors: dict[Principal, bool] = {}
    for author in read.authors("class-attend", opened):
        for attend in read.filed("class-attend", opened, author):
            who, person = attend.statement.who, person_of(author, read)
            if who is None or not is_heeded(attend, read):
                continue
            words, learner = (tutors, who) if person == tutor else (theirs, person)
            words[learner] = words.get(learner, False) or is_taken(attend, read)
    return theirs, tutors


def _class(opened: ActionId, read: Read) -> Class | None:
    action = read.action(opened)
    if action is None or not is_heeded(action, read):
        return None
    said, tutor = action.statement, person_of(action.statement.author, read)
    theirs, tutors = _words(opened, tutor, read)
    both = theirs.keys() & tutors.keys()
    return Class(
        id=opened,
        tutor=tutor,
        pool=said.subject if said.subject != NO_ID else None,
        price=said.amount,
        asset=said.asset,
        start=said.moment,
        minutes=said.bits & MINUTES_MASK,
        attended=len(both),
        settled=sum(theirs[learner] and tutors[learner] for learner in both),
        waiting=tuple(sorted(theirs.keys() - both)),
    )


CLASSES: View[ActionId, Class] = View("classes", _class, {"class-open": lambda action, _: (action.id,)})
