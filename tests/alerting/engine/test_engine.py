"""The engine of a partition: pages, resolves, and state that is whole at every point."""

import pytest
from engine_rig import START_MS, STEP_MS, TOPIC, Messages, Table, advance_all, make, spike_rule, static_rule

from triage.alerting.lifecycle.assessments import Assessments
from triage.clock import ManualClock
from triage.schemas.action import Judge
from triage.schemas.alert import Assessment, Evidence, Share
from triage.schemas.counts import KeyCount, WindowCounts

RULE = static_rule()


@pytest.fixture
def now():
    return ManualClock(START_MS + 100 * STEP_MS)


def spike(messages, calm_until=8):
    yield messages.counts(0, 0, 10)
    yield messages.mark(1)
    yield messages.counts(1, 15, 15)
    yield messages.mark(2)
    for step in range(2, calm_until):
        yield messages.counts(step, 0, 10)
        yield messages.mark(step + 1)


def test_a_spike_fires_and_resolves_with_one_key(now):
    engine, table, pages = make(now, max_page_age_s=10**9), Table(), []
    for message in spike(Messages()):
        engine.apply(message)
        pages += advance_all(engine, table)
    assert [(page.event, page.pending) for page in pages] == [
        ("firing", ["log", "webhook"]),
        ("resolved", ["log", "webhook"]),
    ]
    first, last = (page.alert for page in pages)
    assert first.dedup_key == last.dedup_key
    assert (first.negative, first.total, first.share) == (15, 25, 0.6)
    assert last.ended_at is not None
    assert engine.open_episodes == 0


def test_windows_of_a_rule_slide_by_steps(now):
    engine, messages = make(now, max_page_age_s=10**9), Messages()
    engine.apply(messages.counts(0, 6, 6))
    engine.apply(messages.counts(1, 6, 6))
    engine.apply(messages.mark(2))
    (page,) = advance_all(engine, Table())
    assert (page.alert.negative, page.alert.window_s) == (12, 600)


def test_old_windows_are_recorded_and_not_paged(now):
    engine, table, pages, episodes = make(now, max_page_age_s=3_600), Table(), [], []
    for message in spike(Messages()):
        engine.apply(message)
        engine.advance()
        changes = engine.take_changes()
        table.write(changes.writes)
        pages += changes.notifications
        episodes += changes.episodes
    assert pages == []
    alert = engine.alert(episodes[-1])
    assert (alert.status, alert.paged) == ("resolved", False)
    assert "more than 1 h" in alert.not_paged_because


def test_what_was_not_delivered_is_pending_after_a_restart(now):
    engine, table, messages = make(now, max_page_age_s=10**9), Table(), Messages()
    for message in (messages.counts(0, 12, 15), messages.mark(1)):
        engine.apply(message)
    (page,) = advance_all(engine, table)
    engine.delivered(page.alert.dedup_key, "firing", "log")
    table.write(engine.take_changes().writes)

    again = make(now, max_page_age_s=10**9)
    again.restore(table.entries)
    changes = again.take_changes()
    assert [(pending.event, pending.pending) for pending in changes.notifications] == [("firing", ["webhook"])]
    assert [episode.status for episode in changes.episodes] == ["firing"], "stored again, in case it was not"
    again.delivered(page.alert.dedup_key, "firing", "webhook")
    table.write(again.take_changes().writes)
    third = make(now)
    third.restore(table.entries)
    assert third.take_changes().notifications == []


def test_evidence_stays_with_the_episode(now):
    engine, table, messages = make(now, max_page_age_s=10**9), Table(), Messages()
    for message in (messages.counts(0, 12, 15), messages.mark(1)):
        engine.apply(message)
    (page,) = advance_all(engine, table)
    engine.attach(page.alert.dedup_key, Evidence(top_entities=[Share("parcel", 7)]))
    table.write(engine.take_changes().writes)
    again = make(now)
    again.restore(table.entries)
    assert again.alert(again.episode(page.alert.dedup_key)).top_entities == [Share("parcel", 7)]


def test_a_resolved_episode_is_forgotten_once_it_is_archived_and_delivered(now):
    engine, table, pages = make(now, max_page_age_s=10**9), Table(), []
    messages = Messages()
    for message in spike(messages):
        engine.apply(message)
        pages += advance_all(engine, table)
    key = pages[0].alert.dedup_key
    for page in pages:
        for receiver in ("log", "webhook"):
            engine.delivered(key, page.event, receiver)
    engine.archived(key, engine.episode(key).version)
    for step in (9, 40):
        assert engine.episode(key) is not None, "flapping looks back on it"
        engine.apply(messages.counts(step, 0, 1))
        engine.apply(messages.mark(step + 1))
        advance_all(engine, table)
    assert engine.episode(key) is None
    assert not any(name.startswith("episode:") for name in table.entries)


def test_the_table_keeps_no_more_than_rules_need(now):
    engine, table, messages = make(now), Table(), Messages()
    for step in range(50):
        engine.apply(messages.counts(step, 1, 10))
        engine.apply(messages.mark(step + 1))
        advance_all(engine, table)
    assert len(table.entries) <= 3, table.entries.keys()


def test_a_removed_rule_resolves_its_episode(now):
    engine, table, messages = make(now, max_page_age_s=10**9), Table(), Messages()
    for message in (messages.counts(0, 12, 15), messages.mark(1)):
        engine.apply(message)
    advance_all(engine, table)
    other = RULE.model_copy(update={"name": "other", "dimension": []})
    again = make(now, rules=[other], max_page_age_s=10**9)
    again.restore(table.entries)
    again.take_changes()
    again.apply(messages.mark(3))
    assert [page.event for page in advance_all(again, table)] == ["resolved"]


def test_counts_that_no_rule_concerns_are_not_kept(now):
    engine = make(now)
    engine.apply(
        WindowCounts(
            window_ms=STEP_MS, topic=TOPIC, partition=0, first_offset=0, last_offset=1,
            counts=[KeyCount(START_MS, "brand=Acme", {"brand": "Acme"}, 1, 1)],
        )
    )  # fmt: skip
    assert engine.take_changes().writes == {}


def restarted(now, table):
    engine = make(now, max_page_age_s=10**9)
    engine.restore(table.entries)
    return engine


def test_pages_that_a_receiver_took_are_known_after_a_restart_until_they_are_over(now):
    engine, table, messages = make(now, max_page_age_s=10**9), Table(), Messages()
    for message in (messages.counts(0, 12, 15), messages.mark(1)):
        engine.apply(message)
    (page,) = advance_all(engine, table)
    assert restarted(now, table).delivered_pages() == [], "no receiver took it yet"
    engine.delivered(page.alert.dedup_key, "firing", "log")
    table.write(engine.take_changes().writes)
    (delivered,) = restarted(now, table).delivered_pages()
    assert delivered.receivers == ["log"]
    assert (delivered.alert.dedup_key, delivered.alert.status, delivered.also) == (page.alert.dedup_key, "firing", [])
    for step in range(1, 12):
        engine.apply(messages.counts(step, 0, 10))
        engine.apply(messages.mark(step + 1))
        advance_all(engine, table)
    assert restarted(now, table).delivered_pages() == []


def merged(engine, outcome):
    return engine._metrics.window_counts_merged.labels(outcome)._value.get()


@pytest.mark.parametrize("restart", [False, True])
def test_late_records_of_a_key_that_is_not_watched_yet_are_counted_and_fire(now, restart):
    engine, table, messages = make(now, max_page_age_s=10**9), Table(), Messages()
    for message in (messages.counts(0, 0, 10, intent="billing"), messages.mark(1)):
        engine.apply(message)
        advance_all(engine, table)
    engine.apply(messages.counts(0, 15, 15, intent="delivery"))
    assert merged(engine, "corrected") == 1
    assert advance_all(engine, table) == []
    if restart:
        engine = restarted(now, table)
        engine.take_changes()
    engine.apply(messages.mark(2))
    (page,) = advance_all(engine, table)
    assert (page.alert.key, page.alert.negative, page.alert.late_records) == ("intent=delivery", 15, 15)


def test_late_records_that_no_rule_sums_any_more_are_counted_as_late(now):
    # The counts are kept for the baselines, longer than the windows and the chart.
    rules = [static_rule("short", ("intent",)), spike_rule("other", ("brand",))]
    engine, messages = make(now, rules=rules, snapshot_interval_s=6 * 3600), Messages()
    for message in (messages.counts(0, 0, 10), messages.counts(60, 0, 10), messages.mark(61)):
        engine.apply(message)
        advance_all(engine)
    engine.apply(messages.counts(1, 15, 15))
    assert (merged(engine, "corrected"), merged(engine, "late")) == (0, 1)


def test_a_partition_of_a_removed_channel_is_not_waited_for_after_the_restart(now):
    table, (kept, removed) = Table(), (Messages(), Messages(1))
    engine = make(now, raw=2)
    for message in (kept.counts(0, 0, 10), kept.mark(1), removed.mark(1)):
        engine.apply(message)
        advance_all(engine, table)
    again = make(now, raw=1)
    again.restore(table.entries)
    again.apply(kept.counts(1, 15, 15))
    again.apply(kept.mark(2))
    assert [page.event for page in advance_all(again, table)] == ["firing"]
    assert again.windows.left_out == frozenset()
    now.advance(10_000)
    again.apply(kept.mark(3))
    advance_all(again, table)
    assert again.windows.left_out == frozenset(), "nothing is left out for good"
    again.apply(removed.mark(9))
    assert again.windows.watermark(now.now_ms(), now.monotonic()) == START_MS + 3 * STEP_MS
    third = make(now, raw=2)
    third.restore(table.entries)
    assert f"{TOPIC}/1" not in third.windows.progress.marks


def test_a_judged_alert_is_archived_again_with_its_judgement(now):
    assessments = Assessments()
    engine, table = make(now, max_page_age_s=10**9, parts={"assessments": assessments}), Table()
    pages = []
    for message in spike(Messages()):
        engine.apply(message)
        pages += advance_all(engine, table)
    key = pages[0].alert.dedup_key
    engine.archived(key, engine.episode(key).version)
    engine.take_changes()
    assessments.put(Judge(id="j", actor="Kim", at_ms=5, dedup_key=key, verdict="false"))
    assert engine.assessed(key)
    [episode] = engine.take_changes().episodes
    assert engine.alert(episode).assessment == Assessment("false", "Kim", "1970-01-01T00:00:00.005Z")
    assert not engine.assessed("triage-of-another-partition")


def test_a_replay_of_a_month_pages_nobody():
    """Two surges a day for thirty days, read again in one go: all are recorded, none is paged."""
    day, messages = 288, Messages()
    engine = make(ManualClock(START_MS + 31 * day * STEP_MS), max_page_age_s=6 * 3600)
    pages, episodes = [], set()
    for step in range(0, 30 * day, day // 2):
        engine.apply(messages.counts(step, 15, 15))
        engine.apply(messages.mark(step + 20))
        while engine.advance():
            pass
        changes = engine.take_changes()
        pages += changes.notifications
        episodes |= {episode.dedup_key for episode in changes.episodes}
    assert pages == []
    assert len(episodes) == 60
