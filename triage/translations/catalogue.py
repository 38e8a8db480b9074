"""Reads the messages of each language from `en.toml` and `zh.toml`."""

import functools
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

LANGUAGES = {"en": "English", "zh": "中文"}
# A message, or its plural forms by CLDR's names ("one", "other", ...).
Message = str | Mapping[str, str]
_PLURAL_FORMS = frozenset({"zero", "one", "two", "few", "many", "other"})


@functools.cache
def catalogue(language: str) -> Mapping[str, Message]:
    """Load the messages of a language, by dotted name, e.g. `now.records`.

    Raises KeyError for a language that is not in LANGUAGES.
    """
    if language not in LANGUAGES:
        raise KeyError(language)
    path = Path(__file__).with_name(f"{language}.toml")
    return dict(_flat(tomllib.loads(path.read_text("utf-8"))))


def _flat(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, Message]]:
    for name, value in table.items():
        if not isinstance(value, Mapping):
            yield f"{prefix}{name}", str(value)
        elif "other" in value and value.keys() <= _PLURAL_FORMS:
            yield f"{prefix}{name}", value
        else:
            yield from _flat(value, f"{prefix}{name}.")
