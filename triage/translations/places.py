"""Names of places in several languages and spellings, so that 武汉 and Wuhan count as one place."""

import functools
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triage.decoding import read_yaml
from triage.errors import ConfigError
from triage.han import simplified

_SHIPPED = Path(__file__).with_name("places.yaml")
_FORM = "a place is {name: Wuhan, zh: 武汉, also: [武汉市]}; zh and also may be missing"


@dataclass(frozen=True, slots=True)
class Place:
    """A place: the name under which it is counted, its Chinese name, and all its spellings, the name first."""

    name: str
    zh: str
    spellings: tuple[str, ...]


class Places:
    """Finds the place that a spelling names, ignoring case and the difference of Chinese scripts."""

    def __init__(self, places: Iterable[Place] = ()) -> None:
        self._by_spelling = {_folded(spelling): place for place in places for spelling in place.spellings}

    def one_name(self, value: str) -> str:
        """The name under which a place is counted: `Wuhan` for 武汉. Any other value is returned unchanged."""
        place = self._by_spelling.get(_folded(value))
        return value if place is None else place.name

    def name_in(self, value: str, language: str) -> str:
        """The name of a place in a language, `en` or `zh`. Any other value is returned unchanged."""
        place = self._by_spelling.get(_folded(value))
        if place is None:
            return value
        return place.zh if language == "zh" and place.zh else place.name

    def spellings(self, value: str) -> tuple[str, ...]:
        """All spellings of the place that `value` names; only `value` itself if it is not a known place."""
        place = self._by_spelling.get(_folded(value))
        return (value,) if place is None else tuple(dict.fromkeys((value, *place.spellings)))

    def merged(self, counts: Mapping[str, int]) -> dict[str, int]:
        """Add up counts by place name: those of all spellings of a place under its one name, other names unchanged."""
        found: Counter[str] = Counter()
        for value, count in counts.items():
            found[self.one_name(value)] += count
        return dict(found)


@functools.cache
def places_of(path: Path | None = None) -> Places:
    """The places of the package, and those in the operator's file `path`, which take precedence. Cached.

    Raises ConfigError that lists every problem of the file.
    """
    shipped = _read(_SHIPPED)
    own = [] if path is None else _read(path)
    taken = {_folded(spelling) for place in own for spelling in place.spellings}
    # A shipped place that shares a spelling with one of the owner's is replaced by it.
    kept = [place for place in shipped if not any(_folded(spelling) in taken for spelling in place.spellings)]
    return Places([*kept, *own])


def _read(path: Path) -> list[Place]:
    where = str(path)
    content: Any = read_yaml(path)
    if not isinstance(content, dict) or content.get("version") != 1 or not isinstance(content.get("places"), list):
        raise ConfigError("must have `version: 1` and a list `places`", where=where)
    problems: list[str] = []
    places: list[Place] = []
    owner: dict[str, str] = {}
    for number, entry in enumerate(content["places"], 1):
        place = _place(entry)
        if place is None:
            problems.append(f"place {number}: {_FORM}, not {str(entry)[:100]}")
            continue
        problems += [
            f"place {number}: {spelling!r} is also a name of {other}"
            for spelling in place.spellings
            if (other := owner.setdefault(_folded(spelling), place.name)) != place.name
        ]
        places.append(place)
    if problems:
        raise ConfigError(problems, where=where)
    return places


def _place(entry: Any) -> Place | None:
    if not isinstance(entry, dict) or not entry.keys() <= {"name", "zh", "also"}:
        return None
    name, zh, also = entry.get("name", ""), entry.get("zh", ""), entry.get("also", [])
    if not isinstance(also, list) or not all(isinstance(text, str) for text in (name, zh, *also)):
        return None
    spellings = tuple(dict.fromkeys(text.strip() for text in (name, zh, *also) if text.strip()))
    return Place(name.strip(), zh.strip(), spellings) if name.strip() else None


def _folded(text: str) -> str:
    return simplified(" ".join(text.split()).casefold())
