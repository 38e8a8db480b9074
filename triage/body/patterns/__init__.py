"""Phrases, in all languages, that mark the parts of a message."""
