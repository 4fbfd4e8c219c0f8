"""The `hubd` command as a person types it, and what it says."""

import json
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

from hubd.demo.processes import free_port


def hubd(*arguments, code=0, **kwargs):
    """Run a command to its end; its exit code must be the expected one, and no traceback may show."""
    ended = subprocess.run(
        [sys.executable, "-m", "hubd", *map(str, arguments)],
        capture_output=True, text=True, timeout=60, check=False, **kwargs,
    )  # fmt: skip
    assert ended.returncode == code, (ended.returncode, ended.stdout, ended.stderr)
    assert "Traceback" not in ended.stderr
    return ended


def words(ended):
    """The complaint and the hint of a command that failed."""
    lines = [line for line in ended.stderr.splitlines() if line.startswith(("hubd: ", "hint: "))]
    assert len(lines) >= 2, ended.stderr
    return lines[-2], lines[-1]


def make_hub(folder, name, **settings):
    chosen = {
        "hub.name": name,
        "mesh.listen_host": "127.0.0.1",
        "mesh.listen_port": free_port(),
        "mesh.discover": "false",
        "phones.listen_host": "127.0.0.1",
        "phones.listen_port": free_port(),
        "phones.discover": "false",
        **settings,
    }
    options = [text for key, value in chosen.items() for text in ("--set", f"{key}={value}")]
    hubd("init", "--data", folder / name, "--charter", folder / "charter.toml", *options)
    return folder / name


@contextmanager
def running(directory):
    process = subprocess.Popen(
        [sys.executable, "-m", "hubd", "run", "--data", str(directory)], stderr=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and process.poll() is None:
            if status(directory)["running"]:
                break
            time.sleep(0.1)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


def status(directory):
    return json.loads(hubd("status", "--data", directory, "--json").stdout)
