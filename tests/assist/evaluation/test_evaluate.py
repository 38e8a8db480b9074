"""Figures of rankings and confidence, and what `--fit` makes of measured questions."""

import json

import pytest

from triage.assist.evaluation import metrics
from triage.assist.evaluation.evaluate import measure, report
from triage.assist.evaluation.questions import LabelledQuestion, read_questions
from triage.assist.retrieval.fusion import fuse
from triage.assist.retrieval.parameters import load_parameters
from triage.assist.retrieval.retriever import Retrieved, Search
from triage.elastic.passages import FoundPassage, FoundPassages
from triage.errors import ConfigError
from triage.intervals import wilson
from triage.schemas.knowledge import PassageDocument


def test_ranks_and_hits():
    ranks = [metrics.rank_of(["a", "b"], [right]) for right in ("a", "b", "c")]
    assert ranks == [1, 2, None]
    assert metrics.hits(ranks, 1) == [1.0, 0.0, 0.0]
    assert metrics.reciprocal(ranks) == [1.0, 0.5, 0.0]


def test_auroc_counts_ties_half():
    assert metrics.auroc([0.9, 0.1], [True, False]) == 1.0
    assert metrics.auroc([0.5, 0.5], [True, False]) == 0.5
    assert metrics.auroc([0.1, 0.9], [True, False]) == 0.0
    assert metrics.auroc([0.1], [True]) is None


def test_coverage_is_the_largest_share_with_enough_right():
    assert metrics.coverage([0.9, 0.8, 0.7, 0.6], [True, True, True, False]) == 0.75
    assert metrics.coverage([0.9, 0.8], [False, True]) == 0.0


def test_reliability_compares_scores_with_what_is_right_in_groups_of_rising_score():
    found = metrics.reliability([0.9, 0.1, 0.8, 0.2], [True, False, False, True], groups=2)
    assert found == [(2, pytest.approx(0.15), 0.5), (2, pytest.approx(0.85), 0.5)]
    assert metrics.reliability([0.4], [True]) == [(1, 0.4, 1.0)]
    assert metrics.reliability([], []) == []


def test_wilson_intervals_are_wide_for_few():
    assert wilson(5, 5)[0] == pytest.approx(0.566, abs=1e-3)
    assert wilson(0, 0) == (0.0, 1.0)


def test_questions_are_read_and_faults_named_by_line(tmp_path):
    path = tmp_path / "q.jsonl"
    rows = [
        {"question": "a", "language": "en", "article": "x"},
        {"question": "b", "language": "zh", "article": None},
        {"question": "c", "articles": ["x", "y"]},
    ]
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    assert [each.articles for each in read_questions(path)] == [["x"], [], ["x", "y"]]
    path.write_text('{"question": "a"}\n{bad\n')
    with pytest.raises(ConfigError) as caught:
        read_questions(path)
    assert "q.jsonl:1: article is missing" in str(caught.value)
    assert "q.jsonl:2:" in str(caught.value)


class _Words:
    """A retriever without index: the article `x`, for every question."""

    def find(self, text, language, scope):
        passage = PassageDocument(
            doc="passage", passage="x#1", article="x", version="v", number=1, title="x", heading="", text=text,
            start=0, end=1, language="zh", audience="public", kind="faq",
        )  # fmt: skip
        return Search(FoundPassages([FoundPassage(passage, 1.0)], []))

    def compare(self, search, language):
        return search.found

    def rank(self, search, text, language, intent=None):
        articles = fuse(search.found, load_parameters().weights(language), language)
        return Retrieved(articles, articles, 0.5, {})


def test_questions_are_measured_by_language_across_languages_and_by_kind():
    questions = [
        LabelledQuestion("where is it", "en", ["x"], "direct"),
        LabelledQuestion("who knows", "en", ["y", "x"], "paraphrase"),
        LabelledQuestion("在哪里", "zh", ["x"], "direct"),
        LabelledQuestion("天气", "zh", [], "unanswerable"),
    ]
    measured = measure(_Words(), questions, "2026-11-30", 500, {"x": "zh", "y": "en"})
    # The second one is answered in its own language too.
    assert [each.across for each in measured] == [True, False, False, False]
    found = report(measured, _Words(), load_parameters())
    assert {name: group["questions"] for name, group in found.items()} == {
        "all": 4, "en": 2, "zh": 2, "across languages": 1, "en direct": 1, "en paraphrase": 1, "zh direct": 1,
    }  # fmt: skip
    assert found["across languages"]["rankings"]["words"]["hit@1"] == 1.0
    groups = found["all"]["abstention"]["reliability"]
    assert [each["right"] for each in groups] == [1.0, 1.0, 1.0, 0.0]
    assert groups[0] == {"questions": 1, "confidence": 0.5, "right": 1.0}


def test_a_kind_is_a_word(tmp_path):
    (path := tmp_path / "q.jsonl").write_text('{"question": "a", "article": "x", "kind": 7}')
    with pytest.raises(ConfigError, match=r"q\.jsonl:1: kind is a word"):
        read_questions(path)
