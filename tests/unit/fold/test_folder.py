"""The fold as a whole: one lesson through every view, and the two evaluators side by side."""

from builders import Village, erased

from hubd.fold.folder import FOLD_VERSION, Folder, fold
from hubd.fold.views import LessonState, Payment, RequestState


def _village():
    village = Village(1)
    request = village.request("ana")
    match = village.match_offer("tomas", request)
    thread = village.thread("ana", "tomas")
    actions = [
        *village.found("hub", uplink=True),
        village.register("ana"),
        village.register("tomas"),
        village.vouch("steward-1", "ana"),
        village.offer("tomas"),
        request,
        match,
        village.match_accept("ana", match),
        *thread.actions,
        village.receipt("hub", [(action, 0) for action in thread.chained]),
        village.balance("hub", [("tomas", village.hours, 60, 0)]),
        village.seal("ana", "kind-of-tomorrow"),
    ]
    return village, thread, request, actions


def test_a_lesson_goes_through_every_view():
    village, thread, request, actions = _village()
    views = fold(village.charter, actions)
    lesson = views.lessons[thread.book.id]
    assert (lesson.state, lesson.payment, lesson.settled) == (LessonState.COMPLETED, Payment.RELEASED, True)
    assert views.requests[request.id].state is RequestState.MATCHED
    assert views.reputation[village.principal("tomas")].total == 5
    assert views.persons[village.principal("ana")].steward_vouches == 1
    assert views.unknown["kind-of-tomorrow"].count == 1
    assert not views.void


def test_the_folder_equals_the_plain_fold_after_every_action():
    village, _, _, actions = _village()
    folder = Folder(village.charter)
    for count, action in enumerate(actions, 1):
        folder.append([action])
        assert folder.views == fold(village.charter, actions[:count])


def test_changes_replayed_give_the_views():
    village, _, _, actions = _village()
    folder, replayed = Folder(village.charter), {}
    for action in actions:
        for change in folder.append([action]):
            table = replayed.setdefault(change.view, {})
            if change.entry is None:
                del table[change.key]
            else:
                table[change.key] = change.entry
    assert replayed.pop("mesh") == {b"": folder.views.mesh}
    for view, table in replayed.items():
        assert table == getattr(folder.views, view)


def test_known_actions_change_nothing():
    village, _, _, actions = _village()
    folder = Folder(village.charter)
    folder.append(actions)
    before = folder.views.digest
    assert folder.append(actions) == []
    assert folder.views.digest == before


def test_erasing_content_changes_nothing():
    village, thread, _, actions = _village()
    noted = village.confirm("tomas", thread.book, text={"note": "bring a pencil"})
    whole = fold(village.charter, [*actions, noted])
    assert fold(village.charter, [*actions, erased(noted)]).digest == whole.digest


def test_the_digest_tells_any_two_different_views_apart():
    village, _, _, actions = _village()
    digests = {fold(village.charter, actions[:count]).digest for count in range(len(actions) + 1)}
    changing = {Folder(village.charter).views.digest}
    folder = Folder(village.charter)
    for action in actions:
        if folder.append([action]):
            changing.add(folder.views.digest)
    assert digests == changing


def test_an_empty_mesh_has_its_stewards_and_no_time():
    village = Village(1)
    views = Folder(village.charter).views
    assert views == fold(village.charter, [])
    assert views.mesh.stewards == tuple(sorted(village.charter.stewards))
    assert views.time_s is None
    assert FOLD_VERSION == 4
