"""The words of pages, in the languages that `alerting.language` can take."""

from triage.alerting.wording.base import Numbers, Wording, fit
from triage.alerting.wording.en import English
from triage.alerting.wording.zh import Chinese

__all__ = ["Numbers", "Wording", "fit", "wording"]


_LANGUAGES: dict[str, Wording] = {"en": English(), "zh": Chinese()}


def wording(language: str) -> Wording:
    """Raises KeyError for a language that `alerting.language` does not allow."""
    return _LANGUAGES[language]
