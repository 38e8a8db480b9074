"""Reports details of input files that do not make a row invalid: each kind once, with counts at the end."""

from collections import Counter
from collections.abc import Callable


class FileNotes:
    """A command's notes about its input files: `say` is called once per kind of note, with one line.

    `left_out` counts the values that were left out, by field.
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
        """Count a value of `field` that cannot be read and is left out of its row; say so once per field.

        `where` is the file and line, `problem` the reason.
        """
        self.left_out[field] += 1
        self.once(where, field, f"{problem}; {field} is left out, here and in rows like this")

    def say_counts(self) -> None:
        """Report the number of rows for each field that was left out."""
        for field, count in self.left_out.items():
            self.say(f"{field} left out of {count:,} row{'' if count == 1 else 's'}")
