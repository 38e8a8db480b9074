"""After hours without an alerter: what is over is recorded, what still lasts is paged, and live pages never wait."""

import pytest
from engine_rig import START_MS, STEP_MS, Messages, Table, advance_all, make, play

from triage.alerting.engine.catch_up import CatchUp
from triage.clock import ManualClock
from triage.config import Settings

HOURS = 12  # steps of five minutes
SIX_HOURS = {"max_page_age_s": 6 * 3600}
SPIKES = tuple(range(3, 5 * HOURS - 10, 9))


def day(messages, last, *, spikes=SPIKES, lasting=None):
    """Counts of each step up to `last`: spikes of a step and an intent each, and one that begins at `lasting`."""
    for step in range(last):
        spiking = lasting is not None and step >= lasting
        batch = [messages.counts(step, 15 if spiking else 0, 15)]
        if step in spikes:
            batch.append(messages.counts(step, 15, 15, intent=f"intent {step}"))
        yield [*batch, messages.mark(step + 1)]


def behind(steps, **options):
    """An engine whose clock is so many steps after the beginning."""
    clock = ManualClock(START_MS + steps * STEP_MS)
    return make(clock, **SIX_HOURS, **options), clock


@pytest.mark.parametrize("batches", [1, 7, 60])
@pytest.mark.parametrize("restart", [False, True])
def test_spikes_that_are_long_over_are_recorded_and_the_one_that_lasts_is_paged_once(batches, restart):
    steps, messages, table = 5 * HOURS, Messages(), Table()
    engine, clock = behind(1)
    if restart:
        play(engine, [messages.counts(0, 0, 15), messages.mark(1)], table)
    clock.set(START_MS + steps * STEP_MS)
    engine = make(clock, **SIX_HOURS)
    engine.restore(table.entries)
    log = list(day(messages, steps, lasting=steps - 2))
    size, sent = -(-len(log) // batches), []
    for first in range(0, len(log), size):
        for message in [message for step in log[first : first + size] for message in step]:
            engine.apply(message)
        sent += advance_all(engine, table)
        clock.advance(0.5)
    assert [(page.event, page.alert.key, len(page.also)) for page in sent] == [("firing", "intent=delivery", 0)]
    over = [episode for episode in engine._episodes.all() if not episode.open]
    assert len(over) == len(SPIKES)
    assert {episode.page for episode in over} == {None}
    assert all("behind, had caught up" in episode.not_paged_because for episode in over), over


def test_an_old_spike_is_paged_if_the_alerter_does_not_catch_up():
    """Workers are an hour behind, and stay so: the page of a spike does not wait for ever."""
    engine, clock = behind(12)
    messages = Messages()
    sent = []
    for batch in day(messages, 20, spikes=(), lasting=1):
        for message in batch:
            engine.apply(message)
        sent += advance_all(engine)
        clock.advance(300)
    assert [page.event for page in sent] == ["firing"]


def test_an_old_spike_is_paged_at_once_where_its_step_closes_alone():
    engine, _ = behind(12)
    messages = Messages()
    assert len(play(engine, [messages.counts(0, 15, 15), messages.mark(1)])) == 1


def test_what_has_stopped_coming_fast_is_paged_after_a_minute_and_what_never_stops_after_ten():
    engine, clock = behind(5 * HOURS)
    messages = Messages()
    assert play(engine, [messages.counts(0, 0, 15), messages.mark(1)]) == []
    for step in (1, 2, 3):
        engine.apply(messages.counts(step, 15, 15))
    engine.apply(messages.mark(4))
    assert advance_all(engine) == [], "three steps within a moment: more may follow"
    clock.advance(62)
    assert [page.event for page in advance_all(engine)] == ["firing"]

    engine, clock = behind(5 * HOURS)
    messages, sent, minutes = Messages(), [], 0
    play(engine, [messages.counts(0, 0, 15), messages.mark(1)])
    while not sent:
        minutes += 1
        for step in (2 * minutes - 1, 2 * minutes):
            engine.apply(messages.counts(step, 15, 15))
        engine.apply(messages.mark(2 * minutes + 1))
        sent += advance_all(engine)
        clock.advance(50)
    assert 10 <= minutes * 50 / 60 <= 13


def test_a_jump_of_the_clock_makes_no_step_old():
    engine, clock = behind(3)
    messages = Messages()
    play(engine, [messages.counts(0, 0, 15), messages.mark(1)])
    clock.set(START_MS + 2 * HOURS * STEP_MS)
    sent = play(engine, [messages.counts(1, 15, 15), messages.mark(2 * HOURS)])
    assert [page.event for page in sent] == ["firing", "resolved"]


def test_the_numbers_follow_the_age_of_pages():
    found = CatchUp(Settings(alerting={"max_page_age_s": 7200, "allowed_lateness_s": 0, "window_s": 10}).alerting)
    found.begin(10_000_000, 0.0, 0)
    assert found.behind_ms(10_000_000 - 300_000, 10_000_000) is None, "not old"
    assert found.behind_ms(10_000_000 - 300_001, 10_000_000) == 300_001
    assert found.behind_ms(10_000_000 - 300_001, 10_000_000 - 200_001) is None, "no more steps are known"
    found.begin(10_000_000, 0.0, 100_001)
    assert found.behind_ms(10_000_000 - 300_001, 10_000_000 - 300_001) == 300_001, "they come fast"
