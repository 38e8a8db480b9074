"""Message about an author whose records are erased, on `feedback.forgotten` (keyed by the author's hash, compacted)."""

import msgspec


class ForgottenAuthor(msgspec.Struct, kw_only=True):
    """An author whose records are erased and stay erased.

    `author` is the keyed hash as in documents; records with a broker timestamp up to `at_ms` are erased. `found` is the
    number of documents, dead letters, alerts and corrections that all requests for this author have erased so far.
    """

    author: str
    at_ms: int
    found: int = 0
