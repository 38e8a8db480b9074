"""Decodes text from outside: however a parser refuses it, that is one error."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from triage.errors import ConfigError

_T = TypeVar("_T")


class DecodeError(ValueError):
    """The content is not valid, or nested too deeply; the message is that of the parser."""


def decoded(decode: Callable[..., _T], content: Any, *refusals: type[Exception], **options: Any) -> _T:
    """Return `decode(content, **options)`, where `decode` is a parser. Raises DecodeError if that refuses `content`.

    Parsers raise errors of their own, a ValueError for bytes that are not UTF-8 or a number of thousands of digits, and
    a RecursionError for what is nested too deeply. `refusals` are further errors of the parser, which are neither a
    ValueError nor of msgspec.
    """
    kinds: tuple[type[Exception], ...] = (msgspec.MsgspecError, ValueError, *refusals)
    try:
        return decode(content, **options)
    except RecursionError as error:
        raise DecodeError("it is nested too deeply") from error
    except kinds as error:
        raise DecodeError(str(error)) from error


def read_yaml(path: Path) -> Any:
    """Return the content of a YAML file. Raises ConfigError, naming the file, if it can't be read or is not YAML."""
    try:
        return decoded(lambda text: yaml.safe_load(text.decode()), path.read_bytes(), yaml.YAMLError)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror or error}", where=str(path)) from error
    except DecodeError as error:
        raise ConfigError(f"not valid YAML: {error}", where=str(path)) from error
