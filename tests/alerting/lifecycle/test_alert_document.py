"""Pages: what someone reads at 3 a.m."""

import pytest

from triage.alerting.lifecycle.alert_document import build_alert, duration
from triage.alerting.lifecycle.episode import Episode
from triage.alerting.rules.model import Rule
from triage.config import Settings

STARTED = 1_795_339_800_000  # 2026-11-22T09:30:00Z
RULE = Rule(name="spike", dimension=["intent"], window_s=3600, static={"share_at_least": 0.6, "count_at_least": 30})


def episode(**changes):
    options = {
        "dedup_key": "triage-1", "rule": "spike", "key": "intent=delivery", "dimensions": {"intent": "delivery"},
        "state": "firing", "severity": "critical", "window_ms": 3_600_000, "started_ms": STARTED,
        "last_step_ms": STARTED, "last_firing_ms": STARTED, "end_ms": STARTED + 300_000, "negative": 45, "total": 60,
        "peak_negative": 45, "peak_total": 60, "page": "triage-1",
    }  # fmt: skip
    return Episode(**(options | changes))


def alert(found, **alerting):
    return build_alert(found, RULE, Settings(alerting=alerting).alerting, STARTED + 600_000)


def test_a_firing_page_has_the_numbers_and_the_rule():
    page = alert(episode())
    assert page.title == "Delivery complaints: 75%, 45 of 60 negative in 1 h"
    assert page.summary == (
        "45 of 60 records (75%) about delivery between 08:35 and 09:35 UTC were negative. "
        "Firing since 2026-11-22 09:30 UTC. Rule spike fires at 30 negatives and 60% negative."
    )
    assert (page.started_at, page.ended_at, page.share) == ("2026-11-22T09:30:00.000Z", None, 0.75)


def test_times_are_those_of_the_owners_zone_with_utc_beside_them():
    page = alert(episode(), time_zone="Asia/Shanghai")
    assert "between 16:35 and 17:35 UTC+8 (08:35–09:35 UTC) were negative. " in page.summary
    assert "Firing since 2026-11-22 17:30 UTC+8 (09:30 UTC). " in page.summary
    over = alert(episode(state="resolved", last_firing_ms=STARTED), time_zone="America/New_York", language="zh")
    assert "2026-11-22 04:30 UTC-5 (09:30 UTC)" in over.summary
    assert page.started_at == "2026-11-22T09:30:00.000Z"


def test_a_spike_says_how_many_against_how_many_expected():
    page = alert(episode(expected=10.7, peak_expected=10.7, causes=["spike"]))
    assert page.title == "Delivery complaints 4.2× expected — 45 of 60 negative in 1 h"
    assert "were negative; about 11 were expected. Firing since" in page.summary
    assert "Rule spike fires" not in page.summary, "the threshold did not decide"


def test_a_ratio_to_next_to_nothing_is_not_given():
    assert alert(episode(peak_expected=0.2)).title == (
        "Delivery complaints: 45 of 60 negative in 1 h, under 1 expected"
    )
    assert "×" not in alert(episode(peak_expected=40.0)).title, "1.1 times expected would make people doubt the page"


def test_while_it_fires_the_title_keeps_to_the_peak_that_the_rule_asked_for():
    page = alert(episode(negative=17, total=19, end_ms=STARTED + 3_600_000, peak_end_ms=STARTED + 300_000))
    assert page.title == "Delivery complaints: peak 75%, 45 of 60 negative in 1 h"
    assert page.summary == (
        "At the peak, between 08:35 and 09:35 UTC, 45 of 60 records (75%) about delivery were negative. "
        "Between 09:30 and 10:30 UTC it was 17 of 19. Firing since 2026-11-22 09:30 UTC. "
        "Rule spike fires at 30 negatives and 60% negative."
    )
    assert (page.negative, page.total, page.peak_negative) == (17, 19, 45)


def test_a_correction_and_flapping_are_in_the_summary():
    page = alert(episode(late_records=4, flapping=True))
    assert "4 of the records in the latest window came late" in page.summary
    assert "It comes and goes" in page.summary


def test_a_resolve_says_how_long_and_how_bad():
    over = episode(state="resolved", last_firing_ms=STARTED + 55 * 60_000, negative=0, total=0, peak_expected=10.7)
    page = alert(over)
    assert page.title == "Resolved: Delivery complaints — 1 h, peak 45 of 60"
    assert "about delivery is over. It began at 2026-11-22 09:30 UTC and lasted 1 h; at its peak 45" in page.summary
    assert "where about 11 were expected" in page.summary
    assert page.ended_at == "2026-11-22T10:30:00.000Z"
    assert page.share == 0.0


def test_pages_in_chinese():
    page = alert(episode(peak_expected=10.7), language="zh")
    assert page.title == "物流配送投诉达预期的 4.2 倍 — 1 小时内 60 条中 45 条负面"
    assert page.summary.startswith(
        "物流配送相关反馈：08:35 至 09:35 UTC，60 条记录中有 45 条（75%）为负面，预期约 11 条。"
    )


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


def test_numbers_and_times_of_the_document():
    found = alert(episode(negative=1, total=3, state="resolved", last_firing_ms=STARTED + 300_000), window_s=300)
    assert (found.share, found.window_s, found.updated_at) == (0.3333, 3600, "2026-11-22T09:40:00.000Z")
    assert found.ended_at == "2026-11-22T09:40:00.000Z"
    assert found.status == "resolved"
    assert alert(episode(total=0)).share == 0.0
    assert not alert(episode(page=None)).paged


def test_a_snooze_ends_by_the_clock_of_whoever_snoozed():
    found = alert(episode(snoozed_until_ms=STARTED), allowed_lateness_s=90)
    assert found.snoozed_until == "2026-11-22T09:31:30.000Z"
    assert alert(episode()).snoozed_until is None


def test_kibana_s_link_escapes_twice():
    page = alert(episode(dimensions={"brand": 'O\'Neil "!"'}), kibana_url="https://k.example/")
    assert page.kibana_url.startswith("https://k.example/app/discover#/?_g=(time:(from:'2026-11-22T08%3A30%3A00.000Z'")
    assert "brand%3A%20%22O%21%27Neil%20%5C%22%21%21%5C%22%22%20and%20sentiment.label" in page.kibana_url
