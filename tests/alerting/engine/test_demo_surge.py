"""The surge of the demo, by the demo's own rules and schedule: one page and one resolve."""

from random import Random

import pytest
from engine_rig import START_MS, STEP_MS, Messages, advance_all, make

from triage.alerting.rules.loader import load_alert_rules
from triage.clock import ManualClock
from triage.config import Settings
from triage.local.feed import load_feed
from triage.paths import resource

DAYS, STEPS_A_DAY = 3, 288
# Records that speak of a delivery outside the surge: three an hour, half of them negative.
PER_STEP, NEGATIVE = 3 / 12, 0.5


def counts_by_step(seed):
    """[negative, total] of records about deliveries; those of the surge are all negative."""
    draw, feed = Random(seed), load_feed()
    steps = [[0, 0] for _ in range(DAYS * STEPS_A_DAY)]
    for step in steps:
        for _ in range(3):
            if draw.random() < PER_STEP / 3:
                step[0] += draw.random() < NEGATIVE
                step[1] += 1
    start_ms, end_ms = feed.surge(DAYS)
    lines = sum(line.in_surge for line in feed.lines)
    for _ in range(lines):
        at_ms = int(draw.triangular(start_ms, end_ms, start_ms + (end_ms - start_ms) / 3))
        for place in (0, 1):
            steps[at_ms // STEP_MS][place] += 1
    return steps


@pytest.mark.parametrize("seed", [1, 7])
def test_the_surge_pages_once_and_resolves_once(seed):
    path = resource("topics/feed/alert-rules.yaml")
    rules = load_alert_rules(Settings.model_validate({"alerting": {"rules": str(path)}}).alerting).rules
    clock = ManualClock(START_MS + DAYS * STEPS_A_DAY * STEP_MS)
    engine, messages, pages = make(clock, rules=rules, receivers=["log"]), Messages(), []
    for step, (negative, total) in enumerate(counts_by_step(seed)):
        if total:
            engine.apply(messages.counts(step, negative, total, intent="delivery"))
        engine.apply(messages.mark(step + 1))
        pages += advance_all(engine)
    assert [page.event for page in pages] == ["firing", "resolved"]
    assert pages[0].alert.dedup_key == pages[1].alert.dedup_key
