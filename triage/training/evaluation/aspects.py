"""Figures of the aspects head, for models that have one: which aspects a text speaks of, and how."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from triage.training.data.encode import aspect_states
from triage.training.data.labels import ASPECT_STATES, IGNORED, Taxonomy
from triage.training.evaluation.aspect_scoring import aspect_scores
from triage.training.evaluation.bootstrap import span_interval
from triage.training.evaluation.predictions import Predictions


def aspect_figures(judged: Sequence[Predictions], taxonomy: Taxonomy, aspects: Sequence[str]) -> dict[str, Any] | None:
    """Precision, recall and F1 of pairs of aspect and polarity, and F1 of the aspects alone.

    `aspects` are those of the model. Only those count that a text's annotators looked for, and none that is praised
    and blamed at once. None if no row has aspects or the model knows none.
    """
    labels = replace(taxonomy, aspects=tuple(aspect for aspect in taxonomy.aspects if aspect in aspects))
    rows = [one for one in judged if one.row.example.aspects is not None]
    if not rows or not labels.aspects:
        return None
    gold = np.array([aspect_states(one.row.example, labels) for one in rows])
    place = {aspect: index for index, aspect in enumerate(labels.aspects)}
    guess = np.zeros_like(gold)
    for row, one in enumerate(rows):
        for said in one.prediction.aspects:
            if said.label in place:
                guess[row, place[said.label]] = ASPECT_STATES.index(said.polarity)
    looked = gold != IGNORED
    wanted, given = looked & (gold != 0), looked & (guess != 0)
    counts = np.stack([(wanted & (gold == guess)).sum(axis=1), given.sum(axis=1), wanted.sum(axis=1)], axis=1)
    scores = {name: round(value, 4) for name, value in aspect_scores(gold.tolist(), guess).items()}
    return {"texts": len(rows), **scores, "interval": {"f1": span_interval(counts)}}
