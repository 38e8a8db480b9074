"""Entity scores equal those of seqeval, which counts tags instead of spans of the text."""

import random

import pytest

from triage.training.evaluation.scoring import bio_spans, span_scores

pytestmark = pytest.mark.training
metrics = pytest.importorskip("seqeval.metrics", reason="seqeval comes with the extra train-tests")
TAGS = ("O", "O", "B-person", "I-person", "B-location", "I-location")


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.filterwarnings("ignore::Warning")  # of seqeval, where a type has no span
def test_scores_equal_those_of_seqeval(seed):
    rng = random.Random(seed)
    gold = [rng.choices(TAGS, k=rng.randint(1, 12)) for _ in range(30)]
    guess = [[tag if rng.random() < 0.7 else rng.choice(TAGS) for tag in tags] for tags in gold]
    scores = span_scores(map(bio_spans, gold), map(bio_spans, guess))
    assert scores["precision"] == pytest.approx(metrics.precision_score(gold, guess))
    assert scores["recall"] == pytest.approx(metrics.recall_score(gold, guess))
    assert scores["f1"] == pytest.approx(metrics.f1_score(gold, guess))
