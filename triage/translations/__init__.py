"""User-visible texts in each language, and the formats of numbers, times and durations."""

from triage.translations.catalogue import LANGUAGES, catalogue
from triage.translations.local_times import between_in, moment_in, offset_name
from triage.translations.places import Places, places_of
from triage.translations.translations import Translations, translations_for

__all__ = [
    "LANGUAGES",
    "Places",
    "Translations",
    "between_in",
    "catalogue",
    "moment_in",
    "offset_name",
    "places_of",
    "translations_for",
]
