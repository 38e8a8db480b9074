"""The fuzzer notices what is wrong, and keeps the input."""

import random
import time
from pathlib import Path

import fuzzing
import pytest
from fuzzing import Finding, Fuzzer, Target, bounded, mutated


def _busy(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def test_what_is_wrong_is_kept_with_its_input(tmp_path):
    said = []

    def run(content):
        if b"x" in content:
            raise Finding("has an x")

    def look():
        raise Finding("the process has ended")

    fuzzer = Fuzzer(tmp_path, 1, said.append)
    fuzzer.run([Target("some", run, [b"aaxaa"], look=look)], 0.2)
    assert b"x" in Path(fuzzer.findings[0].rpartition(": ")[2]).read_bytes()
    assert any("the process has ended" in each for each in fuzzer.findings)
    assert said[-1].startswith("some: ")
    assert not (tmp_path / "current").exists()


def test_errors_time_and_memory_are_limited(monkeypatch):
    bounded(lambda: int("x"), ValueError)
    with pytest.raises(Finding, match="KeyError: 'a'"):
        bounded(lambda: {}["a"], ValueError)
    monkeypatch.setattr(fuzzing, "MOST_S", 0.02)
    with pytest.raises(Finding, match=r"took 0\.\d s"):
        bounded(lambda: _busy(0.03))
    slow = iter([0.03, 0.03, 0])
    bounded(lambda: _busy(next(slow)))
    monkeypatch.setattr(fuzzing, "MOST_S", 9)
    monkeypatch.setattr(fuzzing, "MOST_MIB", 1)
    peaks = iter([10.0, 12.0])
    monkeypatch.setattr(fuzzing, "_peak_mib", lambda: next(peaks))
    with pytest.raises(Finding, match="took 2 MiB"):
        bounded(lambda: None)


def test_what_stands_still_is_interrupted(tmp_path, monkeypatch):
    monkeypatch.setattr(fuzzing, "_STUCK_S", 0.1)
    fuzzer = Fuzzer(tmp_path, 1, lambda line: None)
    fuzzer.one(Target("some", lambda content: time.sleep(60)), b"a")
    assert "still running" in fuzzer.findings[0]


def test_inputs_depend_on_the_seed_alone():
    def inputs():
        chance = random.Random(3)
        return [mutated(chance, b"version: 1\n", [b"other"]) for _ in range(100)]

    assert inputs() == inputs()
    assert len(set(inputs())) > 90
