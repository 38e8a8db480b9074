"""Indexes two weeks of synthetic feedback, in which delivery complaints about one product rise in the second week."""

import random
from typing import Any

import msgspec
from elasticsearch import Elasticsearch
from records import enriched

from triage.clock import rfc3339
from triage.config import ElasticsearchSettings
from triage.schemas.alert import Alert, Chart, Example, Share
from triage.schemas.enriched import Aspect, Entity, Event, Intent, IntentScore, Route, Sentiment, Severity, Versions
from triage.types import Channel

DAY = 86_400_000
PRODUCTS = {"Aurora kettle": "Aurora", "Nova headphones": "Nova", "Tidal blender": "Tidal", "Pixel lamp": "Aurora"}
RISING = "Nova headphones"
_TEXTS = {
    "delivery": ("My {p} still has not arrived", "Where is my parcel with the {p}?", "快递还没到，{p}已经等了一周"),
    "product_fault": ("The {p} broke after two days", "{p} 用了两天就坏了", "My {p} arrived damaged"),
    "billing": ("I was charged twice for the {p}", "Wrong amount on the statement for {p}", "{p}被重复扣款"),
    "staff_service": ("Nobody answers about my {p}", "Support was rude about the {p}", "客服不理我，{p}"),
    "praise": ("I love the {p}", "{p} 太好用了", "Great {p}, thank you"),
    "product_question": ("Does the {p} work with 110 volts?", "{p} 支持蓝牙吗？", "Which cable fits the {p}?"),
}
_WHY = ("the Leeds depot is flooded and the courier has stopped", "courier says the Leeds depot is flooded")


def seed_index(
    client: Elasticsearch, settings: ElasticsearchSettings, now_ms: int, per_day: int = 40, seed: int = 7
) -> int:
    """Index the records and an alert; return the number of records."""
    rng = random.Random(seed)
    operations: list[dict[str, Any]] = []
    for number in range(14 * per_day):
        at_ms = now_ms - 60_000 - int(14 * DAY * (1 - (number + rng.random()) / (14 * per_day)) * 0.999)
        operations += _operation(settings, rng, number, at_ms)
    for extra in range(3 * per_day):
        at_ms = now_ms - 60_000 - int(3 * DAY * rng.random())
        operations += _operation(settings, rng, 1_000_000 + extra, at_ms, rising=True)
    alert = seeded_alert(now_ms)
    operations += [{"index": {"_index": settings.alerts_index, "_id": alert.dedup_key}}, msgspec.to_builtins(alert)]
    for start in range(0, len(operations), 2_000):
        response = client.bulk(operations=operations[start : start + 2_000], refresh=True)
        assert not response["errors"], response
    return len(operations) // 2 - 1


def _operation(
    settings: ElasticsearchSettings, rng: random.Random, number: int, at_ms: int, *, rising: bool = False
) -> list[dict[str, Any]]:
    product = RISING if rising else rng.choice(list(PRODUCTS))
    intent = "delivery" if rising else rng.choice(list(_TEXTS))
    text = rng.choice(_TEXTS[intent]).format(p=product)
    if rising and rng.random() < 0.7:
        text = f"{text}, {rng.choice(_WHY)}"
    good = intent == "praise"
    score = 0.8 if good else 0.0 if intent == "product_question" else -0.9
    low_confidence = rng.random() < 0.08
    confidence = 0.41 if low_confidence else 0.93
    chinese = any("\u4e00" <= char <= "\u9fff" for char in text)
    start = text.index(product)
    entities = [Entity(product, "product", start, start + len(product), 0.9, "model")]
    if "Leeds" in text:
        at = text.index("Leeds")
        entities.append(Entity("Leeds", "location", at, at + 5, 0.95, "model"))
    label = "positive" if good else "neutral" if score == 0 else "negative"
    others = [name for name in _TEXTS if name != intent][:2]
    scores = [IntentScore(intent, confidence), *(IntentScore(name, round((1 - confidence) / 2, 3)) for name in others)]
    record = enriched(
        text, at_ms,
        event=Event(f"s-{number}", rfc3339(at_ms + 900)),
        channel=rng.choice(list(Channel)),
        language="zh" if chinese else "en",
        sentiment=Sentiment(label, score, 0.9),
        entities=entities, product=product, brand=PRODUCTS[product], region=rng.choice(["eu", "us", "cn"]),
        source="seed", author_id=f"hash-{number % 50}",
        severity=Severity(rng.choice(["low", "medium", "high", "critical"]), ["seeded"]),
        route=Route("logistics" if intent == "delivery" else "general", ["seeded"]),
        flags=["low_confidence"] if low_confidence else [],
        aspects=[Aspect(intent, label, 0.9, f"{intent}:{label}")],
        versions=Versions("0.1.0", "triage-en-zh@1", "1+seeded", "1"),
    )  # fmt: skip
    record.intent = Intent(intent, confidence, scores)
    # One index per year: on the local stack, a search over fourteen daily indices takes ten times as long.
    index = f"{settings.index_prefix}-{record.timestamp[:4]}"
    return [{"index": {"_index": index, "_id": f"r{number}"}}, msgspec.to_builtins(record)]


def seeded_alert(now_ms: int) -> Alert:
    """A firing alert about the product with rising complaints."""
    start = now_ms - 3 * 3_600_000
    return Alert(
        dedup_key=f"delivery-seeded-{start}", rule="delivery", key=f"product={RISING}",
        dimensions={"product": RISING, "intent": "delivery"}, status="firing", severity="critical",
        title=f"{RISING} · delivery complaints 6.2× expected", summary="31 of 34 records are negative, 5 expected.",
        started_at=rfc3339(start), updated_at=rfc3339(now_ms - 60_000), window_s=3600, negative=31, total=34,
        share=0.91, peak_negative=31, expected=5.0, runbook="https://runbooks.example/delivery",
        top_words=[Share("flooded", 22, 0.3)], top_entities=[Share("Leeds", 22, 0.4)],
        examples=[Example("r1000000", f"Where is my {RISING}, the Leeds depot is flooded", "delivery",
                          Channel.COMPLAINT, rfc3339(now_ms - 120_000))],
        chart=Chart(rfc3339(start - 3_600_000), 1800, [2, 3, 2, 8, 14, 17, 16, 14], [2, 2, 2, 2, 2.5, 2.5, 2.4, 2]),
    )  # fmt: skip
