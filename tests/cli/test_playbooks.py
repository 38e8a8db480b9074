"""`triage playbooks`."""

from pathlib import Path

import pytest
from cli import run


def test_check_lists_the_valid_playbooks(capfd: pytest.CaptureFixture[str]) -> None:
    found = run(capfd, "playbooks", "check")
    assert found.code == 0
    assert len(found.out.splitlines()) == 11
    assert "11 playbooks are valid" in found.err


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


def test_replay_counts_what_the_bot_did_right(capfd: pytest.CaptureFixture[str]) -> None:
    found = run(capfd, "playbooks", "replay", "--no-model")
    assert found.code == 0
    assert "wishes for a person met\t" in found.out
    assert "(100.0%)" in found.out


def test_replay_fails_where_a_dialogue_goes_another_way(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text('{"id":"a","language":"en","kind":"flow","turns":[{"say":"human please","state":"bot"}]}', "utf-8")
    found = run(capfd, "playbooks", "replay", path, "--no-model", "--json")
    assert found.code == 1
    assert '"needless":1' in found.out
