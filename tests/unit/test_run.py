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

THREADS_TAKE_MEMORY = """
import ctypes, sys, threading
from hubd.cli.run import share_heap
if sys.argv[1] == "shared":
    share_heap()
library = ctypes.CDLL(None)
library.malloc.restype = library.fdopen.restype = ctypes.c_void_p
library.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
together = threading.Barrier(4)
def take():
    together.wait()
    library.malloc(5_000)
    together.wait()
threads = [threading.Thread(target=take) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
out = library.fdopen(1, b"w")
library.malloc_info(0, out)
library.fflush(ctypes.c_void_p(out))
"""


def heaps(how: str) -> int:
    command = [sys.executable, "-c", THREADS_TAKE_MEMORY, how]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.count("<heap ")


def test_all_threads_of_a_hub_take_memory_from_one_heap() -> None:
    assert heaps("shared") == 1 < heaps("as the C library does")


@pytest.mark.parametrize(("soft", "hard", "then"), [(256, 1_000, 1_000), (256, 5_000, DESCRIPTORS_MAX), (5_000,) * 3])
def test_a_hub_takes_the_descriptors_that_it_may_need_and_never_gives_any_back(soft: int, hard: int, then: int) -> None:
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < hard:
        soft, hard, then = soft // 8, hard // 8, hard // 8
    began = subprocess.run(
        [sys.executable, "-c", BEGUN_WITH, str(soft), str(hard)], capture_output=True, text=True, check=True
    )
    assert began.stdout.split() == [str(then), str(hard)]
