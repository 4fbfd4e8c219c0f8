"""Classes: a tutor teaches many at once. Each learner's attendance counts once, and a pool pays it by itself."""

from hubd.action.kinds import MINUTES_MASK
from hubd.action.principal import Principal
from hubd.action.sip018 import NO_ID, ActionId
from hubd.fold.lesson_views import Class
from hubd.fold.read import Read, View
from hubd.fold.settlement import is_taken
from hubd.fold.speaking import person_of
from hubd.fold.void import is_heeded


def _learners(opened: ActionId, read: Read) -> dict[Principal, bool]:
    """Who was there, and whether the chain took it."""
    found: dict[Principal, bool] = {}
    for author in read.authors("class-attend", opened):
        for attend in read.filed("class-attend", opened, author):
            if is_heeded(attend, read):
                who = person_of(author, read)
                found[who] = found.get(who, False) or is_taken(attend, read)
    return found


def _class(opened: ActionId, read: Read) -> Class | None:
    action = read.action(opened)
    if action is None or not is_heeded(action, read):
        return None
    said, learners = action.statement, _learners(opened, read)
    return Class(
        id=opened,
        tutor=person_of(said.author, read),
        pool=said.subject if said.subject != NO_ID else None,
        price=said.amount,
        asset=said.asset,
        start=said.moment,
        minutes=said.bits & MINUTES_MASK,
        attended=len(learners),
        settled=sum(learners.values()),
    )


CLASSES: View[ActionId, Class] = View("classes", _class, {"class-open": lambda action, _: (action.id,)})
