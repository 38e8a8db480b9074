"""Enrichment: the fields of a record, and what must never be in them."""

import json

import pytest
from doubles import WordModel
from hypothesis import given
from hypothesis import strategies as st
from risks import write_fitted

from triage.clock import ManualClock
from triage.config import load_settings
from triage.pipeline.assemble import build_enricher
from triage.pipeline.batch import ValidatedRecord
from triage.pipeline.stages.enrich import Enricher
from triage.redaction import Redactor
from triage.rules import load_rules
from triage.schemas.enriched import OwnIntent
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
    return ValidatedRecord(raw, Channel.COMPLAINT, 1_795_339_800_000, raw.id or "t/0/1", Position("t", 0, 1), 5)


def _one(enricher, **fields):
    (found,) = enricher.enrich([_accepted(**fields)])
    return json.loads(found.body)


def test_a_complaint(enricher):
    record = _one(enricher, id="7", text="My parcel from Acme never arrived", source="web", author_id="anna", rating=1)
    assert record["@timestamp"] == "2026-11-22T09:30:00.000Z"
    assert record["event"] == {"id": "7", "ingested": "2026-11-22T09:30:00.000Z"}
    assert record["sentiment"] == {"label": "negative", "score": -0.997, "confidence": 0.998}  # with the rating
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


def test_equal_texts_are_read_once_and_their_ratings_still_count(clock):
    settings, model = load_settings(None), WordModel()
    enricher = Enricher(model, Redactor(settings.redaction), load_rules(None), settings.worker, clock)
    records = enricher.enrich([_accepted(text="a parcel", rating=rating) for rating in (1, 5)])
    labels = [json.loads(each.body)["sentiment"]["label"] for each in records]
    assert labels == ["negative", "positive"]
    assert (
        json.loads(enricher.enrich([_accepted(text="a parcel", rating=5)])[0].body)["sentiment"]["label"] == "positive"
    )
    assert model.calls == [["a parcel"]]


@pytest.mark.parametrize(("language", "name"), [("en", "Wuhan"), ("zh", "武汉")])
def test_a_place_has_one_name_in_region_if_the_settings_say_so(clock, language, name):
    settings = load_settings(None, {"worker.region_names": language})
    enricher = build_enricher(settings, clock, WordModel())
    sent = ["Wuhan", "武汉", "武漢市", "WUHAN", "Depot 5", None]
    found = [_one(enricher, text="late", **({"region": region} if region else {})).get("region") for region in sent]
    assert found == [name, name, name, name, "Depot 5", None]


def test_a_region_stays_as_it_was_sent_by_default(clock):
    assert _one(build_enricher(load_settings(None), clock, WordModel()), text="late", region="武汉")["region"] == "武汉"


def test_risk_scores_and_own_intents_stand_next_to_the_trained_labels(clock, tmp_path):
    write_fitted(tmp_path / "relief.npz")
    settings = load_settings(None, {"risk.models": [str(tmp_path / "relief.npz")]})
    asked = []

    def own_intents(texts):
        asked.extend(texts)
        return [[OwnIntent("gift_card", 0.2, "v")] for _ in texts]

    enricher = build_enricher(settings, clock, WordModel(), own_intents=own_intents)
    record = _one(enricher, text="My parcel never arrived: refund 4111 1111 1111 1111")
    assert record["intent"]["label"] == "delivery"
    assert record["own_intents"] == [{"label": "gift_card", "margin": 0.2, "version": "v"}]
    (score,) = record["risk_scores"]
    assert score["pair"] == f"relief:{score['level']}"
    assert asked == [record["text"]]
    assert "4111" not in asked[0]
    assert "risk_scores" not in _one(_enricher(clock), text="My parcel never arrived")


def test_automatic_messages_have_no_risk_scores(clock, tmp_path):
    write_fitted(tmp_path / "relief.npz")
    settings = load_settings(None, {"risk.models": [str(tmp_path / "relief.npz")]})
    assert "risk_scores" not in _one(build_enricher(settings, clock, WordModel()), text="此用户没有填写评价。")


def test_aspects_are_on_the_record_only_where_the_model_found_some(enricher):
    record = _one(enricher, text="My parcel is late")
    assert record["aspects"] == [
        {"label": "delivery", "polarity": "negative", "confidence": 0.9123, "pair": "delivery:negative"}
    ]
    assert "aspects" not in _one(enricher, text="My parcel")


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
        ({"text": "5元" * 1_000}, "entities_dropped"),
    ],
)
def test_flags(enricher, fields, flag):
    assert flag in _one(enricher, **fields)["flags"]


def test_the_largest_record_fits_into_a_message_of_kafka_s_default_size(enricher):
    # Every character and attribute as long as JSON can make it, and an entity in every other one.
    attributes = {f"{number:02d}": "\x01" * 320 for number in range(100)}
    for text in ("5元" * 10_000, "\x01" * 20_000, "😡1元" * 6_000):
        record = _one(enricher, text=text, attributes=attributes)
        assert len(json.dumps(record, ensure_ascii=True)) < 1_000_000
        assert len(record["entities"]) <= 500


def test_the_source_is_asked_for_a_language_that_the_text_does_not_show(enricher):
    assert _one(enricher, text="12345", language="zh-CN")["language"] == "zh"


TEXTS = st.text(alphabet=st.sampled_from("ab cé长城😡@.1Acme\u202e"), min_size=1, max_size=60).filter(str.strip)


@pytest.fixture(scope="module")
def one_for_all_examples():
    return _enricher(ManualClock(1_795_339_800_000))


@given(texts=st.lists(TEXTS, min_size=1, max_size=5))
def test_every_entity_is_where_it_says(one_for_all_examples, texts):
    found = one_for_all_examples.enrich([_accepted(text=text) for text in texts])
    for item in found:
        record = json.loads(item.body)
        last = 0
        for entity in record["entities"]:
            assert record["text"][entity["start"] : entity["end"]] == entity["text"]
            assert entity["start"] >= last
            last = entity["end"]


def test_a_replaced_model_stands_on_the_records_that_it_judged(clock):
    enricher = _enricher(clock)

    class Next(WordModel):
        version = "words@2"

    class Slow(WordModel):
        """Is replaced during its prediction, as another thread might do."""

        def predict(self, texts):
            enricher.replace(model=Next())
            return super().predict(texts)

    enricher.replace(model=Slow())
    assert _one(enricher, text="fine")["versions"]["model"] == "words@1"
    assert _one(enricher, text="fine")["versions"]["model"] == "words@2"


def test_a_watcher_hears_redacted_texts_and_what_was_said_of_them(clock):
    settings, heard = load_settings(None), []
    enricher = Enricher(
        WordModel(),
        Redactor(settings.redaction),
        load_rules(None),
        settings.worker,
        clock,
        lambda *said: heard.append(said),
    )
    enricher.enrich([_accepted(text="my parcel, a@example.com")])
    ((version, texts, predictions),) = heard
    assert (version, texts) == ("words@1", ["my parcel, [EMAIL]"])
    assert predictions[0].intents[0][0] == "delivery"


def test_an_authors_id_is_masked_in_every_field_whoever_wrote_the_same_value_before(enricher):
    """Values of fields are redacted once for many records; whose record it is must not get lost in that."""
    fields = {"text": "I am c-1002345", "product": "Plan of C-1002345", "attributes": {"plan": "for c-1002345"}}
    stranger = _one(enricher, **fields, author_id="anna-7")
    assert stranger["product"] == "Plan of C-1002345"
    own = _one(enricher, **fields, author_id="C-1002345")
    assert (own["text"], own["product"]) == ("I am [HANDLE]", "Plan of [HANDLE]")
    assert "1002345" not in json.dumps(own)
    assert _one(enricher, **fields, author_id="anna-7")["product"] == "Plan of C-1002345"


THREAD = "Thank you, it works.\n\nOn Tue, 24 Nov 2026 at 09:12, Jane <jane@example.com> wrote:\n> My parcel from Acme"


def test_the_newest_part_of_a_mail_is_classified_and_all_of_it_is_kept(enricher):
    record = _one(enricher, text=f"{THREAD} caught fire and never arrived")
    start, end = record["body"]["start"], record["body"]["end"]
    assert record["text"][start:end] == "Thank you, it works."
    assert "caught fire" in record["text"]
    assert "quoted" in record["flags"]
    assert record["intent"]["label"] != "delivery"
    assert record["severity"]["level"] == "low"


def test_entities_of_the_newest_part_are_found_in_the_whole_text(enricher):
    text = "> Which shop?\n\nAcme.\n\n> Which parcel?\n\nThat of Acme"
    record = _one(enricher, text=text)
    ranges = [(part["start"], part["end"]) for part in record["body"]]
    assert [record["text"][start:end] for start, end in ranges] == ["Acme.", "That of Acme"]
    for entity in record["entities"]:
        assert record["text"][entity["start"] : entity["end"]] == entity["text"]
        assert any(start <= entity["start"] < entity["end"] <= end for start, end in ranges)
    assert record["entities"]


def test_markup_is_taken_out_before_redaction(enricher):
    record = _one(enricher, text="<p>Write to jane&#64;example.com, <b>my parcel</b> never arrived</p>")
    assert record["text"] == "Write to [EMAIL], my parcel never arrived"
    assert "body" not in record


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("Automatic reply: I am away, the parcel can wait", "automatic"),
        ("此用户没有填写评价。", "no_text"),
    ],
)
def test_what_no_person_wrote_has_no_opinion(enricher, text, flag):
    record = _one(enricher, text=text, rating=5)
    assert flag in record["flags"]
    assert record["sentiment"] == {"label": "neutral", "score": 0.0, "confidence": 1.0}
    assert record["severity"]["level"] == "low"
    assert record["severity"]["rules"] == ["default"]


def test_markup_does_not_count_for_the_longest_text(clock):
    enricher = _enricher(clock, **{"worker.max_text_chars": 50})
    padded = "<p>" + "<span></span>" * 20 + "My parcel</p>"
    raw = parse_raw(json.dumps({"text": padded}).encode(), max_text_chars=50)
    (found,) = enricher.enrich([ValidatedRecord(raw, Channel.COMPLAINT, 0, "1", Position("t", 0, 1), 5)])
    assert (found.record.text, found.record.flags) == ("My parcel", [])
    raw = parse_raw(json.dumps({"text": f"<p>{'my parcel ' * 20}</p>"}).encode(), max_text_chars=50)
    (found,) = enricher.enrich([ValidatedRecord(raw, Channel.COMPLAINT, 0, "1", Position("t", 0, 1), 5)])
    assert len(found.record.text) == 50
    assert "truncated" in found.record.flags
