"""Child processes are monitored, asked to stop, and killed if they do not."""

import pytest

from triage.clock import ManualClock
from triage.local.processes import Child, ChildDiedError, Supervisor, stop_all


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


class Ending:
    """A child that has ended with `exit_code`, whenever it is looked at."""

    name, pid = "worker", 4711

    def __init__(self, exit_code):
        self.exit_code = exit_code
        self.starts = 0

    def restart(self):
        self.starts += 1
        return "was ended by SIGKILL"

    def check(self):
        raise ChildDiedError("worker ended")


def test_what_is_killed_is_started_again_and_said():
    child, said = Ending(-9), []
    Supervisor([child], ManualClock(), said.append).check()
    assert child.starts == 1
    assert said == ["worker was ended by SIGKILL: started again, pid 4711"]


def test_what_runs_is_left_alone():
    child = Ending(None)
    Supervisor([child], ManualClock(), pytest.fail).check()
    assert child.starts == 0


def test_what_ends_again_and_again_is_given_up():
    child, clock = Ending(1), ManualClock()
    supervisor = Supervisor([child], clock, lambda _: None)
    for _ in range(5):
        supervisor.check()
        clock.advance(5)
    with pytest.raises(ChildDiedError):
        supervisor.check()
    clock.advance(60)
    supervisor.check()
    assert child.starts == 6


def test_refused_settings_stay_refused():
    child = Ending(2)
    with pytest.raises(ChildDiedError):
        Supervisor([child], ManualClock(), pytest.fail).check()
    assert child.starts == 0


def test_a_real_child_is_started_again_with_its_log_kept(tmp_path):
    child = Child("help", ["--version"], {}, tmp_path / "help.log")
    assert child.wait(30) == 0
    first = child.pid
    assert child.restart() == "ended with exit code 0"
    assert child.wait(30) == 0
    assert child.pid != first
    assert child.log.read_text("utf-8").count("triage ") == 2
