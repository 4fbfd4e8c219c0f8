"""The local chain that tests of the uplink share."""

import asyncio
import json
import subprocess

import pytest
from uplinks import RICH, ROOT, deploy_contracts, made_village

from hubd.action.principal import address
from hubd.checkout import node_program


@pytest.fixture(scope="module")
def chain():
    """A local chain with the mesh's contracts, a coordinator's hour credits and a wallet for fees."""
    village = made_village()
    balances = [f"--balance={address(village.principal(name))}={RICH}" for name in ("deployer", "wallet")]
    command = [node_program(), "contracts/localchain/main.mjs", "--block-ms=50", "--test", *balances]
    process = subprocess.Popen(
        [*command, "--exit-with-parent"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        url = json.loads(process.stdout.readline())["url"]
        asyncio.run(deploy_contracts(village, url))
        yield url
    finally:
        process.terminate()
        process.wait()
        process.stdin.close()
        process.stdout.close()
