"""Priming: baselines from a file or the index, so that a spike of the first hour fires; history is not paged."""

import pytest
from engine_rig import START_MS, STEP_MS, Messages, Table, advance_all, events, make, play, spike_rule

from triage.alerting.engine import priming
from triage.alerting.engine.priming import parse_source, prime, primed_for_partition
from triage.alerting.rules.model import AlertRules
from triage.clock import ManualClock, rfc3339
from triage.config import Settings
from triage.elastic.history import HistoryStep
from triage.errors import ConfigError
from triage.schemas.counts import dimension_key, parse_key

DAYS = 3
PAST = DAYS * 288
RULE = spike_rule("surprise", spike={"min_count": 3})
BRAND = spike_rule("brand", ("brand",), spike={})
SETTINGS = Settings(alerting={"allowed_lateness_s": 0})


@pytest.fixture
def clock():
    """The past ends where the engine's first step begins."""
    return ManualClock(START_MS)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "past.csv"
    rows = ["window_start,key,negative,total"]
    for step in range(-PAST, 0):
        negative = 40 if step in {-500, -499} else step % 3 // 2
        rows.append(f"{rfc3339(START_MS + step * STEP_MS)},intent=delivery,{negative},{negative + 4}")
        rows.append(f"{rfc3339(START_MS + step * STEP_MS)},brand=Acme,1,9")
    path.write_text("\n".join(rows) + "\n")
    return path


def burst(messages, first, steps, negative=15):
    for step in range(first, first + steps):
        yield messages.counts(step, negative, negative + 3)
        yield messages.mark(step + 1)


def test_a_primed_engine_sees_the_first_spike_and_an_unprimed_one_is_learning(clock, file):
    primed = prime(file, SETTINGS, AlertRules([RULE]), clock)
    assert list(primed["surprise"]) == ["intent=delivery"]
    clock.set(START_MS + 30 * STEP_MS)
    engine, table = make(clock, rules=[RULE]), Table()
    engine.restore({}, primed)
    assert advance_all(engine, table) == [], "a spike in history is not paged"
    assert events(play(engine, burst(Messages(), 0, 2), table)) == [("firing", "intent=delivery")]
    [episode] = engine._episodes.all()
    assert episode.expected == pytest.approx(1, abs=0.6), "a third of a negative in each of three steps"
    fresh = make(clock, rules=[RULE])
    assert play(fresh, burst(Messages(), 0, 2)) == []


def test_priming_again_at_a_restart_changes_nothing(clock, file):
    primed = prime(file, SETTINGS, AlertRules([RULE]), clock)
    clock.set(START_MS + 60 * STEP_MS)
    engine, table, messages = make(clock, rules=[RULE]), Table(), Messages()
    engine.restore({}, primed)
    play(engine, burst(messages, 0, 4, negative=1), table)
    again = make(clock, rules=[RULE])
    again.restore(table.entries, {"surprise": {}})
    with_prime = make(clock, rules=[RULE])
    with_prime.restore(table.entries, primed)
    rest = list(burst(messages, 4, 3))
    assert events(play(again, rest)) == events(play(with_prime, rest)) == [("firing", "intent=delivery")]
    assert again._episodes.all() == with_prime._episodes.all()


@pytest.mark.parametrize("writes", range(4))
def test_a_crash_while_the_first_baselines_are_stored_loses_none(clock, file, writes):
    primed = prime(file, SETTINGS, AlertRules([RULE, BRAND]), clock)
    clock.set(START_MS + 60 * STEP_MS)
    engine, table, messages = make(clock, rules=[RULE, BRAND]), Table(), Messages()
    engine.restore({}, primed)
    log = list(burst(messages, 0, 1, negative=1))
    for message in log:
        engine.apply(message)
    engine.advance()
    table.write(engine.take_changes().writes, at_most=writes)
    again = make(clock, rules=[RULE, BRAND])
    again.restore(table.entries, primed)
    sent = play(again, [*log, *burst(messages, 1, 2)])
    assert events(sent) == [("firing", "intent=delivery")]


def test_steps_that_history_covers_are_not_evaluated_for_spikes(clock, file):
    primed = prime(file, SETTINGS, AlertRules([RULE]), clock)
    engine = make(ManualClock(START_MS + 30 * STEP_MS), rules=[RULE])
    engine.restore({}, primed)
    messages = Messages()
    assert play(engine, burst(messages, -5, 3)) == []
    assert events(play(engine, [messages.mark(0), *burst(messages, 0, 3)])) == [("firing", "intent=delivery")]


def test_the_index_primes_like_a_file(clock, file, monkeypatch):
    steps = [
        HistoryStep(START_MS + step * STEP_MS, ["intent=delivery"], [{"intent": "delivery"}], [n], [n + 4])
        for step in range(-PAST, 0)
        for n in [40 if step in {-500, -499} else step % 3 // 2]
    ]
    asked = []

    def read_history(client, settings, dimensions, where, start_ms, end_ms, step_s):
        asked.append((list(dimensions), start_ms, end_ms, step_s))
        return iter(steps)

    monkeypatch.setattr(priming, "read_history", read_history)
    from_index = prime(DAYS * 86_400, SETTINGS, AlertRules([RULE]), clock)
    assert asked == [(["intent"], START_MS - PAST * STEP_MS, START_MS, 300)]
    of_file = prime(file, SETTINGS, AlertRules([RULE]), clock)
    assert from_index["surprise"]["intent=delivery"].state == of_file["surprise"]["intent=delivery"].state


def test_each_partition_gets_its_own_groups(clock, file):
    primed = prime(file, SETTINGS, AlertRules([RULE, BRAND]), clock)
    parts = [primed_for_partition(primed, number, 3, "brand") for number in range(3)]
    for rule in ("surprise", "brand"):
        assert sum(len(part[rule]) for part in parts) == len(primed[rule]) == 1


def test_a_file_without_recent_steps_or_proper_keys_is_refused(clock, tmp_path):
    rules = AlertRules([RULE])
    path = tmp_path / "past.csv"
    path.write_text(f"window_start,key,negative,total\n{rfc3339(START_MS - STEP_MS)},delivery,1,2\n")
    with pytest.raises(ConfigError, match="keys are written as brand=Acme"):
        prime(path, SETTINGS, rules, clock)
    path.write_text("window_start,key,negative,total\n2020-01-01 00:00,intent=delivery,1,2\n")
    with pytest.raises(ConfigError, match="older ones are not used"):
        prime(path, SETTINGS, rules, clock)


@pytest.mark.parametrize("text", ["28", "0d", "9999d", "nowhere.csv", "d"])
def test_a_source_that_is_neither_time_nor_file_is_refused(text):
    with pytest.raises(ConfigError, match="takes a length of time, as 28d"):
        parse_source(text)


def test_keys_are_parsed_back():
    for values in ({}, {"brand": "A|B=C\\", "intent": "x"}, {"brand": "Ä 中"}):
        assert parse_key(dimension_key(values)) == values
    assert parse_key("delivery") is None
    assert parse_key("a=1|a=2") is None
    assert parse_source("4w") == 28 * 86_400
