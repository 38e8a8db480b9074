"""Figures of a torch model on held-out texts, while it trains."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from triage.training.data.batches import collate, plan_batches
from triage.training.data.corpus import Corpus
from triage.training.data.encode import Encoded
from triage.training.data.examples import Example
from triage.training.data.labels import IGNORED, Taxonomy
from triage.training.evaluation.aspect_scoring import aspect_scores, decide
from triage.training.evaluation.scoring import Span, bio_spans, classification, span_scores
from triage.training.loop.losses import EXCLUDED
from triage.training.loop.model import MultiHeadModel


@dataclass(frozen=True)
class Outputs:
    """Logits in the order of the texts: [n, intents], [n, 3], [tokens, tags] a text, and [n, aspects, 4] or None."""

    intent: torch.Tensor
    sentiment: torch.Tensor
    entities: list[torch.Tensor]
    aspects: torch.Tensor | None = None


@torch.inference_mode()  # type: ignore[untyped-decorator]
def predict(
    model: MultiHeadModel, encoded: Sequence[Encoded], pad_id: int, *, bf16: bool, token_budget: int = 4096
) -> Outputs:
    """Raw logits on the model's device; the model is left in evaluation mode."""
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


def figures(
    outputs: Outputs, encoded: Sequence[Encoded], sources: Sequence[str], taxonomy: Taxonomy
) -> dict[str, dict[str, float]]:
    """By head: the figure of each source (macro-F1; for entities token-span F1 within its known types; for aspects the
    F1 of pairs of aspect and polarity). A head that no text has labels for is not in the result."""
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
                result[head][source] = classification(gold, guess, logits.shape[1])["macro_f1"]
        tagged = [index for index in indices if encoded[index].tags is not None]
        if tagged:
            pairs = [_spans(outputs.entities[index], encoded[index], taxonomy) for index in tagged]
            result["entities"][source] = span_scores([gold for gold, _ in pairs], [guess for _, guess in pairs])["f1"]
        looked = [index for index in indices if any(state != IGNORED for state in encoded[index].aspects)]
        if looked and outputs.aspects is not None:
            states = decide(outputs.aspects[looked].softmax(dim=-1).numpy(), 0.5)
            result["aspects"][source] = aspect_scores([encoded[index].aspects for index in looked], states)["f1"]
    return {head: values for head, values in result.items() if values}


def overall(by_head: dict[str, dict[str, float]]) -> float:
    """One number to choose a checkpoint by: the mean over heads of the mean over sources.

    Aspects do not count: they come along, and must not cost what the other heads are for.
    """
    means = [mean for head, mean in head_means(by_head).items() if head != "aspects"]
    return sum(means) / len(means) if means else 0.0


def head_means(by_head: dict[str, dict[str, float]]) -> dict[str, float]:
    return {head: sum(values.values()) / len(values) for head, values in by_head.items() if values}


def held_out(corpus: Corpus, cap: int) -> list[Example]:
    """At most `cap` validation texts a source, the same in every run."""
    chosen: list[Example] = []
    for examples in corpus.validation.values():
        stride = max(1, len(examples) // cap)
        chosen += examples[::stride][:cap]
    return chosen


def _spans(logits: torch.Tensor, row: Encoded, taxonomy: Taxonomy) -> tuple[list[Span], list[Span]]:
    tags = row.tags or []
    allowed = torch.tensor(row.allowed_tags)
    guess = logits.masked_fill(~allowed, EXCLUDED).argmax(dim=1).tolist()
    kept = [index for index, tag in enumerate(tags) if tag != IGNORED]
    return (
        bio_spans([taxonomy.entity_tags[tags[index]] for index in kept]),
        bio_spans([taxonomy.entity_tags[guess[index]] for index in kept]),
    )
