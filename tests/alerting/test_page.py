"""Pages: what someone reads at 3 a.m."""

import pytest

from triage.alerting.lifecycle import Episode
from triage.alerting.page import build_alert, duration, where
from triage.alerting.rules import Rule
from triage.config import Settings

STARTED = 1_795_339_800_000  # 2026-11-22T09:30:00Z
RULE = Rule(name="spike", dimension=["intent"], window_s=3600, static={"share_at_least": 0.6, "count_at_least": 30})


def episode(**changes):
    options = {
        "dedup_key": "triage-1", "rule": "spike", "key": "intent=delivery", "dimensions": {"intent": "delivery"},
        "status": "firing", "severity": "critical", "window_ms": 3_600_000, "started_ms": STARTED,
        "last_step_ms": STARTED, "last_firing_ms": STARTED, "end_ms": STARTED + 300_000, "negative": 45, "total": 60,
        "peak_negative": 45, "peak_total": 60, "paged": True,
    }  # fmt: skip
    return Episode(**(options | changes))


def alert(found, **alerting):
    return build_alert(found, RULE, Settings(alerting=alerting).alerting, STARTED + 600_000)


def test_a_firing_page_has_the_numbers_and_the_rule():
    page = alert(episode())
    assert page.title == "Negative feedback spikes: intent delivery: 45 of 60 (75%) in 1 h"
    assert page.summary == (
        "45 of 60 records (75%) for intent delivery between 08:35 and 09:35 UTC were negative. "
        "Firing since 2026-11-22 09:30 UTC. Rule spike fires at 30 negatives and 60% negative."
    )
    assert (page.started_at, page.ended_at, page.share) == ("2026-11-22T09:30:00.000Z", None, 0.75)


def test_while_it_fires_the_title_keeps_to_the_peak_that_the_rule_asked_for():
    page = alert(episode(negative=17, total=19, end_ms=STARTED + 3_600_000))
    assert page.title == "Negative feedback spikes: intent delivery: peak 45 of 60 (75%) in 1 h"
    assert page.summary == (
        "At the peak 45 of 60 records (75%) for intent delivery in 1 h were negative; between 09:30 and 10:30 UTC it "
        "was 17 of 19. Firing since 2026-11-22 09:30 UTC. Rule spike fires at 30 negatives and 60% negative."
    )
    assert (page.negative, page.total, page.peak_negative) == (17, 19, 45)


def test_a_resolve_says_how_long_and_how_bad():
    page = alert(episode(status="resolved", last_firing_ms=STARTED + 55 * 60_000, negative=0, total=0))
    assert page.title == "Resolved: intent delivery (peak 45 of 60 negative in 1 h)"
    assert "lasted 1 h; at its peak 45 of 60 records" in page.summary
    assert page.ended_at == "2026-11-22T10:30:00.000Z"
    assert page.share == 0.0


def test_links_lead_to_console_and_kibana_with_the_filter_set():
    page = alert(
        episode(dimensions={"brand": 'O\'Neil "Co"!'}), console_url="https://c.example/", kibana_url="https://k.example"
    )
    assert page.console_url == "https://c.example/alerts/triage-1"
    assert page.kibana_url.startswith("https://k.example/app/discover#/?_g=(time:(from:'2026-11-22T08%3A30%3A00.000Z'")
    assert "brand%3A%20%22O%21%27Neil%20%5C%22Co%5C%22%21%21%22" in page.kibana_url
    assert alert(episode()).kibana_url is None


def test_an_alert_without_its_rule_is_still_an_alert():
    page = build_alert(episode(), None, Settings().alerting, STARTED)
    assert page.summary.endswith("09:30 UTC.")


@pytest.mark.parametrize(
    ("ms", "said"),
    [(300_000, "5 min"), (5_400_000, "1 h 30 min"), (2 * 86_400_000, "2 d"), (45_000, "45 s"), (0, "0 s")],
)
def test_durations(ms, said):
    assert duration(ms) == said


def test_where():
    assert where({}) == "all feedback"
    assert where({"intent": "delivery", "brand": "Acme"}) == "brand Acme, intent delivery"
