"""Folds a text for matching, so that every position stays that of the original."""

import re

from triage.rules.phrases import normalized

_CLAUSE_END = re.compile(r"[,;.!?，。；！？](?!\d)|(?<!anything )(?<!nothing )\bbut\b|但是?|不过")


def folded(text: str) -> str:
    """The text case-folded, in simplified and narrow characters, with plain apostrophes; as long as `text`."""
    found = (char if len(folded) != 1 else folded for char in text for folded in (normalized(char),))
    return "".join(found).replace("’", "'").replace("‘", "'").replace("～", "~")


def ends_clause(text: str) -> int:
    """Position after the last punctuation that ends a clause in `text`; 0 if there is none."""
    return max((match.end() for match in _CLAUSE_END.finditer(text)), default=0)
