"""The dead letter: a record that can never be processed, with all that is needed to find and replay it."""

import msgspec

SCHEMA_VERSION = 3


class DeadLetter(msgspec.Struct, kw_only=True, omit_defaults=True):
    """`payload` is redacted text; bytes that are no UTF-8 are described, not copied, since they can't be redacted.

    The record itself stays in the raw topic at `topic`/`partition`/`offset` while that is retained. One that was
    replayed and failed again also carries `original`, the position under which it is known; the same letter with
    `replayed_at` says that it was put into the raw topic again. The message's key is the original position.
    `author_id` is the author's hash as it stands on documents, where the record says who wrote it; `payload` may have
    lost it where it was cut. Version 2 lacks it. Letters without `schema_version` are of version 1, which lacks that,
    `error`, `original` and `replayed_at` too.
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
    schema_version: int = 1
    error: str | None = None
    original: str | None = None
    replayed_at: str | None = None
    author_id: str | None = None

    @property
    def position(self) -> str:
        """Where the record stands in the raw topic, as topic/partition/offset."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    @property
    def key(self) -> str:
        """The position under which the record is known, however often it was replayed."""
        return self.original or self.position
