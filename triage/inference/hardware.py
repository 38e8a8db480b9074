"""What this process may use of the machine."""

import math
import os
from pathlib import Path

_CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_CPUINFO = Path("/proc/cpuinfo")


def available_cores(quota_file: Path = _CGROUP_QUOTA) -> int:
    """Cores that the scheduler and the container's CPU quota leave to this process, at least 1.

    Runtimes count the cores of the host; in a container with a quota that makes threads that wait for each other.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = quota_file.read_text("ascii").split()
        return max(1, min(cores, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # no cgroup v2, or "max"
        return cores


def has_fast_bf16(cpuinfo: Path = _CPUINFO) -> bool:
    """Whether the CPU multiplies bf16 itself (Intel's AMX, or AVX-512 as AMD has it too): faster than fp32 then."""
    return not {"amx_bf16", "avx512_bf16"}.isdisjoint(_flags(cpuinfo))


def has_amx_bf16(cpuinfo: Path = _CPUINFO) -> bool:
    """Whether the CPU has tiles for bf16 (Intel's AMX): they are fed well by large products only."""
    return "amx_bf16" in _flags(cpuinfo)


def _flags(cpuinfo: Path) -> set[str]:
    try:
        text = cpuinfo.read_text("utf-8", errors="replace")
    except OSError:
        return set()
    return set(next((line for line in text.splitlines() if line.startswith("flags")), "").split())
