"""Constraints as short text that people and programs read: `category=phone; price<=300 USD; colour!=black,white`."""

import re
from collections.abc import Iterable

from triage.assist.guide.constraints import Constraint, Op

_SIGNS: dict[Op, str] = {"is": "=", "is_not": "!=", "at_least": ">=", "at_most": "<="}
_OPS = {sign: op for op, sign in _SIGNS.items()}
_PART = re.compile(r"([^;,=<>!]+)(!=|>=|<=|=)([^;=<>!]*)")


def written(constraints: Iterable[Constraint]) -> str:
    """Constraints as text; the customer's wording is left out."""
    return "; ".join(
        f"{each.name}{_SIGNS[each.op]}"
        + (",".join(each.values) if each.number is None else f"{each.number:.12g} {each.unit}".rstrip())
        for each in constraints
    )


def read(text: str) -> list[Constraint]:
    """Constraints from text as `written` returns it. Raises ValueError for any other text."""
    found = []
    for part in filter(None, (each.strip() for each in text.split(";"))):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is not a constraint such as price<=300 USD")
        name, op, value = match[1].strip(), _OPS[match[2]], match[3].strip()
        if op in {"is", "is_not"}:
            found.append(Constraint(name=name, op=op, values=[each.strip() for each in value.split(",")], text=part))
        else:
            number, _, unit = value.partition(" ")
            found.append(Constraint(name=name, op=op, number=float(number), unit=unit, text=part))
    return found
