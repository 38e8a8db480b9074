"""Aspect corpora: the sentiment of the whole text, and an intent only where all its categories agree on one."""

from collections.abc import Iterable
from typing import Any

from triage.training.data.examples import Example
from triage.training.data.readers.mapping import mapped
from triage.training.data.readers.opinions import opinions


def read_triplets(source: str, rows: list[dict[str, Any]], entry: dict[str, Any]) -> Iterable[Example]:
    """M-ABSA: `label` is the sentiment, triplets are the aspects; `intent_by_category` maps prefixes by sentiment."""
    rules: dict[str, dict[str, str]] = entry.get("intent_by_category", {})
    for row in rows:
        sentiment = mapped(source, entry["sentiment"], row)
        intents = {_intent(category, rules.get(sentiment or "", {})) for category in row["categories"]}
        intent = intents.pop() if len(intents) == 1 else None
        # Stray blanks around the aspect terms are left over from the projection of labels.
        text = " ".join(row["text"].split())
        if text:
            pairs = [(category, polarity) for _, category, polarity in row.get("triplets", ())]
            aspects, known = opinions(entry, pairs, row.get("domain"))
            yield Example(text, source, intent=intent, sentiment=sentiment, aspects=aspects, known_aspects=known)


def _intent(category: str, rules: dict[str, str]) -> str | None:
    """By the longest prefix that fits; the empty prefix fits everything."""
    fitting = [prefix for prefix in rules if category.startswith(prefix)]
    return rules[max(fitting, key=len)] if fitting else None
