import os

import pytest

from triage.inference.hardware import available_cores, has_amx_bf16, has_fast_bf16


def test_quota_of_the_container_counts(tmp_path):
    quota = tmp_path / "cpu.max"
    quota.write_text("50000 100000\n")
    assert available_cores(quota) == 1


@pytest.mark.parametrize("content", ["max 100000", "", "nonsense"])
def test_without_a_quota_the_scheduler_decides(tmp_path, content):
    quota = tmp_path / "cpu.max"
    quota.write_text(content)
    assert available_cores(quota) == len(os.sched_getaffinity(0))
    assert available_cores(tmp_path / "absent") == len(os.sched_getaffinity(0))


def test_a_large_quota_adds_no_cores(tmp_path):
    quota = tmp_path / "cpu.max"
    quota.write_text("100000000 100000")
    assert available_cores(quota) == len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("fpu avx512f amx_bf16 amx_tile", True),
        ("fpu avx512_bf16", True),
        ("fpu avx512f avx_vnni", False),
        ("fpu amx_bf16x", False),
    ],
)
def test_bf16_is_read_from_the_flags(tmp_path, flags, expected):
    path = tmp_path / "cpuinfo"
    path.write_text(f"processor\t: 0\nflags\t\t: {flags}\nbugs\t\t: amx_bf16\n")
    assert has_fast_bf16(path) is expected
    assert has_amx_bf16(path) is ("amx_tile" in flags)


def test_no_cpuinfo(tmp_path):
    assert not has_fast_bf16(tmp_path / "absent")
    assert not has_amx_bf16(tmp_path / "absent")
