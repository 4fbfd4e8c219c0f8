"""`hubd run`: what it asks of the system before it begins."""

import resource
import subprocess
import sys

import pytest

from hubd.limits import DESCRIPTORS_MAX

BEGUN_WITH = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, tuple(map(int, sys.argv[1:])))
from hubd.cli.run import allow_descriptors
allow_descriptors()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(("soft", "hard", "then"), [(256, 1_000, 1_000), (256, 5_000, DESCRIPTORS_MAX), (5_000,) * 3])
def test_a_hub_takes_the_descriptors_that_it_may_need_and_never_gives_any_back(soft: int, hard: int, then: int) -> None:
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < hard:
        soft, hard, then = soft // 8, hard // 8, hard // 8
    began = subprocess.run(
        [sys.executable, "-c", BEGUN_WITH, str(soft), str(hard)], capture_output=True, text=True, check=True
    )
    assert began.stdout.split() == [str(then), str(hard)]
