"""The alerter as a process on a real stack: pages, resolves, and survives being killed."""

import os
import time

import httpx
import pytest
import yaml
from alerter_rig import RULES, Rig, end

from triage.alerting.app.actions import ActionWriter
from triage.alerting.lifecycle.silences import parse_matchers
from triage.local.stack import free_port

pytestmark = pytest.mark.stack

REAL = bool(os.environ.get("TRIAGE_TEST_KAFKA"))
SPIKE = {"delivery": (12, 15), "billing": (1, 20)}
QUIET = {"delivery": (0, 5), "billing": (1, 20)}


@pytest.fixture
def rig(stack, prefix, tmp_path):
    rigs = []

    def make(**settings):
        rigs.append(Rig(stack, prefix, tmp_path, **settings))
        return rigs[-1]

    yield make
    for made in rigs:
        made.close()


def stored_alert(rig, dedup_key):
    settings = rig.settings.elasticsearch
    found = httpx.get(f"{settings.url}/{settings.alerts_index}/_doc/{dedup_key}", timeout=60)
    return found.json().get("_source", {}) if found.status_code == 200 else {}


def fire(rig):
    rig.feed(0, QUIET)
    rig.feed(1, SPIKE)
    rig.watermark(2)


def calm_down(rig, step=2, quiet_steps=5):
    for quiet in range(quiet_steps):
        rig.feed(step + quiet, QUIET)
    rig.watermark(step + quiet_steps)


def test_a_spike_is_paged_once_the_receiver_is_mended_recorded_and_resolved(rig):
    rig = rig()
    rig.receiver.status = 403
    process = rig.start()
    fire(rig)
    refused = rig.wait_for(lambda: rig.receiver.refused, "a refusal")[0]["dedup_key"]
    stored = rig.wait_for(lambda: stored_alert(rig, refused).get("refusals"), "the refusal in Elasticsearch")
    assert (stored[0]["receiver"], stored[0]["retried"]) == ("webhook", True)
    # It is mended: the page comes now, not with the next repeat.
    rig.receiver.status = 200
    rig.wait_events("firing")
    rig.wait(lambda: stored_alert(rig, refused).get("taken_by") == ["log", "webhook"], "the page in Elasticsearch")
    calm_down(rig)
    rig.wait_events("firing", "resolved")

    (key, _), (resolved_key, _) = rig.receiver.events()
    assert key == resolved_key
    assert len(rig.receiver.pages) == 2, "nothing was sent twice"
    page = rig.receiver.pages[0]["alert"]
    assert (page["rule"], page["dimensions"], page["negative"], page["total"]) == (
        "intent-spike", {"intent": "delivery"}, 12, 20,
    )  # fmt: skip
    assert page["runbook"] == "https://runbooks.example/delivery"
    rig.wait(lambda: stored_alert(rig, key).get("status") == "resolved", "the resolve in Elasticsearch")
    rig.wait(lambda: [a.status for a in rig.alerts()][-1:] == ["resolved"], "the resolve on the topic")
    on_topic = rig.alerts()
    assert {alert.dedup_key for alert in on_topic} == {key}
    assert on_topic[0].status == "firing"
    assert end(process) == 0


def test_killed_in_mid_episode_there_is_one_page_and_one_resolve(rig):
    rig = rig()
    process = rig.start()
    fire(rig)
    rig.wait_events("firing")
    process.kill()
    process.wait()
    rig.start()
    rig.wait_log("state_recovered", times=2)
    calm_down(rig)
    rig.wait_events("firing", "resolved")
    time.sleep(2)
    assert [event for _, event in rig.receiver.events()] == ["firing", "resolved"]
    assert len({key for key, _ in rig.receiver.events()}) == 1


@pytest.mark.slow
def test_killed_before_the_page_was_taken_it_is_sent_after_the_restart(rig):
    rig = rig()
    rig.receiver.status = 503
    process = rig.start()
    fire(rig)
    rig.wait(lambda: rig.receiver.refused, "an attempt")
    process.kill()
    process.wait()
    rig.receiver.status = 200
    rig.start()
    rig.wait_events("firing")
    assert rig.receiver.pages[0]["resent"] is True
    assert rig.receiver.pages[0]["dedup_key"] == rig.receiver.refused[0]["dedup_key"]
    calm_down(rig)
    rig.wait_events("firing", "resolved")


def test_counts_of_an_aborted_transaction_are_not_seen(rig):
    rig = rig()
    rig.start()
    rig.feed(0, QUIET)
    rig.feed(1, SPIKE, abort=True)
    rig.feed(1, {"delivery": (9, 9)})
    rig.watermark(4)
    rig.feed(5, SPIKE)
    rig.watermark(6)
    rig.wait_events("firing")
    assert rig.receiver.pages[0]["alert"]["negative"] == 12
    assert rig.receiver.pages[0]["alert"]["started_at"] > "2"
    assert len(rig.receiver.events()) == 1


@pytest.mark.slow
def test_pages_are_sent_while_elasticsearch_is_unavailable_and_the_alert_is_stored_later(rig, stack):
    rig = rig()
    down = {"elasticsearch.url": f"http://127.0.0.1:{free_port()}"}
    process = rig.start(**down)
    fire(rig)
    rig.wait_events("firing")
    key = rig.receiver.pages[0]["dedup_key"]
    assert stored_alert(rig, key) == {}
    assert end(process) == 0
    rig.start()
    rig.wait(lambda: stored_alert(rig, key).get("status") == "firing", "the alert in Elasticsearch")


@pytest.mark.slow
def test_killed_again_and_again_there_is_one_page_and_one_resolve(rig):
    """Before the spike is closed, while the page is under way, while it recovers, and before the last step."""
    rig = rig()
    process = rig.start()
    rig.wait_log("state_recovered")
    rig.feed(0, QUIET)
    rig.feed(1, SPIKE)

    def die_and_come_back(times):
        process.kill()
        process.wait()
        again = rig.start()
        rig.wait_log("state_recovered", times=times)
        return again

    process = die_and_come_back(2)
    rig.receiver.delay_s = 2
    rig.watermark(2)
    rig.wait_log("episode_changed")
    process = die_and_come_back(3)
    rig.receiver.delay_s = 0
    rig.wait_events("firing")
    rig.feed(2, QUIET)
    rig.feed(3, QUIET)
    rig.watermark(4)
    process = die_and_come_back(4)
    calm_down(rig, step=4, quiet_steps=4)
    rig.wait_events("firing", "resolved")
    time.sleep(1)
    keys = {key for key, _ in rig.receiver.events()}
    assert len(keys) == 1
    again = [page for page in rig.receiver.pages if page["event"] == "firing"][1:]
    assert all(page["resent"] for page in again), "a receiver that does not deduplicate sees that it is resent"


@pytest.mark.slow
def test_people_silence_and_acknowledge_and_rules_change_without_a_restart(rig):
    rig = rig()
    actions = ActionWriter(rig.settings.kafka, rig.settings.clock.build())
    actions.silence(parse_matchers(["intent=billing"]), "Kim", 3600)
    process = rig.start()
    rig.feed(1, {"delivery": (12, 15), "billing": (30, 30)})
    rig.watermark(2)
    rig.wait_events("firing")
    page = rig.receiver.pages[0]
    assert page["alert"]["key"] == "intent=delivery"
    actions.acknowledge(page["dedup_key"], "Kim", "on it")
    stored = rig.wait_for(lambda: stored_alert(rig, page["dedup_key"]).get("acknowledged"), "the acknowledgement")
    assert (stored["by"], stored["comment"]) == ("Kim", "on it")

    rig.rules.write_text(rig.rules.read_text().replace("intent-spike", "No Such Name!"))
    rig.wait_log("reload_refused")
    rig.rules.write_text(yaml.safe_dump(RULES | {"rules": RULES["rules"][1:]}))
    rig.wait_log('"reloaded"')
    rig.feed(2, SPIKE)
    rig.watermark(3)
    rig.wait_events("firing", "acknowledged", "resolved")
    assert len({key for key, _ in rig.receiver.events()}) == 1, "the silenced one was neither paged nor resolved"
    actions.judge(page["dedup_key"], "Lee", "right")
    actions.close()
    stored = rig.wait_for(lambda: stored_alert(rig, page["dedup_key"]).get("assessment"), "the assessment")
    assert (stored["by"], stored["verdict"]) == ("Lee", "right")
    assert end(process) == 0


@pytest.mark.slow
def test_two_alerters_share_the_brands_and_one_takes_over(rig):
    rig = rig()
    first = rig.start("a")
    rig.wait_log("state_recovered", "a")
    rig.start("b")
    rig.wait_log("state_recovered", "b")
    spikes = dict.fromkeys((f"brand {number}" for number in range(6)), (12, 15))
    rig.feed(1, spikes, field="brand")
    rig.watermark(2)
    rig.wait_events(*["firing"] * len(spikes))
    for instance in ("a", "b"):
        # Each pages for its own partitions; it notes so once the receiver has answered.
        rig.wait_log('"notification_sent"', instance)
    first.kill()
    for step in range(2, 7):
        rig.feed(step, dict.fromkeys(spikes, (0, 1)), field="brand")
    rig.watermark(7)
    if not REAL:
        # The local stack never expires a dead member: only its successor can take its partitions over.
        rig.start("a")
    rig.wait_events(*["firing"] * len(spikes), *["resolved"] * len(spikes), timeout_s=90)
    assert len({key for key, _ in rig.receiver.events()}) == len(spikes)


def test_it_waits_for_kafka_and_ends_on_sigterm_meanwhile(rig):
    rig = rig()
    process = rig.start(**{"kafka.bootstrap_servers": f"127.0.0.1:{free_port()}", "kafka.start_timeout_s": 1})
    rig.wait_log("dependency_unavailable")
    assert process.poll() is None
    assert end(process) == 0
