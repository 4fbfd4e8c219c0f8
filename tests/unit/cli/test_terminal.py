"""What commands say stands well on every terminal: a narrow one, one without colours or letters, and none at all."""

import os
import pty
import struct
import subprocess
import sys
from fcntl import ioctl
from termios import TIOCSWINSZ

import pytest
from click.testing import CliRunner

from hubd.cli import main
from hubd.cli.terminal import complain
from hubd.errors import FatalError, RemoteError
from hubd.messages import words

NAME = "Кижи"
HINT = "hint: name its folder with --data, or prepare one with `hubd init`"
LOGS = "from hubd import log; log.configure(); log.get('hub').info('hub-started')"


def on_a_terminal(columns, *arguments, **environment):
    """All that a command says on a terminal of a width, both streams."""
    here, there = pty.openpty()
    ioctl(there, TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    keep = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR", "LANG", "LC_ALL")}
    ran = subprocess.Popen(
        [sys.executable, *arguments],
        stdin=there,
        stdout=there,
        stderr=there,
        env=keep | {"TERM": "xterm"} | environment,
    )
    os.close(there)
    said = b""
    try:
        while part := os.read(here, 65_536):
            said += part
    except OSError:  # the other side is closed: that is how a terminal ends
        pass
    os.close(here)
    ran.wait(timeout=20)
    return said.decode().replace("\r\n", "\n")


def test_a_narrow_terminal_breaks_lines_between_words(tmp_path):
    said = on_a_terminal(60, "-m", "hubd", "status", "--data", str(tmp_path))
    lines = said.splitlines()
    assert len(lines) > 2
    assert all(len(line) <= 60 for line in lines if str(tmp_path) not in line)
    assert HINT in " ".join(said.split())


def test_a_pipe_takes_each_line_whole(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-m", "hubd", "status", "--data", str(tmp_path)],
        capture_output=True, text=True, env=os.environ | {"COLUMNS": "40"}, check=False,
    )  # fmt: skip
    assert ended.stderr.splitlines()[1] == HINT
    assert ended.stdout == ""


@pytest.mark.parametrize(
    ("environment", "is_coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_a_terminal_has_colours_unless_its_owner_wants_none(environment, is_coloured):
    said = on_a_terminal(80, "-c", LOGS, **environment)
    assert "hub-started" in said
    assert ("\x1b[" in said) == is_coloured


def test_a_log_in_a_file_has_no_colours_even_where_it_is_to_be_readable():
    asked = LOGS.replace("configure()", "configure('info', 'console')")
    ran = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert "hub-started" in ran.stderr
    assert "\x1b[" not in ran.stderr


def test_letters_that_a_terminal_lacks_are_question_marks(tmp_path):
    def hubd(*arguments):
        ran = [sys.executable, "-m", "hubd", *map(str, arguments)]
        old = os.environ | {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
        return subprocess.run(ran, capture_output=True, env=old, check=True).stdout.decode("latin-1")

    key = tmp_path / "deployer.key"
    hubd("key", "new", key, "--purpose", "deployer")
    deployer = hubd("key", "show", key, "--purpose", "deployer").strip()
    hubd("charter", "new", tmp_path / "charter.toml", "--name", NAME, "--deployer", deployer)
    assert "name: ????" in hubd("charter", "show", tmp_path / "charter.toml")


def test_a_mistyped_command_is_named_as_it_may_have_been_meant():
    ended = CliRunner().invoke(main, ["statsu"])
    assert ended.exit_code == 2
    assert "Did you mean 'status'?" in ended.output
    assert "Did you mean" not in CliRunner().invoke(main, ["xyzzy"]).output


def test_a_folder_without_a_phone_is_said_to_be_one(tmp_path):
    ended = CliRunner().invoke(main, ["phone", "show", "--phone", str(tmp_path)])
    assert ended.exit_code == 1
    assert f"hubd: there is no phone in {tmp_path}\n" in ended.output


@pytest.mark.parametrize("arguments", [("run",), ("status",), ("export", "bundle"), ("import", __file__)])
def test_a_folder_without_a_hub_is_said_to_be_one(tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    ended = CliRunner().invoke(main, [*arguments, "--data", str(tmp_path / "none")])
    assert ended.exit_code == 1
    assert f"hubd: there is no hub in {tmp_path / 'none'}\n" in ended.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RemoteError("field", "'x' is no time", "write now"), ["hubd: 'x' is no time", "hint: write now"]),
        (RemoteError("hub-gone", "Reset"), [f"hubd: {words('hub-gone')} (Reset)"]),
        (RemoteError("hub-gone"), [f"hubd: {words('hub-gone')}"]),
        (FatalError("file", "no room", hint="make some"), ["hubd: no room", "hint: make some"]),
    ],
)
def test_a_mistake_of_ones_own_is_named_and_a_fault_of_others_explained(capsys, error, expected):
    complain(error)
    assert capsys.readouterr().err.splitlines() == expected
