"""Reads the definition of a risk: the outcome to estimate, the features to weigh, and the levels."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from triage.decoding import read_yaml
from triage.errors import ConfigError, did_you_mean
from triage.risk.features import DEFAULT_FEATURES, FEATURES

_TOP = ("version", "name", "target", "features", "attributes", "levels")
_TARGETS = ("writes_again", "escalates", "column")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LEVELS = {"high": 0.05, "medium": 0.2}


@dataclass(frozen=True, slots=True)
class WritesAgain:
    """A target: the same author writes again within `within_days`, in a negative record.

    Its sentiment score is lower than that of this record by `more_negative_by`.
    """

    within_days: float = 14.0
    more_negative_by: float = 0.1


@dataclass(frozen=True, slots=True)
class Escalates:
    """A target: a later record of the author goes to one of `queues` within `within_days`; this record does not."""

    queues: tuple[str, ...] = ("legal", "fraud")
    within_days: float = 30.0


@dataclass(frozen=True, slots=True)
class Column:
    """A target that the operator gives: the value of an attribute of the record, or of a column of a CSV file.

    The outcome happened for `values`, and did not for others; without a value the record is left out. Rows of the
    file are found by the source's id of the record or of the author, in the column `key`.
    """

    values: tuple[str, ...]
    attribute: str | None = None
    file: Path | None = None
    column: str = ""
    by: Literal["record", "author"] = "record"
    key: str = "id"


Target = WritesAgain | Escalates | Column


@dataclass(frozen=True, slots=True)
class Definition:
    """A risk: its name, its target, the features and attributes weighed, and the share of records in each level.

    `levels["high"]` is the share of records with the highest scores, `levels["medium"]` that of high and medium
    together. `source` is the content of the file.
    """

    name: str
    target: Target
    features: tuple[str, ...]
    attributes: tuple[str, ...]
    levels: Mapping[str, float]
    source: Mapping[str, Any]

    @property
    def window_ms(self) -> int:
        """Time after a record in which its outcome shows; 0 if it is known with the record."""
        target = self.target
        return 0 if isinstance(target, Column) else round(target.within_days * 86_400_000)


def read_definition(path: Path) -> Definition:
    """Read the definition of a risk from a YAML file. Raises ConfigError with every problem of the file."""
    return definition_of(read_yaml(path), where=str(path), folder=path.parent)


def definition_of(content: Any, *, where: str, folder: Path) -> Definition:
    """The definition in the content of a YAML file; files are named relative to `folder`.

    Raises ConfigError with every problem and `where`.
    """
    problems: list[str] = []
    found = _definition(content, folder, problems)
    if found is None or problems:
        raise ConfigError(problems, where=where)
    return found


def _definition(content: Any, folder: Path, problems: list[str]) -> Definition | None:
    if not isinstance(content, dict) or content.get("version") != 1:
        problems.append("must have `version: 1`, a `name` and a `target`")
        return None
    _unknown(content, _TOP, "the file", problems)
    name = content.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        problems.append(f"name: must be up to 40 of a-z 0-9 _, beginning with a letter, not {str(name)[:60]!r}")
    target = _target(content.get("target"), folder, problems)
    features = _names(content, "features", DEFAULT_FEATURES, problems)
    problems += [
        f"features: no feature {each!r}{did_you_mean(each, FEATURES)}" for each in features if each not in FEATURES
    ]
    attributes = _names(content, "attributes", (), problems)
    if isinstance(target, Column) and target.attribute in attributes:
        problems.append(f"attributes: {target.attribute!r} is the target itself; leave it out")
    if not features and not attributes:
        problems.append("features: needs at least one feature or attribute")
    levels = _levels(content.get("levels", {}), problems)
    if target is None:
        return None
    return Definition(str(name), target, features, attributes, levels, content)


def _target(content: Any, folder: Path, problems: list[str]) -> Target | None:
    if not isinstance(content, dict) or len(content) != 1 or next(iter(content)) not in _TARGETS:
        problems.append(f"target: must be one of {', '.join(_TARGETS)}, not {str(content)[:80]}")
        return None
    kind, fields = next(iter(content.items()))
    fields = {} if fields is None else fields
    if not isinstance(fields, dict):
        problems.append(f"target.{kind}: must be a mapping, not {str(fields)[:80]}")
        return None
    if kind == "column":
        return _column(fields, folder, problems)
    if kind == "writes_again":
        _unknown(fields, ("within_days", "more_negative_by"), "target.writes_again", problems)
        return WritesAgain(
            _number(fields, "within_days", 14.0, 1, 365, problems),
            _number(fields, "more_negative_by", 0.1, 0, 2, problems),
        )
    _unknown(fields, ("queues", "within_days"), "target.escalates", problems)
    queues = _texts(fields.get("queues", ["legal", "fraud"]), "target.escalates.queues", problems)
    return Escalates(queues, _number(fields, "within_days", 30.0, 1, 365, problems))


def _column(fields: dict[str, Any], folder: Path, problems: list[str]) -> Column:
    _unknown(fields, ("attribute", "values", "file", "column", "by", "key"), "target.column", problems)
    attribute, file = fields.get("attribute"), fields.get("file")
    if (attribute is None) == (file is None):
        problems.append("target.column: name either an `attribute` of the records, or a `file` with a `column`")
    if file is not None and not isinstance(fields.get("column"), str):
        problems.append("target.column: a `file` needs the `column` with the outcome")
    by = fields.get("by", "record")
    if by not in {"record", "author"}:
        problems.append(f"target.column.by: must be record or author, not {str(by)[:60]!r}")
    values = _texts(fields.get("values"), "target.column.values", problems)
    return Column(
        values,
        None if attribute is None else str(attribute),
        None if file is None else folder / str(file),
        str(fields.get("column", "")),
        "author" if by == "author" else "record",
        str(fields.get("key", "id")),
    )


def _texts(value: Any, where: str, problems: list[str]) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    if not listed or not all(isinstance(each, str | int | float) for each in listed):
        problems.append(f"{where}: must be a list of values, not {str(value)[:80]}")
        return ()
    return tuple(word for each in listed for word in _written(each))


def _written(value: str | float) -> tuple[str, ...]:
    """The texts of a column that a value of YAML stands for, in lower case: it reads yes and true as one boolean."""
    if isinstance(value, bool):
        return ("true", "yes", "on", "y") if value else ("false", "no", "off", "n")
    return (str(value).casefold(),)


def _names(content: dict[str, Any], name: str, default: tuple[str, ...], problems: list[str]) -> tuple[str, ...]:
    value = content.get(name, list(default))
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        problems.append(f"{name}: must be a list of names, not {str(value)[:80]}")
        return default
    return tuple(dict.fromkeys(value))


def _levels(value: Any, problems: list[str]) -> dict[str, float]:
    if not isinstance(value, dict):
        problems.append(f"levels: must be a mapping such as {{high: 0.05, medium: 0.2}}, not {str(value)[:80]}")
        return _LEVELS
    _unknown(value, tuple(_LEVELS), "levels", problems)
    found = {name: _number(value, name, share, 0.001, 0.9, problems, "levels") for name, share in _LEVELS.items()}
    if found["high"] >= found["medium"]:
        problems.append("levels: high must be less than medium: both are shares of records, from the highest score on")
    return found


def _number(
    fields: dict[str, Any],
    name: str,
    default: float,
    low: float,
    high: float,
    problems: list[str],
    where: str = "target",
) -> float:
    value = fields.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        problems.append(f"{where}.{name}: must be a number from {low:g} to {high:g}, not {str(value)[:60]!r}")
        return default
    return float(value)


def _unknown(entry: dict[Any, Any], fields: tuple[str, ...], where: str, problems: list[str]) -> None:
    problems += [f"{where}: no field {name!r}{did_you_mean(str(name), fields)}" for name in entry if name not in fields]
