"""Paging by itself: when a group is due, what is left out and why, and what a snooze or a resolve leaves."""

import pytest

from triage.alerting.lifecycle.episode import Episode
from triage.alerting.lifecycle.grouping import Page, Paging, PagingContext
from triage.config import Settings
from triage.schemas.alert import Acknowledgement

WAIT_MS, INTERVAL_MS, REPEAT_MS = 30_000, 300_000, 3_600_000
ALERTING = Settings(alerting={"group_wait_s": 30, "group_interval_s": 300, "repeat_interval_s": 3600}).alerting


def episode(key="one", **changes):
    options = {
        "dedup_key": key, "rule": "spike", "key": key, "dimensions": {"intent": key}, "state": "firing",
        "severity": "error", "window_ms": 3_600_000, "started_ms": 0, "last_step_ms": 0, "last_firing_ms": 0,
        "end_ms": 300_000, "negative": 45, "total": 60, "peak_negative": 45, "peak_total": 60,
    }  # fmt: skip
    return Episode(**(options | changes))


def paging(*, receivers=("ops",), muted=lambda *_: None, too_old=lambda _: None):
    around = PagingContext(
        group_of=lambda found: found.dimensions.get("brand", ""),
        receivers=lambda _: list(receivers),
        muted=muted,
        too_old=too_old,
        all_mutes=lambda: False,
    )
    return Paging(ALERTING, around)


def run(found, at_ms, *episodes):
    pages, changed = found.run(at_ms, {e.dedup_key: e for e in episodes})
    return [(page.event, page.page.members, page.repeat) for page in pages], {e.dedup_key: e for e in changed}


def paged(at_ms=WAIT_MS):
    """Paging with one page of one episode, which was sent at `at_ms`."""
    found = paging()
    found.wait_for(episode(), at_ms - WAIT_MS)
    sent, changed = run(found, at_ms, episode())
    assert sent == [("firing", ["one"], False)]
    return found, changed["one"]


def test_a_group_is_due_after_the_wait_and_not_before():
    found = paging()
    assert found.due_ms() is None
    found.wait_for(episode(), 1_000)
    found.wait_for(episode("two"), 9_000)
    assert found.due_ms() == 1_000 + WAIT_MS, "the first of a group decides"
    assert run(found, 1_000 + WAIT_MS - 1, episode()) == ([], {})
    sent, changed = run(found, 1_000 + WAIT_MS, episode())
    assert sent == [("firing", ["one"], False)]
    assert (changed["one"].page, changed["one"].not_paged_because) == ("one", None)
    assert found.due_ms() == 1_000 + WAIT_MS + REPEAT_MS


def test_the_next_page_of_a_group_waits_for_the_interval_or_the_wait_whichever_is_later():
    found, _ = paged()
    found.wait_for(episode("two"), WAIT_MS + 1_000)
    assert found.due_ms() == WAIT_MS + INTERVAL_MS
    found, _ = paged()
    found.wait_for(episode("two"), WAIT_MS + INTERVAL_MS)
    assert found.due_ms() == WAIT_MS + INTERVAL_MS + WAIT_MS


def test_who_has_no_receivers_waits_for_nothing():
    found = paging(receivers=())
    found.wait_for(episode(), 0)
    assert found.due_ms() is None


def test_a_page_leads_with_the_most_severe_then_the_widest_then_the_worst():
    found = paging()
    worst = [
        episode("d", peak_negative=9, dimensions={"intent": "d", "region": "eu"}),
        episode("c", peak_negative=9),
        episode("b", peak_negative=10),
        episode("a", severity="critical", peak_negative=1, dimensions={"intent": "a", "region": "eu"}),
    ]
    found.wait_for(worst[0], 0)
    assert run(found, WAIT_MS, *worst)[0] == [("firing", ["a", "b", "c", "d"], False)]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"acknowledged": Acknowledgement("lin", "")}, "acknowledged by lin"),
        ({"snoozed_until_ms": WAIT_MS + 1, "snoozed": Acknowledgement("bo", "")}, "snoozed by bo"),
        ({"snoozed_until_ms": WAIT_MS + 1}, "snoozed"),
        ({"snoozed_until_ms": WAIT_MS, "snoozed": Acknowledgement("bo", "")}, None),
    ],
)
def test_an_alert_that_is_not_paged_says_why(changes, why):
    found = paging()
    found.wait_for(episode(), 0)
    sent, changed = run(found, WAIT_MS, episode(**changes))
    assert (len(sent), changed["one"].not_paged_because) == (1 if why is None else 0, why)


def test_the_same_reason_again_is_no_change():
    found = paging()
    found.wait_for(episode(), 0)
    acknowledged = Acknowledgement("lin", "")
    known = episode(acknowledged=acknowledged, not_paged_because="acknowledged by lin")
    assert run(found, WAIT_MS, known) == ([], {})


def test_a_muted_alert_names_its_silence_and_one_below_another_its_parent():
    found = paging(muted=lambda e, at_ms: f"silenced at {at_ms}" if e.dedup_key == "one" else None)
    parent = episode("wide", dimensions={}, rule="all", page="wide", severity="error")
    child = episode("two", dimensions={"brand": ""}, rule="narrow")
    same = episode("three", rule="late", dimensions={"intent": "wide"}, started_ms=5)
    first = episode("four", rule="early", dimensions={"intent": "wide"}, page="four")
    found.wait_for(episode(), 0)
    for key in ("wide", "four"):
        found.state.pages[key] = Page(key=key, group="", receivers=["ops"], members=[key], sent_ms=0)
    _, changed = run(found, WAIT_MS, episode(), parent, child, same, first)
    assert changed["one"].not_paged_because == f"silenced at {WAIT_MS}"
    assert changed["two"].not_paged_because is None, "everything mutes only where that is asked for"
    assert changed["three"].not_paged_because == "muted by the alert four of rule early"


def test_what_is_too_old_is_recorded():
    found = paging(too_old=lambda end_ms: "too old" if end_ms == 0 else None)
    found.wait_for(episode(), 0)
    sent, changed = run(found, WAIT_MS, episode(acknowledged=Acknowledgement("lin", "")))
    assert (sent, changed["one"].not_paged_because) == ([], "too old")


def test_a_page_repeats_at_its_interval_and_counts():
    found, member = paged()
    assert run(found, WAIT_MS + REPEAT_MS - 1, member) == ([], {})
    assert run(found, WAIT_MS + REPEAT_MS, member)[0] == [("firing", ["one"], True)]
    assert run(found, WAIT_MS + 2 * REPEAT_MS, member)[0] == [("firing", ["one"], True)]
    assert found.state.pages["one"].repeats == 2
    recovering = episode(page="one", state="recovering")
    assert run(found, WAIT_MS + 3 * REPEAT_MS, recovering) == ([], {})
    assert found.state.pages["one"].repeats == 2
    assert found.due_ms() == WAIT_MS + 4 * REPEAT_MS, "looked at again an interval later"


def test_an_acknowledged_page_is_not_due_and_notified_once():
    found, member = paged()
    page = found.state.pages["one"]
    assert [told.event for told in found.acknowledge(page)] == ["acknowledged"]
    assert found.acknowledge(page) == []
    assert found.due_ms() is None
    assert run(found, WAIT_MS + 9 * REPEAT_MS, member) == ([], {})


def test_a_snooze_is_notified_once_and_ends():
    found, member = paged()
    page = found.state.pages["one"]
    assert [told.event for told in found.snooze(page, 500_000)] == ["acknowledged"]
    assert found.snooze(page, 600_000) == []
    assert found.due_ms() == 600_000
    snoozed = episode(page="one", snoozed=Acknowledgement("bo", ""), snoozed_until_ms=600_000)
    assert run(found, 599_999, snoozed) == ([], {})
    sent, changed = run(found, 600_000, snoozed)
    assert sent == [("firing", ["one"], True)]
    assert (changed["one"].snoozed, changed["one"].snoozed_until_ms) == (None, None)
    assert found.due_ms() == 600_000 + REPEAT_MS
    del member


def test_a_snooze_after_an_acknowledgement_is_not_notified_and_pages_again():
    found, member = paged()
    page = found.state.pages["one"]
    found.acknowledge(page)
    assert found.snooze(page, 500_000) == []
    assert run(found, 500_000, member)[0] == [("firing", ["one"], True)]
    assert page.acknowledged, "the snooze does not end it"
    assert found.due_ms() is None, "it was repeated once, as the snooze asked"
    assert [told.event for told in found.unacknowledge(page)] == ["note"]
    assert found.unacknowledge(page) == []
    assert found.due_ms() is not None


def test_a_resolve_forgets_its_page_and_the_group_s_interval_once_no_page_of_it_is_left():
    found, _ = paged()
    group = found.state.pages["one"].group
    found.state.pages["two"] = Page(key="two", group=group, receivers=["ops"], members=["two"], sent_ms=0)
    two = {"two": episode("two", page="two")}
    assert [(told.event, told.page.key) for told in found.resolve(two)] == [("resolved", "one")]
    assert list(found.state.sent) == [group]
    assert [told.page.key for told in found.resolve({"two": episode("two", state="resolved")})] == ["two"]
    assert (found.state.pages, found.state.sent) == ({}, {})
    assert found.resolve({}) == []


def test_a_page_of_several_is_over_when_the_last_one_is():
    found = paging()
    found.wait_for(episode(), 0)
    run(found, WAIT_MS, episode(), episode("two"))
    assert found.resolve({"one": episode(state="resolved"), "two": episode("two", state="recovering")}) == []
    assert len(found.resolve({"one": episode(state="resolved"), "two": episode("two", state="resolved")})) == 1
