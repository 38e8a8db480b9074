"""Report on rules: budgets, precision with its interval, proposals, and rules that cannot fire."""

import pytest
from engine_rig import static_rule
from scipy.stats import binomtest

from triage.alerting.precision.interval import Precision
from triage.alerting.precision.proposal import propose
from triage.alerting.precision.report import RuleKeys, rule_reports
from triage.alerting.rules.model import AlertRules, Rule
from triage.clock import DAY_MS
from triage.elastic.alert_counts import PastAlert

NOW = 1_795_339_800_000


def rule(name="brands", dimension=("brand",), **spike):
    return Rule(name=name, dimension=list(dimension), spike=spike)


def past(days_ago, verdict=None, name="brands", causes=("spike",), **fields):
    return PastAlert(f"t{days_ago}", name, NOW - round(days_ago * DAY_MS), causes=causes, verdict=verdict, **fields)


@pytest.mark.parametrize(("right", "n"), [(0, 1), (1, 1), (3, 4), (0, 20), (45, 60)])
def test_the_interval_is_wilsons(right, n):
    expected = binomtest(right, n).proportion_ci(method="wilson")
    found = Precision(right, n)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-6)
    assert found.share == right / n


def test_without_assessed_alerts_nothing_is_known():
    found = Precision(0, 0)
    assert (found.share, found.low, found.high) == (None, 0.0, 1.0)


def test_a_report_counts_thirty_days_and_the_precision_ninety():
    alerts = [past(1, "right"), past(2, "false"), past(3, paged=False), past(40, "right"), past(91, "false")]
    alerts += [past(1, "false", name="another")]
    rules = AlertRules([rule(false_alerts="1 a week")])
    [found] = rule_reports(rules, alerts, NOW, {"brands": RuleKeys(watched=5, learning=1)})
    assert (found.alerts, found.paged, found.right, found.false) == (3, 2, 1, 1)
    assert (found.precision.right, found.precision.n) == (2, 3)
    assert found.allowed == pytest.approx(30 / 7)
    assert found.per_key == pytest.approx(30 / 7 / 5)
    assert found.cannot_fire is None


@pytest.mark.parametrize(
    ("spike", "keys", "allowed", "per_key"),
    [
        ({}, RuleKeys(watched=200), 0.005 * 200 * 30 / 7, 0.005 * 30 / 7),
        ({}, None, 0.005 * 30 / 7, 0.005 * 30 / 7),
        ({"false_alerts": "1 a week"}, None, 30 / 7, None),
        ({"z_count": 4}, RuleKeys(watched=200), None, None),
    ],
)
def test_a_budget_is_shared_by_the_keys_that_are_watched(spike, keys, allowed, per_key):
    [found] = rule_reports(AlertRules([rule(**spike)]), [], NOW, None if keys is None else {"brands": keys})
    assert (found.allowed, found.per_key) == (pytest.approx(allowed), pytest.approx(per_key))


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        (None, None),
        ({}, "no_keys"),
        ({"brands": RuleKeys(watched=3, learning=3)}, "learning"),
        ({"brands": RuleKeys(watched=5, learning=2, too_few=3)}, "too_few"),
        ({"brands": RuleKeys(watched=5, learning=2, too_few=2, others=9)}, None),
    ],
)
def test_a_rule_that_could_not_have_fired_says_why(keys, reason):
    [found] = rule_reports(AlertRules([rule()]), [], NOW, keys)
    assert found.cannot_fire == reason


def test_three_false_alerts_in_a_row_propose_half_the_budget():
    false = [past(days, "false") for days in (1, 5, 9)]
    found = propose(rule(false_alerts="1 a week"), [past(0.5), *false, past(20, "right")])
    assert (found.now, found.instead) == ("false_alerts: 1 a week", "false_alerts: 0.5 a week")
    assert (found.first_ms, found.last_ms) == (false[-1].started_ms, false[0].started_ms)
    assert propose(rule(), false[:2]) is None, "two are chance"
    assert propose(rule(), [false[0], past(3, "right"), *false[1:]]) is None


@pytest.mark.parametrize(
    ("changed", "causes", "instead"),
    [
        (rule(), ["spike"], "false_alerts: 0.0025 a week per key"),
        (rule(z_count=3.8), ["spike"], "z_count: 4.3"),
        (static_rule(count=10), ["static"], "count_at_least: 24"),
        (static_rule(count=10, spike={}), ["static"], "count_at_least: 24"),
        (static_rule(count=10, spike={}), ["spike", "static"], "false_alerts: 0.0025 a week per key"),
        (rule(), ["static"], "false_alerts: 0.0025 a week per key"),
    ],
)
def test_the_proposal_names_the_setting_that_fired(changed, causes, instead):
    alerts = [past(n, "false", causes=tuple(causes), peak_negative=20 + n) for n in (1, 2, 3)]
    assert propose(changed, alerts).instead == instead


def test_a_proposal_is_a_setting_that_a_rule_takes():
    found = propose(rule(false_alerts="2 per  month per key"), [past(n, "false") for n in (1, 2, 3)])
    assert rule(false_alerts=found.instead.removeprefix("false_alerts: ")).spike.budget.each_key
