"""Tells the user about details of input files that refuse no row: each kind once, with counts at the end."""

from collections import Counter
from collections.abc import Callable


class FileNotes:
    """The notes of a command about its input files: each kind of note is passed to `say` once, as one line.

    `left_out` counts the fields that were left out, by field.
    """

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
        """Say, for each field that was left out, in how many rows."""
        for field, count in self.left_out.items():
            self.say(f"{field} left out of {count:,} row{'' if count == 1 else 's'}")
