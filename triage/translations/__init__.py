"""Messages for people in every language, with its way to write numbers, times and durations."""

from triage.translations.catalogue import LANGUAGES, catalogue
from triage.translations.translations import Translations, translations_for

__all__ = ["LANGUAGES", "Translations", "catalogue", "translations_for"]
