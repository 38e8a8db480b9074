"""What people do with an alert: what it changes, and that nothing is applied twice."""

import pytest

from triage.alerting.lifecycle.deeds import MAX_ENTRIES, applied, is_applied, with_comments
from triage.alerting.lifecycle.episode import Episode
from triage.clock import rfc3339
from triage.schemas.action import Acknowledge, Assign, Comment, Resolve, Snooze, Unacknowledge

BY = {"actor": "Kim", "dedup_key": "triage-1"}


@pytest.fixture
def episode():
    return Episode(
        dedup_key="triage-1", rule="r", key="intent=delivery", dimensions={"intent": "delivery"}, state="ongoing",
        severity="critical", window_ms=600_000, started_ms=0, last_step_ms=0, last_firing_ms=0, end_ms=300_000,
        negative=9, total=9, peak_negative=9, peak_total=9,
    )  # fmt: skip


def test_a_snooze_and_an_acknowledgement_stand_side_by_side(episode):
    both = applied(episode, Acknowledge(id="1", at_ms=1_000, comment="on it", **BY), 0)
    both = applied(both, Snooze(id="2", at_ms=2_000, until_ms=9_000, **BY), 500)
    assert (both.acknowledged.comment, both.acknowledged.at) == ("on it", rfc3339(1_000))
    assert (both.snoozed.at, both.snoozed_until_ms) == (rfc3339(2_000), 8_500)
    free = applied(both, Unacknowledge(id="3", at_ms=3_000, **BY), 0)
    assert (free.acknowledged, free.snoozed_until_ms) == (None, 8_500)


def test_the_history_says_who_did_what_and_when(episode):
    done = episode
    for action in (
        Assign(id="1", at_ms=1_000, to="Lee", **BY),
        Comment(id="2", at_ms=2_000, comment="the depot is flooded", **BY),
        Snooze(id="3", at_ms=3_000, until_ms=9_000, via="slack", **BY),
        Assign(id="4", at_ms=4_000, to="", **BY),
        Resolve(id="5", at_ms=5_000, comment="refunded", **BY),
    ):
        done = applied(done, action, 0)
    assert [(entry.action, entry.comment, entry.to, entry.until, entry.via) for entry in done.history] == [
        ("assign", "", "Lee", None, None),
        ("comment", "the depot is flooded", None, None, None),
        ("snooze", "", None, rfc3339(9_000), "slack"),
        ("assign", "", "", None, None),
        ("resolve", "refunded", None, None, None),
    ]
    assert done.assigned is None
    assert (done.state, done.resolved_by.by, done.resolved_ms) == ("resolved", "Kim", 5_000)
    assert episode.history == [], "the one before is left as it was"


def test_nothing_is_applied_twice_and_a_comment_not_dropped_for_a_clock_that_is_behind(episode):
    first = Acknowledge(id="1", at_ms=5_000, **BY)
    done = applied(episode, first, 0)
    assert is_applied(done, first)
    assert is_applied(done, Snooze(id="2", at_ms=4_000, until_ms=9_000, **BY)), "an action before it"
    assert not is_applied(done, Comment(id="3", at_ms=4_000, comment="late", **BY))
    assert not is_applied(done, Unacknowledge(id="4", at_ms=6_000, **BY))


def test_the_history_is_bounded_and_what_it_forgot_is_not_applied_again(episode):
    done = episode
    for number in range(MAX_ENTRIES + 5):
        done = applied(done, Comment(id=str(number), at_ms=number * 1_000, comment="x", **BY), 0)
    assert len(done.history) == MAX_ENTRIES
    assert is_applied(done, Comment(id="0", at_ms=0, comment="x", **BY))


def test_late_comments_join_a_full_history_only_if_they_are_not_older_than_it(episode):
    for number in range(MAX_ENTRIES):
        episode = applied(episode, Comment(id=str(number), at_ms=1_000 * (number + 1), comment="c", **BY), 0)
    old, new = (Comment(id=name, at_ms=at_ms, comment=name, **BY) for name, at_ms in (("old", 500), ("new", 99_000)))
    history = with_comments(episode.history, [old, new])
    assert [entry.id for entry in history] == [*map(str, range(1, MAX_ENTRIES)), "new"]
    assert with_comments(history, [old, new]) == history
