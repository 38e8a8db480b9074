"""Aligns tables for the terminal."""

from collections.abc import Sequence

from rich.cells import cell_len


def aligned(table: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table, of which the first row is the header.

    Columns that are empty except for their header are left out. Chinese characters take two places.
    """
    used = [n for n in range(len(table[0])) if n == 0 or any(row[n] for row in table[1:])]
    widths = {n: max(cell_len(row[n]) for row in table) for n in used}
    shown = [n for n in used if widths[n]]
    return ["  ".join(row[n] + " " * (widths[n] - cell_len(row[n])) for n in shown).rstrip() for row in table]
