"""An author to forget, on `feedback.forgotten` (keyed by the author's hash, compacted)."""

import msgspec


class ForgottenAuthor(msgspec.Struct, kw_only=True):
    """An author whose records are erased and stay erased.

    `author` is the keyed hash as in documents; records up to `at_ms` (broker's time) are erased.

    `found` is how many documents, letters and other things were erased so far, by all requests.
    """

    author: str
    at_ms: int
    found: int = 0
