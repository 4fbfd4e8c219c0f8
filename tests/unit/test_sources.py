"""Codes and log events are found however the code writes them: what is not found would be undocumented unseen."""

import pytest

from tools import sources


@pytest.fixture
def written(tmp_path):
    """Write one module of a package; what is found is asked of its folder."""

    def write(text, name="module.py"):
        path = tmp_path / "package" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return tmp_path / "package"

    return write


@pytest.mark.parametrize(
    "text",
    [
        'raise RemoteError("some-code", "detail")',
        'raise errors.FatalError("some-code", "detail", hint="do it")',
        'error = LocalError("some-code")',
        'class Busy(RemoteError):\n    def __init__(self):\n        super().__init__("some-code")',
        'session._end("some-code", is_fault=True)',
        'self._forget(link, "some-code")',
        'peer.reason = "some-code"',
        'self.trouble = "some-code" if empty else ""',
        'code = {404: "some-code"}.get(status, "other")',
        'code = {404: "other"}.get(status, "some-code")',
        'class DialOutcome(Enum):\n    SLOW = "some-code"',
        'def judge(self):\n    return "some-code"',
        'def _asked(self):\n    return [("some-code", bucket)]',
    ],
)
def test_a_code_is_found_where_it_is_written(written, text):
    places = sources.codes(written(text))["some-code"]
    assert all(place.startswith("package/module.py:") for place in places)


@pytest.mark.parametrize("text", ['say("some-code")', 'name = "some-code"', 'raise RemoteError(code, "some-code")'])
def test_a_text_that_is_no_code_is_left_alone(written, text):
    assert sources.codes(written(text)) == {}


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ('self._log.info("some-event", count=1)', ("info",)),
        ('logger.exception("some-event", count=1)', ("exception",)),
        ('log.get("hub").warning("some-event", count=1)', ("warning",)),
        ('say = self._log.info if a else self._log.debug\nsay("some-event", count=1)', ("debug", "info")),
    ],
)
def test_a_log_event_is_found_with_its_level_and_fields(written, text, levels):
    folder = written(f'LOG = log.get("gossip")\n{text}')
    [event] = sources.events(folder)
    assert (event.name, event.levels, event.fields) == ("some-event", levels, ("count",))


def test_a_note_of_the_relay_is_a_log_event(written):
    [event] = sources.events(written('Note("some-event", reason)', "relay/outbox.py"))
    assert (event.name, event.services) == ("some-event", ("relay",))


def test_limits_are_read_with_section_value_and_reason(tmp_path):
    (tmp_path / "doors.py").write_text('"""Who comes in: docs/doors.md."""\n\nA_MAX = 2**3  # a reason\nB_MAX = 7\n')
    (tmp_path / "rooms.py").write_text("C_S = 1  # why\nD_S = (\n    2  # a long reason\n)  # of two parts\n")
    found = sources.limits(tmp_path)
    assert [(each.section, each.page, each.name, each.value, each.reason) for each in found] == [
        ("doors", "docs/doors.md", "A_MAX", "2 ** 3", "a reason"),
        ("doors", "docs/doors.md", "B_MAX", "7", ""),
        ("rooms", "", "C_S", "1", "why"),
        ("rooms", "", "D_S", "2", "a long reason of two parts"),
    ]
