"""Detects the cores and CPU instructions that this process may use."""

import math
import os
from pathlib import Path

_CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_CPUINFO = Path("/proc/cpuinfo")


def available_cores(quota_file: Path = _CGROUP_QUOTA) -> int:
    """Cores that the CPU affinity and the container's CPU quota allow this process, at least 1.

    Runtimes count the host's cores by default. In a container with a quota they would start more threads than can run.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = quota_file.read_text("ascii").split()
        return max(1, min(cores, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # no cgroup v2, or "max"
        return cores


def has_fast_bf16(cpuinfo: Path = _CPUINFO) -> bool:
    """True if the CPU multiplies bf16 in hardware (AMX or AVX-512 BF16), where bf16 is faster than fp32."""
    return not {"amx_bf16", "avx512_bf16"}.isdisjoint(_flags(cpuinfo))


def has_amx_bf16(cpuinfo: Path = _CPUINFO) -> bool:
    """True if the CPU has bf16 tiles (Intel AMX), which reach their speed only in large matrix products."""
    return "amx_bf16" in _flags(cpuinfo)


def _flags(cpuinfo: Path) -> set[str]:
    try:
        text = cpuinfo.read_text("utf-8", errors="replace")
    except OSError:
        return set()
    return set(next((line for line in text.splitlines() if line.startswith("flags")), "").split())
