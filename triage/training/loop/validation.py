"""Evaluates the torch model on validation texts during training."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from triage.training.data.batches import collate, plan_batches
from triage.training.data.corpus import Corpus
from triage.training.data.encode import Encoded
from triage.training.data.examples import Example
from triage.training.data.labels import IGNORED, Taxonomy
from triage.training.evaluation.aspect_scoring import aspect_scores, predicted_states
from triage.training.evaluation.scoring import Span, bio_spans, classification_scores, span_scores
from triage.training.loop.losses import EXCLUDED_LOGIT
from triage.training.loop.model import MultiHeadModel


@dataclass(frozen=True)
class Outputs:
    """Logits of n texts in order: [n, intents], [n, 3], [tokens, tags] per text, and [n, aspects, 4] or None."""

    intent: torch.Tensor
    sentiment: torch.Tensor
    entities: list[torch.Tensor]
    aspects: torch.Tensor | None = None


@torch.inference_mode()  # type: ignore[untyped-decorator]
def predict(
    model: MultiHeadModel, encoded: Sequence[Encoded], pad_id: int, *, bf16: bool, token_budget: int = 4096
) -> Outputs:
    """Logits of all texts, in order; the model is left in evaluation mode.

    Texts are padded with `pad_id` to batches of at most `token_budget` tokens; with `bf16` they are computed in bf16.
    """
    model.eval()
    order: list[int] = []
    intents, sentiments, entities, aspects = [], [], [], []
    for indices in plan_batches([len(row.ids) for row in encoded], token_budget, seed=None):
        batch = collate([encoded[index] for index in indices], pad_id)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            intent, sentiment, tags, *more = model(batch.input_ids, batch.attention_mask)
        order += indices
        intents.append(intent.float())
        sentiments.append(sentiment.float())
        aspects += [logits.float() for logits in more]
        entities += [tags[row, : len(encoded[index].ids)].float() for row, index in enumerate(indices)]
    back = torch.argsort(torch.tensor(order))
    return Outputs(
        torch.cat(intents)[back],
        torch.cat(sentiments)[back],
        [entities[index] for index in back.tolist()],
        torch.cat(aspects)[back] if aspects else None,
    )


def validation_scores(
    outputs: Outputs, encoded: Sequence[Encoded], sources: Sequence[str], taxonomy: Taxonomy
) -> dict[str, dict[str, float]]:
    """By head, the score of each source; heads that no text has labels for are left out.

    The score is macro-F1 for intent and sentiment, span F1 on tokens within the known types for entities, and F1 of
    pairs of aspect and polarity for aspects. `outputs` are those of the texts `encoded`, `sources` [n] their sources.
    """
    rows: dict[str, list[int]] = defaultdict(list)
    for index, source in enumerate(sources):
        rows[source].append(index)
    result: dict[str, dict[str, float]] = {"intent": {}, "sentiment": {}, "entities": {}, "aspects": {}}
    for source, indices in rows.items():
        for head, logits in (("intent", outputs.intent), ("sentiment", outputs.sentiment)):
            known = [index for index in indices if getattr(encoded[index], head) != IGNORED]
            if known:
                gold = [getattr(encoded[index], head) for index in known]
                guess = logits[known].argmax(dim=1).tolist()
                result[head][source] = classification_scores(gold, guess, logits.shape[1])["macro_f1"]
        tagged = [index for index in indices if encoded[index].tags is not None]
        if tagged:
            pairs = [_spans(outputs.entities[index], encoded[index], taxonomy) for index in tagged]
            result["entities"][source] = span_scores([gold for gold, _ in pairs], [guess for _, guess in pairs])["f1"]
        annotated = [index for index in indices if any(state != IGNORED for state in encoded[index].aspects)]
        if annotated and outputs.aspects is not None:
            states = predicted_states(outputs.aspects[annotated].softmax(dim=-1).numpy(), 0.5)
            result["aspects"][source] = aspect_scores([encoded[index].aspects for index in annotated], states)["f1"]
    return {head: values for head, values in result.items() if values}


def overall_score(by_head: dict[str, dict[str, float]]) -> float:
    """The score by which the best checkpoint is selected: the mean over heads of the mean over sources.

    Aspects are left out, so that they are not improved at the expense of the main heads.
    """
    means = [mean for head, mean in head_means(by_head).items() if head != "aspects"]
    return sum(means) / len(means) if means else 0.0


def head_means(by_head: dict[str, dict[str, float]]) -> dict[str, float]:
    """Mean score of each head over its sources; `by_head` is the result of `validation_scores`."""
    return {head: sum(values.values()) / len(values) for head, values in by_head.items() if values}


def validation_sample(corpus: Corpus, cap: int) -> list[Example]:
    """At most `cap` validation texts per source, evenly spaced, so the same in every run."""
    chosen: list[Example] = []
    for examples in corpus.validation.values():
        stride = max(1, len(examples) // cap)
        chosen += examples[::stride][:cap]
    return chosen


def _spans(logits: torch.Tensor, row: Encoded, taxonomy: Taxonomy) -> tuple[list[Span], list[Span]]:
    """Gold and predicted spans of a text, within its known types."""
    tags = row.tags or []
    allowed = torch.tensor(row.allowed_tags)
    guess = logits.masked_fill(~allowed, EXCLUDED_LOGIT).argmax(dim=1).tolist()
    kept = [index for index, tag in enumerate(tags) if tag != IGNORED]
    return (
        bio_spans([taxonomy.entity_tags[tags[index]] for index in kept]),
        bio_spans([taxonomy.entity_tags[guess[index]] for index in kept]),
    )
