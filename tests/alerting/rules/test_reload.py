"""Rules change without a restart; an invalid file is refused and the old rules stay."""

import pytest
import yaml
from engine_rig import Messages, Table, events, make, now, play, spike_rule, static_rule

from triage.alerting.evaluation.series import RuleSeries
from triage.alerting.rules import reload
from triage.alerting.rules.model import AlertRules
from triage.alerting.rules.reload import POLL_S, RuleWatch
from triage.clock import ManualClock
from triage.config import AlertingSettings
from triage.metrics import Metrics

RULE = {"name": "a", "dimension": [], "window_s": 300, "static": {"share_at_least": 0.5, "count_at_least": 3}}


def write(path, *rules, **fields):
    path.write_text(yaml.safe_dump({"version": 1, "rules": list(rules)} | fields))


def watch(tmp_path, clock):
    path = tmp_path / "rules.yaml"
    write(path, RULE)
    metrics = Metrics()
    return path, metrics, RuleWatch(AlertingSettings(rules=path), clock, metrics)


def reloads(metrics, outcome):
    return metrics.registry.get_sample_value("triage_reloads_total", {"kind": "alert_rules", "outcome": outcome})


def test_a_changed_file_is_taken_over_when_the_clock_says_so(tmp_path):
    clock = ManualClock()
    path, metrics, rules = watch(tmp_path, clock)
    clock.advance(POLL_S)
    assert rules.poll() is None, "nothing has changed"
    write(path, RULE, RULE | {"name": "b"})
    assert rules.poll() is None, "not yet"
    clock.advance(POLL_S)
    assert [rule.name for rule in rules.poll().rules] == ["a", "b"]
    assert reloads(metrics, "swapped") == 1
    clock.advance(POLL_S)
    assert rules.poll() is None


def test_a_bad_file_is_refused_once_and_the_old_rules_stay(tmp_path, capsys):
    clock = ManualClock()
    path, metrics, rules = watch(tmp_path, clock)
    write(path, RULE | {"window_s": 301}, RULE | {"name": "A!"})
    for _ in range(3):
        clock.advance(POLL_S)
        assert rules.poll() is None
    assert reloads(metrics, "refused") == 1
    said = capsys.readouterr().out
    assert "301" in said
    assert "A!" in said
    assert [rule.name for rule in rules.rules.rules] == ["a"]
    path.unlink()
    clock.advance(POLL_S)
    assert rules.poll() is None
    assert reloads(metrics, "refused") == 2
    write(path, RULE | {"severity": "critical"})
    rules.request()
    assert rules.poll().get("a").severity == "critical"


def test_rules_on_which_something_unexpected_failed_are_looked_at_again(tmp_path, monkeypatch):
    clock = ManualClock()
    path, _, rules = watch(tmp_path, clock)
    write(path, RULE | {"severity": "critical"})
    clock.advance(POLL_S)
    with monkeypatch.context() as broken:
        broken.setattr(reload, "parse_alert_rules", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            rules.poll()
    clock.advance(POLL_S)
    assert rules.poll().get("a").severity == "critical"


def test_baselines_are_kept_where_a_reload_fails_and_is_done_again(monkeypatch):
    rules = [spike_rule("a"), spike_rule("b", ("brand",))]
    engine, kept, log = make(now(), rules=rules), make(now(), rules=rules), list(burst(Messages(), 0, 30, 1))
    play(engine, log)
    play(kept, log)
    with monkeypatch.context() as broken:
        broken.setattr(RuleSeries, "take_over", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            engine.reload(AlertRules(rules))
    engine.reload(AlertRules(rules))
    later = Messages()
    later.offset = 10_000
    rest = list(burst(later, 30, 4, 25))
    assert events(play(engine, rest)) == events(play(kept, rest)) == [("firing", "intent=delivery")]


def test_a_file_with_the_same_rules_is_not_a_change(tmp_path):
    clock = ManualClock()
    path, _, rules = watch(tmp_path, clock)
    path.write_text("# a comment\n" + path.read_text())
    clock.advance(POLL_S)
    assert rules.poll() is None


def burst(messages, first, steps, negative):
    for step in range(first, first + steps):
        yield messages.counts(step, negative, negative + 3)
        yield messages.mark(step + 1)


def test_an_open_alert_of_a_removed_rule_resolves_with_the_next_step():
    engine, messages, table = make(now()), Messages(), Table()
    assert events(play(engine, burst(messages, 0, 2, 12), table)) == [("firing", "intent=delivery")]
    engine.reload(AlertRules([static_rule("other", ("brand",))]))
    assert events(play(engine, burst(messages, 2, 1, 12), table)) == [("resolved", "intent=delivery")]


def test_a_baseline_outlives_a_change_of_thresholds():
    calm, spike = spike_rule(), spike_rule(severity="error", pending=1)
    changed, kept = make(now(), rules=[calm]), make(now(), rules=[spike])
    for engine in (changed, kept):
        play(engine, burst(Messages(), 0, 30, 1))
    changed.reload(AlertRules([spike]))
    later = Messages()
    later.offset = 10_000
    log = list(burst(later, 30, 4, 25))
    assert events(play(changed, log)) == events(play(kept, log)) == [("firing", "intent=delivery")]
    assert changed._episodes.all() == kept._episodes.all()


def test_a_rule_that_is_new_sees_the_windows_that_are_kept():
    other = static_rule("wide", count=20, window_s=1800)
    engine, messages = make(now(), rules=[static_rule(window_s=1800, count=999)]), Messages()
    assert play(engine, burst(messages, 0, 3, 8)) == []
    engine.reload(AlertRules([other]))
    assert events(play(engine, burst(messages, 3, 1, 1))) == [("firing", "intent=delivery")]
