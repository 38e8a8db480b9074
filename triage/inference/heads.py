"""From logits to labels: calibrated probabilities, low confidence, entities as spans of the text, and aspects."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from triage.errors import ModelError
from triage.inference.calibration import PLAIN, is_chinese, probabilities, softmax
from triage.inference.manifest import Manifest
from triage.inference.runtime import Logits
from triage.inference.spans import TaggedToken, merge_tokens
from triage.types import Aspect, Prediction, Span

_OUTSIDE = 0
ASPECT_STATES = ("absent", "negative", "neutral", "positive")
"""Last axis of the aspect output."""


def merged(batches: Sequence[Logits]) -> Logits:
    """Logits without padding of several batches, a batch behind the other."""
    if len(batches) == 1:
        return batches[0]
    intent, sentiment, entity, aspect = zip(*batches, strict=True)
    aspects = None if aspect[0] is None else np.concatenate(aspect)
    return Logits(np.concatenate(intent), np.concatenate(sentiment), np.concatenate(entity), aspects)


class Heads:
    """The meaning of the outputs of one model."""

    def __init__(self, manifest: Manifest) -> None:
        self._intents = manifest.intents
        self._sentiments = manifest.sentiments
        tags = [tag.partition("-") for tag in manifest.entity_tags]
        self._tag_begins = [kind == "B" for kind, _, _ in tags]
        self._tag_labels = [label for _, _, label in tags]
        self._temperature = manifest.temperature
        self._low_confidence = manifest.low_confidence
        self._scaling = manifest.scaling
        self._by_language = any(scaling.chinese for scaling in manifest.scaling.values())
        self._aspects = manifest.aspects
        self._aspect_threshold = manifest.aspect_threshold

    def kept(self, logits: Logits, attention_mask: NDArray[np.int64]) -> Logits:
        """Those of one batch without its padding: `entity` becomes [tokens, tags], a text behind the other.

        `attention_mask` is [texts, seq]. Raises ModelError if the outputs don't fit the manifest or are not finite.
        """
        rows, seq = attention_mask.shape
        self._check_shapes(logits, rows, seq)
        useful = logits._replace(entity=logits.entity[attention_mask.astype(bool)])
        named = zip(("intent", "sentiment", "entity", "aspect"), useful, strict=True)
        if broken := [name for name, values in named if values is not None and not np.isfinite(values).all()]:
            raise ModelError(f"{'_logits, '.join(broken)}_logits of a batch of shape {rows} x {seq} are not finite")
        return useful

    def decode(
        self,
        logits: Logits,
        tokens: NDArray[np.int64],
        texts: Sequence[str],
        truncated: Sequence[bool],
        offsets: Callable[[int], NDArray[np.int64]],
    ) -> list[Prediction]:
        """Predictions of texts, in their order, however many batches they were in.

        `logits` are without padding, as `kept` gives them; `tokens` [texts] counts those of each text; `offsets(row)`
        gives the [tokens, 2] code points of a text and is asked only for those in which a tag fires.
        """
        chinese = is_chinese(texts) if self._by_language else None
        intent = probabilities(
            logits.intent, self._temperature["intent"], self._scaling.get("intent", PLAIN), tokens, chinese
        )
        sentiment = probabilities(
            logits.sentiment,
            self._temperature["sentiment"],
            self._scaling.get("sentiment", PLAIN),
            tokens,
            chinese,
            intent,
        )
        order = np.argsort(-intent, axis=1, kind="stable")
        ranked = np.take_along_axis(intent, order, axis=1)
        low = (ranked[:, 0] < self._low_confidence["intent"]) | (
            sentiment.max(axis=1) < self._low_confidence["sentiment"]
        )
        spans = self._spans(logits.entity, tokens, texts, offsets)
        aspects = self._opinions(logits)
        names = self._intents
        return [
            Prediction(
                intents=[(names[label], p) for label, p in zip(labels, probabilities, strict=True)],
                sentiment=dict(zip(self._sentiments, polarity, strict=True)),
                spans=spans.get(row, []),
                truncated=truncated[row],
                low_confidence=is_low,
                aspects=aspects.get(row, []),
            )
            for row, (labels, probabilities, polarity, is_low) in enumerate(
                zip(order.tolist(), ranked.tolist(), sentiment.tolist(), low.tolist(), strict=True)
            )
        ]

    def _check_shapes(self, logits: Logits, rows: int, seq: int) -> None:
        expected = {
            "intent_logits": (logits.intent, (rows, len(self._intents))),
            "sentiment_logits": (logits.sentiment, (rows, len(self._sentiments))),
            "entity_logits": (logits.entity, (rows, seq, len(self._tag_labels))),
        }
        if logits.aspect is not None:
            expected["aspect_logits"] = (logits.aspect, (rows, len(self._aspects), len(ASPECT_STATES)))
        elif self._aspects:
            raise ModelError("the graph gives no aspect_logits, but its manifest.json names aspects: export it again")
        wrong = [
            f"{name} is {list(values.shape)}, the manifest's labels make it {list(shape)}"
            for name, (values, shape) in expected.items()
            if values.shape != shape
        ]
        if wrong:
            raise ModelError("; ".join(wrong) + ": the graph and its manifest.json are not of one export")

    def _spans(
        self,
        entity: NDArray[np.float32],
        tokens: NDArray[np.int64],
        texts: Sequence[str],
        offsets: Callable[[int], NDArray[np.int64]],
    ) -> dict[int, list[Span]]:
        """Spans of the rows that have any."""
        tags = entity.argmax(axis=1)
        fired = np.flatnonzero(tags != _OUTSIDE)
        if not fired.size:
            return {}
        ends = np.cumsum(tokens)
        fired_rows = np.searchsorted(ends, fired, side="right")
        fired_tokens = fired - (ends - tokens)[fired_rows]
        fired_tags = tags[fired]
        certain = softmax(entity[fired] / self._temperature["entities"]).max(axis=1)
        spans = {}
        rows, starts = np.unique(fired_rows, return_index=True)
        for row, start, stop in zip(
            rows.tolist(), starts.tolist(), [*starts[1:].tolist(), len(fired_rows)], strict=True
        ):
            indices = fired_tokens[start:stop]
            places = offsets(row)
            visible = places[:, 1] > places[:, 0]
            tagged = [
                TaggedToken(rank, place[0], place[1], self._tag_begins[tag], self._tag_labels[tag], p)
                for rank, place, tag, p, is_visible in zip(
                    visible.cumsum()[indices].tolist(),
                    places[indices].tolist(),
                    fired_tags[start:stop].tolist(),
                    certain[start:stop].tolist(),
                    visible[indices].tolist(),
                    strict=True,
                )
                if is_visible
            ]
            if found := merge_tokens(texts[row], tagged):
                spans[row] = found
        return spans

    def _opinions(self, logits: Logits) -> dict[int, list[Aspect]]:
        """Aspects of the rows that speak of any, most certain first."""
        if logits.aspect is None:
            return {}
        scores = softmax(logits.aspect / self._temperature.get("aspects", 1.0))
        present = 1.0 - scores[..., 0]
        found: dict[int, list[Aspect]] = {}
        for row, aspect in zip(
            *(places.tolist() for places in np.nonzero(present >= self._aspect_threshold)), strict=True
        ):
            polarity = int(scores[row, aspect, 1:].argmax()) + 1
            confidence = float(present[row, aspect])
            found.setdefault(row, []).append(Aspect(self._aspects[aspect], ASPECT_STATES[polarity], confidence))
        for aspects in found.values():
            aspects.sort(key=lambda aspect: -aspect.confidence)
        return found
