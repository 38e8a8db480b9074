"""Generates records and alerts for the benchmark of the console, with the number of field values of a large shop."""

import bisect
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import msgspec

from benchmarks.broker import sample_records
from triage.clock import rfc3339
from triage.schemas.alert import Alert, Chart, Example, Share
from triage.schemas.enriched import (
    Aspect,
    EnrichedRecord,
    Entity,
    Event,
    Intent,
    IntentScore,
    Route,
    Sentiment,
    Severity,
    Versions,
)
from triage.training.data.labels import load_taxonomy
from triage.types import Channel

# Number of distinct records; after these all fields except times, ids and authors repeat.
_POOL = 30_000
_SEED = 7
_BRANDS, _PRODUCTS, _REGIONS, _SOURCES, _NAMES = 60, 3_000, 80, 12, 20_000
_LOW_CONFIDENCE = 0.08
_SEVERITIES = ("low", "medium", "high", "critical")
_QUEUES = ("logistics", "billing", "quality", "security", "general")


@dataclass(frozen=True)
class Kind:
    """A record without time and ids, of which many are made, and the rest of its JSON document after these fields."""

    record: EnrichedRecord
    rest: bytes


def kinds(most: int) -> list[Kind]:
    """At most `most` records from which others are made: texts of the sample feed with random labels."""
    draw = random.Random(_SEED)
    taxonomy = load_taxonomy()
    texts = [msgspec.json.decode(payload)["text"] for _, payload in sample_records(6_000)]
    # A few brands, products and names have most of the records.
    brands, products, regions, names = (
        _Skewed(draw, [f"{word}-{number}" for number in range(count)])
        for word, count in (("brand", _BRANDS), ("product", _PRODUCTS), ("region", _REGIONS), ("name", _NAMES))
    )
    intents = _Skewed(draw, list(taxonomy.intents))
    found = []
    for number in range(min(_POOL, most)):
        text = texts[number % len(texts)]
        label = draw.choices(("negative", "neutral", "positive"), (4, 3, 3))[0]
        unsure = draw.random() < _LOW_CONFIDENCE
        sure = draw.uniform(0.2, 0.5) if unsure else draw.uniform(0.6, 1)
        intent, others = intents(), draw.sample(taxonomy.intents, 2)
        entities = [
            Entity(names(), draw.choice(taxonomy.entity_types), 0, min(6, len(text)), 0.9, "model")
            for _ in range(draw.randrange(4))
        ]
        record = EnrichedRecord(
            timestamp="",
            event=Event("", ""),
            channel=draw.choice(list(Channel)),
            text=text,
            language="zh" if any("\u4e00" <= char <= "\u9fff" for char in text) else "en",
            sentiment=Sentiment(label, round(draw.uniform(-1, 1), 4), round(draw.uniform(0.4, 1), 4)),
            intent=Intent(intent, round(sure, 4), [IntentScore(one, round(sure, 4)) for one in (intent, *others)]),
            entities=entities,
            severity=Severity(draw.choices(_SEVERITIES, (50, 30, 15, 5))[0], [f"rule-{draw.randrange(40)}"]),
            route=Route(draw.choice(_QUEUES), [f"route-{draw.randrange(10)}"]),
            flags=["low_confidence"] if unsure else [],
            versions=Versions("0.1.0", "triage-en-zh@1", "1+bench", taxonomy.version),
            source=f"source-{draw.randrange(_SOURCES)}",
            brand=brands(),
            product=products(),
            region=regions(),
            attributes={"order": draw.randrange(10**9), "plan": draw.choice(("free", "paid"))},
            aspects=[
                Aspect(one, label, 0.9, f"{one}:{label}") for one in draw.sample(taxonomy.aspects, draw.randrange(3))
            ],
        )
        document = msgspec.to_builtins(record)
        del document["@timestamp"], document["event"]
        found.append(Kind(record, msgspec.json.encode(document)[1:]))
    return found


class _Skewed:
    """Draws values by Zipf's law: the first ones are the most frequent."""

    def __init__(self, draw: random.Random, values: Sequence[str]) -> None:
        self._draw = draw
        self._values = values
        self._sums = list(accumulate(1 / (place + 1) for place in range(len(values))))

    def __call__(self) -> str:
        return self._values[bisect.bisect(self._sums, self._draw.random() * self._sums[-1])]


def alert(number: int, start_ms: int) -> Alert:
    """Alert number `number`; the first three are open."""
    firing = number < 3
    ended = {} if firing else {"ended_at": rfc3339(start_ms + 7_200_000)}
    return Alert(
        dedup_key=f"bench-{number}",
        rule="delivery",
        key=f"brand=brand-{number % _BRANDS}",
        dimensions={"brand": f"brand-{number % _BRANDS}", "intent": "delivery"},
        status="firing" if firing else "resolved",
        severity="critical",
        title=f"brand-{number % _BRANDS}: delivery complaints 6.2× expected",
        summary="31 of 34 records are negative, 5 expected.",
        started_at=rfc3339(start_ms),
        updated_at=rfc3339(start_ms + 60_000),
        window_s=3600,
        negative=31,
        total=34,
        share=0.91,
        peak_negative=31,
        expected=5.0,
        top_words=[Share("flooded", 22, 0.3)],
        examples=[Example("r", "Where is my parcel?", "delivery", Channel.COMPLAINT, rfc3339(start_ms))] * 3,
        chart=Chart(rfc3339(start_ms), 300, [3] * 48, [2.0] * 48),
        **ended,
    )
