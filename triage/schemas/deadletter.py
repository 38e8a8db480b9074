"""The dead letter: a record that can never be processed, with all that is needed to find and replay it."""

import msgspec


class DeadLetter(msgspec.Struct, kw_only=True, omit_defaults=True):
    """`payload` is redacted text; bytes that are no UTF-8 are described, not copied, since they can't be redacted.

    The original stays in the raw topic at `topic`/`partition`/`offset` while that is retained.
    """

    stage: str
    reason: str
    message: str
    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    failed_at: str
    attempts: int
    pipeline: str
    payload: str
    payload_bytes: int
    headers: dict[str, str]
    field: str | None = None
