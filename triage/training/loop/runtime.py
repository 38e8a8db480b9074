"""How a training process uses the machine."""

import ctypes
import os
import sys

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3  # of mallopt(3)
_KEPT_BYTES = 2**30


def prepare_process() -> None:
    """Call before torch is imported.

    Idle threads sleep instead of spinning: on cores shared with other work, spinning steals the time the slower
    thread needs (measured on two busy cores: 3.4 s a step, 1.5 s asleep). And glibc keeps freed memory: a step
    frees and takes hundreds of megabytes, which the kernel would zero anew each time (1.5 s, 1.15 s).
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # not in musl
        for option in (_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD, _M_TOP_PAD):
            libc.mallopt(option, _KEPT_BYTES if option != _M_TOP_PAD else _KEPT_BYTES // 4)
