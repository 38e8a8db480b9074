"""An author to forget, on `feedback.forgotten` (keyed by the author's hash, compacted)."""

import msgspec


class ForgottenAuthor(msgspec.Struct, kw_only=True):
    """`author` is the keyed hash as in documents; records up to `at_ms` (broker's time) are erased."""

    author: str
    at_ms: int
