"""A small local network with machines in it, in which hubs and phones run as real processes.

    network = Namespaces(["a", "b"])     # each machine a network namespace of its own, behind one bridge
    network = Loopback(["a", "b"])       # the same story where namespaces are not allowed: all share 127.0.0.1

What happens to a machine's network happens for real in a namespace. On the loopback a cut-off machine is one whose
process stands still (its peers hear no more of it, and nobody closes a connection), and one that moves starts anew at
another port. Names carry the process id, so that several test runs do not meet; `close` leaves nothing behind.
"""

import asyncio
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from builders import Village

from hubd import config
from hubd.action import charter as charters
from hubd.action import envelope
from hubd.action.envelope import Action
from hubd.demo.processes import HubProcess, Process, free_port
from hubd.hub import CHARTER_NAME, Hub
from hubd.identity import Identity

HUB_PORT, PHONE_PORT = 7701, 7780
FAMILIES = ("10.77.0.{}/24", "fd77::{}/64")


def run(*words: str) -> str:
    """A command of the system; it must succeed."""
    ended = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 0, (words, ended.stderr)
    return ended.stdout


def can_namespaces() -> bool:
    """Whether this machine lets us make networks of our own."""
    name = f"hubd-{os.getpid()}-try"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False) if _has_ip() else None
    if made is None or made.returncode:
        return False
    link = ["ip", "-n", name, "link", "add", "x", "type", "veth", "peer", "name", "y"]
    linked = subprocess.run(link, capture_output=True, check=False)
    run("ip", "netns", "del", name)
    return linked.returncode == 0


def _has_ip() -> bool:
    return any((Path(folder) / "ip").exists() for folder in os.environ.get("PATH", "").split(":"))


class Namespaces:
    """One bridge in a namespace of its own, and one namespace a machine."""

    def __init__(self, names: Sequence[str], families: Sequence[str] = FAMILIES) -> None:
        self._prefix = f"hubd-{os.getpid()}-{secrets.token_hex(2)}"
        self._switch = f"{self._prefix}-switch"
        self._families = families
        self._ports: dict[str, str] = {}
        run("ip", "netns", "add", self._switch)
        try:
            self._ip(self._switch, "link add br0 type bridge mcast_snooping 0")
            self._ip(self._switch, "link set br0 up")
            for number, name in enumerate(names, start=1):
                self._plug_in(name, number)
        except BaseException:
            self.close()
            raise

    def _ip(self, namespace: str, words: str) -> None:
        run("ip", "-n", namespace, *words.split())

    def _plug_in(self, name: str, number: int) -> None:
        space, port = self.space(name), f"port{number}"
        run("ip", "netns", "add", space)
        self._ports[name] = port
        run(*self.inside(name), "sh", "-c", "echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad")
        self._ip(self._switch, f"link add {port} type veth peer name net0 netns {space}")
        self._ip(self._switch, f"link set {port} master br0 up")
        self._ip(space, "link set lo up")
        self._ip(space, "link set net0 up")
        self._address(name, number)

    def _address(self, name: str, number: int) -> None:
        for family in self._families:
            words = f"address add {family.format(number)} dev net0"
            self._ip(self.space(name), words + (" nodad" if ":" in family else ""))

    def space(self, name: str) -> str:
        """The namespace of a machine."""
        return f"{self._prefix}-{name}"

    def inside(self, name: str) -> tuple[str, ...]:
        """What stands before a command that runs on a machine."""
        return ("ip", "netns", "exec", self.space(name))

    def settings(self, name: str) -> dict[str, Any]:
        """Lines of hubd.toml: every line at its default finds everybody."""
        del name
        return {}

    def cut(self, name: str, _process: Process) -> None:
        """Nothing passes any more, and nobody is told."""
        self._ip(self._switch, f"link set {self._ports[name]} nomaster")

    def mend(self, name: str, _process: Process) -> None:
        """What was cut is whole again."""
        self._ip(self._switch, f"link set {self._ports[name]} master br0")

    async def move(self, name: str, _hub: HubProcess, number: int) -> None:
        """The interface goes down, and comes back with other addresses."""
        self._ip(self.space(name), "link set net0 down")
        self._ip(self.space(name), "address flush dev net0")
        await asyncio.sleep(1)
        self._ip(self.space(name), "link set net0 up")
        self._address(name, number)

    def settle(self, name: str, number: int) -> bool:
        """The machine has another address besides. Whether that happened."""
        self._address(name, number)
        return True

    def narrow(self, name: str) -> Callable[[], int]:
        """A slow line that drops what does not fit, both ways. Returns how to ask how many packets it dropped."""
        ends = ((self.space(name), "net0"), (self._switch, self._ports[name]))
        for space, device in ends:
            words = f"qdisc add dev {device} root tbf rate 4mbit burst 4kb limit 12kb"
            run("tc", "-n", space, *words.split())

        def dropped() -> int:
            shown = [run("tc", "-s", "-n", space, "qdisc", "show", "dev", device) for space, device in ends]
            return sum(int(text.split("dropped ")[1].split(",")[0]) for text in shown)

        return dropped

    def close(self) -> None:
        """Take it down."""
        for space in (*map(self.space, self._ports), self._switch):
            subprocess.run(["ip", "netns", "del", space], capture_output=True, check=False)


class Loopback:
    """All machines are this one."""

    def __init__(self, names: Sequence[str], families: Sequence[str] = FAMILIES) -> None:
        del names, families

    def inside(self, name: str) -> tuple[str, ...]:
        """Nothing to do."""
        del name
        return ()

    def settings(self, name: str) -> dict[str, Any]:
        """Lines of hubd.toml by which processes of one machine find each other."""
        del name
        return {
            "mesh.listen_host": "127.0.0.1",
            "mesh.listen_port": free_port(),
            "mesh.interfaces": ["127.0.0.1"],
            "phones.listen_host": "127.0.0.1",
            "phones.listen_port": free_port(),
        }

    def cut(self, _name: str, process: Process) -> None:
        """Its peers hear nothing more."""
        assert process.running is not None
        process.running.send_signal(signal.SIGSTOP)

    def mend(self, _name: str, process: Process) -> None:
        """It goes on."""
        assert process.running is not None
        process.running.send_signal(signal.SIGCONT)

    async def move(self, name: str, hub: HubProcess, _number: int) -> None:
        """It starts anew at another port."""
        await hub.end()
        settings = config.read((hub.directory / config.FILE_NAME).read_bytes())
        said = {key: settings[key] for key in config.BY_NAME} | self.settings(name)
        (hub.directory / config.FILE_NAME).write_bytes(config.write(said))
        await hub.start()

    def settle(self, _name: str, _number: int) -> bool:
        """It can't be told from the others."""
        return False

    def narrow(self, _name: str) -> Callable[[], int]:
        """Nothing is lost here."""
        return lambda: 1

    def close(self) -> None:
        """Nothing was made."""


Network = Namespaces | Loopback
FORM: type[Network] = Loopback if os.environ.get("HUBD_TEST_LOOPBACK") or not can_namespaces() else Namespaces


class PhoneProcess(Process):
    """`hubd phone serve`: a native phone that waits to be found."""

    def __init__(self, network: Network, name: str, directory: Path) -> None:
        here = () if isinstance(network, Namespaces) else ("--host", "127.0.0.1", "--interface", "127.0.0.1")
        command = (sys.executable, "-m", "hubd", "phone", "serve", "--phone", str(directory), *here)
        super().__init__(name, (*network.inside(name), *command), directory.with_suffix(".log"))


@dataclass
class Machines:
    """Hubs of one mesh, each on its machine; all are admitted by the charter."""

    network: Network
    village: Village
    folder: Path
    hubs: dict[str, HubProcess]

    @classmethod
    async def founded(cls, network: Network, folder: Path, names: Collection[str], **settings: Any) -> "Machines":
        """Hubs with keys, charter and configuration, which do not run yet."""
        village = Village(secrets.randbelow(2**32))
        for name in names:
            said = {"hub.name": name, "mesh.session_interval_s": 2, **network.settings(name), **settings}
            (folder / name).mkdir(mode=0o700)
            (folder / name / config.FILE_NAME).write_bytes(config.write(said))
            (folder / name / CHARTER_NAME).write_bytes(charters.write(village.charter))
            Identity.make(folder / name)
        founding: list[Action] = []
        for name in names:
            async with Hub.opened(folder / name) as hub:
                announce = await hub.announce()
            founding += [announce, village.admit(village.stewards[0], announce, len(founding) + 1)]
        village.charter = replace(village.charter, founding=tuple(founding))
        for name in names:
            (folder / name / CHARTER_NAME).write_bytes(charters.write(village.charter))
        hubs = {name: HubProcess(name, folder / name) for name in names}
        for name, hub in hubs.items():
            hub.command = (*network.inside(name), *hub.command)
        return cls(network, village, folder, hubs)

    async def start(self, *names: str) -> None:
        """Start these hubs; all, if none is named."""
        await asyncio.gather(*(self.hubs[name].start() for name in names or self.hubs))

    async def offer(self, name: str, actions: Sequence[Action]) -> None:
        """Bring actions into the set of a running hub, as a command on its machine would."""
        await self.hubs[name].ask("offer", [envelope.encode(action) for action in actions], "own")

    async def facts(self, name: str) -> dict[str, Any]:
        """What `hubd status` says there."""
        return await self.hubs[name].status()

    async def are_one(self, *names: str, count: int, within_s: float) -> None:
        """Wait until these hubs hold one set of so many actions, and each says that it is in step with a neighbour."""

        async def is_so() -> bool:
            facts = [await self.facts(name) for name in names]
            same = {(each["count"], each["fingerprint"]) for each in facts}
            proven = all(any(peer["proven"] and peer["count"] == count for peer in each["peers"]) for each in facts)
            return proven and same == {(count, facts[0]["fingerprint"])}

        await self.until(is_so, within_s)

    async def until(self, condition: Callable[[], Any], within_s: float) -> None:
        """Wait for an asynchronous condition."""
        try:
            async with asyncio.timeout(within_s):
                while not await condition():
                    await asyncio.sleep(0.1)
        except TimeoutError:
            logs = {name: hub.log.read_text("utf-8", "replace")[-3_000:] for name, hub in self.hubs.items()}
            raise AssertionError("\n".join(f"--- {name}\n{text}" for name, text in logs.items())) from None

    async def close(self) -> None:
        """End every process."""
        for hub in self.hubs.values():
            if hub.running is not None:
                with suppress(ProcessLookupError):
                    hub.running.send_signal(signal.SIGCONT)
        await asyncio.gather(*(hub.end() for hub in self.hubs.values()))
