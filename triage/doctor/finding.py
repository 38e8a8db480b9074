"""The result of one check of an installation."""

from typing import Literal, TypeAlias

import msgspec

State: TypeAlias = Literal["ok", "warning", "failed"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A statement for the user about `subject`, such as Kafka or a receiver; `remedy` says what to do, if anything.

    `failed`: triage does not work, or nobody is paged. `warning`: it works, but a person should check it.
    """

    subject: str
    state: State
    text: str
    remedy: str = ""


def ok(subject: str, text: str) -> Finding:
    return Finding(subject=subject, state="ok", text=text)


def warning(subject: str, text: str, remedy: str = "") -> Finding:
    return Finding(subject=subject, state="warning", text=text, remedy=remedy)


def failed(subject: str, text: str, remedy: str = "") -> Finding:
    return Finding(subject=subject, state="failed", text=text, remedy=remedy)
