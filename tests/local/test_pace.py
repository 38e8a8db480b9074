"""The demo says once that the machine does not keep up with the feed, and what to do."""

from triage.local.pace import Pace


def test_a_machine_that_keeps_up_hears_nothing():
    pace = Pace(total=6_000, replay_s=200)
    assert [pace.remark(at, 30 * at, max(0, 30 * at - 100), done=at >= 200) for at in range(210)] == [None] * 210


def test_a_slow_machine_is_named_once_with_its_rate_and_a_time_that_suffices():
    pace = Pace(total=6_000, replay_s=200)
    said = [pace.remark(at, 30 * at, 10 * at, done=False) for at in range(200)]
    assert [text for text in said if text] == [
        "this machine is too slow for this speed: it processes 10 records/s, the feed sends 30, 620 wait; "
        "the console shows them late, nothing is lost. Next time: --seconds 780"
    ]
    assert pace.remark(300, 6_000, 5_999, done=True) is None
    assert pace.remark(600, 6_000, 6_000, done=True) == ("all records are processed: what is shown is up to date again")
    assert pace.remark(601, 6_000, 6_000, done=True) is None


def test_a_slow_start_alone_is_no_reason():
    pace = Pace(total=6_000, replay_s=200)
    assert pace.remark(0, 900, 1, done=False) is None
    assert pace.remark(14, 1_300, 100, done=False) is None
    assert pace.remark(30, 1_800, 1_700, done=False) is None


def test_a_worker_that_has_stopped_gives_no_suggestion():
    pace = Pace(total=6_000, replay_s=200)
    pace.remark(0, 100, 1, done=False)
    said = pace.remark(60, 1_800, 1, done=False)
    assert said is not None
    assert said.endswith("nothing is lost")
