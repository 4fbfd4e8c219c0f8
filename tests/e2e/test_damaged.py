"""A card wears out under a running village: a hub that can't read its database any more comes back by itself."""

import sqlite3
import subprocess
import sys
import time
import tomllib

from commands import hubd, make_hub, running, status
from rotting import row_with

from hubd.store.actions import DATABASE_NAME
from hubd.store.database import MARK_NAME


def test_a_hub_whose_database_is_damaged_ends_in_words_and_is_whole_again_after_the_next_start(tmp_path):
    deployer = hubd("key", "new", tmp_path / "deployer.key", "--purpose", "deployer").stdout.strip()
    hubd("charter", "new", tmp_path / "charter.toml", "--name", "Mbili", "--deployer", deployer)
    mto = make_hub(tmp_path, "mto")
    port = tomllib.loads((mto / "hubd.toml").read_text())["mesh"]["listen_port"]
    kijiji = make_hub(tmp_path, "kijiji", **{"mesh.peers": f"127.0.0.1:{port}"})
    hubd("charter", "found", tmp_path / "charter.toml", mto, kijiji, "--steward-key", tmp_path / "steward-1.key")
    with running(mto):
        with running(kijiji):
            _until(lambda: status(kijiji)["spoken"] == status(mto)["spoken"], 20)
        _damage(kijiji / DATABASE_NAME)
        ended = subprocess.run(
            [sys.executable, "-m", "hubd", "run", "--data", str(kijiji)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert ended.returncode == 1, "so that systemd starts it again"
        assert "hubd: The hub's database is damaged." in ended.stderr
        assert (kijiji / MARK_NAME).exists()
        with running(kijiji):
            _until(lambda: status(kijiji)["spoken"] == status(mto)["spoken"], 20)
        assert not (kijiji / MARK_NAME).exists()


def _damage(path):
    """The type of an id says that it is longer than its page."""
    with sqlite3.connect(path) as connection:
        [header] = connection.execute("select header from action order by sequence desc limit 1").fetchone()
        connection.execute("pragma wal_checkpoint(truncate)")
    connection.close()
    raw = bytearray(path.read_bytes())
    raw[row_with(raw, header[-40:]).types[1]] ^= 0x80
    path.write_bytes(raw)


def _until(holds, within_s):
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.2)
