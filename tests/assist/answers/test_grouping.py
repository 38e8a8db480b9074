"""Questions that nobody answered are grouped by meaning."""

from small_encoder import SmallEncoder

from triage.assist.answers.grouping import group_questions
from triage.assist.retrieval.similarity import Centres
from triage.schemas.evidence import Unanswered
from triage.schemas.knowledge import pack_vector

PLAIN = Centres({}, {})
ENCODER = SmallEncoder(meanings={"shipment": "parcel"})


def asked(text, encoder=ENCODER, **fields):
    vector = {} if encoder is None else {
        "encoder": encoder.version, "exact": pack_vector(encoder.encode_questions([text])[0])
    }  # fmt: skip
    return Unanswered(
        doc="unanswered", at="2026-11-22T08:00:00.000Z", why_not="not_sure", language="en", audience="public",
        confidence=0.1, text=text, **vector, **fields,
    )  # fmt: skip


def texts(groups):
    return [[each.text for each in group.questions] for group in groups]


def test_paraphrases_are_one_group_though_other_articles_were_nearest():
    questions = [
        asked("insure parcel abroad", article="a"),
        asked("gift wrapping", article="a"),
        asked("shipment abroad insure", article="b"),
        asked("insure shipment abroad", article="b"),
    ]
    groups = group_questions(questions, PLAIN, 0.8)
    assert texts(groups) == [
        ["insure parcel abroad", "shipment abroad insure", "insure shipment abroad"],
        ["gift wrapping"],
    ]
    assert groups[0].article == "b"


def test_of_equal_groups_the_one_with_the_newest_question_is_first():
    assert texts(group_questions([asked("newest"), asked("older")], PLAIN)) == [["newest"], ["older"]]


def test_without_vectors_intent_and_nearest_article_group():
    questions = [
        asked("a", None, intent="delivery", article="x"),
        asked("b", None, intent="delivery", article="y"),
        asked("c", None, intent="delivery", article="x"),
    ]
    assert texts(group_questions(questions, PLAIN)) == [["a", "c"], ["b"]]


def test_vectors_of_two_encoders_are_never_compared():
    questions = [asked("insure parcel"), asked("insure parcel", SmallEncoder("small@2"))]
    assert len(group_questions(questions, PLAIN)) == 2


def test_no_question_has_no_group():
    assert group_questions([], PLAIN) == []
