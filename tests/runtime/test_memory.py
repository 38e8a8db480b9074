"""What becomes of the memory of a long-running process, in processes of their own."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, sys
from triage.runtime.memory import release_large_blocks

NAMES = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"

class Mallinfo2(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in NAMES.split()]

mallinfo2 = ctypes.CDLL(None).mallinfo2
mallinfo2.restype = Mallinfo2
if sys.argv[1] == "released":
    assert release_large_blocks()
del_me = bytearray(16 * 2**20)
del del_me
before = mallinfo2().hblkhd
block = bytearray(8 * 2**20)
print((mallinfo2().hblkhd - before) >> 20)
"""


COLLECTIONS = """
import gc
from triage.runtime.memory import collect_seldom

collect_seldom()
gc.collect()
begun = []
gc.callbacks.append(lambda phase, info: begun.append(phase == "start"))
batch = [[] for _ in range(10_000)]
print(sum(begun))
del batch
cycles = [[] for _ in range(30_000)]
for each in cycles:
    each.append(each)
del cycles, each
print(sum(begun) > 0)
"""


FREED = """
from triage.runtime.memory import return_freed_memory

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

blocks = [bytes(50_000) for _ in range(1_000)]
last = bytes(50_000)
del blocks
before = resident()
assert return_freed_memory()
print((before - resident()) >> 20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="malloc_trim is glibc's")
def test_freed_blocks_below_the_end_of_the_heap_are_returned():
    done = subprocess.run([sys.executable, "-c", FREED], capture_output=True, text=True, check=True, timeout=60)
    assert int(done.stdout) >= 30


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")
@pytest.mark.parametrize(("how", "mapped_mib"), [("released", 8), ("left alone", 0)])
def test_a_large_block_stands_outside_the_heap_after_a_larger_one_was_freed(how, mapped_mib):
    done = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True, timeout=60)
    assert int(done.stdout) == mapped_mib


def test_the_objects_of_a_batch_are_not_searched_for_cycles_and_cycles_are_found_all_the_same():
    done = subprocess.run([sys.executable, "-c", COLLECTIONS], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["0", "True"]
