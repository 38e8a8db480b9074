"""Limits memory and time of a long-running process: returns large blocks to the system, collects cycles less often."""

import ctypes
import gc
import platform

# mallopt(3) of glibc, from its malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_MIB = 2**20


def release_large_blocks() -> bool:
    """Let glibc return freed blocks of 256 KiB and more to the kernel. Returns False without glibc.

    By default each large block that is freed raises the size from which blocks are returned, up to 32 MiB, and the heap
    keeps up to twice that size: after each larger backlog the worker would stay larger. Call it before other threads
    start.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    options = ((_M_MMAP_THRESHOLD, _MIB // 4), (_M_TRIM_THRESHOLD, _MIB), (_M_ARENA_MAX, 2))
    accepted = [mallopt(option, value) == 1 for option, value in options]
    return all(accepted)


def return_freed_memory() -> bool:
    """Give the freed part of the heap back to the kernel. Returns False without glibc.

    A runtime that loads a model frees about as much as it keeps, in blocks too small for `release_large_blocks`. Call
    it after the start; it takes some milliseconds.
    """
    gc.collect()
    if platform.libc_ver()[0] != "glibc":
        return False
    ctypes.CDLL(None).malloc_trim(0)
    return True


def collect_seldom() -> None:
    """Let Python collect reference cycles after 20,000 new objects instead of 700.

    A batch creates thousands of objects that live until it is committed, none of them in a cycle: searching for cycles
    took a sixth of all time outside the model.
    """
    gc.set_threshold(20_000, 10, 10)
