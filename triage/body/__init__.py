"""Extracts what a person wrote in a message: without markup, quoted history, signature and automatic additions."""

from triage.body.markup import plain_text
from triage.body.reader import Body, read_body

__all__ = ["Body", "plain_text", "read_body"]
