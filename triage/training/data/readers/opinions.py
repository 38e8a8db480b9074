"""What a text says about which aspect, from a corpus's own categories."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from triage.training.data.examples import Example

Opinions = tuple[tuple[str, str], ...]
_UNSURE = "?"


def opinions(
    entry: Mapping[str, Any], pairs: Iterable[tuple[str, str]], domain: str | None = None
) -> tuple[Opinions | None, tuple[str, ...]]:
    """(aspect, polarity) pairs of a text, and the aspects whose absence in it means something.

    `pairs` are (category, polarity) as the corpus has them. `entry` is a source of sources.yaml whose `aspects` have
    `known` (a list, or a list a domain) and `map`: the first pattern that fits a category gives our aspect, or null,
    or `aspect?` where the category is too wide to tell: then that aspect is neither present nor absent.
    Polarities other than negative, neutral and positive count as too wide. Without `aspects`: (None, ()).
    """
    rules = entry.get("aspects")
    if not rules:
        return None, ()
    known: Sequence[str] = rules["known"][domain] if isinstance(rules["known"], dict) else rules["known"]
    found: list[tuple[str, str]] = []
    unsure: set[str] = set()
    for category, polarity in pairs:
        for aspect in _targets(rules["map"], category.lower()):
            if aspect.endswith(_UNSURE) or polarity not in {"negative", "neutral", "positive"}:
                unsure.add(aspect.rstrip(_UNSURE))
            elif aspect in known:
                found.append((aspect, polarity))
    named = {aspect for aspect, _ in found}
    return tuple(found), tuple(aspect for aspect in known if aspect in named or aspect not in unsure)


def read_opinions(source: str, rows: list[dict[str, Any]], entry: dict[str, Any]) -> Iterable[Example]:
    """Rows with a text and `aspects`: a list of {category, polarity}, or a mapping category to polarity."""
    for row in rows:
        tagged = row["aspects"]
        pairs = tagged.items() if isinstance(tagged, dict) else [(one["category"], one["polarity"]) for one in tagged]
        aspects, known = opinions(entry, pairs)
        text = row["text"].strip()
        if text:
            yield Example(text, source, aspects=aspects, known_aspects=known)


def aspect_targets(rules: Mapping[str, Any]) -> Iterator[str]:
    """Every aspect of the taxonomy that an `aspects` entry names."""
    known = rules["known"]
    yield from (aspect for names in (known.values() if isinstance(known, dict) else (known,)) for aspect in names)
    for target in rules["map"].values():
        yield from (aspect.rstrip(_UNSURE) for aspect in _listed(target))


def _targets(patterns: Mapping[str, Any], category: str) -> list[str]:
    return next((_listed(target) for pattern, target in patterns.items() if fnmatchcase(category, pattern)), [])


def _listed(target: Any) -> list[str]:
    if target is None:
        return []
    return list(target) if isinstance(target, list) else [str(target)]
