"""Actions of stewards at one hub, and the doors of the others while all of them run."""

import time
import tomllib

from commands import hubd, make_hub, running, status

AT_ONCE_S = 5  # by a push, far below the interval of sessions


def test_a_retirement_cuts_links_and_an_admission_opens_doors_at_hubs_that_only_hear_of_it(tmp_path):
    deployer = hubd("key", "new", tmp_path / "deployer.key", "--purpose", "deployer").stdout.strip()
    hubd("charter", "new", tmp_path / "charter.toml", "--name", "Tatu", "--deployer", deployer)
    mto = make_hub(tmp_path, "mto")
    beside = {"mesh.peers": f"127.0.0.1:{_port(mto)}"}
    steward, zamani = (make_hub(tmp_path, name, **beside) for name in ("kijiji", "zamani"))
    key = ("--steward-key", tmp_path / "steward-1.key")
    hubd("charter", "found", tmp_path / "charter.toml", mto, steward, zamani, *key)
    mpya = make_hub(tmp_path, "mpya", **beside)
    with running(mto), running(steward), running(zamani), running(mpya):
        _until(lambda: states(mto) == {"kijiji": "connected", "zamani": "connected"}, 20)
        hubd("retire", "zamani", "--data", steward, *key)
        _until(lambda: "zamani" not in states(mto) and states(zamani)["mto"] != "connected", AT_ONCE_S)
        phones = f"http://127.0.0.1:{status(mpya)['phones']['port']}"
        assert said(mpya) != said(mto), "a stranger is given nothing"
        hubd("admit", "mpya", "--operator", "2", "--from", phones, "--data", steward, *key)
        _until(lambda: "mpya" in states(mto), AT_ONCE_S)
        _until(lambda: states(mpya).get("mto") == "connected" and said(mpya) == said(mto), 30)
        assert said(zamani) != said(mto), "a hub that was retired is told no more"
        assert states(zamani)["mto"] != "connected"


def states(hub):
    """How the links of a hub are, by the neighbour's name."""
    return {peer["name"]: peer["state"] for peer in status(hub)["peers"]}


def said(hub):
    """The words of its set."""
    return status(hub)["spoken"]


def _port(hub):
    return tomllib.loads((hub / "hubd.toml").read_text())["mesh"]["listen_port"]


def _until(holds, within_s):
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)
