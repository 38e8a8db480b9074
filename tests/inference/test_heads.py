import numpy as np
import pytest

from triage.errors import ModelError
from triage.inference.calibration import Scaling, is_chinese, probabilities, softmax
from triage.inference.heads import Heads, concatenate
from triage.inference.manifest import FileDigest, Manifest
from triage.inference.runtime import Logits

TEXTS = ["Bob 3", "nothing"]
OFFSETS = [[[0, 0], [0, 3], [3, 5], [0, 0]], [[0, 0], [0, 7], [0, 0]]]
MASK = np.array([[1, 1, 1, 1], [1, 1, 1, 0]])


def manifest(**changes):
    digest = FileDigest("", 0)
    fields = {
        "format": 1, "name": "m", "version": "1", "taxonomy": "1", "max_tokens": 16, "pad_id": 1,
        "intents": ["delivery", "billing", "other"],
        "sentiments": ["negative", "neutral", "positive"],
        "entity_tags": ["O", "B-person", "I-person"],
        "temperature": {"intent": 1.0, "sentiment": 1.0, "entities": 1.0},
        "low_confidence": {"intent": 0.5, "sentiment": 0.5},
        "files": {"model.onnx": digest, "tokenizer.json": digest},
    }  # fmt: skip
    return Manifest(**fields | changes)


def logits():
    entity = np.zeros((2, 4, 3), np.float32)
    entity[..., 0] = 5
    entity[0, 1] = [0, 4, 0]
    return Logits(np.array([[0, 4, 1], [1, 1.5, 1]], np.float32), np.array([[3, 0, 0], [0, 0, 9]], np.float32), entity)


def decode(heads, given, offsets=lambda row: np.array(OFFSETS[row])):
    return heads.decode(heads.without_padding(given, MASK), MASK.sum(axis=1), TEXTS, [False, True], offsets)


def test_labels_probabilities_and_flags():
    first, second = decode(Heads(manifest()), logits())
    assert [label for label, _ in first.intents] == ["billing", "other", "delivery"]
    assert first.intents[0][1] == pytest.approx(np.exp(4) / (1 + np.exp(4) + np.exp(1)))
    assert sum(p for _, p in first.intents) == pytest.approx(1)
    assert first.sentiment["negative"] == pytest.approx(np.exp(3) / (np.exp(3) + 2))
    assert sum(first.sentiment.values()) == pytest.approx(1)
    assert (first.truncated, first.low_confidence) == (False, False)
    assert (second.truncated, second.low_confidence) == (True, True)
    (span,) = first.spans
    assert (span.start, span.end, span.label) == (0, 3, "person")
    assert span.confidence == pytest.approx(np.exp(4) / (np.exp(4) + 2))
    assert second.spans == []


def test_aspects_above_the_threshold_by_falling_confidence():
    aspect = np.zeros((2, 2, 4), np.float32)
    aspect[0, 0] = [0, 2, 0, 0]  # p(absent) .10
    aspect[0, 1] = [0, 0, 0, 4]  # p(absent) .02
    aspect[1] = [[9, 0, 0, 0], [1, 0, 0, 0]]  # p(absent) .48 in the last
    heads = Heads(manifest(aspects=["price", "size"], aspect_threshold=0.6))
    first, second = decode(heads, logits()._replace(aspect=aspect))
    assert [(one.label, one.polarity) for one in first.aspects] == [("size", "positive"), ("price", "negative")]
    assert first.aspects[0].confidence == pytest.approx(1 - 1 / (3 + np.exp(4)))
    assert second.aspects == []
    assert decode(Heads(manifest()), logits())[0].aspects == []
    with pytest.raises(ModelError, match="names aspects"):
        decode(heads, logits())


def test_scaling_by_length_language_and_bias():
    scaling = Scaling(length=0.5, chinese=np.log(2), bias=[0.0, 1.0, 0.0])
    heads = Heads(manifest(scaling={"sentiment": scaling}))
    sentiment = np.array([[3, 0, 0]], np.float32)

    def scaled(text, tokens):
        given = Logits(np.zeros((1, 3), np.float32), sentiment, np.zeros((1, tokens, 3), np.float32))
        unpadded = heads.without_padding(given, np.ones((1, tokens), np.int64))
        (only,) = heads.decode(unpadded, np.array([tokens]), [text], [False], lambda _: np.zeros((tokens, 2)))
        return list(only.sentiment.values())

    assert scaled("slow", 32) == pytest.approx(softmax(np.array([3.0, 1, 0])).tolist())
    assert scaled("slow", 128) == pytest.approx(softmax(np.array([1.5, 1, 0])).tolist())
    assert scaled("太慢", 32) == pytest.approx(softmax(np.array([1.5, 1, 0])).tolist())


def test_temperature_softens_each_head_and_keeps_the_order():
    warm = {"intent": 4.0, "sentiment": 3.0, "entities": 2.0}
    first = decode(Heads(manifest(temperature=warm)), logits())[0]
    assert first.intents[0] == ("billing", pytest.approx(np.e / (1 + np.e + np.exp(0.25))))
    assert first.sentiment["negative"] == pytest.approx(np.e / (np.e + 2))
    assert first.spans[0].confidence == pytest.approx(np.exp(2) / (np.exp(2) + 2))


@pytest.mark.parametrize("thresholds", [{"intent": 0.99, "sentiment": 0.0}, {"intent": 0.0, "sentiment": 0.99}])
def test_either_head_can_have_low_confidence(thresholds):
    assert decode(Heads(manifest(low_confidence=thresholds)), logits())[0].low_confidence


def test_offsets_are_read_only_for_texts_with_a_tagged_token():
    asked = []
    decode(Heads(manifest()), logits(), lambda row: asked.append(row) or np.array(OFFSETS[row]))
    assert asked == [0]


def test_tags_on_padding_and_special_tokens_are_ignored():
    given = logits()
    given.entity[0, 0] = given.entity[0, 3] = given.entity[1, 3] = [0, 9, 0]
    first, second = decode(Heads(manifest()), given)
    assert [(span.start, span.end) for span in first.spans] == [(0, 3)]
    assert second.spans == []


def test_tokens_without_characters_do_not_split_an_entity():
    entity = np.zeros((1, 4, 3), np.float32)
    entity[0] = [[0, 9, 0], [0, 9, 0], [9, 0, 0], [0, 0, 9]]
    given = Logits(np.zeros((1, 3), np.float32), np.zeros((1, 3), np.float32), entity)
    offsets = np.array([[0, 0], [0, 1], [1, 1], [1, 2]])
    heads = Heads(manifest())
    unpadded = heads.without_padding(given, np.ones((1, 4), np.int64))
    (only,) = heads.decode(unpadded, np.array([4]), ["张三"], [False], lambda _: offsets)
    assert [(span.start, span.end) for span in only.spans] == [(0, 2)]


def test_batches_of_different_widths_are_decoded_together():
    heads, given = Heads(manifest()), logits()
    wide = heads.without_padding(Logits(given.intent[:1], given.sentiment[:1], given.entity[:1]), MASK[:1])
    narrow = heads.without_padding(Logits(given.intent[1:], given.sentiment[1:], given.entity[1:, :3]), MASK[1:, :3])
    found = heads.decode(
        concatenate([wide, narrow]), MASK.sum(axis=1), TEXTS, [False, True], lambda row: np.array(OFFSETS[row])
    )
    assert found == decode(heads, given)


def test_outputs_that_do_not_fit_the_manifest():
    with pytest.raises(
        ModelError, match=r"intent_logits is \[2, 3\], the manifest's labels make it \[2, 2\].*one export"
    ):
        decode(Heads(manifest(intents=["a", "b"])), logits())


def test_outputs_that_are_not_finite():
    given = logits()
    given.entity[1, 3] = np.nan
    decode(Heads(manifest()), given)
    given.sentiment[1, 1] = given.entity[1, 2, 0] = np.nan
    with pytest.raises(ModelError, match=r"sentiment_logits, entity_logits of a batch of shape 2 x 4 are not finite"):
        decode(Heads(manifest()), given)


def test_softmax_of_huge_logits():
    assert softmax(np.array([[1e30, 0]], np.float32)).tolist() == [[1.0, 0.0]]


def test_a_temperature_by_length_is_one_at_thirty_two_tokens():
    two = np.array([[2.0, 0.0]] * 3, np.float32)
    found = probabilities(two, 2.0, Scaling(length=1.0), tokens=np.array([16, 32, 64]))
    assert found[:, 0].tolist() == pytest.approx([1 / (1 + np.exp(-2)), 1 / (1 + np.exp(-1)), 1 / (1 + np.exp(-0.5))])


def test_chinese_texts_intents_and_bias_scale_by_their_own():
    two = np.array([[2.0, 0.0]] * 2, np.float32)
    chinese = probabilities(two, 1.0, Scaling(chinese=np.log(2)), chinese=np.array([True, False]))
    assert chinese[:, 0].tolist() == pytest.approx([1 / (1 + np.exp(-1)), 1 / (1 + np.exp(-2))])
    intents = np.array([[0.5, 0.5], [1.0, 0.0]])
    by_intent = probabilities(two, 1.0, Scaling(by_intent=[np.log(2), np.log(8)]), intents=intents)
    assert by_intent[:, 0].tolist() == pytest.approx([1 / (1 + np.exp(-0.5)), 1 / (1 + np.exp(-1))])
    assert probabilities(two, 1.0, Scaling(bias=[0.0, 2.0]))[0].tolist() == [0.5, 0.5]
    plain = probabilities(two, 1.0)
    for scaling in (Scaling(length=1.0), Scaling(chinese=1.0), Scaling(by_intent=[1.0, 1.0])):
        assert probabilities(two, 1.0, scaling).tolist() == plain.tolist(), "without its argument a term has no effect"


def test_texts_with_a_chinese_character_are_chinese():
    assert is_chinese(["a 一", "a", "", "龥", "ひ", "鿿"]).tolist() == [True, False, False, True, False, True]


def test_two_batches_are_one_with_and_without_aspects():
    one = Logits(np.ones((1, 3)), np.ones((1, 3)), np.ones((4, 3)))
    two = Logits(np.zeros((2, 3)), np.zeros((2, 3)), np.zeros((5, 3)))
    assert concatenate([one]) is one
    both = concatenate([one, two])
    assert [array.shape for array in both[:3]] == [(3, 3), (3, 3), (9, 3)]
    assert (both.aspect, both.intent[:, 0].tolist()) == (None, [1, 0, 0])
    given = [each._replace(aspect=np.full((len(each.intent), 2, 4), n)) for n, each in enumerate((one, two))]
    assert concatenate(given).aspect[:, 0, 0].tolist() == [0, 1, 1]
