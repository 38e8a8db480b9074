"""Base class of every section of the settings: refuses unknown names and reads secrets from files."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, SecretStr, model_validator

from triage.config.exposure import Exposure
from triage.decoding import DecodeError, decoded
from triage.masking import masked


class Section(BaseModel):
    """Base class of a settings section. A secret can also be read from a file, named by `<name>_file`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _secrets_from_files(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        values, problems = dict(given), []
        for name in secret_fields(cls):
            path = values.pop(f"{name}_file", None)
            if path is None:
                continue
            field = cls.model_fields[name]
            default = field.get_default(call_default_factory=True)
            if isinstance(default, BaseModel):
                default = default.model_dump()
            if values.get(name) not in (None, default):
                problems.append(f"{name} and {name}_file are both set; keep one")
                continue
            try:
                values[name] = _read_secret(Path(path), plain=_is_plain_secret(field.annotation))
            except ValueError as error:
                problems.append(f"{name}_file: {error}")
        if problems:
            raise ValueError("; ".join(problems))
        return values

    def in_clear_text(self) -> list[Exposure]:
        """Credentials that these settings send over a network in clear text. Setting names are without the section."""
        return []

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Fields as in logs and tracebacks: without the credentials of URLs."""
        return [(name, masked(value)) for name, value in super().__repr_args__()]


def secret_fields(section: type[BaseModel]) -> list[str]:
    """Names of the fields that hold a secret, directly or in a nested type."""
    return [name for name, field in section.model_fields.items() if _holds_secret(field.annotation)]


def _holds_secret(annotation: Any) -> bool:
    if annotation is SecretStr:
        return True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return bool(secret_fields(annotation))
    return any(_holds_secret(inner) for inner in get_args(annotation))


def _is_plain_secret(annotation: Any) -> bool:
    return annotation is SecretStr or set(get_args(annotation)) == {SecretStr, type(None)}


def _read_secret(path: Path, *, plain: bool) -> Any:
    """Read a secret, without the line feed at its end; lists and tables are JSON."""
    try:
        text = path.read_text("utf-8").rstrip("\r\n")
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8") from None
    if not text:
        raise ValueError(f"{path} is empty")
    if plain:
        return text
    try:
        return decoded(json.loads, text)
    except DecodeError:
        # The parser's own message may quote what it read.
        raise ValueError(f"{path} is not valid JSON") from None
