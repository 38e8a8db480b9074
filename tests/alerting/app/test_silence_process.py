"""A source that stops, noticed by an alerter in a process of its own on the stack, over a restart."""

import time

import pytest
import yaml
from alerter_rig import STEP_MS, Rig, end

pytestmark = [pytest.mark.stack, pytest.mark.slow]

LEARNED = 190
RULE = {
    "name": "silent-source",
    "dimension": ["source"],
    "window_s": 10,
    # Half an hour of windows of ten seconds.
    "silence": {"learning_days": 0.02, "learning_windows": 24},
    "severity": "critical",
}


@pytest.fixture
def rig(stack, prefix, tmp_path):
    made = Rig(stack, prefix, tmp_path, **{"alerting.dimensions": [["source"]]})
    # Recent enough that pages don't wait until the alerter has caught up.
    made.start_ms = (int(time.time() * 1000) - (LEARNED + 30) * STEP_MS) // STEP_MS * STEP_MS
    made.rules.write_text(yaml.safe_dump({"version": 1, "rules": [RULE]}))
    yield made
    made.close()


def speak(rig, first, last, sources=("shop", "app")):
    for step in range(first, last):
        rig.feed(step, dict.fromkeys(sources, (0, 20)), field="source")
    rig.watermark(last)


def silence(rig, first, last):
    """The other source goes on, so that only one is silent."""
    speak(rig, first, last, sources=("app",))


def test_a_source_that_stops_is_paged_once_over_a_restart_and_resolved_by_its_next_record(rig):
    process = rig.start()
    speak(rig, 0, LEARNED)
    silence(rig, LEARNED, LEARNED + 1)
    rig.wait_log("state_recovered")
    silence(rig, LEARNED + 1, LEARNED + 6)
    rig.wait_events("firing")
    alert = rig.receiver.pages[0]["alert"]
    assert (alert["kind"], alert["dimensions"], alert["causes"]) == ("silence", {"source": "shop"}, ["silence"])
    assert "no records" in alert["title"]

    process.kill()
    process.wait()
    process = rig.start()
    rig.wait_log("state_recovered", times=2)
    silence(rig, LEARNED + 6, LEARNED + 12)
    speak(rig, LEARNED + 12, LEARNED + 14)
    rig.wait_events("firing", "resolved")
    assert len({key for key, _ in rig.receiver.events()}) == 1
    rig.wait(lambda: [found.status for found in rig.alerts()][-1:] == ["resolved"], "the resolve on the topic")
    assert end(process) == 0
