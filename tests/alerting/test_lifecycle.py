"""Lifecycle: one page and one resolve an episode, whatever the verdicts."""

from hypothesis import given
from hypothesis import strategies as st

from triage.alerting.detector import RuleWindow, Verdict
from triage.alerting.lifecycle import Change, Policy, dedup_key, step

STEP_MS = 300_000
POLICY = Policy(resolve_after=3, severity="critical", runbook="https://runbooks.example/1")


def window(number, negative=40, total=50, *, rule="spike", key="intent=delivery"):
    start = number * STEP_MS
    return RuleWindow(rule, key, {"intent": "delivery"}, start, start + STEP_MS, 12 * STEP_MS, negative, total)


def play(verdicts, *, old=(), policy=POLICY):
    """(step, change, notify) of every change but updates, and the last episode."""
    episode, told = None, []
    for number, firing in enumerate(verdicts):
        too_old = "old" if number in old else None
        transition = step(episode, window(number, *((40, 50) if firing else (0, 10))), Verdict(firing), policy, too_old)
        episode = transition.episode
        if transition.change not in {None, Change.UPDATED}:
            told.append((number, transition.change, transition.notify))
        if transition.notify:
            assert transition.change in {Change.FIRED, Change.PAGED, Change.RESOLVED}
    return told, episode


def test_fires_once_and_resolves_after_quiet_windows():
    told, episode = play([False, True, True, False, False, True, False, False, False, False])
    assert told == [(1, Change.FIRED, True), (8, Change.RESOLVED, True)]
    assert episode.status == "resolved"
    assert (episode.started_ms, episode.last_firing_ms) == (STEP_MS, 5 * STEP_MS)


def test_updates_keep_the_peak():
    first = step(None, window(0, 40, 50), Verdict(firing=True), POLICY, None).episode
    second = step(first, window(1, 90, 99), Verdict(firing=True), POLICY, None).episode
    third = step(second, window(2, 50, 60), Verdict(firing=True), POLICY, None)
    assert third.change is Change.UPDATED
    assert not third.notify
    assert (third.episode.negative, third.episode.peak_negative, third.episode.peak_total) == (50, 90, 99)
    assert third.episode.dedup_key == first.dedup_key


def test_an_old_window_is_recorded_and_neither_it_nor_its_resolve_is_sent():
    told, episode = play([True, False, False, False], old={0, 1, 2, 3})
    assert told == [(0, Change.FIRED, False), (3, Change.RESOLVED, False)]
    assert (episode.paged, episode.not_paged_because) == (False, "old")


def test_a_spike_that_goes_on_until_now_is_paged_when_it_is_no_longer_old():
    told, episode = play([True, True, True, False, False, False], old={0, 1})
    assert told == [(0, Change.FIRED, False), (2, Change.PAGED, True), (5, Change.RESOLVED, True)]
    assert episode.not_paged_because is None


def test_the_resolve_of_a_page_is_sent_however_late():
    told, _ = play([True, False, False, False], old={1, 2, 3})
    assert told == [(0, Change.FIRED, True), (3, Change.RESOLVED, True)]


def test_never_an_alert_on_zero_events():
    assert step(None, window(0, 0, 0), Verdict(firing=True), POLICY, None).change is None


def test_dedup_keys_are_stable_short_and_tell_episodes_apart():
    keys = {
        dedup_key(window(0)),
        dedup_key(window(1)),
        dedup_key(window(0, rule="other")),
        dedup_key(window(0, key="intent=billing")),
    }
    assert len(keys) == 4
    assert all(key.startswith("triage-") and len(key) <= 255 for key in keys)
    assert dedup_key(window(0, 1, 2)) == dedup_key(window(0, 40, 50)), "the numbers are not part of it"


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 6), st.sets(st.integers(0, 60)), st.data())
def test_pages_and_resolves_alternate_over_any_history_and_any_replay(verdicts, resolve_after, old, data):
    policy = Policy(resolve_after, "critical")
    episode, told, quiet = None, [], 0
    for number, firing in enumerate(verdicts):
        shown = window(number, *((40, 50) if firing else (0, 10)))
        too_old = "old" if number in old else None
        transition = step(episode, shown, Verdict(firing), policy, too_old)
        episode = transition.episode
        quiet = 0 if firing else quiet + 1
        if transition.notify:
            told.append((episode.dedup_key, episode.status))
        if transition.change is Change.RESOLVED:
            assert quiet == resolve_after
        # A restart shows windows again: nothing may come of it.
        if episode is not None:
            back = data.draw(st.integers(0, episode.last_step_ms // STEP_MS))
            replayed = step(episode, window(back), Verdict(firing=True), policy, None)
            assert replayed.change is None
            assert replayed.episode is episode
    assert [status for _, status in told] == ["firing", "resolved"] * (len(told) // 2) + ["firing"] * (len(told) % 2)
    for page, resolve in zip(told[::2], told[1::2], strict=False):
        assert page[0] == resolve[0]
    assert len({key for key, status in told if status == "firing"}) == (len(told) + 1) // 2
