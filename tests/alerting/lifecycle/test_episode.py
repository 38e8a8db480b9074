"""Lifecycle: states and episodes whatever the verdicts, and the bugs that others had."""

from hypothesis import given
from hypothesis import strategies as st

from triage.alerting.evaluation.verdict import RuleWindow, Verdict
from triage.alerting.lifecycle.episode import FLAP_WINDOWS, Change, Policy, dedup_key, step

STEP_MS = 300_000
POLICY = Policy(resolve_after=3, severity="critical", runbook="https://runbooks.example/1")


def window(number, negative=40, total=50, *, rule="spike", key="intent=delivery", late=0):
    start = number * STEP_MS
    return RuleWindow(rule, key, {"intent": "delivery"}, start, start + STEP_MS, 12 * STEP_MS, negative, total, late)


def play(verdicts, *, policy=POLICY):
    """(step, change) of every change but updates, the states, and the last episode."""
    episode, changes, states = None, [], []
    for number, firing in enumerate(verdicts):
        transition = step(episode, window(number, *((40, 50) if firing else (0, 10))), Verdict(firing), policy)
        episode = transition.episode
        if transition.change not in {None, Change.UPDATED}:
            changes.append((number, transition.change))
        states.append(None if episode is None else episode.state)
    return changes, states, episode


def test_firing_ongoing_recovering_resolved():
    changes, states, episode = play([False, True, True, False, False, True, True])
    assert changes == [(1, Change.FIRED)]
    assert states == [None, "firing", "ongoing", "recovering", "recovering", "ongoing", "ongoing"]
    assert (episode.started_ms, episode.last_firing_ms) == (STEP_MS, 6 * STEP_MS)
    changes, states, _ = play([True, True, False, False, False, False])
    assert changes == [(0, Change.FIRED), (4, Change.RESOLVED)]
    assert states == ["firing", "ongoing", "recovering", "recovering", "resolved", "resolved"]


def test_pending_waits_for_a_second_window():
    policy = Policy(resolve_after=2, severity="error", pending=1)
    changes, states, episode = play([True, False, True, True], policy=policy)
    assert changes == [(0, Change.PENDING), (3, Change.FIRED)]
    assert states == ["pending", "pending", "pending", "firing"]
    assert episode.started_ms == 0, "since the first sign"
    changes, *_ = play([True, False, False], policy=policy)
    assert changes == [(0, Change.PENDING), (2, Change.DROPPED)], "one outlier fires nothing"
    changes, *_ = play([True, True, True, True], policy=Policy(resolve_after=2, severity="error", pending=2))
    assert changes == [(0, Change.PENDING), (2, Change.FIRED)], "not before the third"


def test_updates_keep_the_peak_and_say_what_came_late():
    first = step(None, window(0, 40, 50), Verdict(firing=True, expected=2.5), POLICY).episode
    worse = step(first, window(1, 90, 100), Verdict(firing=True, expected=3.0), POLICY).episode
    better = step(worse, window(2, 50, 60, late=4), Verdict(firing=True), POLICY).episode
    assert (better.peak_negative, better.peak_total, better.peak_expected) == (90, 100, 3.0)
    assert (better.negative, better.late_records) == (50, 4)
    assert (first.negative, first.peak_negative) == (40, 40), "the one before is left as it was"


def test_a_flapping_key_stays_in_recovering_until_it_has_been_quiet_for_twenty_windows():
    policy = Policy(resolve_after=2, severity="error")
    flaps = [True, False] * 3
    changes, states, _ = play([*flaps, *[False] * 25], policy=policy)
    assert changes == [(0, Change.FIRED), (len(flaps) - 1 + FLAP_WINDOWS, Change.RESOLVED)]
    assert set(states[len(flaps) : len(flaps) - 1 + FLAP_WINDOWS]) == {"recovering"}


def test_flapping_is_seen_over_episodes_and_is_over_after_twenty_quiet_windows():
    policy = Policy(resolve_after=1, severity="error")
    changes, *_ = play([True, False, False, True, False, *[False] * 19, False, True, False, False], policy=policy)
    assert [change for _, change in changes] == [Change.FIRED, Change.RESOLVED] * 3
    resolved = [number for number, change in changes if change is Change.RESOLVED]
    assert resolved == [1, 24, 26], "the second episode flapped, the third did not"


# Bugs of others


def test_no_resolve_without_a_firing_and_never_two():
    assert play([False] * 10)[0] == []
    changes, *_ = play([True] + [False] * 30)
    assert [change for _, change in changes] == [Change.FIRED, Change.RESOLVED]


def test_a_refire_is_a_new_episode_whatever_became_of_the_last_resolve():
    changes, _, episode = play([True, False, False, False, True])
    assert [change for _, change in changes] == [Change.FIRED, Change.RESOLVED, Change.FIRED]
    assert episode.dedup_key == dedup_key(window(4))
    assert (episode.page, episode.acknowledged, episode.not_paged_because) == (None, None, None)


def test_an_alert_fires_although_a_delay_and_flap_detection_meet():
    policy = Policy(resolve_after=3, severity="error", pending=1)
    changes, *_ = play([True, False] * 6, policy=policy)
    assert Change.FIRED in [change for _, change in changes]


def test_zero_events_fire_nothing():
    for verdict in (Verdict(firing=True), Verdict(firing=True, score=99.0, causes=("spike",))):
        assert step(None, window(0, 0, 0), verdict, POLICY).episode is None


def test_a_removed_rule_resolves_at_once_even_when_it_flaps():
    *_, episode = play([True, False] * 4)
    assert episode.flapping
    gone = step(episode, window(8, 0, 0), Verdict(firing=False), Policy(1, "info", rule_removed=True))
    assert gone.change is Change.RESOLVED


def test_a_window_that_was_applied_before_changes_nothing():
    episode = step(None, window(5), Verdict(firing=True), POLICY).episode
    again = step(episode, window(5, 0, 0), Verdict(firing=False), POLICY)
    assert (again.episode, again.change) == (episode, None)


def test_keys_tell_rules_values_and_starts_apart_and_are_short_enough_for_pagerduty():
    keys = {dedup_key(w) for w in (window(1), window(2), window(1, rule="other"), window(1, key="intent=billing"))}
    assert len(keys) == 4
    assert all(len(key) <= 255 for key in keys)


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 8), st.integers(0, 2))
def test_firings_and_resolves_alternate_and_keys_are_never_reused(verdicts, resolve_after, pending):
    policy = Policy(resolve_after, "error", pending=pending)
    episode, told, keys = None, [], []
    for number, firing in enumerate(verdicts):
        transition = step(episode, window(number), Verdict(firing), policy)
        episode = transition.episode
        if transition.change in {Change.FIRED, Change.RESOLVED}:
            told.append(transition.change)
            keys.append(episode.dedup_key)
            assert episode.last_firing_ms >= episode.started_ms
        assert episode is None or episode.end_ms >= episode.last_firing_ms + STEP_MS
    assert told == ([Change.FIRED, Change.RESOLVED] * len(told))[: len(told)]
    assert len(set(keys)) == (len(keys) + 1) // 2


def test_a_key_flaps_from_its_fourth_change_on():
    policy = Policy(resolve_after=5, severity="error")
    assert not play([True, False, True], policy=policy)[2].flapping
    assert play([True, False, True, False], policy=policy)[2].flapping
    assert play([True, False, True, False, True, False], policy=policy)[2].flapping


def test_changes_are_those_of_the_last_twenty_windows():
    policy = Policy(resolve_after=30, severity="error")
    *_, episode = play([True, False, True, *[True] * 17], policy=policy)
    assert (episode.changes.bit_count(), FLAP_WINDOWS) == (3, 20)
    *_, episode = play([True, False, True, *[True] * 18], policy=policy)
    assert episode.changes.bit_count() == 2


def test_windows_between_two_episodes_count_as_quiet():
    *_, over = play([True, True], policy=Policy(resolve_after=1, severity="error"))
    over = step(over, window(2, 0, 10), Verdict(firing=False), Policy(resolve_after=1, severity="error")).episode
    assert (over.state, over.changes) == ("resolved", 0b101)
    again = step(over, window(4), Verdict(firing=True), POLICY).episode
    assert again.changes == 0b10101


def test_a_document_s_version_grows_with_each_window_and_with_the_resolve():
    *_, episode = play([True, True])
    assert (episode.open, episode.version) == (True, 2 * 2 * STEP_MS)
    *_, over = play([True, False, False, False])
    assert (over.open, over.version) == (False, 2 * 4 * STEP_MS + 1)


def test_a_new_episode_has_the_numbers_of_its_window():
    verdict = Verdict(firing=True, expected=2.5, score=9.0, causes=("spike",))
    episode = step(None, window(3, 40, 50, late=2), verdict, POLICY).episode
    assert (episode.hits, episode.quiet, episode.was_firing, episode.changes) == (1, 0, True, 1)
    assert (episode.peak_end_ms, episode.end_ms, episode.window_ms) == (4 * STEP_MS, 4 * STEP_MS, 12 * STEP_MS)
    assert (episode.expected, episode.score, episode.peak_expected, episode.late_records) == (2.5, 9.0, 2.5, 2)
    assert (episode.severity, episode.runbook, episode.causes) == ("critical", POLICY.runbook, ["spike"])


def test_an_equal_window_later_is_no_new_peak_and_causes_add_up():
    first = step(None, window(0), Verdict(firing=True, causes=("spike",)), POLICY).episode
    second = step(first, window(1), Verdict(firing=True, causes=("static",)), POLICY).episode
    assert (second.peak_end_ms, second.causes, second.hits) == (STEP_MS, ["spike", "static"], 2)
    third = step(second, window(2, 1, 1), Verdict(firing=True), POLICY).episode
    assert (third.negative, third.peak_negative, third.hits, third.quiet) == (1, 40, 3, 0)


def test_one_negative_is_enough_and_none_is_not():
    assert step(None, window(0, 1, 1), Verdict(firing=True), POLICY).change is Change.FIRED
    assert step(None, window(0, 0, 1), Verdict(firing=True), POLICY).change is None


def test_dedup_keys_are_forty_hex_digits():
    name, _, digits = dedup_key(window(1)).partition("-")
    assert (name, len(digits)) == ("triage", 40)
    int(digits, 16)
