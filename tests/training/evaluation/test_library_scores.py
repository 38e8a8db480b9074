"""Scores equal those of seqeval, which counts tags instead of spans of the text, and of scikit-learn."""

import random

import numpy as np
import pytest

from triage.training.evaluation.scoring import bio_spans, classification_scores, span_scores

pytestmark = pytest.mark.training
seqeval = pytest.importorskip("seqeval.metrics", reason="seqeval comes with the extra train-tests")
sklearn = pytest.importorskip("sklearn.metrics", reason="scikit-learn comes with the extra train-tests")
TAGS = ("O", "O", "B-person", "I-person", "B-location", "I-location")


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.filterwarnings("ignore::Warning")  # of seqeval, where a type has no span
def test_scores_equal_those_of_seqeval(seed):
    rng = random.Random(seed)
    gold = [rng.choices(TAGS, k=rng.randint(1, 12)) for _ in range(30)]
    guess = [[tag if rng.random() < 0.7 else rng.choice(TAGS) for tag in tags] for tags in gold]
    scores = span_scores(map(bio_spans, gold), map(bio_spans, guess))
    assert scores["precision"] == pytest.approx(seqeval.precision_score(gold, guess))
    assert scores["recall"] == pytest.approx(seqeval.recall_score(gold, guess))
    assert scores["f1"] == pytest.approx(seqeval.f1_score(gold, guess))


def test_scores_equal_those_of_scikit_learn():
    rng = np.random.default_rng(1)
    gold, guess = rng.integers(0, 5, 300), rng.integers(0, 5, 300)
    scores = classification_scores(gold.tolist(), guess.tolist(), 5)
    assert scores["macro_f1"] == pytest.approx(sklearn.f1_score(gold, guess, average="macro"))
    assert scores["macro_recall"] == pytest.approx(sklearn.recall_score(gold, guess, average="macro"))
    assert scores["accuracy"] == pytest.approx(sklearn.accuracy_score(gold, guess))
