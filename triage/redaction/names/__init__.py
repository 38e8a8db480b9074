"""Redacts persons' names and postal addresses that the model's entity head finds; off by default."""

from triage.redaction.names.redactor import redact_names

__all__ = ["redact_names"]
