"""Fuses two rankings; features and confidence follow from the result."""

import pytest

from triage.assist.retrieval.features import FUSED_FEATURES, LATE_FEATURES, WORD_FEATURES, features_of
from triage.assist.retrieval.fusion import best_of_articles, fuse
from triage.assist.retrieval.parameters import ConfidenceModel, FusionWeights, load_parameters
from triage.assist.retrieval.words import content_words, has_words, share_of
from triage.elastic.passages import FoundPassage, FoundPassages
from triage.errors import ConfigError
from triage.schemas.knowledge import PassageDocument


def passage(name, language="en", text="text"):
    article, _, number = name.partition("#")
    return PassageDocument(
        doc="passage", passage=name, article=article, version="v", number=int(number), title=article, heading="",
        text=text, start=0, end=4, language=language, audience="public", kind="faq",
    )  # fmt: skip


def found(words=(), vectors=(), tokens=None):
    return FoundPassages(
        [FoundPassage(passage(name), score) for name, score in words],
        [FoundPassage(passage(name), score) for name, score in vectors],
        by_tokens=tokens or {},
    )


def order(candidates):
    return [each.passage.passage for each in candidates]


def test_words_add_to_the_cosine():
    both = found([("b#1", 8.0), ("c#1", 2.0)], [("a#1", 0.90), ("b#1", 0.89), ("c#1", 0.80)])
    assert order(fuse(both, FusionWeights(0.0, 0.0), "en")) == ["a#1", "b#1", "c#1"]
    assert order(fuse(both, FusionWeights(0.05, 0.0), "en")) == ["b#1", "a#1", "c#1"]


def test_a_passage_that_one_ranking_lacks_is_below_its_last_one():
    (best, other) = fuse(found([("b#1", 1.0)], [("a#1", 0.9)]), FusionWeights(0.001, 0.0), "en")
    assert (best.passage.passage, best.words) == ("a#1", None)
    assert (other.passage.passage, other.cosine) == ("b#1", None)


def test_the_language_of_the_question_is_preferred():
    both = FoundPassages([], [FoundPassage(passage("a#1", "zh"), 0.90), FoundPassage(passage("b#1"), 0.895)])
    assert order(fuse(both, FusionWeights(0.0, 0.01), "en")) == ["b#1", "a#1"]


def test_without_vectors_words_rank_alone():
    assert order(fuse(found([("b#1", 8.0), ("a#1", 2.0)]), FusionWeights(0.05, 0.01), "en")) == ["b#1", "a#1"]


def test_articles_are_ranked_by_their_best_passage():
    candidates = fuse(found([], [("a#2", 0.9), ("b#1", 0.8), ("a#1", 0.7)]), FusionWeights(0.0, 0.0), "en")
    assert order(best_of_articles(candidates)) == ["a#2", "b#1"]


def test_features_of_a_clear_and_of_an_unclear_ranking():
    clear = best_of_articles(fuse(found([("a#1", 9.0)], [("a#1", 0.95), ("b#1", 0.8)]), FusionWeights(0.0, 0.0), "en"))
    close = best_of_articles(fuse(found([("b#1", 9.0)], [("a#1", 0.85), ("b#1", 0.84)]), FusionWeights(0.0, 0.0), "en"))
    first, second = (features_of("a text", "en", each) for each in (clear, close))
    assert set(first) == set(FUSED_FEATURES)
    assert first["margin"] > second["margin"]
    assert first["agree"] > second["agree"]
    alone = best_of_articles(fuse(found([("a#1", 9.0)]), FusionWeights(0.0, 0.0), "en"))
    assert set(features_of("a text", "en", alone)) == set(WORD_FEATURES)


def test_the_confidence_is_a_probability_and_never_overflows():
    model = ConfidenceModel(["margin"], [0.0], [0.1], [5.0], 0.0)
    assert model.probability({"margin": 0.0}) == 0.5
    assert model.probability({"margin": 1e9}) == pytest.approx(1.0)
    assert model.probability({"margin": -1e9}) == pytest.approx(0.0, abs=1e-9)


def test_the_shipped_numbers_fit_the_features():
    shipped = load_parameters()
    assert shipped.fused.features == list(FUSED_FEATURES)
    assert shipped.words.features == list(WORD_FEATURES)
    assert "" in shipped.fusion


def test_a_file_of_other_numbers_is_refused(tmp_path):
    (path := tmp_path / "p.json").write_text('{"fusion": 1}')
    with pytest.raises(ConfigError, match="evaluate --fit"):
        load_parameters(path)


def test_words():
    assert {"return", "toaster"} <= content_words("Can I return used toasters?")
    assert content_words("退款多久到账") >= {"退款", "到账"}
    assert share_of(content_words("return toasters"), "A toaster is returned.") == 1.0
    assert share_of(set(), "x") == 0.0
    assert [has_words(text) for text in ("", "🙂", "?!", "a", "退", "7")] == [False, False, False, True, True, True]


def test_tokens_add_to_the_cosine_and_articles_that_were_not_compared_are_below_the_last():
    three = found([], [("a#1", 0.90), ("b#1", 0.88), ("c#1", 0.89)], {"a": 0.5, "b": 0.6})
    assert order(fuse(three, FusionWeights(0.0, 0.0, 1.0), "en")) == ["b#1", "a#1", "c#1"]
    assert order(fuse(three, FusionWeights(0.0, 0.0), "en")) == ["a#1", "c#1", "b#1"]
    articles = best_of_articles(fuse(three, FusionWeights(0.0, 0.0, 1.0), "en"))
    values = features_of("a text", "en", articles)
    assert set(values) == {*FUSED_FEATURES, *LATE_FEATURES}
    assert values["score_margin"] == pytest.approx(0.08)
    # With two articles there is no tail: all are compared with their mean.
    assert values["tokens_stand_out"] == pytest.approx(0.05)


def test_the_confidence_does_not_depend_on_the_length_of_a_question():
    parameters = load_parameters()
    two = found([], [("a#1", 0.9), ("b#1", 0.7)], {"a": 0.6, "b": 0.4})
    articles = best_of_articles(fuse(two, parameters.weights("en", late=True), "en"))
    assert parameters.late is not None
    short, long = (
        parameters.late.probability(features_of(text, "en", articles))
        for text in ("refund", "my refund for the kettle from the depot in march is still not on the card, how long")
    )
    assert short == long
    for model in (parameters.fused, parameters.words, parameters.late):
        assert "length" not in model.features
