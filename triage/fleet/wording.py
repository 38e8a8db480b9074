"""Formulates the conditions that need an operator's attention as sentences, in the reader's language."""

from collections.abc import Callable

from triage.fleet.view import Need
from triage.translations import Translations

# How values are written that are neither text nor an integer, and those with names of their own.
_WRITTEN: dict[str, Callable[[Translations, str | int | float], str]] = {
    "process": lambda translations, kind: translations.term("process", str(kind)),
    "cause": lambda translations, cause: translations(f"need.cause_{cause}"),
    "per_s": lambda translations, rate: translations.quantity(round(float(rate), 1)),
    "seconds": lambda translations, seconds: translations.exact_duration(round(float(seconds)) * 1000),
}


def sentence(need: Need, translations: Translations) -> str:
    """The need as a sentence, which says what to do if that is known."""
    values = {name: _written(name, value, translations) for name, value in need.values.items()}
    if need.kind in {"stuck", "down"}:
        values["waiting"] = translations("need.waiting", n=int(need.values["n"]))
    return translations(f"need.{need.kind}", **values)


def _written(name: str, value: str | float, translations: Translations) -> object:
    written = _WRITTEN.get(name)
    return written(translations, value) if written else value
