"""Errors for refused turns and actions on conversations."""

from triage.errors import TriageError, Unavailable


class TurnRefused(TriageError):  # noqa: N818 - describes the turn
    """A conversation cannot accept a turn or action; `code` is a stable name, `status` the HTTP status."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class RevisionConflict(TriageError):  # noqa: N818
    """The conversation has changed since it was read: read it again."""


class Contended(Unavailable):
    """The conversation was changed by others at each attempt: the caller should try again."""

    def __init__(self, identity: str) -> None:
        super().__init__("conversations", f"{identity} is changed by several at once; send the turn again")
