"""From logits to labels: calibrated probabilities, low confidence, and entities as spans of the text."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from triage.errors import ModelError
from triage.inference.manifest import Manifest
from triage.inference.session import Logits
from triage.inference.spans import TaggedToken, merge_tokens
from triage.types import Prediction, Span

_OUTSIDE = 0


class Heads:
    """The meaning of the three outputs of one model."""

    def __init__(self, manifest: Manifest) -> None:
        self._intents = manifest.intents
        self._sentiments = manifest.sentiments
        tags = [tag.partition("-") for tag in manifest.entity_tags]
        self._tag_begins = [kind == "B" for kind, _, _ in tags]
        self._tag_labels = [label for _, _, label in tags]
        self._temperature = manifest.temperature
        self._low_confidence = manifest.low_confidence

    def decode(
        self,
        logits: Logits,
        attention_mask: NDArray[np.int64],
        texts: Sequence[str],
        truncated: Sequence[bool],
        offsets: Callable[[int], NDArray[np.int64]],
    ) -> list[Prediction]:
        """Predictions of one batch, in its order.

        `attention_mask` is [batch, seq]; `offsets(row)` gives the [tokens, 2] code points of a row and is asked only
        for rows in which a tag fires. Raises ModelError if the outputs don't fit the manifest or are not finite.
        """
        self._check(logits, attention_mask)
        intent = softmax(logits.intent, self._temperature["intent"])
        sentiment = softmax(logits.sentiment, self._temperature["sentiment"])
        order = np.argsort(-intent, axis=1, kind="stable")
        ranked = np.take_along_axis(intent, order, axis=1)
        low = (ranked[:, 0] < self._low_confidence["intent"]) | (
            sentiment.max(axis=1) < self._low_confidence["sentiment"]
        )
        spans = self._spans(logits.entity, attention_mask, texts, offsets)
        names = self._intents
        return [
            Prediction(
                intents=[(names[label], p) for label, p in zip(labels, probabilities, strict=True)],
                sentiment=dict(zip(self._sentiments, polarity, strict=True)),
                spans=spans.get(row, []),
                truncated=truncated[row],
                low_confidence=is_low,
            )
            for row, (labels, probabilities, polarity, is_low) in enumerate(
                zip(order.tolist(), ranked.tolist(), sentiment.tolist(), low.tolist(), strict=True)
            )
        ]

    def _check(self, logits: Logits, attention_mask: NDArray[np.int64]) -> None:
        rows, seq = attention_mask.shape
        expected = {
            "intent_logits": (logits.intent, (rows, len(self._intents))),
            "sentiment_logits": (logits.sentiment, (rows, len(self._sentiments))),
            "entity_logits": (logits.entity, (rows, seq, len(self._tag_labels))),
        }
        wrong = [
            f"{name} is {list(values.shape)}, the manifest's labels make it {list(shape)}"
            for name, (values, shape) in expected.items()
            if values.shape != shape
        ]
        if wrong:
            raise ModelError("; ".join(wrong) + ": the graph and its manifest.json are not of one export")
        if broken := [name for name, (values, _) in expected.items() if not np.isfinite(values).all()]:
            raise ModelError(f"{', '.join(broken)} of a batch of shape {rows} x {seq} are not finite")

    def _spans(
        self,
        entity: NDArray[np.float32],
        attention_mask: NDArray[np.int64],
        texts: Sequence[str],
        offsets: Callable[[int], NDArray[np.int64]],
    ) -> dict[int, list[Span]]:
        """Spans of the rows that have any."""
        tags = entity.argmax(axis=2)
        fired_rows, fired_tokens = np.nonzero((tags != _OUTSIDE) & (attention_mask != 0))
        if not fired_rows.size:
            return {}
        fired_tags = tags[fired_rows, fired_tokens]
        probabilities = softmax(entity[fired_rows, fired_tokens], self._temperature["entities"]).max(axis=1)
        spans = {}
        rows, starts = np.unique(fired_rows, return_index=True)
        for row, start, stop in zip(
            rows.tolist(), starts.tolist(), [*starts[1:].tolist(), len(fired_rows)], strict=True
        ):
            indices = fired_tokens[start:stop]
            places = offsets(row)
            visible = places[:, 1] > places[:, 0]
            tokens = [
                TaggedToken(rank, place[0], place[1], self._tag_begins[tag], self._tag_labels[tag], p)
                for rank, place, tag, p, is_visible in zip(
                    visible.cumsum()[indices].tolist(),
                    places[indices].tolist(),
                    fired_tags[start:stop].tolist(),
                    probabilities[start:stop].tolist(),
                    visible[indices].tolist(),
                    strict=True,
                )
                if is_visible
            ]
            if found := merge_tokens(texts[row], tokens):
                spans[row] = found
        return spans


def softmax(logits: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
    """softmax(logits / temperature) over the last axis, in float64 so that a row sums to 1."""
    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(axis=-1, keepdims=True)
    np.exp(scaled, out=scaled)
    scaled /= scaled.sum(axis=-1, keepdims=True)
    return scaled
