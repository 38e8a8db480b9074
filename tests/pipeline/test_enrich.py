"""Enrichment: what stands on a record, and what never does."""

import json

import pytest
from doubles import WordModel
from hypothesis import given
from hypothesis import strategies as st

from triage.config import load_settings
from triage.pipeline.batch import Accepted
from triage.pipeline.enrich import Enricher
from triage.redaction import Redactor
from triage.rules import load_rules
from triage.schemas.raw import parse_raw
from triage.types import Channel, Position


@pytest.fixture
def enricher(clock):
    return _enricher(clock)


def _enricher(clock, **flags):
    settings = load_settings(None, flags)
    return Enricher(WordModel(), Redactor(settings.redaction), load_rules(None), settings.worker, clock)


def _accepted(**fields):
    raw = parse_raw(json.dumps(fields).encode())
    return Accepted(raw, Channel.COMPLAINT, 1_795_339_800_000, raw.id or "t/0/1", Position("t", 0, 1), 5)


def _one(enricher, **fields):
    (found,) = enricher.enrich([_accepted(**fields)])
    return json.loads(found.body)


def test_a_complaint(enricher):
    record = _one(enricher, id="7", text="My parcel from Acme never arrived", source="web", author_id="anna", rating=1)
    assert record["@timestamp"] == "2026-11-22T09:30:00.000Z"
    assert record["event"] == {"id": "7", "ingested": "2026-11-22T09:30:00.000Z"}
    assert record["sentiment"] == {"label": "negative", "score": -0.85, "confidence": 0.9}
    assert record["intent"]["label"] == "delivery"
    assert [top["label"] for top in record["intent"]["top"]] == ["delivery", "billing", "payment"]
    assert record["entities"] == [
        {"text": "Acme", "label": "organization", "start": 15, "end": 19, "confidence": 0.8, "source": "model"}
    ]
    assert record["language"] == "en"
    assert record["versions"]["model"] == "words@1"
    assert record["author_id"].startswith("v1:")
    assert "anna" not in json.dumps(record)
    assert record["rating"] == 1


def test_personal_data_is_gone_from_every_field(enricher):
    record = _one(
        enricher,
        text="Write to jane@example.com about the parcel",
        url="https://shop.example/r?mail=jane@example.com",
        product="call +14155552671",
        attributes={"jane@example.com": "jane@example.com", "n": 1},
    )
    assert "jane@example.com" not in json.dumps(record)
    assert "4155552671" not in json.dumps(record)
    assert "redacted" in record["flags"]
    (email,) = [entity for entity in record["entities"] if entity["label"] == "email"]
    assert record["text"][email["start"] : email["end"]] == email["text"] == "[EMAIL]"


@pytest.mark.parametrize(
    ("fields", "flag"),
    [
        ({"text": "x y " * 6000}, "truncated"),
        ({"text": "maybe it is fine, who knows"}, "low_confidence"),
        ({"text": "Где моя посылка? Уже неделю жду ответа от магазина"}, "unknown_language"),
        ({"text": "fine", "attributes": {f"k{n}": n for n in range(200)}}, "attributes_dropped"),
        ({"text": "fine", "attributes": {"k": "v" * 40_000}}, "attributes_dropped"),
    ],
)
def test_flags(enricher, fields, flag):
    assert flag in _one(enricher, **fields)["flags"]


def test_the_source_is_asked_for_a_language_that_the_text_does_not_show(enricher):
    assert _one(enricher, text="12345", language="zh-CN")["language"] == "zh"


TEXTS = st.text(alphabet=st.sampled_from("ab cé长城😡@.1Acme\u202e"), min_size=1, max_size=60).filter(str.strip)


@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_every_entity_is_where_it_says(texts):
    from triage.clock import ManualClock

    found = _enricher(ManualClock(1_795_339_800_000)).enrich([_accepted(text=text) for text in texts])
    for item in found:
        record = json.loads(item.body)
        last = 0
        for entity in record["entities"]:
            assert record["text"][entity["start"] : entity["end"]] == entity["text"]
            assert entity["start"] >= last
            last = entity["end"]
