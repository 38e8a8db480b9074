"""Figures of a torch model on held-out texts, while it trains."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from triage.training.batches import collate, plan_batches
from triage.training.encode import IGNORED, Encoded
from triage.training.labels import Taxonomy
from triage.training.losses import EXCLUDED
from triage.training.model import MultiHeadModel
from triage.training.scoring import Span, bio_spans, classification, span_scores


@dataclass(frozen=True)
class Outputs:
    """Logits in the order of the texts: [n, intents], [n, 3], and a [tokens, tags] array a text."""

    intent: torch.Tensor
    sentiment: torch.Tensor
    entities: list[torch.Tensor]


@torch.inference_mode()  # type: ignore[untyped-decorator]
def predict(
    model: MultiHeadModel, encoded: Sequence[Encoded], pad_id: int, *, bf16: bool, token_budget: int = 4096
) -> Outputs:
    """Raw logits on the model's device; the model is left in evaluation mode."""
    model.eval()
    order: list[int] = []
    intents, sentiments, entities = [], [], []
    for indices in plan_batches([len(row.ids) for row in encoded], token_budget, seed=None):
        batch = collate([encoded[index] for index in indices], pad_id)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            intent, sentiment, tags = model(batch.input_ids, batch.attention_mask)
        order += indices
        intents.append(intent.float())
        sentiments.append(sentiment.float())
        entities += [tags[row, : len(encoded[index].ids)].float() for row, index in enumerate(indices)]
    back = torch.argsort(torch.tensor(order))
    return Outputs(torch.cat(intents)[back], torch.cat(sentiments)[back], [entities[index] for index in back.tolist()])


def figures(
    outputs: Outputs, encoded: Sequence[Encoded], sources: Sequence[str], taxonomy: Taxonomy
) -> dict[str, dict[str, float]]:
    """By head: the figure of each source (macro-F1; for entities token-span F1 within its known types)."""
    rows: dict[str, list[int]] = defaultdict(list)
    for index, source in enumerate(sources):
        rows[source].append(index)
    result: dict[str, dict[str, float]] = {"intent": {}, "sentiment": {}, "entities": {}}
    for source, indices in rows.items():
        for head, logits in (("intent", outputs.intent), ("sentiment", outputs.sentiment)):
            known = [index for index in indices if getattr(encoded[index], head) != IGNORED]
            if known:
                gold = [getattr(encoded[index], head) for index in known]
                guess = logits[known].argmax(dim=1).tolist()
                result[head][source] = classification(gold, guess, logits.shape[1])["macro_f1"]
        tagged = [index for index in indices if encoded[index].tags is not None]
        if tagged:
            pairs = [_spans(outputs.entities[index], encoded[index], taxonomy) for index in tagged]
            result["entities"][source] = span_scores([gold for gold, _ in pairs], [guess for _, guess in pairs])["f1"]
    return result


def overall(by_head: dict[str, dict[str, float]]) -> float:
    """One number to choose a checkpoint by: the mean over heads of the mean over sources."""
    means = [sum(values.values()) / len(values) for values in by_head.values() if values]
    return sum(means) / len(means) if means else 0.0


def _spans(logits: torch.Tensor, row: Encoded, taxonomy: Taxonomy) -> tuple[list[Span], list[Span]]:
    tags = row.tags or []
    allowed = torch.tensor(row.allowed_tags)
    guess = logits.masked_fill(~allowed, EXCLUDED).argmax(dim=1).tolist()
    kept = [index for index, tag in enumerate(tags) if tag != IGNORED]
    return (
        bio_spans([taxonomy.entity_tags[tags[index]] for index in kept]),
        bio_spans([taxonomy.entity_tags[guess[index]] for index in kept]),
    )
