"""Regular expressions in rules files: matched by RE2 in linear time, with the same meaning as in Python.

Python's `re` backtracks: some expressions take hours on a text that almost matches. RE2's time is at most proportional
to the steps of the expression times the characters of the text, so limits on both limit the time.
"""

from functools import lru_cache

import re2

from triage.han import simplified
from triage.literals import required_literals
from triage.rules.syntax import RefusedError, translate

MAX_CHARS = 5_000
"""Characters of a text that regular expressions read."""
MAX_STEPS = 500
"""Steps that the expressions of one rule may have together. Each costs up to 60 µs for `MAX_CHARS`."""
SHORTER = "use shorter counted repetitions ({0,20} counts 20 times), or `text_any` for lists of words"
_MAX_PATTERN = 500
_MEMORY_BYTES = 2**20


class Regex:
    """A compiled expression, which ignores case and matches both Chinese scripts. Thread-safe.

    Raises RefusedError for an expression that is invalid, unsupported or too large, or that matches the empty text.
    """

    def __init__(self, pattern: str) -> None:
        """Compile the expression.

        Raises RefusedError, which says what to write instead, for one that is not supported, too large, or matches the
        empty text.
        """
        if len(pattern) > _MAX_PATTERN:
            raise RefusedError(f"has {len(pattern)} characters; at most {_MAX_PATTERN} are allowed")
        translated, self._alphabet = translate(simplified(pattern))
        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1
        options.log_errors = False
        options.max_mem = _MEMORY_BYTES
        try:
            self._compiled = re2.compile(translated, options)
        except re2.error as error:
            raise RefusedError(f"is too large: {_reason(error)}; use fewer or shorter repetitions") from error
        self.steps: int = self._compiled.programsize
        """The size of the automaton: what its time is proportional to, besides the text."""
        self.literals = required_literals(pattern)
        """Strings of which every match contains one, as `PhraseIndex.add_literals` takes them; None if unknown."""
        if self.search("") is not None:
            raise RefusedError("matches the empty text, so it would always hold")
        if self.steps > MAX_STEPS:
            raise RefusedError(f"has {self.steps} steps, at most {MAX_STEPS} are allowed; {SHORTER}")

    def search(self, text: str) -> tuple[int, int] | None:
        """Start and end of the first match in the first `MAX_CHARS` characters; None without a match."""
        found = self._compiled.search(self._alphabet.encode(text[:MAX_CHARS]))
        return found.span() if found else None


def _reason(error: Exception) -> str:
    message = error.args[0] if error.args else ""
    return message.decode(errors="replace") if isinstance(message, bytes) else str(message)


@lru_cache(2_048)
def compiled(pattern: str) -> Regex:
    """Return the compiled expression, cached. Raises RefusedError if the expression cannot be used (see `Regex`)."""
    return Regex(pattern)
