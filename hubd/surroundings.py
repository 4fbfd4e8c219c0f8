"""What `hubd.toml` names and this machine does not have: the hub goes on without it, and says so.

Either may come later, a cable as well as a folder, so neither stops the hub.
"""

from ipaddress import ip_address
from pathlib import Path

from hubd.config import BY_NAME, Config
from hubd.gossip.interfaces import held


def unmet(config: Config) -> list[tuple[str, str]]:
    """(code, what is meant) of everything that is not there at this moment."""
    wanted = config["mesh.interfaces"]
    here = {each.ip for each in held(wanted)} if wanted else set()
    usual = BY_NAME["post.folders"].default  # of some system each: no one has all of them
    folders = [each for each in config["post.folders"] if each not in usual and config["post.watch"]]
    return [
        *(("interface-missing", each) for each in wanted if ip_address(each.partition("%")[0]) not in here),
        *(("folder-missing", each) for each in folders if not Path(each).is_dir()),
    ]
