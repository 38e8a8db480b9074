"""Features of a record that a risk model weighs: hashed words and Han characters, labels, the author's history.

Words are hashed, so that a fitted file holds weights and no text of a customer.
"""

import math
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from triage.han import simplified
from triage.schemas.enriched import EnrichedRecord

HISTORY = "author_history"
FEATURES = (
    "text", "intent", "sentiment", "risks", "aspects", "product", "brand", "channel", "length", "rating", HISTORY,
)  # fmt: skip
DEFAULT_FEATURES = tuple(name for name in FEATURES if name != HISTORY)
BITS = 18
"""Terms are hashed into 2**BITS buckets."""
HISTORY_DAYS = 90
NUMERIC = (
    "sentiment score", "length of the text", "rating", "author wrote before", "author was negative before",
    "author wrote days ago",
)  # fmt: skip
"""Named features that are numbers; all others are 1 where they hold."""
_MASK = (1 << BITS) - 1
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(rf"[{_HAN}]|[^\W\d_{_HAN}]+(?:['’][^\W\d_{_HAN}]+)*|\d+")
_IS_HAN = re.compile(f"[{_HAN}]+")
_BEST_RATING = 5.0


@dataclass(frozen=True, slots=True)
class History:
    """Records of the same author in the 90 days before a record: their number, negative ones, days since the last."""

    records: int = 0
    negative: int = 0
    days_since: float | None = None


NO_HISTORY = History()


def terms_of(text: str) -> list[str]:
    """Words and pairs of neighbouring words; of Chinese, characters and pairs of characters. Numbers are `#`."""
    folded = simplified(unicodedata.normalize("NFKC", text).casefold())
    tokens = ["#" if token[0].isdigit() else token for token in _TOKEN.findall(folded)]
    pairs = [
        one + two if _IS_HAN.fullmatch(one) and _IS_HAN.fullmatch(two) else f"{one} {two}"
        for one, two in pairwise(tokens)
    ]
    return tokens + pairs


def bucket_of(term: str) -> int:
    """The bucket of a term, 0 to 2**BITS - 1: the same in every process and version."""
    return zlib.crc32(term.encode("utf-8", "replace")) & _MASK


def term_counts(record: EnrichedRecord) -> Counter[str]:
    """The terms of the part of the record's text that its writer wrote, with their numbers."""
    return Counter(terms_of(record.parts.joined(record.text)))


def label_features(
    record: EnrichedRecord, features: Sequence[str], attributes: Sequence[str], history: History = NO_HISTORY
) -> dict[str, float]:
    """Named features except the words, such as `product=card account` with value 1; numbers are scaled to about 1."""
    found: dict[str, float] = {}
    for name in features:
        found.update(_OF[name](record, history) if name in _OF else ())
    for name in attributes:
        value = record.attributes.get(name)
        if value is not None:
            found[f"attributes.{name}={_plain(value)}"] = 1.0
    return found


def _plain(value: object) -> str:
    return " ".join(str(value).split())[:200]


def _intent(record: EnrichedRecord, _: History) -> Iterator[tuple[str, float]]:
    yield f"intent={record.intent.label}", 1.0


def _sentiment(record: EnrichedRecord, _: History) -> Iterator[tuple[str, float]]:
    yield f"sentiment={record.sentiment.label}", 1.0
    yield "sentiment score", record.sentiment.score


def _length(record: EnrichedRecord, _: History) -> Iterator[tuple[str, float]]:
    yield "length of the text", math.log1p(len(record.text)) / 10


def _rating(record: EnrichedRecord, _: History) -> Iterator[tuple[str, float]]:
    if record.rating is not None:
        yield "rating", max(-1.0, min(1.0, record.rating / _BEST_RATING))


def _history(_: EnrichedRecord, history: History) -> Iterator[tuple[str, float]]:
    if history.records:
        yield "author wrote before", math.log1p(history.records)
        yield "author was negative before", math.log1p(history.negative)
        yield "author wrote days ago", math.log1p(history.days_since or 0.0) / 5


_OF = {
    "intent": _intent,
    "sentiment": _sentiment,
    "risks": lambda record, _: ((f"risk={risk.label}", 1.0) for risk in record.risks),
    "aspects": lambda record, _: ((f"aspect={aspect.pair}", 1.0) for aspect in record.aspects),
    "product": lambda record, _: [(f"product={_plain(record.product)}", 1.0)] if record.product else [],
    "brand": lambda record, _: [(f"brand={_plain(record.brand)}", 1.0)] if record.brand else [],
    "channel": lambda record, _: [(f"channel={record.channel}", 1.0)],
    "length": _length,
    "rating": _rating,
    HISTORY: _history,
}
