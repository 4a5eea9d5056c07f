import subprocess
import sys

import pytest

from programs import ROOT

pytestmark = pytest.mark.fast

PROGRAM = """\
import ctypes, resource, sys
from ferry import heap
if sys.argv[1] == "yes":
    heap.return_large_blocks()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
def block(size):
    place = libc.malloc(size)
    ctypes.memset(ctypes.c_void_p(place), 1, size)
    return place
libc.free(block(30 << 20))
before = resident()
blocks = [block(8 << 20) for _ in range(8)]
kept = block(1000)
for each in blocks[:-1]:
    libc.free(each)
print((resident() - before) >> 20)
"""


def held(switch):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, switch], cwd=ROOT / "scripts", stdout=subprocess.PIPE, check=True
    )
    return int(done.stdout)


def test_what_was_freed_goes_back_to_the_system():
    assert held("yes") < 16 < 48 < held("no")
