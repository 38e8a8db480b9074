"""Child processes are monitored, asked to stop, and killed if they do not."""

import pytest

from triage.local.processes import Child, ChildDiedError, stop_all


def test_a_child_that_dies_is_reported_with_the_end_of_its_log(tmp_path):
    child = Child("broken", ["config", "show", "--set", "x=1"], {}, tmp_path / "logs" / "broken.log")
    assert child.wait(30) == 2
    with pytest.raises(ChildDiedError, match=r"broken ended with exit code 2(.|\n)*SECTION.NAME=VALUE"):
        child.check()


def test_children_end_when_asked(tmp_path):
    child = Child("idle", ["local", "--help"], {}, tmp_path / "idle.log")
    stop_all([child])
    with pytest.raises(ChildDiedError):
        child.check()
