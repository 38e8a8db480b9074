"""Reads corpora of aspects with polarities, and maps a corpus's categories to the aspects of the taxonomy."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from triage.training.data.examples import Example
from triage.training.data.readers.labelled import map_label

AspectPolarities = tuple[tuple[str, str], ...]
_AMBIGUOUS = "?"
_POLARITIES = frozenset(("negative", "neutral", "positive"))


def read_triplets(source: str, rows: list[dict[str, Any]], entry: dict[str, Any]) -> Iterable[Example]:
    """Examples of M-ABSA rows: `label` is the sentiment of the text, `triplets` (term, category, polarity) the aspects.

    `intent_by_category` in `entry` maps category prefixes to an intent, by sentiment. A text has an intent only if all
    its categories agree on one.
    """
    rules: dict[str, dict[str, str]] = entry.get("intent_by_category", {})
    for row in rows:
        sentiment = map_label(source, entry["sentiment"], row)
        intents = {_intent(category, rules.get(sentiment or "", {})) for category in row["categories"]}
        intent = intents.pop() if len(intents) == 1 else None
        # The projection of labels left superfluous spaces around the aspect terms.
        text = " ".join(row["text"].split())
        if text:
            pairs = [(category, polarity) for _, category, polarity in row.get("triplets", ())]
            aspects, known = map_aspects(entry, pairs, row.get("domain"))
            yield Example(text, source, intent=intent, sentiment=sentiment, aspects=aspects, known_aspects=known)


def read_opinions(source: str, rows: list[dict[str, Any]], entry: dict[str, Any]) -> Iterable[Example]:
    """Examples of rows with a `text` and `aspects`: a list of {category, polarity}, or a mapping of the two.

    `entry` has the rules for the categories (see `map_aspects`).
    """
    for row in rows:
        tagged = row["aspects"]
        pairs = tagged.items() if isinstance(tagged, dict) else [(one["category"], one["polarity"]) for one in tagged]
        aspects, known = map_aspects(entry, pairs)
        text = row["text"].strip()
        if text:
            yield Example(text, source, aspects=aspects, known_aspects=known)


def map_aspects(
    entry: Mapping[str, Any], pairs: Iterable[tuple[str, str]], domain: str | None = None
) -> tuple[AspectPolarities | None, tuple[str, ...]]:
    """Map the categories of a text to aspects of the taxonomy, by the rules of a source of sources.yaml (`entry`).

    Returns the (aspect, polarity) pairs, and the aspects that are known to be absent if they are not among the pairs;
    (None, ()) if `entry` has no `aspects`. `pairs` are (category, polarity) in the corpus's terms.

    `aspects` of `entry` has `known` (a list of aspects, or one list per domain) and `map`: the first pattern that
    matches a category gives the aspect, null, or `aspect?` for a category that is too wide to decide. Then that aspect
    is neither present nor absent. The same holds for polarities other than negative, neutral and positive.
    """
    rules = entry.get("aspects")
    if not rules:
        return None, ()
    known: Sequence[str] = rules["known"][domain] if isinstance(rules["known"], dict) else rules["known"]
    found: list[tuple[str, str]] = []
    undecided: set[str] = set()
    for category, polarity in pairs:
        for aspect in _matching(rules["map"], category.lower()):
            if aspect.endswith(_AMBIGUOUS) or polarity not in _POLARITIES:
                undecided.add(aspect.rstrip(_AMBIGUOUS))
            elif aspect in known:
                found.append((aspect, polarity))
    present = {aspect for aspect, _ in found}
    return tuple(found), tuple(aspect for aspect in known if aspect in present or aspect not in undecided)


def mapped_aspects(rules: Mapping[str, Any]) -> Iterator[str]:
    """Every aspect of the taxonomy that the `aspects` rules of a source name."""
    known = rules["known"]
    yield from (aspect for names in (known.values() if isinstance(known, dict) else (known,)) for aspect in names)
    for target in rules["map"].values():
        yield from (aspect.rstrip(_AMBIGUOUS) for aspect in _as_list(target))


def _intent(category: str, rules: dict[str, str]) -> str | None:
    """Intent of the longest prefix that matches; the empty prefix matches every category."""
    matching = [prefix for prefix in rules if category.startswith(prefix)]
    return rules[max(matching, key=len)] if matching else None


def _matching(patterns: Mapping[str, Any], category: str) -> list[str]:
    return next((_as_list(target) for pattern, target in patterns.items() if fnmatchcase(category, pattern)), [])


def _as_list(target: Any) -> list[str]:
    if target is None:
        return []
    return list(target) if isinstance(target, list) else [str(target)]
