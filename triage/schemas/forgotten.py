"""An author who asked to be forgotten: on `feedback.forgotten`, keyed by the author's hash, compacted."""

import msgspec


class ForgottenAuthor(msgspec.Struct, kw_only=True):
    """`author` is the keyed hash as it stands on documents; what was written up to `at_ms` (broker's time) is gone."""

    author: str
    at_ms: int
