"""`triage guide`, as the owner of a catalogue sees it."""

import json

import guides
import pytest
from cli import run

HEADER = "id,name.en,category,price.USD,colour\n"


@pytest.fixture
def catalogue(tmp_path):
    path = tmp_path / "items.csv"
    path.write_text(HEADER + "a,Phone A,phone,100,black\nb,Phone B,phone,300,red\n", "utf-8")
    return path


def test_a_catalogue_is_checked(capfd, catalogue):
    outcome = run(capfd, "guide", "check", catalogue, "--words", guides.WORDS)
    assert (outcome.code, outcome.err.strip()) == (0, "2 items, 0 refused")


def test_mistakes_end_with_code_1_line_and_field(capfd, catalogue):
    catalogue.write_text(HEADER + "a,Phone A,phone,cheap,black\n", "utf-8")
    outcome = run(capfd, "guide", "check", catalogue, "--words", guides.WORDS)
    assert outcome.code == 1
    assert "items.csv: line 2: price.USD: 'cheap' is not a number of at least 0" in outcome.err


def test_without_words_the_setting_is_named(capfd, catalogue):
    for arguments in (("check", catalogue), ("ask", "a phone")):
        outcome = run(capfd, "guide", *arguments)
        assert outcome.code == 2
        assert "set guide.words" in outcome.err


@pytest.mark.stack
def test_a_catalogue_is_planned_applied_and_asked(capfd, catalogue, stack, prefix):
    index = f"{prefix}_items"
    options = ("--words", guides.WORDS, "--index", index, "--elasticsearch", stack.elasticsearch_url)
    assert "+ create a" in run(capfd, "guide", "plan", catalogue, *options).out
    assert run(capfd, "guide", "apply", catalogue, *options).out.startswith(f"{index}: 2 created, 0 updated")
    assert "2 unchanged; nothing to do" in run(capfd, "guide", "plan", catalogue, *options).out
    outcome = run(capfd, "guide", "ask", "a phone under 200 dollars", *options)
    assert outcome.code == 0, outcome.err
    assert outcome.out.splitlines()[:2] == ["1 fit: price ≤ 200 USD; category = phone", "1. Phone A [a#en] 100 USD"]
    outcome = run(capfd, "guide", "ask", "a red phone under 200 dollars", "--json", *options)
    found = json.loads(outcome.out)
    assert (outcome.code, found["fits"], found["results"]) == (1, 0, [])
    assert [each["wishes"] for each in found["drop"]] == [["red"], ["under 200 dollars"]]
