"""Figures of rankings and confidence, and what `--fit` makes of measured questions."""

import json

import pytest

from triage.assist.evaluation import metrics
from triage.assist.evaluation.questions import read_questions
from triage.errors import ConfigError
from triage.intervals import wilson


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
