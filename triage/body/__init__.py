"""Reads what a person wrote in a message: without markup, quoted history, signature and what a program added."""

from triage.body.reader import Body, read_body
from triage.body.markup import plain_text

__all__ = ["Body", "plain_text", "read_body"]
