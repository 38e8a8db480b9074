"""`triage playbooks`."""

from pathlib import Path

import pytest
from cli import run


def test_check_lists_the_valid_playbooks(capfd: pytest.CaptureFixture[str]) -> None:
    found = run(capfd, "playbooks", "check")
    assert found.code == 0
    assert len(found.out.splitlines()) == 10
    assert "10 playbooks are valid" in found.err


def test_check_names_a_mistake_and_fails(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.yaml").write_text(
        "name: a\nversion: '1'\ntitle: {en: A, zh: 甲}\nsteps: [{name: x, next: y}]\n", "utf-8"
    )
    found = run(capfd, "playbooks", "check", tmp_path)
    assert found.code == 2
    assert "a.yaml: line 4: step 'x': next: no such step: y" in found.err


def test_graph_of_one_playbook(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(capfd, "playbooks", "graph", "refund", "--format", "mermaid").out.startswith("flowchart TD")
    unknown = run(capfd, "playbooks", "graph", "refnd")
    assert (unknown.code, "did you mean refund?" in unknown.err) == (2, True)
    assert run(capfd, "playbooks", "graph", "--format", "png").code == 2
