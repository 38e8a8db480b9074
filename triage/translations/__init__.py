"""What triage says to people, in every language: messages, and how numbers, times and durations are written."""

from triage.translations.catalogue import LANGUAGES, catalogue
from triage.translations.translations import Translations, translations_for

__all__ = ["LANGUAGES", "Translations", "catalogue", "translations_for"]
