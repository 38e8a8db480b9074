"""Reads guide.yaml: attributes and categories of a catalogue, their words, and the guide's approved texts."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from triage.decoding import read_yaml
from triage.errors import ConfigError, did_you_mean

LANGUAGES = ("en", "zh")
YES, NO = "yes", "no"
PRICE, CATEGORY, BRAND = "price", "category", "brand"
RESERVED = (PRICE, CATEGORY, BRAND)
Text = dict[str, str]
Words = dict[str, list[str]]
_MAX_NUMBER = 1e12
FORBIDDEN = re.compile(r"[;,=<>!]")
"""Characters that a value must not have: constraints are also written as text."""


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class Named(_Part, frozen=True):
    """A category, or the price: its title, its words by language, and the question that asks for it."""

    title: Text
    words: Words = {}
    ask: Text | None = None


class Attribute(_Part, frozen=True):
    """An attribute of items.

    `values` of a choice have words by language; `words` mean yes and `opposite` no; `units` of a number are factors to
    its base unit. Without `ask` the guide never asks for it.
    """

    kind: Literal["choice", "yes_no", "number"]
    title: Text
    ask: Text | None = None
    values: dict[str, Words] = {}
    words: Words = {}
    opposite: Words = {}
    units: dict[str, float] = {}


class GuideTexts(_Part, frozen=True):
    """Texts of the guide besides its questions. `found` comes before the results, `nothing` if no item fits.

    `drop` names the wish without which `{n}` items fit, as `{wish}`.
    """

    found: Text
    nothing: Text
    drop: Text


class GuideWords:
    """The content of guide.yaml: categories and attributes by name, and texts by language."""

    def __init__(
        self,
        categories: dict[str, Named],
        attributes: dict[str, Attribute],
        price: Named,
        category: Named,
        texts: GuideTexts,
        currency: dict[str, str],
    ) -> None:
        self.categories, self.attributes = categories, attributes
        self.price, self.category, self.texts, self.currency = price, category, texts, currency

    def question(self, name: str, language: str) -> str | None:
        """The approved question that asks for `name`: an attribute, the price or the category.

        None if it is never asked.
        """
        part = {PRICE: self.price, CATEGORY: self.category}.get(name) or self.attributes.get(name)
        ask = None if part is None else part.ask
        return None if ask is None else ask.get(language)

    def title(self, name: str, language: str) -> str:
        """Title of the attribute `name`, of the price or of the category, in a language."""
        part = {PRICE: self.price, CATEGORY: self.category}.get(name) or self.attributes.get(name)
        return name if part is None else part.title.get(language, name)

    def label(self, name: str, value: str, language: str) -> str:
        """The value `value` of the attribute `name` as people say it: the first of its words in a language."""
        if name == CATEGORY and value in self.categories:
            return self.categories[value].title.get(language, value)
        attribute = self.attributes.get(name)
        if attribute is None:
            return value
        if attribute.kind == "yes_no":
            return {"en": {YES: "yes", NO: "no"}, "zh": {YES: "是", NO: "否"}}[language].get(value, value)
        words = attribute.values.get(value, {}).get(language)
        return words[0].removesuffix("*") if words else value

    def unit(self, name: str, language: str) -> str:
        """The base unit of the number attribute `name`, as people write it in a language; empty if it has none."""
        attribute = self.attributes.get(name)
        base = [unit for unit, factor in attribute.units.items() if factor == 1] if attribute else []
        fitting = [unit for unit in base if unit.isascii() == (language == "en")] or base
        return fitting[0].removesuffix("*") if fitting else ""


_PARTS: dict[str, type[msgspec.Struct]] = {"categories": Named, "attributes": Attribute}
_SINGLE: dict[str, type[msgspec.Struct]] = {"price": Named, "category": Named, "texts": GuideTexts}
_FIELDS = ("version", "currency", *_PARTS, *_SINGLE)


def read_words(path: Path) -> GuideWords:
    """Read guide.yaml. Raises ConfigError with every problem."""
    content: Any = read_yaml(path)
    problems: list[str] = []
    if not isinstance(content, dict) or content.get("version") != 1:
        raise ConfigError("must have `version: 1`, categories, attributes, price, category, texts", where=str(path))
    problems += [f"no field {name!r}{did_you_mean(str(name), _FIELDS)}" for name in content if name not in _FIELDS]
    parts: dict[str, dict[str, Any]] = {}
    for section, kind in _PARTS.items():
        entries = content.get(section)
        if not isinstance(entries, dict) or not entries:
            problems.append(f"{section}: must be a mapping with at least one name")
            entries = {}
        parts[section] = {
            str(name): made
            for name, entry in entries.items()
            if (made := _made(entry, kind, f"{section}.{name}", problems)) is not None
        }
    single = {name: _made(content.get(name), kind, name, problems) for name, kind in _SINGLE.items()}
    currency = content.get("currency")
    if not isinstance(currency, dict) or not all(isinstance(currency.get(each), str) for each in LANGUAGES):
        problems.append("currency: must name the currency of a bare price by language, such as {en: USD, zh: CNY}")
        currency = {}
    if problems:
        raise ConfigError(problems, where=str(path))
    words = GuideWords(
        parts["categories"], parts["attributes"], single["price"], single["category"], single["texts"], currency
    )
    if found := list(_problems(words)):
        raise ConfigError(found, where=str(path))
    return words


def _made(entry: Any, kind: type[msgspec.Struct], where: str, problems: list[str]) -> Any:
    try:
        return msgspec.convert(entry, kind)
    except msgspec.ValidationError as error:
        problems.append(f"{where}: {error}")
        return None


def _problems(words: GuideWords) -> Iterator[str]:
    for name, named in (*words.categories.items(), (PRICE, words.price), (CATEGORY, words.category)):
        yield from _missing(f"{name}: title", named.title)
        if named.ask is not None:
            yield from _missing(f"{name}: ask", named.ask)
    for name in GuideTexts.__struct_fields__:
        yield from _missing(f"texts.{name}", getattr(words.texts, name))
    units: dict[str, str] = {}
    for name, attribute in words.attributes.items():
        for problem in _of_attribute(name, attribute, units):
            yield f"attributes.{name}: {problem}"


def _of_attribute(name: str, attribute: Attribute, units: dict[str, str]) -> Iterator[str]:
    if name in RESERVED:
        yield f"{name} is a field of every item; take another name"
    yield from _missing("title", attribute.title)
    if attribute.ask is not None:
        yield from _missing("ask", attribute.ask)
    needs = {"choice": attribute.values, "yes_no": attribute.words, "number": attribute.units}[attribute.kind]
    if not needs:
        field = {"choice": "values", "yes_no": "words that mean yes", "number": "units, such as {kg: 1, g: 0.001}"}
        yield f"a {attribute.kind} needs {field[attribute.kind]}"
    for value in attribute.values:
        if FORBIDDEN.search(value):
            yield f"value {value!r} must not have any of ; , = < > !"
    for unit, factor in attribute.units.items():
        if not 0 < factor < _MAX_NUMBER:
            yield f"unit {unit!r} has the factor {factor}; it must be above 0"
        if (other := units.setdefault(unit, name)) != name:
            yield f"{unit!r} is also a unit of {other}, so a text could mean both"


def _missing(where: str, text: Text) -> Iterator[str]:
    for language in LANGUAGES:
        if not text.get(language, "").strip():
            yield f"{where}: has no text in {language!r}"
