"""Phrases by which parts of a message are recognized, in all languages."""
