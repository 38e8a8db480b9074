"""Constraints on items: what a customer wants, how wishes of several turns combine, and which items fit."""

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from triage.assist.guide.words import BRAND, CATEGORY, PRICE
from triage.schemas.catalogue import CatalogueItem

Op = Literal["is", "is_not", "at_least", "at_most"]


class Constraint(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One wish: `name` is price, category, brand or an attribute.

    `is` and `is_not` compare with `values`; `at_least` and `at_most` with `number`, which is in the currency `unit` of
    a price, else in the base unit of the attribute. `text` is the customer's wording.
    """

    name: str
    op: Op
    values: list[str] = []
    number: float | None = None
    unit: str = ""
    text: str = ""


def fits(item: CatalogueItem, constraint: Constraint) -> bool:
    """True if an item fulfils a constraint. What the catalogue does not say fulfils only `is_not`.

    An item that comes in several colours fulfils "not red" if one of them is another.
    """
    if constraint.op == "is":
        return not values_of(item, constraint.name).isdisjoint(constraint.values)
    if constraint.op == "is_not":
        values = values_of(item, constraint.name)
        return not values or not values.issubset(constraint.values)
    number = number_of(item, constraint.name, constraint.unit)
    if number is None or constraint.number is None:
        return False
    return number <= constraint.number if constraint.op == "at_most" else number >= constraint.number


def fitting(items: Iterable[CatalogueItem], constraints: Sequence[Constraint]) -> list[CatalogueItem]:
    """The items that fulfil all constraints, in their order."""
    return [item for item in items if all(fits(item, each) for each in constraints)]


def values_of(item: CatalogueItem, name: str) -> set[str]:
    """The values of an item for `name` (category, brand or an attribute); empty if the catalogue does not say."""
    if name == CATEGORY:
        return {item.category}
    if name == BRAND:
        return {item.brand} if item.brand else set()
    return set(item.choices.get(name, ()))


def number_of(item: CatalogueItem, name: str, unit: str = "") -> float | None:
    """The price of an item in the currency `unit`, or the number of the attribute `name`; None if there is none."""
    return item.prices.get(unit) if name == PRICE else item.numbers.get(name)


def combined(before: Sequence[Constraint], new: Sequence[Constraint]) -> list[Constraint]:
    """The constraints after another turn: a wish of `new` replaces one of `before` that it contradicts or repeats.

    Values that are not wanted add up in one constraint.
    """
    kept = list(before)
    for each in new:
        refused = next((old for old in kept if old.name == each.name and old.op == each.op == "is_not"), None)
        added = each
        if refused is not None:
            values = list(dict.fromkeys([*refused.values, *each.values]))
            added = msgspec.structs.replace(each, values=values, text=f"{refused.text} … {each.text}")
        kept = [reduced for old in kept if old is not refused and (reduced := _without(old, each, new))]
        kept.append(added)
    return _distinct(kept)


def _without(old: Constraint, new: Constraint, batch: Sequence[Constraint]) -> Constraint | None:
    """The part of an older constraint that a newer one leaves; None if nothing."""
    if old.name != new.name or any(old is each for each in batch):
        return old
    if new.op in {"at_most", "at_least"}:
        if old.op == new.op or old.unit != new.unit:
            return None
        # A newer limit beyond the older one: the customer has changed the range.
        crossed = (
            (new.number or 0) < (old.number or 0) if new.op == "at_most" else (new.number or 0) > (old.number or 0)
        )
        return None if crossed else old
    if old.op == new.op == "is":
        return None
    left = [value for value in old.values if value not in new.values]
    return msgspec.structs.replace(old, values=left) if left else None


def _distinct(constraints: Iterable[Constraint]) -> list[Constraint]:
    seen: dict[tuple[object, ...], Constraint] = {}
    for each in constraints:
        seen[each.name, each.op, tuple(each.values), each.number, each.unit] = each
    return list(seen.values())
