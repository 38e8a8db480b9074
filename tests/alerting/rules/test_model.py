"""Alert rules: defaults that load, and every problem of a file in one message."""

import pytest

from triage.alerting.rules.loader import check, load_alert_rules
from triage.config import AlertingSettings, Settings
from triage.errors import ConfigError


def load(path, **options):
    return load_alert_rules(AlertingSettings(rules=path, **options))


def written(tmp_path, text):
    path = tmp_path / "rules.yaml"
    path.write_text(text)
    return path


def test_the_default_rules_fit_the_default_settings():
    assert check(Settings()) == []
    rules = load(None)
    intent = rules.get("intent-negative-spike")
    assert intent.matches({"intent": "delivery"})
    assert not intent.matches({"intent": "praise"})
    assert not intent.matches({"intent": "delivery", "channel": "social"})
    assert rules.matches_any({})
    assert not rules.matches_any({"product": "x"})
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
        load(path)
    text = str(raised.value)
    assert len(raised.value.problems) == 3
    assert "rule a: there are two of this name" in text
    assert "rule a: unknown field colour; fields are channel, intent," in text
    assert "window_s 400 is not a multiple of alerting.window_s, 300" in text


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
  - {name: foreign, dimension: [intent], window_s: 600, where: {brand: {in: [a, b]}},
     static: {share_at_least: 0.5, count_at_least: 3}, notify: [pigeon]}
""",
    )
    with pytest.raises(ConfigError) as raised:
        load(path)
    text = str(raised.value)
    for part in (
        "rule share.static.share_at_least", "got 1.5", "rule share.static.count_at_least",
        "rule extra.treshold: no such field",
        "rule both.where.intent: takes either in or not_in",
        "rule foreign: where.brand takes", "rule foreign: notify names 'pigeon'; there are log, webhook, slack",
    ):  # fmt: skip
        assert part in text, text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules: [", "not valid YAML"),
        ("", "valid dictionary"),
        ("version: 1\nrules: []", "at least 1"),
        ("[" * 5_000, "nested too deeply"),
        ("a: " + "9" * 5_000, "Exceeds the limit"),
        (
            "a: &a [1, 1]\n"
            + "".join(
                f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefghijklmnopqrst", "bcdefghijklmnopqrstu", strict=True)
            ),
            "too many values",
        ),
    ],
)
def test_an_invalid_file_is_refused(tmp_path, text, said):
    with pytest.raises(ConfigError, match=said):
        load(written(tmp_path, text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.yaml.*cannot be read"):
        load(tmp_path / "nowhere.yaml")


def test_check_names_receivers_without_an_address(tmp_path):
    path = written(
        tmp_path,
        "version: 1\nrules: [{name: a, dimension: [], window_s: 300, notify: [slack, log], "
        "static: {share_at_least: 0.5, count_at_least: 3}}]",
    )
    settings = Settings(alerting={"rules": path})
    [problem] = check(settings)
    assert problem.endswith("rule a: notify names slack, but alerting.slack_url is not set")


RULE = "version: 1\nrules: [{{name: a, window_s: 300, static: {{share_at_least: 0.5, count_at_least: 3}}, {}}}]"


def test_a_filter_beyond_the_dimension_needs_its_own_counts(tmp_path):
    path = written(tmp_path, RULE.format("dimension: [intent], where: {channel: {in: [social]}}"))
    rule = load(path).get("a")
    assert rule.matches({"intent": "delivery", "channel": "social"})
    assert not rule.matches({"intent": "delivery", "channel": "review"})
    assert not rule.matches({"intent": "delivery"})
    assert rule.series_of({"intent": "delivery", "channel": "social"}) == {"intent": "delivery"}
    with pytest.raises(ConfigError, match=r"need \[channel, intent\], which is not counted: add it to alerting.dimens"):
        load(path, dimensions=[[], ["intent"], ["channel"]])


def test_values_of_the_group_field_are_not_added_up(tmp_path):
    one = RULE.format("dimension: [], where: {brand: {in: [Acme]}}")
    assert load(written(tmp_path, one)).get("a").matches({"brand": "Acme"})
    several = RULE.format("dimension: [], where: {brand: {not_in: [Acme]}}")
    with pytest.raises(ConfigError, match=r"where\.brand takes one value in `in`, or brand in dimension"):
        load(written(tmp_path, several))


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("{name: a, dimension: []}", "needs static or spike"),
        ("{name: a, dimension: [], spike: {zone: UTC}}", "zone is a field of the rule"),
        ("{name: a, dimension: [], spike: {}, zone: Mars/Olympus}", "not an IANA time zone"),
        (
            "{name: a, dimension: [], spike: {z_cuont: 4}}",
            r"rule a\.spike\.z_cuont: no such field; did you mean z_count",
        ),
        ("{name: a, dimension: [], spike: {}, pending: 99}", r"rule a\.pending"),
    ],
)
def test_spike_rules_are_checked_too(tmp_path, rule, said):
    with pytest.raises(ConfigError, match=said):
        load(written(tmp_path, f"version: 1\nrules: [{rule}]"))


def test_zone_and_runbooks_of_the_file_hold_where_a_rule_has_none(tmp_path):
    rules = load(
        written(
            tmp_path,
            """
version: 1
zone: Europe/Berlin
runbooks: {delivery: "https://wiki.example/delivery"}
rules:
  - {name: a, dimension: [intent], spike: {z_count: 4}, runbook: "https://wiki.example/any"}
  - {name: b, dimension: [], spike: {}, zone: Asia/Shanghai}
""",
        )
    )
    first, second = rules.rules
    assert (rules.spike_settings(first).zone, rules.spike_settings(first).z_count) == ("Europe/Berlin", 4)
    assert rules.spike_settings(second).zone == "Asia/Shanghai"
    assert rules.runbook(first, {"intent": "delivery"}) == "https://wiki.example/delivery"
    assert rules.runbook(first, {"intent": "billing"}) == "https://wiki.example/any"
    assert rules.runbook(second, {}) is None
