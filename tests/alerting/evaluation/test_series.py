"""Series of a rule: filters summed over, late records, and a limit on the keys that are tracked."""

import random

from engine_rig import EAGER, STEP_MS, Messages, Table, advance_all, events, make, now, play, spike_rule, static_rule

from triage.alerting.engine.key_counts import KeyCounts
from triage.alerting.evaluation.series import RuleSeries
from triage.alerting.evaluation.stored_baseline import StepCount
from triage.alerting.rules.model import AlertRules
from triage.metrics import Metrics


def series(rule, top_keys=3):
    return RuleSeries(rule, AlertRules([rule]), step_ms=STEP_MS, top_keys=top_keys)


def counts(**totals):
    return {
        f"product={name}": StepCount({"product": name}, total // 2, total) for name, total in totals.items() if total
    }


def tracked(found):
    return sorted(found._rolling.rows)


def test_a_filter_beyond_the_dimension_is_summed_over():
    rule = static_rule("social", where={"channel": {"in": ["social", "review"]}})
    engine, messages = make(now(), rules=[rule]), Messages()
    for channel in ("social", "review", "complaint"):
        engine.apply(messages.counts(0, 6, 6, intent="delivery", channel=channel))
    engine.apply(messages.counts(0, 50, 50, intent="delivery"))
    [page] = play(engine, [messages.mark(1)])
    assert (page.alert.key, page.alert.negative) == ("intent=delivery", 12)


def test_the_keys_with_most_records_are_tracked_and_the_rest_counted_as_others():
    found = series(static_rule("r", ("product",), window_s=300), top_keys=2)
    found.close(0, counts(a=10, b=8, c=4, d=2))
    assert tracked(found) == ["product=__other__", "product=a", "product=b"]
    others = found.window("product=__other__", {})
    assert (others.negative, others.total, found.untracked) == (3, 6, 2)
    found.close(STEP_MS, counts(a=1, c=50))
    assert tracked(found) == ["product=__other__", "product=a", "product=c"], "the louder takes the place of the least"
    found.close(2 * STEP_MS, counts(b=9))
    assert found.untracked == 1, "b is not louder than a has been"


def test_what_was_counted_as_others_before_is_added_to_the_untracked_keys():
    found = series(static_rule("r", ("product",), window_s=300), top_keys=2)
    for step in range(2):
        found.close(step * STEP_MS, counts(a=10, b=8, c=4, __other__=100))
        assert tracked(found) == ["product=__other__", "product=a", "product=b"], "others take no key's room"
        others = found.window("product=__other__", {})
        assert (others.negative, others.total, found.untracked) == (52, 104, 1)
    found.close(2 * STEP_MS, counts(a=10, __other__=100))
    assert found.window("product=__other__", {}).total == 100


def test_no_count_vanishes_where_both_limits_are_exceeded():
    rule = static_rule("r", ("product",), window_s=300)
    engine, messages = make(now(), rules=[rule], top_keys=2, max_keys=3), Messages()
    for number in range(6):
        engine.apply(messages.counts(0, 0, 10 - number, product=f"p{number}"))
    engine.apply(messages.mark(1))
    engine.advance()
    found = engine._evaluators.series["r"]
    totals = {key: found.window(key, {}).total for key in tracked(found)}
    assert totals == {"product=p0": 10, "product=p1": 9, "product=__other__": 8 + 7 + 6 + 5}


def test_which_keys_are_tracked_does_not_depend_on_the_order_of_counts():
    draw = random.Random(4)
    steps = [{f"k{n}": draw.randrange(30) for n in range(9)} for _ in range(40)]

    def play_shuffled(seed):
        found, firing = series(spike_rule("r", ("product",)), top_keys=4), []
        for number, totals in enumerate(steps):
            items = list(counts(**totals).items())
            random.Random(seed).shuffle(items)
            firing.append(found.close(number * STEP_MS, dict(items)))
        return tracked(found), firing

    assert play_shuffled(1) == play_shuffled(2) == play_shuffled(3)


def test_a_key_that_is_not_tracked_any_more_leaves_nothing_behind():
    engine, messages, table = make(now(), rules=[spike_rule("r", ("product",))], top_keys=2), Messages(), Table()
    for step in range(4):
        for name, total in {"a": 9, "b": 8, f"new{step}": 50}.items():
            engine.apply(messages.counts(step, 0, total, product=name))
        engine.apply(messages.mark(step + 1))
        advance_all(engine, table)
    kept = {name.split(":", 3)[3] for name in table.entries if name.startswith("base:")}
    assert len(kept - {"product=__other__"}) <= 2
    again = make(now(), rules=[spike_rule("r", ("product",))], top_keys=2)
    again.restore(table.entries)
    assert tracked(again._evaluators.series["r"]) == tracked(engine._evaluators.series["r"])


def test_keys_that_come_and_go_add_up_to_nothing():
    """Neither in a rule without a baseline, which stores nothing of keys that go, nor where a key's rules are kept."""
    engine, messages = make(now(), rules=[static_rule("r", ("product",))], top_keys=2), Messages()
    for step in range(60):
        for number in range(5):
            engine.apply(messages.counts(step, 0, 5 + step, product=f"p{step}.{number}"))
        engine.apply(messages.mark(step + 1))
        advance_all(engine)
    found = engine._evaluators.series["r"]
    assert len(tracked(found)) == 3
    assert not found._removed
    assert not found._added
    assert len(engine._evaluators._routes) <= 2 * 5 * 12 + 1


def test_the_number_of_keys_is_measured():
    engine, messages = make(now(), rules=[spike_rule()], top_keys=2), Messages()
    play(engine, [*(messages.counts(0, 1, 9 - n, intent=f"i{n}") for n in range(5)), messages.mark(1)])
    registry = engine._metrics.registry
    assert isinstance(engine._metrics, Metrics)

    def keys(kind):
        return registry.get_sample_value("triage_alert_keys", {"rule": "surprise", "kind": kind})

    assert (keys("watched"), keys("learning"), keys("others"), keys("too_few")) == (3, 3, 3, 0)


def test_the_partitions_of_a_process_add_up_and_a_revoked_one_takes_its_keys_along():
    metrics, engines = Metrics(), []
    for number in range(2):
        engine, messages = make(now(), rules=[spike_rule()]), Messages()
        engine._episodes._key_counts = KeyCounts(metrics)
        play(engine, [*(messages.counts(0, 1, 2, intent=f"{number}{n}") for n in range(3)), messages.mark(1)])
        engines.append(engine)
    labels = {"rule": "surprise", "kind": "watched"}
    assert metrics.registry.get_sample_value("triage_alert_keys", labels) == 6
    engines[0].discard()
    assert metrics.registry.get_sample_value("triage_alert_keys", labels) == 3
    for engine in engines:
        engine.reload(AlertRules([spike_rule("another")]))
    assert metrics.registry.get_sample_value("triage_alert_keys", labels) is None


def test_keys_whose_records_are_too_few_to_fire_are_counted():
    rules = [static_rule(count=10, window_s=600), spike_rule(spike=EAGER | {"min_count": 4})]
    engine, messages = make(now(), rules=rules), Messages()
    counts = {"few": 0.3, "some": 2, "many": 20}
    for step in range(40):
        sums = [messages.counts(step, 0, int(step * n) - int((step - 1) * n), intent=i) for i, n in counts.items()]
        play(engine, [*sums, messages.mark(step + 1)])

    def keys(rule):
        series = engine._evaluators.series[rule]
        return len(series), series.learning, series.too_few

    assert keys("spike") == (3, 0, 2), "4 records in the window of ten minutes, and 1"
    assert keys("surprise") == (3, 0, 0), "36 steps are summed"


def test_late_records_correct_the_window_and_the_alert_says_so():
    """Static sums include them, also over a restart; baselines do not."""
    rules = [static_rule(window_s=900), spike_rule()]
    engine, messages, table = make(now(), rules=rules), Messages(), Table()
    assert play(engine, [messages.counts(0, 6, 6), messages.mark(1)], table) == []
    engine.apply(messages.counts(0, 5, 5))
    assert advance_all(engine, table) == [], "a closed step is not evaluated again"
    again = make(now(), rules=rules)
    again.restore(table.entries)
    log = [messages.counts(1, 1, 1), messages.mark(2)]
    for player in (engine, again):
        [page] = play(player, log)
        assert events([page]) == [("firing", "intent=delivery")]
        assert (page.alert.negative, page.alert.late_records) == (12, 5)
        assert "came late" in page.alert.summary or "late" in page.alert.summary
