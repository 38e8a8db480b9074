"""A model whose entity head knows given names, for tests of `redaction.names`."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from doubles import WordModel

from triage.clock import ManualClock
from triage.config import load_settings
from triage.pipeline.batch import ValidatedRecord
from triage.pipeline.stages.enrich import Enricher
from triage.redaction import Redactor
from triage.rules import load_rules
from triage.schemas.raw import parse_raw
from triage.types import Channel, Position, Prediction, Span

NOW_MS = 1_795_339_800_000


class NameModel(WordModel):
    """Finds the first mention of each name in a text, of which it reads `max_chars`; labels by name."""

    def __init__(self, names: dict[str, str], max_chars: int = 1_000_000) -> None:
        super().__init__()
        self.names, self.max_chars = names, max_chars

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        found = []
        for text, prediction in zip(texts, super().predict(texts), strict=True):
            spans: list[Span] = []
            for name in sorted(self.names, key=len, reverse=True):
                start = text[: self.max_chars].find(name)
                end = start + len(name)
                if start >= 0 and all(end <= one.start or start >= one.end for one in spans):
                    spans.append(Span(start, end, self.names[name], 0.9, "model"))
            spans.sort(key=lambda span: span.start)
            found.append(replace(prediction, spans=spans, truncated=len(text) > self.max_chars))
        return found


def enricher_of(model: WordModel, **flags: Any) -> Enricher:
    """With `redaction.names`, unless the flags say otherwise."""
    settings = load_settings(None, {"redaction.names": True, **flags})
    clock = ManualClock(NOW_MS)
    return Enricher(model, Redactor(settings.redaction), load_rules(None), settings.worker, clock)


def enriched(enricher: Enricher, **fields: Any) -> dict[str, Any]:
    """One record as it is published."""
    raw = parse_raw(json.dumps(fields).encode())
    record = ValidatedRecord(raw, Channel.COMPLAINT, NOW_MS, raw.id or "t/0/1", Position("t", 0, 1), 5)
    published: dict[str, Any] = json.loads(enricher.enrich([record])[0].body)
    return published
