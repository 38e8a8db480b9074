"""The dead letter: a record that cannot be processed, with everything needed to find and replay it."""

import msgspec

SCHEMA_VERSION = 3


class DeadLetter(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A record that could not be processed, and the reason.

    `payload` is redacted text; bytes that are not UTF-8 are described, not copied, because they cannot be redacted.

    The record itself stays in the raw topic at `topic`/`partition`/`offset` for the topic's retention. A record that
    was replayed and failed again also has `original`, its first position. The same letter with `replayed_at` means that
    the record was sent to the raw topic again. The message's key is the original position. `author_id` is the author's
    hash as in documents, if the record has an author; it may be missing if `payload` was cut. Version 2 has no
    `author_id`. Letters without `schema_version` are version 1, which also has no `error`, `original`, `replayed_at`.
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
        """Position of the record in the raw topic when it failed, as topic/partition/offset."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    @property
    def key(self) -> str:
        """Kafka key of the message: the record's first position (topic/partition/offset), unchanged by replays."""
        return self.original or self.position
