"""`triage alerts backtest --from --to --rule`: what a rule would have said of records that are really indexed."""

import csv
import io

import msgspec
import numpy as np
import pytest
import yaml
from cli import run as triage
from indices import own_settings, remove
from records import enriched

from triage.clock import ManualClock, rfc3339
from triage.elastic.client import connect
from triage.elastic.naming import IndexNaming, read_daily_from
from triage.elastic.plan import apply, plan_index
from triage.sinks.base import Document
from triage.sinks.elasticsearch import IndexSink

pytestmark = pytest.mark.stack

HOUR = 3_600_000
START = 1_795_305_600_000 // (24 * HOUR) * 24 * HOUR
HOURS, SPIKE = 60, 50
RULES = {
    "version": 1,
    "zone": "Asia/Shanghai",
    "rules": [
        {"name": "complaints", "dimension": ["brand"], "where": {"channel": {"in": ["complaint"]}}, "spike": {}},
        {
            "name": "static", "dimension": ["brand"], "window_s": 7200,
            "static": {"share_at_least": 0.5, "count_at_least": 30}, "resolve_after": 2,
        },
    ],
}  # fmt: skip


def history():
    """Hour, brand, channel, negative or not. Acme's complaints spike in one hour, Bolt's reviews in the same."""
    draw = np.random.default_rng(4)
    for hour in range(HOURS):
        for brand, channel in (("Acme", "complaint"), ("Bolt", "complaint"), ("Bolt", "review")):
            spikes = hour == SPIKE and (brand, channel) != ("Bolt", "complaint")
            for _ in range(draw.poisson(3) + 40 * spikes):
                yield hour, brand, channel, True
            for _ in range(4):
                yield hour, brand, channel, False


@pytest.fixture(scope="module")
def options(stack, tmp_path_factory, request):
    settings = own_settings(stack.elasticsearch_url, f"b{id(request):x}")
    rules = tmp_path_factory.mktemp("rules") / "rules.yaml"
    rules.write_text(yaml.safe_dump(RULES))
    with connect(settings) as client:
        apply(client, plan_index(client, settings, ManualClock(START + HOURS * HOUR)))
        naming = IndexNaming(settings.index_prefix, read_daily_from(client, settings))
        documents = []
        for number, (hour, brand, channel, negative) in enumerate(history()):
            at_ms = START + hour * HOUR + number % 50 * 60_000
            record = enriched("text", at_ms, score=-0.9 if negative else 0.9, brand=brand, channel=channel)
            documents.append(Document(f"id{number}", naming.index_for(at_ms), START, msgspec.json.encode(record)))
        assert IndexSink(client, settings).write(documents).indexed == len(documents)
        client.indices.refresh(index=settings.index_prefix)
    found = {
        "elasticsearch.url": settings.url, "elasticsearch.index_prefix": settings.index_prefix, "alerting.rules": rules,
        "alerting.dimensions": '[["brand"],["brand","channel"]]',
    }  # fmt: skip
    yield [part for name, value in found.items() for part in ("--set", f"{name}={value}")]
    remove(settings)


def backtest(capfd, options, *flags):
    span = ("--from", rfc3339(START), "--to", rfc3339(START + HOURS * HOUR), "--step", "1h")
    done = triage(capfd, "alerts", "backtest", *span, *flags, *options)
    assert done.code == 0, done.err
    return list(csv.DictReader(io.StringIO(done.out))), done.err


def fired(rows):
    return {(row["key"], row["window_start"]) for row in rows if row["firing"] == "1"}


def test_a_spike_rule_evaluates_its_own_series_and_filter(capfd, options):
    rows, said = backtest(capfd, options, "--rule", "complaints")
    assert len(rows) == 2 * HOURS
    assert {row["key"] for row in rows} == {"brand=Acme", "brand=Bolt"}
    spike = rfc3339(START + SPIKE * HOUR)
    assert ("brand=Acme", spike) in fired(rows)
    assert {key for key, _ in fired(rows)} == {"brand=Acme"}, "the reviews of Bolt are not the rule's"
    assert "brand=Acme: 1 episodes" in said
    acme = [row for row in rows if row["key"] == "brand=Acme"]
    assert sum(int(row["negative"]) for row in acme) == sum(
        negative for _, brand, _, negative in history() if brand == "Acme"
    )
    assert float(next(row["expected"] for row in acme if row["window_start"] == spike)) == pytest.approx(3, abs=1.5)


def test_a_static_rule_sums_its_window(capfd, options):
    rows, said = backtest(capfd, options, "--rule", "static")
    hours = {at for key, at in fired(rows) if key == "brand=Bolt"}
    # Two hours are summed: the one after the spike still has its records in it.
    assert hours == {rfc3339(START + hour * HOUR) for hour in (SPIKE, SPIKE + 1)}
    assert "2 episodes" in said


def test_without_a_rule_everything_together_is_evaluated(capfd, options):
    rows, _ = backtest(capfd, options)
    assert len(rows) == HOURS
    assert {row["key"] for row in rows} == {""}
    assert ("", rfc3339(START + SPIKE * HOUR)) in fired(rows)


def test_a_time_without_records_is_an_error(capfd, options):
    done = triage(capfd, "alerts", "backtest", "--from", "2001-01-01", "--to", "2001-01-02", *options)
    assert done.code == 1
    assert "no records from 2001-01-01" in done.err
