"""An alert that somebody ended although its rule still fires."""

from engine_rig import STEP_MS, Messages, Table, events, make, now, play

from triage.clock import rfc3339
from triage.schemas.action import Acknowledge, Comment, Resolve


def _resolve(key, at_ms):
    return Resolve(id="r", actor="Kim", at_ms=at_ms, dedup_key=key, comment="refunded all")


def test_it_resolves_at_once_and_the_same_spike_opens_no_other():
    clock = now()
    engine, messages, table = make(clock), Messages(), Table()
    [page] = play(engine, [messages.counts(0, 12, 15), messages.mark(1)], table)
    key = page.alert.dedup_key
    for receiver in ("log", "webhook"):
        engine.delivered(key, "firing", receiver)
    assert engine.act(_resolve(key, clock.now_ms()))
    sent = play(engine, [messages.mark(1)], table)
    assert events(sent) == [("resolved", "intent=delivery")]
    alert = engine.alert(engine.episode(key))
    assert (alert.status, alert.resolved_by.by, alert.ended_at) == ("resolved", "Kim", rfc3339(clock.now_ms()))
    still = [messages.counts(step, 12, 15) for step in range(1, 5)]
    again = make(clock)
    again.restore(table.entries)
    again.take_changes()
    said = Comment(id="c", actor="Kim", at_ms=clock.now_ms() + 1, dedup_key=key, comment="a flood, see the post-mortem")
    assert again.act(said), "an ended alert still takes comments"
    assert not again.act(said), "read again from the topic"
    assert [entry.action for entry in again.alert(again.episode(key)).history] == ["resolve", "comment"]
    assert [episode.dedup_key for episode in again.take_changes().episodes] == [key], "stored again"
    assert not again.act(Acknowledge(id="a", actor="Kim", at_ms=clock.now_ms() + 2, dedup_key=key))
    assert play(again, [*still, messages.mark(5)], table) == []
    assert again.open_episodes == 0
    quiet = [messages.counts(step, 0, 9) for step in range(5, 10)]
    sent = play(again, [*quiet, messages.counts(10, 12, 15), messages.mark(11)], table)
    assert events(sent) == [("firing", "intent=delivery")], "after a quiet time it is another spike"
    assert sent[0].alert.dedup_key != key


def test_a_spike_that_doubles_is_a_new_alert():
    clock = now()
    engine, messages = make(clock), Messages()
    [page] = play(engine, [messages.counts(0, 12, 15), messages.mark(1)])
    assert engine.act(_resolve(page.alert.dedup_key, clock.now_ms()))
    sent = play(engine, [messages.counts(1, 40, 50), messages.mark(2)])
    assert ("firing", "intent=delivery") in events(sent)


def test_a_comment_reaches_those_who_get_notes_and_survives_a_restart():
    parts = {"acknowledging": frozenset({"webhook"}), "noting": frozenset({"webhook"})}
    engine, messages, table = make(now(), parts=parts), Messages(), Table()
    [page] = play(engine, [messages.counts(0, 12, 15), messages.mark(1)], table)
    for receiver in ("log", "webhook"):
        engine.delivered(page.alert.dedup_key, "firing", receiver)
    said = Comment(id="c", actor="Kim", at_ms=STEP_MS, dedup_key=page.alert.dedup_key, comment="the depot is flooded")
    assert engine.act(said)
    [note] = play(engine, [messages.mark(1)], table)
    assert (note.event, note.pending, note.alert.history[-1].comment) == ("note", ["webhook"], "the depot is flooded")
    names = [name for name in table.entries if name.startswith(("page:", "note:"))]
    assert names == [f"note:{note.id}"], "alerters before there were notes must not read it"
    again = make(now(), parts=parts)
    again.restore(table.entries)
    assert [each.event for each in again.take_changes().notifications] == ["note"]
    assert not again.act(said), "read again from the topic"
