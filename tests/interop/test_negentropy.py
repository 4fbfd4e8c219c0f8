"""Two processes reconcile over the reference suite's line protocol, and say what the reference said."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from reconciliation import is_recorded, transcripts

HARNESS = Path(__file__).with_name("negentropy_harness.py")
SOURCE = HARNESS.parents[2]


class Harness:
    """A harness process that holds one side's items."""

    def __init__(self, items, frame_bytes_max):
        environment = {**os.environ, "FRAMESIZELIMIT": str(frame_bytes_max), "PYTHONPATH": str(SOURCE)}
        self._process = subprocess.Popen(
            [sys.executable, HARNESS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        for created, id_ in items:
            self._process.stdin.write(f"item,{created},{id_}\n")
        self.tell("seal")

    def tell(self, line):
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def ask(self, line):
        """Tell a line and read up to the message or the end that answers it: (message or None, have, need)."""
        self.tell(line)
        found = {"have": [], "need": []}
        while True:
            word, _, value = self._process.stdout.readline().strip().partition(",")
            if word in found:
                found[word].append(value)
            else:
                assert word in {"msg", "done"}, f"the harness said {word!r}"
                return (value if word == "msg" else None), found["have"], found["need"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.stdout.close()
        assert self._process.wait(timeout=10) == 0


@pytest.mark.parametrize("case", transcripts(), ids=lambda case: case["name"])
def test_two_processes_speak_as_the_reference_did(case):
    spoken, have, need = [], [], []
    with (
        Harness(case["a"], case["frame_size_limit_a"]) as initiator,
        Harness(case["b"], case["frame_size_limit_b"]) as responder,
    ):
        message, _, _ = initiator.ask("initiate")
        while message is not None:
            answer, _, _ = responder.ask(f"msg,{message}")
            spoken += [message, answer]
            message, new_have, new_need = initiator.ask(f"msg,{answer}")
            have += new_have
            need += new_need

    assert len(spoken) == len(case["messages"])
    for message, recorded in zip(spoken, case["messages"], strict=True):
        assert is_recorded(bytes.fromhex(message), recorded)
    assert (sorted(have), sorted(need)) == (sorted(case["have"]), sorted(case["need"]))


@pytest.mark.parametrize(
    ("line", "reason"), [("msg,61ff", "reconcile"), ("msg,xy", "hexadecimal"), ("hello", "unknown")]
)
def test_a_line_or_message_that_is_refused_ends_the_harness_with_its_reason(line, reason):
    ended = subprocess.run(
        [sys.executable, HARNESS],
        input=f"seal\n{line}\n",
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        check=False,
    )
    assert ended.returncode == 1
    assert reason in ended.stderr
