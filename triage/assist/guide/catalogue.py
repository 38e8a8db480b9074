"""Reads a catalogue from CSV or JSON lines, and names every mistake with line and field."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triage.assist.guide.words import FORBIDDEN, LANGUAGES, NO, YES, Attribute, GuideWords
from triage.assist.rows import ROW_READERS, Row, UnreadableTextError, kind_of, read_text
from triage.errors import ConfigError, did_you_mean
from triage.schemas.catalogue import CatalogueItem

MOST_ITEMS = 20_000
"""Items of a catalogue: the guide keeps all of them in memory, a few kilobytes each."""
FIELDS = ("id", "name", "text", "category", "brand", "product", "price", "url")
_BY_LANGUAGE = ("name", "text")
_ID = re.compile(r"[^\s#@]{1,200}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_LIST = re.compile(r"[;；|]")
_MAX_TEXT_CHARS = 2_000
_MAX_NAME_CHARS = 200
_MAX_NUMBER = 1e12
_YES, _NO = {"yes", "true", "1", "是", "有"}, {"no", "false", "0", "否", "无"}


@dataclass(frozen=True, order=True)
class ItemProblem:
    """A mistake of the catalogue: line, field and message. `item` is the id of the row, if it could be read."""

    line: int
    field: str
    message: str
    item: str | None = None

    def __str__(self) -> str:
        return f"line {self.line}: {self.field}: {self.message}" if self.field else f"line {self.line}: {self.message}"


@dataclass
class Catalogue:
    """The content of a catalogue: accepted items by id, in the order of the file, and the problems of the others."""

    items: dict[str, CatalogueItem] = field(default_factory=dict)
    problems: list[ItemProblem] = field(default_factory=list)

    @property
    def refused(self) -> set[str]:
        """Ids of items that were refused: their indexed versions stay as they are."""
        return {each.item for each in self.problems if each.item is not None}


def read_catalogue(path: Path, words: GuideWords) -> Catalogue:
    """Read every item of a file; columns that are not fields of an item are attributes of guide.yaml.

    Raises ConfigError for a file that is neither CSV nor JSON lines, or cannot be read.
    """
    read = ROW_READERS.get(kind_of(path))
    if read is None:
        raise ConfigError(f"a catalogue is a file {', '.join(sorted(ROW_READERS))}", where=str(path))
    try:
        text = read_text(path)
    except UnreadableTextError as error:
        raise ConfigError(f"line {error.line}: {error}", where=str(path)) from error
    found = Catalogue()
    lines: dict[str, int] = {}
    for row in read(text):
        item, problems = _item(row, words, path.name)
        if item is not None and (first := lines.setdefault(item.id, row.line)) != row.line:
            problems = [
                ItemProblem(row.line, "id", f"{item.id!r} is that of line {first} too: ids are unique", item.id)
            ]
        if item is not None and not problems and len(found.items) >= MOST_ITEMS:
            raise ConfigError(f"line {row.line}: a catalogue has at most {MOST_ITEMS:,} items", where=str(path))
        if problems or item is None:
            found.problems += problems
        else:
            found.items[item.id] = item
    return found


class _Fields:
    """The fields of one row, flat: `price.USD` stands for `{"price": {"USD": ...}}`."""

    def __init__(self, row: Row) -> None:
        self.line = row.line
        self.values = {name: value for name, value in _flat(row.fields or {}) if not _empty(value)}
        self.item = str(self.values.get("id", "")).strip() or None
        self.problems: list[ItemProblem] = []

    def problem(self, name: str, message: str) -> None:
        self.problems.append(ItemProblem(self.line, name, message, self.item))

    def below(self, name: str) -> Iterator[tuple[str, str, Any]]:
        """(field, part after the dot, value) of a field and of its parts."""
        for key, value in self.values.items():
            head, _, rest = key.partition(".")
            if head == name:
                yield key, rest, value

    def text(self, name: str, most: int = _MAX_NAME_CHARS) -> str | None:
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, (str, int, float)) or isinstance(value, bool):
            self.problem(name, f"must be a text, not {str(value)[:60]!r}")
            return None
        found = " ".join(str(value).split())
        if len(found) > most:
            self.problem(name, f"has {len(found)} characters; {most} at most")
            return None
        return found


def _item(row: Row, words: GuideWords, file: str) -> tuple[CatalogueItem | None, list[ItemProblem]]:
    if row.fields is None:
        return None, [ItemProblem(row.line, "", row.problem)]
    fields = _Fields(row)
    identity = fields.text("id") or ""
    if not _ID.fullmatch(identity):
        fields.problem("id", f"{identity[:60]!r} must have 1 to 200 characters, none of them a space, # or @")
    names, texts = _texts(fields, "name", _MAX_NAME_CHARS), _texts(fields, "text", _MAX_TEXT_CHARS)
    if not names:
        fields.problem("name", "is missing; name.en and name.zh give it by language")
    category = fields.text("category") or ""
    if category not in words.categories:
        hint = did_you_mean(category, words.categories)
        fields.problem("category", f"{category!r} is not a category of guide.yaml{hint}" if category else "is missing")
    brand = fields.text("brand")
    if brand and FORBIDDEN.search(brand):
        fields.problem("brand", f"{brand!r} must not have any of ; , = < > !")
    prices = _prices(fields, words)
    choices, numbers = _attributes(fields, words)
    made = CatalogueItem(
        id=identity,
        name=names,
        text=texts,
        category=category,
        brand=brand,
        product=fields.text("product"),
        prices=prices,
        choices=choices,
        numbers=numbers,
        url=fields.text("url", 2_000),
        source=f"{file}:{row.line}",
    )
    return (None if fields.problems else made), fields.problems


def _texts(fields: _Fields, name: str, most: int) -> dict[str, str]:
    found = {}
    for key, language, _ in fields.below(name):
        if language not in {"", *LANGUAGES}:
            fields.problem(key, f"{language!r} is not a language of the guide: {', '.join(LANGUAGES)}")
        elif text := fields.text(key, most):
            found[language] = text
    return found


def _prices(fields: _Fields, words: GuideWords) -> dict[str, float]:
    found = {}
    for key, currency, value in fields.below("price"):
        code = currency or words.currency["en"]
        if not _CURRENCY.fullmatch(code):
            fields.problem(key, f"{code!r} is not a currency such as USD or CNY")
        elif (number := _number(fields, key, value)) is not None:
            found[code] = number
    return found


def _attributes(fields: _Fields, words: GuideWords) -> tuple[dict[str, list[str]], dict[str, float]]:
    choices: dict[str, list[str]] = {}
    numbers: dict[str, float] = {}
    for key, value in fields.values.items():
        if key.partition(".")[0] in FIELDS:
            continue
        name = key.removeprefix("attributes.")
        attribute = words.attributes.get(name)
        if attribute is None:
            hint = did_you_mean(name, [*FIELDS, *words.attributes])
            fields.problem(key, f"is neither a field of an item nor an attribute of guide.yaml{hint}")
        elif attribute.kind == "number":
            if (number := _number(fields, key, value)) is not None:
                numbers[name] = number
        elif found := _values(fields, key, value, attribute):
            choices[name] = found
    return choices, numbers


def _values(fields: _Fields, key: str, value: Any, attribute: Attribute) -> list[str]:
    items = value if isinstance(value, list) else _LIST.split(str(value))
    found = []
    for each in (str(item).strip() for item in items):
        if attribute.kind == "yes_no":
            answer = YES if each.casefold() in _YES else NO if each.casefold() in _NO else None
            if answer is None:
                fields.problem(key, f"{each[:40]!r} is neither yes nor no")
            else:
                found.append(answer)
        elif each in attribute.values:
            found.append(each)
        elif each:
            hint = did_you_mean(each, attribute.values)
            fields.problem(key, f"{each[:40]!r} is not a value of guide.yaml{hint}")
    return list(dict.fromkeys(found))


def _number(fields: _Fields, key: str, value: Any) -> float | None:
    try:
        number = float(value.replace(",", "") if isinstance(value, str) else value)
    except (TypeError, ValueError):
        number = -1.0
    if isinstance(value, bool) or not 0 <= number < _MAX_NUMBER:
        fields.problem(key, f"{str(value)[:40]!r} is not a number of at least 0")
        return None
    return number


def _flat(fields: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in fields.items():
        key = f"{prefix}{str(name).strip()}"
        if isinstance(value, Mapping) and prefix.count(".") < 2:
            yield from _flat(value, f"{key}.")
        else:
            yield key, value


def _empty(value: Any) -> bool:
    return value is None or value == [] or (isinstance(value, str) and not value.strip())
