"""Redacts persons' names and postal addresses with the entity head, after the model; off by default."""

from triage.redaction.names.redactor import redact_names

__all__ = ["redact_names"]
