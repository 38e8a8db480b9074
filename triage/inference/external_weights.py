"""Finds the external data files in which an ONNX model stores weights, without the package onnx."""

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from triage.errors import ModelError

# Fields of onnx.proto that lead to tensors: message -> number of the field -> message of its values.
FIELDS: Final[dict[str, dict[int, str]]] = {
    "ModelProto": {7: "GraphProto", 20: "TrainingInfoProto", 25: "FunctionProto"},
    "TrainingInfoProto": {1: "GraphProto", 2: "GraphProto"},
    "FunctionProto": {7: "NodeProto", 11: "AttributeProto"},
    "GraphProto": {1: "NodeProto", 5: "TensorProto", 15: "SparseTensorProto"},
    "NodeProto": {5: "AttributeProto"},
    "AttributeProto": {
        5: "TensorProto", 6: "GraphProto", 10: "TensorProto", 11: "GraphProto", 22: "SparseTensorProto",
        23: "SparseTensorProto",
    },
    "SparseTensorProto": {1: "TensorProto", 2: "TensorProto"},
    "TensorProto": {13: "StringStringEntryProto"},
}  # fmt: skip
_ENTRY = "StringStringEntryProto"
_KEY, _VALUE = 1, 2
_VARINT, _I64, _LENGTH, _I32 = 0, 1, 2, 5
_FIXED_BYTES = {_I64: 8, _I32: 4}
_MAX_VARINT_BYTES = 10


class _Part(NamedTuple):
    """A message in the file: its name, and where it begins and ends."""

    message: str
    start: int
    end: int


def external_files(model: Path) -> set[str]:
    """Names of the external data files in which the ONNX file `model` stores weights; usually none.

    Raises ModelError for a file that cannot be read or is not ONNX.
    """
    try:
        with model.open("rb") as file:
            if model.stat().st_size == 0:
                return set()
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return external_locations(content)
    except OSError as error:
        raise ModelError(f"{model} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ModelError(
            f"{model} cannot be loaded: it is not an ONNX file ({error}); export the model again"
        ) from error


def external_locations(content: bytes | mmap.mmap) -> set[str]:
    """Names of the external data files that the content of an ONNX file refers to.

    Raises ValueError if `content` is not ONNX.
    """
    found = set()
    parts = [_Part("ModelProto", 0, len(content))]
    while parts:
        part = parts.pop()
        known = FIELDS[part.message]
        for number, start, end in _fields(content, part.start, part.end):
            message = known.get(number)
            if message == _ENTRY:
                entry = {name: content[a:b] for name, a, b in _fields(content, start, end)}
                if entry.get(_KEY) == b"location":
                    found.add(entry.get(_VALUE, b"").decode("utf-8", "replace"))
            elif message is not None:
                parts.append(_Part(message, start, end))
    return found


def _fields(content: bytes | mmap.mmap, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield (number, start, end) of each field with a length, in the message from `at` to `end`.

    Raises ValueError if the bytes are not a message.
    """
    while at < end:
        tag, at = _varint(content, at, end)
        kind = tag & 7
        if kind == _LENGTH:
            size, at = _varint(content, at, end)
            if at + size > end:
                raise ValueError(f"byte {at} promises {size} more, which are not there")
            yield tag >> 3, at, at + size
            at += size
        elif kind == _VARINT:
            _, at = _varint(content, at, end)
        elif kind in _FIXED_BYTES:
            at += _FIXED_BYTES[kind]
        else:
            raise ValueError(f"byte {at} begins a field of an unknown kind")
    if at != end:
        raise ValueError(f"a field goes beyond byte {end}")


def _varint(content: bytes | mmap.mmap, at: int, end: int) -> tuple[int, int]:
    value = 0
    for place in range(_MAX_VARINT_BYTES):
        if at >= end:
            break
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at
    raise ValueError(f"byte {at} ends no number")
