"""Decodes logits: calibrated probabilities of the labels, the low-confidence flag, entity spans, aspects and risks."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from triage.errors import ModelError
from triage.inference.calibration import PLAIN, is_chinese, probabilities, softmax
from triage.inference.manifest import Manifest
from triage.inference.runtime import Logits
from triage.inference.spans import TaggedToken, merge_tokens
from triage.types import Aspect, Prediction, Risk, Span

_OUTSIDE = 0
ASPECT_STATES = ("absent", "negative", "neutral", "positive")
"""Labels of the last axis of the aspect output."""


def concatenate(batches: Sequence[Logits]) -> Logits:
    """The logits of several batches, without padding, in the order of the batches."""
    if len(batches) == 1:
        return batches[0]
    intent, sentiment, entity, *optional = zip(*batches, strict=True)
    aspects, risks = (None if parts[0] is None else np.concatenate(parts) for parts in optional)
    return Logits(np.concatenate(intent), np.concatenate(sentiment), np.concatenate(entity), aspects, risks)


class Heads:
    """Decodes the outputs of one model to predictions, according to its manifest.

    Thread-safe, because it never changes.
    """

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
        self._risks = manifest.risks
        self._risk_thresholds = np.array([manifest.risk_thresholds[label] for label in manifest.risks])

    def without_padding(self, logits: Logits, attention_mask: NDArray[np.int64]) -> Logits:
        """The logits of one batch without padding: `entity` becomes [tokens, tags], text after text.

        `attention_mask` is [texts, seq]. Raises ModelError if the outputs do not fit the manifest or are not finite.
        """
        rows, seq = attention_mask.shape
        self._check_shapes(logits, rows, seq)
        unpadded = logits._replace(entity=logits.entity[attention_mask.astype(bool)])
        named = zip(("intent", "sentiment", "entity", "aspect", "risk"), unpadded, strict=True)
        if broken := [name for name, values in named if values is not None and not np.isfinite(values).all()]:
            raise ModelError(f"{'_logits, '.join(broken)}_logits of a batch of shape {rows} x {seq} are not finite")
        return unpadded

    def decode(
        self,
        logits: Logits,
        tokens: NDArray[np.int64],
        texts: Sequence[str],
        truncated: Sequence[bool],
        offsets: Callable[[int], NDArray[np.int64]],
        scale_tokens: NDArray[np.int64] | None = None,
    ) -> list[Prediction]:
        """One prediction per text, in the order of `texts`.

        `logits` are without padding, as `without_padding` returns them, of any number of batches; `tokens` [texts] is
        the number of tokens of each text, special ones included; `truncated` [texts] marks texts that were cut.
        `scale_tokens` [texts] replaces `tokens` in the calibration, for texts that were read in windows.
        `offsets(row)` returns the [tokens, 2] code points of the tokens of a text and is called only for texts in
        which a token is tagged.
        """
        counted = tokens if scale_tokens is None else scale_tokens
        chinese = is_chinese(texts) if self._by_language else None
        intent = probabilities(
            logits.intent, self._temperature["intent"], self._scaling.get("intent", PLAIN), counted, chinese
        )
        sentiment = probabilities(
            logits.sentiment,
            self._temperature["sentiment"],
            self._scaling.get("sentiment", PLAIN),
            counted,
            chinese,
            intent,
        )
        order = np.argsort(-intent, axis=1, kind="stable")
        ranked = np.take_along_axis(intent, order, axis=1)
        low = (ranked[:, 0] < self._low_confidence["intent"]) | (
            sentiment.max(axis=1) < self._low_confidence["sentiment"]
        )
        spans = self._decode_spans(logits.entity, tokens, texts, offsets)
        aspects = self._decode_aspects(logits)
        risks = self._decode_risks(logits)
        names = self._intents
        return [
            Prediction(
                intents=[(names[label], p) for label, p in zip(labels, probabilities, strict=True)],
                sentiment=dict(zip(self._sentiments, polarity, strict=True)),
                spans=spans.get(row, []),
                truncated=truncated[row],
                low_confidence=is_low,
                aspects=aspects.get(row, []),
                risks=risks.get(row, []),
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
            raise ModelError("the graph has no aspect_logits, but its manifest.json names aspects: export it again")
        if logits.risk is not None and self._risks:
            expected["risk_logits"] = (logits.risk, (rows, len(self._risks)))
        elif self._risks:
            raise ModelError("the graph has no risk_logits, but its manifest.json names risks: export it again")
        wrong = [
            f"{name} is {list(values.shape)}, the manifest's labels make it {list(shape)}"
            for name, (values, shape) in expected.items()
            if values.shape != shape
        ]
        if wrong:
            raise ModelError("; ".join(wrong) + ": the graph and its manifest.json are not of one export")

    def _decode_spans(
        self,
        entity: NDArray[np.float32],
        tokens: NDArray[np.int64],
        texts: Sequence[str],
        offsets: Callable[[int], NDArray[np.int64]],
    ) -> dict[int, list[Span]]:
        """Spans of the texts that have any, by row.

        All texts are decoded together: `tagged` are the tokens of the concatenation whose best tag is not O.
        """
        tags = entity.argmax(axis=1)
        tagged = np.flatnonzero(tags != _OUTSIDE)
        if not tagged.size:
            return {}
        ends = np.cumsum(tokens)
        tagged_rows = np.searchsorted(ends, tagged, side="right")
        tagged_tokens = tagged - (ends - tokens)[tagged_rows]
        best_tags = tags[tagged]
        confidence = softmax(entity[tagged] / self._temperature["entities"]).max(axis=1)
        spans = {}
        rows, starts = np.unique(tagged_rows, return_index=True)
        for row, start, stop in zip(
            rows.tolist(), starts.tolist(), [*starts[1:].tolist(), len(tagged_rows)], strict=True
        ):
            indices = tagged_tokens[start:stop]
            places = offsets(row)
            # Special tokens and lone word marks cover no characters: they are not part of an entity.
            visible = places[:, 1] > places[:, 0]
            found = [
                TaggedToken(rank, place[0], place[1], self._tag_begins[tag], self._tag_labels[tag], p)
                for rank, place, tag, p, is_visible in zip(
                    visible.cumsum()[indices].tolist(),
                    places[indices].tolist(),
                    best_tags[start:stop].tolist(),
                    confidence[start:stop].tolist(),
                    visible[indices].tolist(),
                    strict=True,
                )
                if is_visible
            ]
            if merged := merge_tokens(texts[row], found):
                spans[row] = merged
        return spans

    def _decode_aspects(self, logits: Logits) -> dict[int, list[Aspect]]:
        """Aspects of the texts that mention any, by row, highest confidence first."""
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

    def _decode_risks(self, logits: Logits) -> dict[int, list[Risk]]:
        """Risks above their thresholds by row, highest confidence first."""
        if logits.risk is None or not self._risks:
            return {}
        scaled = logits.risk.astype(np.float64) / self._temperature.get("risks", 1.0)
        probabilities = 1.0 / (1.0 + np.exp(-scaled))
        found: dict[int, list[Risk]] = {}
        for row, risk in zip(*(p.tolist() for p in np.nonzero(probabilities >= self._risk_thresholds)), strict=True):
            found.setdefault(row, []).append(Risk(self._risks[risk], float(probabilities[row, risk])))
        for risks in found.values():
            risks.sort(key=lambda risk: -risk.confidence)
        return found
