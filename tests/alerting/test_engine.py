"""The engine of a partition: the same pages with and without crashes, and state that is whole at every point."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.alerting.engine import PartitionEngine
from triage.alerting.lifecycle import Evidence
from triage.alerting.rules import AlertRules, Rule
from triage.clock import ManualClock
from triage.config import Settings
from triage.metrics import Metrics
from triage.schemas.alert import Share
from triage.schemas.counts import Watermark, WindowCount

STEP_MS = 300_000
START_MS = 1_795_339_800_000 // STEP_MS * STEP_MS
TOPIC = "feedback.complaints"
RULE = Rule(
    name="spike",
    dimension=["intent"],
    window_s=600,
    static={"share_at_least": 0.5, "count_at_least": 10},
    resolve_after=2,
    severity="critical",
)


def make(clock, *, rules=(RULE,), receivers=("log", "webhook"), **alerting):
    options = {"allowed_lateness_s": 0} | alerting
    return PartitionEngine(
        AlertRules(rules),
        Settings(alerting=options).alerting,
        clock,
        Metrics(),
        receivers=list(receivers),
        expected={(TOPIC, 0)},
    )


class Messages:
    def __init__(self):
        self.offset = 0

    def counts(self, step, negative, total, intent="delivery"):
        first, self.offset = self.offset, self.offset + 10
        return WindowCount(
            window_start_ms=START_MS + step * STEP_MS,
            window_ms=STEP_MS,
            key=f"intent={intent}",
            dimensions={"intent": intent},
            negative=negative,
            total=total,
            topic=TOPIC,
            partition=0,
            first_offset=first,
            last_offset=first + 9,
        )

    def mark(self, step):
        return Watermark(
            topic=TOPIC, partition=0, watermark_ms=START_MS + step * STEP_MS, offset=self.offset, lag=0, at_ms=0
        )


class Table:
    """What the changelog holds; a crash leaves the first `at_most` writes of a flush."""

    def __init__(self):
        self.entries = {}

    def write(self, writes, *, at_most=None):
        for name, value in list(writes.items())[:at_most]:
            if value is None:
                self.entries.pop(name, None)
            else:
                self.entries[name] = value


def settle(engine, table):
    """Advance to the end, storing as the app does; returns the pages in order."""
    pages, more = [], True
    while more:
        more = engine.advance()
        changes = engine.take_changes()
        table.write(changes.writes)
        pages += changes.intents
    return pages


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
        pages += settle(engine, table)
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
    (page,) = settle(engine, Table())
    assert (page.alert.negative, page.alert.window_s) == (12, 600)


def test_old_windows_are_recorded_and_not_paged(now):
    engine, table, pages, episodes = make(now, max_page_age_s=3_600), Table(), [], []
    for message in spike(Messages()):
        engine.apply(message)
        engine.advance()
        changes = engine.take_changes()
        table.write(changes.writes)
        pages += changes.intents
        episodes += changes.episodes
    assert pages == []
    alert = engine.alert(episodes[-1])
    assert (alert.status, alert.paged) == ("resolved", False)
    assert "more than 1 h" in alert.not_paged_because


def test_what_was_not_delivered_is_owed_after_a_restart(now):
    engine, table, messages = make(now, max_page_age_s=10**9), Table(), Messages()
    for message in (messages.counts(0, 12, 15), messages.mark(1)):
        engine.apply(message)
    (page,) = settle(engine, table)
    engine.delivered(page.alert.dedup_key, "firing", "log")
    table.write(engine.take_changes().writes)

    again = make(now, max_page_age_s=10**9)
    again.restore(table.entries)
    owed = again.take_changes()
    assert [(intent.event, intent.pending) for intent in owed.intents] == [("firing", ["webhook"])]
    assert [episode.status for episode in owed.episodes] == ["firing"], "stored again, in case it was not"
    again.delivered(page.alert.dedup_key, "firing", "webhook")
    table.write(again.take_changes().writes)
    third = make(now)
    third.restore(table.entries)
    assert third.take_changes().intents == []


def test_evidence_stays_with_the_episode(now):
    engine, table, messages = make(now, max_page_age_s=10**9), Table(), Messages()
    for message in (messages.counts(0, 12, 15), messages.mark(1)):
        engine.apply(message)
    (page,) = settle(engine, table)
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
        pages += settle(engine, table)
    key = pages[0].alert.dedup_key
    for page in pages:
        for receiver in ("log", "webhook"):
            engine.delivered(key, page.event, receiver)
    engine.archived(key, engine.episode(key).version)
    for message in (messages.counts(9, 0, 1), messages.mark(20)):
        engine.apply(message)
    settle(engine, table)
    settle(engine, table)
    assert engine.episode(key) is None
    assert not any(name.startswith("episode:") for name in table.entries)


def test_the_table_keeps_no_more_than_rules_need(now):
    engine, table, messages = make(now), Table(), Messages()
    for step in range(50):
        engine.apply(messages.counts(step, 1, 10, intent="delivery"))
        engine.apply(messages.mark(step + 1))
        settle(engine, table)
    assert len(table.entries) <= 3, table.entries.keys()


def test_a_rule_that_is_gone_resolves_its_episode(now):
    engine, table, messages = make(now, max_page_age_s=10**9), Table(), Messages()
    for message in (messages.counts(0, 12, 15), messages.mark(1)):
        engine.apply(message)
    settle(engine, table)
    other = RULE.model_copy(update={"name": "other", "dimension": []})
    again = make(now, rules=[other], max_page_age_s=10**9)
    again.restore(table.entries)
    again.take_changes()
    again.apply(messages.mark(3))
    assert [page.event for page in settle(again, table)] == ["resolved"]


def test_counts_that_no_rule_concerns_are_not_kept(now):
    engine = make(now)
    engine.apply(
        WindowCount(
            window_start_ms=START_MS, window_ms=STEP_MS, key="brand=Acme", dimensions={"brand": "Acme"}, negative=1,
            total=1, topic=TOPIC, partition=0, first_offset=0, last_offset=1,
        )
    )  # fmt: skip
    assert engine.take_changes().writes == {}


def told(pages):
    """What a receiver that deduplicates by key and event sees."""
    seen = []
    for page in pages:
        if (page.alert.dedup_key, page.event) not in seen:
            seen.append((page.alert.dedup_key, page.event))
    return seen


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from([0, 0, 6, 12]), min_size=1, max_size=20), st.data())
def test_a_crash_at_any_write_changes_nothing_that_a_receiver_sees(negatives, data):
    """The process dies after any number of a flush's writes; offsets were committed up to some earlier flush."""
    log, messages = [], Messages()
    for step, negative in enumerate(negatives):
        log += [messages.counts(step, negative, negative + 3), messages.mark(step + 1)]
    log.append(messages.mark(len(negatives) + 30))
    clock = ManualClock(START_MS + 100 * STEP_MS)

    def play(crashes):
        table, pages, position, committed = Table(), [], 0, 0
        engine = make(clock, max_page_age_s=10**9)
        while position < len(log):
            size = data.draw(st.integers(1, 4)) if crashes else 1
            for message in log[position : position + size]:
                engine.apply(message)
            position += size
            more = True
            while more:
                more = engine.advance()
                changes = engine.take_changes()
                if crashes and data.draw(st.integers(0, 3)) == 0:
                    table.write(changes.writes, at_most=data.draw(st.integers(0, len(changes.writes))))
                    engine = make(clock, max_page_age_s=10**9)
                    engine.restore(table.entries)
                    pages += engine.take_changes().intents
                    position = committed
                    crashes -= 1
                    break
                table.write(changes.writes)
                pages += changes.intents
            else:
                if not crashes or data.draw(st.booleans()):
                    committed = min(position, len(log))
        return told(pages)

    assert play(crashes=4) == play(crashes=0)
