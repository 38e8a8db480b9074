"""A snapshot read from an Elasticsearch with a known set of documents."""

from itertools import pairwise

import msgspec
import pytest

from triage.clock import HOUR_MS, MINUTE_MS, ManualClock
from triage.config import ElasticsearchSettings
from triage.console.data.snapshot import Counts
from triage.console.data.snapshot_reader import SnapshotReader
from triage.elastic.client import connect
from triage.elastic.plan import apply, plan_index
from triage.errors import Unavailable
from triage.metrics import Metrics

NOW = 1_795_339_800_000


@pytest.fixture
def elastic(stack, prefix, clock):
    settings = ElasticsearchSettings(url=stack.elasticsearch_url, index_prefix=prefix, alerts_index=f"alerts-{prefix}")
    client = connect(settings)
    apply(client, plan_index(client, settings, clock))
    yield client, settings
    client.close()


def _write(elastic, records, alerts=()):
    client, settings = elastic
    operations = []
    for number, record in enumerate(records):
        index = f"{settings.index_prefix}-{record.timestamp[:10].replace('-', '.')}"
        operations += [{"index": {"_index": index, "_id": str(number)}}, msgspec.to_builtins(record)]
    for alert in alerts:
        operations += [
            {"index": {"_index": settings.alerts_index, "_id": alert.dedup_key}},
            msgspec.to_builtins(alert),
        ]
    if operations:
        response = client.bulk(operations=operations, refresh=True)
        assert not response["errors"], response


def _read(elastic, clock, dead_letters=lambda: 4):
    metrics = Metrics()
    return SnapshotReader(*elastic, clock, metrics, dead_letters, simulated=True)()


pytestmark = pytest.mark.stack


def test_before_the_first_record_everything_is_empty(elastic, clock):
    snapshot = _read(elastic, clock, lambda: None)
    assert snapshot.empty
    assert (snapshot.timeline, snapshot.intents, snapshot.latest, snapshot.open_alerts) == ([], [], [], [])
    assert (snapshot.at_ms, snapshot.simulated, snapshot.dead_letters) == (NOW, True, None)


def test_counts_timeline_intents_and_latest(elastic, clock, make_record):
    _write(elastic, [
        make_record(text="oldest", at_ms=NOW - 30 * HOUR_MS, sentiment="positive", intent="praise"),
        make_record(text="older", at_ms=NOW - 5 * HOUR_MS, sentiment="neutral", intent="delivery"),
        make_record(text="recent", at_ms=NOW - 40 * MINUTE_MS, intent="delivery"),
        make_record(text="newest", at_ms=NOW - 30_000, intent="billing"),
    ])  # fmt: skip
    snapshot = _read(elastic, clock)
    assert snapshot.all_time == Counts(2, 1, 1)
    assert snapshot.last_hour == Counts(negative=2)
    assert snapshot.last_minute == 1
    assert snapshot.dead_letters == 4
    assert [hit.record.text for hit in snapshot.latest] == ["newest", "recent", "older", "oldest"]
    assert {one.intent: one.counts for one in snapshot.intents} == {
        "delivery": Counts(1, 1, 0),
        "billing": Counts(negative=1),
    }
    assert snapshot.timeline[0].counts == Counts(positive=1)
    assert sum(slot.counts.total for slot in snapshot.by_channel["complaint"]) == 4
    assert [slot.start_ms for slot in snapshot.by_channel["complaint"]] == [one.start_ms for one in snapshot.timeline]
    starts = [slot.start_ms for slot in snapshot.timeline]
    assert {later - earlier for earlier, later in pairwise(starts)} == {snapshot.step_ms}
    assert len(starts) <= 150


def test_the_slot_that_still_fills_is_there_too(elastic, make_record):
    _write(elastic, [make_record(at_ms=NOW - hours * HOUR_MS + 60_000) for hours in range(10)])
    snapshot = _read(elastic, ManualClock(NOW + 120_000))
    last = snapshot.timeline[-1]
    assert last.start_ms <= NOW + 120_000 < last.start_ms + snapshot.step_ms
    assert last.counts.total == 1
    assert (snapshot.reached_ms, snapshot.processed_ms) == (NOW + 60_000, NOW + 60_000)


def test_a_short_run_is_drawn_by_the_minute(elastic, clock, make_record):
    _write(elastic, [make_record(at_ms=NOW - minutes * MINUTE_MS) for minutes in range(1, 20)])
    assert _read(elastic, clock).step_ms == MINUTE_MS


def test_old_data_is_charted_up_to_its_own_end(elastic, make_record):
    _write(elastic, [make_record(at_ms=NOW - hours * HOUR_MS) for hours in range(5)])
    later = ManualClock(NOW + 90 * 24 * HOUR_MS)
    snapshot = _read(elastic, later)
    assert sum(slot.counts.total for slot in snapshot.timeline) >= 4
    assert snapshot.last_hour == Counts()
    assert snapshot.intents[0].counts.total == 5


def test_alerts_are_split_into_open_and_lately_resolved(elastic, clock, make_alert):
    resolved = [make_alert("resolved", NOW - n * HOUR_MS, NOW - n * HOUR_MS + MINUTE_MS) for n in range(2, 10)]
    _write(elastic, [], [make_alert(), *resolved])
    snapshot = _read(elastic, clock)
    assert [alert.status for alert in snapshot.open_alerts] == ["firing"]
    assert [alert.started_at for alert in snapshot.resolved_alerts] == [alert.started_at for alert in resolved[:5]]


def test_an_absent_elasticsearch_is_unavailable_and_counted(clock):
    settings = ElasticsearchSettings(url="http://127.0.0.1:9")
    metrics = Metrics()
    client = connect(settings)
    with pytest.raises(Unavailable):
        SnapshotReader(client, settings, clock, metrics, lambda: None)()
    client.close()
    assert metrics.registry.get_sample_value("triage_console_read_failures_total") == 1
