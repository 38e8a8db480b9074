"""Alert rules: defaults that load, and every problem of a file in one message."""

import pytest

from triage.alerting.detector import RuleWindow, StaticDetector
from triage.alerting.rules import StaticThreshold, check, load_alert_rules
from triage.config import Settings
from triage.errors import ConfigError

DIMENSIONS = Settings().alerting.dimensions


def written(tmp_path, text):
    path = tmp_path / "rules.yaml"
    path.write_text(text)
    return path


def test_the_default_rules_fit_the_default_settings():
    assert check(Settings()) == []
    rules = load_alert_rules(None, DIMENSIONS, 300)
    intent = rules.get("intent-negative-spike")
    assert intent.matches({"intent": "delivery"})
    assert not intent.matches({"intent": "praise"})
    assert not intent.matches({"intent": "delivery", "channel": "social"})
    assert rules.concern({})
    assert not rules.concern({"product": "x"})
    assert rules.longest_window_ms == 3_600_000


def test_all_problems_come_at_once(tmp_path):
    path = written(
        tmp_path,
        """
version: 1
rules:
  - {name: a, dimension: [colour], window_s: 400, static: {share_at_least: 0.5, count_at_least: 3}}
  - {name: a, dimension: [intent], window_s: 600, static: {share_at_least: 0.5, count_at_least: 3}}
""",
    )
    with pytest.raises(ConfigError) as raised:
        load_alert_rules(path, DIMENSIONS, 300)
    text = str(raised.value)
    assert len(raised.value.problems) == 3
    assert "rule a: there are two of this name" in text
    assert "dimension [colour] is not counted" in text
    assert "window_s 400 is no multiple of the step, alerting.window_s 300" in text


def test_mistakes_in_fields_are_named_by_rule(tmp_path):
    path = written(
        tmp_path,
        """
version: 1
rules:
  - {name: share, dimension: [], window_s: 600, static: {share_at_least: 1.5, count_at_least: 0}}
  - {name: extra, dimension: [], window_s: 600, treshold: 3, static: {share_at_least: 0.5, count_at_least: 3}}
  - {name: both, dimension: [intent], window_s: 600, where: {intent: {in: [a], not_in: [b]}},
     static: {share_at_least: 0.5, count_at_least: 3}}
  - {name: foreign, dimension: [intent], window_s: 600, where: {brand: {in: [a]}},
     static: {share_at_least: 0.5, count_at_least: 3}, notify: [pigeon]}
""",
    )
    with pytest.raises(ConfigError) as raised:
        load_alert_rules(path, DIMENSIONS, 300)
    text = str(raised.value)
    for part in (
        "rule share.static.share_at_least", "got 1.5", "rule share.static.count_at_least",
        "rule extra.treshold: no such field",
        "rule both.where.intent: takes either in or not_in", "rule foreign.notify.0", "pigeon",
    ):  # fmt: skip
        assert part in text, text


@pytest.mark.parametrize(
    ("text", "said"),
    [("rules: [", "not valid YAML"), ("", "valid dictionary"), ("version: 1\nrules: []", "at least 1")],
)
def test_a_file_that_is_none_is_said_to_be_so(tmp_path, text, said):
    with pytest.raises(ConfigError, match=said):
        load_alert_rules(written(tmp_path, text), DIMENSIONS)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.yaml.*cannot be read"):
        load_alert_rules(tmp_path / "nowhere.yaml", DIMENSIONS)


def test_check_names_receivers_without_an_address(tmp_path):
    path = written(
        tmp_path,
        "version: 1\nrules: [{name: a, dimension: [], window_s: 300, notify: [slack, log], "
        "static: {share_at_least: 0.5, count_at_least: 3}}]",
    )
    settings = Settings(alerting={"rules": path})
    assert check(settings) == ["alert rule a: notify names slack, but alerting.slack_url is not set"]


@pytest.mark.parametrize(
    ("negative", "total", "firing"), [(30, 50, True), (29, 29, False), (30, 51, False), (0, 0, False), (60, 100, True)]
)
def test_the_static_detector_wants_both_share_and_count(negative, total, firing):
    detector = StaticDetector(StaticThreshold(share_at_least=0.6, count_at_least=30))
    window = RuleWindow("r", "", {}, 0, 300_000, 300_000, negative, total)
    assert detector.step(window).firing is firing
