"""Prints the table of entity kinds in docs/redaction.md: `python -m triage.redaction.docs`."""

import sys

from triage.redaction.kinds import KINDS


def kinds_table() -> str:
    """Markdown table of the entity kinds, in the order of their registry."""
    lines = [
        "| kind | example | recognised by | redacted by default | placeholder |",
        "| --- | --- | --- | --- | --- |",
    ]
    for kind in KINDS.values():
        default = "yes" if kind.redacted else "no"
        lines.append(
            f"| `{kind.label}` | `{kind.example}` | {kind.how} | {default}: {kind.why} | `{kind.placeholder}` |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(kinds_table())
