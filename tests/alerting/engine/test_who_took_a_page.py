"""Who took a page is stored with its alerts, and decides on `paged`, on the resolve and on what a restart sends."""

import pytest
from engine_rig import Messages, Table, advance_all, make, now, play

from triage.schemas.action import Acknowledge


def fire(table=None, **options):
    """An engine with a page, the page, and the messages to continue with."""
    engine, messages = make(now(), **options), Messages()
    (page,) = play(engine, [messages.counts(0, 12, 15), messages.mark(1)], table)
    return engine, page, messages


def alert_of(engine, page):
    return engine.alert(engine.episode(page.alert.dedup_key))


def test_an_alert_is_paged_once_a_receiver_other_than_the_log_took_it():
    engine, page, _ = fire()
    key = page.alert.dedup_key
    assert page.alert.paged, "whoever reads it is being paged"
    assert not alert_of(engine, page).paged
    engine.delivered(key, "firing", "log")
    assert (alert_of(engine, page).paged, alert_of(engine, page).taken_by) == (False, ["log"])
    assert alert_of(engine, page).not_paged_because == "no receiver other than the log has taken it"
    engine.take_changes()
    engine.delivered(key, "firing", "webhook")
    paged = alert_of(engine, page)
    assert (paged.paged, paged.taken_by, paged.not_paged_because) == (True, ["log", "webhook"], None)
    changes = engine.take_changes()
    assert [episode.dedup_key for episode in changes.episodes] == [key], "archived again"
    assert list(changes.writes)[-2:] == ["state", f"page:{key}:firing"], "forgotten only once it is stored who took it"


def test_a_refusal_is_shown_while_it_lasts():
    engine, page, _ = fire()
    key = page.alert.dedup_key
    engine.delivered(key, "firing", "log")
    engine.refused(key, "firing", "webhook", "webhook: HTTP 403")
    found = alert_of(engine, page)
    assert [(one.receiver, one.error, one.retried) for one in found.refusals] == [
        ("webhook", "webhook: HTTP 403", True)
    ]
    assert found.not_paged_because == (
        "webhook did not take it: webhook: HTTP 403; it is asked again while the alert fires"
    )
    assert [episode.dedup_key for episode in engine.take_changes().episodes] == [key]
    engine.refused(key, "firing", "webhook", "webhook: HTTP 403")
    assert engine.take_changes().episodes == [], "the same answer again is nothing new"
    engine.delivered(key, "firing", "webhook")
    assert (alert_of(engine, page).paged, alert_of(engine, page).refusals) == (True, [])


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize(
    ("answers", "resolved"),
    [
        ({"log": None, "webhook": None}, ["log", "webhook"]),
        ({"log": None, "webhook": "HTTP 400"}, ["log"]),
        ({"log": "disk full", "webhook": "HTTP 400"}, None),
        # On its way: the resolve follows it.
        ({"log": None}, ["log", "webhook"]),
    ],
)
def test_a_resolve_follows_only_where_a_page_arrived_or_is_on_its_way(answers, resolved, restart):
    table = Table()
    engine, page, messages = fire(table)
    for receiver, error in answers.items():
        engine.delivered(page.alert.dedup_key, "firing", receiver, error)
        table.write(engine.take_changes().writes)
    if restart:
        engine = make(now())
        engine.restore(table.entries)
        engine.take_changes()
    sent = play(engine, [messages.mark(step) for step in range(2, 9)])
    assert [after.pending for after in sent] == ([] if resolved is None else [resolved])
    assert {after.event for after in sent} <= {"resolved"}
    for receiver in answers:
        assert engine.page_arrived(page.alert.dedup_key, receiver) is (answers[receiver] is None)


def test_a_page_that_is_refused_for_good_is_recorded_so_when_its_alert_is_over():
    engine, page, messages = fire(receivers=["webhook"])
    engine.delivered(page.alert.dedup_key, "firing", "webhook", "webhook: HTTP 400")
    assert play(engine, [messages.mark(step) for step in range(2, 9)]) == []
    found = alert_of(engine, page)
    assert (found.status, found.paged) == ("resolved", False)
    assert found.not_paged_because == "webhook did not take it: webhook: HTTP 400"


def test_an_acknowledgement_is_not_sent_where_no_page_arrived():
    engine, page, _ = fire(parts={"acknowledging": frozenset({"log", "webhook"})})
    engine.delivered(page.alert.dedup_key, "firing", "log")
    engine.delivered(page.alert.dedup_key, "firing", "webhook", "webhook: HTTP 400")
    assert engine.act(Acknowledge(id="1", actor="Kim", at_ms=5, dedup_key=page.alert.dedup_key))
    assert [told.pending for told in advance_all(engine)] == [["log"]]


def test_an_archived_alert_is_archived_again_when_a_receiver_takes_its_page_late():
    engine, page, messages = fire(receivers=["webhook"])
    play(engine, [messages.mark(step) for step in range(2, 9)])
    key = page.alert.dedup_key
    engine.archived(key, engine.episode(key).version)
    engine.delivered(key, "firing", "webhook")
    assert [episode.paged for episode in engine.take_changes().episodes] == [True]


def test_a_receiver_that_refused_a_page_is_not_kept_alive_after_a_restart():
    table = Table()
    engine, page, _ = fire(table)
    engine.delivered(page.alert.dedup_key, "firing", "log")
    engine.delivered(page.alert.dedup_key, "firing", "webhook", "HTTP 400")
    table.write(engine.take_changes().writes)
    again = make(now())
    again.restore(table.entries)
    (delivered,) = again.delivered_pages()
    assert delivered.receivers == ["log"]


def test_a_page_that_is_still_refused_is_sent_after_a_restart_too():
    table = Table()
    engine, page, _ = fire(table)
    engine.delivered(page.alert.dedup_key, "firing", "log")
    engine.refused(page.alert.dedup_key, "firing", "webhook", "webhook: HTTP 403")
    table.write(engine.take_changes().writes)
    again = make(now())
    again.restore(table.entries)
    assert [(owed.event, owed.pending) for owed in again.take_changes().notifications] == [("firing", ["webhook"])]
    assert [one.receiver for one in alert_of(again, page).refusals] == ["webhook"]
