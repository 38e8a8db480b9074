"""Reasons for which a turn or an act is refused."""

from triage.errors import TriageError, Unavailable


class TurnRefused(TriageError):  # noqa: N818 - describes the turn
    """A turn or an act that the conversation can't take; `code` is stable, `status` that of HTTP."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class RevisionConflict(TriageError):  # noqa: N818
    """The conversation has changed since it was read: read it again."""


class Contended(Unavailable):
    """The conversation changed at each attempt: the caller should try again."""

    def __init__(self, identity: str) -> None:
        super().__init__("conversations", f"{identity} is changed by several at once; send the turn again")
