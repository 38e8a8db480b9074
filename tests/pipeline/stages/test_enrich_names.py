"""`redaction.names`: no name or address is left anywhere in a record, and all offsets move along."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from names import NOW_MS, NameModel, enriched, enricher_of

from triage.pipeline.batch import ValidatedRecord
from triage.pipeline.stages import enrich
from triage.pipeline.stages.enrich import explain
from triage.schemas.raw import RawRecord
from triage.types import Channel

PERSON = "Karen Whitlow"
THREAD = (
    f"Thank you, Acme.\n\nOn Tue, 24 Nov 2026 at 09:12, {PERSON} <jane@example.com> wrote:\n"
    "> Your parcel went to 48 Fernhollow Road, Brackley BX4 7QT.\n> Regards, Karen\n> See https://x.example/u/karen.whitlow"
)


def _model(*names, **options):
    return NameModel(dict.fromkeys(names, "person") | {"Acme": "organization"}, **options)


def _check_offsets(record):
    last = 0
    for entity in record["entities"]:
        assert record["text"][entity["start"] : entity["end"]] == entity["text"]
        assert entity["start"] >= last
        last = entity["end"]
    body = record.get("body", [])
    for part in body if isinstance(body, list) else [body]:
        assert 0 <= part["start"] < part["end"] <= len(record["text"])


def test_off_by_default_it_costs_nothing(monkeypatch):
    monkeypatch.setattr(enrich, "redact_names", lambda *_: pytest.fail("was called"))
    model = _model(PERSON)
    record = enriched(
        enricher_of(model, **{"redaction.names": False}), text=f"I spoke to {PERSON}", attributes={"a": "b c"}
    )
    assert record["text"] == f"I spoke to {PERSON}"
    assert len(model.calls) == 1


def test_a_plain_text_costs_no_second_call_of_the_model():
    model = _model(PERSON)
    record = enriched(enricher_of(model), text=f"At Acme {PERSON} was rude, my parcel never arrived", brand="Acme")
    assert record["text"] == "At Acme [PERSON] was rude, my parcel never arrived"
    assert [len(call) for call in model.calls if call] == [1]
    assert (record["intent"]["label"], record["sentiment"]["label"], record["brand"]) == (
        "delivery",
        "negative",
        "Acme",
    )
    assert [(entity["text"], entity["label"]) for entity in record["entities"]] == [
        ("Acme", "organization"),
        ("[PERSON]", "person"),
    ]
    assert record["flags"] == ["redacted"]
    _check_offsets(record)


def test_quotes_signatures_fields_links_and_keys_are_read_too():
    record = enriched(
        enricher_of(_model(PERSON)),
        text=THREAD,
        source=PERSON,
        url="https://shop.example/karen-whitlow?by=Karen%20Whitlow",
        attributes={"note": f"call from {PERSON} again", "by": "KAREN WHITLOW", f"for {PERSON}": 1, "to": "Whitlow"},
    )
    assert not re.search("karen|whitlow|fernhollow", json.dumps(record), re.IGNORECASE)
    start, end = record["body"]["start"], record["body"]["end"]
    assert record["text"][start:end] == "Thank you, Acme."
    assert {entity["label"] for entity in record["entities"]} >= {"person", "location", "email", "date", "url"}
    _check_offsets(record)


def test_a_body_after_a_name_moves_along():
    text = f"> {PERSON} asked: which shop?\n\nAcme of course.\n\n> And {PERSON}?\n\nNo parcel of Acme"
    record = enriched(enricher_of(_model(PERSON)), text=text)
    parts = [record["text"][part["start"] : part["end"]] for part in record["body"]]
    assert parts == ["Acme of course.", "No parcel of Acme"]
    _check_offsets(record)


@pytest.mark.parametrize(
    "text", [f"Automatic reply: I am away, ask {PERSON}", f"{'my parcel ' * 30}{PERSON}", f"{PERSON} " * 40]
)
def test_what_the_model_has_not_read_for_its_labels_is_read_for_names(text):
    record = enriched(enricher_of(_model(PERSON, max_chars=120)), text=text)
    assert "Whitlow" not in record["text"]
    assert "[PERSON]" in record["text"]


def test_names_of_what_is_sold_stay():
    record = enriched(
        enricher_of(_model("Ted Barker", PERSON)), text=f"The Ted Barker bag, said {PERSON}", brand="Ted Barker London"
    )
    assert record["text"] == "The Ted Barker bag, said [PERSON]"
    assert record["brand"] == "Ted Barker London"
    assert record["entities"][0]["text"] == "Ted Barker"


def test_a_word_of_a_name_in_an_organization_stays_and_the_whole_name_goes():
    model = NameModel(
        {"Harrison Acton": "person", "Acton Motors": "organization", "Harrison Acton Ltd": "organization"}
    )
    record = enriched(enricher_of(model), text="Harrison Acton of Acton Motors, and Acton, and again harrison acton")
    assert record["text"] == "[PERSON] of Acton Motors, and [PERSON], and again [PERSON]"
    other = enriched(enricher_of(model), text="Harrison Acton Ltd sent it", attributes={"by": "Harrison Acton"})
    assert "Harrison" not in json.dumps(other)
    _check_offsets(other)


def test_enriching_a_stored_record_again_changes_nothing():
    enricher = enricher_of(_model(PERSON, "PERSON"))
    once = enriched(enricher, text=THREAD, attributes={"note": f"for {PERSON}"})
    again = enriched(enricher, text=once["text"], attributes=once["attributes"])
    assert (again["text"], again["attributes"]) == (once["text"], once["attributes"])
    assert [e["text"] for e in again["entities"]] == [e["text"] for e in once["entities"]]
    assert {entity["label"] for entity in again["entities"] if entity["text"] == "[PERSON]"} == {"person"}


def test_longer_placeholders_are_held_to_the_limits():
    record = enriched(
        enricher_of(_model("Li Bo"), **{"worker.max_attribute_bytes": 14}),
        text="Li Bo",
        attributes={"a": "ask Li Bo", "b": "x"},
    )
    assert "attributes_dropped" in record["flags"]
    assert "Li Bo" not in json.dumps(record)


def test_an_explanation_has_no_names():
    class Explainable(NameModel):
        def word_segments(self, text):
            return [match.span() for match in re.finditer(r"\S+", text)]

    enricher = enricher_of(Explainable({PERSON: "person"}))
    (item,) = enricher.enrich(
        [ValidatedRecord(RawRecord(text=f"{PERSON} never sent my parcel"), Channel.REVIEW, NOW_MS, "1")]
    )
    explained = explain(enricher.active.model, enricher.active.rules, item.record)
    for word in (*explained.explanation.intent.words, *explained.explanation.sentiment.words):
        assert explained.text[word.start : word.end] == word.text
        assert "Whitlow" not in word.text


ENRICHER = enricher_of(_model())
FIRST = ["Karen", "Jürgen", "Oleksandr", "Siobhán", "anna"]
LAST = ["Whitlow", "O'Sullivan", "Villaverde-Ruiz", "Feldmann"]
CHINESE = ["王小明", "歐陽雪", "李嘉欣", "阿卜杜拉·买买提"]
NAMES = st.one_of(st.builds("{} {}".format, st.sampled_from(FIRST), st.sampled_from(LAST)), st.sampled_from(CHINESE))
FILLERS = """
my parcel|是我的|😡|> |>|<b>|&amp;
at 14 rue des Tilleuls|a@b.com|+14155552671|Acme|[EMAIL]|Regards,|https://x.example/|, | |5元
--|上海市听松街99号3楼
"""
FILLER = st.lists(
    st.sampled_from([*re.split(r"[|\n]", FILLERS.strip("\n")), "\n\n", "On Tue, 24 Nov 2026, a <a@b.com> wrote:\n"]),
    max_size=8,
).map("".join)


@given(name=NAMES, parts=st.lists(FILLER, min_size=2, max_size=4), value=FILLER, shouted=st.booleans())
@settings(max_examples=100, deadline=None)
def test_no_name_survives_anywhere_in_the_record(name, parts, value, shouted):
    mention = f" {name} "
    text = mention.join([*parts[:-1], parts[-1]])
    other = name.upper() if shouted else name
    fields = {
        "text": text,
        "url": f"https://x.example/{'.'.join(name.split())}",
        "source": f"desk {other}",
        "region": other,
        "attributes": {"note": f"{value} {other} {value}", f"{name} {value}": f"by {name}"},
    }
    ENRICHER.replace(model=_model(name, max_chars=200))
    record = enriched(ENRICHER, **fields)
    assert name.lower() not in json.dumps(record, ensure_ascii=False).lower()
    for word in re.split(r"[ ·]", name):
        assert word not in json.dumps(record, ensure_ascii=False)
    _check_offsets(record)
