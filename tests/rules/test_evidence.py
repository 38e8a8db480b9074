"""Evidence: what met each condition of the rules that fired, and where it stands in the text."""

import json

import pytest
from doubles import WordModel
from hypothesis import given
from hypothesis import strategies as st

from triage.clock import ManualClock
from triage.config import load_settings
from triage.pipeline.batch import ValidatedRecord
from triage.pipeline.stages.enrich import Enricher
from triage.redaction import Redactor
from triage.rules import load_rules
from triage.rules.evidence import explain_rules
from triage.rules.phrases import PhraseIndex, locate
from triage.schemas.raw import parse_raw
from triage.types import Channel

RULES = """
version: "1"
default: {severity: low, queue: general}
severity:
  - name: legal
    when: {not: {sentiment: positive}, text_any: [lawyer, legal action, 律师, "explode*"]}
    set: high
  - name: again
    when:
      any:
        - {text_any: [third time]}
        - {text_regex: "第[三四]次"}
        - {rating_at_most: 1, brand: acme}
    raise: 1
  - name: always
    raise: 1
  - name: positive_only
    when: {sentiment: positive}
    set: critical
routing:
  - name: mail
    when: {entities: email, channel: complaint, sentiment_below: 0.5, flags: redacted}
    queue: contact
"""


@pytest.fixture
def rules(tmp_path):
    (tmp_path / "rules.yaml").write_text(RULES, "utf-8")
    return load_rules(tmp_path / "rules.yaml")


def _record(rules, **fields):
    settings = load_settings(None)
    enricher = Enricher(WordModel(), Redactor(settings.redaction), rules, settings.worker, ManualClock())
    raw = parse_raw(json.dumps(fields).encode())
    (found,) = enricher.enrich([ValidatedRecord(raw, Channel.COMPLAINT, 0, "1")])
    return found.record


def _evidence(rules, record):
    return {rule.rule: [(e.condition, e.value, e.text) for e in rule.evidence] for rule in explain_rules(rules, record)}


def test_what_is_excluded_is_named_as_in_the_file(tmp_path):
    (tmp_path / "rules.yaml").write_text(
        'version: "1"\ndefault: {severity: low, queue: general}\nseverity:\n'
        "  - {name: unless, when: {not: {any: [{rating_at_most: 1}, {channel: review}]}}, set: high}\n",
        "utf-8",
    )
    rules = load_rules(tmp_path / "rules.yaml")
    ((condition, value, text),) = _evidence(rules, _record(rules, text="late again", rating=5))["unless"]
    assert (condition, text) == ("not", None)
    assert value.startswith("any: ")


def test_each_condition_shows_what_met_it(rules):
    record = _record(rules, text="Third  Time: never came. My LAWYER writes to a@example.com", rating=1, brand="Acme")
    assert _evidence(rules, record) == {
        "legal": [("text_any", "lawyer", "LAWYER"), ("not", "sentiment: positive", None)],
        "again": [
            ("text_any", "third time", "Third  Time"),
            ("brand", "Acme", None),
            ("rating_at_most", "1 <= 1", None),
        ],
        "always": [],
        "mail": [
            ("channel", "complaint", None),
            ("flags", "redacted", None),
            ("entities", "email", "[EMAIL]"),
            ("sentiment_below", "-0.997 < 0.5", None),
        ],
    }
    for rule in explain_rules(rules, record):
        for evidence in rule.evidence:
            if evidence.start is not None:
                assert record.text[evidence.start : evidence.end] == evidence.text


def test_parts_and_effects(rules):
    record = _record(rules, text="never! my lawyer; a@example.com")
    assert [(rule.rule, rule.part, rule.effect) for rule in explain_rules(rules, record)] == [
        ("legal", "severity", "set high"),
        ("always", "severity", "raise 1"),
        ("mail", "routing", "queue contact"),
    ]


def test_only_the_branch_that_held_and_regexes_by_their_match(rules):
    evidence = _evidence(rules, _record(rules, text="never 第三次了，找律师"))
    assert evidence["again"] == [("text_regex", "第[三四]次", "第三次")]
    assert evidence["legal"][0] == ("text_any", "律师", "律师")


def test_a_record_that_other_rules_decided(rules, tmp_path):
    record = _record(rules, text="never! my lawyer")
    (tmp_path / "new.yaml").write_text(RULES.replace("lawyer", "barrister").replace("name: always", "name: other"))
    assert explain_rules(load_rules(tmp_path / "new.yaml"), record) == []


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("lawyer", "my LAWYER.", "LAWYER"),
        ("third time", "(Third, time)", "Third, time"),
        ("explode*", "it exploded!", "exploded"),
        ("straße", "in der STRASSE", "STRASSE"),
        ("１２３１５", "打12315投诉", "12315"),
        ("12315", "打１２３１５ 投诉", "１２３１５"),
        ("投诉", "打12315投诉", "投诉"),
        ("sue", "an issue; sue them", "sue"),
    ],
)
def test_where_a_phrase_stands(phrase, text, found):
    start, end = locate(phrase, text)
    assert text[start:end] == found


@given(st.text(alphabet="ab ßẞİ１，长城.A-", max_size=30), st.text(alphabet="ab ß１长A*", min_size=1, max_size=6))
def test_what_is_located_is_what_the_index_finds(text, phrase):
    if not any(char.isalnum() for char in phrase):
        return
    index = PhraseIndex()
    index.add([phrase])
    place = locate(phrase, text)
    if place is not None:
        assert 0 <= place[0] < place[1] <= len(text)
        assert index.find(text)
