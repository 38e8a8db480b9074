"""Definitions of risks: what is read, and every mistake in one message."""

import pytest

from triage.assist.risk.definition import Column, Escalates, WritesAgain, read_definition
from triage.errors import ConfigError
from triage.risk.features import DEFAULT_FEATURES


@pytest.fixture
def read(tmp_path):
    def read(text):
        path = tmp_path / "risk.yaml"
        path.write_text(text, "utf-8")
        return read_definition(path)

    return read


def test_defaults(read):
    found = read("version: 1\nname: again\ntarget: {writes_again: }\n")
    assert found.target == WritesAgain(14.0, 0.1)
    assert found.features == DEFAULT_FEATURES
    assert found.levels == {"high": 0.05, "medium": 0.2}
    assert found.window_ms == 14 * 86_400_000


def test_queues_and_columns(read, tmp_path):
    assert read("version: 1\nname: up\ntarget: {escalates: {queues: [Legal]}}").target == Escalates(("legal",), 30.0)
    found = read(
        "version: 1\nname: left\ntarget: {column: {file: crm.csv, column: churned, values: [1], by: author, key: user}}"
    )
    assert found.target == Column(("1",), None, tmp_path / "crm.csv", "churned", "author", "user")
    assert found.window_ms == 0


@pytest.mark.parametrize(("value", "texts"), [("yes", "yes"), ("on", "on"), ("true", "true"), ("no", "no")])
def test_a_boolean_of_yaml_means_the_word_in_the_column(read, value, texts):
    found = read(f"version: 1\nname: left\ntarget: {{column: {{attribute: churned, values: [{value}]}}}}")
    assert isinstance(found.target, Column)
    assert texts in found.target.values
    assert ("no" in found.target.values) == (value == "no")


def test_every_mistake_is_named(read):
    with pytest.raises(ConfigError) as caught:
        read(
            "version: 1\nname: Not a name\ntarget: {column: {attribute: paid, file: a.csv, values: []}}\n"
            "features: [text, colour]\nattributes: [paid]\nlevels: {high: 0.5}\nmore: 1\n"
        )
    message = str(caught.value)
    for part in (
        "no field 'more'", "name: must be", "either an `attribute`", "needs the `column`", "values: must be a list",
        "no feature 'colour'", "'paid' is the target itself", "high must be less than medium",
    ):  # fmt: skip
        assert part in message


@pytest.mark.parametrize("text", ["", "version: 2", "version: 1\nname: a\ntarget: {a: {}, b: {}}"])
def test_what_is_no_definition_is_refused(read, text):
    with pytest.raises(ConfigError, match=r"risk\.yaml"):
        read(text)
