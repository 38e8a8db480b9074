"""Every mistake in a rules file is named at once, with rule, line and fix."""

from pathlib import Path

import pytest

from triage.config import Settings
from triage.errors import ConfigError
from triage.rules import check, load_rules
from triage.rules.source import read_source

HEAD = 'version: "1"\ndefault: {severity: low, queue: general}\n'


def problems(tmp_path: Path, text: str | bytes, **known: list[str]) -> list[str]:
    path = tmp_path / "rules.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        load_rules(path, **known)  # type: ignore[arg-type]
    assert caught.value.where == str(path)
    return caught.value.problems


def test_all_problems_in_one_message_in_order_of_lines(tmp_path: Path) -> None:
    text = """version: "1"
defaults: {severity: low}
default:
  severity: sever
  queue: general
severity:
  - name: a
    when:
      intent: [delivery, deliveri]
      text_regex: "refund(?!ed)"
      any:
        - colour: red
        - sentiment: sad
    set: huge
  - name: a
    when: {}
    raise: 1
  - name: c
    when: {text_any: x, text_any: y}
routing:
  - name: r
    queue: x
    when: {sentiment_below: -5, text_regex: "[", entities: order}
  - queue: 3
  - 5
"""
    found = problems(tmp_path, text, intents=["delivery", "billing"], entities=["order_id"])
    assert found == [
        "line 2: defaults: no such field; did you mean default?; known fields: version, default, severity, routing",
        "line 4: default.severity: 'sever' is not a level; known levels: low, medium, high, critical",
        "line 9: severity rule 'a': when.intent: no such intent: deliveri; known: delivery, billing",
        "line 10: severity rule 'a': when.text_regex: 'refund(?!ed)' looks ahead or behind, (?!...) or (?<!...): "
        "exclude it by a condition `not`, or match the character next to it, e.g. (?:^|[^0-9])",
        "line 12: severity rule 'a': when.any.1.colour: no such field; known fields: channel, intent, sentiment, "
        "language, brand, product, region, source, flags, entities, risks, text_any, text_says, text_regex, "
        "risk_score_at_least, sentiment_below, "
        "sentiment_above, intent_confidence_at_least, intent_confidence_below, rating_at_most, "
        "rating_at_least, any, all, not",
        "line 13: severity rule 'a': when.any.2.sentiment: no such sentiment: sad; known: negative, neutral, positive",
        "line 14: severity rule 'a': set: 'huge' is not a level; known levels: low, medium, high, critical",
        "line 15: severity rule 'a': the name is already used by the rule on line 7",
        "line 16: severity rule 'a': when: is empty; give at least one condition, "
        "or omit `when` for a rule that always fires",
        "line 18: severity rule 'c': needs either `set: <level>` or `raise: <1 to 3, or -3 to -1>`",
        "line 19: text_any is a duplicate field, first set on line 19",
        "line 23: routing rule 'r': when.entities: no such entities: order; known: order_id",
        "line 23: routing rule 'r': when.sentiment_below: should be greater than or equal to -1 (got -5)",
        "line 23: routing rule 'r': when.text_regex: '[' is not a regular expression: "
        "unterminated character set at position 0",
        "line 24: routing rule 2: name: is missing",
        "line 24: routing rule 2: queue: should be a valid string (got 3)",
        "line 25: routing rule 3: must be a mapping of fields, not 5",
    ]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a: [1\nb: 2", "line 2, column 2: not valid YAML"),
        ("a: \tb\n\t- c", "not valid YAML"),
        ("&a [*a]", "line 1, column 1: not valid YAML: an alias refers to itself or expands"),
        ("[" * 5_000, "nested too deeply"),
        ("a: " + "9" * 5_000, "not valid YAML: Exceeds the limit"),
        ("a: 2026-13-01", "not valid YAML: month must be in 1..12"),
        (HEAD + "? [a]\n: 3", "line 3, column 3: not valid YAML: a field's name must be a scalar"),
        ("", "line 1: must be a mapping of fields, not None"),
        ("- x", "line 1: must be a mapping of fields, not ['x']"),
        (HEAD + "severity: 3", "line 3: severity: should be a valid list (got 3)"),
        ("a: 1\n---\nb: 2", "not valid YAML: but found another document"),
        (b"version: \xff", "byte 9 is not UTF-8"),
        (HEAD + "severity:\n  - {name: a, set: low, when: {text_any: no}}", "must be text, not false"),
        (HEAD + "severity:\n  - {name: a, set: low, raise: 1}", "needs either"),
        (HEAD + "severity:\n  - {name: a, raise: 0}", "needs either"),
        (HEAD + "severity:\n  - {name: default, set: low}", "'default' is not a valid name"),
        (HEAD + "severity:\n  - {name: a, set: low, when: {text_any: '!!'}}", "has no letter or digit"),
        (HEAD + "severity:\n  - {name: a, set: low, when: {text_any: []}}", "at least 1 item"),
        (HEAD + "severity:\n  - {name: a, set: low, when: {text_regex: 'a*'}}", "matches the empty text"),
        (HEAD + "severity:\n  - {name: a, set: low, when: {channel: mail}}", "known: complaint, review, social"),
        (HEAD + "severity:\n  - {name: a, set: low, when: {flags: [odd]}}", "known: truncated, low_confidence"),
        (HEAD + "routing:\n  - {name: a, queue: 'no spaces'}", "should match pattern"),
    ],
)
def test_one_problem(tmp_path: Path, text: str | bytes, part: str) -> None:
    (problem,) = problems(tmp_path, text)
    assert part in problem


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_rules(tmp_path / "none.yaml")


@pytest.mark.parametrize("pattern", ["a+b+", "(a+)b", "(?:a{1,3}b)+c", "(a+)+b", "第[三四]次", "(?:a|a)*b"])
def test_no_repetition_is_refused_for_its_time(tmp_path: Path, pattern: str) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(HEAD + f"routing:\n  - {{name: a, queue: q, when: {{text_regex: '{pattern}'}}}}", "utf-8")
    assert load_rules(path).queues == ["general", "q"]


def test_the_expressions_of_a_rule_and_of_a_file_have_steps_in_all(tmp_path: Path) -> None:
    def rules(number: int, when: str) -> str:
        return (
            HEAD
            + "routing:\n"
            + "".join(f"  - {{name: r{name}, queue: q, when: {{{when}}}}}\n" for name in range(number))
        )

    expression = "text_regex: 'x{0,110}y'"
    one = rules(1, f"any: [{{{expression}}}], all: [{{{expression}}}], {expression}, not: {{{expression}}}")
    (problem,) = problems(tmp_path, one)
    assert "routing rule 'r0': its regular expressions have 900 steps together, at most 500 are allowed; use" in problem
    (problem,) = problems(tmp_path, rules(45, expression))
    assert "the regular expressions of all rules have 10125 steps together, at most 10000 are allowed; use" in problem
    path = tmp_path / "rules.yaml"
    path.write_text(rules(44, expression), "utf-8")
    assert load_rules(path)


def test_version_is_that_of_the_file_and_its_content(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(HEAD)
    first = load_rules(path).version
    path.write_text(HEAD + "# a comment\n")
    second = load_rules(path).version
    assert first.startswith("1+")
    assert len(first) == 10
    assert first != second


def test_check_lists_problems_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(HEAD + "severity: [{name: a, set: low, when: {intent: nope}}]")
    settings = Settings(rules={"path": path})  # type: ignore[arg-type]
    assert check(settings) == []
    (problem,) = check(settings, intents=["delivery"])
    assert problem.startswith(f"{path}: line 3: severity rule 'a': when.intent: no such intent: nope")
    assert check(Settings()) == []


def rule(fields: str) -> str:
    return HEAD + f"severity:\n  - {{name: a, set: low, {fields}}}"


def test_a_long_value_is_shown_cut_to_sixty_characters(tmp_path: Path) -> None:
    """With its quotes, 58 characters are 60."""
    (problem,) = problems(tmp_path, HEAD + f"severity: {'x' * 58}")
    assert problem.endswith(f"(got '{'x' * 58}')")
    (problem,) = problems(tmp_path, HEAD + f"severity: {'x' * 59}")
    assert problem.endswith(f"(got '{'x' * 56}...)")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ('version: "1"\ndefault: {severity: low, queue: q, extra: 1}', "known fields: severity, queue"),
        ('version: "1"\ndefault: {severity: low, queue: q}\nextra: 1', "fields: version, default, severity, routing"),
        (HEAD + "severity:\n  - {name: a, set: low, extra: 1}", "known fields: name, when, set, raise, stop"),
        (HEAD + "routing:\n  - {name: a, queue: q, extra: 1}", "known fields: name, when, queue"),
        (rule("when: {any: [{extra: 1, brand: x}]}"), "when.any.1.extra: no such field; known fields: channel, intent"),
        (HEAD + "routing:\n  - {queue: q}", "line 4: routing rule 1: name: is missing"),
        (HEAD + "severity:\n  - 5", "line 4: severity rule 1: must be a mapping of fields, not 5"),
        (rule("raise: 4"), "raise: should be less than or equal to 3 (got 4)"),
        (rule("when: {intent_confidence_below: 1.5}"), "should be less than or equal to 1 (got 1.5)"),
        (rule("when: {sentiment_above: 1.5}"), "should be less than or equal to 1 (got 1.5)"),
        (rule(f"when: {{text_any: '{'a' * 201}'}}"), "when.text_any.1: "),
        (HEAD + f"routing:\n  - {{name: {'a' * 81}, queue: q}}", "is not a valid name; use up to 80"),
        (HEAD + f"routing:\n  - {{name: a, queue: {'q' * 81}}}", "queue: "),
    ],
)
def test_a_problem_names_its_rule_and_the_fields_there_are(tmp_path: Path, text: str, part: str) -> None:
    assert part in "\n".join(problems(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    [
        rule(f"when: {{text_regex: '{'a' * 200}'}}"),
        rule(f"when: {{text_any: '{'a' * 200}'}}"),
        rule("when: {text_any: 12315}"),
        rule("when: {text_regex: 'x{0,240}y'}"),
        HEAD + f"routing:\n  - {{name: {'a' * 80}, queue: {'q' * 80}}}",
        HEAD + "severity:\n  - {name: a, raise: -3}\n  - {name: b, raise: 3}",
        HEAD + "severity:\n  - {name: a, set: low}\nrouting:\n  - {name: a, queue: q}",
    ],
)
def test_values_at_the_limits_load(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(text, "utf-8")
    assert load_rules(path).version.startswith("1+")
    assert len(load_rules(path).version) == 10


def test_labels_are_those_that_are_known(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(rule("when: {intent: [a, b], entities: c}"), "utf-8")
    assert load_rules(path).queues == ["general"], "any label where none are known"
    assert load_rules(path, intents=["a", "b"], entities=["c"]).queues == ["general"]
    with pytest.raises(ConfigError, match="no such intent: b; known: a"):
        load_rules(path, intents=["a"])


def test_a_repeated_name_is_named_with_the_first_line_each_time(tmp_path: Path) -> None:
    text = HEAD + "routing:\n" + "  - {name: a, queue: q}\n" * 3
    assert problems(tmp_path, text) == [
        f"line {line}: routing rule 'a': the name is already used by the rule on line 4" for line in (5, 6)
    ]


def test_a_value_s_line_is_that_of_the_nearest_one_around_it() -> None:
    data, source = read_source("a:\n  - b: 1\n    c: [2,\n      3]\n")
    assert data == {"a": [{"b": 1, "c": [2, 3]}]}
    paths = ((), ("a",), ("a", 0), ("a", 0, "c"), ("a", 0, "c", 1), ("a", 0, "c", 9), ("z",))
    assert [source.line(path) for path in paths] == [1, 1, 2, 3, 4, 3, 1]
    assert read_source("")[0] is None
    assert read_source("")[1].line(("x",)) == 1
    assert read_source("a: 1\nb: 2\na: 3\na: 4")[1].problems == [
        (line, "a is a duplicate field, first set on line 1") for line in (3, 4)
    ]
    shared, _ = read_source("a: &x [1]\nb: *x")
    assert shared == {"a": [1], "b": [1]}, "an alias that is no circle is fine"
