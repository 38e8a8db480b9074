"""Notes of a command about its files, besides refused rows: each once, with counts at the end."""

from collections import Counter
from collections.abc import Callable


class FileNotes:
    """Says each kind of note once and counts it. `say` gets one line at a time."""

    def __init__(self, say: Callable[[str], None] = lambda _: None) -> None:
        self.say = say
        self.left_out: Counter[str] = Counter()
        self._said: set[tuple[str, str]] = set()

    def once(self, where: str, kind: str, text: str) -> None:
        if (where.partition(":")[0], kind) not in self._said:
            self._said.add((where.partition(":")[0], kind))
            self.say(f"{where}: {text}")

    def leave_out(self, where: str, field: str, problem: str) -> None:
        """Count a field that can't be read and is left out; the row is kept."""
        self.left_out[field] += 1
        self.once(where, field, f"{problem}; {field} is left out, here and in rows like this")

    def say_counts(self) -> None:
        """Say how many rows lost which field."""
        for field, count in self.left_out.items():
            self.say(f"{field} left out of {count:,} row{'' if count == 1 else 's'}")
